"""The service's own persistence: jobs' states, cycles, the queue's claims, links, the journal, the log.

What a batch has learnt is written by ``recording/store.py``, what it is to look at by ``importing/store.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from provisor.ids import new_id
from provisor.provisioning.flights.store import Flight, take_off
from provisor.provisioning.guarding import store as guarding
from provisor.provisioning.learning import store as learning
from provisor.provisioning.leases.store import Lease, keep
from provisor.provisioning.log import store as step_log
from provisor.provisioning.log.model import Entry, LogFilter
from provisor.provisioning.lookups.store import Lookups, link_of
from provisor.provisioning.model import (
    Action,
    Counts,
    Cycle,
    Intent,
    Kind,
    Landmarks,
    Link,
    Pending,
    PendingMember,
    name_key,
)
from provisor.provisioning.nesting import store as nesting
from provisor.provisioning.states.store import JobStates
from provisor.provisioning.telling.store import Watched
from provisor.storage.database import Row, Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning")
_KEYS = tuple[tuple[str, str], ...]
_ALL_OF_A_JOB = (
    "forget_outcomes",
    "forget_cycles",
    "forget_intents_of_job",
    "forget_pending",
    "forget_pending_members",
    "all_links_gone",
    "all_memberships_gone",
    "forget_flights",
    "forget_decisions",
    "forget_window",
    "forget_lease",
    "forget_state",
    "forget_rechecks",
    "forget_plan_entries",
    "forget_plan_pairs",
    "forget_plan_targets",
    "forget_plans",
)


class Pair(msgspec.Struct, frozen=True):
    """A membership with both of its sides, as ``claim_pairs`` reads it."""

    slot: PendingMember
    wanted: bool
    acknowledged: bool
    group_target: str | None
    group_name: str
    member_target: str | None
    member_state: str | None
    member_name: str
    # A change of it was sent and its answer was lost: the target may or may not have it.
    doubtful: bool = False


class ProvisioningStore(JobStates, Lookups):
    """The tables of ``storage/tables/provisioning.py``. Raises ``LeaseLost`` from whatever is written on a lease."""

    # Jobs

    async def forget(self, job_id: str) -> None:
        """Nothing of a job that was removed stays."""

        async def work(tx: Tx) -> None:
            await step_log.forget(tx, job_id)
            for name in _ALL_OF_A_JOB:
                await tx.execute(SQL[name], {"job_id": job_id})
            for name in guarding.FORGET:
                await tx.execute(guarding.SQL[name], {"job_id": job_id})
            await tx.execute(learning.SQL["forget"], {"job_id": job_id})

        await self._database.write(work)

    # Cycles

    async def begin_cycle(
        self, lease: Lease, *, kind: str, watermark: int, schema_version: int, scope_version: int, now: int
    ) -> str:
        """A new cycle, in phase ``import``; its id."""
        cycle_id = new_id()

        async def work(tx: Tx) -> str:
            await tx.execute(
                SQL["insert_cycle"],
                {
                    "id": cycle_id,
                    "job_id": lease.job_id,
                    "kind": kind,
                    "watermark": watermark,
                    "schema_version": schema_version,
                    "scope_version": scope_version,
                    "now": now,
                    "phase": "import",
                    "lane": "main",
                },
            )
            await tx.execute(SQL["set_running"], {"cycle_id": cycle_id, "job_id": lease.job_id, "now": now})
            return cycle_id

        return await self._database.write(work)

    async def cycle(self, cycle_id: str) -> Cycle | None:
        """One cycle, or ``None``."""

        async def work(tx: Tx) -> Cycle | None:
            row = await tx.fetch_one(SQL["cycle"], {"id": cycle_id})
            return _cycle(row) if row else None

        return await self._database.read(work)

    async def cycles(self, job_id: str, limit: int, *, lane: str | None = "main") -> list[Cycle]:
        """A job's latest cycles, newest first; of the leavers' lane too when ``lane`` is null."""

        async def work(tx: Tx) -> list[Cycle]:
            rows = await tx.fetch_all(SQL["cycles"], {"job_id": job_id, "limit": limit, "lane": lane})
            return [_cycle(row) for row in rows]

        return await self._database.read(work)

    async def landmarks(self, job_id: str) -> Landmarks:
        """The cycles that a job's status tells of."""

        async def work(tx: Tx) -> Landmarks:
            found: dict[str, Cycle | None] = {}
            for name in ("newest", "last", "last_good", "last_with_exports", "first_good"):
                row = await tx.fetch_one(SQL[f"{name}_cycle"], {"job_id": job_id})
                found[name] = _cycle(row) if row else None
            failures = await tx.fetch_one(SQL["failed_in_a_row"], {"job_id": job_id})
            return Landmarks(**found, failures=failures[0] if failures else 0)

        return await self._database.read(work)

    async def set_phase(self, lease: Lease, cycle_id: str, phase: str, *, cursor: str | None, until: int) -> None:
        """How far the cycle is."""

        async def work(tx: Tx) -> None:
            await keep(tx, lease, until)
            await tx.execute(SQL["set_phase"], {"id": cycle_id, "phase": phase, "cursor": cursor})

        await self._database.write(work)

    async def counts(self, cycle: Cycle) -> Counts:
        """The balance of a cycle so far."""

        async def work(tx: Tx) -> Counts:
            row = await tx.fetch_one(SQL["cycle"], {"id": cycle.id})
            rows = await tx.fetch_all(SQL["balance"], {"cycle_id": cycle.id})
            return _counts(row[8] if row else 0, rows)

        return await self._database.read(work, long=True)

    async def end_cycle(
        self,
        lease: Lease,
        cycle: Cycle,
        *,
        now: int,
        counts: Counts,
        next_run_at: int | None,
        error: Mapping[str, Any] | None = None,
        code: str = "Active",
        not_before: int | None = None,
        quarantine: Mapping[str, Any] | None = None,
    ) -> None:
        """The cycle succeeded, or was broken off with ``error``; the job's state goes with it. One that succeeded may
        still mean a ``quarantine``, when too many objects failed."""

        async def work(tx: Tx) -> None:
            await keep(tx, lease, now)
            watched = await Watched.before(tx, cycle.job_id)
            await tx.execute(
                SQL["end_cycle"],
                {
                    "id": cycle.id,
                    "state": "Failed" if error else "Succeeded",
                    "now": now,
                    "counts": _json(counts.as_dict()),
                    "error": _json(error) if error else None,
                },
            )
            job = {"job_id": cycle.job_id, "now": now, "next_run_at": next_run_at}
            if not error:
                versions = {"schema_version": cycle.schema_version, "scope_version": cycle.scope_version}
                await tx.execute(SQL["finish_job"], {**job, **versions})
            if error or quarantine:
                story = _json(quarantine) if quarantine else None
                params = {**job, "code": code, "not_before": not_before, "quarantine": story}
                await tx.execute(SQL["fail_job"], params)
            await watched.after(tx, at=now)

        await self._database.write(work)

    async def begin_lane(self, lease: Lease, beside: Cycle, *, now: int, until: int) -> Cycle:
        """A cycle of the leavers' lane, beside the one that runs. What a crash left of an earlier one is closed."""
        cycle = replace(
            beside, id=new_id(), kind="Incremental", phase="leavers", lane="leavers", considered=0, began_at=now
        )

        async def work(tx: Tx) -> None:
            await keep(tx, lease, until)
            await tx.execute(SQL["close_lanes"], {"job_id": lease.job_id, "now": now})
            await tx.execute(
                SQL["insert_cycle"],
                {
                    "id": cycle.id,
                    "job_id": lease.job_id,
                    "kind": cycle.kind,
                    "phase": cycle.phase,
                    "watermark": cycle.watermark,
                    "schema_version": cycle.schema_version,
                    "scope_version": cycle.scope_version,
                    "now": now,
                    "lane": cycle.lane,
                },
            )

        await self._database.write(work)
        return cycle

    async def end_lane(self, cycle: Cycle, *, now: int, counts: Counts) -> None:
        """It has done what was due."""
        error = None if counts.balanced else {"code": "InternalError", "message": "The counts do not add up."}

        async def work(tx: Tx) -> None:
            params = {"id": cycle.id, "now": now, "counts": _json(counts.as_dict())}
            state = "Failed" if error else "Succeeded"
            await tx.execute(SQL["end_cycle"], {**params, "state": state, "error": _json(error) if error else None})

        await self._database.write(work)

    async def cut_cycle(self, lease: Lease, cycle: Cycle, *, now: int, counts: Counts) -> None:
        """The job is to stop: the cycle ends for now, in its place. Nothing happens if it was started meanwhile."""

        async def work(tx: Tx) -> None:
            await keep(tx, lease, now)
            if not await tx.execute(SQL["still_stopped"], {"job_id": cycle.job_id, "now": now}):
                return
            params = {"id": cycle.id, "now": now, "counts": _json(counts.as_dict())}
            await tx.execute(SQL["cut_cycle"], params)

        await self._database.write(work)

    async def mark(self, job_id: str, source_id: str, kind: Kind, now: int) -> None:
        """One object is to be looked at."""

        async def work(tx: Tx) -> None:
            params = {"job_id": job_id, "now": now, "source_id": source_id, "object_type": kind, "gone": False}
            await tx.execute(SQL["mark"], params)

        await self._database.write(work)

    # Batches

    async def claim(
        self, job_id: str, stage: str, kind: Kind, *, now: int, limit: int, after: Pending | None = None
    ) -> list[Pending]:
        """The next objects of a stage, in the order of the queue; ``after``: behind this one."""

        async def work(tx: Tx) -> list[Pending]:
            params = {
                "job_id": job_id,
                "stage": stage,
                "object_type": kind,
                "now": now,
                "limit": limit,
                "after_due": after.due_at if after is not None else -1,
                "after_id": after.source_id if after is not None else "",
            }
            return [_pending(row) for row in await tx.fetch_all(SQL["claim"], params)]

        return await self._database.read(work)

    async def claim_urgent(self, job_id: str, kind: Kind, *, now: int, limit: int) -> list[Pending]:
        """The next objects that may have to lose access."""

        async def work(tx: Tx) -> list[Pending]:
            params = {"job_id": job_id, "object_type": kind, "now": now, "limit": limit}
            return [_pending(row) for row in await tx.fetch_all(SQL["claim_urgent"], params)]

        return await self._database.read(work)

    async def put_back_vanished(self, lease: Lease, *, now: int, until: int) -> None:
        """What the target seemed to have lost is taken for linked after all."""

        async def work(tx: Tx) -> None:
            await keep(tx, lease, until)
            await tx.execute(SQL["put_back_vanished"], {"job_id": lease.job_id, "now": now})

        await self._database.write(work)

    async def claim_pairs(
        self,
        job_id: str,
        tenant_id: str,
        *,
        now: int,
        limit: int,
        after: tuple[str, str] | None = None,
        nested: bool = False,
    ) -> list[Pair]:
        """The next memberships, in the order of group and member, ``after`` those of one claimed before; ``nested``:
        who is in a group inside a group is in the outer one."""
        query = nesting.SQL["claim_pairs"] if nested else SQL["claim_pairs"]

        async def work(tx: Tx) -> list[Pair]:
            group_id, member_id = after or ("", "")
            params = {
                "job_id": job_id,
                "tenant_id": tenant_id,
                "now": now,
                "limit": limit,
                "after_group": group_id,
                "after_member": member_id,
            }
            (due,) = await tx.fetch_one(SQL["pairs_due"], {**params, "limit": limit + 1}) or (0,)
            params["many"] = due > limit
            return [
                Pair(
                    PendingMember(*row[:4]),
                    bool(row[4]),
                    bool(row[5]),
                    row[6],
                    row[7] or "",
                    row[8],
                    row[9],
                    row[10] or "",
                    bool(row[11]),
                )
                for row in await tx.fetch_all(query, params)
            ]

        return await self._database.read(work)

    async def links(self, job_id: str, source_ids: Sequence[str]) -> dict[str, Link]:
        """The links of these objects by source id."""

        async def work(tx: Tx) -> dict[str, Link]:
            rows = await tx.fetch_all(SQL["links"], {"job_id": job_id, "ids": id_list(source_ids)})
            return {row[0]: link_of(row) for row in rows}

        return await self._database.read(work)

    async def take_over(
        self, lease: Lease, tenant_id: str, names: Mapping[str, str], *, now: int, until: int
    ) -> dict[str, str]:
        """Give the accounts of people who are gone to those who were created anew under their names.

        ``names``: source id -> user principal name of people without a link. Old id of those that were handed over.
        A name that several gone people had is left to the matching. Raises ``LeaseLost``.
        """
        wanted = {name_key(id_, name): id_ for id_, name in names.items()}
        params = {"job_id": lease.job_id, "tenant_id": tenant_id, "ids": id_list(wanted)}
        if not await self._database.read(lambda tx: tx.fetch_all(SQL["predecessors"], params)):
            # Mostly there is none, and then there is nothing to write.
            return {}

        async def work(tx: Tx) -> dict[str, str]:
            await keep(tx, lease, until)
            found = await tx.fetch_all(SQL["predecessors"], params)
            times = Counter(row[0] for row in found)
            handed = {wanted[key]: old_id for key, old_id in found if times[key] == 1}
            for heir, predecessor in handed.items():
                pair = {"job_id": lease.job_id, "new_id": heir, "old_id": predecessor}
                await tx.execute(SQL["hand_over_link"], pair)
                await tx.execute(SQL["hand_over_memberships"], pair)
                await tx.execute(SQL["mark_handed_over_pairs"], {"job_id": lease.job_id, "new_id": heir, "now": now})
            return handed

        return await self._database.write(work)

    async def intents(self, job_id: str, source_ids: Sequence[str]) -> dict[str, Intent]:
        """Source id -> a create whose answer was never recorded."""

        async def work(tx: Tx) -> dict[str, Intent]:
            rows = await tx.fetch_all(SQL["intents"], {"job_id": job_id, "ids": id_list(source_ids)})
            return {row[0]: Intent(row[1], msgspec.json.decode(row[2], type=_KEYS)) for row in rows}

        return await self._database.read(work)

    async def journal(
        self,
        lease: Lease,
        cycle_id: str,
        kind: Kind,
        creates: Mapping[str, Sequence[tuple[str, str]]],
        flight: Flight,
        *,
        lane: str,
        now: int,
        until: int,
    ) -> None:
        """Before a batch leaves: its creates, source id -> what the new object will be found by, and its changes."""

        async def work(tx: Tx) -> None:
            await keep(tx, lease, until)
            row = {"job_id": lease.job_id, "object_type": kind, "cycle_id": cycle_id, "now": now}
            await tx.execute_many(
                SQL["journal"], [{**row, "source_id": id_, "keys": _json(keys)} for id_, keys in creates.items()]
            )
            await take_off(tx, lease.job_id, lane, flight)

        await self._database.write(work)

    async def log(self, job_id: str, wanted: LogFilter, limit: int) -> list[Entry]:
        """Entries of a job's provisioning log, newest first."""
        return await self._database.read(lambda tx: step_log.latest_of_job(tx, job_id, wanted, limit), long=True)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _loaded(text: str | None) -> Any:
    return msgspec.json.decode(text) if text else None


def _pending(row: Row) -> Pending:
    source_id, kind, seq, attempts, first, gone, urgent, correlation, due_at = row
    return Pending(source_id, kind, seq, attempts, first, bool(gone), bool(urgent), correlation, due_at)


def _cycle(row: Row) -> Cycle:
    id_, job_id, kind, state, phase, cursor, watermark, version, considered, began_at, *rest = row
    ended_at, counts, error, lane, scope_version = rest
    return Cycle(
        id=id_,
        job_id=job_id,
        kind=kind,
        state=state,
        phase=phase,
        cursor=cursor,
        watermark=watermark,
        schema_version=version,
        considered=considered,
        began_at=began_at,
        ended_at=ended_at,
        counts=_loaded(counts),
        error=_loaded(error),
        lane=lane,
        scope_version=scope_version,
    )


def _counts(considered: int, rows: Sequence[Row]) -> Counts:
    actions: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for action, reason, n in rows:
        actions[action] += n
        if action == Action.SKIPPED:
            skipped[reason or "EntrySynchronizationSkipped"] += n
        elif action == Action.FAILED:
            failed[reason or "InternalError"] += n
    return Counts(considered=considered, **actions, skipped_by_reason=dict(skipped), failed_by_code=dict(failed))
