"""Plans, making one: everybody who may be concerned, in pages, through the very steps of a cycle, up to export.

pages of ids ─▶ import, scoping ─▶ matching (the target is read, never written) ─▶ processing ─▶ entries
                                                                               └─▶ memberships, set-wise
"""

from __future__ import annotations

from collections.abc import Sequence

from provisor.provisioning import objects
from provisor.provisioning.faults import CycleBroken
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Kind, Pending
from provisor.provisioning.notes import Item, Notes
from provisor.provisioning.planning.finding import TargetFinder
from provisor.provisioning.planning.foreseeing import Outcomes, entry_of
from provisor.provisioning.planning.model import PlanEntry, StoredPlan, Tally
from provisor.provisioning.planning.store import PlanStore
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.run import Run
from provisor.provisioning.sending import Sender

PAGE = 500


class PlanGate:
    """Nothing is sent, so nothing is held: what a guard keeps back is only looked up, to be shown."""

    async def screen(self, run: Run, items: Sequence[Item], notes: Notes, manager: str | None) -> None:
        rows = await run.guards.held_of(run.job.id, [item.source.id for item in items])
        for item in items:
            item.held = rows.get(item.source.id)

    async def kept(self, run: Run, member_ids: Sequence[str]) -> set[str]:
        return set()

    def close(self, items: Sequence[Item], batch: Batch) -> None:
        return None


class Planner:
    """Makes one plan. ``run`` holds no lease: nothing of the job is written."""

    def __init__(self, store: PlanStore, run: Run, plan: StoredPlan) -> None:
        self._store = store
        self._run = run
        self._plan = plan
        self._tally = Tally()

    async def make(self) -> Tally:
        """Plan everybody. Raises ``CycleBroken`` when the target says something that concerns every object."""
        for kind, mappings in self._run.mappings.items():
            await self._all_of(kind, mappings)
        users = self._run.mappings.get("User")
        if users is not None and users.reference("manager") is not None:
            arriving = await self._store.add_managers(self._plan.id, self._run.job)
            for _ in range(arriving):
                self._tally.add("update")
            self._tally.managers += arriving
            self._tally.unchanged -= arriving
        groups = self._run.mappings.get("Group")
        if groups is not None and groups.reference("members") is not None:
            joins, leaves = await self._store.add_pairs(self._plan.id, self._run.job)
            self._tally.members_added, self._tally.members_removed = joins, leaves
            await self._only_members()
        return self._tally

    async def _all_of(self, kind: Kind, mappings: Mappings) -> None:
        finder = TargetFinder(self._run, self._store, self._plan.id, kind, mappings)
        settings = self._run.job.settings
        # Who is in a group inside an assigned one is found by looking at everybody.
        everybody = settings.sync_all or settings.nested_groups
        after = ""
        while ids := await self._store.page(self._run.job, kind, after, PAGE, everybody=everybody):
            after = ids[-1]
            entries = await foresee(self._run, kind, mappings, ids, finder)
            self._count(len(ids), entries)
            await self._store.save(self._plan.id, entries)

    async def _only_members(self) -> None:
        """Groups that were unchanged but for their members are updates."""
        after = ""
        while page := await self._store.entries(
            self._plan.id, after=after, limit=PAGE, action="update", left_out_only=False
        ):
            after = page[-1].source_id
            for entry in page:
                if entry.digest == "members":
                    self._tally.add("update")
                    self._tally.unchanged -= 1

    def _count(self, considered: int, entries: Sequence[PlanEntry]) -> None:
        tally = self._tally
        tally.considered += considered
        tally.unchanged += considered - len(entries)
        for entry in entries:
            tally.add(entry.action)
            tally.held += entry.held
            tally.managers += entry.manager_id is not None
            code = (entry.reason or "").partition(":")[0]
            if entry.action == "skip":
                tally.skipped_by_reason[code] = tally.skipped_by_reason.get(code, 0) + 1
            elif entry.action in ("fail", "ambiguous"):
                tally.failed_by_code[code] = tally.failed_by_code.get(code, 0) + 1


async def foresee(
    run: Run, kind: Kind, mappings: Mappings, ids: Sequence[str], finder: TargetFinder | None
) -> list[PlanEntry]:
    """The entries of these objects; who needs nothing has none. Raises ``CycleBroken``."""
    slots = [Pending(id_, kind, 0, 0, None) for id_ in ids]
    items = await objects.load(run, kind, slots, mappings, take_over=False)
    await objects.know_managers(run, kind, items)
    batch = Batch()
    roster = await finder.roster_for(items) if finder is not None else None
    sender = Sender(run, kind, mappings, batch, roster)
    await sender.prepare(items)
    if run.broken is not None:
        raise CycleBroken(run.broken)
    manager = mappings.reference("manager") if kind == "User" else None
    return entries_of(items, sender, batch, manager)


def entries_of(items: Sequence[Item], sender: Sender, batch: Batch, manager: str | None) -> list[PlanEntry]:
    """What prepared objects come to."""
    outcomes = Outcomes.of(batch)
    entries = [entry_of(item, sender, outcomes, manager) for item in items]
    return [entry for entry in entries if entry is not None]
