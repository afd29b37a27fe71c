"""Plans, applying one: each entry is foreseen again, and sent only if that comes to the very same.

Its books are a cycle of its own, which the job's state knows nothing of, so that a job that is off stays off. What was
done is known by the outcomes of that cycle: an application that was cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provisor.provisioning import objects, references
from provisor.provisioning.faults import CycleBroken
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Kind, Link, Pending, Source, manager_in_target
from provisor.provisioning.notes import Item
from provisor.provisioning.ondemand.store import SubjectStore
from provisor.provisioning.planning.foreseeing import stale, volatile_paths
from provisor.provisioning.planning.model import PlanEntry, StoredPlan
from provisor.provisioning.planning.planner import entries_of, foresee
from provisor.provisioning.planning.store import PlanStore
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.run import Run
from provisor.provisioning.sending import Sender
from provisor.provisioning.store import Pair

PAGE = 200
PAIRS = 2_000


class Applier:
    """Carries out one plan, on a lease."""

    def __init__(self, store: PlanStore, subjects: SubjectStore, run: Run, plan: StoredPlan) -> None:
        self._store = store
        self._subjects = subjects
        self._run = run
        self._plan = plan
        self._cycle_id = run.cycle.id

    async def deprovisions(self) -> int:
        """How many of the plan's objects would be disabled or deleted as things are now. Nothing is sent."""
        count = 0
        for kind, mappings in self._run.mappings.items():
            after = ""
            while page := await self._store.to_apply(self._plan.id, kind, after, PAGE):
                after = page[-1].source_id
                linked = [entry.source_id for entry in page if entry.action in ("update", "disable", "delete")]
                done = await self._store.dealt_with(self._cycle_id, linked) if linked else set[str]()
                entries = await foresee(self._run, kind, mappings, linked, None) if linked else []
                count += sum(1 for one in entries if one.action in ("disable", "delete")) + _done(page, done)
        return count

    async def apply(self) -> None:
        """Users, groups, managers, members, as a cycle has them. Raises ``CycleBroken``, ``LeaseLost``."""
        for kind, mappings in self._run.mappings.items():
            await self._objects(kind, mappings)
        await self._managers()
        await self._members()

    async def _objects(self, kind: Kind, mappings: Mappings) -> None:
        after = ""
        while page := await self._store.to_apply(self._plan.id, kind, after, PAGE):
            after = page[-1].source_id
            done = await self._store.dealt_with(self._cycle_id, [entry.source_id for entry in page])
            # Where members or the manager alone change, the object itself is in order.
            open_ = [one for one in page if one.source_id not in done and one.left_out is None]
            left = [one for one in open_ if one.digest not in ("members", "manager")]
            if left:
                await self._batch(kind, mappings, left)

    async def _batch(self, kind: Kind, mappings: Mappings, entries: Sequence[PlanEntry]) -> None:
        run = self._run
        slots = [
            await self._subjects.slot(run.job.id, one.source_id) or Pending(one.source_id, kind, 0, 0, None)
            for one in entries
        ]
        items = await objects.load(run, kind, slots, mappings, take_over=False)
        await objects.know_managers(run, kind, items)
        seen = Batch()
        sender = Sender(run, kind, mappings, seen, None)
        await sender.prepare(items)
        if run.broken is not None:
            raise CycleBroken(run.broken)
        manager = mappings.reference("manager") if kind == "User" else None
        now = {one.source_id: one for one in entries_of(items, sender, seen, manager)}
        volatile = volatile_paths(mappings)
        changed = {one.source_id: why for one in entries if (why := stale(one, now.get(one.source_id), volatile))}
        await self._store.leave_out(self._plan.id, changed)
        await self._send(kind, mappings, [item for item in items if item.source.id not in changed])

    async def _send(self, kind: Kind, mappings: Mappings, items: Sequence[Item]) -> None:
        """What is settled already (a manager alone) is no business of this step."""
        batch = Batch()
        sender = Sender(self._run, kind, mappings, batch, None)
        todo = [item for item in items if not item.settled]
        await sender.send(todo)
        self._run.gate.close(todo, batch)
        batch.considered = [item.source.id for item in todo if item.settled]
        await self._run.record(batch)

    async def _managers(self) -> None:
        mappings = self._run.mappings.get("User")
        path = mappings.reference("manager") if mappings else None
        after = ""
        while path is not None and (page := await self._store.managers(self._plan.id, after, PAGE)):
            after = page[-1][0]
            await self._write_managers(path, dict(page))

    async def _write_managers(self, path: str, wanted: Mapping[str, str]) -> None:
        run = self._run
        links = await run.store.links(run.job.id, sorted({*wanted, *(id_ for id_ in wanted.values() if id_)}))
        users = await run.directory.users_by_id(run.actor, run.job.tenant_id, list(wanted))
        changed = {
            id_: "Its manager has changed since."
            for id_, manager_id in wanted.items()
            if id_ in users and manager_id and users[id_].manager_id != manager_id
        }
        await self._store.leave_out(self._plan.id, changed)
        batch = Batch()

        async def write(link: Link) -> None:
            user = users.get(link.source_id)
            target_id = manager_in_target(links.get(wanted[link.source_id]), link.acknowledged.get(path))
            if user is not None and (target_id is not None or not wanted[link.source_id]):
                source = Source(user.id, "User", exists=True, name=user.user_principal_name)
                slot = Pending(user.id, "User", -1, 0, None)
                await references.write_manager(run, batch, slot, source, link, path, target_id)

        todo = [links[id_] for id_ in wanted if id_ in links and id_ not in changed and links[id_].state == "linked"]
        await run.each(todo, write)
        batch.postponed.clear()
        await run.record(batch)

    async def _members(self) -> None:
        after = ("", "")
        while rows := await self._store.pairs(self._run.job, self._plan.id, after, PAIRS):
            last = rows[-1][0].slot
            after = (last.group_id, last.member_id)
            groups: dict[str, list[tuple[Pair, bool]]] = {}
            changed: dict[str, str] = {}
            for pair, joins in rows:
                if pair.acknowledged == joins or pair.group_target is None or pair.member_target is None:
                    continue  # it is so already, or one end did not come to be in the target
                if pair.wanted != joins:
                    changed[pair.slot.group_id] = "Its members have changed since."
                elif not joins or pair.member_state == "linked":
                    groups.setdefault(pair.slot.group_id, []).append((pair, joins))
            await self._store.leave_out(self._plan.id, changed)
            await self._write_members([group for id_, group in groups.items()])

    async def _write_members(self, groups: Sequence[Sequence[tuple[Pair, bool]]]) -> None:
        batch = Batch()

        async def write(group: Sequence[tuple[Pair, bool]]) -> None:
            join = [pair for pair, joins in group if joins]
            leave = [pair for pair, joins in group if not joins]
            await references.change_members(self._run, batch, join, leave)

        await self._run.each(groups, write)
        batch.pairs_postponed.clear()
        batch.remarked.clear()
        await self._run.record(batch)


def _done(page: Sequence[PlanEntry], done: set[str]) -> int:
    """Carried out before the application was cut off: they were approved, and count as they did."""
    return sum(1 for one in page if one.source_id in done and one.action in ("disable", "delete"))
