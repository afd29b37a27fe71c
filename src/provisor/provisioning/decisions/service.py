"""Step matching, the door for a person's decisions: link to this account, create one, or leave the object out."""

from __future__ import annotations

from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.provisioning.decisions.model import CHOICES, Choice, Decision
from provisor.provisioning.decisions.store import DecisionStore
from provisor.provisioning.store import ProvisioningStore
from provisor.security.actor import Actor, Right


class Decisions:
    """What waits for a person. Methods check the actor's rights in the job's tenant."""

    def __init__(self, store: DecisionStore, jobs: ProvisioningStore, applications: Applications, clock: Clock) -> None:
        self._store = store
        self._jobs = jobs
        self._applications = applications
        self._clock = clock

    async def pending(self, actor: Actor, job_id: str, *, decided: bool = False, limit: int = 1_000) -> list[Decision]:
        """What waits, the oldest first; ``decided``: after it those that were decided and still hold."""
        await self._require(actor, Right.SYNCHRONIZATION_READ, job_id)
        return await self._store.all(job_id, limit, decided=decided)

    async def decide(self, actor: Actor, job_id: str, ref: str, choice: str, target_id: str | None = None) -> Decision:
        """Decide about one object, by its source id or its name; a started job carries it out at once.

        Raises ``NotFound`` when nothing about it is to be decided, ``InvalidInput``, and ``Conflict`` when the account
        is linked to somebody else, or several objects have that name.
        """
        await self._require(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        decision = await self._find(job_id, ref)
        wanted = _choice(choice)
        if wanted == "link":
            await self._check_candidate(job_id, decision, target_id)
        elif target_id is not None:
            raise InvalidInput(f"An account is named with link only, not with {wanted}.")
        now = self._clock.now_ms()
        await self._store.decide(job_id, decision, wanted, target_id, actor=actor.name or actor.subject, now=now)
        return (await self._store.of(job_id, [decision.source_id]))[decision.source_id]

    async def _find(self, job_id: str, ref: str) -> Decision:
        known = await self._store.all(job_id, 100_000, decided=True)
        found = [one for one in known if one.source_id == ref]
        found = found or [one for one in known if one.display_name.casefold() == ref.casefold()]
        if not found:
            raise NotFound(f"There is nothing to decide about {ref!r}.", hint="provisor job pending JOB shows what is.")
        if len(found) > 1:
            raise Conflict(
                f"{len(found)} objects are called {ref!r}.",
                hint=f"Give the id: {' or '.join(one.source_id for one in found[:5])}.",
            )
        return found[0]

    async def _check_candidate(self, job_id: str, decision: Decision, target_id: str | None) -> None:
        if target_id not in decision.candidate_ids:
            raise InvalidInput(
                f"{target_id!r} is none of the accounts that were found for {decision.display_name}.",
                hint=f"They are: {', '.join(sorted(decision.candidate_ids))}.",
            )
        holder = (await self._jobs.holders(job_id, decision.kind, [str(target_id)])).get(str(target_id))
        if holder is not None and holder != decision.source_id:
            raise Conflict(
                f"The account {target_id} is linked to another object of the directory ({holder}).",
                hint="Choose another account, or create.",
            )

    async def _require(self, actor: Actor, right: Right, job_id: str) -> None:
        actor.require(right, (await self._applications.job(actor, job_id)).tenant_id)


def _choice(text: str) -> Choice:
    for choice in CHOICES:
        if text.strip().lower() == choice:
            return choice
    raise InvalidInput(f"{text!r} is none of {', '.join(CHOICES)}.")
