"""Step quarantine, and every change of a job's state: what is told of it, in the transaction of the change itself.

``Watched`` compares the state before with the state after, whoever changed it and why: so a quarantine is told once
when it begins, once when its reason changes, and once when it is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from provisor.applications.model import Job, JobSettings, Notification
from provisor.clock import Clock, iso
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target
from provisor.events.audit.store import record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.events.mail.store import enqueue
from provisor.provisioning.guarding.model import Decision, Wave
from provisor.provisioning.telling import messages
from provisor.provisioning.telling.messages import About, Failure
from provisor.security.actor import Actor, Realm
from provisor.storage.database import Database, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provisioning.telling")

_NAMED_IN_DIGEST = 50

SERVICE = Actor(Realm("system"), "Provisor Provisioning Service", frozenset(), kind="service")


@dataclass(frozen=True, slots=True)
class _State:
    code: str | None
    quarantine: Mapping[str, Any] | None

    @property
    def reason(self) -> str | None:
        return str(self.quarantine["reason"]) if self.quarantine else None


class Watched:
    """``before`` a change of a job's state, ``after`` it, both inside its unit of work."""

    def __init__(self, job_id: str, state: _State) -> None:
        self._job_id = job_id
        self._before = state

    @classmethod
    async def before(cls, tx: Tx, job_id: str) -> Watched:
        return cls(job_id, await _state(tx, job_id))

    async def after(
        self,
        tx: Tx,
        *,
        at: int,
        activity: Activity | None = None,
        actor: Actor = SERVICE,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Tell what has changed; ``activity``: what ``actor`` did, null when it was the service itself."""
        now = await _state(tx, self._job_id)
        job = await tx.fetch_one(_SQL["job"], {"job_id": self._job_id})
        if job is None:
            return
        tenant_id, service_principal_id, name, settings = job
        entries = []
        if activity is not None:
            entries.append((activity, Modified("status", self._before.code, now.code), actor, details or {}))
        if now.reason != self._before.reason:
            entry = activities.QUARANTINE_EXIT if now.reason is None else activities.QUARANTINE_ENTRY
            entries.append((entry, Modified("quarantine", self._before.reason, now.reason), actor, _why(now)))
        targets = Target("ServicePrincipal", service_principal_id, name)
        made = [
            NewEntry(what, who, (Target("Job", self._job_id, name, (change,)), targets), details=more)
            for what, change, who, more in entries
        ]
        await record(tx, tenant_realm(tenant_id), made, at=at)
        if now.quarantine is not None and now.reason != self._before.reason:
            about = About(tenant_id, self._job_id, name)
            await enqueue(tx, messages.quarantine(about, now.quarantine, _notification(settings)), at=at)


class Telling:
    """What is told outside of a cycle's own units of work: a guard that holds, credentials that end, what fails.

    It is the engine's ``GuardWatcher``. A wave that is told twice, after a crash, is one message.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def held(self, job: Job, wave: Wave) -> None:
        """A guard holds this wave."""
        facts = {"waveId": wave.id, "kind": wave.kind, "wanted": str(wave.wanted), "linked": str(wave.linked)}
        written = messages.guard(_about(job), wave.id, wave.reason, facts, job.settings.notification)
        target = Target("Job", job.id, job.display_name, (Modified("held", None, wave.reason),))
        entry = NewEntry(activities.HOLD, SERVICE, (target,), details=facts)

        async def work(tx: Tx) -> None:
            await record(tx, tenant_realm(job.tenant_id), [entry], at=self._clock.now_ms())
            await enqueue(tx, written, at=self._clock.now_ms())

        await self._database.write(work)

    async def decided(self, actor: Actor, job: Job, decision: Decision, ids: Sequence[str]) -> None:
        """Somebody has approved or rejected what was held of these objects."""
        activity = activities.APPROVE if decision == "approved" else activities.REJECT
        objects = tuple(Target("DirectoryObject", id_) for id_ in ids)
        entry = NewEntry(activity, actor, (Target("Job", job.id, job.display_name), *objects))

        async def work(tx: Tx) -> None:
            await record(tx, tenant_realm(job.tenant_id), [entry], at=self._clock.now_ms())

        await self._database.write(work)

    async def expiring(self, job: Job, days: int, at: int) -> None:
        """The job's credentials end at ``at``, which is within ``days``."""
        written = messages.expiring(_about(job), days, iso(at), job.settings.notification)
        await self._database.write(lambda tx: enqueue(tx, written, at=self._clock.now_ms()))

    async def digests(self) -> int:
        """Today's digest of every job that wants one and has something that fails; how many jobs those are."""
        rows = await self._database.read(lambda tx: tx.fetch_all(_SQL["digests"]), long=True)
        wanted = 0
        for job_id, tenant_id, name, settings in rows:
            notification = _notification(settings)
            if notification.enabled and notification.digest:
                wanted += 1
                await self._digest(About(tenant_id, job_id, name), notification)
        return wanted

    async def _digest(self, about: About, notification: Notification) -> None:
        now = self._clock.now_ms()
        params = {"job_id": about.job_id, "tenant_id": about.tenant_id, "limit": _NAMED_IN_DIGEST}

        async def work(tx: Tx) -> None:
            counts: dict[str, int] = dict(await tx.fetch_all(_SQL["failing_by_code"], params))
            failures = [
                Failure(name, kind, code, cause, iso(due))
                for name, kind, code, cause, due in await tx.fetch_all(_SQL["failing"], params)
            ]
            if counts:
                await enqueue(tx, messages.digest(about, iso(now)[:10], counts, failures, notification), at=now)

        await self._database.write(work)


def _about(job: Job) -> About:
    return About(job.tenant_id, job.id, job.display_name)


def _notification(settings: str) -> Notification:
    return msgspec.json.decode(settings, type=JobSettings).notification


async def _state(tx: Tx, job_id: str) -> _State:
    row = await tx.fetch_one(_SQL["state"], {"job_id": job_id})
    if row is None:
        return _State(None, None)
    return _State(row[0], msgspec.json.decode(row[1]) if row[1] else None)


def _why(state: _State) -> Mapping[str, str]:
    error = (state.quarantine or {}).get("error") or {}
    return {"code": str(error["code"]), "message": str(error["message"])} if error else {}
