"""``provisor serve``: the HTTP faces and, unless told not to, a worker, in one process."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from provisor.cli.session import session

if TYPE_CHECKING:
    from provisor.app.services import AppServices


# Where one begins with each side.
EMPTY: tuple[tuple[Literal["tenant", "company"], str], ...] = (("tenant", "/portal"), ("company", "/company"))


def register(commands: typer.Typer) -> None:
    """Add the commands of this module."""
    commands.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[
        str | None, typer.Option(envvar="PROVISOR_HOST", help="Address to listen on.  [default: 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(envvar="PROVISOR_PORT", min=0, max=65_535, help="0 is any free one.  [default: 8080]"),
    ] = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", envvar="PROVISOR_NO_WORKER", help="Only serve.")] = False,
    processes: Annotated[
        int, typer.Option(envvar="PROVISOR_PROCESSES", min=1, help="How many processes serve; only 1 for now.")
    ] = 1,
    public_url: Annotated[
        str | None, typer.Option(envvar="PROVISOR_PUBLIC_URL", help="Where the world sees this server.")
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(envvar="PROVISOR_TLS_CERT", exists=True, dir_okay=False, help="Certificate chain, PEM."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(envvar="PROVISOR_TLS_KEY", exists=True, dir_okay=False, help="Its key, PEM.")
    ] = None,
) -> None:
    """Serve HTTP. Prints one line, "ready http://HOST:PORT", when it answers. Ends on SIGTERM or Ctrl-C."""
    here = session(context)
    if processes > 1:
        raise typer.BadParameter(
            "One process serves for now. On PostgreSQL, start further ones with --no-worker, each on a port of its "
            "own, behind a proxy.",
            param_hint="--processes",
        )
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("A certificate needs its key, and a key its certificate.", param_hint="--tls-cert")
    from provisor.app.settings import checked_public_url
    from provisor.cli.server import address_of, listen

    settings = here.settings(host=host, port=port, public_url=checked_public_url(public_url))
    bound = listen(settings.host, settings.port)
    address = address_of(bound, settings.host, tls=tls_cert is not None)
    messages = here.output.messages

    def busy() -> None:
        messages.print(
            "Warning: another process is the worker of this database. This one serves, and takes the work over when "
            "that one ends.",
            markup=False,
            soft_wrap=True,
        )

    async def begin(services: AppServices) -> None:
        pages = [
            f"{settings.public_url or address}{path}" for kind, path in EMPTY if await services.setup.is_empty(kind)
        ]
        if pages:
            text = f"Begin at {' and '.join(pages)}. Except on this machine they ask for a code: {services.setup.code}"
            messages.print(text, markup=False, soft_wrap=True)

    async def work(services: AppServices) -> None:
        from provisor.app.address import note_address
        from provisor.app.locks import present
        from provisor.cli.faces import make_app
        from provisor.cli.server import serving, until_told_to_end
        from provisor.cli.working import worker_here_or_elsewhere

        async with AsyncExitStack() as stack:
            await stack.enter_async_context(present(services.settings))
            # The worker ends first: what it has under way may be addressed to this very server.
            await stack.enter_async_context(serving(make_app(services), bound, tls_cert=tls_cert, tls_key=tls_key))
            if not no_worker:
                await stack.enter_async_context(worker_here_or_elsewhere(services, busy))
            await note_address(services.database, settings.public_url or address)
            here.output.line(f"ready {address}")
            await begin(services)
            await until_told_to_end()

    with bound:
        here.run_with(here.settings(host=host, port=bound.getsockname()[1], public_url=settings.public_url), work)
