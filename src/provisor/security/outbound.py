"""Step before every outbound connection: may this address be called? Serves SCIM, webhooks and OpenID Connect alike.

The rules are those of the architecture, section 5.16. What is checked is the address that the connection then uses:
``GuardedResolver`` hands an HTTP client only addresses that passed, so that a name cannot change its mind in between.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from provisor.errors import Forbidden, InvalidInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Where clouds tell a machine its own credentials. Most are link-local; these hide in ranges that are otherwise fair.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")


@dataclass(frozen=True, slots=True)
class Verdict:
    """May the address be called? ``reason`` and ``hint`` are sentences, present where it may not."""

    allowed: bool
    reason: str = ""
    hint: str | None = None


ALLOWED = Verdict(True)


class AddressForbidden(Forbidden):
    """This address may not be called."""


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """Which addresses may be called.

    ``own_loopback``: this server itself listens on loopback only, so that loopback and private addresses are fair.
    ``allow_networks``: networks that may be called whatever ``own_loopback`` says (``PROVISOR_ALLOW_NETWORKS``).
    ``allow_http``: unencrypted http also beyond loopback.
    Link-local, metadata, multicast, unspecified and reserved addresses are never called.
    """

    own_loopback: bool = False
    allow_networks: tuple[Network, ...] = ()
    allow_http: bool = False

    def check(self, address: str | Address, *, encrypted: bool = True) -> Verdict:
        """The verdict on an IP address; ``encrypted`` is false for plain http. Raises ``ValueError`` if it is none."""
        return _verdict(self, address, encrypted)

    def require(self, address: str | Address, *, encrypted: bool = True) -> None:
        """Raise ``AddressForbidden`` unless ``address`` may be called."""
        verdict = self.check(address, encrypted=encrypted)
        if not verdict.allowed:
            raise AddressForbidden(verdict.reason, hint=verdict.hint)


# A literal address is judged at every request, always with the same answer.
@lru_cache(maxsize=1024)
def _verdict(policy: OutboundPolicy, address: str | Address, encrypted: bool) -> Verdict:
    given = ipaddress.ip_address(address) if isinstance(address, str) else address
    real = _real(given)
    never = _never(real)
    if never:
        return Verdict(False, f"{given} is {never}, and such addresses are never called.", "Check the address.")
    if real.is_loopback or not real.is_global:
        kind = "a loopback address" if real.is_loopback else "a private address"
        if not policy.own_loopback and not any(real in network for network in policy.allow_networks):
            return Verdict(
                False,
                f"{given} is {kind}, and this server is reachable from other machines.",
                f"If the target really is there, add its network to PROVISOR_ALLOW_NETWORKS, for example {real}.",
            )
    if not encrypted and not real.is_loopback and not policy.allow_http:
        return Verdict(
            False,
            f"Plain http would carry the secret to {given} unencrypted.",
            "Use https, or allow plain http by the setting PROVISOR_ALLOW_HTTP.",
        )
    return ALLOWED


def parse_networks(text: str) -> tuple[Network, ...]:
    """``10.0.0.0/8, fd00::/8 192.0.2.7`` -> networks. Raises ``InvalidInput`` that names the part that is none."""
    networks: list[Network] = []
    for part in text.replace(",", " ").split():
        try:
            networks.append(ipaddress.ip_network(part, strict=False))
        except ValueError as error:
            raise InvalidInput(
                f"{part!r} is not an IP network.", hint="Write networks like 10.0.0.0/8, separated by commas."
            ) from error
    return tuple(networks)


class GuardedResolver(AbstractResolver):
    """aiohttp's resolver, of whose answers only the allowed ones are used. Raises ``AddressForbidden`` if none is."""

    def __init__(self, policy: OutboundPolicy, *, encrypted: bool, resolver: AbstractResolver | None = None) -> None:
        self._policy = policy
        self._encrypted = encrypted
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        verdicts = [self._policy.check(entry["host"], encrypted=self._encrypted) for entry in found]
        allowed = [entry for entry, verdict in zip(found, verdicts, strict=True) if verdict.allowed]
        if not allowed:
            raise AddressForbidden(_refusal(host, verdicts), hint=verdicts[0].hint if verdicts else None)
        return allowed

    async def close(self) -> None:
        await self._resolver.close()


@lru_cache(maxsize=1_024)
def is_address(host: str) -> bool:
    """Is ``host`` an IP address, so that no name is resolved? Without the brackets of IPv6."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refusal(host: str, verdicts: Sequence[Verdict]) -> str:
    return f"{host}: {verdicts[0].reason}" if verdicts else f"{host} has no address."


def _real(address: Address) -> Address:
    """The IPv4 address that an IPv6 form carries inside, since that is where the packets would end."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and (_in_any(address, _NAT64) or _is_compatible(address)):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is None and address.teredo is not None:
        inner = address.teredo[1]
    return inner or address


def _is_compatible(address: ipaddress.IPv6Address) -> bool:
    # ::1 and :: are addresses of their own, not IPv4 ones.
    return address in _COMPATIBLE and int(address) > 1


def _in_any(address: ipaddress.IPv6Address, networks: Iterable[ipaddress.IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _never(address: Address) -> str:
    if _plain(address) in _METADATA:
        return "the metadata service of a cloud"
    if address.is_link_local or (isinstance(address, ipaddress.IPv6Address) and address in _SITE_LOCAL):
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if address.is_unspecified or (isinstance(address, ipaddress.IPv4Address) and address in _THIS_NETWORK):
        return "not the address of any machine"
    if address.is_reserved and not address.is_loopback:
        return "a reserved address"
    return ""


def _plain(address: Address) -> Address:
    """Without an IPv6 zone (``%eth0``), which would make equal addresses differ."""
    return ipaddress.IPv6Address(int(address)) if isinstance(address, ipaddress.IPv6Address) else address
