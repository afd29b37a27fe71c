"""What is kept of bodies and addresses: no secret, not too much, members as ids."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.provider.requestlog.redact import MASK, MOST, shown_body, shown_path

SECRET = "hunter2-Zx9"


def shown(body: Any, *names: str) -> str:
    return shown_body(msgspec.json.encode(body), frozenset(names)) or ""


@pytest.mark.parametrize(
    "body",
    [
        {"userName": "ada", "password": SECRET},
        {"userName": "ada", "PassWord": SECRET},
        {"urn:ietf:params:scim:schemas:core:2.0:User:password": SECRET},
        {"urn:example:User": {"clientSecret": {"value": SECRET}}},
        {"Operations": [{"op": "replace", "path": "password", "value": SECRET}]},
        {"Operations": [{"op": "Replace", "Path": "urn:x:User:password", "Value": SECRET}]},
        {"Operations": [{"op": "add", "value": {"password": SECRET}}]},
        {"Operations": [{"op": "remove", "path": f'emails[password eq "{SECRET}"]'}]},
        {"schemas": [], "filter": f'password eq "{SECRET}"'},
        {"Operations": [{"method": "POST", "path": "/Users", "data": {"password": SECRET}}]},
    ],
)
def test_a_secret_is_black_in_every_spelling_of_a_request(body: dict[str, Any]) -> None:
    assert SECRET not in shown(body)
    assert MASK in shown(body)


def test_a_secret_whose_name_is_escaped_is_black_too() -> None:
    assert SECRET not in (shown_body(b'{"\\u0070assword":"hunter2-Zx9"}') or "")


def test_a_companys_own_write_only_attribute_is_black() -> None:
    body = {"urn:example:User": {"doorPin": SECRET}, "userName": "ada"}
    assert SECRET in shown(body)
    assert SECRET not in shown(body, "doorpin")
    assert "ada" in shown(body, "doorpin")


def test_what_is_no_json_and_may_hold_a_secret_is_not_kept() -> None:
    assert SECRET not in (shown_body(b'{"password": "hunter2-Zx9"') or "")
    assert shown_body(b"{half") == "{half"


NAMES = st.text().filter(lambda name: not any(word in name.casefold() for word in ("password", "secret", "members")))


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.dictionaries(NAMES, inner) | st.lists(inner),
        max_leaves=8,
    )
)
def test_a_body_without_secrets_and_members_is_kept_as_it_is(body: Any) -> None:
    encoded = msgspec.json.encode({"userName": "ada", "title": body})
    if b"\\u" not in encoded:
        assert shown_body(encoded) == encoded.decode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"members": [{"value": "1", "$ref": "x", "type": "User"}, {"value": "2"}]}, {"members": ["1", "2"]}),
        (
            {"Operations": [{"op": "add", "path": "members", "value": [{"value": "1"}]}]},
            {"Operations": [{"op": "add", "path": "members", "value": ["1"]}]},
        ),
        ({"members": [{"display": "odd"}]}, {"members": [{"display": "odd"}]}),
        ({"members": "odd"}, {"members": "odd"}),
    ],
)
def test_members_are_kept_as_their_ids(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert msgspec.json.decode(shown(body)) == expected


def test_a_long_body_is_cut_and_says_so() -> None:
    kept = shown({"title": "x" * 100_000})
    assert len(kept) == MOST
    assert kept.endswith("…")


def test_an_empty_body_is_none() -> None:
    assert shown_body(b"") is None


def test_a_character_that_a_database_cannot_hold_is_replaced() -> None:
    assert shown_body(b'"a\0b"') == '"a\N{REPLACEMENT CHARACTER}b"'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/scim/Users/1", "/scim/Users/1"),
        ("/scim/Users?filter=userName+eq+%22a%22", "/scim/Users?filter=userName+eq+%22a%22"),
        ("/scim/Users?filter=pass%77ord+eq+%22x%22", f"/scim/Users?{MASK}"),
    ],
)
def test_an_address_that_compares_a_secret_loses_its_query(path: str, expected: str) -> None:
    assert shown_path(path) == expected
