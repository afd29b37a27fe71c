"""Step guard, in the cycle: between what is planned and what is sent.

    screen ─▶ (few enough) ─▶ export
       └────▶ (perhaps too many) deferred ─▶ counted, once all objects were looked at ─▶ released ─▶ export
                                                                                    └─▶ held, until somebody decides

Deferring is needed only where the objects that are ahead of the cycle could break a limit: what changes one by one
leaves at once. Everything is in rows that are written with their batch, so a crash forgets nothing and counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from provisor.connector.messages import AttributeChange
from provisor.provisioning.guarding.model import (
    GuardWatcher,
    Held,
    Limits,
    WaveKind,
    Wish,
    judge_changes,
    judge_deletions,
    limits,
)
from provisor.provisioning.guarding.store import Extent, GuardStore
from provisor.provisioning.model import Action, Delete, Source, Unchanged, Update
from provisor.provisioning.recording.store import Batch

if TYPE_CHECKING:
    from provisor.provisioning.notes import Item, Notes
    from provisor.provisioning.run import Run

PAGE = 500


class Gate(Protocol):
    """What stands between plan and export."""

    async def screen(self, run: Run, items: Sequence[Item], notes: Notes, manager: str | None) -> None:
        """Settle what is held; leave what may be sent. ``manager``: the target attribute of the manager, if mapped."""

    async def kept(self, run: Run, member_ids: Sequence[str]) -> set[str]:
        """Members whose removal from the target is held: they leave no group either."""

    def close(self, items: Sequence[Item], batch: Batch) -> None:
        """The batch is done: what was kept back of an object and is done, or no longer wanted, is forgotten."""


@dataclass(slots=True)
class _Budget:
    """One cycle's, in this process; made anew after a crash."""

    limits: Limits
    extent: Extent
    defers_deletions: bool
    defers_changes: bool


class OpenGate:
    """Somebody has asked for just this: on demand, or an approved plan. What was held of the objects is settled."""

    async def screen(self, run: Run, items: Sequence[Item], notes: Notes, manager: str | None) -> None:
        rows = await run.guards.held_of(run.job.id, [item.source.id for item in items])
        for item in items:
            item.held = rows.get(item.source.id)

    async def kept(self, run: Run, member_ids: Sequence[str]) -> set[str]:
        return set()

    def close(self, items: Sequence[Item], batch: Batch) -> None:
        _forget(items, batch)


class CycleGate:
    """The guards of one cycle."""

    def __init__(self, store: GuardStore, watcher: GuardWatcher, began_at: int) -> None:
        self._store = store
        self._watcher = watcher
        self._began_at = began_at
        self._budget: _Budget | None = None

    async def screen(self, run: Run, items: Sequence[Item], notes: Notes, manager: str | None) -> None:
        rows = await self._store.held_of(run.job.id, [item.source.id for item in items])
        new: list[tuple[Item, Wish]] = []
        for item in items:
            item.held = rows.get(item.source.id)
            wish = None if item.settled else wish_of(item, manager)
            if wish is None:
                continue
            held = item.held
            if held is None or held.state == "deferred" or not held.answers(wish, run.job.schema_version):
                new.append((item, wish))
            elif held.state == "held":
                notes.keep_held(item)
            elif held.state == "rejected":
                notes.skip_rejected(item, held)
        if not new:
            return
        budget = await self._known_budget(run)
        leavers = [item for item, wish in new if wish != "update"]
        defers = bool(leavers) and await self._defers(run, budget, leavers)
        for item, wish in new:
            if defers if wish != "update" else budget.defers_changes:
                notes.defer(item, _held(run, item, wish, manager))

    async def kept(self, run: Run, member_ids: Sequence[str]) -> set[str]:
        return await self._store.kept_members(run.job.id, member_ids)

    def close(self, items: Sequence[Item], batch: Batch) -> None:
        _forget(items, batch)

    async def settle(self, run: Run) -> bool:
        """Count what was deferred, and tell the objects the verdict, a page a step. False when all know theirs."""
        budget = await self._known_budget(run)
        for kind, wanted in sorted((await self._store.uncounted(run.job.id)).items()):
            await self._judge(run, budget, kind, wanted)
        page = await self._store.judged(run.job.id, PAGE)
        if not page:
            return False
        batch = Batch()
        ids = sorted({held.wave_id or "" for held, _ in page})
        waves = {wave.id: wave for wave in await self._store.waves(run.job.id, ids)}
        for held, rule in page:
            if rule is None:
                batch.guard.released.append(held.source_id)
            else:
                _hold(run, batch, held, waves[held.wave_id or ""].reason)
        await run.record(batch)
        return True

    async def _judge(self, run: Run, budget: _Budget, kind: WaveKind, wanted: int) -> None:
        now = run.clock.now_ms()
        extent = await self._store.extent(run.job.id, run.cycle.id, now)
        if kind == "deletions":
            done = extent.executed
            rule, most = judge_deletions(budget.limits, wanted=wanted, done=done)
        else:
            done = 0
            rule, most = judge_changes(budget.limits, wanted=wanted)
        wave = await self._store.count_wave(
            run.lease,
            run.job,
            run.cycle.id,
            kind,
            rule=rule,
            wanted=wanted,
            done=done,
            linked=extent.linked,
            most=most,
            now=now,
            until=run.until,
        )
        if rule is not None:
            await self._watcher.held(run.job, wave)

    async def _defers(self, run: Run, budget: _Budget, leavers: Sequence[Item]) -> bool:
        """Are these to be counted first? Leavers that go before all others are counted with those like them alone, so
        that they do not wait for the end of a large cycle. What other cycles and lanes let through counts as well."""
        urgent = all(item.slot.urgent for item in leavers)
        if budget.defers_deletions and not urgent:
            return True
        now = run.clock.now_ms()
        rush = await self._store.rush(run.job.id, self._began_at, now)
        ahead = max(rush.urgent, len(leavers)) if urgent else len(leavers)
        return rush.any_deferred or too_many(budget.limits, ahead, rush.executed, rush.in_cycle)

    async def _known_budget(self, run: Run) -> _Budget:
        if self._budget is None:
            extent = await self._store.extent(run.job.id, run.cycle.id, run.clock.now_ms())
            self._budget = budget_of(limits(run.job.settings, extent.linked), extent)
        return self._budget


def budget_of(limit: Limits, extent: Extent) -> _Budget:
    """Could what is ahead of the cycle break a limit? Then it is counted before the first of it is sent."""
    defers_deletions = extent.any_deferred or too_many(limit, extent.ahead, extent.executed, extent.deleted)
    defers_changes = limit.changes is not None and (
        extent.any_deferred or extent.ahead + extent.changed > limit.changes
    )
    return _Budget(limit, extent, defers_deletions, defers_changes)


def too_many(limit: Limits, ahead: int, executed: int, in_cycle: int) -> bool:
    """Would so many more deletions, if all of them were, break a limit?"""
    bounds = ((limit.deletions, executed), (limit.threshold, in_cycle))
    return any(most is not None and ahead + done > most for most, done in bounds)


def wish_of(item: Item, manager: str | None) -> Wish | None:
    """What would be done to a linked object, if anything: a manager that changes is a change, too."""
    match item.plan:
        case Delete():
            return "delete"
        case Update(disables=True):
            return "disable"
        case Update():
            return "update"
        case Unchanged("linked") if _manager_change(item, manager):
            return "update"
        case _:
            return None


def _manager_change(item: Item, manager: str | None) -> AttributeChange | None:
    if manager is None or item.link is None or item.link.state != "linked" or not item.entitlement.in_scope:
        return None
    known = item.link.acknowledged.get(manager)
    return AttributeChange(manager, known, item.manager) if item.manager != known else None


def _held(run: Run, item: Item, wish: Wish, manager: str | None) -> Held:
    changes = [_shown(change) for change in item.plan.changes] if isinstance(item.plan, Update) else []
    if wish == "update" and (change := _manager_change(item, manager)) is not None:
        changes.append(_shown(change))
    return Held(
        source_id=item.source.id,
        kind=item.source.kind,
        action=wish,
        state="deferred",
        wave_id=None,
        schema_version=run.job.schema_version,
        name=item.source.name,
        target_id=item.link.target_id if item.link else "",
        changes=changes,
        at=run.clock.now_ms(),
    )


def _shown(change: AttributeChange) -> Mapping[str, Any]:
    return {"displayName": change.path, "oldValue": change.old, "newValue": change.new}


def _hold(run: Run, batch: Batch, held: Held, why: str) -> None:
    batch.guard.held[held.source_id] = why
    batch.considered.append(held.source_id)
    batch.outcomes.append((held.source_id, held.kind, Action.WAITING, "Held"))
    batch.log.append(
        run.writer.row(
            Source(held.source_id, held.kind, exists=True, name=held.name),
            action="update" if held.action == "update" else "stagedDelete",
            status="skipped",
            now=run.clock.now_ms(),
            target_id=held.target_id,
            changes=[AttributeChange(c["displayName"], c["oldValue"], c["newValue"]) for c in held.changes],
            error_code="Held" if held.action == "update" else "StagedDelete",
            reason=why,
            advice="Approve or reject what is held: 'provisor job held' shows it.",
        )
    )


def _forget(items: Sequence[Item], batch: Batch) -> None:
    """What failed, or waits, is tried again under the same decision."""
    again = {id_ for id_, _, action, _ in batch.outcomes if action in (Action.FAILED, Action.WAITING)}
    for item in items:
        if item.held is not None and item.settled and not item.barred and item.source.id not in again:
            batch.guard.dropped.append(item.source.id)
