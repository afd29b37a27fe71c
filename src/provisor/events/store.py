"""Step 1 of the flow: change feeds that never skip, written in the transaction of the change itself.

Call ``append`` or ``append_outbox`` **last** in a unit of work: from there to the commit the tenant's (the company's)
other writers wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import asdict

from provisor.errors import Conflict
from provisor.events.correlation import correlation_id
from provisor.events.model import Change, NewChange, NewOutboxChange, OutboxChange, Span
from provisor.storage.database import Database, Tx
from provisor.storage.queries import Query, named_queries

_QUERIES = named_queries("provisor.events")


async def append(tx: Tx, tenant_id: str, entries: Sequence[NewChange], *, actor: str, at: int) -> int:
    """Number the entries and add them to the tenant's feed. Returns the last number, or the head without any."""
    common = {"tenant_id": tenant_id, "actor": actor, "at": at, "correlation_id": correlation_id()}
    rows = [{**common, **asdict(entry)} for entry in entries]
    key = {"tenant_id": tenant_id}
    if not rows:
        return await _head(tx, _QUERIES["feed_head"], key)
    return await _number(tx, rows, key, _QUERIES["take_feed_numbers"], _QUERIES["append_feed"])


async def append_outbox(tx: Tx, company_id: str, entries: Sequence[NewOutboxChange], at: int) -> int:
    """Number the entries and add them to the company's outbox. Returns the last number, or the head without any."""
    rows = [{"company_id": company_id, "at": at, **asdict(entry)} for entry in entries]
    key = {"company_id": company_id}
    if not rows:
        return await _head(tx, _QUERIES["outbox_head"], key)
    if len(rows) == 1 and tx.dialect == "postgresql":
        return await _head(tx, _QUERIES["append_outbox_one"], rows[0])
    return await _number(tx, rows, key, _QUERIES["take_outbox_numbers"], _QUERIES["append_outbox"])


class FeedExpired(Conflict):
    """The feed no longer has all the changes since then."""


class OutboxExpired(Conflict):
    """The outbox no longer has all the changes since then. ``head``: the last number."""

    def __init__(self, after: int, span: Span) -> None:
        super().__init__(
            f"Changes up to {span.floor} are no longer kept, so that those after {after} are not all there.",
            hint=f"Note {span.head}, the last number; read all resources anew; then go on after the number noted.",
        )
        self.head = span.head


class FeedStore:
    """Reads tenants' feeds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, tenant_id: str, after: int, limit: int) -> list[Change]:
        """The next ``limit`` changes whose number is above ``after``, in order; 0 begins at the start.

        Raises ``FeedExpired`` when some of them are gone, or when ``after`` was never given out (the database was
        brought back to an earlier state): whoever reads has to begin with everything anew.
        """
        params = {"tenant_id": tenant_id, "after": after, "limit": limit}

        async def work(tx: Tx) -> list[Change]:
            floor = await tx.fetch_one(_QUERIES["feed_span"], params)
            if floor is not None and not floor[0] <= after <= floor[1]:
                raise FeedExpired(
                    f"The feed goes from {floor[0]} to {floor[1]}, and not from {after}.",
                    hint="Read everything anew, and go on from the number that is the last one then.",
                )
            return [Change(*row) for row in await tx.fetch_all(_QUERIES["read_feed"], params)]

        return await self._database.read(work)

    async def head(self, tenant_id: str) -> int:
        """The last number given out; 0 of a tenant without changes."""
        return await self._database.read(lambda tx: _head(tx, _QUERIES["feed_head"], {"tenant_id": tenant_id}))


class OutboxStore:
    """Reads companies' outboxes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, company_id: str, after: int, limit: int) -> list[OutboxChange]:
        """The next ``limit`` changes whose number is above ``after``, in order; 0 begins at the start.

        Raises ``OutboxExpired`` when some of them are gone.
        """
        params = {"company_id": company_id, "after": after, "limit": limit}

        async def work(tx: Tx) -> list[OutboxChange]:
            # Before the rows: what is appended between the two must not look like rows that are gone.
            head = await _head(tx, _QUERIES["outbox_head"], params)
            found = [OutboxChange(*row) for row in await tx.fetch_all(_QUERIES["read_outbox"], params)]
            if found[0].seq > after + 1 if found else after < head:
                raise OutboxExpired(after, await _span(tx, params))
            return found

        return await self._database.read(work)

    async def span(self, company_id: str) -> Span:
        """From where to where changes can be read; 0 to 0 of a company without changes."""
        return await self._database.read(lambda tx: _span(tx, {"company_id": company_id}))

    async def head(self, company_id: str) -> int:
        """The last number given out; 0 of a company without changes."""
        return await self._database.read(lambda tx: _head(tx, _QUERIES["outbox_head"], {"company_id": company_id}))


async def _span(tx: Tx, key: Mapping[str, Any]) -> Span:
    row = await tx.fetch_one(_QUERIES["outbox_span"], key)
    return Span(0, 0) if row is None else Span(*row)


async def _head(tx: Tx, query: Query, key: Mapping[str, Any]) -> int:
    row = await tx.fetch_one(query, key)
    return 0 if row is None else int(row[0])


async def _number(tx: Tx, rows: list[dict[str, Any]], key: dict[str, str], take: Query, insert: Query) -> int:
    taken = await tx.fetch_one(take, {**key, "count": len(rows)})
    if taken is None:
        raise AssertionError("An INSERT with RETURNING returns a row.")
    last = int(taken[0])
    for seq, row in enumerate(rows, start=last - len(rows) + 1):
        row["seq"] = seq
    if len(rows) == 1:
        await tx.execute(insert, rows[0])
    else:
        await tx.execute_many(insert, rows)
    return last
