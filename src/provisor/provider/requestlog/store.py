"""App side, after the answer: the log of SCIM requests in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from provisor.provider.requestlog.model import Entry, EntryPage, Wanted
from provisor.storage.database import Database, Params, Row, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provider.requestlog")
# One unit of work keeps other writers waiting for a few milliseconds at most.
_ROWS = 250
_FORGOTTEN = 2_000
# No id, which is of hexadecimal digits, comes after it.
_AFTER_ALL = "g"

_ignored = msgspec.json.Decoder(list[str]).decode


class RequestStore:
    """Persistence of ``provisor.provider.requestlog.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, rows: Sequence[Params]) -> None:
        """Store entries, oldest first."""
        for begin in range(0, len(rows), _ROWS):
            some = rows[begin : begin + _ROWS]

            async def work(tx: Tx, some: Sequence[Params] = some) -> None:
                await tx.execute_many(_SQL["insert_request"], some)

            await self._database.write(work)

    async def entries(self, company_id: str, wanted: Wanted, limit: int) -> list[Entry]:
        """The newest ``limit`` entries that fit, newest first."""
        params = _conditions(company_id, wanted, limit)

        async def work(tx: Tx) -> list[Entry]:
            rows = await tx.fetch_all(_SQL["requests"], params)
            return [_entry(row) for row in rows]

        return await self._database.read(work, long=True)

    async def page(self, company_id: str, wanted: Wanted, limit: int, window: int) -> EntryPage:
        """The newest entries that fit among the newest ``window`` before ``wanted.before``."""
        params = {**_conditions(company_id, wanted, limit + 1), "window": window - 1}
        params["before"] = wanted.before or _AFTER_ALL

        async def work(tx: Tx) -> EntryPage:
            end = await tx.fetch_one(_SQL["window_end"], params)
            oldest = end[0] if end else None
            rows = await tx.fetch_all(_SQL["request_lines"], {**params, "oldest": oldest or ""})
            found = [_entry(row) for row in rows]
            if len(found) > limit:
                return EntryPage(found[:limit], found[limit - 1].id)
            return EntryPage(found, oldest)

        return await self._database.read(work, long=True)

    async def activity(self, company_id: str, since: int, width: int, window: int) -> dict[int, tuple[int, int]]:
        """Stretch after ``since`` (ms UTC) -> how many requests, and how many failed; of the newest ``window``."""
        stamp = f"{since:012x}"
        params = {"company_id": company_id, "since": since, "width": width, "window": window}

        async def work(tx: Tx) -> dict[int, tuple[int, int]]:
            rows = await tx.fetch_all(_SQL["activity"], {**params, "oldest": f"{stamp[:8]}-{stamp[8:]}"})
            return {int(row[0]): (int(row[1]), int(row[2])) for row in rows}

        return await self._database.read(work, long=True)

    async def about(self, company_id: str, resource_id: str, limit: int) -> list[Entry]:
        """The newest entries about one resource, without their bodies."""
        params = {"company_id": company_id, "resource_id": resource_id, "limit": limit}

        async def work(tx: Tx) -> list[Entry]:
            return [_entry(row) for row in await tx.fetch_all(_SQL["requests_about"], params)]

        return await self._database.read(work)

    async def entry(self, company_id: str, entry_id: str) -> Entry | None:
        """One entry with its bodies; null when the company has none of this id."""

        async def work(tx: Tx) -> Entry | None:
            row = await tx.fetch_one(_SQL["request"], {"company_id": company_id, "id": entry_id})
            return None if row is None else _entry(row)

        return await self._database.read(work)

    async def forget(self, before: int) -> int:
        """Delete the entries from before a moment (ms UTC); how many there were."""

        async def work(tx: Tx) -> int:
            return await tx.execute(_SQL["forget_requests"], {"before": before, "most": _FORGOTTEN})

        forgotten = 0
        while some := await self._database.write(work):
            forgotten += some
            if some < _FORGOTTEN:
                break
        return forgotten


_IGNORED = 10


def _entry(row: Row) -> Entry:
    values = [*row]
    values[_IGNORED] = () if row[_IGNORED] is None else _ignored(row[_IGNORED])
    return Entry(*values)


def _conditions(company_id: str, wanted: Wanted, limit: int) -> dict[str, Any]:
    path = None
    if wanted.path is not None:
        escaped = wanted.path.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        path = f"%{escaped}%"
    return {
        "company_id": company_id,
        "before": wanted.before,
        "status": wanted.status,
        "least_status": 400 if wanted.failed else 0,
        "method": wanted.method,
        "credential": wanted.credential,
        "path": path,
        "since": wanted.since,
        "until": wanted.until,
        "with_ignored": int(wanted.with_ignored),
        "limit": limit,
    }
