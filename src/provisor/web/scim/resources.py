"""SCIM face, step 2: ``/Users``, ``/Groups`` and ``/.search``: parse, call the service once, render."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from provisor.provider.resources import document
from provisor.provider.resources.model import Kind, Served
from provisor.provider.resources.searching import page_size
from provisor.provider.resources.service import Resources
from provisor.scim.dialect import Dialect, dialect
from provisor.scim.errors import InvalidFilter, MethodNotAllowed, NotFound404
from provisor.scim.messages import LIST_RESPONSE, SearchRequest, etag_matches, parse_search
from provisor.scim.projection import Projection, parse_projection
from provisor.scim.schemas import SchemaSet
from provisor.web.scim.http import Answer, Request

_encode = msgspec.json.encode
# Exclusions that leave the stored document as it is, since what they name is not in it.
_OUTSIDE = frozenset(("members", "groups"))
_HUGE = 2_000


class View:
    """What of a resource the answer shows, and so what must be read for it."""

    __slots__ = ("_endpoint", "_projection", "derived", "named")

    def __init__(self, schemas: SchemaSet, by: Dialect, kind: Kind, search: SearchRequest) -> None:
        projection: Projection = parse_projection(
            schemas, kind, by, attributes=search.attributes, excluded=search.excluded_attributes
        )
        wanted = (("groups", projection.wants_groups), ("members", projection.wants_members))
        self.derived = frozenset(name for name, is_wanted in wanted if is_wanted)
        self.named = projection.named
        excluded = {name.lower() for name in search.excluded_attributes or ()}
        as_stored = projection.identity or (
            search.attributes is None and excluded <= _OUTSIDE and parse_projection(schemas, kind, by).identity
        )
        self._projection = None if as_stored else projection
        self._endpoint = schemas.resource_type(kind).endpoint

    def text(self, served: Served, base: str) -> str:
        """The resource as JSON."""
        if self._projection is None:
            return document.text(served, base, self._endpoint)
        return _encode(self._projection.apply(document.as_dict(served, base, self._endpoint))).decode()

    def location(self, served: Served, base: str) -> tuple[bytes, bytes]:
        """The header that says where the resource is."""
        return b"location", f"{base}{self._endpoint}/{served.stored.id}".encode()


async def _body(view: View, served: Served, base: str) -> bytes:
    """The resource as an answer's body; of a huge group made in a thread, so that others are served meanwhile."""
    if served.members is not None and len(served.members) > _HUGE:
        return (await asyncio.to_thread(view.text, served, base)).encode()
    return view.text(served, base).encode()


class ResourceEndpoint:
    """``/Users``, ``/Groups``, or the endpoint of a company's own resource type."""

    def __init__(self, resources: Resources, kind: Kind) -> None:
        self._resources = resources
        self._kind = kind
        self.methods: Mapping[str, Callable[[Request], Awaitable[Answer]]] = {
            "GET": self.get,
            "POST": self.post,
            "PUT": self.put,
            "PATCH": self.patch,
            "DELETE": self.delete,
        }

    async def get(self, request: Request) -> Answer:
        """One resource, or a page of them (RFC 7644 sections 3.4.1, 3.4.2)."""
        search = parse_search(request.query)
        if not request.rest:
            return await self._search(request, search)
        view = await self._view(request, search)
        served = await self._resources.read(request.principal, self._kind, self._id(request), derived=view.derived)
        known = request.header(b"if-none-match")
        if known is not None and etag_matches(known, document.tag(served.stored)):
            return Answer(304, b"", [_etag(served)])
        return Answer(200, await _body(view, served, request.base), [_etag(served)])

    async def post(self, request: Request) -> Answer:
        """Create (section 3.3), or search with a body at ``.search`` (section 3.4.3)."""
        if request.rest == [".search"]:
            return await self._search(request, parse_search(request.json()))
        if request.rest:
            raise MethodNotAllowed(f"A {self._kind} takes GET, PUT, PATCH and DELETE.", hint="POST creates new ones.")
        view = await self._view(request, parse_search(request.query))
        served = await self._resources.create(
            request.principal, self._kind, request.json(), resource_id=request.new_id, ignored=request.ignored
        )
        headers = [_etag(served), view.location(served, request.base)]
        return Answer(201, await _body(view, served, request.base), headers)

    async def put(self, request: Request) -> Answer:
        """Replace (section 3.5.1)."""
        view = await self._view(request, parse_search(request.query))
        served = await self._resources.replace(
            request.principal,
            self._kind,
            self._id(request),
            request.json(),
            if_match=request.header(b"if-match"),
            ignored=request.ignored,
        )
        return Answer(200, await _body(view, served, request.base), [_etag(served)])

    async def patch(self, request: Request) -> Answer:
        """Change (section 3.5.2): 200 with the resource, since some clients refuse 204; 204 for a large group."""
        view = await self._view(request, parse_search(request.query))
        served = await self._resources.patch(
            request.principal,
            self._kind,
            self._id(request),
            request.json(),
            if_match=request.header(b"if-match"),
            all_members=view.named and "members" in view.derived,
            ignored=request.ignored,
        )
        if self._kind == "Group" and served.members is None and not view.named:
            return Answer(204, b"", [_etag(served)])
        return Answer(200, await _body(view, served, request.base), [_etag(served)])

    async def delete(self, request: Request) -> Answer:
        """Delete (section 3.6)."""
        await self._resources.delete(
            request.principal, self._kind, self._id(request), if_match=request.header(b"if-match")
        )
        return Answer(204)

    def _id(self, request: Request) -> str:
        if not request.rest:
            raise MethodNotAllowed(
                f"All {self._kind} resources together take GET and POST.", hint="Name one by its id."
            )
        if len(request.rest) > 1:
            raise NotFound404(f"There is nothing below a {self._kind}.")
        return request.rest[0]

    async def _view(self, request: Request, search: SearchRequest) -> View:
        by = dialect(request.principal.dialect)
        return View(await self._resources.schemas(request.principal), by, self._kind, search)

    async def _search(self, request: Request, search: SearchRequest) -> Answer:
        view = await self._view(request, search)
        if search.cursor is not None:
            return await walk(self._resources, request, search, {self._kind: view})
        page = await self._resources.search(request.principal, self._kind, search, derived=view.derived)
        texts = [view.text(served, request.base) for served in page.resources]
        return Answer(200, list_text(page.total, page.start, texts))


class RootSearch:
    """A search over all resource types: ``GET /`` and ``POST /.search`` (section 3.4.2.1)."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def get(self, request: Request) -> Answer:
        """Parameters from the query."""
        return await self._search(request, parse_search(request.query))

    async def post(self, request: Request) -> Answer:
        """Parameters from the body."""
        return await self._search(request, parse_search(request.json()))

    async def _search(self, request: Request, search: SearchRequest) -> Answer:
        schemas = await self._resources.schemas(request.principal)
        by = dialect(request.principal.dialect)
        views = {kind: View(schemas, by, kind, search) for kind in schemas.resource_types}
        if search.cursor is not None:
            return await walk(self._resources, request, search, views)
        total = 0
        texts: list[str] = []
        misfits: list[InvalidFilter] = []
        for kind, view in views.items():
            # The next type's page begins where this type's resources end.
            part = replace(
                search,
                start_index=max(1, search.start_index - total),
                count=max(0, page_size(search) - len(texts)),
            )
            try:
                page = await self._resources.search(request.principal, kind, part, derived=view.derived)
            except InvalidFilter as misfit:
                # An attribute that this type lacks: none of its resources can match.
                misfits.append(misfit)
                continue
            total += page.total
            texts += [view.text(served, request.base) for served in page.resources]
        if len(misfits) == len(views):
            raise misfits[0]
        return Answer(200, list_text(total, search.start_index, texts))


async def walk(resources: Resources, request: Request, search: SearchRequest, views: Mapping[Kind, View]) -> Answer:
    """A page by cursor (RFC 9865)."""
    derived = {kind: view.derived for kind, view in views.items()}
    page = await resources.walk(request.principal, tuple(views), search, derived=derived)
    texts = [views[kind].text(served, request.base) for kind, found in page.parts for served in found]
    following = "" if page.next_cursor is None else f'"nextCursor":"{page.next_cursor}",'
    return Answer(
        200,
        (
            f'{{"schemas":["{LIST_RESPONSE}"],"totalResults":{page.total},"itemsPerPage":{len(texts)},'
            f'{following}"Resources":[{",".join(texts)}]}}'
        ).encode(),
    )


def list_text(total: int, start: int, resources: Sequence[str]) -> bytes:
    """A ListResponse whose resources are JSON already. ``Resources`` is there also when empty: Entra needs it."""
    return (
        f'{{"schemas":["{LIST_RESPONSE}"],"totalResults":{total},"startIndex":{start},'
        f'"itemsPerPage":{len(resources)},"Resources":[{",".join(resources)}]}}'
    ).encode()


def _etag(served: Served) -> tuple[bytes, bytes]:
    return b"etag", document.tag(served.stored).encode()
