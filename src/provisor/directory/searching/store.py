"""Searching, persistence. A statement's text depends on the shape of the filter alone; values are parameters.

A search that an index can narrow reads what the index finds and puts it in order. Any other walks the objects in the
order of the page, and looks at a bounded number of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

from provisor.directory.documents import document
from provisor.directory.model import Group, User
from provisor.directory.searching.model import Page, Position, Query, Sort
from provisor.directory.searching.narrowing import Narrowing, narrowing
from provisor.directory.store import DirectoryStore, Reader, group_of, user_of
from provisor.storage.database import Row

Kind = Literal["user", "group"]

# So many objects are looked at for one page, and read at once.
MOST_WALKED = 20_000
_STEP = 500
_COUNT_STEP = 5_000

_SELECT = {
    "user": (
        "SELECT o.id, m.id, o.document, o.version, o.created_at, o.deleted_at, o.name_key, o.upn_key"
        "  FROM directory_user o"
        "  LEFT JOIN directory_user m ON m.tenant_id = o.tenant_id AND m.id = o.manager_id AND m.deleted_at IS NULL"
    ),
    "group": ("SELECT o.id, o.document, o.version, o.created_at, o.deleted_at, o.name_key FROM directory_group o"),
}
_TABLE = {"user": "directory_user", "group": "directory_group"}
_KEY: dict[Sort, str] = {"id": "id", "displayName": "name_key", "userPrincipalName": "upn_key"}
_MAKE: dict[Kind, Callable[[str, Row], User | Group]] = {"user": user_of, "group": group_of}
_COLUMNS = {"user": 6, "group": 5}


class SearchStore:
    """Reads pages of users and groups."""

    def __init__(self, store: DirectoryStore, *, most_walked: int = MOST_WALKED) -> None:
        self._store = store
        self._most_walked = most_walked

    async def page(self, tenant_id: str, kind: Kind, query: Query, after: Position | None, limit: int) -> Page[Any]:
        """The next ``limit`` objects."""
        narrow = narrowing(kind, query.filter)

        async def work(reader: Reader) -> Page[Any]:
            return await _Search(reader, kind, query, narrow, self._most_walked).page(after, limit)

        return await self._store.read(tenant_id, work, long=narrow is None and not query.is_open)

    async def count(self, tenant_id: str, kind: Kind, query: Query) -> int:
        """How many there are; looks at all that the index leaves."""

        async def work(reader: Reader) -> int:
            return await _Search(reader, kind, query, narrowing(kind, query.filter), None).count()

        return await self._store.read(tenant_id, work, long=True)


class _Search:
    def __init__(
        self, reader: Reader, kind: Kind, query: Query, narrow: Narrowing | None, most_walked: int | None
    ) -> None:
        self._reader = reader
        self._kind = kind
        self._query = query
        self._narrow = narrow
        self._most_walked = most_walked
        self._sort: Sort = query.sort or (narrow.sort if narrow is not None and narrow.sort else None) or "id"

    async def page(self, after: Position | None, limit: int) -> Page[Any]:
        found: list[tuple[Any, Position]] = []
        walked = 0
        while True:
            step = limit + 1 if self._query.is_open else _STEP
            rows = await self._rows(after, step)
            for row in rows:
                one, after = self._object(row)
                if self._query.is_open or self._query.holds(document(one)):
                    if len(found) == limit:
                        return Page([one for one, _ in found], found[-1][1])
                    found.append((one, after))
            walked += len(rows)
            if len(rows) < step:
                return Page([one for one, _ in found])
            if self._most_walked is not None and walked >= self._most_walked:
                return Page([one for one, _ in found], after)

    async def count(self) -> int:
        if self._query.is_open:
            text = f"SELECT count(*) FROM {_TABLE[self._kind]} o WHERE {self._where()}"  # noqa: S608 - fixed names
            row = await self._reader.tx.fetch_one(text, {"tenant_id": self._reader.tenant_id})
            return 0 if row is None else int(row[0])
        total, after = 0, None
        while True:
            rows = await self._rows(after, _COUNT_STEP)
            for row in rows:
                one, after = self._object(row)
                total += self._query.holds(document(one))
            if len(rows) < _COUNT_STEP:
                return total

    async def _rows(self, after: Position | None, limit: int) -> list[Row]:
        text = statement(
            self._kind,
            self._sort,
            None if self._narrow is None else self._narrow.sql,
            in_order=self._narrow is not None and self._narrow.sort == self._sort,
            descending=self._query.descending,
            deleted=self._query.deleted,
            begun=after is not None,
        )
        params: dict[str, Any] = {"tenant_id": self._reader.tenant_id, "limit": limit}
        if self._narrow is not None:
            params |= self._narrow.params
        if after is not None:
            params |= {"after_id": after.id, "after_key": after.key}
        return await self._reader.tx.fetch_all(text, params)

    def _where(self) -> str:
        return f"o.tenant_id = :tenant_id AND o.deleted_at IS {'NOT ' if self._query.deleted else ''}NULL"

    def _object(self, row: Row) -> tuple[User | Group, Position]:
        columns = _COLUMNS[self._kind]
        keys = {"id": "", "displayName": row[columns], "userPrincipalName": row[-1]}
        return _MAKE[self._kind](self._reader.tenant_id, row[:columns]), Position(row[0], keys[self._sort])


@lru_cache(maxsize=1024)
def statement(
    kind: Kind,
    sort: Sort,
    narrow: str | None = None,
    *,
    in_order: bool = False,
    descending: bool = False,
    deleted: bool = False,
    begun: bool = False,
) -> str:
    """One page's statement. ``narrow``: the condition of an index, which with ``in_order`` has what it finds in the
    order of ``sort``. ``begun``: the page begins after a position."""
    # Where an index narrows, another order must not tempt the planner to walk everything in that order instead.
    mask = " || ''" if deleted or (narrow is not None and not in_order) else ""
    key, id_ = f"o.{_KEY[sort]}{mask}", f"o.id{mask}"
    way, beyond = ("DESC", "<") if descending else ("ASC", ">")
    parts = [f"o.tenant_id = :tenant_id AND o.deleted_at IS {'NOT ' if deleted else ''}NULL"]
    if narrow is not None:
        parts.append(f"({narrow})")
    if begun and sort == "id":
        parts.append(f"{id_} {beyond} :after_id")
    elif begun:
        parts.append(f"{key} {beyond}= :after_key AND ({key} {beyond} :after_key OR o.id {beyond} :after_id)")
    order = f"{id_} {way}" if sort == "id" else f"{key} {way}, o.id {way}"
    return f"{_SELECT[kind]} WHERE {' AND '.join(parts)} ORDER BY {order} LIMIT :limit"
