"""The provisioning service's door: start, pause, restart, test, status and log of jobs, for all who call.

States, schedule and ``resetScope``: ``reference/entra-provisioning-service.md`` section 23.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.applications.model import Job, Removed
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.connector.check import ConnectionResult, diagnose
from provisor.connector.errors import TargetError
from provisor.errors import Conflict, InvalidInput
from provisor.events.audit import activities
from provisor.provisioning.engine import Targets
from provisor.provisioning.guarding.service import Guards
from provisor.provisioning.model import Cycle, JobState
from provisor.provisioning.resource import job_resource
from provisor.provisioning.store import ProvisioningStore
from provisor.security.actor import Actor, Right

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
        try:
            client = await self._targets.client(actor, job)
        except TargetError as error:  # no access token
            return diagnose(error, "User", users_answered=False)
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
        await self._readable(actor, job_id)
        return await self._store.cycles(job_id, limit)

    async def cycle(self, actor: Actor, job_id: str, cycle_id: str) -> Cycle | None:
        """One cycle, its counts as far as it is; ``None`` when the job has no such cycle."""
        await self._readable(actor, job_id)
        cycle = await self._store.cycle(cycle_id)
        return cycle if cycle is not None and cycle.job_id == job_id else None

    async def progress(self, actor: Actor, job_id: str) -> Mapping[str, Any]:
        """Of the running cycle: ``considered`` so far, ``waiting`` to be looked at, the phase; empty without one."""
        await self._readable(actor, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        cycle = await self._store.cycle(state.running_cycle_id) if state.running_cycle_id else None
        if cycle is None:
            return {}
        waiting = await self._store.unfinished(job_id, now)
        return {"cycleId": cycle.id, "phase": cycle.phase, "considered": cycle.considered, "waiting": waiting}

    async def state(self, actor: Actor, job_id: str) -> JobState:
        """Where the job stands."""
        await self._readable(actor, job_id)
        return await self._store.state(job_id, self._clock.now_ms())

    async def status(self, actor: Actor, job_id: str) -> dict[str, Any]:
        """The job as Graph shows it: ``reference/graph-synchronization-api.md`` sections 5.2 and 5.6."""
        job = await self._readable(actor, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        landmarks = await self._store.landmarks(job_id)
        running = landmarks.newest is not None and landmarks.newest.state == "Running"
        waiting = await self._store.unfinished(job_id, now) if running else 0
        counts = await self._store.link_counts(job_id)
        return job_resource(job, state, landmarks, counts, waiting=waiting, now=now)

    async def log(self, actor: Actor, job_id: str, **filters: Any) -> list[dict[str, Any]]:
        """Entries of the provisioning log, newest first. Filters: ``limit``, ``before`` (an entry's id), ``status``,
        ``action``, ``source_id``, ``cycle_id``."""
        job = await self._applications.job(actor, job_id)
        actor.require(Right.PROVISIONING_LOG_READ, job.tenant_id)
        return await self._store.log(job_id, **{"limit": 100, **filters})

    async def _readable(self, actor: Actor, job_id: str) -> Job:
        return await self._applications.job(actor, job_id)

    async def _job(self, actor: Actor, job_id: str) -> Job:
        job = await self._applications.job(actor, job_id)
        actor.require(Right.SYNCHRONIZATION_WRITE, job.tenant_id)
        return job
