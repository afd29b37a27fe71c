"""Test Connection: what a failed probe means, in words that lead to the next step.

Entra shows "you appear to have entered invalid credentials" for everything (reference entra-provisioning-service.md
section 6). The codes are Entra's; the ``cause`` says what it really was.
"""

from __future__ import annotations

from dataclasses import dataclass

from provisor.connector import errors, transport
from provisor.connector.errors import INCOMPATIBLE_FILTERING, TargetError
from provisor.connector.exchange import Exchange
from provisor.connector.messages import ENDPOINTS, Kind

_FAMILY = "SystemForCrossDomainIdentityManagement"
_WRONG_CREDENTIALS = f"{_FAMILY}CredentialValidationFailure"
_UNAVAILABLE = f"{_FAMILY}CredentialValidationUnavailable"
_WRONG_URL = f"{_FAMILY}InvalidCredentials"


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """The outcome of Test Connection. ``hint`` is the next step, null where all is well.

    ``cause``: ``connected``; no reply: ``name_not_found``, ``address_forbidden``, ``connection_refused``, ``tls``,
    ``timeout``, ``connection_lost``, ``not_http``, ``reply_too_large``; a reply: ``unauthorized``, ``forbidden``,
    ``wrong_path``, ``redirect``, ``not_scim``, ``filter_ignored``, ``filter_refused``, ``throttled``,
    ``server_failed``, ``request_refused``.
    """

    ok: bool
    cause: str
    code: str
    message: str
    hint: str | None
    exchange: Exchange | None


_TRANSPORT_CAUSES: dict[type[transport.TransportError], str] = {
    transport.NameNotFound: "name_not_found",
    transport.AddressForbidden: "address_forbidden",
    transport.ConnectionRefused: "connection_refused",
    transport.TlsFailed: "tls",
    transport.TimedOut: "timeout",
    transport.ConnectionLost: "connection_lost",
    transport.NotHttp: "not_http",
    transport.ReplyTooLarge: "reply_too_large",
}
_ERROR_CAUSES: dict[type[TargetError], tuple[str, str]] = {
    errors.Unauthorized401: ("unauthorized", _WRONG_CREDENTIALS),
    errors.Forbidden403: ("forbidden", _WRONG_CREDENTIALS),
    errors.Throttled: ("throttled", _UNAVAILABLE),
    errors.ServerFailed: ("server_failed", _UNAVAILABLE),
}


def connected(exchange: Exchange | None) -> ConnectionResult:
    return ConnectionResult(True, "connected", "", "The target answers, and accepts the secret token.", None, exchange)


def diagnose(error: TargetError, kind: Kind, users_answered: bool) -> ConnectionResult:
    """What a failed probe of ``kind`` means; ``users_answered``: the probe for a user had gone well before."""
    cause, code = _cause(error)
    hint = error.hint
    if kind == "Group" and users_answered:
        hint = f"Users work. If the target has no groups, switch off the mapping of groups. Else: {error.hint}"
    return ConnectionResult(False, cause, code, error.message, hint, error.exchange)


def found_somebody(kind: Kind, attribute: str, exchange: Exchange | None) -> ConnectionResult:
    """A search for a random value brought objects: matching would pick strangers."""
    return ConnectionResult(
        False,
        "filter_ignored",
        INCOMPATIBLE_FILTERING,
        f"A search on {ENDPOINTS[kind]} for a {attribute} that nobody has brought objects: the target ignores filters.",
        "Match by an attribute that the target can search for, or ask its makers to mend the filter.",
        exchange,
    )


def _cause(error: TargetError) -> tuple[str, str]:
    reason = error.__cause__
    if isinstance(reason, transport.TransportError):
        return _TRANSPORT_CAUSES[type(reason)], _UNAVAILABLE
    if type(error) in _ERROR_CAUSES:
        return _ERROR_CAUSES[type(error)]
    status = error.status or 0
    if error.code == INCOMPATIBLE_FILTERING:
        return ("filter_ignored" if status < 300 else "filter_refused"), error.code
    if status == 404:
        return "wrong_path", _WRONG_URL
    if 300 <= status < 400:
        return "redirect", _WRONG_URL
    if isinstance(error, errors.BadAnswer):
        return "not_scim", error.code
    return "request_refused", error.code
