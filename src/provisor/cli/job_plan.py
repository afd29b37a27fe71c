"""``provisor job plan``: what the next cycle would do, stored; approved and applied exactly so."""

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
    from provisor.provisioning.planning.model import PlanEntry, StoredPlan

_NAMED_MEMBERS = 20
# As ``provisor.provisioning.planning.model.EntryAction``, which is not loaded for the sake of a help text.
Action = Literal["create", "link", "update", "disable", "delete", "ambiguous", "fail", "skip"]


def register(commands: typer.Typer) -> None:
    """Add this command to ``provisor job``."""
    commands.command()(plan)


def plan(
    context: typer.Context,
    job: JobRef,
    tenant: Tenant = None,
    show: Annotated[str | None, typer.Option(metavar="ID", help="A plan that was made before, or 'last'.")] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Agree with it, so that it can be applied.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do exactly that. A new plan needs --approve, too.")] = False,
    action: Annotated[Action | None, typer.Option(help="Only what would be done, or cannot be, in this way.")] = None,
    left_out: Annotated[bool, typer.Option("--left-out", help="Only what was not applied, with the reason.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many objects are shown at most.")] = 100,
    after: Annotated[str, typer.Option(metavar="ID", help="Only objects with a greater id: the next page.")] = "",
) -> None:
    """What the job would do if it looked at everybody now. The target is read, never written.

    Works before the job was ever started, and while it is paused. With --approve and --apply, exactly what was planned
    is done; what has changed meanwhile is left out, and named.
    """
    if apply and show is None and not approve:
        raise InvalidInput(
            "A plan is applied after somebody has approved it.", hint="Give --show ID, or --approve as well."
        )
    here = session(context)

    async def work(services: AppServices) -> tuple[StoredPlan, list[PlanEntry], dict[str, list[str]]]:
        me = operator()
        found = await find_job(services, tenant, job)
        plans = services.plans
        if show is None:
            made = await plans.make(me, found.id)
        elif show == "last":
            newest = await plans.plans(me, found.id, 1)
            if not newest:
                raise InvalidInput("This job has no plan yet.", hint="Make one: leave out --show.")
            made = newest[0]
        else:
            made = await plans.plan(me, found.id, show)
        if approve and made.state == "Ready":
            made = await plans.approve(me, found.id, made.id)
        if apply:
            made = await plans.apply(me, found.id, made.id)
        entries = await plans.entries(
            me, found.id, made.id, after=after, limit=limit, action=action, left_out_only=left_out
        )
        return made, entries, await _members(services, found.id, made.id, entries)

    made, entries, members = here.run(work)

    def people() -> Iterable[RenderableType]:
        yield facts(_facts(made))
        yield from _comparison(made)
        shown = [entry for entry in entries if action == entry.action or entry.action != "skip"]
        if shown:
            yield table(("What", "Who", "Changes"), [_row(entry, members) for entry in shown])
        if len(entries) == limit:
            yield plain(f"These are the first {limit}. The next: --show {made.id} --after {entries[-1].source_id}")
        if made.counts is not None and not made.counts["considered"]:
            yield "Nobody is in scope: assign people or groups, or everybody with 'provisor app assign --all'."
        elif made.state == "Ready" and _sends(made):
            yield plain(f"Apply exactly this: --show {made.id} --approve --apply")

    document = {**plan_document(made), "entries": [entry_document(entry, members) for entry in entries]}
    here.output.show(document, people)


async def _members(
    services: AppServices, job_id: str, plan_id: str, entries: Sequence[PlanEntry]
) -> dict[str, list[str]]:
    """Of the groups shown, the first members that they get (+) and lose (-)."""
    told: dict[str, list[str]] = {}
    for entry in entries:
        if entry.joins or entry.leaves:
            page = await services.plans.members(operator(), job_id, plan_id, entry.source_id, limit=_NAMED_MEMBERS)
            told[entry.source_id] = [f"{'+' if one.joins else '-'}{one.name or one.member_id}" for one in page]
    return told


def plan_document(made: StoredPlan) -> dict[str, Any]:
    """A plan as JSON, without its entries."""
    return {
        "id": made.id,
        "jobId": made.job_id,
        "state": made.state,
        "created": iso(made.created_at),
        "createdBy": made.created_by,
        "seconds": None if made.ready_at is None else (made.ready_at - made.created_at) / 1000,
        "counts": made.counts,
        "comparison": made.comparison,
        "schemaVersion": made.basis.schema_version,
        "approved": None if made.approved_at is None else iso(made.approved_at),
        "approvedBy": made.approved_by,
        "applied": None if made.applied_at is None else iso(made.applied_at),
        "cycleId": made.cycle_id,
        "result": made.result,
        "error": made.error,
    }


def entry_document(entry: PlanEntry, members: dict[str, list[str]]) -> dict[str, Any]:
    """An entry as JSON: a change without a new value is a removal."""
    return {
        "id": entry.source_id,
        "type": entry.kind,
        "name": entry.name,
        "action": entry.action,
        "targetId": entry.target_id,
        "changes": [
            {
                "displayName": change.path,
                "oldValue": change.old,
                "newValue": change.new,
                "removal": change.new is None,
            }
            for change in entry.changes
        ],
        "managerId": entry.manager_id,
        "members": {"added": entry.joins, "removed": entry.leaves, "first": members.get(entry.source_id, [])},
        "reason": entry.reason,
        "held": entry.held,
        "leftOut": entry.left_out,
    }


def _facts(made: StoredPlan) -> list[tuple[str, object]]:
    counts = made.counts or {}
    names = ("create", "link", "update", "disable", "delete", "ambiguous", "fail", "skip", "unchanged")
    told = ", ".join(f"{counts[name]} {name}" for name in names if counts.get(name))
    pairs: list[tuple[str, object]] = [
        ("plan", made.id),
        ("state", made.state),
        ("made", moment(made.created_at)),
        ("looked at", counts.get("considered", 0)),
        ("would", told or "do nothing"),
    ]
    if counts.get("membersAdded") or counts.get("membersRemoved"):
        pairs.append(("members", f"{counts['membersAdded']} added, {counts['membersRemoved']} removed"))
    if counts.get("managers"):
        pairs.append(("managers", counts["managers"]))
    for reason, n in (counts.get("skippedByReason") or {}).items():
        pairs.append(("skipped", f"{n}: {reason}"))
    guard = counts.get("guard") or {}
    for kind, verdict in guard.items():
        if verdict["holds"]:
            text = f"a cycle would hold these {verdict['wanted']} {kind}: {verdict['most']} go without asking"
            pairs.append(("guard", text))
    if made.result:
        result = made.result
        kinds = ("created", "updated", "disabled", "deleted", "failed")
        done = ", ".join(f"{result[name]} {name}" for name in kinds if result[name])
        pairs.append(("applied", done or "nothing had to be done"))
        pairs += [("left out", f"{n}: {why}") for why, n in result["leftOutByReason"].items()]
    if made.error:
        pairs.append(("error", made.error))
    return pairs


def _sends(made: StoredPlan) -> bool:
    from provisor.provisioning.planning.model import SENDING

    return any((made.counts or {}).get(action) for action in SENDING)


def _comparison(made: StoredPlan) -> Iterable[str]:
    compared = made.comparison
    if compared:
        yield plain(
            f"Since the plan before ({compared['planId']}): {compared['new']} new, {compared['gone']} gone, "
            f"{compared['different']} different."
        )


def _row(entry: PlanEntry, members: dict[str, list[str]]) -> tuple[str, str, str]:
    told = [f"{change.path}: {_value(change.old)} → {_value(change.new)}" for change in entry.changes]
    if entry.manager_id is not None:
        told.append("manager" if entry.manager_id else "manager: removed")
    if entry.source_id in members:
        more = entry.joins + entry.leaves - len(members[entry.source_id])
        told.append(f"members: {', '.join(members[entry.source_id])}{f' and {more} more' if more > 0 else ''}")
    if entry.reason:
        told.append(entry.reason)
    if entry.held:
        told.append("held by a guard")
    if entry.left_out:
        told.append(f"left out: {entry.left_out}")
    return entry.action, entry.name, "; ".join(told)


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)
