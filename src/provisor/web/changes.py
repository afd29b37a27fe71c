"""Company side, ``GET /v1/changes``: the outbox by cursor, with the company's API key or access token."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor import errors
from provisor.errors import InvalidInput, ProvisorError
from provisor.events.outbox import Outbox
from provisor.events.store import OutboxExpired
from provisor.events.webhooks.message import change_document
from provisor.provider.credentials import Credentials
from provisor.provider.limits import RateExceeded, RateLimiter
from provisor.provider.model import Unauthenticated

_STATUS: tuple[tuple[type[ProvisorError], int], ...] = (
    (Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.InvalidInput, 400),
    (OutboxExpired, 410),
    (RateExceeded, 429),
    (errors.Unavailable, 503),
)


def routes(outbox: Outbox, credentials: Credentials, rates: RateLimiter) -> list[Route]:
    """The address. Its answer's ``next`` is the next request's ``after``; less than ``limit`` changes are the end."""

    async def changes(request: Request) -> Response:
        try:
            caller = await credentials.authenticate(request.headers.get("authorization"))
            rates.admit(caller)
            page = await outbox.read(
                caller.actor, caller.company_id, _number(request, "after", 0), _number(request, "limit", 100)
            )
        except ProvisorError as error:
            return _refusal(error)
        document = {
            "changes": [change_document(change) for change in page.changes],
            "next": page.next,
            "head": page.head,
        }
        return Response(msgspec.json.encode(document), 200, {"cache-control": "no-store"}, "application/json")

    return [Route("/v1/changes", changes, methods=["GET"])]


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise InvalidInput(f"{name} is {text[:40]!r}.", hint="Give a whole number, 0 or above.")
    return int(text)


def _refusal(error: ProvisorError) -> Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if status is None:
        raise error
    headers = {"cache-control": "no-store"}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = 'Bearer realm="SCIM"'
    elif isinstance(error, RateExceeded):
        headers["retry-after"] = str(error.retry_after)
    elif status == 503:
        headers["retry-after"] = "2"
    body: dict[str, object] = {"error": {"code": type(error).__name__, "message": str(error)}}
    if isinstance(error, OutboxExpired):
        body["head"] = error.head
    return Response(msgspec.json.encode(body), status, headers, "application/json")
