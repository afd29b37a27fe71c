"""Tenant URLs: with and without slash, flags, ports, and what cannot be one."""

from __future__ import annotations

import pytest

from provisor.connector.address import parse_tenant_url, same_origin
from provisor.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "root", "flags"),
    [
        ("https://dialpad.com/scim", "https://dialpad.com/scim", set()),
        ("https://dialpad.com/scim/", "https://dialpad.com/scim", set()),
        ("  https://app.example/scim/?aadOptscim062020\n", "https://app.example/scim", {"aadOptscim062020"}),
        ("https://app.example/scim?a&b", "https://app.example/scim", {"a", "b"}),
        ("HTTPS://App.Example:443/SCIM", "https://app.example/SCIM", set()),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", set()),
        ("http://[::1]:8080/scim", "http://[::1]:8080/scim", set()),
        ("https://bücher.example/scim", "https://xn--bcher-kva.example/scim", set()),
        ("https://app.example/a b/ü", "https://app.example/a%20b/%C3%BC", set()),
        ("https://app.example/a%20b", "https://app.example/a%20b", set()),
    ],
)
def test_a_tenant_url_becomes_a_root_and_flags(text: str, root: str, flags: set[str]) -> None:
    parsed = parse_tenant_url(text)

    assert parsed.root == root
    assert parsed.flags == flags


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app.example/scim",
        "ftp://app.example/scim",
        "https://",
        "https://app.example:99999/scim",
        "https://[::1/scim",
        "https://app.example/scim#top",
        "https://user:pass@app.example/scim",
        "https://a..b.ü/scim",
    ],
)
def test_what_cannot_be_called_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_tenant_url(text)

    assert "https://app.example.com/scim/v2" in (caught.value.hint or "")


def test_a_password_in_the_address_is_not_repeated_in_the_message() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_tenant_url("https://ada:hunter2@app.example/scim")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/scim", "https://A.example:443/other?flag", True),
        ("https://a.example/scim", "http://a.example/scim", False),
        ("https://a.example/scim", "https://b.example/scim", False),
        ("https://a.example/scim", "https://a.example:8443/scim", False),
        ("http://[::1]:80/", "http://[::1]", True),
    ],
)
def test_the_origin_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert same_origin(one, other) is same
