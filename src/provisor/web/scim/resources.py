"""SCIM face, step 2: ``/Users``, ``/Groups``, ``/.search`` and ``/Me``: parse, call the service once, render."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from provisor.provider.resources import document
from provisor.provider.resources.model import Kind, Served
from provisor.provider.resources.service import DEFAULT_COUNT, Resources
from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidFilter, MethodNotAllowed, NotFound404, NotImplemented501
from provisor.scim.messages import LIST_RESPONSE, SearchRequest, etag_matches, parse_search
from provisor.scim.projection import Projection, parse_projection
from provisor.web.scim.http import Answer, Request

_encode = msgspec.json.encode
# Exclusions that leave the stored document as it is, since what they name is not in it.
_OUTSIDE = frozenset(("members", "groups"))
_HUGE = 2_000


class View:
    """What of a resource the answer shows, and so what must be read for it."""

    __slots__ = ("_projection", "derived", "named")

    def __init__(self, resources: Resources, request: Request, kind: Kind, search: SearchRequest) -> None:
        projection: Projection = parse_projection(
            resources.schemas(request.principal),
            kind,
            dialect(request.principal.dialect),
            attributes=search.attributes,
            excluded=search.excluded_attributes,
        )
        wanted = (("groups", projection.wants_groups), ("members", projection.wants_members))
        self.derived = frozenset(name for name, is_wanted in wanted if is_wanted)
        self.named = projection.named
        excluded = {name.lower() for name in search.excluded_attributes or ()}
        as_stored = projection.identity or (search.attributes is None and excluded <= _OUTSIDE)
        self._projection = None if as_stored else projection

    def text(self, served: Served, base: str) -> str:
        """The resource as JSON."""
        if self._projection is None:
            return document.text(served, base)
        return _encode(self._projection.apply(document.as_dict(served, base))).decode()


async def _body(view: View, served: Served, base: str) -> bytes:
    """The resource as an answer's body; of a huge group made in a thread, so that others are served meanwhile."""
    if served.members is not None and len(served.members) > _HUGE:
        return (await asyncio.to_thread(view.text, served, base)).encode()
    return view.text(served, base).encode()


class ResourceEndpoint:
    """``/Users`` or ``/Groups``."""

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
        view = View(self._resources, request, self._kind, search)
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
        view = View(self._resources, request, self._kind, parse_search(request.query))
        served = await self._resources.create(request.principal, self._kind, request.json())
        location = document.location(served.stored, request.base).encode()
        return Answer(201, await _body(view, served, request.base), [_etag(served), (b"location", location)])

    async def put(self, request: Request) -> Answer:
        """Replace (section 3.5.1)."""
        view = View(self._resources, request, self._kind, parse_search(request.query))
        served = await self._resources.replace(
            request.principal,
            self._kind,
            self._id(request),
            request.json(),
            if_match=request.header(b"if-match"),
        )
        return Answer(200, await _body(view, served, request.base), [_etag(served)])

    async def patch(self, request: Request) -> Answer:
        """Change (section 3.5.2): 200 with the resource, since some clients refuse 204; 204 for a large group."""
        view = View(self._resources, request, self._kind, parse_search(request.query))
        served = await self._resources.patch(
            request.principal,
            self._kind,
            self._id(request),
            request.json(),
            if_match=request.header(b"if-match"),
            all_members=view.named and "members" in view.derived,
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
            raise MethodNotAllowed(f"/{self._kind}s takes GET and POST.", hint=f"Name one: /{self._kind}s/<id>.")
        if len(request.rest) > 1:
            raise NotFound404(f"There is nothing below a {self._kind}.")
        return request.rest[0]

    async def _search(self, request: Request, search: SearchRequest) -> Answer:
        view = View(self._resources, request, self._kind, search)
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
        total = 0
        texts: list[str] = []
        misfits: list[InvalidFilter] = []
        kinds: tuple[Kind, ...] = ("User", "Group")
        for kind in kinds:
            view = View(self._resources, request, kind, search)
            # The second type's page begins where the first type's resources end.
            part = replace(
                search,
                start_index=max(1, search.start_index - total),
                count=max(0, (DEFAULT_COUNT if search.count is None else search.count) - len(texts)),
            )
            try:
                page = await self._resources.search(request.principal, kind, part, derived=view.derived)
            except InvalidFilter as misfit:
                # An attribute that this type lacks: none of its resources can match.
                misfits.append(misfit)
                continue
            total += page.total
            texts += [view.text(served, request.base) for served in page.resources]
        if len(misfits) == 2:
            raise misfits[0]
        return Answer(200, list_text(total, search.start_index, texts))


async def me(request: Request) -> Answer:
    """``/Me`` (section 3.11): an API key stands for a company, not for one of its users."""
    raise NotImplemented501("This credential is not bound to a user.", hint=f"Use {request.base}/Users/<id>.")


async def bulk(request: Request) -> Answer:
    """``/Bulk`` (section 3.7), which ``/ServiceProviderConfig`` says is not there."""
    raise NotImplemented501("This server does not take bulk requests.", hint="Send the operations one by one.")


def list_text(total: int, start: int, resources: Sequence[str]) -> bytes:
    """A ListResponse whose resources are JSON already. ``Resources`` is there also when empty: Entra needs it."""
    return (
        f'{{"schemas":["{LIST_RESPONSE}"],"totalResults":{total},"startIndex":{start},'
        f'"itemsPerPage":{len(resources)},"Resources":[{",".join(resources)}]}}'
    ).encode()


def _etag(served: Served) -> tuple[bytes, bytes]:
    return b"etag", document.tag(served.stored).encode()
