"""Step acknowledge: what one batch has learnt goes down in one unit of work, on a lease that still holds.

Links, outcomes, log entries, cleared slots and what follows from them: so a crash repeats a batch whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from provisor.provisioning.decisions import store as decisions
from provisor.provisioning.decisions.model import Decision
from provisor.provisioning.flights.store import land
from provisor.provisioning.guarding import store as guarding
from provisor.provisioning.learning import store as learning
from provisor.provisioning.learning.model import Learnt
from provisor.provisioning.leases.store import Lease, keep
from provisor.provisioning.log import store as log
from provisor.provisioning.log.blocks import Lines
from provisor.provisioning.model import Action, Kind, Link, Pending, PendingMember, Retry, name_key
from provisor.provisioning.nesting import store as nesting
from provisor.provisioning.rechecking import store as rechecking
from provisor.storage.database import Database, Tx
from provisor.storage.queries import Query, id_list, named_queries

SQL = named_queries("provisor.provisioning")
# Thresholds look at a window of time by slices of ten minutes.
_SLICE_MS = 600_000
_KEPT_SLICES = 2 * 24 * 6
_SUCCESSES = (Action.CREATED, Action.UPDATED, Action.DISABLED, Action.DELETED)


@dataclass(slots=True)
class Batch:
    """What one batch of a cycle has learnt, until it is written."""

    # Ids of the objects that were looked at. They are counted apart from the outcomes, and must agree with them.
    considered: list[str] = field(default_factory=list)
    outcomes: list[tuple[str, Kind, Action, str | None]] = field(default_factory=list)
    # By source id: what is known of an object last is what holds.
    links: dict[str, Link] = field(default_factory=dict)
    # Objects that are in the target since this batch: references to them, and theirs, can be written now.
    arrived: list[tuple[str, Kind]] = field(default_factory=list)
    # No longer in the target, or no longer ours: the link goes, and its memberships with it.
    dropped: list[str] = field(default_factory=list)
    # The same of the former link of an object that is linked anew in this batch.
    unlinked: list[str] = field(default_factory=list)
    # The target does not have what these are linked to: judged at the end of the cycle.
    vanished: list[tuple[str, Kind]] = field(default_factory=list)
    # What a person has to decide, and objects of which nothing is to be decided any more.
    undecided: list[Decision] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    not_urgent: list[str] = field(default_factory=list)
    # The same, and not looked at: the leavers' lane has left them to the cycle.
    put_back: list[str] = field(default_factory=list)
    cleared: list[Pending] = field(default_factory=list)
    to_reference: list[Pending] = field(default_factory=list)
    postponed: list[tuple[Pending, Retry, str, str]] = field(default_factory=list)
    remarked: list[tuple[str, Kind]] = field(default_factory=list)
    intents_done: list[str] = field(default_factory=list)
    log: Lines = field(default_factory=Lines)
    # What the target was seen to refuse, whatever its profile says.
    learnt: set[Learnt] = field(default_factory=set)
    pairs_cleared: list[PendingMember] = field(default_factory=list)
    pairs_postponed: list[tuple[PendingMember, Retry]] = field(default_factory=list)
    joined: list[PendingMember] = field(default_factory=list)
    # Changes that were sent, and of which nobody knows whether they arrived.
    doubted: list[PendingMember] = field(default_factory=list)
    left: list[PendingMember] = field(default_factory=list)
    # Objects whose references changed: unchanged becomes updated.
    touched: list[tuple[str, Kind]] = field(default_factory=list)
    # What the guards keep back, and what their window counts.
    guard: guarding.GuardNotes = field(default_factory=guarding.GuardNotes)
    # What a restart has asked to be read in the target, and was.
    rechecked: rechecking.Rechecked = field(default_factory=rechecking.Rechecked)


class RecordStore:
    """Writes batches down. Raises ``LeaseLost``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self,
        lease: Lease,
        cycle_id: str,
        batch: Batch,
        *,
        flight: str,
        nested: bool,
        tenant_id: str,
        common: Mapping[str, Any],
        now: int,
        until: int,
    ) -> None:
        """Write down what a batch has learnt, and what follows from it, in one commit. ``flight``: what its flight is
        kept under; ``nested``: groups inside groups count; ``common``: what all its entries of the log share
        (``Writer.common``)."""

        async def work(tx: Tx) -> None:
            await keep(tx, lease, until)
            await _record_links(tx, lease.job_id, batch, tenant_id, now)
            await _record_slots(tx, lease.job_id, batch, now)
            await _record_followers(tx, lease.job_id, batch, tenant_id, now, nested=nested)
            await rechecking.record(tx, lease.job_id, batch.rechecked, now)
            await _record_pairs(tx, lease.job_id, batch)
            await _record_decisions(tx, lease.job_id, batch, now)
            await land(tx, lease.job_id, flight)
            await guarding.record(tx, lease.job_id, batch.guard, now)
            await _record_outcomes(tx, cycle_id, batch)
            await log.save(tx, batch.log, common, tenant_id=tenant_id, job_id=lease.job_id, cycle_id=cycle_id, at=now)
            await learning.save(tx, lease.job_id, batch.learnt, now)
            await _count_slice(tx, lease.job_id, batch, now)

        await self._database.write(work)


async def _record_links(tx: Tx, job_id: str, batch: Batch, tenant_id: str, now: int) -> None:
    # What a batch has found and then removed leaves no link.
    dropped = set(batch.dropped)
    if batch.dropped or batch.unlinked:
        ids = {"job_id": job_id, "ids": id_list([*batch.dropped, *batch.unlinked])}
        await tx.execute(SQL["drop_links"], ids)
        await tx.execute(SQL["drop_group_memberships"], ids)
        await tx.execute(SQL["drop_memberships_of"], ids)
    await tx.execute_many(
        SQL["save_link"],
        [
            {
                "job_id": job_id,
                "source_id": link.source_id,
                "object_type": link.kind,
                "target_id": link.target_id,
                "state": link.state,
                "acknowledged": _json(link.acknowledged),
                "display_name": link.display_name,
                "name_key": name_key(link.source_id, link.display_name),
                "now": now,
                "successor_id": link.successor_id,
            }
            for link in batch.links.values()
            if link.source_id not in dropped
        ],
    )
    if batch.intents_done:
        await tx.execute(SQL["forget_intents"], {"job_id": job_id, "ids": id_list(batch.intents_done)})


async def _record_slots(tx: Tx, job_id: str, batch: Batch, now: int) -> None:
    def slot(pending: Pending) -> dict[str, Any]:
        return {"job_id": job_id, "source_id": pending.source_id, "seq": pending.seq}

    await tx.execute_many(SQL["clear"], [slot(pending) for pending in batch.cleared])
    await tx.execute_many(SQL["to_reference"], [{**slot(pending), "now": now} for pending in batch.to_reference])
    await tx.execute_many(
        SQL["postpone"],
        [
            {
                **slot(pending),
                "due_at": retry.due_at,
                "attempts": retry.attempts,
                "failed_first_at": retry.failed_first_at,
                "error_code": code,
                "error": message,
            }
            for pending, retry, code, message in batch.postponed
        ],
    )
    await tx.execute_many(
        SQL["mark"],
        [
            {"job_id": job_id, "source_id": id_, "object_type": kind, "now": now, "gone": False}
            for id_, kind in batch.remarked
        ],
    )
    await tx.execute_many(
        SQL["mark_vanished"],
        [{"job_id": job_id, "source_id": id_, "object_type": kind, "now": now} for id_, kind in batch.vanished],
    )
    if calm := [*batch.not_urgent, *batch.put_back]:
        await tx.execute(SQL["not_urgent"], {"job_id": job_id, "ids": id_list(calm)})


async def _record_followers(tx: Tx, job_id: str, batch: Batch, tenant_id: str, now: int, *, nested: bool) -> None:
    at = {"job_id": job_id, "tenant_id": tenant_id, "now": now}
    users = [id_ for id_, kind in batch.arrived if kind == "User"]
    groups = [id_ for id_, kind in batch.arrived if kind == "Group"]
    if users:
        await tx.execute(SQL["mark_reports"], {**at, "ids": id_list(users)})
    if groups:
        mark = nesting.SQL["pairs_of_groups"] if nested else SQL["mark_pairs_of_groups"]
        await tx.execute(mark, {**at, "ids": id_list(groups)})
    if users or groups:
        mark = nesting.SQL["pairs_of_members"] if nested else SQL["mark_pairs_of_members"]
        await tx.execute(mark, {**at, "ids": id_list(users + groups)})


async def _record_pairs(tx: Tx, job_id: str, batch: Batch) -> None:
    def pair(slot: PendingMember) -> dict[str, Any]:
        return {"job_id": job_id, "group_id": slot.group_id, "member_id": slot.member_id}

    # A statement a group, not a member: groups of thousands are written like groups of one.
    await _of_groups(tx, SQL["save_memberships"], job_id, batch.joined)
    await _of_groups(tx, SQL["drop_memberships"], job_id, batch.left)
    known = {*batch.joined, *batch.left}
    doubted = [slot for slot in batch.doubted if slot not in known]
    await tx.execute_many(SQL["doubt_membership"], [pair(slot) for slot in doubted])
    if batch.joined or doubted:
        members = {slot.member_id for slot in (*batch.joined, *doubted)}
        await tx.execute(SQL["forget_strays"], {"job_id": job_id, "ids": id_list(sorted(members))})
    await _of_groups(tx, SQL["clear_pairs"], job_id, batch.pairs_cleared)
    await tx.execute_many(
        SQL["postpone_pair"],
        [
            {
                **pair(slot),
                "due_at": retry.due_at,
                "attempts": retry.attempts,
                "failed_first_at": retry.failed_first_at,
            }
            for slot, retry in batch.pairs_postponed
        ],
    )


async def _of_groups(tx: Tx, query: Query, job_id: str, slots: Sequence[PendingMember]) -> None:
    members: dict[str, list[str]] = {}
    for slot in slots:
        members.setdefault(slot.group_id, []).append(slot.member_id)
    for group_id, ids in members.items():
        await tx.execute(query, {"job_id": job_id, "group_id": group_id, "ids": id_list(dict.fromkeys(ids))})


async def _record_decisions(tx: Tx, job_id: str, batch: Batch, now: int) -> None:
    if batch.decided:
        await decisions.drop(tx, job_id, batch.decided)
    if batch.undecided:
        await decisions.put(tx, job_id, batch.undecided, now)


async def _record_outcomes(tx: Tx, cycle_id: str, batch: Batch) -> None:
    rows = [
        {"cycle_id": cycle_id, "source_id": id_, "object_type": kind, "action": str(action), "reason": reason}
        for id_, kind, action, reason in batch.outcomes
    ]
    touched = dict(batch.touched)
    ids = {*batch.considered, *touched}
    found = await tx.fetch_all(SQL["outcomes_of"], {"cycle_id": cycle_id, "ids": id_list(sorted(ids))}) if ids else []
    known = {row[0]: row[1] for row in found}
    # An object may come twice in one cycle (a restart makes what had failed due again): it counts once.
    considered = len(ids - known.keys())
    for id_, kind in touched.items():
        if known.get(id_, Action.UNCHANGED) == Action.UNCHANGED:
            rows.append(
                {
                    "cycle_id": cycle_id,
                    "source_id": id_,
                    "object_type": kind,
                    "action": str(Action.UPDATED),
                    "reason": None,
                }
            )
    await tx.execute_many(SQL["save_outcome"], rows)
    if considered:
        await tx.execute(SQL["count_considered"], {"id": cycle_id, "n": considered})


def slice_of(moment: int) -> int:
    """The slice of time that a moment, ms UTC, falls into."""
    return moment // _SLICE_MS


async def _count_slice(tx: Tx, job_id: str, batch: Batch, now: int) -> None:
    actions = [(action, reason) for _, _, action, reason in batch.outcomes]
    counted = {
        "considered": len(batch.considered),
        "succeeded": sum(action in _SUCCESSES for action, _ in actions),
        "failed": sum(action is Action.FAILED for action, _ in actions),
        "vanished": len(batch.vanished),
    }
    if any(counted.values()):
        present = slice_of(now)
        await tx.execute(SQL["count_slice"], {"job_id": job_id, "slice": present, **counted})
        await tx.execute(SQL["forget_slices"], {"job_id": job_id, "slice": present - _KEPT_SLICES})


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
