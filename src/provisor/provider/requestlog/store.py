"""App side, after the answer: the log of SCIM requests in the database."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from provisor.provider.requestlog.model import Entry, Wanted
from provisor.storage.database import Database, Params, Row, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provider.requestlog")
# One unit of work keeps other writers waiting for a few milliseconds at most.
_ROWS = 250
_FORGOTTEN = 2_000

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
        path = None
        if wanted.path is not None:
            escaped = wanted.path.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            path = f"%{escaped}%"
        params = {
            "company_id": company_id,
            "before": wanted.before,
            "status": wanted.status,
            "least_status": 400 if wanted.failed else 0,
            "method": wanted.method,
            "credential": wanted.credential,
            "path": path,
            "since": wanted.since,
            "until": wanted.until,
            "limit": limit,
        }

        async def work(tx: Tx) -> list[Entry]:
            rows = await tx.fetch_all(_SQL["requests"], params)
            return [_entry(row) for row in rows]

        return await self._database.read(work, long=True)

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


def _entry(row: Row) -> Entry:
    values = [*row]
    values[-1] = () if row[-1] is None else _ignored(row[-1])
    return Entry(*values)
