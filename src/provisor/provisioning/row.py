"""Batches of one kind, one after the other, so that the target is never idle for long.

    gather ─▶ decide ─▶ send ─▶ write down
                gather ─▶ decide ─▶ send ─▶ write down
                            gather ─▶ …

While the requests of one batch are under way, the next one is gathered, and the one before is written down. The
requests themselves keep their order: no batch sends before all answers to the one before it are there. What takes
access away is not overlapped: the guards count it, and heirs are looked for among those who have gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Kind, Pending
from provisor.provisioning.notes import Item
from provisor.provisioning.objects import load, take_over_accounts, through
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.run import IN_A_ROW, ROW_MS, Run
from provisor.provisioning.sending import Sender, is_present
from provisor.tasks import ahead

# What is gathered ahead is as old as the batch that is being sent: at a slow target nothing is.
_AHEAD_MS = 1_000
# Objects that are gathered at once beside requests, which wait for their turn meanwhile.
_PART = 50


async def process(run: Run, kind: Kind) -> bool:
    """Work through the next batches of this kind. False when none is due. Raises ``CycleBroken``, ``LeaseLost``,
    ``Stopped``, ``JobHalted``."""
    with run.memory.holding(run.cycle.lane):
        async with run.writing.ending():
            return await _Row(run, kind).work()


@dataclass(slots=True)
class _Gathered:
    """A batch of which nothing has been sent."""

    slots: list[Pending]
    items: list[Item]
    batch: Batch
    # Null where the kind is switched off: then its slots mean nothing, and there are no items.
    sender: Sender | None

    @property
    def leaves(self) -> bool:
        """Does it take access away from somebody?"""
        return any(
            not is_present(item) and (item.link is not None or item.intent is not None or item.lost is not None)
            for item in self.items
        )


class _Row:
    def __init__(self, run: Run, kind: Kind) -> None:
        self._run = run
        self._kind = kind
        self._mappings: Mappings | None = run.mappings.get(kind)
        self._ends = run.clock.now_ms() + ROW_MS
        # The last that was claimed. What is before it is in hand, or comes back in the next row.
        self._after: Pending | None = None

    async def work(self) -> bool:
        """Whether there was anything."""
        gathered = await self._gather()
        worked = gathered is not None
        for left in reversed(range(IN_A_ROW)):
            if gathered is None:
                break
            goes_on = left > 0 and self._run.clock.now_ms() < self._ends
            gathered = await self._carry(gathered, goes_on=goes_on)
        return worked

    async def _carry(self, gathered: _Gathered, *, goes_on: bool) -> _Gathered | None:
        """Through with it; the next one, null where there is none, or it is not to be begun in this row."""
        run = self._run
        apart = gathered.leaves
        if apart:
            await run.writing.settled()
        if not goes_on or apart or run.memory.lately >= _AHEAD_MS:
            await self._through(gathered, apart=apart)
            return await self._gather() if goes_on else None
        async with ahead(self._gather(beside=True)) as following:
            await self._through(gathered, apart=False)
            return await following

    async def _through(self, gathered: _Gathered, *, apart: bool) -> None:
        run = self._run
        began, size = run.clock.now_ms(), run.memory.batch
        await self._send(gathered)
        if len(gathered.slots) == size:
            run.memory.took(size, run.clock.now_ms() - began)
        held = [slot.source_id for slot in gathered.slots]
        if apart:
            await run.record(gathered.batch)
            run.memory.release(run.cycle.lane, held)
        else:
            await run.record_beside(gathered.batch, held)

    async def _send(self, gathered: _Gathered) -> None:
        if gathered.sender is None or self._mappings is None:
            gathered.batch.cleared.extend(gathered.slots)
            return
        if self._kind == "User":
            await take_over_accounts(self._run, gathered.items)
        await through(self._run, self._kind, self._mappings, gathered.sender, gathered.batch, gathered.items)

    async def _gather(self, *, beside: bool = False) -> _Gathered | None:
        """The next batch from the queue to what is to be done; null when nothing is due. ``beside``: requests are under
        way, and it leaves them their turns."""
        run = self._run
        claimed = await run.store.claim(
            run.job.id, "object", self._kind, now=run.clock.now_ms(), limit=run.memory.batch, after=self._after
        )
        # What the leavers' lane has in hand is done by it, or comes back.
        slots = [slot for slot in claimed if not run.memory.is_busy(slot.source_id)]
        if not slots:
            return None
        self._after = claimed[-1]
        run.memory.take(run.cycle.lane, [slot.source_id for slot in slots])
        batch = Batch()
        if self._mappings is None:
            return _Gathered(slots, [], batch, None)
        roster = await run.roster(self._kind)
        sender = Sender(run, self._kind, self._mappings, batch, roster)
        items: list[Item] = []
        for part in _parts(slots, _PART if beside else len(slots)):
            if beside:
                await asyncio.sleep(0)
            loaded = await load(run, self._kind, part, self._mappings, take_over=False)
            if beside:
                await asyncio.sleep(0)
                sender.foresee(loaded)
            items.extend(loaded)
        if beside:
            await sender.journal_ahead(items)
        return _Gathered(slots, items, batch, sender)


def _parts(slots: Sequence[Pending], size: int) -> list[Sequence[Pending]]:
    return [slots[at : at + size] for at in range(0, len(slots), size)]
