"""After a cycle, the door: whoever doubts a count looks at exactly the objects that it counts."""

from __future__ import annotations

from provisor.applications.service import Applications
from provisor.errors import InvalidInput
from provisor.provisioning.model import Action
from provisor.provisioning.outcomes.model import Outcome
from provisor.provisioning.outcomes.store import OutcomeStore
from provisor.security.actor import Actor, Right

MOST = 1_000


class Outcomes:
    """What a cycle's counts are made of. Methods check the actor's right to read the log."""

    def __init__(self, store: OutcomeStore, applications: Applications) -> None:
        self._store = store
        self._applications = applications

    async def page(
        self,
        actor: Actor,
        job_id: str,
        cycle_id: str,
        *,
        action: str | None = None,
        reason: str | None = None,
        kind: str | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[Outcome]:
        """The next objects with this outcome, by source id from ``after``; null: whatever it is.

        All pages together are as many as the cycle counts. A cycle of another job has none. Raises ``InvalidInput``.
        """
        job = await self._applications.job(actor, job_id)
        actor.require(Right.PROVISIONING_LOG_READ, job.tenant_id)
        if action is not None and action not in list(Action):
            raise InvalidInput(f"{action[:50]!r} is no outcome.", hint=f"They are: {', '.join(Action)}.")
        if not 1 <= limit <= MOST:
            raise InvalidInput(f"limit is {limit}.", hint=f"Ask for 1 to {MOST} objects.")
        return await self._store.page(
            job.id, cycle_id, action=action, reason=reason, kind=kind, after=after, limit=limit
        )
