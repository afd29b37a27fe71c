"""``provisor audit``: who changed what of the configuration, and the proof that nobody changed the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.output import moment, table
from provisor.cli.session import moment_option, session
from provisor.clock import iso
from provisor.errors import InvalidInput
from provisor.security.actor import Realm, operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.events.audit.model import Entry
    from provisor.events.audit.service import AuditPage, Proof

commands = typer.Typer(no_args_is_help=True, help="Who changed what of the configuration.")


@commands.command("list")
def list_(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="The tenant whose log it is.")] = None,
    company: Annotated[str | None, typer.Option(help="The company whose log it is.")] = None,
    system: Annotated[bool, typer.Option("--system", help="The log of tenants and companies themselves.")] = False,
    activity: Annotated[str | None, typer.Option(help="Only this activity, such as 'Add user'.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this person, key or service did: an id.")] = None,
    target: Annotated[str | None, typer.Option(help="Only what was done to this thing: an id.")] = None,
    correlation: Annotated[str | None, typer.Option(help="Only what belongs together under this id.")] = None,
    since: Annotated[str | None, typer.Option(help="Not before this moment: 2026-01-31T12:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this moment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    after: Annotated[str | None, typer.Option(help="Go on: what the page before gave as next.")] = None,
) -> None:
    """Changes of the configuration, newest first."""
    here = session(context)
    if sum((tenant is not None, company is not None, system)) > 1:
        raise InvalidInput("A log belongs to a tenant, to a company or to the system.", hint="Give one of the three.")
    begin, end = moment_option(since, "--since"), moment_option(until, "--until")

    async def work(services: AppServices) -> AuditPage:
        from provisor.events.audit.store import AuditFilter

        if system:
            realm = Realm("system")
        elif company is not None:
            realm = Realm("company", (await services.companies.find_company(operator(), company)).id)
        else:
            realm = Realm("tenant", (await services.directory.find_tenant(operator(), tenant)).id)
        wanted = AuditFilter(
            activity=activity, actor=actor, target_id=target, correlation_id=correlation, since=begin, until=end
        )
        return await services.audit.page(operator(), realm, wanted, after=after, limit=limit)

    page = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not page.entries:
            yield "Nothing was changed, or nothing of what was asked for."
            return
        rows = [
            (
                moment(entry.at),
                entry.initiated_by.display_name,
                entry.activity.name,
                _named(entry),
                "; ".join(_change(change) for target in entry.targets for change in target.modified_properties)[:200],
            )
            for entry in page.entries
        ]
        yield table(("When", "Who", "Activity", "What", "Changes"), rows)
        if page.next:
            yield f"There is more: --after {page.next}"

    here.output.show({"entries": [_document(entry) for entry in page.entries], "next": page.next}, people)


@commands.command()
def verify(context: typer.Context) -> None:
    """Prove that no entry was altered, removed or inserted. Exit status 1, with the first such entry, when one was."""
    here = session(context)

    async def work(services: AppServices) -> Proof:
        return await services.audit.verify(operator())

    proof = here.run(work)

    def people() -> Iterable[RenderableType]:
        rows = [(chain.realm, chain.entries, chain.hash[:16]) for chain in proof.chains]
        yield table(("Log", "Entries proven", "Last hash begins"), rows)
        for finding in proof.findings:
            yield f"{finding.realm}: {finding.message}"
        if not proof.findings:
            yield "Every chain is whole."

    here.output.show(
        {
            "valid": not proof.findings,
            "chains": [{"realm": chain.realm, "entries": chain.entries, "hash": chain.hash} for chain in proof.chains],
            "findings": [
                {"realm": one.realm, "seq": one.seq, "id": one.id, "kind": one.kind, "message": one.message}
                for one in proof.findings
            ],
        },
        people,
    )
    if proof.findings:
        raise typer.Exit(1)


def _named(entry: Entry) -> str:
    names = list(dict.fromkeys(target.display_name or target.id for target in entry.targets))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _change(change: Any) -> str:
    return f"{change.display_name}: {change.old_value} → {change.new_value}"


def _document(entry: Entry) -> dict[str, Any]:
    import msgspec

    return {
        **msgspec.to_builtins(entry),
        "at": iso(entry.at),
        "activity": entry.activity.name,
        "category": entry.activity.category,
        "loggedByService": entry.activity.service,
        "operationType": entry.activity.operation,
    }
