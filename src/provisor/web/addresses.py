"""HTTP faces: where the world sees this server."""

from __future__ import annotations

from starlette.requests import Request

from provisor.web.scim.http import origin
from provisor.web.services import WebSettings


def base_of(request: Request, settings: WebSettings) -> str:
    """``https://id.example.org`` without a slash at its end: the public address, else what the request names."""
    if settings.public_url is not None:
        return settings.public_url
    host = request.headers.get("host", "").encode("latin-1", "replace")
    return origin(request.url.scheme, host, request.scope.get("server"))
