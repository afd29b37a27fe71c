"""``provisor certify``: what an identity provider will do to a SCIM endpoint, on this machine, in a minute."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from provisor.cli.session import Session, log_to_stderr, read_text_argument, session
from provisor.errors import InvalidInput

if TYPE_CHECKING:
    from provisor.certify.report import Report
    from provisor.certify.runner import Order

Profile = Literal["entra", "entra-aadOptscim062020", "okta", "rfc"]


def register(commands: typer.Typer) -> None:
    commands.command()(certify)


def certify(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The Tenant URL: what comes before /Users and /Groups.")],
    token_file: Annotated[
        str | None, typer.Option(metavar="F", help="File with the bearer token; - is standard input.")
    ] = None,
    profile: Annotated[Profile, typer.Option(help="Whose requests to send.")] = "entra",
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as one HTML file.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write JUnit XML, for build servers.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="STORY", help="Only this story; may be repeated.")] = None,
    domain: Annotated[str, typer.Option(help="What the people's user names end in.")] = "certify.example",
    max_foreign: Annotated[
        int, typer.Option(min=0, help="Refuse an endpoint with more accounts than this. Only what is made is changed.")
    ] = 50,
    every: Annotated[
        bool, typer.Option("--all", help="Show every exchange, not only where something is broken.")
    ] = False,
) -> None:
    """Live through an identity's life at a SCIM endpoint: joiners, movers, leavers, groups, conflicts, lost replies.

    Needs no account and no public address. Exit status 1 when something is broken that the identity provider needs.
    """
    from provisor.certify.runner import Order, detail_of

    here = session(context)
    for file in (report, junit):
        if file is not None and not file.absolute().parent.is_dir():
            raise InvalidInput(f"{file} cannot be written: there is no such folder.", hint="Make the folder first.")
    token = read_text_argument(token_file).strip() if token_file is not None else None
    order = Order(url, token or None, profile, only or (), domain, max_foreign)
    result = _run(here, order)
    _write(result, report, junit)
    from provisor.certify.rendering import document, text

    here.output.show(document.document(result), lambda: text.render(result, every=every))
    if report is not None:
        here.output.messages.print(f"The whole report: {report}", markup=False, soft_wrap=True)
    if not result.passed:
        if here.output.as_json:
            here.output.messages.print(detail_of(result), markup=False)
        raise typer.Exit(1)


def _run(here: Session, order: Order) -> Report:
    import uvloop

    from provisor.certify.runner import certify as live_through
    from provisor.connector.aiohttp_transport import AiohttpTransport

    log_to_stderr()
    messages = here.output.messages
    policy = here.settings().outbound

    async def work() -> Report:
        transport = AiohttpTransport(policy)
        try:
            return await live_through(
                order, transport, lambda sentence: messages.print(f"… {sentence}", markup=False, style="dim")
            )
        finally:
            await transport.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work())


def _write(result: Report, report: Path | None, junit: Path | None) -> None:
    from provisor.certify.rendering import html
    from provisor.certify.rendering import junit as junit_xml

    try:
        if report is not None:
            report.write_text(html.render(result), "utf-8")
        if junit is not None:
            junit.write_bytes(junit_xml.render(result))
    except OSError as error:
        raise InvalidInput(
            f"{error.filename} cannot be written: {error.strerror}.", hint="Name a file in a folder of yours."
        ) from error
