"""Pages: cookies as all of ours are: out of scripts' reach, not sent along by other sites' forms, and only over TLS."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from provisor.web.local import is_loopback


def set_cookie(
    request: Request,
    response: Response,
    name: str,
    value: str,
    *,
    seconds: int | None = None,
    same_site: Literal["lax", "strict"] = "lax",
) -> None:
    """``seconds``: how long it lives; null: until the browser ends. ``Secure`` everywhere but on this very machine."""
    secure = request.url.scheme == "https" or not is_loopback(request.url.hostname or "")
    response.set_cookie(name, value, max_age=seconds, httponly=True, secure=secure, samesite=same_site)
