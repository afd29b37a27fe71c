"""User principal names, and what else people and groups are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.directory import names

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'-_!#^~"


@pytest.mark.parametrize(
    "upn",
    ["a@b.example", "O'Rourke.c_d-e!f#g^h~1@sub.Lindenhof.example", f"{'x' * 64}@{'y' * 40}.example", "7@1.2.example"],
)
def test_a_name_of_the_allowed_characters_is_accepted(upn: str) -> None:
    assert names.upn_fault(upn) is None


@pytest.mark.parametrize(
    ("upn", "reason"),
    [
        ("lindenhof.example", "exactly one @"),
        ("a@b@c.example", "exactly one @"),
        ("@c.example", "nothing stands before"),
        ("zoë@c.example", "'ë' is not allowed"),
        ("z oe@c.example", "' ' is not allowed"),
        ("a+b@c.example", "'+' is not allowed"),
        (".a@c.example", "full stop"),
        ("a.@c.example", "full stop"),
        ("a@", "no domain name"),
        ("a@localhost", "not a domain name"),
        ("a@b..example", "not a domain name"),
        ("a@-b.example", "not a domain name"),
        ("a@b.example ", "not a domain name"),
        ("a@b.example\n", "not a domain name"),
        (f"a@{'y' * 64}.example", "not a domain name"),
        (f"{'x' * 65}@c.example", "64 may"),
        (f"{'x' * 60}@{'y' * 50}.example", "113 are allowed"),
    ],
)
def test_any_other_name_is_refused_with_the_reason(upn: str, reason: str) -> None:
    assert reason in str(names.upn_fault(upn))


@given(st.text(_LETTERS, min_size=1, max_size=20))
def test_a_deleted_users_name_comes_back_as_it_was(local: str) -> None:
    upn, user_id = f"{local}@c.example", "0199f2aa-1111-7222-8333-444455556666"
    deleted = names.deleted_upn(user_id, upn)
    assert deleted == f"0199f2aa111172228333444455556666{upn}"
    assert names.restored_upn(user_id, deleted) == upn


@pytest.mark.parametrize(
    ("upn", "home"),
    [
        ("anna_partner.example#EXT#@lindenhof.example", "anna@partner.example"),
        ("anna_b_c_partner.example#EXT#@lindenhof.example", "anna_b_c@partner.example"),
        ("anna_b@lindenhof.example", "anna_b@lindenhof.example"),
        ("anna#EXT#@lindenhof.example", "anna#EXT#@lindenhof.example"),
    ],
)
def test_a_guest_is_known_by_the_name_at_home(upn: str, home: str) -> None:
    assert names.home_upn(upn) == home


def test_names_are_the_same_whatever_their_case_and_composition() -> None:
    assert names.name_key("  ZOË Brânză ") == names.name_key("zoe\u0308 brânză")
    assert names.upn_key("Zoe@C.example") == names.upn_key("zoe@c.EXAMPLE")


def test_a_groups_nickname_is_ascii_and_never_empty() -> None:
    assert names.nickname_of_group("Café 7 & Bar") == "Cafe7Bar"
    assert names.nickname_of_group("営業") == "group"


def test_a_guid_is_written_in_one_way() -> None:
    assert names.canonical_guid("0199F2AA-1111-7222-8333-444455556666") == "0199f2aa-1111-7222-8333-444455556666"
    assert names.canonical_guid("zoe@c.example") is None
