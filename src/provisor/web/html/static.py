"""Pages: ``/static/NAME?HASH``, from the package. An address with its hash never changes, so browsers keep it."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from provisor.web.html.headers import SHARED

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain; charset=utf-8",
}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """``packed`` is ``content`` in gzip, made once."""

    content: bytes
    packed: bytes
    media_type: str
    mark: str


def routes() -> list[Route]:
    """The one address."""
    return [Route("/static/{name}", _serve, methods=["GET", "HEAD"])]


def address(name: str) -> str:
    """Where a page finds the file ``name``. Raises ``KeyError`` when there is none."""
    return f"/static/{name}?{_files()[name].mark}"


async def _serve(request: Request) -> Response:
    found = _files().get(request.path_params["name"])
    if found is None:
        return PlainTextResponse("There is no such file.\n", 404)
    current = request.url.query == found.mark
    headers = {
        **SHARED,
        "cache-control": _FOR_EVER if current else "no-cache",
        "etag": f'"{found.mark}"',
        "vary": "accept-encoding",
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    body = found.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = found.packed
        headers["content-encoding"] = "gzip"
    return Response(body, headers=headers, media_type=found.media_type)


@cache
def _files() -> dict[str, StaticFile]:
    found = {}
    for entry in files("provisor.web.html").joinpath("static").iterdir():
        ending = "." + entry.name.rpartition(".")[2]
        if ending in _TYPES:
            content = entry.read_bytes()
            mark = hashlib.sha256(content).hexdigest()[:12]
            found[entry.name] = StaticFile(content, gzip.compress(content, mtime=0), _TYPES[ending], mark)
    return found
