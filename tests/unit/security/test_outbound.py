"""Which addresses may be called, and that an HTTP client is handed no others."""

from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from provisor.errors import InvalidInput
from provisor.security.outbound import AddressForbidden, GuardedResolver, OutboundPolicy, is_address, parse_networks

LAPTOP = OutboundPolicy(own_loopback=True)
SERVER = OutboundPolicy()
OFFICE = OutboundPolicy(allow_networks=parse_networks("10.1.0.0/16, 127.0.0.1 fd12::/16"))

CASES = [
    # address, on a laptop, on a public server, on one with allowed networks
    ("93.184.216.34", True, True, True),  # the internet
    ("2606:2800:220:1::1", True, True, True),
    ("127.0.0.1", True, False, True),
    ("127.9.9.9", True, False, False),  # all of 127/8 is loopback
    ("::1", True, False, False),
    ("::ffff:127.0.0.1", True, False, True),  # IPv4 in IPv6's clothes is judged as IPv4
    ("10.1.2.3", True, False, True),
    ("10.2.2.3", True, False, False),
    ("172.16.0.1", True, False, False),
    ("192.168.1.1", True, False, False),
    ("100.64.0.1", True, False, False),  # carrier-grade NAT
    ("fd12::1", True, False, True),
    ("fd99::1", True, False, False),
    ("64:ff9b::a02:203", True, False, False),  # NAT64 of 10.2.2.3
    ("2002:0a02:0203::1", True, False, False),  # 6to4 of 10.2.2.3
    # never, whoever asks
    ("169.254.169.254", False, False, False),  # metadata of most clouds
    ("169.254.10.10", False, False, False),  # link-local
    ("fe80::1", False, False, False),
    ("fe80::1%eth0", False, False, False),
    ("::ffff:169.254.169.254", False, False, False),
    ("::a9fe:a9fe", False, False, False),  # the same, as an IPv4-compatible address
    ("64:ff9b::a9fe:a9fe", False, False, False),
    ("2002:a9fe:a9fe::1", False, False, False),
    ("fd00:ec2::254", False, False, False),  # metadata of AWS over IPv6
    ("fd20:ce::254", False, False, False),
    ("100.100.100.200", False, False, False),
    ("168.63.129.16", False, False, False),
    ("0.0.0.0", False, False, False),
    ("0.1.2.3", False, False, False),
    ("::", False, False, False),
    ("224.0.0.1", False, False, False),
    ("ff02::1", False, False, False),
    ("255.255.255.255", False, False, False),
    ("240.0.0.1", False, False, False),
    ("fec0::1", False, False, False),
]


@pytest.mark.parametrize(("address", "laptop", "server", "office"), CASES)
def test_an_address_is_called_only_where_the_rules_allow_it(
    address: str, laptop: bool, server: bool, office: bool
) -> None:
    verdicts = [policy.check(address) for policy in (LAPTOP, SERVER, OFFICE)]

    assert [verdict.allowed for verdict in verdicts] == [laptop, server, office]
    for verdict in verdicts:
        assert verdict.allowed or (verdict.reason and verdict.hint)


@pytest.mark.parametrize(
    ("address", "allow_http", "allowed"),
    [("127.0.0.1", False, True), ("::1", False, True), ("93.184.216.34", False, False), ("93.184.216.34", True, True)],
)
def test_plain_http_leaves_loopback_only_by_explicit_setting(address: str, allow_http: bool, allowed: bool) -> None:
    policy = OutboundPolicy(own_loopback=True, allow_http=allow_http)

    assert policy.check(address, encrypted=False).allowed is allowed


def test_allowing_networks_and_http_opens_no_metadata_address() -> None:
    policy = OutboundPolicy(own_loopback=True, allow_networks=parse_networks("0.0.0.0/0 ::/0"), allow_http=True)

    assert not policy.check("169.254.169.254").allowed
    assert not policy.check("fd00:ec2::254", encrypted=False).allowed


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"'10\.0\.0\.0/99'"):
        parse_networks("192.168.0.0/16, 10.0.0.0/99")


@pytest.mark.parametrize(
    ("host", "yes"), [("127.0.0.1", True), ("::1", True), ("app.example", False), ("127.1", False)]
)
def test_a_literal_address_is_told_from_a_name(host: str, yes: bool) -> None:
    assert is_address(host) is yes


class Names(AbstractResolver):
    """A name service with these answers."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        self.closed = True


async def test_of_a_names_addresses_only_the_allowed_ones_are_used() -> None:
    resolver = GuardedResolver(SERVER, encrypted=True, resolver=Names("10.0.0.1", "93.184.216.34", "169.254.169.254"))

    found = await resolver.resolve("app.example", 443)

    assert [entry["host"] for entry in found] == ["93.184.216.34"]


async def test_a_name_that_leads_to_the_metadata_service_is_refused_with_the_reason() -> None:
    resolver = GuardedResolver(LAPTOP, encrypted=True, resolver=Names("169.254.169.254"))

    with pytest.raises(AddressForbidden, match=r"rebind\.example: 169\.254\.169\.254 is the metadata service"):
        await resolver.resolve("rebind.example", 443)


async def test_a_name_without_any_address_is_refused() -> None:
    with pytest.raises(AddressForbidden, match="has no address"):
        await GuardedResolver(LAPTOP, encrypted=True, resolver=Names()).resolve("empty.example")


async def test_closing_closes_the_resolver_behind() -> None:
    names = Names()

    await GuardedResolver(LAPTOP, encrypted=True, resolver=names).close()

    assert names.closed
