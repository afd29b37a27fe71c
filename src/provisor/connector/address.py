"""Step export, at the wire: Tenant URLs, and the addresses that are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from provisor.errors import InvalidInput

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class TenantUrl:
    """A Tenant URL taken apart: ``root`` has no trailing slash; ``flags`` are the tokens that stood behind ``?``."""

    root: str
    flags: frozenset[str]


def parse_tenant_url(text: str) -> TenantUrl:
    """Read a Tenant URL such as ``https://app.example/scim/?aadOptscim062020``.

    Flags choose a dialect and are not sent (reference entra-scim-wire.md section 1).
    Raises ``InvalidInput`` for anything that is not an http or https address without user name and fragment.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise _unusable(text, "is not an address") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise _unusable(text, "is not an http or https address")
    if parts.username is not None or parts.password is not None:
        raise _unusable("The Tenant URL", "holds a user name or password; the secret goes into Secret Token")
    if parts.fragment:
        raise _unusable(text, "has a part behind #, which is never sent")
    host = _host(parts.hostname, text)
    where = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    return TenantUrl(f"{parts.scheme}://{where}{path}", frozenset(token for token in parts.query.split("&") if token))


def same_origin(one: str, other: str) -> bool:
    """Do both addresses name the same scheme, host and port? A secret must not follow a Tenant URL elsewhere.

    Raises ``InvalidInput`` for what is not an address.
    """
    return _origin(one) == _origin(other)


def _origin(text: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(parse_tenant_url(text).root)
    return parts.scheme, parts.hostname, parts.port


def _host(host: str, text: str) -> str:
    if ":" in host:
        return f"[{host}]"
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise _unusable(text, "has a host name that no host can have") from error


def _unusable(text: str, problem: str) -> InvalidInput:
    return InvalidInput(f"{text} {problem}.", hint="A Tenant URL looks like https://app.example.com/scim/v2.")
