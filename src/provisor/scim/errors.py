"""Floor 1, every step: what can be wrong with a SCIM request, one class per keyword of RFC 7644 table 9 and RFC 9865.

ScimError
├── BadRequest                   400
│   ├── InvalidFilter            invalidFilter
│   ├── TooMany                  tooMany
│   ├── InvalidSyntax            invalidSyntax
│   ├── InvalidPath              invalidPath
│   ├── NoTarget                 noTarget
│   ├── InvalidValue             invalidValue
│   ├── InvalidVersion           invalidVers
│   ├── Mutability               mutability
│   ├── InvalidCursor            invalidCursor
│   ├── ExpiredCursor            expiredCursor
│   └── InvalidCount             invalidCount
├── Unauthorized                 401
├── Forbidden                    403
│   └── Sensitive                403 sensitive
├── NotFound404                  404
├── MethodNotAllowed             405
├── NotAcceptable                406
├── AlreadyThere                 409
│   └── Uniqueness               409 uniqueness
├── PreconditionFailed           412
├── PayloadTooLarge              413
├── UnsupportedMedia             415
├── TooManyRequests              429
├── ServerFault                  500
├── NotImplemented501            501
└── Busy                         503
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provisor.errors import ProvisorError

ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(ProvisorError):
    """The request failed.

    ``status`` is the HTTP status, ``scim_type`` the keyword or None where the RFC knows none.
    """

    status: int = 500
    scim_type: str | None = None

    def body(self) -> dict[str, Any]:
        """The error as RFC 7644 section 3.12 sends it: ``status`` is a string, ``scimType`` only where there is one."""
        answer: dict[str, Any] = {"schemas": [ERROR_URN], "status": str(self.status)}
        if self.scim_type is not None:
            answer["scimType"] = self.scim_type
        answer["detail"] = str(self)
        return answer

    @classmethod
    def from_body(cls, body: object, status: int) -> ScimError:
        """The error that a server answered, the other way round.

        ``body`` is the parsed answer, whatever it is; ``status`` the HTTP status, which decides where the two differ.
        The result has the class of the keyword, else that of the status, else it is a plain ``ScimError`` that
        carries both.
        """
        scim_type, detail = None, None
        if isinstance(body, Mapping):
            folded = {str(key).lower(): value for key, value in body.items()}
            scim_type, detail = folded.get("scimtype"), folded.get("detail")
        known = _BY_KEYWORD.get(str(scim_type).lower()) if scim_type else None
        if known is None or known.status != status:
            known = _BY_STATUS.get(status)
        message = detail if isinstance(detail, str) and detail else None
        error = (known or ScimError)(message)
        error.status = status
        if isinstance(scim_type, str) and scim_type:
            error.scim_type = scim_type
        return error


class BadRequest(ScimError):
    """The request cannot be understood."""

    status = 400


class InvalidFilter(BadRequest):
    """The filter is malformed, names an unknown attribute or compares what cannot be compared."""

    scim_type = "invalidFilter"


class TooMany(BadRequest):
    """The filter yields more results than this server returns or processes."""

    scim_type = "tooMany"


class InvalidSyntax(BadRequest):
    """The body is not the JSON message that this request needs."""

    scim_type = "invalidSyntax"


class InvalidPath(BadRequest):
    """The path is malformed or names an unknown attribute."""

    scim_type = "invalidPath"


class NoTarget(BadRequest):
    """The path names nothing that can be changed."""

    scim_type = "noTarget"


class InvalidValue(BadRequest):
    """A required value is missing, or a value does not fit its attribute."""

    scim_type = "invalidValue"


class InvalidVersion(BadRequest):
    """The protocol version is not supported."""

    scim_type = "invalidVers"


class Mutability(BadRequest):
    """The attribute cannot be changed so."""

    scim_type = "mutability"


class InvalidCursor(BadRequest):
    """The cursor cannot be read or does not belong to this query."""

    scim_type = "invalidCursor"


class ExpiredCursor(BadRequest):
    """The cursor is no longer valid."""

    scim_type = "expiredCursor"


class InvalidCount(BadRequest):
    """The count differs from that of the first page in a way that the cursor does not allow."""

    scim_type = "invalidCount"


class Unauthorized(ScimError):
    """The request carries no valid credential."""

    status = 401


class Forbidden(ScimError):
    """The credential does not allow this."""

    status = 403


class Sensitive(Forbidden):
    """The request address carries sensitive data; use POST with .search instead."""

    scim_type = "sensitive"


class NotFound404(ScimError):
    """There is no such resource."""

    status = 404


class MethodNotAllowed(ScimError):
    """This endpoint does not support the method."""

    status = 405


class NotAcceptable(ScimError):
    """None of the accepted media types can be produced."""

    status = 406


class AlreadyThere(ScimError):
    """The present state forbids this."""

    status = 409


class Uniqueness(AlreadyThere):
    """The value of a unique attribute is taken already."""

    scim_type = "uniqueness"


class PreconditionFailed(ScimError):
    """The resource has changed since the version that the request names."""

    status = 412


class PayloadTooLarge(ScimError):
    """The request is larger than this server accepts."""

    status = 413


class UnsupportedMedia(ScimError):
    """The body's media type is not application/scim+json."""

    status = 415


class TooManyRequests(ScimError):
    """There were too many requests in too short a time."""

    status = 429


class ServerFault(ScimError):
    """The server failed; the fault is recorded."""

    status = 500


class NotImplemented501(ScimError):
    """This server does not support the operation."""

    status = 501


class Busy(ScimError):
    """The server cannot answer just now."""

    status = 503


def _all(cls: type[ScimError]) -> Iterator[type[ScimError]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _all(sub)


_BY_KEYWORD = {cls.scim_type.lower(): cls for cls in _all(ScimError) if cls.scim_type}
_BY_STATUS = {cls.status: cls for cls in _all(ScimError) if cls.scim_type is None}
