"""HTTP faces, before all else: behind a proxy that is trusted, the request is what the proxy says that it was.

A proxy that ends TLS sends ``X-Forwarded-Proto``, ``X-Forwarded-Host`` and ``X-Forwarded-For`` (or ``Forwarded``, RFC
7239). From anybody else these headers are somebody's claim, and nothing is made of them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from starlette.types import Scope

from provisor.security.outbound import Network

_HOST = re.compile(rb"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")


def behind_proxy(scope: Scope, proxies: Sequence[Network]) -> Scope:
    """The scope of the request that the world made. Untouched unless its peer is one of ``proxies``."""
    client = scope.get("client")
    if not proxies or client is None or not _is_one(client[0], proxies):
        return scope
    headers: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name, []).append(value)
    said = _forwarded(headers)
    changed = dict(scope)
    hops = [*said.addresses, client[0]]
    # From the nearest hop on: the first that is none of ours is the client; what it says of others is its claim.
    peer = next((hop for hop in reversed(hops) if not _is_one(hop, proxies)), hops[0])
    changed["client"] = (peer, 0)
    if said.scheme in (b"http", b"https"):
        changed["scheme"] = said.scheme.decode()
    if said.host and _HOST.fullmatch(said.host):
        changed["headers"] = [pair for pair in scope["headers"] if pair[0] != b"host"] + [(b"host", said.host)]
    return changed


class _Said:
    def __init__(self, addresses: list[str], scheme: bytes, host: bytes) -> None:
        self.addresses = addresses
        self.scheme = scheme
        self.host = host


def _forwarded(headers: dict[bytes, list[bytes]]) -> _Said:
    standard = b",".join(headers.get(b"forwarded", []))
    if standard:
        hops = [dict(_pairs(element)) for element in standard.split(b",")]
        addresses = [_address(hop.get(b"for", b"")) for hop in hops]
        # The nearest proxy wrote the last element.
        last = hops[-1]
        return _Said([one for one in addresses if one], last.get(b"proto", b"").lower(), last.get(b"host", b""))
    addresses = [_address(part.strip()) for part in b",".join(headers.get(b"x-forwarded-for", [])).split(b",")]
    return _Said(
        [one for one in addresses if one],
        _last(headers, b"x-forwarded-proto").lower(),
        _last(headers, b"x-forwarded-host"),
    )


def _last(headers: dict[bytes, list[bytes]], name: bytes) -> bytes:
    return b",".join(headers.get(name, [])).rpartition(b",")[2].strip()


def _pairs(element: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    for pair in element.split(b";"):
        name, _, value = pair.partition(b"=")
        found.append((name.strip().lower(), value.strip().strip(b'"')))
    return found


def _address(text: bytes) -> str:
    """The IP address without port and brackets; empty for what is none."""
    plain = text.decode("latin-1").strip('"')
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        return ""


def _is_one(host: str, proxies: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in proxies)
