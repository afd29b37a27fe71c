"""``provisor company log`` and ``company limit``: what a company's provisioners asked over SCIM, how much they may."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.output import facts, moment, plain, table
from provisor.cli.session import session
from provisor.clock import iso, parse_iso
from provisor.errors import InvalidInput
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.provider.requestlog.model import Entry

Company = Annotated[str | None, typer.Argument(help="Its id or name. Not needed where there is only one.")]
Rate = Annotated[str | None, typer.Option(metavar="N", help="Requests a second, or 'off'. [default: as it is]")]


def register(commands: typer.Typer) -> None:
    """Add the commands of this module."""
    commands.command("log")(log)
    commands.command("limit")(limit)
    commands.command("group-names")(group_names)


def log(
    context: typer.Context,
    company: Company = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many, the newest first.")] = 50,
    status: Annotated[int | None, typer.Option(help="Only with this HTTP status.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only with a status of 400 or more.")] = False,
    method: Annotated[str | None, typer.Option(help="Only with this HTTP method.")] = None,
    path: Annotated[str | None, typer.Option(metavar="TEXT", help="Only with this in the path or query.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Not before this, as 2027-12-31T12:00 (UTC).")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before this.")] = None,
    before: Annotated[str | None, typer.Option(metavar="ID", help="Older than this entry: the next page.")] = None,
    bodies: Annotated[bool, typer.Option("--bodies", help="Show what was sent and answered, too.")] = False,
) -> None:
    """The SCIM requests of a company: who, what, how it ended, and what was sent and not stored."""
    here = session(context)

    async def work(services: AppServices) -> list[Entry]:
        from provisor.provider.requestlog.model import Wanted

        found = await services.companies.find_company(operator(), company)
        wanted = Wanted(
            status=status,
            failed=failed,
            method=None if method is None else method.upper(),
            path=path,
            since=_moment(since),
            until=_moment(until),
            before=before,
        )
        return await services.requests.entries(operator(), found.id, wanted, limit=limit)

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "No such request is in the log."
        elif bodies:
            for entry in found:
                yield from _whole(entry)
        else:
            yield table(
                ("When", "Credential", "Method", "Path", "Status", "ms", "Sent, not stored", "Id"),
                [
                    (
                        moment(entry.at),
                        entry.credential_name or entry.credential,
                        entry.method,
                        entry.path,
                        entry.status,
                        f"{entry.duration_us / 1000:.1f}",
                        ", ".join(entry.ignored),
                        entry.id,
                    )
                    for entry in found
                ],
            )

    here.output.show([_document(entry) for entry in found], people)


def limit(
    context: typer.Context, company: Company = None, per_credential: Rate = None, per_company: Rate = None
) -> None:
    """Limit how many SCIM requests a second a company may make; without options, show the limits."""
    here = session(context)

    async def work(services: AppServices) -> tuple[str, int | None, int | None, str | None]:
        from provisor.provider.model import RateLimits

        found = await services.companies.find_company(operator(), company)
        limits = RateLimits(_rate(per_credential, found.limits.credential), _rate(per_company, found.limits.company))
        asked = per_credential is not None or per_company is not None
        warning = await services.companies.set_limits(operator(), found.id, limits) if asked else None
        return found.name, limits.credential, limits.company, warning

    name, credential, together, warning = here.run(work)

    def people() -> Iterable[RenderableType]:
        yield facts([("company", name), ("per credential", credential or "off"), ("per company", together or "off")])
        if warning is not None:
            yield f"Warning: {plain(warning)}"

    here.output.show(
        {"company": name, "per_credential": credential, "per_company": together, "warning": warning}, people
    )


def group_names(
    context: typer.Context,
    company: Company = None,
    unique: Annotated[
        bool | None, typer.Option("--unique/--any", help="Refuse a second group of the same name, or allow it.")
    ] = None,
) -> None:
    """Are a company's group names unique? They are by default, as Entra matches groups by name."""
    here = session(context)

    async def work(services: AppServices) -> tuple[str, bool]:
        found = await services.companies.find_company(operator(), company)
        custom = services.resources.custom
        if unique is not None:
            await custom.set_unique_group_names(operator(), found.id, unique)
        return found.name, await custom.unique_group_names(operator(), found.id)

    name, now = here.run(work)
    here.output.show(
        {"company": name, "unique_group_names": now},
        lambda: [facts([("company", name), ("group names", "unique" if now else "any")])],
    )


def _rate(text: str | None, present: int | None) -> int | None:
    if text is None:
        return present
    if text.lower() == "off":
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput(f"{text!r} is not a number of requests a second.", hint="Give a number, or 'off'.")
    return int(text)


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_iso(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a time.", hint="Write it as 2027-12-31T12:00 (UTC).") from None


def _whole(entry: Entry) -> Iterable[RenderableType]:
    yield facts(
        [
            ("when", f"{moment(entry.at)}, {entry.duration_us / 1000:.1f} ms"),
            ("credential", entry.credential_name or entry.credential),
            ("request", f"{entry.method} {entry.path}"),
            ("", entry.request or ""),
            ("answer", entry.status),
            ("", entry.answer or ""),
            ("sent, not stored", ", ".join(entry.ignored) or "nothing"),
            ("id", entry.id),
            ("", ""),
        ]
    )


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": iso(entry.at),
        "credential": {"id": entry.credential, "name": entry.credential_name},
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
        "milliseconds": entry.duration_us / 1000,
        "request": entry.request,
        "answer": entry.answer,
        "ignored": [*entry.ignored],
    }
