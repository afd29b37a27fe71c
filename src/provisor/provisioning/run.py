"""Every step of a cycle: what they share while one batch runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from provisor.applications.model import Job
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.connector.client import ScimClient
from provisor.connector.errors import TargetError
from provisor.directory.service import Directory
from provisor.events.correlation import correlated
from provisor.provisioning.decisions.store import DecisionStore
from provisor.provisioning.entry import Writer
from provisor.provisioning.faults import CycleBroken, JobHalted, Stopped, concerns_all
from provisor.provisioning.flights.store import Flight
from provisor.provisioning.guarding.gate import Gate
from provisor.provisioning.guarding.store import GuardStore
from provisor.provisioning.leases.store import Lease
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Cycle, Kind, Link
from provisor.provisioning.rechecking.store import RecheckStore
from provisor.provisioning.recording.store import Batch, RecordStore
from provisor.provisioning.recording.writing import Writing
from provisor.provisioning.roster import Roster, read_roster
from provisor.provisioning.store import ProvisioningStore
from provisor.provisioning.watch import LEASE_MS, Watch
from provisor.security.actor import Actor

# Objects of a batch: as many as take so long, within bounds. Larger ones are no faster (scripts/bench engine).
BATCH, LEAST_BATCH, BATCH_MS = 200, 20, 4_000
# Batches that follow one another in a step: so many at most, and no more after so long, since the job's settings hold
# for the whole step.
IN_A_ROW, ROW_MS = 64, 8_000

T = TypeVar("T")
Keys = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Memory:
    """What this process knows of a job beside its tables; nothing is wrong when it is forgotten.

    ``search_works``: the target's search has found what is there. ``judged``: the cycle of which vanished objects were
    judged. ``busy``: by lane, the ids of the objects that it has in hand, so that each has one writer.
    ``most`` and ``batch``: how many objects a batch, and the next one, are to have at most. ``lately``: milliseconds
    that the last whole one took.
    """

    search_works: bool = False
    judged: str | None = None
    busy: dict[str, set[str]] = field(default_factory=dict)
    most: int = BATCH
    batch: int = BATCH
    lately: int = BATCH_MS

    @classmethod
    def of(cls, most: int) -> Memory:
        """Of a job whose batches have so many objects at most."""
        return cls(most=most, batch=most)

    @property
    def pairs(self) -> int:
        """How many memberships a batch has: they weigh less, for many of them share a request."""
        return self.most * 10

    @contextmanager
    def holding(self, lane: str, ids: Iterable[str] = ()) -> Iterator[None]:
        """These objects, and those that it takes, are in a lane's hand; at the end of the block none is."""
        self.busy[lane] = set(ids)
        try:
            yield
        finally:
            self.busy[lane] = set()

    def take(self, lane: str, ids: Iterable[str]) -> None:
        """The lane has these in hand, too."""
        self.busy.setdefault(lane, set()).update(ids)

    def release(self, lane: str, ids: Iterable[str]) -> None:
        """The lane is done with these before the rest."""
        self.busy.get(lane, set()).difference_update(ids)

    def took(self, objects: int, milliseconds: int) -> None:
        """So long a batch has taken. Who is to lose access waits for the end of the batch that has them in hand, so at
        a slow target batches are smaller."""
        self.lately = milliseconds
        self.batch = min(max(objects * BATCH_MS // max(milliseconds, 1), LEAST_BATCH), self.most)

    def is_busy(self, source_id: str) -> bool:
        """Does any lane have it in hand?"""
        return any(source_id in held for held in self.busy.values())


@dataclass(slots=True)
class Run:
    """One batch of one cycle: the services, the job as it is now, and the lease that it is done on."""

    store: ProvisioningStore
    records: RecordStore
    guards: GuardStore
    rechecks: RecheckStore
    decisions: DecisionStore
    directory: Directory
    applications: Applications
    clock: Clock
    actor: Actor
    job: Job
    mappings: dict[Kind, Mappings]
    client: ScimClient
    writer: Writer
    lease: Lease
    cycle: Cycle
    rosters: dict[Kind, Roster | None]
    gate: Gate
    watch: Watch | None
    memory: Memory
    broken: TargetError | None = field(default=None)
    stopped: bool = field(default=False)
    halted: JobHalted | None = field(default=None)
    writing: Writing = field(default_factory=Writing, init=False)

    @property
    def interrupted(self) -> bool:
        """Nothing more is to be begun: what has not been sent stays in the queue."""
        return self.stopped or self.broken is not None or self.halted is not None

    async def roster(self, kind: Kind) -> Roster | None:
        """What the target listed when this initial cycle began, if that is cheaper than asking for each object.

        Kept in memory for the cycle; after a crash it is read anew. Raises ``CycleBroken``.
        """
        lists = self.client.capabilities.refuses_duplicates and self.client.dialect.lists_before_matching
        if self.cycle.kind != "Initial" or not lists:
            return None
        if kind not in self.rosters:
            waiting = await self.store.unmatched(self.job.id, kind)
            keys = [row.target for row in self.mappings[kind].mapping.matching]
            if waiting:
                await self.each([keys], lambda keys: self._read_roster(kind, keys, waiting))
                self._raise_what_interrupts()
            else:
                self.rosters[kind] = None
        return self.rosters[kind]

    async def _read_roster(self, kind: Kind, keys: Sequence[str], waiting: int) -> None:
        self.rosters[kind] = await read_roster(self.client, kind, keys, waiting)

    @property
    def until(self) -> int:
        return self.clock.now_ms() + LEASE_MS

    async def each(self, items: Iterable[T], send: Callable[[T], Awaitable[None]]) -> None:
        """Call ``send`` for every item at once (the pacer bounds what is under way) until an error concerns them all
        or the job is stopped.

        Items that were not begun by then are left alone. ``send`` deals with the errors of its own item.
        """

        async def one(item: T) -> None:
            if not self.interrupted:
                try:
                    # Every request, and every line of the log, can be traced back to what asked for the change.
                    with correlated(getattr(item, "correlation_id", None)):
                        await send(item)
                except Stopped:
                    self.stopped = True
                except TargetError as error:
                    if not concerns_all(error):
                        raise
                    self.broken = error

        async with asyncio.TaskGroup() as group:
            for item in items:
                task = group.create_task(one(item))
                if self.watch is not None:
                    self.watch.sends(task)
        self.stopped = self.stopped or (self.watch is not None and self.watch.stopped)

    async def journal(self, kind: Kind, creates: Mapping[str, Keys], flight: Flight) -> None:
        """Make it durable what is about to leave: creates, source id -> what they will be found by, and changes."""
        now, lane = self.clock.now_ms(), self.writing.flight(self.cycle.lane)
        await self.store.journal(self.lease, self.cycle.id, kind, creates, flight, lane=lane, now=now, until=self.until)

    async def save_successor(self, source_id: str, target_id: str) -> None:
        """The group that is to replace a linked one is there."""
        await self.store.save_successor(self.lease, source_id, target_id, until=self.until)

    async def holders(self, kind: Kind, target_ids: Sequence[str]) -> dict[str, str]:
        """Whose these target objects are: target id -> source id of those that are linked."""
        await self.writing.settled()
        return await self.store.holders(self.job.id, kind, target_ids)

    async def links(self, source_ids: Collection[str]) -> dict[str, Link]:
        """The links of these objects by source id, those of the batch that is being written down among them."""
        stored = await self.store.links(self.job.id, sorted(source_ids))
        return self.writing.links(stored, set(source_ids))

    async def record(self, batch: Batch) -> None:
        """Write the batch down, then say what ended it early.

        Raises ``LeaseLost``, ``Stopped``, ``CycleBroken``, ``JobHalted``.
        """
        await self.writing.settled()
        await self._write(batch, self.writing.flight(self.cycle.lane))
        self._raise_what_interrupts()

    async def record_beside(self, batch: Batch, held: Collection[str] = ()) -> None:
        """Write the batch down while the next one is gathered; ``held``: what the lane has in hand until it is there.
        Of a batch that ended early, as ``record``. Needs ``writing.ending`` around it."""
        await self.writing.settled()
        self.writing.hand_over(batch, partial(self._write, batch, self.writing.flight(self.cycle.lane), held))
        if self.interrupted:
            await self.writing.settled()
            self._raise_what_interrupts()

    async def _write(self, batch: Batch, flight: str, held: Collection[str] = ()) -> None:
        await self.records.record(
            self.lease,
            self.cycle.id,
            batch,
            flight=flight,
            nested=self.job.settings.nested_groups,
            tenant_id=self.job.tenant_id,
            common=self.writer.common,
            now=self.clock.now_ms(),
            until=self.until,
        )
        self.memory.release(self.cycle.lane, held)

    def _raise_what_interrupts(self) -> None:
        if self.stopped:
            raise Stopped
        if self.broken is not None:
            raise CycleBroken(self.broken)
        if self.halted is not None:
            raise self.halted
