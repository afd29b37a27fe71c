"""SCIM face, when something goes wrong: every exception as an RFC 7644 error, and nothing of our insides in it."""

from __future__ import annotations

import msgspec
import structlog

from provisor import errors
from provisor.provider.limits import RateExceeded
from provisor.provider.model import Unauthenticated
from provisor.scim import errors as scim
from provisor.web.scim.http import Answer

_log = structlog.get_logger(__name__)

_CHALLENGE = (b"www-authenticate", b'Bearer realm="SCIM"')
_REFUSED = (b"www-authenticate", b'Bearer realm="SCIM", error="invalid_token"')


def answer_of(error: Exception, *, method: str, path: str) -> Answer:
    """The answer to a request that ended in ``error``; what nobody expected is logged with its trace."""
    found = _as_scim(error)
    if found is None:
        _log.error("scim_request_failed", method=method, path=path, exc_info=error)
        found = scim.ServerFault(hint="Try again later; the server's log says more.")
    headers = None
    if isinstance(found, scim.Unauthorized):
        headers = [_CHALLENGE if "no Authorization" in found.message else _REFUSED]
    elif isinstance(found, RateExceeded):
        headers = [(b"retry-after", str(found.retry_after).encode())]
    elif isinstance(found, scim.Busy):
        headers = [(b"retry-after", b"2")]
    return Answer(found.status, msgspec.json.encode(found.body()), headers)


def _as_scim(error: Exception) -> scim.ScimError | None:
    if isinstance(error, scim.ScimError):
        return error
    if not isinstance(error, errors.ProvisorError):
        return None
    for ours, theirs in _SAME:
        if isinstance(error, ours):
            return theirs(error.message, hint=error.hint)
    return None


_SAME: tuple[tuple[type[errors.ProvisorError], type[scim.ScimError]], ...] = (
    (Unauthenticated, scim.Unauthorized),
    (errors.Forbidden, scim.Forbidden),
    (errors.NotFound, scim.NotFound404),
    (errors.Conflict, scim.AlreadyThere),
    (errors.InvalidInput, scim.InvalidValue),
    (errors.Unavailable, scim.Busy),
)
