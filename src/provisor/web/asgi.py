"""The HTTP faces as one ASGI application: SCIM and Graph go straight to their faces, all else through Starlette."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from provisor.web import changes, health, pages
from provisor.web.graph.operations import graph_face
from provisor.web.graph.routing import VERSIONS
from provisor.web.oauth import token
from provisor.web.openapi import routes as openapi
from provisor.web.scim.face import ScimFace
from provisor.web.services import Services


def create_app(services: Services) -> ASGIApp:
    """The application that a server runs; start-up and shut-down of what ``services`` holds are the caller's."""
    face = ScimFace(services)
    routes = [*health.routes(services), *pages.routes(services), *openapi.routes(services)]
    if services.clients is not None:
        routes += token.routes(services.clients)
    if services.outbox is not None:
        routes += changes.routes(services.outbox, face.credentials, face.rates)
    graph = None if services.graph is None else graph_face(services.graph)
    return Front(face, Starlette(routes=routes), graph)


class Front:
    """Routing by the first segment of the path, before anything is allocated for a request."""

    def __init__(self, scim: ScimFace, others: Starlette, graph: ASGIApp | None = None) -> None:
        self._faces: dict[str, ASGIApp] = {"scim": scim}
        if graph is not None:
            self._faces |= dict.fromkeys(VERSIONS, graph)
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        face: ASGIApp = self._others
        if scope["type"] == "http":
            # Doubled slashes before the name occur where a Tenant URL ends in one.
            name = scope["path"].lstrip("/").partition("/")[0]
            face = self._faces.get(name, face)
        await face(scope, receive, send)
