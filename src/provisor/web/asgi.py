"""The HTTP faces as one ASGI application: SCIM goes straight to its face, everything else through Starlette."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from provisor.web import changes, health, pages
from provisor.web.html import static
from provisor.web.html.failures import http_failure, unexpected_failure
from provisor.web.html.live import Closing
from provisor.web.oauth import token
from provisor.web.openapi import routes as openapi
from provisor.web.scim.face import ScimFace
from provisor.web.services import Services


def create_app(services: Services) -> Front:
    """The application that a server runs; start-up and shut-down of what ``services`` holds are the caller's."""
    face = ScimFace(services)
    routes = [*health.routes(services), *static.routes(), *pages.routes(services), *openapi.routes(services)]
    if services.clients is not None:
        routes += token.routes(services.clients)
    if services.outbox is not None:
        routes += changes.routes(services.outbox, face.credentials, face.rates)
    handlers = {HTTPException: http_failure, Exception: unexpected_failure}
    return Front(face, Starlette(routes=routes, exception_handlers=handlers), services.closing)


class Front:
    """Routing by the first segment of the path, before anything is allocated for a request."""

    def __init__(self, scim: ScimFace, others: Starlette, closing: Closing) -> None:
        self._scim = scim
        self._others = others
        self._closing = closing

    def end(self) -> None:
        """The server ends: what would go on for ever does not."""
        self._closing.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_scim(scope["path"]):
            await self._scim(scope, receive, send)
        else:
            await self._others(scope, receive, send)


def _is_scim(path: str) -> bool:
    # Doubled slashes before the name occur where a Tenant URL ends in one.
    return path.lstrip("/").partition("/")[0] == "scim"
