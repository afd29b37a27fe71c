"""Graph face, lists of users and groups: searched in the database, read and sent in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from provisor.directory.searching.model import Page, Position, Query, Sort
from provisor.odata.errors import Unsupported
from provisor.odata.options import Options
from provisor.odata.types import EntityType
from provisor.security.actor import Actor
from provisor.web.graph.answers import DEFAULT_PAGE, Document, document, number, streamed
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, bound, context, next_link
from provisor.web.graph.types import BASIC_USER

# So many objects are read and sent at once.
_PIECE = 250
_SORTS: dict[str, Sort] = {"id": "id", "displayName": "displayName", "userPrincipalName": "userPrincipalName"}
_encode = msgspec.json.encode


class Pages(Protocol):
    """``Search.users`` or ``Search.groups``."""

    def __call__(
        self, actor: Actor, tenant_id: str, query: Query, after: Position | None = None, limit: int = 100
    ) -> Awaitable[Page[Any]]: ...


Count = Callable[[Actor, str, Query], Awaitable[int]]
Show = Callable[[Request, Sequence[Any], Options, EntityType], Awaitable[list[Document]]]


class SearchList:
    """``/users``, ``/groups`` and the deleted items: pages by position, never by number."""

    def __init__(self, name: str, kind: EntityType, pages: Pages, count: Count, show: Show, tokens: Tokens) -> None:
        self._name = name
        self._kind = kind
        self._pages = pages
        self._count = count
        self._show = show
        self._tokens = tokens

    async def answer(self, request: Request, *, deleted: bool = False) -> Answer:
        """The page that was asked for. What can go wrong does so before the first piece is sent."""
        kind = BASIC_USER if request.grant.basic_only else self._kind
        options = request.options(kind)
        options.require_advanced()
        query = query_of(options, deleted=deleted)
        place = bound(request)
        after = None if options.skip_token is None else self._tokens.open(options.skip_token, Position, place)
        top = DEFAULT_PAGE if options.top is None else options.top
        head: Document = {"@odata.context": context(request, self._name, options.select, options.expand)}
        if options.count:
            head["@odata.count"] = await self._count(request.actor, request.tenant_id, query)
        first = await self._pages(request.actor, request.tenant_id, query, after, min(top, _PIECE))
        shown = await self._show(request, first.objects, options, kind)
        rest = top - len(first.objects)
        if first.next is None or rest == 0 or len(first.objects) < _PIECE:
            return document({**head, **self._tail(request, first, place), "value": shown})

        last = first

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal last, rest
            yield _encode(shown)[1:-1]
            while rest > 0 and last.next is not None and len(last.objects) == _PIECE:
                last = await self._pages(request.actor, request.tenant_id, query, last.next, min(rest, _PIECE))
                rest -= len(last.objects)
                yield _encode(await self._show(request, last.objects, options, kind))[1:-1]

        return Answer(200, stream=streamed(head, pieces(), lambda: self._tail(request, last, place)))

    async def number(self, request: Request) -> Answer:
        """How many there are, for ``/$count``."""
        if request.headers.get("consistencylevel", "").lower() != "eventual":
            raise Unsupported("$count is not currently supported without the header 'ConsistencyLevel: eventual'.")
        options = request.options(BASIC_USER if request.grant.basic_only else self._kind)
        return number(await self._count(request.actor, request.tenant_id, query_of(options, deleted=False)))

    def _tail(self, request: Request, page: Page[Any], place: str) -> Document:
        if page.next is None:
            return {}
        return {"@odata.nextLink": next_link(request, self._tokens.seal(page.next, place))}


def query_of(options: Options, *, deleted: bool) -> Query:
    """What the options look for. Raises ``Unsupported`` for an order that there is not."""
    sort: Sort | None = None
    descending = False
    if options.orderby:
        first = options.orderby[0]
        name = "/".join(first.path)
        if len(options.orderby) > 1 or name not in _SORTS:
            raise Unsupported(f"Sorting by '{name}' is not supported; one of {', '.join(_SORTS)} is.")
        sort, descending = _SORTS[name], first.descending
    return Query(options.filter, options.search, sort, descending, deleted)
