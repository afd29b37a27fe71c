"""App side, step 2: pages of what a filter finds, by number or by cursor.

What an index answers is read page by page; the rest is sifted in memory, up to a stated cap.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from provisor.clock import Clock
from provisor.provider.model import Principal
from provisor.provider.resources import document
from provisor.provider.resources.anchors import Anchors
from provisor.provider.resources.cursors import Cursors, Mark, query_of
from provisor.provider.resources.custom.model import Ground
from provisor.provider.resources.lists.store import ListStore
from provisor.provider.resources.model import CursorPage, Kind, Page, Position, Served, Stored
from provisor.provider.resources.search import ALL, OTHER_SORT_COLUMNS, SORT_COLUMNS, Plan, plan, sort_key
from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidCount, InvalidCursor, InvalidFilter, InvalidPath
from provisor.scim.messages import SearchRequest
from provisor.scim.resolution import resolve_text

DEFAULT_COUNT = 100
MOST_COUNT = 1_000

_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class Walked:
    """A page by cursor: the resources of each type in turn, and the next page's cursor, null at the end."""

    total: int
    parts: Sequence[tuple[Kind, Sequence[Served]]]
    next_cursor: str | None


class Searches:
    """Searches in one company's ground. ``scan_cap``: how many resources are looked through without an index."""

    def __init__(self, store: ListStore, clock: Clock, cursors: Cursors, scan_cap: int) -> None:
        self._store = store
        self._clock = clock
        self._cursors = cursors
        self._scan_cap = scan_cap
        self._anchors = Anchors()

    async def page(
        self, ground: Ground, caller: Principal, kind: Kind, request: SearchRequest, derived: frozenset[str]
    ) -> Page:
        """A page by number."""
        start = request.start_index
        count = page_size(request)
        found_plan = self._plan(ground, caller, kind, request.filter)
        order = _order(ground, kind, request)
        company_id = caller.company_id
        if found_plan is ALL and order == ("id", False):
            return await self._list(company_id, kind, start, count, derived)
        if found_plan.test is None and order is not None:
            served = await self._store.find(
                company_id, kind, found_plan, order=order, skip=start - 1, count=count, derived=derived
            )
            return Page(served.total, start, served.resources)
        last = start - 1 + count
        sifted = await self._sift(ground, caller, kind, request, found_plan, None, last)
        page = [stored for _, stored in sifted.first()[start - 1 : last]]
        return Page(sifted.total, start, await self._store.derive(company_id, kind, page, derived))

    async def walk(
        self,
        ground: Ground,
        caller: Principal,
        kinds: Sequence[Kind],
        request: SearchRequest,
        derived: Mapping[Kind, frozenset[str]],
    ) -> Walked:
        """A page by cursor over the resource types ``kinds``, one after the other.

        Raises ``InvalidCursor``, ``ExpiredCursor``, and ``InvalidCount`` for a count that is not the first page's.
        """
        now = self._clock.now_ms()
        query = query_of(
            caller.company_id,
            kinds,
            *(request.filter, request.sort_by, request.descending, request.attributes, request.excluded_attributes),
        )
        mark = Mark(kinds[0], None, page_size(request))
        if request.cursor:
            mark = self._cursors.open(request.cursor, query, now)
            if request.count is not None and min(request.count, MOST_COUNT) != mark.count:
                raise InvalidCount(f"The walk began with pages of {mark.count}.", hint="Leave count out, or as it was.")
            if mark.kind not in kinds:
                raise InvalidCursor("The resource type where the walk stood is gone.", hint="Begin again.")
        total, left = 0, mark.count
        parts: list[tuple[Kind, Sequence[Served]]] = []
        misfits: list[InvalidFilter] = []
        ahead: Mark | None = None
        for kind in kinds:
            passed = kinds.index(kind) < kinds.index(mark.kind)
            size = 0 if passed or ahead is not None else left
            position = mark.position if kind == mark.kind else None
            try:
                page = await self._after(ground, caller, kind, request, position, size, derived[kind])
            except InvalidFilter as misfit:
                misfits.append(misfit)
                continue
            total += page.total
            if passed:
                continue
            parts.append((kind, page.resources))
            left -= len(page.resources)
            if ahead is None and (page.position is not None or (not size and page.total and mark.count)):
                ahead = Mark(kind, page.position, mark.count)
        if len(misfits) == len(kinds):
            raise misfits[0]
        return Walked(total, parts, None if ahead is None else self._cursors.seal(ahead, query, now))

    # How ------------------------------------------------------------------------------------------------------------

    async def _after(
        self,
        ground: Ground,
        caller: Principal,
        kind: Kind,
        request: SearchRequest,
        position: Position | None,
        count: int,
        derived: frozenset[str],
    ) -> CursorPage:
        """The ``count`` resources after a position; one more is looked at, to know whether there is a next page."""
        company_id = caller.company_id
        found_plan = self._plan(ground, caller, kind, request.filter)
        order = _order(ground, kind, request)
        if found_plan.test is None and order is not None:
            found = await self._store.find_after(
                company_id, kind, found_plan, order=order, after=position, count=count + 1 if count else 0
            )
            total, keyed = found.total, list(zip(found.keys, found.resources, strict=True))
        else:
            sifted = await self._sift(ground, caller, kind, request, found_plan, position, count + 1)
            total, keyed = sifted.total, sifted.first()
        page = [stored for _, stored in keyed[:count]]
        ahead = Position(keyed[count - 1][1].id, keyed[count - 1][0]) if count and len(keyed) > count else None
        return CursorPage(total, await self._store.derive(company_id, kind, page, derived), ahead)

    def _plan(self, ground: Ground, caller: Principal, kind: Kind, text: str | None) -> Plan:
        if text is None:
            return ALL
        bound = resolve_text(text, ground.schemas, kind, dialect(caller.dialect))
        return plan(bound, kind, self._store.engine, ground.indexer.paths(kind))

    async def _list(self, company_id: str, kind: Kind, start: int, count: int, derived: frozenset[str]) -> Page:
        now = self._clock.now_ms()
        skip = start - 1
        begin, after = (self._anchors.nearest(company_id, kind, skip, now) if skip else None) or (0, "")
        found = await self._store.page(company_id, kind, skip=skip, count=count, begin=begin, after=after)
        if found.resources:
            position = skip + len(found.resources)
            self._anchors.remember(company_id, kind, position, found.resources[-1].id, now)
        return Page(found.total, start, await self._store.derive(company_id, kind, found.resources, derived))

    async def _sift(
        self,
        ground: Ground,
        caller: Principal,
        kind: Kind,
        request: SearchRequest,
        found_plan: Plan,
        after: Position | None,
        most: int,
    ) -> _Sifted:
        key = None
        if request.sort_by is not None:
            ref = ground.schemas.find(kind, request.sort_by)
            if ref is None or "never" in (ref.attribute.returned, ref.leaf.returned):
                raise InvalidPath(f"{kind} has no attribute {request.sort_by!r} to sort by.")
            key = sort_key(ref)
        sifted = _Sifted(found_plan, key, request.descending and key is not None, after, most)
        await self._store.sift(caller.company_id, kind, found_plan, sifted.take, cap=self._scan_cap)
        return sifted


def page_size(request: SearchRequest) -> int:
    """How many resources a page has."""
    return min(DEFAULT_COUNT if request.count is None else request.count, MOST_COUNT)


def _order(ground: Ground, kind: Kind, request: SearchRequest) -> tuple[str, bool] | None:
    """The column to sort by and whether downwards; null when the order needs a look inside the documents."""
    if request.sort_by is None:
        return "id", False
    ref = ground.schemas.find(kind, request.sort_by)
    column = SORT_COLUMNS.get(kind, OTHER_SORT_COLUMNS).get(ref.key) if ref is not None else None
    return None if column is None else (column, request.descending)


class _Sifted:
    """What passed a plan's test: how many, and the first ``most`` of them after a position, in the order asked for."""

    def __init__(
        self,
        found_plan: Plan,
        key: Callable[[Any], Any] | None,
        descending: bool,
        after: Position | None,
        most: int,
    ) -> None:
        self._test = found_plan.test
        self._whole = bool(found_plan.derived)
        self._key = key
        self._descending = descending
        self._after = after
        self._most = most
        self._kept: list[tuple[Any, Stored]] = []
        self.total = 0

    def take(self, served: Served) -> None:
        resource = document.as_dict(served, "") if self._whole or self._key else _decode(served.stored.document)
        if self._test is not None and not self._test(resource):
            return
        self.total += 1
        key = self._key(resource) if self._key is not None else None
        if self._after is not None and not self._is_after(key, served.stored.id, self._after):
            return
        if self._key is not None or len(self._kept) < self._most:
            self._kept.append((key, served.stored))

    def first(self) -> list[tuple[Any, Stored]]:
        """Sort value and resource; both choices keep the order of ids among equals."""
        if self._key is None:
            return self._kept
        choose = heapq.nlargest if self._descending else heapq.nsmallest
        return choose(self._most, self._kept, key=lambda pair: pair[0])

    def _is_after(self, key: Any, resource_id: str, after: Position) -> bool:
        if self._key is None or key == after.key:
            return resource_id > after.id
        return bool(key < after.key if self._descending else key > after.key)
