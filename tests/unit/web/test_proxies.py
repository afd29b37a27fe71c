"""What a proxy says counts when the proxy is trusted, and is somebody's claim when it is not."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.security.outbound import parse_networks
from provisor.web.proxies import behind_proxy

PROXIES = parse_networks("10.0.0.0/8, 127.0.0.1, fd00::/8")


def scope(peer: str, headers: list[tuple[str, str]]) -> dict[str, Any]:
    sent = [("host", "inside:8080"), *headers]
    return {
        "type": "http",
        "scheme": "http",
        "client": (peer, 4711),
        "headers": [(name.encode(), value.encode()) for name, value in sent],
    }


def seen(peer: str, *headers: tuple[str, str]) -> tuple[str, str, str]:
    """Scheme, host and client as the application sees them."""
    found = behind_proxy(scope(peer, list(headers)), PROXIES)
    [host] = [value.decode() for name, value in found["headers"] if name == b"host"]
    return found["scheme"], host, found["client"][0]


TLS = (("x-forwarded-proto", "https"), ("x-forwarded-host", "id.example"), ("x-forwarded-for", "203.0.113.9"))


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        # a proxy that ends TLS
        ("10.1.2.3", TLS, ("https", "id.example", "203.0.113.9")),
        ("fd00::1", TLS, ("https", "id.example", "203.0.113.9")),
        ("::ffff:10.1.2.3", TLS, ("https", "id.example", "203.0.113.9")),
        # the same in RFC 7239's words
        (
            "10.1.2.3",
            (("forwarded", 'for="[2001:db8::7]:4711";proto=https;host=id.example'),),
            ("https", "id.example", "2001:db8::7"),
        ),
        # from somebody else it is a claim
        ("203.0.113.7", TLS, ("http", "inside:8080", "203.0.113.7")),
        # what a client claims of its own address does not count, only what the nearest proxies saw
        (
            "10.1.2.3",
            (("x-forwarded-for", "198.51.100.1, 203.0.113.9, 10.9.9.9"),),
            ("http", "inside:8080", "203.0.113.9"),
        ),
        ("10.1.2.3", (("x-forwarded-for", "10.9.9.9"),), ("http", "inside:8080", "10.9.9.9")),
        # of several words the nearest proxy's
        ("10.1.2.3", (("x-forwarded-proto", "http, https"),), ("https", "inside:8080", "10.1.2.3")),
        ("10.1.2.3", (("x-forwarded-host", "evil.example"), ("x-forwarded-host", "id.example")), None),
        # nonsense is left
        (
            "10.1.2.3",
            (("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a/b")),
            ("http", "inside:8080", "10.1.2.3"),
        ),
        ("10.1.2.3", (("x-forwarded-for", "unknown, _hidden"),), ("http", "inside:8080", "10.1.2.3")),
        ("10.1.2.3", (("forwarded", ";;=,"),), ("http", "inside:8080", "10.1.2.3")),
        ("10.1.2.3", (), ("http", "inside:8080", "10.1.2.3")),
    ],
)
def test_what_the_application_sees(
    peer: str, headers: tuple[tuple[str, str], ...], expected: tuple[str, str, str] | None
) -> None:
    assert seen(peer, *headers) == (expected or ("http", "id.example", "10.1.2.3"))


def test_without_trusted_proxies_nothing_is_touched() -> None:
    before = scope("127.0.0.1", list(TLS))
    assert behind_proxy(before, ()) is before
    local = {**before, "client": None}
    assert behind_proxy(local, PROXIES) is local
