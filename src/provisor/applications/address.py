"""Before the connection: is this a Tenant URL, and is it still the same server? Whether it may be called is the
connector's question."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from provisor.applications.errors import InvalidSecretToken, InvalidTenantUrl

_PORTS = {"http": 80, "https": 443}


def checked_address(text: str) -> str:
    """The Tenant URL without surrounding space. Raises ``InvalidTenantUrl``. A query (Entra's flags) may follow."""
    address = text.strip()
    hint = "Give the app's SCIM address, such as https://app.example.com/scim"
    if not address:
        raise InvalidTenantUrl("The Tenant URL is missing.", hint=hint)
    if any(character.isspace() or not character.isprintable() for character in address):
        raise InvalidTenantUrl("The Tenant URL has a space or a control character inside.", hint=hint)
    parts, port_fault = _split(address)
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidTenantUrl(f"The Tenant URL {address!r} is not an http or https address.", hint=hint)
    if port_fault:
        raise InvalidTenantUrl(f"The Tenant URL {address!r} has a port that is none.", hint=hint)
    if "@" in parts.netloc:
        # Not shown: what stands before the @ may be a password.
        raise InvalidTenantUrl(
            f"The Tenant URL of {parts.hostname} has a user name in it.", hint="Credentials go into the Secret Token."
        )
    if parts.fragment:
        raise InvalidTenantUrl(f"The Tenant URL {address!r} has a # part, which is never sent.", hint=hint)
    return address


def checked_token(text: str) -> str:
    """The Secret Token without surrounding space. Raises ``InvalidSecretToken``, never showing it."""
    token = text.strip()
    if not token:
        raise InvalidSecretToken("The Secret Token is empty.", hint="Paste the token that the app gave you.")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidSecretToken(
            "The Secret Token has a character inside that cannot stand in an Authorization header.",
            hint="Paste the token alone, without 'Bearer' and on one line.",
        )
    return token


def same_origin(one: str, other: str) -> bool:
    """Do two checked addresses have the same scheme, host and port?"""
    return _origin(one) == _origin(other)


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _split(address: str) -> tuple[SplitResult | None, bool]:
    """The parts, ``None`` when there are none, and whether the port is wrong."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None, False
    try:
        return parts, parts.port == 0
    except ValueError:
        return parts, True
