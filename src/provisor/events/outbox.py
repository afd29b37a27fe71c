"""Last step of the flow: the product behind a company reads its changes, by cursor, from any point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.errors import InvalidInput
from provisor.events.model import OutboxChange, Span
from provisor.events.store import OutboxStore
from provisor.security.actor import Actor, Right

MOST_CHANGES = 1_000


@dataclass(frozen=True, slots=True)
class ChangePage:
    """The next changes in order. ``next`` is what to ask for afterwards; ``head`` the last number given out."""

    changes: Sequence[OutboxChange]
    next: int
    head: int


class Outbox:
    """Companies' changes: every committed one, in order, none skipped."""

    def __init__(self, store: OutboxStore) -> None:
        self._store = store

    async def read(self, actor: Actor, company_id: str, after: int, limit: int = 100) -> ChangePage:
        """The changes with numbers above ``after``; 0 begins at the first. Raises ``InvalidInput``, and
        ``OutboxExpired`` when some of them are no longer kept."""
        actor.require(Right.SCIM_READ, company_id)
        if not 1 <= limit <= MOST_CHANGES:
            raise InvalidInput(f"limit is {limit}.", hint=f"Ask for 1 to {MOST_CHANGES} changes.")
        if after < 0:
            raise InvalidInput(f"after is {after}.", hint="Begin with 0.")
        changes = await self._store.read(company_id, after, limit)
        # Read afterwards: a change between the two reads only makes the head newer.
        head = await self._store.head(company_id)
        if after > head:
            raise InvalidInput(
                f"after is {after}, but the last change has the number {head}: the database was brought back to an "
                "earlier state.",
                hint="Read all resources anew, and go on from the number that 'head' has then.",
            )
        return ChangePage(changes, changes[-1].seq if changes else after, head)

    async def span(self, actor: Actor, company_id: str) -> Span:
        """From where to where changes can be read."""
        actor.require(Right.SCIM_READ, company_id)
        return await self._store.span(company_id)
