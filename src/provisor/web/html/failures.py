"""Pages, when something goes wrong: what, why, and what to do next; of what nobody expected, a number to ask after."""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from provisor.errors import Conflict, Forbidden, InvalidInput, NotFound, ProvisorError, Unavailable
from provisor.ids import new_id
from provisor.web.html.forms import TooLarge
from provisor.web.html.templating import render

_log = structlog.get_logger(__name__)

_KINDS: tuple[tuple[type[ProvisorError], int, str], ...] = (
    (Forbidden, 403, "You may not do this"),
    (NotFound, 404, "Not found"),
    (Conflict, 409, "Not possible now"),
    (TooLarge, 413, "Too large"),
    (InvalidInput, 400, "This cannot be used"),
    (Unavailable, 503, "Not available just now"),
)
_PAGES = ("/portal", "/company", "/static")


def failure_page(request: Request, error: ProvisorError) -> Response:
    """The page that says what an operation failed at."""
    found = next(((status, title) for kind, status, title in _KINDS if isinstance(error, kind)), None)
    status, title = found or (500, "It did not work")
    return render(request, "error.html", status=status, title=title, message=error.message, hint=error.hint)


async def http_failure(request: Request, error: Exception) -> Response:
    """Starlette's own: no such address, no such method. A page for browsers, a line for programs."""
    if not isinstance(error, HTTPException):
        raise error
    if not _wants_page(request):
        return PlainTextResponse(f"{error.detail}\n", error.status_code, headers=error.headers)
    title, message, hint = "Not found", "There is no such page.", "It may have moved, or the address has a typo."
    if error.status_code != 404:
        title, message, hint = "Not possible", error.detail, "Go back and try another way."
    answer = render(request, "error.html", status=error.status_code, title=title, message=message, hint=hint)
    answer.headers.update(error.headers or {})
    return answer


async def unexpected_failure(request: Request, error: Exception) -> Response:
    """What nobody expected. It is logged with its trace and a number; who sees the page can tell the number."""
    number = new_id()
    _log.error("page_failed", request_id=number, method=request.method, path=request.url.path, exc_info=error)
    if not _wants_page(request):
        return PlainTextResponse(f"The server failed at this. Request id: {number}\n", 500)
    return render(
        request,
        "error.html",
        status=500,
        title="Something went wrong",
        message="The server failed at this, and its log says why.",
        hint="Try again. If it stays, give your operator the request id below.",
        request_id=number,
    )


def _wants_page(request: Request) -> bool:
    return request.url.path.startswith(_PAGES) or "text/html" in request.headers.get("accept", "")
