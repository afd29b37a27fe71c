"""Step guard: its rows. What a batch notes is written within the batch's own commit (``record``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from provisor.applications.model import Job
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target
from provisor.events.audit.store import record as record_audit
from provisor.events.audit.store import tenant
from provisor.ids import new_id
from provisor.provisioning.guarding.model import FAR, WINDOW_MS, Decision, Held, HeldState, Rule, Wave, WaveKind, Wish
from provisor.provisioning.leases.store import Lease, keep
from provisor.provisioning.model import Kind, Pending, PendingMember
from provisor.provisioning.telling.store import SERVICE
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning.guarding")
# While a removal is in one of these states, its object's memberships stay.
_KEEPING = frozenset({"deferred", "held", "rejected"})
# Objects that one audit entry names.
_NAMED = 100
FORGET = ("forget_held", "forget_waves", "forget_deprovisions")


@dataclass(slots=True)
class GuardNotes:
    """What one batch has learnt about what is kept back, until it is written with the batch."""

    deferred: list[tuple[Pending, Held]] = field(default_factory=list)
    # Still held, looked at again: slot, and why.
    kept: list[tuple[Pending, str]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    # Of a judged wave: ids that wait for a person, with why, and those that go on.
    held: dict[str, str] = field(default_factory=dict)
    released: list[str] = field(default_factory=list)
    deprovisioned: list[str] = field(default_factory=list)
    pairs: list[PendingMember] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Extent:
    """How large things are: linked objects (with those that the window's deletions took out), deletions within the
    window, linked objects that the cycle has still to look at, what it has changed and deleted already."""

    linked: int
    executed: int
    ahead: int
    changed: int
    deleted: int
    any_deferred: bool


@dataclass(frozen=True, slots=True)
class Rush:
    """Deletions within the window and since the cycle began; leavers that are still ahead; is a wave being counted?"""

    executed: int
    in_cycle: int
    urgent: int
    any_deferred: bool


class GuardStore:
    """Reads, and writes of what no batch is part of. Raises ``LeaseLost`` from what is written on a lease."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held_of(self, job_id: str, source_ids: Sequence[str]) -> dict[str, Held]:
        """What is kept of these objects, by source id."""

        async def work(tx: Tx) -> dict[str, Held]:
            rows = await tx.fetch_all(SQL["held_of"], {"job_id": job_id, "ids": id_list(source_ids)})
            return {row[0]: _held(row) for row in rows}

        return await self._database.read(work)

    async def page(
        self, job_id: str, *, state: HeldState, after: str, limit: int, action: str | None, wave_id: str | None
    ) -> list[Held]:
        """A page of what is in a state, by source id."""

        async def work(tx: Tx) -> list[Held]:
            params = {
                "job_id": job_id,
                "state": state,
                "after": after,
                "limit": limit,
                "action": action,
                "wave_id": wave_id,
            }
            return [_held(row) for row in await tx.fetch_all(SQL["held_page"], params)]

        return await self._database.read(work)

    async def counts(self, job_id: str) -> dict[tuple[str, str], int]:
        """(state, action) -> how many."""

        async def work(tx: Tx) -> dict[tuple[str, str], int]:
            rows = await tx.fetch_all(SQL["held_counts"], {"job_id": job_id})
            return {(row[0], row[1]): row[2] for row in rows}

        return await self._database.read(work)

    async def named(self, job_id: str, ref: str) -> list[str]:
        """Ids of the rows that somebody means, two at most."""

        async def work(tx: Tx) -> list[str]:
            params = {"job_id": job_id, "ref": ref, "folded": ref.lower()}
            return [row[0] for row in await tx.fetch_all(SQL["held_named"], params)]

        return await self._database.read(work)

    async def waves(self, job_id: str, ids: Sequence[str] | None = None) -> list[Wave]:
        """These waves, or (null) all of which something is held."""

        async def work(tx: Tx) -> list[Wave]:
            if ids is None:
                rows = await tx.fetch_all(SQL["waves_open"], {"job_id": job_id})
            else:
                rows = await tx.fetch_all(SQL["waves"], {"job_id": job_id, "ids": id_list(ids)})
            return [Wave(*row) for row in rows]

        return await self._database.read(work)

    async def rush(self, job_id: str, began_at: int, now: int) -> Rush:
        """What deletions there were and may be, as things are now; ``began_at``: of the cycle."""

        async def work(tx: Tx) -> Rush:
            at = {"job_id": job_id, "now": now}
            executed = await _count(tx, "deprovisions_since", {"job_id": job_id, "since": now - WINDOW_MS})
            in_cycle = await _count(tx, "deprovisions_since", {"job_id": job_id, "since": began_at})
            urgent = await _count(tx, "urgent_slots", at)
            deferred = await tx.fetch_one(SQL["any_deferred"], {"job_id": job_id})
            return Rush(executed, in_cycle, urgent, deferred is not None)

        return await self._database.read(work, long=True)

    async def extent(self, job_id: str, cycle_id: str, now: int) -> Extent:
        """How large things are, for the limits."""

        async def work(tx: Tx) -> Extent:
            at = {"job_id": job_id, "now": now}
            window = {"job_id": job_id, "since": now - WINDOW_MS}
            executed = await _count(tx, "deprovisions_since", window)
            gone = await _count(tx, "gone_since", window)
            linked = await _count(tx, "linked", {"job_id": job_id})
            ahead = await _count(tx, "linked_slots", at)
            done = await tx.fetch_one(SQL["changed_in_cycle"], {"cycle_id": cycle_id})
            deferred = await tx.fetch_one(SQL["any_deferred"], {"job_id": job_id})
            changed, deleted = (done[0], done[1]) if done else (0, 0)
            return Extent(linked + gone, executed, ahead, int(changed), int(deleted), deferred is not None)

        return await self._database.read(work, long=True)

    async def kept_members(self, job_id: str, member_ids: Sequence[str]) -> set[str]:
        """Of these, those whose removal from the target is held or was rejected: their memberships stay."""

        rows = await self.held_of(job_id, member_ids)
        return {id_ for id_, row in rows.items() if row.action != "update" and row.state in _KEEPING}

    # Waves

    async def uncounted(self, job_id: str) -> dict[WaveKind, int]:
        """How many objects of each kind wait to be counted in a wave."""

        async def work(tx: Tx) -> dict[WaveKind, int]:
            return {row[0]: row[1] for row in await tx.fetch_all(SQL["deferred_counts"], {"job_id": job_id})}

        return await self._database.read(work, long=True)

    async def count_wave(
        self,
        lease: Lease,
        job: Job,
        cycle_id: str,
        kind: WaveKind,
        *,
        rule: Rule | None,
        wanted: int,
        done: int,
        linked: int,
        most: int,
        now: int,
        until: int,
    ) -> Wave:
        """Write a wave down, with its verdict; everything of its kind that is deferred belongs to it."""
        wave = Wave(new_id(), lease.job_id, cycle_id, kind, rule, wanted, done, linked, most, now)

        async def work(tx: Tx) -> Wave:
            await keep(tx, lease, until)
            row = {name: getattr(wave, name) for name in Wave.__slots__}
            await tx.execute(SQL["insert_wave"], row)
            await tx.execute(SQL["count_in_wave"], {"id": wave.id, "job_id": lease.job_id, "kind": kind})
            if rule is not None:
                change = Modified("held", None, wave.reason)
                await _told(tx, job, activities.HOLD, SERVICE, now, change, [])
            return wave

        return await self._database.write(work)

    async def judged(self, job_id: str, limit: int) -> list[tuple[Held, Rule | None]]:
        """The next objects whose wave was judged, and to which the verdict has not come."""

        async def work(tx: Tx) -> list[tuple[Held, Rule | None]]:
            rows = await tx.fetch_all(SQL["judged"], {"job_id": job_id, "limit": limit})
            return [(_held(row[:12]), row[12]) for row in rows]

        return await self._database.read(work)

    async def released_due(self, job_id: str, now: int) -> bool:
        """Is there something that was let go and has not been looked at again?"""

        async def work(tx: Tx) -> bool:
            return await tx.fetch_one(SQL["released_due"], {"job_id": job_id, "now": now}) is not None

        return await self._database.read(work)

    # Decisions

    async def decide(
        self,
        job: Job,
        decision: Decision,
        ids: Sequence[str] | None,
        *,
        actor: Actor,
        now: int,
        deletions_only: bool = False,
    ) -> list[str]:
        """Approve or reject what is held (null: all of it). A rejection can be taken back. The ids concerned."""
        states = ["held", "rejected"] if decision == "approved" and ids is not None else ["held"]

        async def work(tx: Tx) -> list[str]:
            where = {"job_id": job.id, "states": id_list(states)}
            if ids is None:
                rows = await tx.fetch_all(SQL["held_ids"], {**where, "deletions": deletions_only})
            else:
                rows = await tx.fetch_all(SQL["held_ids_of"], {**where, "ids": id_list(ids)})
            found = [row[0] for row in rows]
            if not found:
                return []
            at = {"job_id": job.id, "now": now}
            listed = {"job_id": job.id, "ids": id_list(found)}
            params = {**at, "ids": id_list(found), "state": decision, "actor": actor.subject}
            await tx.execute(SQL["decide_held"], params)
            if decision == "approved":
                await tx.execute_many(
                    SQL["wake_slots"], [{**at, "source_id": row[0], "object_type": row[1]} for row in rows]
                )
                await tx.execute(SQL["wake_pairs"], {**at, "far": FAR, "ids": id_list(found)})
            else:
                await tx.execute(SQL["drop_slots"], {**listed, "far": FAR})
            activity = activities.APPROVE_HELD if decision == "approved" else activities.REJECT_HELD
            await _told(tx, job, activity, actor, now, Modified("held", f"{len(found)} objects", decision), found)
            return found

        return await self._database.write(work)


async def record(tx: Tx, job_id: str, notes: GuardNotes, now: int) -> None:
    """Part of a batch's commit, after its slots."""
    at = {"job_id": job_id, "now": now}
    await tx.execute_many(SQL["save_held"], [{**at, **_row(held)} for _, held in notes.deferred])
    await tx.execute_many(SQL["defer_slot"], [{"job_id": job_id, **_slot(slot)} for slot, _ in notes.deferred])
    await tx.execute_many(
        SQL["hold_slot"], [{"job_id": job_id, "far": FAR, "error": why, **_slot(slot)} for slot, why in notes.kept]
    )
    for why in sorted(set(notes.held.values())):
        ids = id_list(id_ for id_, reason in notes.held.items() if reason == why)
        await tx.execute(SQL["set_held_state"], {"job_id": job_id, "state": "held", "ids": ids})
        await tx.execute(SQL["hold_slots"], {"job_id": job_id, "far": FAR, "error": why, "ids": ids})
    if notes.released:
        ids = id_list(notes.released)
        await tx.execute(SQL["set_held_state"], {"job_id": job_id, "state": "released", "ids": ids})
        await tx.execute(SQL["release_slots"], {**at, "ids": ids})
    if notes.dropped:
        ids = id_list(notes.dropped)
        await tx.execute(SQL["drop_held"], {"job_id": job_id, "ids": ids})
        await tx.execute(SQL["wake_pairs"], {**at, "far": FAR, "ids": ids})
    if notes.deprovisioned:
        await tx.execute_many(SQL["save_deprovision"], [{**at, "source_id": id_} for id_ in notes.deprovisioned])
        await tx.execute(SQL["forget_deprovisions_before"], {"job_id": job_id, "since": now - WINDOW_MS})
    await tx.execute_many(
        SQL["hold_pair"],
        [{"job_id": job_id, "far": FAR, "group_id": p.group_id, "member_id": p.member_id} for p in notes.pairs],
    )


async def _count(tx: Tx, name: str, params: Mapping[str, Any]) -> int:
    row = await tx.fetch_one(SQL[name], params)
    return int(row[0]) if row else 0


async def _told(
    tx: Tx, job: Job, activity: Activity, actor: Actor, now: int, change: Modified, ids: Sequence[str]
) -> None:
    """In the audit log, with the decision itself; of many objects the first are named."""
    details = {"objects": ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")}
    target = Target("Job", job.id, job.display_name, (change,))
    entry = NewEntry(activity, actor, (target,), details=details if ids else {})
    await record_audit(tx, tenant(job.tenant_id), [entry], at=now)


def _slot(slot: Pending) -> dict[str, Any]:
    return {"source_id": slot.source_id, "seq": slot.seq}


def _row(held: Held) -> dict[str, Any]:
    return {
        "source_id": held.source_id,
        "object_type": held.kind,
        "action": held.action,
        "state": held.state,
        "schema_version": held.schema_version,
        "name": held.name,
        "target_id": held.target_id,
        "changes": msgspec.json.encode(held.changes).decode(),
    }


def _held(row: Row) -> Held:
    source_id, kind, action, state, wave_id, version, name, target_id, changes, at, decided_by, decided_at = row
    found: Kind = kind
    wish: Wish = action
    return Held(
        source_id,
        found,
        wish,
        state,
        wave_id,
        version,
        name,
        target_id,
        msgspec.json.decode(changes),
        at,
        decided_by,
        decided_at,
    )
