"""Step export, when it fails: what the target's answer means, in the codes of the provisioning log.

    TargetError
    ├── Unreachable        no reply at all: TransportError is its cause
    ├── Unauthorized401    the credential is wrong or has expired
    ├── Forbidden403       authenticated, but not allowed
    ├── NotFound404        the object that an id names is gone
    ├── Conflict409        a value that must be unique is taken
    ├── Throttled          too many requests, for longer than we were ready to wait
    ├── ServerFailed       5xx
    ├── Refused            any other 4xx
    └── BadAnswer          a reply that SCIM does not know: HTML, a redirect, a list without a list, no id

Codes: ``reference/entra-provisioning-service.md`` section 21.3. Statuses: RFC 7644 section 3.12.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from provisor.connector.exchange import Exchange
from provisor.connector.transport import Response, TimedOut, TransportError
from provisor.errors import ProvisorError

INCOMPATIBLE = "SystemForCrossDomainIdentityManagementServiceIncompatible"
INCOMPATIBLE_FILTERING = "SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering"


class TargetError(ProvisorError):
    """The target did not do what it was asked to."""

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        code: str,
        exchange: Exchange,
        detail: str = "",
        scim_type: str = "",
        retryable: bool = False,
        retry_after_seconds: float | None = None,
        credential_problem: bool = False,
        target_wide: bool = False,
        may_have_arrived: bool = False,
    ) -> None:
        """``detail``: the server's own words. ``retryable``: the same request may succeed later, unchanged.

        ``credential_problem`` and ``target_wide``: the next object would fail alike, so that a cycle should stop.
        ``may_have_arrived``: the target may have applied the request, so look before sending it again.
        """
        super().__init__(message, hint=hint)
        self.code = code
        self.exchange = exchange
        self.status = exchange.status
        self.detail = detail
        self.scim_type = scim_type
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
        self.credential_problem = credential_problem
        self.target_wide = target_wide or credential_problem
        self.may_have_arrived = may_have_arrived


class Unreachable(TargetError):
    """The target does not answer."""


class Unauthorized401(TargetError):
    """The target does not accept the credential."""


class Forbidden403(TargetError):
    """The target does not allow this."""


class NotFound404(TargetError):
    """The target no longer has this object."""


class Conflict409(TargetError):
    """The target has another object with a value that must be unique."""


class Throttled(TargetError):
    """The target asks to slow down for longer than Provisor waits."""


class ServerFailed(TargetError):
    """The target failed."""


class Refused(TargetError):
    """The target refused the request."""


class BadAnswer(TargetError):
    """The target's answer is not SCIM."""


class _Meaning(NamedTuple):
    error: type[TargetError]
    code: str
    words: str
    hint: str
    retryable: bool = False
    may_have_arrived: bool = False


_BY_STATUS = {
    400: _Meaning(Refused, "WebExceptionProtocolError", "refused the request as malformed", "Check the mappings."),
    401: _Meaning(
        Unauthorized401,
        "Unauthorized",
        "does not accept the secret token",
        "Make a new token in the target application and enter it as Secret Token.",
    ),
    402: _Meaning(Refused, "LicenseLimitExceeded", "has no licence left", "Add licences in the target application."),
    403: _Meaning(
        Forbidden403,
        "InsufficientRights",
        "does not allow this with the given secret token",
        "Give the token's owner the right to manage users and groups in the target application.",
    ),
    404: _Meaning(
        NotFound404,
        "InvalidAnchor",
        "no longer has this object",
        "It was removed there. Restart provisioning to match or create it anew.",
    ),
    405: _Meaning(Refused, "MethodNotAllowed", "does not offer this operation", "Untick it in the mapping's actions."),
    408: _Meaning(Refused, "Timeout", "was too slow", "It is tried again.", retryable=True, may_have_arrived=True),
    409: _Meaning(
        Conflict409,
        "EntryConflict",
        "has another object with the same value",
        "Change the value, or the attribute by which objects are matched.",
    ),
    413: _Meaning(Refused, "UnprocessableEntity", "finds the request too large", "Lower members_per_patch."),
    422: _Meaning(Refused, "UnprocessableEntity", "cannot process these values", "Check the mappings."),
    429: _Meaning(Throttled, "TooManyRequests", "asks to slow down", "It is tried again later.", retryable=True),
    501: _Meaning(ServerFailed, "NotImplemented", "does not implement this", "Look for a profile of this target."),
    503: _Meaning(ServerFailed, "InternalServerError", "is not available", "It is tried again.", True, True),
    504: _Meaning(ServerFailed, "Timeout", "was too slow", "It is tried again.", True, True),
}
_CLIENT_ERROR = _Meaning(Refused, "WebExceptionProtocolError", "refused the request", "See the target's own words.")
_SERVER_ERROR = _Meaning(
    ServerFailed, "InternalServerError", "failed", "It is tried again. Look into the target's log.", True, True
)

# RFC 7644 table 9: where the keyword says more than the status.
_BY_SCIM_TYPE = {
    "uniqueness": "EntryConflict",
    "invalidfilter": INCOMPATIBLE_FILTERING,
    "invalidpath": "SchemaAttributeNotFound",
    "notarget": "SchemaAttributeNotFound",
    "mutability": "NotPermitted",
    "invalidvalue": "UnprocessableEntity",
}


def from_status(exchange: Exchange, what: str, *, retry_after_seconds: float | None = None) -> TargetError:
    """The error for a reply that is none of success. ``what`` names the operation: ``create of a user``.

    403 counts as a credential problem only where something was read: a write may be refused for one object alone.
    """
    response = _response(exchange)
    detail, scim_type = own_words(response, exchange)
    if 300 <= response.status < 400:
        return _redirected(exchange, response)
    meaning = _BY_STATUS.get(response.status, _SERVER_ERROR if response.status >= 500 else _CLIENT_ERROR)
    error = Conflict409 if scim_type.lower() == "uniqueness" else meaning.error
    writes = exchange.method != "GET"
    return error(
        f"{what}: the target {meaning.words} (status {response.status}){_said(detail)}",
        hint=meaning.hint,
        code=_BY_SCIM_TYPE.get(scim_type.lower(), meaning.code) if response.status < 500 else meaning.code,
        exchange=exchange,
        detail=detail,
        scim_type=scim_type,
        retryable=meaning.retryable,
        retry_after_seconds=retry_after_seconds,
        credential_problem=response.status == 401 or (response.status == 403 and not writes),
        may_have_arrived=meaning.may_have_arrived and writes,
    )


def from_transport(error: TransportError, exchange: Exchange, what: str) -> Unreachable:
    """The error for a request without a reply. A name, a certificate or a refusal concerns every object alike."""
    slow = isinstance(error, TimedOut)
    return Unreachable(
        f"{what}: {error.message}",
        hint=error.hint,
        code="Timeout" if slow else "WebExceptionProtocolError",
        exchange=exchange,
        retryable=True,
        target_wide=not error.may_have_arrived,
        may_have_arrived=error.may_have_arrived and exchange.method != "GET",
    )


def wrong_path(exchange: Exchange, what: str) -> BadAnswer:
    """404 where a list or a new object was asked for: the address does not lead to a SCIM service."""
    detail, _ = own_words(_response(exchange), exchange)
    asked = exchange.request_line.split("?")[0]
    return BadAnswer(
        f"{what}: the target says that {asked} does not exist (status 404){_said(detail)}",
        hint="Check the path of the Tenant URL; many targets want it to end in /scim or /scim/v2.",
        code=INCOMPATIBLE,
        exchange=exchange,
        detail=detail,
        target_wide=True,
    )


def bad_answer(exchange: Exchange, problem: str, *, hint: str | None = None, code: str = INCOMPATIBLE) -> BadAnswer:
    """A reply with a good status and contents that SCIM does not know."""
    excerpt = exchange.excerpt()
    return BadAnswer(
        f"{problem}{f' It begins{_said(excerpt)}' if excerpt else ''}",
        hint=hint or "Check that the Tenant URL is that of the target's SCIM 2.0 service.",
        code=code,
        exchange=exchange,
        detail=excerpt,
        may_have_arrived=exchange.method != "GET",
    )


def own_words(response: Response, exchange: Exchange) -> tuple[str, str]:
    """``detail`` and ``scimType`` of a SCIM error; else an excerpt of the text that came, and an empty string."""
    try:
        document: Any = msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        return exchange.excerpt(), ""
    if not isinstance(document, dict):
        return exchange.excerpt(), ""
    scim_type = document.get("scimType")
    for name in ("detail", "message", "error_description", "error"):
        words = document.get(name)
        if isinstance(words, str) and words:
            return exchange.secret.black(words), scim_type if isinstance(scim_type, str) else ""
    return exchange.excerpt(), scim_type if isinstance(scim_type, str) else ""


def _redirected(exchange: Exchange, response: Response) -> BadAnswer:
    there = exchange.secret.black(response.headers.get("Location", "")) or "another address"
    return BadAnswer(
        f"The target sends on to {there} (status {response.status}). Redirects are not followed: they could carry "
        "the secret token elsewhere.",
        hint="If that address is right, enter it as Tenant URL. If it is a sign-in page, the token is not accepted.",
        code=INCOMPATIBLE,
        exchange=exchange,
        target_wide=True,
    )


def _said(detail: str) -> str:
    if not detail:
        return "."
    return f": {detail}" if detail[-1] in ".!?…" else f": {detail}."


def _response(exchange: Exchange) -> Response:
    if exchange.response is None:
        raise ValueError("This exchange has no reply.")
    return exchange.response
