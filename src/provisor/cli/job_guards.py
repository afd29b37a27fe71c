"""``provisor job held|approve|reject|guard``: what a guard keeps back, and somebody's decision about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from provisor.cli.job import JobRef, Tenant, find_job
from provisor.cli.output import facts, moment, plain, table
from provisor.cli.session import session
from provisor.clock import iso
from provisor.errors import InvalidInput
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.applications.model import Job
    from provisor.provisioning.guarding.model import Held, Wave
    from provisor.provisioning.guarding.service import Overview

Objects = Annotated[
    list[str] | None, typer.Argument(metavar="[OBJECT]...", help="By id or name, as 'held' shows them.")
]
All = Annotated[bool, typer.Option("--all", help="Everything that is held.")]


def register(commands: typer.Typer) -> None:
    """Add these commands to ``provisor job``."""
    commands.command()(held)
    commands.command()(approve)
    commands.command()(reject)
    commands.command()(guard)


def held(
    context: typer.Context,
    job: JobRef,
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many objects at most.")] = 50,
    after: Annotated[str, typer.Option(metavar="ID", help="Only objects with a greater id: the next page.")] = "",
    rejected: Annotated[bool, typer.Option("--rejected", help="What was rejected and is still asked for.")] = False,
) -> None:
    """What a guard holds: why, how much, and who it would concern."""
    here = session(context)

    async def work(services: AppServices) -> tuple[Overview, list[Held]]:
        found = await find_job(services, tenant, job)
        overview = await services.guards.overview(operator(), found.id)
        state: Literal["held", "rejected"] = "rejected" if rejected else "held"
        rows = await services.guards.held(operator(), found.id, state=state, after=after, limit=limit)
        return overview, rows

    overview, rows = here.run(work)

    def people() -> Iterable[RenderableType]:
        yield facts(_facts(overview))
        for wave in overview.waves:
            yield plain(f"{moment(wave.at)}: {wave.reason}")
        if rows:
            yield table(("What", "Who", "Changes", "Id"), [_row(row) for row in rows])
        if overview.held:
            yield "Approve or reject them: 'provisor job approve', 'provisor job reject', one by one or with --all."

    document = {**_overview(overview), "objects": [held_document(row) for row in rows]}
    here.output.show(document, people)


def approve(
    context: typer.Context, job: JobRef, objects: Objects = None, tenant: Tenant = None, everything: All = False
) -> None:
    """Let what is held go, one by one or all of it. What no longer asks for the same by then is not done."""
    _decide(context, job, objects, tenant, everything, "approved")


def reject(
    context: typer.Context, job: JobRef, objects: Objects = None, tenant: Tenant = None, everything: All = False
) -> None:
    """Do not do it. Then mend the cause: what is no longer asked for is forgotten by itself."""
    _decide(context, job, objects, tenant, everything, "rejected")


def guard(
    context: typer.Context,
    job: JobRef,
    tenant: Tenant = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether anything is held at all.")] = None,
    deletions: Annotated[int | None, typer.Option(min=0, help="Deletes and disables within 24 hours.")] = None,
    deletions_percent: Annotated[int | None, typer.Option(min=0, max=100, help="The same, of linked objects.")] = None,
    changes_percent: Annotated[int | None, typer.Option(min=0, max=100, help="Updates by one cycle.")] = None,
) -> None:
    """Show a job's limits, or change them."""
    here = session(context)
    given = {
        "enabled": enabled,
        "deletions": deletions,
        "deletions_percent": deletions_percent,
        "changes_percent": changes_percent,
    }

    async def work(services: AppServices) -> tuple[Job, Overview]:
        import msgspec

        found = await find_job(services, tenant, job)
        changes = {name: value for name, value in given.items() if value is not None}
        if changes:
            kept: dict[str, Any] = msgspec.to_builtins(found.settings.guard)
            found = await services.applications.change_settings(operator(), found.id, {"guard": {**kept, **changes}})
        return found, await services.guards.overview(operator(), found.id)

    found, overview = here.run(work)
    limits = found.settings.guard
    document = {
        "enabled": limits.enabled,
        "deletions": limits.deletions,
        "deletionsPercent": limits.deletions_percent,
        "changesPercent": limits.changes_percent,
        **_overview(overview),
    }

    def people() -> Iterable[RenderableType]:
        yield facts(
            [
                ("guard", "on" if limits.enabled else "off"),
                ("deletions", f"{limits.deletions}, or {limits.deletions_percent} % of linked objects, in 24 hours"),
                ("changes", f"{limits.changes_percent} % of the linked objects by one cycle"),
                *_facts(overview),
            ]
        )

    here.output.show(document, people)


def _decide(
    context: typer.Context,
    job: str,
    objects: Sequence[str] | None,
    tenant: str | None,
    everything: bool,
    decision: str,
) -> None:
    if everything == bool(objects):
        raise InvalidInput("Name objects, or give --all.", hint="'provisor job held' shows what is held.")
    here = session(context)

    async def work(services: AppServices) -> list[str]:
        found = await find_job(services, tenant, job)
        decide = services.guards.approve if decision == "approved" else services.guards.reject
        return await decide(operator(), found.id, None if everything else objects)

    ids = here.run(work)

    def people() -> Iterable[RenderableType]:
        what = "1 object was" if len(ids) == 1 else f"{len(ids)} objects were"
        if decision == "approved":
            yield f"{what} approved. The job carries them out at its next occasion."
        else:
            yield f"{what} rejected: nothing is sent. Mend the cause, and they are forgotten by themselves."

    here.output.show({decision: ids}, people)


def _facts(overview: Overview) -> list[tuple[str, object]]:
    limit = overview.limits
    pairs: list[tuple[str, object]] = [("linked objects", overview.linked)]
    if limit.deletions is not None:
        pairs.append(("deletions in 24 hours", f"{overview.executed}, of {limit.deletions} that go without asking"))
    if limit.threshold is not None:
        pairs.append(("deletion threshold", f"{limit.threshold} by one cycle"))
    for name, counts in (("held", overview.held), ("rejected", overview.rejected)):
        pairs.append((name, ", ".join(f"{n} {_WORDS[action]}" for action, n in counts.items()) or "nothing"))
    return pairs


_WORDS = {"update": "to change", "disable": "to disable", "delete": "to delete"}


def _overview(overview: Overview) -> dict[str, Any]:
    limit = overview.limits
    return {
        "linked": overview.linked,
        "deletionsWithinWindow": overview.executed,
        "limits": {"deletions": limit.deletions, "changes": limit.changes, "deleteThreshold": limit.threshold},
        "held": overview.held,
        "rejected": overview.rejected,
        "waves": [wave_document(wave) for wave in overview.waves],
    }


def wave_document(wave: Wave) -> dict[str, Any]:
    """A wave as JSON."""
    return {
        "id": wave.id,
        "cycleId": wave.cycle_id,
        "kind": wave.kind,
        "rule": wave.rule,
        "wanted": wave.wanted,
        "done": wave.done,
        "linked": wave.linked,
        "most": wave.most,
        "at": iso(wave.at),
        "reason": wave.reason,
    }


def held_document(row: Held) -> dict[str, Any]:
    """A held object as JSON."""
    return {
        "id": row.source_id,
        "type": row.kind,
        "name": row.name,
        "action": row.action,
        "state": row.state,
        "targetId": row.target_id,
        "changes": list(row.changes),
        "since": iso(row.at),
        "waveId": row.wave_id,
        "decidedBy": row.decided_by,
        "decided": None if row.decided_at is None else iso(row.decided_at),
    }


def _row(row: Held) -> tuple[str, str, str, str]:
    told = [f"{c['displayName']}: {_value(c['oldValue'])} → {_value(c['newValue'])}" for c in row.changes[:4]]
    changes = ", ".join(told)
    more = f" and {len(row.changes) - 4} more" if len(row.changes) > 4 else ""
    return row.action, row.name, changes + more, row.source_id


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)
