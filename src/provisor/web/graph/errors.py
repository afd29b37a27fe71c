"""Graph face, when something goes wrong: every exception in Graph's envelope (reference section 14).

GraphError
├── Unauthenticated   401 InvalidAuthenticationToken
├── Denied            403 Authorization_RequestDenied
├── ResourceNotFound  404 Request_ResourceNotFound
├── BadRequest        400 Request_BadRequest
├── NotAllowed        405 notAllowed
├── Gone              410 resyncRequired
├── TooLarge          413 Request_EntityTooLarge
├── WrongMedia        415 UnsupportedMediaType
└── Throttled         429 TooManyRequests

Errors of the services are translated in ``as_graph``; a face raises them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import structlog

from provisor import errors
from provisor.directory.attributes import InvalidAttributes
from provisor.directory.users import NameTaken
from provisor.odata.errors import BadQuery, Unsupported

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Detail:
    """One of an error's causes; ``target`` is the property that it is about."""

    code: str
    target: str
    message: str


class GraphError(Exception):
    """The request failed."""

    status: ClassVar[int] = 500
    code: str = "generalException"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.code = code or type(self).code
        self.details = tuple(details)
        self.headers = dict(headers or {})
        super().__init__(self.message)


class Unauthenticated(GraphError):
    """Access token is empty."""

    status = 401
    code = "InvalidAuthenticationToken"


class Denied(GraphError):
    """Insufficient privileges to complete the operation."""

    status = 403
    code = "Authorization_RequestDenied"


class ResourceNotFound(GraphError):
    """The resource does not exist."""

    status = 404
    code = "Request_ResourceNotFound"


class BadRequest(GraphError):
    """The request cannot be understood."""

    status = 400
    code = "Request_BadRequest"


class NotAllowed(GraphError):
    """The resource does not take this method."""

    status = 405
    code = "notAllowed"


class Clashing(GraphError):
    """The state of the resource forbids this."""

    status = 409
    code = "Request_ResourceConflict"


class Gone(GraphError):
    """The changes since this token are no longer known; begin again."""

    status = 410
    code = "resyncRequired"


class TooLarge(GraphError):
    """The body is too large."""

    status = 413
    code = "Request_EntityTooLarge"


class WrongMedia(GraphError):
    """The body is not JSON."""

    status = 415
    code = "UnsupportedMediaType"


class Throttled(GraphError):
    """Too many requests."""

    status = 429
    code = "TooManyRequests"


class Unavailable(GraphError):
    """The service does not answer at the moment."""

    status = 503
    code = "serviceNotAvailable"


def as_graph(error: Exception, *, method: str, path: str) -> GraphError:
    """The error as Graph would report it; what nobody expected is logged with its trace, and not shown."""
    if isinstance(error, GraphError):
        return error
    if (found := _of_applications(error)) is not None:
        return found
    text = str(error)
    match error:
        case InvalidAttributes():
            details = [Detail("InvalidValue", f.attribute, f"{f.attribute} {f.reason}") for f in error.faults]
            return BadRequest(text, details=details)
        case NameTaken():
            message = "Another object with the same value for property userPrincipalName already exists."
            return BadRequest(f"{message} {text}", details=[Detail("ObjectConflict", "userPrincipalName", message)])
        case Unsupported():
            return BadRequest(text, code="Request_UnsupportedQuery")
        case BadQuery():
            return BadRequest(text, code="BadRequest")
        case errors.InvalidInput():
            return BadRequest(text)
        case errors.NotFound():
            return ResourceNotFound(text)
        case errors.Conflict():
            return Clashing(text)
        case errors.Forbidden():
            return Denied(f"Insufficient privileges to complete the operation. {text}")
        case errors.Unavailable():
            return Unavailable(text, headers={"retry-after": "2"})
    _log.error("graph_request_failed", method=method, path=path, exc_info=error)
    return GraphError("An unexpected error occurred. The server's log says more.")


def _of_applications(error: Exception) -> GraphError | None:
    from provisor.web.graph.applications import faults  # it needs the classes above

    return faults.as_graph(error)


def envelope(error: GraphError, request_id: str, client_request_id: str) -> dict[str, Any]:
    """The body of the answer."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details:
        body["details"] = [{"code": d.code, "target": d.target, "message": d.message} for d in error.details]
    now = datetime.now(UTC)
    body["innerError"] = {
        "date": f"{now:%Y-%m-%dT%H:%M:%S}",
        "request-id": request_id,
        "client-request-id": client_request_id,
    }
    return {"error": body}
