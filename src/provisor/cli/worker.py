"""``provisor worker``: one more process that runs cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from provisor.cli.session import session

if TYPE_CHECKING:
    from provisor.app.services import AppServices


def register(commands: typer.Typer) -> None:
    """Add the commands of this module."""
    commands.command()(worker)


def worker(
    context: typer.Context,
    executor_id: Annotated[
        str | None,
        typer.Option(
            envvar="PROVISOR_EXECUTOR_ID", help="A name that no other live worker has. [default: the first free one]"
        ),
    ] = None,
) -> None:
    """Run cycles until it is told to end (SIGTERM, Ctrl-C). On SQLite a database has one worker."""
    here = session(context)

    async def work(services: AppServices) -> None:
        from provisor.app.locks import present
        from provisor.app.worker import running_worker
        from provisor.cli.server import until_told_to_end

        async with present(services.settings), running_worker(services) as lock:
            here.output.messages.print(f"working as {lock.executor_id}", markup=False)
            await until_told_to_end()

    here.run_with(here.settings(executor_id=executor_id), work)
