"""Object connections, their door: which target object stands for somebody, and forgetting a wrong match.

Graph's ``objectConnections`` (beta): reference graph-synchronization-api.md section 8.
"""

from __future__ import annotations

from provisor.applications.model import Job
from provisor.clock import Clock
from provisor.errors import NotFound
from provisor.provisioning.connections.store import Connection, ConnectionStore
from provisor.security.actor import Actor, Right


class ConnectionNotFound(NotFound):
    """The object has no connection."""


class ObjectConnections:
    """The stored pairs of a job. Methods check the actor's rights in the job's tenant."""

    def __init__(self, store: ConnectionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def connection(self, actor: Actor, job: Job, source_id: str) -> Connection:
        """The pair of one user or group of the directory. Raises ``ConnectionNotFound``."""
        actor.require(Right.SYNCHRONIZATION_READ, job.tenant_id)
        found = await self._store.connection(job.id, source_id)
        if found is None:
            raise ConnectionNotFound(f"{job.display_name} has no connection of the object {source_id}.")
        return found

    async def forget(self, actor: Actor, job: Job, source_id: str) -> None:
        """Forget a pair, so that the next cycle matches the object anew; nothing is sent. Doing so again does nothing.

        Raises ``JobRunning`` unless the job is paused.
        """
        actor.require(Right.SYNCHRONIZATION_WRITE, job.tenant_id)
        now = self._clock.now_ms()
        await self._store.forget(job.tenant_id, job.id, job.display_name, source_id, actor=actor, now=now)
