"""The provisioning service's door: start, pause, stop, restart, settings, credentials, status and log of jobs.

States, schedule and ``resetScope``: ``reference/entra-provisioning-service.md`` section 23.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provisor.applications.model import CredentialsChange, Job, Removed
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.connector.address import parse_tenant_url
from provisor.connector.check import ConnectionResult, diagnose
from provisor.connector.client import ScimClient
from provisor.connector.errors import TargetError
from provisor.connector.paces.model import Pace
from provisor.connector.paces.store import PaceStore
from provisor.connector.rates import Learnt, of_all
from provisor.errors import Conflict, InvalidInput
from provisor.events.audit import activities
from provisor.provisioning import settings as job_settings
from provisor.provisioning.credentials import (
    CredentialsRefused,
    CredentialsState,
    bars_start,
    learnt,
    refused,
    state_of,
)
from provisor.provisioning.decisions.store import DecisionStore
from provisor.provisioning.engine import SERVICE, Targets
from provisor.provisioning.guarding.service import Guards
from provisor.provisioning.log.model import Entry, LogFilter
from provisor.provisioning.model import Cycle, Escrow, JobState
from provisor.provisioning.status import job_document
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
_THRESHOLDS = "Escrow"  # the reasons of a quarantine by thresholds have it in their names


class JobNotReady(Conflict):
    """The job has no Tenant URL or Secret Token yet."""


class Provisioning:
    """Jobs as a person or a program sees them. Methods check the actor's rights in the job's tenant."""

    def __init__(
        self,
        store: ProvisioningStore,
        decisions: DecisionStore,
        applications: Applications,
        targets: Targets,
        clock: Clock,
        guards: Guards,
        paces: PaceStore | None = None,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        """``paces``: what all workers know of the pace of targets; null where nobody shares it. ``tell`` is called when
        a job was started: a worker of this process need not wait for its next look."""
        self._store = store
        self._decisions = decisions
        self._applications = applications
        self._targets = targets
        self._clock = clock
        self._guards = guards
        self._paces = paces
        self._tell = tell

    async def test(self, actor: Actor, job_id: str) -> ConnectionResult:
        """Test Connection: a search for a random user (and group) by the matching attributes. Never raises for it.

        What it says about the credentials is remembered: a job does not start on those that failed.
        """
        job = await self._job(actor, job_id)
        result, story = await self._tested(actor, job)
        if story is not None:
            await self._store.save_credentials_state(job_id, story, self._clock.now_ms())
        return result

    async def save_credentials(
        self,
        actor: Actor,
        job_id: str,
        base_address: str | None = None,
        secret_token: str | None = None,
        *,
        unverified: bool = False,
    ) -> tuple[CredentialsChange, ConnectionResult]:
        """Store what is given, unless the target refuses it. Raises ``CredentialsRefused``, and nothing is stored; with
        ``unverified`` it is stored all the same, as such, and the job does not start on it. A target that does not
        answer says nothing about them: they are stored, and the start tests them.
        """
        job = await self._job(actor, job_id)
        candidate = await self._applications.candidate_credentials(actor, job_id, base_address, secret_token)
        result = await _connection(job, self._targets.trial(job, candidate))
        if refused(result) and not unverified:
            hint = "Nothing was saved. Save them as unverified if they are to be kept all the same."
            raise CredentialsRefused(result, "The credentials were not accepted:", hint)
        change = await self._applications.set_credentials(actor, job_id, base_address, secret_token)
        version = await self._applications.credentials_version(actor, job_id)
        now = self._clock.now_ms()
        before = CredentialsState("unverified" if unverified else "untested")
        await self._store.save_credentials_state(job_id, learnt(result, version, before, now) or {}, now)
        return change, result

    async def credentials_state(self, actor: Actor, job_id: str) -> CredentialsState:
        """What is known of the job's credentials."""
        await self._job(actor, job_id)
        return await self._credentials_state(await self._readable(actor, job_id))

    async def start(self, actor: Actor, job_id: str) -> JobState:
        """Provisioning Status On: from where it stood, or with an initial cycle. Lifts a quarantine.

        Credentials that the target has not accepted yet are tested first. Raises ``CredentialsRefused``,
        ``JobNotReady``.
        """
        job = await self._job(actor, job_id)
        credentials = await self._applications.credentials(actor, job_id)
        if not credentials.base_address:
            raise JobNotReady(
                f"{job.display_name} has no Tenant URL yet.", hint="Enter the admin credentials, then start it."
            )
        await self._check_credentials(actor, job)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        code = "Active" if state.schema_version is not None else "NotRun"
        too_many = state.quarantine is not None and _THRESHOLDS in str(state.quarantine["reason"])
        await self._store.set_code(
            job_id,
            code,
            now=now,
            next_run_at=now,
            resume=True,
            fresh_window=True,
            escrows=too_many,
            activity=activities.START,
            actor=actor,
        )
        self._tell()
        return await self._store.state(job_id, now)

    async def pause(self, actor: Actor, job_id: str) -> JobState:
        """Provisioning Status Off: the running cycle goes on to its end, no other begins. All state is kept."""
        return await self._off(actor, job_id, stopped=False)

    async def stop(self, actor: Actor, job_id: str) -> JobState:
        """Stop now: no worker sends another request for this job, after two seconds at most. What is under way comes to
        its answer; the cycle ends as stopped, and goes on from there when the job is started."""
        return await self._off(actor, job_id, stopped=True)

    async def _off(self, actor: Actor, job_id: str, *, stopped: bool) -> JobState:
        await self._job(actor, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        stopped = stopped or state.stopped
        await self._store.set_code(
            job_id,
            "Paused",
            now=now,
            quarantine=state.quarantine,
            stopped=stopped,
            activity=activities.PAUSE,
            actor=actor,
        )
        return await self._store.state(job_id, now)

    async def restart(self, actor: Actor, job_id: str, reset_scope: str = "") -> JobState:
        """Look at every object anew. ``reset_scope``: comma separated values of reference section 23; empty = the
        portal's Restart (QuarantineState, Watermark, Escrows), which keeps the links. Raises ``InvalidInput``.

        ForceDeletes lets the deletions go that a guard holds back.
        """
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
            resume=True,
            fresh_window=lifted,
            again_from_start=bool(wanted & {"watermark", "links"}),
            escrows="escrows" in wanted,
            drop_links="links" in wanted,
            activity=activities.RESTART,
            actor=actor,
            details={"resetScope": reset_scope or DEFAULT_SCOPE},
        )
        return await self._store.state(job_id, now)

    async def delete(self, actor: Actor, job_id: str) -> None:
        """Forget all of a job: links, queue, cycles, log, credentials; mappings and settings are the template's again.

        The app stays, and so do the accounts in the target: a job that is set up anew matches everybody anew.
        """
        await self._job(actor, job_id)
        await self._store.forget(job_id)
        await self._applications.reset_job(actor, job_id)

    async def forget(self, actor: Actor, removed: Removed) -> None:
        """Remove what the engine keeps of the jobs of an application that was removed: state, links, cycles and log."""
        actor.require(Right.APPLICATIONS_WRITE, removed.service_principal.tenant_id)
        for job_id in removed.job_ids:
            await self._store.forget(job_id)

    async def forget_jobs(self, actor: Actor, removed: Removed) -> None:
        """The same of jobs that were removed while their application stays."""
        actor.require(Right.SYNCHRONIZATION_WRITE, removed.service_principal.tenant_id)
        for job_id in removed.job_ids:
            await self._store.forget(job_id)

    async def settings(self, actor: Actor, job_id: str) -> dict[str, str]:
        """The job's settings as ``change_settings`` takes them."""
        return job_settings.shown_settings((await self._job(actor, job_id)).settings)

    async def change_settings(self, actor: Actor, job_id: str, texts: Mapping[str, str]) -> tuple[Job, list[str]]:
        """Change settings by the keys of ``settings.SETTINGS``; the job, and what a person should be warned of.

        What changes who is in scope takes effect at once: a started job looks at everybody anew. Raises
        ``InvalidInput``, and then nothing is changed.
        """
        job = await self._job(actor, job_id)
        changes = job_settings.read_settings(texts, job.settings)
        changed = await self._applications.change_settings(actor, job_id, changes)
        if "interval_seconds" in changes:
            next_run = self._clock.now_ms() + changed.settings.interval_seconds * 1000
            await self._store.hasten(job_id, next_run)
        return changed, job_settings.warnings_of(changes)

    async def escrows(self, actor: Actor, job_id: str, limit: int = 1_000) -> list[Escrow]:
        """What failed or waits: why, since when, and the time of its next attempt."""
        await self._job(actor, job_id)
        return await self._store.escrows(job_id, limit)

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
        """Of the running cycle: ``considered`` so far, ``waiting`` to be looked at, the phase, ``objectsPerSecond``
        since it began, ``etaSeconds`` (null while nothing can be said), ``pacing``; empty without a running cycle.

        ``pacing``: ``requestsPerSecond`` that the target takes as far as was learnt (null: no limit was met), answers
        that were ``throttled``, until when it asked for a pause (ms UTC, null for none), and ``atOnce``, the requests
        under way at most of each worker, where answers came so late that fewer are sent (null: what the profile says).
        """
        await self._readable(actor, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        cycle = await self._store.cycle(state.running_cycle_id) if state.running_cycle_id else None
        if cycle is None:
            return {}
        waiting = await self._store.unfinished(job_id, now)
        took = max(now - cycle.began_at, 1) / 1000
        rate = cycle.considered / took
        pacing = await self._pacing(job_id, now)
        pause = max(0, (pacing["pausedUntil"] or 0) - now) / 1000
        return {
            "cycleId": cycle.id,
            "phase": cycle.phase,
            "considered": cycle.considered,
            "waiting": waiting,
            "objectsPerSecond": round(rate, 1),
            "etaSeconds": round(waiting / rate + pause) if rate else None,
            "pacing": pacing,
        }

    async def _pacing(self, job_id: str, now: int) -> dict[str, Any]:
        known: Sequence[Pace] = ()
        if self._paces is not None:
            address = (await self._applications.credentials(SERVICE, job_id)).base_address
            known = await self._paces.of(parse_tenant_url(address).root)
        learnt = of_all([Learnt(one.rate, one.refused_at, one.raised_at) for one in known])
        return {
            "requestsPerSecond": None if learnt.rate is None else round(learnt.rate, 1),
            "throttled": sum(one.throttled for one in known),
            "pausedUntil": max((one.paused_until for one in known if one.paused_until), default=None),
            "atOnce": min((one.at_once for one in known if one.at_once and one.is_active(now)), default=None),
        }

    async def state(self, actor: Actor, job_id: str) -> JobState:
        """Where the job stands."""
        await self._readable(actor, job_id)
        return await self._store.state(job_id, self._clock.now_ms())

    async def status(self, actor: Actor, job_id: str) -> dict[str, Any]:
        """The job as Graph shows it: ``status.py``."""
        job = await self._readable(actor, job_id)
        now = self._clock.now_ms()
        state = await self._store.state(job_id, now)
        landmarks = await self._store.landmarks(job_id)
        running = landmarks.newest is not None and landmarks.newest.state == "Running"
        return job_document(
            job,
            state,
            landmarks,
            await self._store.link_counts(job_id),
            credentials=await self._credentials_state(job),
            waiting=await self._store.unfinished(job_id, now) if running else 0,
            undecided=await self._decisions.count(job_id),
            now=now,
        )

    async def log(
        self, actor: Actor, job_id: str, wanted: LogFilter | None = None, *, limit: int = 100
    ) -> Sequence[Entry]:
        """Entries of a job's provisioning log, newest first."""
        job = await self._applications.job(actor, job_id)
        actor.require(Right.PROVISIONING_LOG_READ, job.tenant_id)
        return await self._store.log(job_id, wanted or LogFilter(), limit)

    async def _readable(self, actor: Actor, job_id: str) -> Job:
        return await self._applications.job(actor, job_id)

    async def _job(self, actor: Actor, job_id: str) -> Job:
        job = await self._applications.job(actor, job_id)
        actor.require(Right.SYNCHRONIZATION_WRITE, job.tenant_id)
        return job

    async def _credentials_state(self, job: Job) -> CredentialsState:
        state = await self._store.state(job.id, self._clock.now_ms())
        return state_of(state.credentials, await self._applications.credentials_version(SERVICE, job.id))

    async def _check_credentials(self, actor: Actor, job: Job) -> None:
        """Raises ``CredentialsRefused`` when the job may not start on its credentials."""
        before = await self._credentials_state(job)
        if before.state == "verified":
            return
        result, story = await self._tested(actor, job)
        if story is not None:
            await self._store.save_credentials_state(job.id, story, self._clock.now_ms())
        if bars_start(result, before):
            raise CredentialsRefused(
                result, f"{job.display_name} was not started, because its credentials fail:", "Then start it again."
            )

    async def _tested(self, actor: Actor, job: Job) -> tuple[ConnectionResult, dict[str, Any] | None]:
        before = await self._credentials_state(job)
        version = await self._applications.credentials_version(actor, job.id)
        try:
            result = await _connection(job, await self._targets.client(actor, job))
        except TargetError as error:  # no access token
            result = diagnose(error, "User", users_answered=False)
        return result, learnt(result, version, before, self._clock.now_ms())


async def _connection(job: Job, client: ScimClient) -> ConnectionResult:
    user = job.schema.user.matching
    group = job.schema.group.matching if job.schema.group and client.capabilities.groups else ()
    return await client.test(user[0].target if user else "userName", group[0].target if group else "displayName")
