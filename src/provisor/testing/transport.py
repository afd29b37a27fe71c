"""For tests: the twin of ``connector.aiohttp_transport``, which asks a function instead of the network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from provisor.connector.transport import Headers, Request, Response

Handler = Callable[[Request], Response | Awaitable[Response]]


class MemoryTransport:
    """Hands each request to ``handler``, which returns the reply or raises a ``TransportError``. Keeps all requests."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[Request] = []
        self._handler = handler

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        reply = self._handler(request)
        return reply if isinstance(reply, Response) else await reply

    async def close(self) -> None:
        """There is nothing to let go of."""


def replies(*responses: Response | Exception) -> MemoryTransport:
    """A transport that gives these replies in order, raising those that are errors. One too few is a failed test."""
    left = list(responses)

    def handler(request: Request) -> Response:
        if not left:
            raise AssertionError(f"There is no reply left for {request.method} {request.url}")
        reply = left.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return MemoryTransport(handler)


def json_reply(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A SCIM reply with this document; without a body where it is null."""
    body = b"" if document is None else msgspec.json.encode(document)
    return Response(status, Headers({"Content-Type": "application/scim+json", **(headers or {})}), body)


def list_reply(*resources: Mapping[str, Any], total: int | None = None) -> Response:
    """A ListResponse with these resources."""
    return json_reply(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": len(resources) if total is None else total,
            "startIndex": 1,
            "itemsPerPage": len(resources),
            "Resources": list(resources),
        }
    )


def error_reply(
    status: int, detail: str = "", scim_type: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A SCIM error (RFC 7644 section 3.12)."""
    document = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": detail}
    return json_reply(document | ({"scimType": scim_type} if scim_type else {}), status, headers)
