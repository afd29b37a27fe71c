"""Object connections, their rows."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.errors import Conflict
from provisor.events.audit import activities
from provisor.events.audit.model import Modified, NewEntry, Target
from provisor.events.audit.store import record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provisioning.connections")
_AT_REST = ("Paused", "NotConfigured")


class JobRunning(Conflict):
    """The job has to be paused first."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Which target object stands for a source object."""

    source_id: str
    kind: str
    target_id: str
    display_name: str


class ConnectionStore:
    """Reads and forgets them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def connection(self, job_id: str, source_id: str) -> Connection | None:
        """The pair of one source object."""

        async def work(tx: Tx) -> Row | None:
            return await tx.fetch_one(_SQL["connection"], {"job_id": job_id, "source_id": source_id})

        row = await self._database.read(work)
        return Connection(*row) if row else None

    async def forget(
        self, tenant_id: str, job_id: str, app_name: str, source_id: str, *, actor: Actor, now: int
    ) -> None:
        """Forget the pair, if there is one, and mark the object. Raises ``JobRunning``."""

        async def work(tx: Tx) -> None:
            state = await tx.fetch_one(_SQL["state"], {"job_id": job_id})
            if state is not None and (state[0] not in _AT_REST or state[1] is not None):
                raise JobRunning(
                    f"The job of {app_name} is running, or may start at any time.",
                    hint="Pause it, and wait for its cycle.",
                )
            which = {"job_id": job_id, "source_id": source_id}
            row = await tx.fetch_one(_SQL["connection"], which)
            if row is None:
                return
            found = Connection(*row)
            await tx.execute(_SQL["drop_link"], which)
            await tx.execute(_SQL["drop_memberships"], which)
            await tx.execute(_SQL["mark"], {**which, "object_type": found.kind, "now": now})
            changed = (Modified("targetAnchor", found.target_id, None),)
            targets = (Target("Job", job_id, app_name, changed), Target(found.kind, source_id, found.display_name))
            entry = NewEntry(activities.FORGET_CONNECTION, actor, targets)
            await record(tx, tenant_realm(tenant_id), [entry], at=now)

        await self._database.write(work)
