"""Stored plans: written in pages while they are made, read in pages, compared and applied set-wise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from provisor.applications.model import Job
from provisor.connector.messages import AttributeChange
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target
from provisor.events.audit.store import record as record_audit
from provisor.events.audit.store import tenant
from provisor.ids import new_id
from provisor.provisioning.model import Kind, PendingMember
from provisor.provisioning.planning.model import Basis, EntryAction, PlanEntry, PlannedMember, StoredPlan
from provisor.provisioning.store import Pair
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning.planning")
KEPT = 10
NAMED = 50
_PARTS = ("forget_entries", "forget_pairs", "forget_targets", "forget_plan")
_Changes = list[tuple[str, Any, Any]]


class PlanStore:
    """The tables ``plan``, ``plan_entry``, ``plan_pair``, ``plan_target``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, job: Job, basis: Basis, actor: Actor, now: int) -> StoredPlan:
        """A plan that is being made; of the older ones the newest few stay."""
        plan_id = new_id()

        async def work(tx: Tx) -> StoredPlan:
            old = await tx.fetch_all(SQL["old_plans"], {"job_id": job.id, "keep": KEPT - 1})
            await _forget(tx, [row[0] for row in old])
            params = {"id": plan_id, "job_id": job.id, "now": now, "actor": actor.subject}
            await tx.execute(SQL["insert_plan"], {**params, "basis": _json(msgspec.to_builtins(basis))})
            return await _read(tx, plan_id)

        return await self._database.write(work)

    async def plan(self, plan_id: str) -> StoredPlan | None:
        """One plan, or ``None``."""

        async def work(tx: Tx) -> StoredPlan | None:
            row = await tx.fetch_one(SQL["plan"], {"id": plan_id})
            return _plan(row) if row else None

        return await self._database.read(work)

    async def plans(self, job_id: str, limit: int) -> list[StoredPlan]:
        """A job's plans, newest first."""

        async def work(tx: Tx) -> list[StoredPlan]:
            return [_plan(row) for row in await tx.fetch_all(SQL["plans"], {"job_id": job_id, "limit": limit})]

        return await self._database.read(work)

    # Making

    async def page(self, job: Job, kind: Kind, after: str, limit: int, *, everybody: bool) -> list[str]:
        """The next ids of whoever may be concerned; ``everybody``: all of the tenant, not only what is assigned."""
        name = f"{kind.lower()}s_{'of_tenant' if everybody else 'assigned'}"

        async def work(tx: Tx) -> list[str]:
            params = {
                "job_id": job.id,
                "tenant_id": job.tenant_id,
                "service_principal_id": job.service_principal_id,
                "after": after,
                "limit": limit,
            }
            return [row[0] for row in await tx.fetch_all(SQL[name], params)]

        return await self._database.read(work, long=True)

    async def save(self, plan_id: str, entries: Sequence[PlanEntry]) -> None:
        """Entries of one page."""

        async def work(tx: Tx) -> None:
            await tx.execute_many(SQL["insert_entry"], [{"plan_id": plan_id, **_row(entry)} for entry in entries])

        await self._database.write(work)

    async def save_targets(self, plan_id: str, kind: Kind, rows: Sequence[tuple[str, str, str, str]]) -> None:
        """Objects that the target lists: (attribute, folded value, target id, document)."""

        async def work(tx: Tx) -> None:
            at = {"plan_id": plan_id, "object_type": kind}
            await tx.execute_many(
                SQL["insert_target"],
                [{**at, "attribute": a, "value": v, "target_id": t, "document": d} for a, v, t, d in rows],
            )

        await self._database.write(work)

    async def targets_by(
        self, plan_id: str, kind: Kind, attribute: str, values: Sequence[str]
    ) -> list[tuple[str, str]]:
        """(folded value, document) of the target's objects that have one of these values."""

        async def work(tx: Tx) -> list[tuple[str, str]]:
            params = {"plan_id": plan_id, "object_type": kind, "attribute": attribute, "ids": id_list(values)}
            return [(row[0], row[1]) for row in await tx.fetch_all(SQL["targets_by"], params)]

        return await self._database.read(work)

    async def add_managers(self, plan_id: str, job: Job) -> int:
        """People of whom only the manager changes, because that one comes with this plan; how many."""

        async def work(tx: Tx) -> int:
            params = {"plan_id": plan_id, "job_id": job.id, "tenant_id": job.tenant_id, "no": False}
            return await tx.execute(SQL["arriving_managers"], params)

        return await self._database.write(work)

    async def add_pairs(self, plan_id: str, job: Job) -> tuple[int, int]:
        """The memberships that would change, from directory, links and entries; how many are added and removed."""

        async def work(tx: Tx) -> tuple[int, int]:
            params = {"plan_id": plan_id, "job_id": job.id, "tenant_id": job.tenant_id}
            await tx.execute(SQL["pairs_joining"], {**params, "yes": True})
            await tx.execute(SQL["pairs_leaving"], {**params, "no": False})
            await tx.execute(SQL["groups_with_pairs"], {"plan_id": plan_id, "job_id": job.id, "no": False})
            await tx.execute(SQL["count_pairs"], {"plan_id": plan_id})
            row = await tx.fetch_one(SQL["pair_totals"], {"plan_id": plan_id})
            return (int(row[0]), int(row[1])) if row else (0, 0)

        return await self._database.write(work)

    async def ready(self, plan: StoredPlan, counts: Mapping[str, Any], now: int) -> StoredPlan:
        """It is made: compare it with the one before."""

        async def work(tx: Tx) -> StoredPlan:
            compared = await _compare(tx, plan.id, plan.previous_id) if plan.previous_id else None
            params = {"id": plan.id, "now": now, "counts": _json(counts)}
            await tx.execute(SQL["plan_ready"], {**params, "comparison": _json(compared) if compared else None})
            await tx.execute(SQL["forget_targets"], {"ids": id_list([plan.id])})
            return await _read(tx, plan.id)

        return await self._database.write(work)

    async def failed(self, plan_id: str, error: str, *, refused: bool = False) -> None:
        """It could not be made, or its application was refused."""

        async def work(tx: Tx) -> None:
            await tx.execute(SQL["plan_refused" if refused else "plan_failed"], {"id": plan_id, "error": error})
            await tx.execute(SQL["forget_targets"], {"ids": id_list([plan_id])})

        await self._database.write(work)

    # Reading

    async def entries(
        self, plan_id: str, *, after: str, limit: int, action: str | None, left_out_only: bool
    ) -> list[PlanEntry]:
        """A page of entries by source id."""

        async def work(tx: Tx) -> list[PlanEntry]:
            params = {
                "plan_id": plan_id,
                "after": after,
                "limit": limit,
                "action": action,
                "left_out_only": left_out_only,
            }
            return [_entry(row) for row in await tx.fetch_all(SQL["entries"], params)]

        return await self._database.read(work)

    async def members(self, job: Job, plan_id: str, group_id: str, after: str, limit: int) -> list[PlannedMember]:
        """A page of the members that a group gets and loses."""

        async def work(tx: Tx) -> list[PlannedMember]:
            params = {
                "plan_id": plan_id,
                "group_id": group_id,
                "job_id": job.id,
                "tenant_id": job.tenant_id,
                "after": after,
                "limit": limit,
            }
            return [PlannedMember(row[0], bool(row[1]), row[2]) for row in await tx.fetch_all(SQL["pairs"], params)]

        return await self._database.read(work)

    # Approving and applying

    async def approve(self, plan_id: str, job: Job, actor: Actor, now: int) -> bool:
        """Whether it could be approved: it was ready."""

        async def work(tx: Tx) -> bool:
            params = {"id": plan_id, "now": now, "actor": actor.subject}
            if await tx.execute(SQL["approve_plan"], params) != 1:
                return False
            await _told(tx, job, activities.APPROVE_PLAN, actor, now, plan_id)
            return True

        return await self._database.write(work)

    async def applying(self, plan: StoredPlan, job: Job, actor: Actor, now: int) -> StoredPlan:
        """Its books are open: a cycle of its own, the same one when it goes on after having been cut off."""
        cycle_id = plan.cycle_id or new_id()

        async def work(tx: Tx) -> StoredPlan:
            cycle = {"id": cycle_id, "job_id": job.id, "schema_version": job.schema_version, "now": now}
            await tx.execute(SQL["insert_plan_cycle"], cycle)
            await tx.execute(SQL["plan_applying"], {"id": plan.id, "cycle_id": cycle_id})
            await _told(tx, job, activities.APPLY_PLAN, actor, now, plan.id)
            return await _read(tx, plan.id)

        return await self._database.write(work)

    async def applied(self, plan: StoredPlan, counts: Mapping[str, Any], now: int, *, broken: str | None) -> StoredPlan:
        """It was carried out; ``broken``: what the target said that concerns every object: it can go on later."""

        async def work(tx: Tx) -> StoredPlan:
            rows = await tx.fetch_all(SQL["count_left_out"], {"plan_id": plan.id})
            result = {**counts, "leftOut": sum(row[1] for row in rows), "leftOutByReason": {r[0]: r[1] for r in rows}}
            if broken is None:
                await tx.execute(SQL["plan_applied"], {"id": plan.id, "now": now, "result": _json(result)})
            state = "Failed" if broken else "Succeeded"
            cycle = {"id": plan.cycle_id, "state": state, "now": now, "counts": _json(counts)}
            await tx.execute(SQL["end_plan_cycle"], cycle)
            return await _read(tx, plan.id)

        return await self._database.write(work)

    async def to_apply(self, plan_id: str, kind: Kind, after: str, limit: int) -> list[PlanEntry]:
        """The next entries of a kind that change the target."""

        async def work(tx: Tx) -> list[PlanEntry]:
            params = {"plan_id": plan_id, "object_type": kind, "after": after, "limit": limit}
            return [_entry(row) for row in await tx.fetch_all(SQL["entries_to_apply"], params)]

        return await self._database.read(work)

    async def managers(self, plan_id: str, after: str, limit: int) -> list[tuple[str, str]]:
        """The next (source id, manager's id) whose manager is to be written."""

        async def work(tx: Tx) -> list[tuple[str, str]]:
            params = {"plan_id": plan_id, "after": after, "limit": limit}
            return [(row[0], row[1]) for row in await tx.fetch_all(SQL["entries_with_manager"], params)]

        return await self._database.read(work)

    async def pairs(self, job: Job, plan_id: str, after: tuple[str, str], limit: int) -> list[tuple[Pair, bool]]:
        """The next memberships as both sides are now, and whether the plan has them join."""

        async def work(tx: Tx) -> list[tuple[Pair, bool]]:
            params = {
                "plan_id": plan_id,
                "job_id": job.id,
                "tenant_id": job.tenant_id,
                "group": after[0],
                "member": after[1],
                "limit": limit,
            }
            return [_pair(row) for row in await tx.fetch_all(SQL["pairs_to_apply"], params)]

        return await self._database.read(work, long=True)

    async def leave_out(self, plan_id: str, reasons: Mapping[str, str]) -> None:
        """These were not carried out: source id -> why."""

        async def work(tx: Tx) -> None:
            rows = [{"plan_id": plan_id, "source_id": id_, "why": why} for id_, why in reasons.items()]
            await tx.execute_many(SQL["leave_out"], rows)

        await self._database.write(work)

    async def dealt_with(self, cycle_id: str, ids: Sequence[str]) -> set[str]:
        """Of these, those that the plan's cycle has done already."""

        async def work(tx: Tx) -> set[str]:
            rows = await tx.fetch_all(SQL["applied_of"], {"cycle_id": cycle_id, "ids": id_list(ids)})
            return {row[0] for row in rows}

        return await self._database.read(work)


async def _forget(tx: Tx, ids: Sequence[str]) -> None:
    if ids:
        for name in _PARTS:
            await tx.execute(SQL[name], {"ids": id_list(ids)})


async def _read(tx: Tx, plan_id: str) -> StoredPlan:
    row = await tx.fetch_one(SQL["plan"], {"id": plan_id})
    assert row is not None  # noqa: S101 - written in this very transaction
    return _plan(row)


async def _compare(tx: Tx, plan_id: str, previous_id: str) -> dict[str, Any]:
    row = await tx.fetch_one(SQL["comparison"], {"plan_id": plan_id, "previous_id": previous_id})
    new = {"plan_id": plan_id, "previous_id": previous_id, "limit": NAMED}
    gone = {"plan_id": previous_id, "previous_id": plan_id, "limit": NAMED}
    added, removed, changed = row or (0, 0, 0)
    return {
        "planId": previous_id,
        "new": added,
        "gone": removed,
        "different": changed,
        "newObjects": [_named(one) for one in await tx.fetch_all(SQL["comparison_names"], new)],
        "goneObjects": [_named(one) for one in await tx.fetch_all(SQL["comparison_names"], gone)],
    }


async def _told(tx: Tx, job: Job, activity: Activity, actor: Actor, now: int, plan_id: str) -> None:
    target = Target("Job", job.id, job.display_name, (Modified("plan", None, plan_id),))
    await record_audit(tx, tenant(job.tenant_id), [NewEntry(activity, actor, (target,))], at=now)


def _named(row: Row) -> dict[str, str]:
    return {"id": row[0], "name": row[1], "action": row[2]}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _row(entry: PlanEntry) -> dict[str, Any]:
    return {
        "source_id": entry.source_id,
        "object_type": entry.kind,
        "action": entry.action,
        "name": entry.name,
        "target_id": entry.target_id,
        "changes": _json([(change.path, change.old, change.new) for change in entry.changes]),
        "manager_id": entry.manager_id,
        "reason": entry.reason,
        "source_version": entry.source_version,
        "digest": entry.digest,
        "held": entry.held,
    }


def _entry(row: Row) -> PlanEntry:
    id_, kind, action, name, target_id, changes, manager_id, joins, leaves, reason, version, *rest = row
    digest, held, left_out = rest
    found_kind: Kind = kind
    found_action: EntryAction = action
    return PlanEntry(
        source_id=id_,
        kind=found_kind,
        action=found_action,
        name=name,
        target_id=target_id,
        changes=[AttributeChange(*one) for one in msgspec.json.decode(changes, type=_Changes)],
        manager_id=manager_id,
        reason=reason,
        source_version=version,
        digest=digest,
        held=bool(held),
        joins=joins,
        leaves=leaves,
        left_out=left_out,
    )


def _pair(row: Row) -> tuple[Pair, bool]:
    group_id, member_id, joins, wanted, acknowledged, group_target, group_name, target, state, name = row
    slot = PendingMember(group_id, member_id, 0, None)
    found = Pair(slot, bool(wanted), bool(acknowledged), group_target, group_name or "", target, state, name or "")
    return found, bool(joins)


def _plan(row: Row) -> StoredPlan:
    id_, job_id, state, created, by, ready, basis, previous, counts, comparison, approved, approver, cycle, *rest = row
    applied_at, result, error = rest
    found: Literal["Planning", "Ready", "Approved", "Applying", "Applied", "Refused", "Failed"] = state
    return StoredPlan(
        id=id_,
        job_id=job_id,
        state=found,
        created_at=created,
        created_by=by,
        ready_at=ready,
        basis=msgspec.convert(msgspec.json.decode(basis), Basis),
        previous_id=previous,
        counts=msgspec.json.decode(counts) if counts else None,
        comparison=msgspec.json.decode(comparison) if comparison else None,
        approved_at=approved,
        approved_by=approver,
        cycle_id=cycle,
        applied_at=applied_at,
        result=msgspec.json.decode(result) if result else None,
        error=error,
    )
