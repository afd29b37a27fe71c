"""The leavers' lane: whoever loses access does not wait behind a cycle, however long that is.

    feed (a watermark of its own) ─▶ who may have to go ─▶ plan ─▶ disable, delete ─▶ acknowledged, a cycle of its own

It runs beside the steps of a cycle, in the process that holds the job's lease: so one object still has one writer
(what one of the two has in hand, the other leaves alone), and nothing is sent on a lease that is lost. Its requests go
before all others of the target. What it does not finish, or what was no leaver, is done by the cycle: it finds the same
entries of the feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from provisor.connector.pacing import first_in_line
from provisor.errors import ProvisorError
from provisor.provisioning.entry import Writer
from provisor.provisioning.faults import CycleBroken, Stopped
from provisor.provisioning.importing.store import ImportStore, extent_of
from provisor.provisioning.leases.store import LeaseLost
from provisor.provisioning.model import Cycle, Kind
from provisor.provisioning.objects import carry, load
from provisor.provisioning.run import BATCH, Run
from provisor.tasks import beside

FEED_PAGE = 1_000
LOOK_SECONDS = 0.2
# While these go on, there may be something before which a leaver would have to wait.
PHASES = ("users", "groups", "guard", "vanished", "references")

log = structlog.get_logger(__name__)


class LeaversLane:
    """Of one step of one cycle."""

    def __init__(self, run: Run, imports: ImportStore) -> None:
        self._run = run
        self._imports = imports

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """One look before the step, and one five times a second for as long as it lasts."""
        if self._run.cycle.phase not in PHASES:
            yield
            return
        await self.look()
        async with beside(self._keep_looking()):
            yield

    async def look(self) -> bool:
        """Carry out what is due. Whether there was anything. Raises as a batch does."""
        await self._import()
        now = self._run.clock.now_ms()
        cycle: Cycle | None = None
        kinds: tuple[Kind, ...] = ("User", "Group")
        for kind in kinds:
            slots = await self._run.store.claim_urgent(self._run.job.id, kind, now=now, limit=BATCH)
            slots = [slot for slot in slots if not self._run.memory.is_busy(slot.source_id)]
            mappings = self._run.mappings.get(kind)
            if not slots or mappings is None:
                continue
            cycle = cycle or await self._begin(now)
            run = self._own(cycle)
            with self._run.memory.holding(cycle.lane, [slot.source_id for slot in slots]):
                token = first_in_line.set(True)
                try:
                    await carry(run, kind, slots, await load(run, kind, slots, mappings), only_leavers=True)
                finally:
                    first_in_line.reset(token)
                    await self._end(cycle)
        return cycle is not None

    async def _begin(self, now: int) -> Cycle:
        return await self._run.store.begin_lane(self._run.lease, self._run.cycle, now=now, until=self._run.until)

    async def _end(self, cycle: Cycle) -> None:
        counts = await self._run.store.counts(cycle)
        await self._run.store.end_lane(cycle, now=self._run.clock.now_ms(), counts=counts)

    async def _import(self) -> None:
        run = self._run
        while True:
            seen, head = await run.store.leavers_watermark(run.job.id)
            if seen >= head:
                return
            changes = await run.directory.changes(run.actor, run.job.tenant_id, seen, FEED_PAGE)
            if not changes:
                return
            now = run.clock.now_ms()
            await self._imports.import_leavers(
                run.lease, extent_of(run.job), changes, watermark=changes[-1].seq, now=now, until=run.until
            )

    def _own(self, cycle: Cycle) -> Run:
        """The lane's own run: its log entries and counts are those of its own cycle."""
        job = self._run.job
        writer = Writer(job.tenant_id, job.id, cycle.id, job.service_principal_id, job.display_name, job.template_id)
        return replace(self._run, cycle=cycle, writer=writer, rosters={}, broken=None, stopped=False)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except (CycleBroken, Stopped, LeaseLost):
                return  # the step itself finds out, and says so
            except ProvisorError:
                # It is the cycle's to say what is wrong with the database; the leavers are in its queue as well.
                log.warning("leavers not looked at", job_id=self._run.job.id, exc_info=True)
