"""HTTP faces: whether a request comes from this very machine, for what is not for the world to read."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def is_local(request: Request) -> bool:
    """A loopback peer that no proxy speaks for, and a loopback Host (a page elsewhere can rebind its own name)."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    return is_loopback(request.client.host) and is_loopback(request.url.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name or an address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
