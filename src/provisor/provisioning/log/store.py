"""Step log: its rows, by filter and cursor.

No page costs more than its bound, whatever is asked for: it looks at ``SCAN`` rows of one index, and goes on from there
with the next page. Filters that an index answers by itself are not bounded, since all that is looked at is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from provisor.provisioning.log.model import Entry, LogFilter
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import Query, named_queries

_SQL = named_queries("provisor.provisioning.log")
_END = (1 << 62, "~")
_BEGIN = (-1, "")

# What is read to look at one: an index's entry alone, or its row in the table as well.
SCAN_NAMES = 100_000
SCAN_ROWS = 15_000

# The filters in the order in which one is chosen to drive a page: the first finds the fewest. Each has an index.
_DRIVERS = ("change_id", "source_id", "target_id", "cycle_id", "error_code", "action", "status", "job_id")
_EQUAL = (*_DRIVERS, "object_type", "source_name")
_MOMENTS = ("since", "until")
# Their indices begin with the tenant.
_WITH_TENANT = frozenset({"tenant_id", "error_code", "action", "status"})

# Where a page begins or ends: the moment and the id of an entry.
Place = tuple[int, str]


class LogStore:
    """Reads the provisioning log, and lets its oldest entries go."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, tenant_id: str, wanted: LogFilter, *, before: Place | None, limit: int
    ) -> tuple[list[tuple[Place, Entry]], Place | None]:
        """The next entries, newest first, and where to go on: null at the end of the log."""
        given = _given(wanted)
        start = min(before or _END, _END if wanted.until is None else (wanted.until, ""))
        end = _BEGIN if wanted.since is None else (wanted.since, "")
        names = frozenset(given)
        named = names == {"source_name"}
        driver = next((name for name in _DRIVERS if name in names), "tenant_id")
        params = {"tenant_id": tenant_id, "before_at": start[0], "before_id": start[1], "limit": limit, **given}
        scan = SCAN_NAMES if named else SCAN_ROWS

        async def work(tx: Tx) -> tuple[list[Row], Place | None]:
            bound: Place | None = None
            if names - {driver}:
                row = await tx.fetch_one(_bound(driver), {**params, "scan": scan})
                bound = None if row is None or (row[0], row[1]) <= end else (row[0], row[1])
            low = bound or end
            query = _SQL["named"] if named else _page(names, driver)
            return await tx.fetch_all(query, {**params, "bound_at": low[0], "bound_id": low[1]}), bound

        rows, bound = await self._database.read(work, long=True)
        found = [((row[0], row[1]), msgspec.json.decode(row[2])) for row in rows]
        return found, found[-1][0] if len(found) == limit else bound

    async def count(self, tenant_id: str, wanted: LogFilter) -> int:
        """How many entries there are of these."""
        given = _given(wanted)
        given.update({name: value for name in _MOMENTS if (value := getattr(wanted, name)) is not None})
        query = _count(frozenset(given))

        async def work(tx: Tx) -> int:
            row = await tx.fetch_one(query, {"tenant_id": tenant_id, **given})
            return row[0] if row else 0

        return await self._database.read(work, long=True)

    async def entry(self, tenant_id: str, entry_id: str) -> Entry | None:
        """One entry by its id."""
        params = {"tenant_id": tenant_id, "id": entry_id}
        row = await self._database.read(lambda tx: tx.fetch_one(_SQL["entry"], params))
        return None if row is None else msgspec.json.decode(row[0])

    async def tenants(self) -> Sequence[str]:
        """Whose entries there may be."""
        return [row[0] for row in await self._database.read(lambda tx: tx.fetch_all(_SQL["tenants"]))]

    async def expire(self, tenant_id: str, before: int, limit: int) -> int:
        """Delete up to ``limit`` of the oldest entries from before that moment; how many those were."""
        params = {"tenant_id": tenant_id, "before": before, "limit": limit}

        async def work(tx: Tx) -> int:
            return await tx.execute(_SQL["expire"], params)

        return await self._database.write(work)


def _given(wanted: LogFilter) -> dict[str, Any]:
    """What must be equal, or contained."""
    given = {name: value for name in _EQUAL if (value := getattr(wanted, name)) is not None}
    if "source_name" in given:
        given["source_name"] = given["source_name"].lower()
    return given


def _driven(driver: str) -> list[str]:
    tenant = "by_tenant_id" if driver in _WITH_TENANT else "and_tenant_id"
    return [tenant] if driver == "tenant_id" else [f"by_{driver}", tenant]


@lru_cache(maxsize=512)
def _page(names: frozenset[str], driver: str) -> Query:
    others = [f"and_{name}" for name in _EQUAL if name in names and name != driver]
    return _joined(["page", *_driven(driver), *others, "page_end"])


@lru_cache(maxsize=64)
def _bound(driver: str) -> Query:
    return _joined(["bound", *(part for part in _driven(driver) if not part.startswith("and_")), "bound_end"])


@lru_cache(maxsize=512)
def _count(names: frozenset[str]) -> Query:
    plain = [f"by_{name}" for name in _EQUAL if name in names and name != "source_name"]
    rest = [f"where_{name}" for name in _MOMENTS if name in names]
    return _joined(["count", *plain, *(["and_source_name"] if "source_name" in names else []), *rest])


def _joined(parts: Sequence[str]) -> Query:
    return Query.joined(_SQL[part] for part in parts)
