"""The provisioning service's door: start, pause, restart, test, status and log of jobs, for all who call.

States, schedule and ``resetScope``: ``reference/entra-provisioning-service.md`` section 23.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.applications.model import Job, Removed
from provisor.applications.service import Applications
from provisor.clock import Clock, iso
from provisor.connector.check import ConnectionResult
from provisor.errors import Conflict, InvalidInput
from provisor.events.audit import activities
from provisor.provisioning.engine import Targets
from provisor.provisioning.guarding.service import Guards
from provisor.provisioning.model import Cycle, JobState
from provisor.provisioning.store import ProvisioningStore
from provisor.security.actor import Actor, Right

NEVER = "0001-01-01T00:00:00Z"
SCOPES = {
    "none": frozenset[str](),
    "connectordatastore": frozenset({"links"}),
    "escrows": frozenset({"escrows"}),
    "watermark": frozenset({"watermark"}),
    "quarantinestate": frozenset({"quarantine"}),
    "full": frozenset({"links", "escrows", "watermark", "quarantine"}),
    "forcedeletes": frozenset({"deletes"}),
}
DEFAULT_SCOPE = "QuarantineState, Watermark, Escrows"


class JobNotReady(Conflict):
    """The job has no Tenant URL or Secret Token yet."""


class Provisioning:
    """Jobs as a person or a program sees them. Methods check the actor's rights in the job's tenant."""

    def __init__(
        self,
        store: ProvisioningStore,
        applications: Applications,
        targets: Targets,
        clock: Clock,
        guards: Guards,
    ) -> None:
        self._store = store
        self._applications = applications
        self._targets = targets
        self._clock = clock
        self._guards = guards

    async def test(self, actor: Actor, job_id: str) -> ConnectionResult:
        """Test Connection: a search for a random user (and group) by the matching attributes. Never raises for it."""
        job = await self._job(actor, job_id)
        client = await self._targets.client(actor, job)
        user = job.schema.user.matching
        group = job.schema.group.matching if job.schema.group and client.capabilities.groups else ()
        return await client.test(user[0].target if user else "userName", group[0].target if group else "displayName")

    async def start(self, actor: Actor, job_id: str) -> JobState:
        """Provisioning Status On: from where it stood, or with an initial cycle. Lifts a quarantine."""
        job = await self._job(actor, job_id)
        credentials = await self._applications.credentials(actor, job_id)
        if not credentials.base_address:
            raise JobNotReady(
                f"{job.display_name} has no Tenant URL yet.", hint="Enter the admin credentials, then start it."
            )
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        code = "Active" if state.schema_version is not None else "NotRun"
        await self._store.set_code(job_id, code, now=now, next_run_at=now, activity=activities.START, actor=actor)
        return await self._store.state(job_id, now)

    async def pause(self, actor: Actor, job_id: str) -> JobState:
        """Provisioning Status Off: the running cycle goes on to its end, no other begins. All state is kept."""
        await self._job(actor, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        await self._store.set_code(
            job_id, "Paused", now=now, quarantine=state.quarantine, activity=activities.PAUSE, actor=actor
        )
        return await self._store.state(job_id, now)

    async def restart(self, actor: Actor, job_id: str, reset_scope: str = "") -> JobState:
        """Look at every object anew. ``reset_scope``: comma separated values of reference section 23; empty = the
        portal's Restart (QuarantineState, Watermark, Escrows), which keeps the links. Raises ``InvalidInput``."""
        await self._job(actor, job_id)
        wanted: set[str] = set()
        for name in (reset_scope or DEFAULT_SCOPE).split(","):
            flags = SCOPES.get(name.strip().lower())
            if flags is None:
                raise InvalidInput(
                    f"There is no reset scope {name.strip()!r}.",
                    hint="Give None, ConnectorDataStore, Escrows, Watermark, QuarantineState, Full or ForceDeletes, "
                    "comma separated.",
                )
            wanted |= flags
        if "deletes" in wanted:
            await self._guards.force_deletes(actor, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        lifted = "quarantine" in wanted or state.code != "Quarantine"
        code = state.code if not lifted else ("Active" if state.schema_version is not None else "NotRun")
        await self._store.set_code(
            job_id,
            code,
            now=now,
            next_run_at=now,
            quarantine=None if lifted else state.quarantine,
            again_from_start=bool(wanted & {"watermark", "links"}),
            escrows="escrows" in wanted,
            drop_links="links" in wanted,
            activity=activities.RESTART,
            actor=actor,
            details={"resetScope": reset_scope or DEFAULT_SCOPE},
        )
        return await self._store.state(job_id, now)

    async def forget(self, actor: Actor, removed: Removed) -> None:
        """Remove what the engine keeps of the jobs of an application that was removed: state, links, cycles and log."""
        actor.require(Right.APPLICATIONS_WRITE, removed.service_principal.tenant_id)
        for job_id in removed.job_ids:
            await self._store.forget(job_id)

    async def cycles(self, actor: Actor, job_id: str, limit: int = 20) -> list[Cycle]:
        """The job's latest cycles, newest first."""
        await self._job(actor, job_id)
        return await self._store.cycles(job_id, limit)

    async def cycle(self, actor: Actor, job_id: str, cycle_id: str) -> Cycle | None:
        """One cycle, its counts as far as it is; ``None`` when the job has no such cycle."""
        await self._job(actor, job_id)
        cycle = await self._store.cycle(cycle_id)
        return cycle if cycle is not None and cycle.job_id == job_id else None

    async def progress(self, actor: Actor, job_id: str) -> Mapping[str, Any]:
        """Of the running cycle: ``considered`` so far, ``waiting`` to be looked at, the phase; empty without one."""
        await self._job(actor, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        cycle = await self._store.cycle(state.running_cycle_id) if state.running_cycle_id else None
        if cycle is None:
            return {}
        waiting = await self._store.unfinished(job_id, now)
        return {"cycleId": cycle.id, "phase": cycle.phase, "considered": cycle.considered, "waiting": waiting}

    async def state(self, actor: Actor, job_id: str) -> JobState:
        """Where the job stands."""
        await self._job(actor, job_id)
        return await self._store.state(job_id, self._clock.now_ms())

    async def status(self, actor: Actor, job_id: str) -> dict[str, Any]:
        """The job as Graph shows it: ``reference/graph-synchronization-api.md`` sections 5.2 and 5.6."""
        job = await self._job(actor, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        cycles = await self._store.cycles(job_id, 10)
        counts = await self._store.link_counts(job_id)
        ended = [cycle for cycle in cycles if cycle.state != "Running"]
        good = [cycle for cycle in ended if cycle.state == "Succeeded"]
        running = any(cycle.state == "Running" for cycle in cycles)
        started = state.code in ("NotRun", "Active", "Quarantine")
        return {
            "id": job.id,
            "templateId": job.template_id,
            "schedule": {
                "expiration": None,
                "interval": f"PT{job.settings.interval_seconds // 60}M",
                "state": "Active" if started else ("Paused" if state.code == "Paused" else "Disabled"),
            },
            "status": {
                "code": state.code,
                "countSuccessiveCompleteFailures": _failures(ended),
                "escrowsPruned": False,
                "lastExecution": _execution(ended[0]) if ended else None,
                "lastSuccessfulExecution": _execution(good[0]) if good else None,
                "lastSuccessfulExecutionWithExports": next(
                    (_execution(cycle) for cycle in good if _exports(cycle)), None
                ),
                "steadyStateFirstAchievedTime": NEVER,
                "steadyStateLastAchievedTime": iso(good[0].ended_at) if good and good[0].ended_at else NEVER,
                "quarantine": _quarantine(state.quarantine),
                "progress": [await self._units(job, cycles[0], now)] if running else [],
                "synchronizedEntryCountByType": [{"key": kind, "value": n} for kind, n in sorted(counts.items())],
                "troubleshootingUrl": None,
            },
            "synchronizationJobSettings": [
                {
                    "name": "QuarantineTooManyDeletesThreshold",
                    "value": str(job.settings.notification.delete_threshold_value),
                }
            ],
        }

    async def log(self, actor: Actor, job_id: str, **filters: Any) -> list[dict[str, Any]]:
        """Entries of the provisioning log, newest first. Filters: ``limit``, ``before`` (an entry's id), ``status``,
        ``action``, ``source_id``, ``cycle_id``."""
        job = await self._applications.job(actor, job_id)
        actor.require(Right.PROVISIONING_LOG_READ, job.tenant_id)
        return await self._store.log(job_id, **{"limit": 100, **filters})

    async def _job(self, actor: Actor, job_id: str) -> Job:
        job = await self._applications.job(actor, job_id)
        actor.require(Right.SYNCHRONIZATION_WRITE, job.tenant_id)
        return job

    async def _units(self, job: Job, cycle: Cycle, now: int) -> dict[str, Any]:
        waiting = await self._store.unfinished(job.id, now)
        return {
            "completedUnits": cycle.considered,
            "totalUnits": cycle.considered + waiting,
            "units": "objects",
            "progressObservationDateTime": iso(now),
        }


def _execution(cycle: Cycle) -> dict[str, Any]:
    counts = cycle.counts or {}
    return {
        "activityIdentifier": cycle.id,
        "state": cycle.state,
        "timeBegan": iso(cycle.began_at),
        "timeEnded": iso(cycle.ended_at) if cycle.ended_at is not None else NEVER,
        "countEntitled": counts.get("inScope", 0),
        "countEntitledForProvisioning": counts.get("inScope", 0),
        "countEscrowed": counts.get("failed", 0),
        "countEscrowedRaw": counts.get("failed", 0),
        "countExported": _exports(cycle),
        "countExports": _exports(cycle),
        "countImported": counts.get("considered", 0),
        "countImportedDeltas": counts.get("considered", 0) if cycle.kind == "Incremental" else 0,
        "countImportedReferenceDeltas": 0,
        "error": _tenant_error(cycle.error),
    }


def _exports(cycle: Cycle) -> int:
    counts = cycle.counts or {}
    return sum(counts.get(name, 0) for name in ("created", "updated", "disabled", "deleted"))


def _tenant_error(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {"code": error["code"], "message": error["message"], "tenantActionable": True} if error else None


def _quarantine(story: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if story is None:
        return None
    names = ("currentBegan", "nextAttempt", "reason", "seriesBegan", "seriesCount", "error")
    return {name: story[name] for name in names}


def _failures(ended: list[Cycle]) -> int:
    count = 0
    for cycle in ended:
        if cycle.state == "Succeeded":
            break
        count += 1
    return count
