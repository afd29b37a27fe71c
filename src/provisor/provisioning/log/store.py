"""Step log: what is found in its blocks, by filter and cursor; writing them, and letting them go.

No page costs more than its bound, whatever is asked for: it looks at ``SCAN`` blocks, and goes on from there with the
next page. What a key answers by itself is not bounded, since in every block that is looked at something is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from provisor.provisioning.log.blocks import KEYED, Head, Lines, Spot, key_of, keys_of, place_of, spots
from provisor.provisioning.log.model import Entry, LogFilter
from provisor.provisioning.log.reading import entries_of
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import Query, id_list, named_queries

_SQL = named_queries("provisor.provisioning.log")

# Blocks that are looked at for one page.
SCAN = 400
# Blocks that are fetched at once: few at first, since most pages are full after some.
_FIRST_FETCH, _MOST_FETCHED = 4, 128

# A cursor: an entry's block (its moment and number), and which of its entries: the next is an older one.
Place = tuple[int, int, int]
_ALL = 1 << 32
_END: Place = (1 << 62, 0, 0)
_BEGIN = (-1, 0)

# Compared with the heads, which have them as JSON; the block itself has the others.
_IN_HEADS = ("source_id", "target_id", "error_code", "action", "status", "object_type")
_IN_BLOCK = ("job_id", "cycle_id")


class LogStore:
    """Reads the provisioning log, and lets its oldest entries go."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, tenant_id: str, wanted: LogFilter, *, before: Place | None, limit: int
    ) -> tuple[list[Entry], Place | None]:
        """The next entries, newest first, and where to go on: null at the end of the log."""
        return await self._database.read(lambda tx: page(tx, tenant_id, wanted, before=before, limit=limit), long=True)

    async def count(self, tenant_id: str, wanted: LogFilter) -> int:
        """How many entries there are of these."""

        async def work(tx: Tx) -> int:
            look = _Look(tenant_id, wanted, None)
            if look.whole_blocks:
                row = await tx.fetch_one(look.query("count"), look.params)
                return row[0] or 0 if row else 0
            return sum([len(look.numbers(row, spot)) async for row, spot in look.lines(tx)])

        return await self._database.read(work, long=True)

    async def entry(self, tenant_id: str, entry_id: str) -> Entry | None:
        """One entry by its id."""
        wanted = LogFilter(change_id=entry_id)
        found, _ = await self.page(tenant_id, wanted, before=None, limit=1)
        return found[0] if found else None

    async def tenants(self) -> Sequence[str]:
        """Whose entries there may be."""
        return [row[0] for row in await self._database.read(lambda tx: tx.fetch_all(_SQL["tenants"]))]

    async def expire(self, tenant_id: str, before: int, limit: int) -> int:
        """Delete up to ``limit`` of the oldest blocks from before that moment; how many entries those had."""
        params = {"tenant_id": tenant_id, "before": before, "limit": limit}

        async def work(tx: Tx) -> int:
            return await _drop(tx, await tx.fetch_all(_SQL["oldest"], params))

        return await self._database.write(work)


async def page(
    tx: Tx, tenant_id: str, wanted: LogFilter, *, before: Place | None, limit: int
) -> tuple[list[Entry], Place | None]:
    """The next entries, newest first, and where to go on: null at the end of the log."""
    look = _Look(tenant_id, wanted, before)
    bound = await look.bind(tx)
    found: list[tuple[Row, Spot, list[int]]] = []
    left = limit
    async with aclosing(look.lines(tx)) as lines:
        async for row, spot in lines:
            numbers = look.numbers(row, spot)[:left]
            if numbers:
                found.append((row, spot, numbers))
                left -= len(numbers)
            if left == 0:
                return await _told(tx, found), (row[0], row[1], numbers[-1])
    return await _told(tx, found), bound


async def latest(tx: Tx, tenant_id: str, wanted: LogFilter, limit: int) -> list[Entry]:
    """Up to ``limit`` of the newest entries, however far back they are."""
    entries: list[Entry] = []
    before: Place | None = None
    while len(entries) < limit:
        found, before = await page(tx, tenant_id, wanted, before=before, limit=limit - len(entries))
        entries += found
        if before is None:
            break
    return entries


async def latest_of_job(tx: Tx, job_id: str, wanted: LogFilter, limit: int) -> list[Entry]:
    """The same of one job, whosever it is."""
    row = await tx.fetch_one(_SQL["tenant_of"], {"job_id": job_id})
    return [] if row is None else await latest(tx, row[0], replace(wanted, job_id=job_id), limit)


async def lines_of_cycle(tx: Tx, job_id: str, cycle_id: str, source_ids: Iterable[str]) -> list[tuple[Row, Spot]]:
    """What a cycle's log says about these objects, oldest first; ``told`` gives the entries."""
    ids = set(source_ids)
    tenant = await tx.fetch_one(_SQL["tenant_of"], {"job_id": job_id})
    if tenant is None or not ids:
        return []
    keys = id_list(str(key_of(tenant[0], "source_id", id_)) for id_ in ids)
    rows = await tx.fetch_all(_SQL["of_objects"], {"job_id": job_id, "cycle_id": cycle_id, "keys": keys})
    return [(row, spot) for row in rows for spot in spots(row[3]) if spot.head.source_id in ids]


async def told(tx: Tx, found: Sequence[tuple[Row, Spot]]) -> list[Entry]:
    """The first entry of each of these lines."""
    return await _told(tx, [(row, spot, [spot.first]) for row, spot in found])


async def save(
    tx: Tx, lines: Lines, common: Mapping[str, Any], *, tenant_id: str, job_id: str, cycle_id: str, at: int
) -> None:
    """Part of the commit that records a batch."""
    for block in lines.blocks:
        row = {
            "no": block.no,
            "id": block.id,
            "tenant_id": tenant_id,
            "job_id": job_id,
            "cycle_id": cycle_id,
            "at": at,
            "entries": block.entries,
            "tally": msgspec.json.encode(block.tally).decode(),
            "common": msgspec.json.encode(common).decode(),
            "heads": block.heads,
            "body": block.body,
        }
        await tx.execute(_SQL["save_block"], row)
        keys = msgspec.json.encode(keys_of(tenant_id, cycle_id, block.lines)).decode()
        await tx.execute(_SQL["save_keys"], {"keys": keys, "at": at, "no": block.no})


async def entries_by_status(tx: Tx, tenant_id: str, since: int) -> Counter[str]:
    """How many entries of each status there are since that moment, ms UTC."""
    counts: Counter[str] = Counter()
    for (tally,) in await tx.fetch_all(_SQL["tally"], {"tenant_id": tenant_id, "since": since}):
        counts.update(msgspec.json.decode(tally, type=dict[str, int]))
    return counts


async def forget(tx: Tx, job_id: str) -> None:
    """Nothing of a job's log stays."""
    while rows := await tx.fetch_all(_SQL["of_job"], {"job_id": job_id, "limit": _MOST_FETCHED}):
        await _drop(tx, rows)


async def _drop(tx: Tx, rows: Sequence[Row]) -> int:
    for no, at, tenant_id, cycle_id, heads, _ in rows:
        keys = keys_of(tenant_id, cycle_id, msgspec.json.decode(heads, type=list[Head]))
        await tx.execute_many(_SQL["drop_key"], [{"key": key, "at": at, "no": no} for key in keys])
        await tx.execute(_SQL["drop_block"], {"no": no})
    return sum(row[5] for row in rows)


async def _told(tx: Tx, found: Sequence[tuple[Row, Spot, Sequence[int]]]) -> list[Entry]:
    """The entries; of a block, only the bodies between the first and the last that are wanted are read."""
    spans: dict[int, tuple[int, int]] = {}
    for row, spot, _ in found:
        start, end = spans.get(row[1], (spot.start, spot.end))
        spans[row[1]] = (min(start, spot.start), max(end, spot.end))
    stored: dict[int, tuple[Mapping[str, Any], bytes]] = {}
    for no, (start, end) in spans.items():
        part = await tx.fetch_one(_SQL["body"], {"no": no, "start": start + 1, "length": end - start})
        if part is not None:
            stored[no] = (msgspec.json.decode(part[0]), bytes(part[1]))
    entries: list[Entry] = []
    for row, spot, numbers in found:
        common, body = stored[row[1]]
        start = spans[row[1]][0]
        entries += entries_of(common, row[2], spot, body[spot.start - start : spot.end - start], numbers)
    return entries


class _Look:
    """One look at the log: by which index, from where, and what is found."""

    def __init__(self, tenant_id: str, wanted: LogFilter, before: Place | None) -> None:
        given = {
            name: value for name in (*_IN_HEADS, *_IN_BLOCK) if (value := getattr(wanted, name)) is not None
        }  # equal
        self._name = None if wanted.source_name is None else wanted.source_name.lower()
        self._equal = {name: value for name, value in given.items() if name in _IN_HEADS}
        self._place = place_of(wanted.change_id) if wanted.change_id is not None else None
        self._nothing = wanted.change_id is not None and self._place is None
        self._before = before or _END
        key = next((name for name in KEYED if name in given), None)
        if self._place is not None:
            self._driver = "no"
        elif key is not None:
            self._driver = "key"
        else:
            self._driver = "job" if wanted.job_id is not None else "tenant"
        others = frozenset(given) - ({key} if self._driver == "key" else set())
        self._bounded = bool(others - ({"job_id"} if self._driver == "job" else set())) or self._name is not None
        start = min(self._before[:2], _END[:2] if wanted.until is None else (wanted.until, -1))
        end = _BEGIN if wanted.since is None else (wanted.since, -1)
        self._parts = (self._driver, *(f"and_{name}" for name in (*_IN_BLOCK, *_IN_HEADS) if name in others))
        if self._name is not None:
            self._parts = (*self._parts, "and_name")
        self.params: dict[str, Any] = {
            "tenant_id": tenant_id,
            "before_at": start[0],
            "before_no": start[1],
            "bound_at": end[0],
            "bound_no": end[1],
            "no": self._place[0] if self._place else 0,
            "key": key_of(tenant_id, key, given[key]) if key is not None else 0,
            "name": "" if self._name is None else _text(self._name)[1:-1],
            **{name: _text(value) for name, value in self._equal.items()},
            **{name: given[name] for name in _IN_BLOCK if name in given},
        }

    @property
    def whole_blocks(self) -> bool:
        """Is everything in a block found, or nothing?"""
        return not self._equal and self._name is None and self._place is None and not self._nothing

    def query(self, what: str) -> Query:
        """Count, or fetch."""
        return _joined((what, *self._parts))

    async def bind(self, tx: Tx) -> Place | None:
        """Bound what is looked at, where not all of it is found; where the next page begins then."""
        if not self._bounded or self._driver == "no" or self._nothing:
            return None
        row = await tx.fetch_one(_joined(("bound", f"bound_{self._driver}")), {**self.params, "scan": SCAN})
        if row is None or (row[0], row[1]) <= (self.params["bound_at"], self.params["bound_no"]):
            return None
        self.params |= {"bound_at": row[0], "bound_no": row[1]}
        return (row[0], row[1], _ALL)

    async def lines(self, tx: Tx) -> AsyncGenerator[tuple[Row, Spot], None]:
        """The lines that are asked for, newest first. A row: moment, number and id of the block, its heads."""
        if self._nothing:
            return
        limit, query = _FIRST_FETCH, _joined(("page", *self._parts, f"end_{self._driver}"))
        params = dict(self.params)
        while True:
            rows = await tx.fetch_all(query, {**params, "limit": limit})
            for row in rows:
                for spot in reversed(spots(row[3])):
                    if self._fits(spot.head):
                        yield row, spot
            if len(rows) < limit:
                return
            limit = min(limit * 4, _MOST_FETCHED)
            params |= {"before_at": rows[-1][0], "before_no": rows[-1][1] - 1}

    def numbers(self, row: Row, spot: Spot) -> list[int]:
        """Which entries of a line are asked for, newest first."""
        first, end = spot.first, spot.first + spot.head.count
        if (row[0], row[1]) == self._before[:2]:
            end = min(end, self._before[2])
        if self._place is not None:
            _, block_id, n = self._place
            return [n] if row[2] == block_id and first <= n < end else []
        return list(range(end - 1, first - 1, -1))

    def _fits(self, head: Head) -> bool:
        if self._name is not None and self._name not in head.name:
            return False
        return all(getattr(head, name) == value for name, value in self._equal.items())


def _text(value: str) -> str:
    """As it stands in JSON."""
    return msgspec.json.encode(value).decode()


@lru_cache(maxsize=1_024)
def _joined(parts: Sequence[str]) -> Query:
    return Query.joined(_SQL[part] for part in parts)
