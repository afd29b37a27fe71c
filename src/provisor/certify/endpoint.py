"""Questions put to the endpoint directly, in the profile's dialect: what the engine would not ask, or not so often.

Never trust the answer to a write: read back by id, by the match filter and, of groups, the whole member list.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

import msgspec

from provisor.certify.recorder import Recorder
from provisor.connector import messages
from provisor.connector.dialect import Dialect
from provisor.connector.exchange import Exchange
from provisor.connector.messages import ENDPOINTS, Kind, Operation
from provisor.connector.paths import parse_path, read
from provisor.connector.transport import Request, TransportError

T = TypeVar("T")
Json = dict[str, Any]

TIMEOUT = 30.0
_PAGE = 100
_MOST_PAGES = 50
_last: ContextVar[Exchange | None] = ContextVar("provisor_certify_last", default=None)


class Endpoint:
    """The endpoint, asked with the certification's token unless another is given."""

    def __init__(self, recorder: Recorder, root: str, token: str | None, dialect: Dialect) -> None:
        self.recorder = recorder
        self.root = root
        self.dialect = dialect
        self._token = token

    @property
    def last(self) -> Exchange | None:
        """The last exchange of the running task."""
        return _last.get()

    async def ask(
        self,
        method: str,
        address: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> Exchange:
        """One request below the root; ``body`` as JSON. Never raises for what the endpoint does: see ``status``.

        ``token``: another one, empty for none. An exchange without a response had no usable reply.
        """
        sent: dict[str, str] = {"Accept": self.dialect.accept, "User-Agent": self.dialect.user_agent}
        credential = self._token if token is None else token
        if credential:
            sent["Authorization"] = f"Bearer {credential}"
        raw: bytes | None = None
        if body is not None:
            sent["Content-Type"] = self.dialect.content_type
            raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        sent.update(headers or {})
        request = Request(method, self.root + address, {k: v for k, v in sent.items() if v}, raw, timeout)
        mark = self.recorder.mark()
        with contextlib.suppress(TransportError):
            # The record holds it all the same, without a reply.
            await self.recorder.send(request)
        exchange = next(
            one for one in reversed(self.recorder.since(mark)) if one.body is raw and one.url == request.url
        )
        _last.set(exchange)
        return exchange

    # Reading

    async def read(self, kind: Kind, id_: str, query: str = "") -> Json | None:
        """The resource, or null when the endpoint does not give it."""
        exchange = await self.ask("GET", f"{ENDPOINTS[kind]}/{quote(id_, safe='')}{query}")
        document = json_of(exchange)
        return document if exchange.status == 200 and document else None

    async def find(self, kind: Kind, attribute: str, value: str) -> list[Json] | None:
        """What a search for equality brings, as the dialect spells it; null where the reply is no list."""
        query = messages.find_query(kind, attribute, value, self.dialect, without_members=True)
        return await self.search(kind, query)

    async def filtered(self, kind: Kind, text: str, extra: str = "") -> list[Json] | None:
        """What this filter brings; null where the reply is no list."""
        encode = quote if self.dialect.space == "%20" else quote_plus
        return await self.search(kind, f"filter={encode(text, safe='')}{extra}")

    async def search(self, kind: Kind, query: str) -> list[Json] | None:
        exchange = await self.ask("GET", f"{ENDPOINTS[kind]}?{query}")
        return listed(exchange)

    async def members(self, group_id: str) -> list[str] | None:
        """The ids in the group's whole member list, doubles included; null where it cannot be read."""
        group = await self.read("Group", group_id)
        if group is None:
            return None
        members = read_raw(group, "members") or []
        return [str(member.get("value")) for member in members if isinstance(member, dict)]

    async def everything(self, kind: Kind) -> list[Json]:
        """All resources, page by page, as far as the endpoint gives them."""
        found: list[Json] = []
        for _ in range(_MOST_PAGES):
            exchange = await self.ask("GET", f"{ENDPOINTS[kind]}?startIndex={len(found) + 1}&count={_PAGE}")
            page = listed(exchange) or []
            found += page
            if not page or len(found) >= total_of(exchange):
                break
        return found

    # Writing

    async def create(self, kind: Kind, values: Mapping[str, Any]) -> Exchange:
        """POST of what these target attribute paths say, in the dialect's shape."""
        return await self.ask("POST", ENDPOINTS[kind], messages.create_body(kind, values, self.dialect))

    async def patch(self, kind: Kind, id_: str, *operations: Operation) -> Exchange:
        """PATCH with these operations, exactly."""
        return await self.ask("PATCH", f"{ENDPOINTS[kind]}/{quote(id_, safe='')}", messages.patch_body(operations))

    async def add_members(self, group_id: str, ids: Iterable[str]) -> Exchange:
        return await self.patch("Group", group_id, *messages.member_operations(ids, (), self.dialect))

    async def remove_members(self, group_id: str, ids: Iterable[str]) -> Exchange:
        return await self.patch("Group", group_id, *messages.member_operations((), ids, self.dialect))

    async def delete(self, kind: Kind, id_: str) -> Exchange:
        return await self.ask("DELETE", f"{ENDPOINTS[kind]}/{quote(id_, safe='')}")


async def at_once(calls: Sequence[Callable[[], Awaitable[T]]], width: int) -> list[T]:
    """The results of all calls, ``width`` of them under way at any time, begun in their order."""
    gate = asyncio.Semaphore(width)

    async def one(call: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await call()

    return list(await asyncio.gather(*(one(call) for call in calls)))


def json_of(exchange: Exchange | None) -> Json:
    """The reply's document; empty where it has none."""
    if exchange is None or exchange.response is None:
        return {}
    try:
        document = msgspec.json.decode(exchange.response.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return document if isinstance(document, dict) else {}


def listed(exchange: Exchange) -> list[Json] | None:
    """The resources of a ListResponse with status 200; null for everything else."""
    if exchange.status != 200:
        return None
    document = json_of(exchange)
    resources = read_raw(document, "Resources")
    if resources is None:
        return [] if read_raw(document, "totalResults") == 0 else None
    return [item for item in resources if isinstance(item, dict)] if isinstance(resources, list) else None


def total_of(exchange: Exchange) -> int:
    """``totalResults``; 0 where it is missing."""
    total = read_raw(json_of(exchange), "totalResults")
    return total if isinstance(total, int) and not isinstance(total, bool) else 0


def id_of(exchange: Exchange) -> str | None:
    """The id of the resource in a reply; null where it has none."""
    found = json_of(exchange).get("id")
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) and found != "" else None


def good(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 300


def value_at(document: Mapping[str, Any] | None, path: str) -> Any:
    """The value at a target attribute path; null where there is none. Of a complex one its ``value``."""
    return None if document is None else read(document, parse_path(path))


def read_raw(document: Mapping[str, Any], name: str) -> Any:
    """A top-level attribute as it stands, its name in any case."""
    return next((value for key, value in document.items() if key.lower() == name.lower()), None)
