"""The HTTP faces as one ASGI application: SCIM and Graph go straight to their faces, all else through Starlette."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from provisor.events.correlation import correlated
from provisor.security.outbound import Network
from provisor.web import changes, health, pages
from provisor.web.graph.operations import graph_face
from provisor.web.graph.routing import VERSIONS
from provisor.web.html import static
from provisor.web.html.failures import http_failure, unexpected_failure
from provisor.web.html.live import Closing
from provisor.web.oauth import token
from provisor.web.openapi import routes as openapi
from provisor.web.proxies import behind_proxy
from provisor.web.scim.face import ScimFace
from provisor.web.services import Services
from provisor.web.signin import routes as signin


def create_app(services: Services) -> Front:
    """The application that a server runs; start-up and shut-down of what ``services`` holds are the caller's."""
    face = ScimFace(services)
    graph = None if services.graph is None else graph_face(services.graph)
    routes = [*health.routes(services), *static.routes(), *pages.routes(services), *openapi.routes(services, graph)]
    if services.sign_in is not None:
        routes += signin.routes(services, services.sign_in)
    if services.clients is not None:
        routes += token.routes(services.clients)
    if services.outbox is not None:
        routes += changes.routes(services.outbox, face.credentials, face.rates)
    handlers = {HTTPException: http_failure, Exception: unexpected_failure}
    others = Starlette(routes=routes, exception_handlers=handlers)
    return Front(face, others, services.closing, graph, services.settings.trusted_proxies)


class Front:
    """Routing by the first segment of the path, before anything is allocated for a request."""

    def __init__(
        self,
        scim: ScimFace,
        others: Starlette,
        closing: Closing,
        graph: ASGIApp | None = None,
        proxies: Sequence[Network] = (),
    ) -> None:
        self._faces: dict[str, ASGIApp] = {"scim": scim}
        if graph is not None:
            self._faces |= dict.fromkeys(VERSIONS, graph)
        self.others = others
        self._closing = closing
        self._proxies = proxies

    def end(self) -> None:
        """The server ends: what would go on for ever does not."""
        self._closing.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        face: ASGIApp = self.others
        if scope["type"] == "http":
            scope = behind_proxy(scope, self._proxies)
            # Doubled slashes before the name occur where a Tenant URL ends in one.
            name = scope["path"].lstrip("/").partition("/")[0]
            face = self._faces.get(name, face)
            if name != "scim":
                # What a request changes is told under one id, in the audit log and on its way to the targets.
                with correlated():
                    await face(scope, receive, send)
                return
        await face(scope, receive, send)
