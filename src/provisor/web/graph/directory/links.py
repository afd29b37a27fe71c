"""Graph face, what is behind a link: ``/groups/{id}/members``, ``/users/{id}/memberOf`` and the like."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from provisor.directory.model import Group, User
from provisor.directory.searching.model import Position, Query
from provisor.odata.errors import Unsupported
from provisor.web.graph.answers import DEFAULT_PAGE, Document, document, number
from provisor.web.graph.directory.objects import Objects, kind_of, linked, whole
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, bound, context, next_link
from provisor.web.graph.routing import Operation
from provisor.web.graph.types import DIRECTORY_OBJECT, GROUP, USER

OPTIONS = frozenset(("$filter", "$select", "$top", "$count", "$search", "$skiptoken"))
_STEP = 500
_COUNT_STEP = 5_000
# So many objects behind a link are looked at for one page.
_MOST_WALKED = 20_000
_CASTS = {"": None, "/microsoft.graph.user": "user", "/microsoft.graph.group": "group"}
Owner = Callable[[Request], Awaitable[User | Group]]


class LinkLists:
    """Makes the operations of one link: the list, its references, its number, and each narrowed to a type."""

    def __init__(self, objects: Objects, tokens: Tokens) -> None:
        self._objects = objects
        self._tokens = tokens

    def operations(self, base: str, link: str, owner: Owner, permission: str) -> list[Operation]:
        """``base``: the owner's template, ``/groups/{group}``. ``owner`` finds who has the link."""
        made = []
        for suffix, cast in _CASTS.items():
            path = f"{base}/{link}{suffix}"

            async def listed(request: Request, cast: str | None = cast) -> Answer:
                return await self._list(request, (await owner(request)).id, link, cast)

            async def counted(request: Request, cast: str | None = cast) -> Answer:
                return await self._number(request, (await owner(request)).id, link, cast)

            made.append(Operation("GET", path, listed, permission, OPTIONS, summary=f"What is behind {link}."))
            made.append(Operation("GET", f"{path}/$count", counted, permission, frozenset(("$filter", "$search"))))

        async def references(request: Request) -> Answer:
            return await self._references(request, (await owner(request)).id, link)

        made.append(Operation("GET", f"{base}/{link}/$ref", references, permission, frozenset(("$top", "$skiptoken"))))
        return made

    async def _list(self, request: Request, id_: str, link: str, cast: str | None) -> Answer:
        kind = {"user": USER, "group": GROUP, None: DIRECTORY_OBJECT}[cast]
        options = request.options(kind)
        options.require_advanced()
        query = Query(options.filter, options.search)
        body: Document = {"@odata.context": context(request, f"{cast or 'directoryObject'}s", options.select)}
        if options.count:
            body["@odata.count"] = await self._count(request, id_, link, cast, query)
        top = options.top or DEFAULT_PAGE
        found, after = await self._page(request, id_, link, cast, query, top, options.skip_token)
        if after is not None:
            body["@odata.nextLink"] = next_link(request, self._tokens.seal(after, bound(request)))
        body["value"] = [linked(one, options.select) for one in found]
        return document(body)

    async def _references(self, request: Request, id_: str, link: str) -> Answer:
        options = request.options(DIRECTORY_OBJECT)
        top = options.top or DEFAULT_PAGE
        found, after = await self._page(request, id_, link, None, Query(), top, options.skip_token)
        body: Document = {"@odata.context": f"{request.base}/$metadata#Collection($ref)"}
        if after is not None:
            body["@odata.nextLink"] = next_link(request, self._tokens.seal(after, bound(request)))
        body["value"] = [{"@odata.id": f"{request.base}/directoryObjects/{one.id}"} for one in found]
        return document(body)

    async def _number(self, request: Request, id_: str, link: str, cast: str | None) -> Answer:
        if request.headers.get("consistencylevel", "").lower() != "eventual":
            raise Unsupported("$count is not currently supported without the header 'ConsistencyLevel: eventual'.")
        options = request.options(DIRECTORY_OBJECT)
        return number(await self._count(request, id_, link, cast, Query(options.filter, options.search)))

    async def _count(self, request: Request, id_: str, link: str, cast: str | None, query: Query) -> int:
        total = 0
        if query.is_open and cast is None:
            after = ""
            while ids := await self._objects.link_ids(request, id_, link, _COUNT_STEP, after):
                total, after = total + len(ids), ids[-1]
            return total
        async for _, one in self._walk(request, id_, link, cast, query, ""):
            total += one is not None
        return total

    async def _page(
        self, request: Request, id_: str, link: str, cast: str | None, query: Query, top: int, token: str | None
    ) -> tuple[list[User | Group], Position | None]:
        after = "" if token is None else self._tokens.open(token, Position, bound(request)).id
        found: list[User | Group] = []
        walked = 0
        async for at, one in self._walk(request, id_, link, cast, query, after):
            if one is not None and len(found) == top:
                return found, Position(found[-1].id)
            if one is not None:
                found.append(one)
            walked += 1
            if walked >= _MOST_WALKED:
                return found, Position(at)
        return found, None

    async def _walk(
        self, request: Request, id_: str, link: str, cast: str | None, query: Query, after: str
    ) -> AsyncIterator[tuple[str, User | Group | None]]:
        """Every id behind the link in order, with its object where that is one of those looked for."""
        while ids := await self._objects.link_ids(request, id_, link, _STEP, after):
            known = await self._objects.by_id(request, ids)
            for one_id in ids:
                one = known.get(one_id)
                fits = one is not None and (cast is None or kind_of(one).name == cast) and query.holds(whole(one))
                yield one_id, one if fits else None
            if len(ids) < _STEP:
                return
            after = ids[-1]


def reference(request: Request, id_: str) -> dict[str, Any]:
    """The answer to ``GET …/$ref`` of a single link."""
    return {
        "@odata.context": f"{request.base}/$metadata#$ref",
        "@odata.id": f"{request.base}/directoryObjects/{id_}",
    }
