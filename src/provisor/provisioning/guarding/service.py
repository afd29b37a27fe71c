"""Step guard, its door: what is held, and somebody's decision about it. For API, portals and commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from provisor.applications.model import Job
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.errors import Conflict, NotFound
from provisor.provisioning.guarding.model import Decision, GuardWatcher, Held, Limits, Wave, limits
from provisor.provisioning.guarding.quarantining import REASON
from provisor.provisioning.guarding.store import GuardStore
from provisor.provisioning.store import ProvisioningStore
from provisor.security.actor import Actor, Right


class NothingHeld(NotFound):
    """Nothing of that is held."""


class AmbiguousHeld(Conflict):
    """Several held objects have this name."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A job's guards. ``held`` and ``rejected``: action (update, disable, delete) -> how many objects."""

    limits: Limits
    linked: int
    executed: int  # deletes and disables within the last 24 hours
    held: dict[str, int]
    rejected: dict[str, int]
    waves: list[Wave]


class Guards:
    """Methods check the actor's rights in the job's tenant."""

    def __init__(
        self,
        store: GuardStore,
        jobs: ProvisioningStore,
        applications: Applications,
        clock: Clock,
        watcher: GuardWatcher,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._applications = applications
        self._clock = clock
        self._watcher = watcher

    async def overview(self, actor: Actor, job_id: str) -> Overview:
        """Limits, what the window has seen, and what is held."""
        job = await self._job(actor, Right.SYNCHRONIZATION_READ, job_id)
        now = self._clock.now_ms()
        extent = await self._store.extent(job.id, "", now)
        counts = await self._store.counts(job.id)
        return Overview(
            limits=limits(job.settings, extent.linked),
            linked=extent.linked,
            executed=extent.executed,
            held={action: n for (state, action), n in sorted(counts.items()) if state == "held"},
            rejected={action: n for (state, action), n in sorted(counts.items()) if state == "rejected"},
            waves=await self._store.waves(job.id),
        )

    async def held(
        self,
        actor: Actor,
        job_id: str,
        *,
        state: Literal["held", "rejected", "approved"] = "held",
        action: str | None = None,
        wave_id: str | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[Held]:
        """A page of what is held (or was rejected, or is approved and not done yet), by source id from ``after``."""
        job = await self._job(actor, Right.SYNCHRONIZATION_READ, job_id)
        return await self._store.page(job.id, state=state, after=after, limit=limit, action=action, wave_id=wave_id)

    async def approve(self, actor: Actor, job_id: str, objects: Sequence[str] | None) -> list[str]:
        """Let these go (by id or name; null: all that is held). Rejected ones may be named too. The ids.

        They are looked at again first: what no longer asks for the same is not done. Raises ``NothingHeld``.
        """
        return await self._decide(actor, job_id, "approved", objects)

    async def reject(self, actor: Actor, job_id: str, objects: Sequence[str] | None) -> list[str]:
        """Do not do this (null: all that is held), until the objects ask for something else. Raises ``NothingHeld``."""
        return await self._decide(actor, job_id, "rejected", objects)

    async def force_deletes(self, actor: Actor, job_id: str) -> list[str]:
        """Restart with ForceDeletes: the deletes and disables that are held go, whatever held them. The ids."""
        job = await self._job(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        return await self._write(actor, job, "approved", None, deletions_only=True)

    async def _decide(self, actor: Actor, job_id: str, decision: Decision, objects: Sequence[str] | None) -> list[str]:
        job = await self._job(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        ids = None if objects is None else [await self._one(job, ref) for ref in objects]
        found = await self._write(actor, job, decision, ids)
        if not found:
            raise NothingHeld(
                f"Nothing of {job.display_name} is held." if ids is None else "These objects are not held.",
                hint="'provisor job held' shows what is.",
            )
        return found

    async def _write(
        self, actor: Actor, job: Job, decision: Decision, ids: Sequence[str] | None, *, deletions_only: bool = False
    ) -> list[str]:
        now = self._clock.now_ms()
        found = await self._store.decide(job, decision, ids, actor=actor, now=now, deletions_only=deletions_only)
        if found:
            await self._lift(job, now)
            await self._watcher.decided(actor, job, decision, found)
        return found

    async def _lift(self, job: Job, now: int) -> None:
        """The quarantine that was entered for what was held ends with the last decision about it."""
        state = await self._jobs.state(job.id, now)
        waiting = any(wave.rule == "deleteThreshold" for wave in await self._store.waves(job.id))
        if state.code == "Quarantine" and state.quarantine and state.quarantine["reason"] == REASON and not waiting:
            code = "Active" if state.schema_version is not None else "NotRun"
            await self._jobs.set_code(job.id, code, now=now, next_run_at=now)

    async def _one(self, job: Job, ref: str) -> str:
        found = await self._store.named(job.id, ref.strip())
        if not found:
            raise NothingHeld(f"Nothing of {ref!r} is held.", hint="'provisor job held' shows what is.")
        if len(found) > 1:
            raise AmbiguousHeld(f"Several held objects are called {ref!r}.", hint="Name the one you mean by its id.")
        return found[0]

    async def _job(self, actor: Actor, right: Right, job_id: str) -> Job:
        job = await self._applications.job(actor, job_id)
        actor.require(right, job.tenant_id)
        return job
