"""Tenant URLs and Secret Tokens, before they are stored."""

from __future__ import annotations

import pytest

from provisor.applications.address import checked_address, checked_token, same_origin
from provisor.applications.errors import InvalidSecretToken, InvalidTenantUrl


@pytest.mark.parametrize(
    "address",
    [
        "https://dialpad.com/scim",
        "https://app.example.com:8443/scim/v2/",
        "http://127.0.0.1:8080/scim",
        "http://[::1]:8080/scim",
        "https://app.example.com/scim?aadOptscim062020",
        "HTTPS://App.Example.com/scim",
    ],
)
def test_an_address_is_kept_as_it_was_given(address: str) -> None:
    assert checked_address(f"  {address}\n") == address


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("", "missing"),
        ("  ", "missing"),
        ("app.example.com/scim", "not an http or https"),
        ("ftp://app.example.com/scim", "not an http or https"),
        ("https:///scim", "not an http or https"),
        ("https://[::1/scim", "not an http or https"),
        ("https://app.example.com:99999/scim", "port"),
        ("https://app.example.com:0/scim", "port"),
        ("https://app.example.com:abc/scim", "port"),
        ("https://app.example.com/sc im", "space"),
        ("https://app.example.com/scim\r\nX: y", "space"),
        ("https://app.example.com/scim#top", "#"),
    ],
)
def test_what_is_no_tenant_url_is_refused_with_its_cause(address: str, cause: str) -> None:
    with pytest.raises(InvalidTenantUrl, match=cause):
        checked_address(address)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidTenantUrl) as caught:
        checked_address("https://admin:hunter2@app.example.com/scim")
    assert "app.example.com" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/scim", "https://a.example/scim/v2?x", True),
        ("https://a.example/scim", "https://A.example:443/scim", True),
        ("http://a.example/scim", "http://a.example:80/", True),
        ("https://a.example/scim", "http://a.example/scim", False),
        ("https://a.example/scim", "https://b.example/scim", False),
        ("https://a.example/scim", "https://a.example:8443/scim", False),
        ("https://a.example/scim", "", False),
    ],
)
def test_the_origin_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert same_origin(one, other) is same
    assert same_origin(other, one) is same


def test_a_token_loses_the_space_around_it() -> None:
    assert checked_token(" pv_abc.DEF-123~+/=\n") == "pv_abc.DEF-123~+/="


@pytest.mark.parametrize("token", ["", " \n", "two words", "line\r\nbreak", "tök", "nul\0"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(InvalidSecretToken) as caught:
        checked_token(token)
    assert not token.strip() or token not in str(caught.value)
