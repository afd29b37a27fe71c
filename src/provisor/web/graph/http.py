"""Graph face, first and last step: a request out of ASGI's messages, and an answer into them; long ones stream."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from provisor.odata.options import Options, parse_options, split_options
from provisor.odata.types import EntityType
from provisor.security.actor import Actor
from provisor.signin.model import Caller
from provisor.web.graph.errors import BadRequest, TooLarge, WrongMedia
from provisor.web.graph.permissions import Grant
from provisor.web.graph.routing import Version

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
TEXT = "text/plain"
_JSON_TYPES = frozenset(("", "application/json", "text/json"))
_decode = msgspec.json.Decoder().decode
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(slots=True)
class Answer:
    """``body`` is empty for 204. ``stream`` comes instead of a body, in pieces. ``media``: of what there is."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None
    media: str = JSON


@dataclass(slots=True)
class Request:
    """One request, once its caller is known and may do it.

    ``params``: what the path holds; ``alternates``: parameter -> the property that its value is of, when it is not the
    id. ``query``: query options by name, checked to be those that the operation takes. ``base``: the address of this
    version of the API as the caller sees it, ``https://host/v1.0``. ``path``: the path below it. ``headers`` by
    lower-case name. ``body``: as it was sent, or in a batch as it was read already.
    """

    method: str
    version: Version
    base: str
    path: str
    params: dict[str, str]
    alternates: dict[str, str]
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any
    caller: Caller
    grant: Grant
    types: Mapping[str, EntityType]

    @property
    def actor(self) -> Actor:
        """What services are called with."""
        return self.grant.actor

    @property
    def tenant_id(self) -> str:
        """The directory that the token belongs to."""
        return self.caller.tenant_id

    def options(self, entity: EntityType, *, most: int = 999) -> Options:
        """The query options, understood against the type that is asked for. Raises ``BadQuery``."""
        advanced = self.headers.get("consistencylevel", "").strip().lower() == "eventual"
        return parse_options(self.query, entity, self.types.__getitem__, most=most, advanced=advanced)

    def json(self) -> dict[str, Any]:
        """The body, an object without its annotations of type. Raises ``BadRequest``, ``WrongMedia``."""
        found = self._parsed()
        if found is None:
            raise BadRequest("Write requests (excluding DELETE) must contain a body with a JSON object.")
        return found

    def json_or_empty(self) -> dict[str, Any]:
        """The same of an action, whose body may be missing."""
        return self._parsed() or {}

    def prefers(self, value: str) -> bool:
        """Whether ``Prefer`` names this, as in ``return=minimal``."""
        given = self.headers.get("prefer", "").lower().replace(" ", "").split(",")
        return value in given

    def _parsed(self) -> dict[str, Any] | None:
        found = parse_body(self.body, self.headers) if isinstance(self.body, bytes) else self.body
        if found is None:
            return None
        if not isinstance(found, dict):
            raise BadRequest("The body is not a JSON object.", code="BadRequest")
        return _without_annotations(found)


def parse_body(body: bytes, headers: Mapping[str, str]) -> Any:
    """The JSON of a body, null of an empty one. Raises ``BadRequest``, ``WrongMedia``."""
    if not body:
        return None
    declared = headers.get("content-type", "")
    if declared.partition(";")[0].strip().lower() not in _JSON_TYPES:
        raise WrongMedia(f"The body is '{declared[:100]}'; send application/json.")
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"Unable to read JSON request payload: {error}.", code="BadRequest") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.", code="BadRequest") from None


def query_of(raw: bytes, allowed: frozenset[str]) -> dict[str, str]:
    """The query options of a query string. Raises ``BadQuery``."""
    pairs = []
    for pair in raw.decode("latin-1").split("&"):
        name, _, value = pair.partition("=")
        if name:
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return split_options(pairs, allowed) if pairs else {}


def identifier(text: str | None) -> str | None:
    """A ``client-request-id`` that can be sent back, or null."""
    return text if text is not None and _PRINTABLE.fullmatch(text) else None


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises ``TooLarge`` past ``limit`` bytes, ``BadRequest`` when the caller hangs up."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection ended before the body did.", code="BadRequest")
        part: bytes = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def send_answer(send: Send, answer: Answer, headers: Mapping[str, str]) -> None:
    """``headers`` come beside those of the answer."""
    made = {**headers, **answer.headers}
    if answer.stream is not None or answer.body:
        made["content-type"] = answer.media
    if answer.stream is None and answer.status != 204:
        made["content-length"] = str(len(answer.body))
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in made.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if answer.stream is None:
        await send({"type": "http.response.body", "body": answer.body})
        return
    async for piece in answer.stream:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _without_annotations(value: dict[str, Any]) -> dict[str, Any]:
    """Without ``@odata.type`` and the like, at every depth; ``@odata.id`` and ``…@odata.bind`` say something."""
    return {
        name: _cleaned(inner)
        for name, inner in value.items()
        if "@" not in name or name == "@odata.id" or name.endswith("@odata.bind")
    }


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return _without_annotations(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return value
