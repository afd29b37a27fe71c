"""App side, step 2: lists of users and groups out of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from provisor.provider.browsing.model import Line, Lines, Link, Members
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import id_list, named_queries

_SQL = named_queries("provisor.provider.browsing")
# What is found is sorted by name: of very much, some.
MOST_FOUND = 1_000
MOST_GROUPS = 500
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class BrowsingStore:
    """Persistence of ``provisor.provider.browsing.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, company_id: str, kind: str, after: str, limit: int) -> Lines:
        """All of a type, by name, after a name."""
        params = {"company_id": company_id, "type": kind, "after": after, "limit": limit + 1}

        async def work(tx: Tx) -> Lines:
            rows = await tx.fetch_all(_SQL["first_lines"], params)
            total = await tx.fetch_one(_SQL["total"], params)
            return _lines([_line(row) for row in rows], limit, total[0] if total else 0)

        return await self._database.read(work, long=True)

    async def search(
        self, company_id: str, kind: str, text: str, exact: str, paths: Sequence[str], after: str, limit: int
    ) -> Lines:
        """Those with ``text`` (folded) in their unique name or the values at ``paths``, or with the id ``exact``."""
        base = {"company_id": company_id, "type": kind}

        async def work(tx: Tx) -> Lines:
            params = {**base, "text": text, "limit": MOST_FOUND + 1}
            found = {exact, *(row[0] for row in await tx.fetch_all(_SQL["search_name"], params))}
            for path in paths:
                values = {**params, "path": path, "text": exact if path == "externalId" else text}
                found |= {row[0] for row in await tx.fetch_all(_SQL["search_values"], values)}
            capped = len(found) > MOST_FOUND + 1
            some = sorted(found)[: MOST_FOUND + 1]
            keyed = sorted(
                (row[0], row[1]) for row in await tx.fetch_all(_SQL["keys_of"], {**base, "ids": id_list(some)})
            )
            wanted = [pair[1] for pair in keyed if pair[0] > after][: limit + 1]
            rows = await tx.fetch_all(_SQL["lines_of"], {**base, "ids": id_list(wanted)})
            lines = sorted((_line(row) for row in rows), key=lambda line: line.key)
            return _lines(lines, limit, len(keyed), capped)

        return await self._database.read(work, long=True)

    async def line(self, company_id: str, kind: str, resource_id: str) -> Line | None:
        """One of them; null when the company has none of this id."""

        async def work(tx: Tx) -> Line | None:
            ids = id_list([resource_id])
            rows = await tx.fetch_all(_SQL["lines_of"], {"company_id": company_id, "type": kind, "ids": ids})
            return _line(rows[0]) if rows else None

        return await self._database.read(work)

    async def groups_of(self, company_id: str, member_id: str) -> list[Link]:
        """The groups that somebody is directly in."""

        async def work(tx: Tx) -> list[Link]:
            rows = await tx.fetch_all(
                _SQL["groups_of"], {"company_id": company_id, "id": member_id, "limit": MOST_GROUPS}
            )
            return [Link("Group", *row) for row in rows]

        return await self._database.read(work, long=True)

    async def members(self, company_id: str, group_id: str, after: str, limit: int) -> Members:
        """A page of a group's members after an id."""
        params = {"company_id": company_id, "id": group_id, "after": after, "limit": limit + 1}

        async def work(tx: Tx) -> Members:
            rows = await tx.fetch_all(_SQL["members"], params)
            total = await tx.fetch_one(_SQL["member_total"], params)
            links = [Link(*row) for row in rows]
            more = links[limit - 1].id if len(links) > limit else None
            return Members(links[:limit], more, total[0] if total else 0)

        return await self._database.read(work, long=True)

    async def member_totals(self, company_id: str, group_ids: Sequence[str]) -> dict[str, int]:
        """How many members each of these groups has."""

        async def work(tx: Tx) -> dict[str, int]:
            params = {"company_id": company_id, "ids": id_list(group_ids)}
            return {row[0]: row[1] for row in await tx.fetch_all(_SQL["member_totals"], params)}

        return await self._database.read(work, long=True)

    async def names(self, company_id: str, ids: Sequence[str]) -> dict[str, str]:
        """What users and groups are called; who is gone is not there."""

        async def work(tx: Tx) -> dict[str, str]:
            params = {"company_id": company_id, "ids": id_list(ids)}
            return {row[0]: row[1] for row in await tx.fetch_all(_SQL["names_of"], params) if row[1] is not None}

        return await self._database.read(work, long=True)


def _line(row: Row) -> Line:
    resource_id, key, display, text, created_at, modified_at, source_id, source = row
    return Line(resource_id, key, display, _decode(text), created_at, modified_at, source_id, source)


def _lines(found: Sequence[Line], limit: int, total: int, capped: bool = False) -> Lines:
    return Lines(found[:limit], found[limit - 1].key if len(found) > limit else None, total, capped)
