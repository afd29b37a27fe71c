"""The cycle: its phases over batches, each step resumable. Who calls the steps, and when, is the worker's business.

    import ─▶ users ─▶ groups ─▶ references ─▶ finish

``advance`` does one batch and writes down how far the cycle is, in the same commit as what it did; so any step may be
cut off and repeated. DBOS runs ``advance`` as its step (``app/worker.py``); the inline runner below runs the very same.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from provisor.applications.model import Credentials, Job
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.connector.client import ScimClient
from provisor.directory.service import Directory
from provisor.errors import ProvisorError
from provisor.expressions.values import Context
from provisor.provisioning import objects, references, row, vanished
from provisor.provisioning.decisions.store import DecisionStore
from provisor.provisioning.endings import Endings
from provisor.provisioning.entry import Writer
from provisor.provisioning.faults import CycleBroken, JobHalted, Stopped
from provisor.provisioning.flights.store import FlightStore
from provisor.provisioning.guarding.gate import CycleGate, Gate
from provisor.provisioning.guarding.model import GuardWatcher, NobodyWatches
from provisor.provisioning.guarding.store import GuardStore
from provisor.provisioning.importing.store import ImportStore, extent_of
from provisor.provisioning.lane import LeaversLane
from provisor.provisioning.leases.store import Lease, LeaseLost, LeaseStore
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Cycle, Kind
from provisor.provisioning.rechecking.store import RecheckStore
from provisor.provisioning.recording.store import RecordStore
from provisor.provisioning.recording.writing import flights_of
from provisor.provisioning.roster import Roster
from provisor.provisioning.run import BATCH, Memory, Run
from provisor.provisioning.store import ProvisioningStore
from provisor.provisioning.watch import LEASE_MS, Watch
from provisor.security.actor import Actor, Realm, Right

FEED_PAGE = 1_000
KEPT_ROSTERS = 4

log = structlog.get_logger(__name__)

SERVICE = Actor(
    Realm("system"),
    "Provisor Provisioning Service",
    frozenset({Right.DIRECTORY_READ, Right.APPLICATIONS_READ, Right.SYNCHRONIZATION_READ, Right.SYNCHRONIZATION_WRITE}),
    kind="service",
)


class Targets(Protocol):
    """Gives the client for a job's target, paced and with its credential as it is now. Its requests end within
    ``REQUEST_MS``, and before each it calls the ``before_send`` that the running task has set."""

    async def client(self, actor: Actor, job: Job) -> ScimClient: ...

    def trial(self, job: Job, credentials: Credentials) -> ScimClient:
        """One for credentials that are not stored: to test them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step has achieved. ``done``: the cycle has ended, or is not ours to go on with."""

    cycle_id: str | None
    done: bool


@dataclass(frozen=True, slots=True)
class Stores:
    """The engine's persistence, one store a concern."""

    jobs: ProvisioningStore
    leases: LeaseStore
    imports: ImportStore
    records: RecordStore
    guards: GuardStore
    rechecks: RecheckStore
    decisions: DecisionStore
    flights: FlightStore


class Engine:
    """Runs cycles of any job, for one holder of leases (an executor)."""

    def __init__(
        self,
        stores: Stores,
        directory: Directory,
        applications: Applications,
        targets: Targets,
        clock: Clock,
        *,
        holder: str,
        batch: int = BATCH,
        watcher: GuardWatcher | None = None,
    ) -> None:
        self._store = stores.jobs
        self._leases = stores.leases
        self._imports = stores.imports
        self._records = stores.records
        self._guards = stores.guards
        self._rechecks = stores.rechecks
        self._decisions = stores.decisions
        self._flights = stores.flights
        self._watcher = watcher or NobodyWatches()
        self._directory = directory
        self._applications = applications
        self._targets = targets
        self._clock = clock
        self._holder = holder
        self._batch_size = batch
        self._endings = Endings(stores.jobs, stores.leases, clock)
        self._domains: dict[str, str] = {}
        self._rosters: dict[str, dict[Kind, Roster | None]] = {}
        self._gates: dict[str, CycleGate] = {}
        self._memories: dict[str, Memory] = {}

    async def begin(self, job_id: str) -> str | None:
        """The cycle to go on with: the one that was cut off, else a new one. ``None``: nothing to do, or not ours."""
        lease = await self._lease(job_id)
        if lease is None:
            return None
        await self._store.dequeued(job_id)
        job = await self._applications.job(SERVICE, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        if state.running_cycle_id is not None and not state.stopped:
            return state.running_cycle_id
        if not await self._store.jobs_behind(now, job_id=job_id):
            await self._leases.drop_lease(lease)
            return None
        initial = (
            state.watermark is None
            or state.schema_version != job.schema_version
            or state.scope_version != job.scope_version
        )
        head = await self._directory.head(SERVICE, job.tenant_id)
        return await self._store.begin_cycle(
            lease,
            kind="Initial" if initial else "Incremental",
            watermark=head,
            schema_version=job.schema_version,
            scope_version=job.scope_version,
            now=now,
        )

    async def advance(self, job_id: str, cycle_id: str) -> Progress:
        """Do the next batch of a cycle. Raises nothing but what the database raises when it is not there."""
        lease = await self._lease(job_id)
        cycle = await self._store.cycle(cycle_id)
        if lease is None or cycle is None or cycle.state != "Running":
            return Progress(cycle_id, done=True)
        done = True
        try:
            async with Watch(self._leases, self._store, self._clock, lease).watching() as watch:
                done = await self._step(lease, cycle, watch)
        except LeaseLost:
            log.warning("lease lost", job_id=job_id, cycle_id=cycle_id)
        return Progress(cycle_id, done)

    async def _step(self, lease: Lease, cycle: Cycle, watch: Watch) -> bool:
        job: Job | None = None
        try:
            if watch.stopped:
                raise Stopped
            job = await self._applications.job(SERVICE, cycle.job_id)
            gate = self._gate(cycle)
            run = await self.prepare(lease, cycle, job, gate, watch)
            for lane in ("main", "leavers"):
                for flight in flights_of(lane):
                    await self._flights.recover(lease, flight, until=run.until)
            async with LeaversLane(run, self._imports).open():
                return await self._batch(run, gate)
        except Stopped:
            if watch.yields:
                await self._leases.drop_lease(lease)
            else:
                await self._endings.cut(lease, cycle)
            return True
        except CycleBroken as broken:
            await self._endings.break_off(lease, cycle, job, broken.cause)
            return True
        except JobHalted as halted:
            await self._endings.halt(lease, cycle, halted)
            return True
        except LeaseLost:
            raise
        except ExceptionGroup as errors:
            lost, others = errors.split(LeaseLost)
            if lost is not None and others is None:
                raise LeaseLost from errors
            log.exception("cycle failed", job_id=cycle.job_id, cycle_id=cycle.id)
            await self._endings.give_up(lease, cycle, job, _fault_of_ours(errors))
            return True
        except ProvisorError as error:
            await self._endings.give_up(lease, cycle, job, error)
            return True
        except Exception as error:
            # It is told, kept with the cycle, and tried again later, never in a tight loop.
            log.exception("cycle failed", job_id=cycle.job_id, cycle_id=cycle.id)
            await self._endings.give_up(lease, cycle, job, _fault_of_ours(error))
            return True

    async def _batch(self, run: Run, gate: CycleGate) -> bool:
        """One batch of the phase that the cycle is in. Whether the cycle has ended."""
        match run.cycle.phase:
            case "import":
                await self._import(run)
            case "leavers":
                if not await objects.process_urgent(run, "User") and not await objects.process_urgent(run, "Group"):
                    await self._phase(run, "users")
            case "users":
                if not await row.process(run, "User"):
                    await self._phase(run, "groups")
            case "groups":
                if not await row.process(run, "Group"):
                    await self._phase(run, "guard")
            case "guard":
                if not await gate.settle(run):
                    again = await self._guards.released_due(run.job.id, self._clock.now_ms())
                    await self._phase(run, "users" if again else "vanished")
            case "vanished":
                if not await vanished.vanished(run):
                    await self._phase(run, "references")
            case "references":
                if not await references.managers(run) and not await references.members(run):
                    # What a reference has shown to be gone is judged and made anew in the same cycle.
                    lost = await vanished.any_vanished(run)
                    await self._phase(run, "vanished" if lost else "finish")
            case _:
                await self._endings.finish(run)
                self._rosters.pop(run.cycle.id, None)
                self._gates.pop(run.cycle.id, None)
                return True
        return False

    async def _lease(self, job_id: str) -> Lease | None:
        now = self._clock.now_ms()
        return await self._leases.take_lease(job_id, self._holder, now=now, until=now + LEASE_MS)

    async def prepare(self, lease: Lease, cycle: Cycle, job: Job, gate: Gate, watch: Watch | None = None) -> Run:
        """What the steps of a batch share. Raises ``InvalidInput`` when the job's credentials cannot be used."""
        client = await self._targets.client(SERVICE, job)
        context = Context(
            now_ms=self._clock.now_ms,
            random=random.SystemRandom(),
            uuid=lambda: str(uuid.uuid4()),
            default_domain=await self._domain(job.tenant_id),
        )
        mappings: dict[Kind, Mappings] = {}
        kinds: tuple[Kind, ...] = ("User", "Group")
        for kind in kinds:
            mapping = job.schema.mapping(kind)
            offered = kind == "User" or client.capabilities.groups
            if mapping is not None and mapping.enabled and offered:
                mappings[kind] = Mappings.of(kind, mapping, context)
        writer = Writer(job.tenant_id, job.id, cycle.id, job.service_principal_id, job.display_name, job.template_id)
        return Run(
            self._store,
            self._records,
            self._guards,
            self._rechecks,
            self._decisions,
            self._directory,
            self._applications,
            self._clock,
            SERVICE,
            job,
            mappings,
            client,
            writer,
            lease,
            cycle,
            self._rosters_of(cycle.id),
            gate,
            watch,
            self._memories.setdefault(job.id, Memory.of(self._batch_size)),
        )

    def _gate(self, cycle: Cycle) -> CycleGate:
        if cycle.id not in self._gates:
            while len(self._gates) >= KEPT_ROSTERS:
                del self._gates[next(iter(self._gates))]
            self._gates[cycle.id] = CycleGate(self._guards, self._watcher, cycle.began_at)
        return self._gates[cycle.id]

    def _rosters_of(self, cycle_id: str) -> dict[Kind, Roster | None]:
        if cycle_id not in self._rosters:
            # One cycle of a job at a time, and few jobs at once: what an ended cycle left is dropped here.
            while len(self._rosters) >= KEPT_ROSTERS:
                del self._rosters[next(iter(self._rosters))]
            self._rosters[cycle_id] = {}
        return self._rosters[cycle_id]

    async def _domain(self, tenant_id: str) -> str:
        if tenant_id not in self._domains:
            reader = Actor(Realm("tenant", tenant_id), SERVICE.subject, frozenset({Right.DIRECTORY_READ}))
            self._domains[tenant_id] = (await self._directory.find_tenant(reader, None)).domain
        return self._domains[tenant_id]

    async def _phase(self, run: Run, phase: str) -> None:
        await self._store.set_phase(run.lease, run.cycle.id, phase, cursor=None, until=run.until)

    async def _import(self, run: Run) -> None:
        job, cycle = run.job, run.cycle
        extent = extent_of(job)
        if cycle.kind == "Initial":
            await self._imports.import_page(
                run.lease, cycle, extent, after=cycle.cursor or "", now=self._clock.now_ms(), until=run.until
            )
            return
        state = await self._store.state(job.id, self._clock.now_ms())
        changes = await self._directory.changes(SERVICE, job.tenant_id, state.watermark or 0, FEED_PAGE)
        await self._imports.import_changes(
            run.lease,
            cycle,
            extent,
            changes,
            watermark=changes[-1].seq if changes else (state.watermark or 0),
            done=len(changes) < FEED_PAGE,
            now=self._clock.now_ms(),
            until=run.until,
        )


def _fault_of_ours(error: Exception) -> ProvisorError:
    return ProvisorError(f"Internal error: {type(error).__name__}: {error}")


async def run_inline(engine: Engine, job_id: str) -> str | None:
    """One cycle, from where it stands to its end, without DBOS: the same steps. Its id; ``None`` if nothing is due."""
    cycle_id = await engine.begin(job_id)
    if cycle_id is None:
        return None
    step = partial(engine.advance, job_id, cycle_id)
    while not (await step()).done:
        pass
    return cycle_id
