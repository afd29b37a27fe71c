"""``GET /openapi.json``: the document, made once per address under which this server is asked."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.scim.schemas import core
from provisor.web.graph.face import GraphFace
from provisor.web.openapi.document import add_graph, document
from provisor.web.scim.http import origin
from provisor.web.services import Services


def routes(services: Services, graph: GraphFace | None = None) -> list[Route]:
    """The address. It tells nothing of any company: the schemas are those that every company has."""

    @lru_cache(maxsize=16)
    def encoded(base: str) -> bytes:
        made = document(core(), base)
        if graph is not None:
            add_graph(made, graph)
        return msgspec.json.encode(made)

    async def openapi(request: Request) -> Response:
        host = request.headers.get("host", "").encode("latin-1")
        base = services.settings.public_url or origin(request.url.scheme, host, request.scope.get("server"))
        return Response(encoded(base), media_type="application/json")

    return [Route("/openapi.json", openapi, methods=["GET"])]
