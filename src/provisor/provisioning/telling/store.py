"""Step quarantine, and every change of a job's state: what is told of it, in the transaction of the change itself.

``Watched`` compares the state before with the state after, whoever changed it and why: so a quarantine is told once
when it begins, once when its reason changes, and once when it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target
from provisor.events.audit.store import record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.security.actor import Actor, Realm
from provisor.storage.database import Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provisioning.telling")

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
        tenant_id, service_principal_id, name, _ = job
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


async def _state(tx: Tx, job_id: str) -> _State:
    row = await tx.fetch_one(_SQL["state"], {"job_id": job_id})
    if row is None:
        return _State(None, None)
    return _State(row[0], msgspec.json.decode(row[1]) if row[1] else None)


def _why(state: _State) -> Mapping[str, str]:
    error = (state.quarantine or {}).get("error") or {}
    return {"code": str(error["code"]), "message": str(error["message"])} if error else {}
