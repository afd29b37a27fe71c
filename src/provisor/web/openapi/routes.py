"""``GET /openapi.json``: the document, made once per address under which this server is asked."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.scim.schemas import core
from provisor.web.openapi.document import document
from provisor.web.scim.http import origin
from provisor.web.services import Services


def routes(services: Services) -> list[Route]:
    """The address. It tells nothing of any company: the schemas are those that every company has."""

    async def openapi(request: Request) -> Response:
        host = request.headers.get("host", "").encode("latin-1")
        base = services.settings.public_url or origin(request.url.scheme, host, request.scope.get("server"))
        return Response(_encoded(base), media_type="application/json")

    return [Route("/openapi.json", openapi, methods=["GET"])]


@lru_cache(maxsize=16)
def _encoded(base: str) -> bytes:
    return msgspec.json.encode(document(core(), base))
