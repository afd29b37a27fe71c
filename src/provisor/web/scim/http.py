"""SCIM face, first and last step: a request out of ASGI's messages, and an answer into them.

Written on bare ASGI: this is the path of every provisioner's every request.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from provisor.provider.model import Principal
from provisor.scim.errors import InvalidSyntax, PayloadTooLarge, UnsupportedMedia

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_MEDIA_TYPES = frozenset(("", "application/scim+json", "application/json", "text/json"))
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_CONTENT_TYPE = (b"content-type", b"application/scim+json")
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Request:
    """One request. ``rest`` is the path below the endpoint (``/Users/a/b`` -> ``["a", "b"]``); ``base`` the address of
    the SCIM face as the caller sees it; ``principal`` who asks. An operation of a bulk request has its body ``parsed``
    already, and a POST the ``new_id`` by which others refer to it. ``ignored`` is given the paths that were sent and
    are not stored.
    """

    method: str
    rest: list[str]
    query: dict[str, str]
    headers: dict[bytes, bytes]
    base: str
    body: bytes
    principal: Principal
    parsed: Any = None
    new_id: str | None = None
    ignored: list[str] = field(default_factory=list)

    def json(self) -> Any:
        """The body. Raises ``InvalidSyntax``, and ``UnsupportedMedia`` for what does not claim to be JSON."""
        if self.parsed is not None:
            return self.parsed
        declared = self.headers.get(b"content-type", b"").decode("latin-1")
        if declared.partition(";")[0].strip().lower() not in _MEDIA_TYPES:
            raise UnsupportedMedia(f"The body is {declared[:100]!r}.", hint="Send application/scim+json.")
        if not self.body:
            raise InvalidSyntax("The request has no body.", hint="Send a JSON object.")
        try:
            return _decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidSyntax(f"The body is not JSON: {error}.") from None
        except RecursionError:
            raise InvalidSyntax("The body is nested too deeply.") from None

    def header(self, name: bytes) -> str | None:
        """A header by its lower-case name."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


@dataclass(slots=True)
class Answer:
    """``body`` is empty for 204 and 304; ``headers`` come beside the media type and the length."""

    status: int
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] | None = None


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises ``PayloadTooLarge`` past ``limit`` bytes, ``InvalidSyntax`` when the caller hangs up."""
    message = await receive()
    body: bytes = message.get("body", b"")
    parts, size = [body], len(body)
    while message.get("more_body", False) and size <= limit:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if message["type"] == "http.disconnect":
        raise InvalidSyntax("The connection ended before the body did.")
    if len(parts) > 1:
        body = b"".join(parts)
    if len(body) > limit:
        raise PayloadTooLarge(f"The body is larger than {limit} bytes.", hint="Send fewer members in one request.")
    return body


async def send_answer(send: Send, answer: Answer, *, with_body: bool = True) -> None:
    """``with_body`` false: the answer to HEAD."""
    headers = [_CONTENT_TYPE] if answer.body else []
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    if answer.headers:
        headers += answer.headers
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


def parse_query(raw: bytes) -> dict[str, str]:
    """Query parameters, the first of each name. ``+`` and ``%20`` are spaces; stray ``?`` and ``&`` are nothing."""
    found: dict[str, str] = {}
    if not raw:
        return found
    for pair in raw.decode("latin-1").split("&"):
        name, _, value = pair.lstrip("?").partition("=")
        if name:
            found.setdefault(_unquote(name), _unquote(value))
    return found


def _unquote(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


@lru_cache(maxsize=1024)
def origin(scheme: str, host: bytes, server: tuple[str, int] | None) -> str:
    """``https://host:port`` of a request. A Host header that is none gives way to the server's own address."""
    name = host.decode("latin-1")
    if not _HOST.fullmatch(name):
        name = f"{server[0]}:{server[1]}" if server else "localhost"
    return f"{scheme}://{name}"
