"""What goes over the wire in each dialect: reference entra-scim-wire.md sections 2 to 5, RFC 7644 section 3."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from provisor.connector.dialect import load_dialect
from provisor.connector.messages import (
    AttributeChange,
    create_body,
    filter_text,
    find_query,
    member_operations,
    reference_operation,
    update_operations,
)
from provisor.connector.paths import ENTERPRISE, GROUP, USER, parse_path
from provisor.errors import InvalidInput

RFC = load_dialect()
ENTRA = load_dialect("entra")
FLAGGED = load_dialect("entra", {"aadOptscim062020"})
MANAGER = f"{ENTERPRISE}:manager"
MAIL = 'emails[type eq "work"].value'
CITY = 'addresses[type eq "work"].locality'
STREET = 'addresses[type eq "work"].streetAddress'
VALUES = {
    "userName": "ada@x.example",
    "active": "True",
    "name.givenName": "Ada",
    "name.familyName": "L",
    MAIL: "ada@x.example",
    'phoneNumbers[type eq "work"].value': "5",
    'phoneNumbers[type eq "mobile"].value': "6",
    STREET: None,
    f"{ENTERPRISE}:department": "R&D",
    "urn:x:Acme:2.0:User:badge": "7",
}


def change(path: str, old: Any, new: Any) -> AttributeChange:
    return AttributeChange(path, old, new)


def test_the_flag_of_the_tenant_url_turns_one_dialect_into_another() -> None:
    assert FLAGGED.name == "entra-aadOptscim062020"
    assert load_dialect("entra", {"unknownFlag"}) is ENTRA
    assert load_dialect("provisor", {"aadOptscim062020"}) is RFC
    with pytest.raises(InvalidInput, match="no dialect 'klingon'"):
        load_dialect("klingon")


def test_a_new_user_in_the_rfcs_shape_says_what_is_necessary() -> None:
    assert create_body("User", VALUES, RFC) == {
        "schemas": [USER, ENTERPRISE, "urn:x:Acme:2.0:User"],
        "userName": "ada@x.example",
        "active": True,
        "name": {"givenName": "Ada", "familyName": "L"},
        "emails": [{"type": "work", "value": "ada@x.example"}],
        "phoneNumbers": [{"type": "work", "value": "5"}, {"type": "mobile", "value": "6"}],
        ENTERPRISE: {"department": "R&D"},
        "urn:x:Acme:2.0:User": {"badge": "7"},
    }


def test_a_new_user_in_entras_shape_lists_two_schemas_and_a_primary_address() -> None:
    body = create_body("User", VALUES, ENTRA)

    assert body["schemas"] == [USER, ENTERPRISE]
    assert body["emails"] == [{"type": "work", "value": "ada@x.example", "primary": True}]
    assert body["meta"] == {"resourceType": "User"}
    assert body["active"] is True
    assert "emails" not in create_body("User", {"userName": "x"}, ENTRA)


def test_a_new_group_has_no_members_and_in_entras_shape_a_second_schema() -> None:
    values = {"displayName": "Sales", "externalId": "1"}

    assert create_body("Group", values, RFC) == {"schemas": [GROUP], **values}
    assert create_body("Group", values, ENTRA)["schemas"] == [
        GROUP,
        "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
    ]


UPDATES = [
    # (changes, provisor, entra, entra with the flag)
    (
        [change("active", "True", "False")],
        [{"op": "replace", "path": "active", "value": False}],
        [{"op": "Replace", "path": "active", "value": "False"}],
        [{"op": "replace", "path": "active", "value": False}],
    ),
    (
        [change("nickName", None, "Babs")],
        [{"op": "add", "path": "nickName", "value": "Babs"}],
        [{"op": "Add", "path": "nickName", "value": "Babs"}],
        [{"op": "add", "path": "nickName", "value": "Babs"}],
    ),
    (
        [change("displayName", "A", "B"), change("name.givenName", "A", "B"), change(MAIL, "a", "b")],
        [
            {"op": "replace", "path": "displayName", "value": "B"},
            {"op": "replace", "path": "name.givenName", "value": "B"},
            {"op": "replace", "path": MAIL, "value": "b"},
        ],
        [
            {"op": "Replace", "path": "displayName", "value": "B"},
            {"op": "Replace", "path": "name.givenName", "value": "B"},
            {"op": "Replace", "path": MAIL, "value": "b"},
        ],
        [
            {"op": "replace", "value": {"displayName": "B", "name.givenName": "B"}},
            {"op": "replace", "path": MAIL, "value": "b"},
        ],
    ),
    (
        # An address that was not there: by the RFC a selector that selects nothing is an error.
        [change(MAIL, None, "b")],
        [{"op": "add", "path": "emails", "value": [{"type": "work", "value": "b"}]}],
        [{"op": "Add", "path": MAIL, "value": "b"}],
        [{"op": "add", "path": MAIL, "value": "b"}],
    ),
    (
        [change(MAIL, "a", None), change("title", "a", None)],
        [{"op": "remove", "path": 'emails[type eq "work"]'}, {"op": "remove", "path": "title"}],
        [{"op": "Remove", "path": 'emails[type eq "work"]'}, {"op": "Remove", "path": "title"}],
        [{"op": "remove", "path": 'emails[type eq "work"]'}, {"op": "remove", "path": "title"}],
    ),
    (
        [change(f"{ENTERPRISE}:department", "a", "b")],
        [{"op": "replace", "path": f"{ENTERPRISE}:department", "value": "b"}],
        [{"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "b"}],
        [{"op": "replace", "path": f"{ENTERPRISE}:department", "value": "b"}],
    ),
]


@pytest.mark.parametrize(("changes", "rfc", "entra", "flagged"), UPDATES)
def test_an_update_is_spelled_as_the_dialect_does(
    changes: list[AttributeChange], rfc: list[Any], entra: list[Any], flagged: list[Any]
) -> None:
    assert update_operations(changes, RFC) == rfc
    assert update_operations(changes, ENTRA) == entra
    assert update_operations(changes, FLAGGED) == flagged


@pytest.mark.parametrize(
    ("present", "operations"),
    [
        # The street is there, so the element is, and gets one more part.
        ({STREET}, [{"op": "add", "path": CITY, "value": "Bonn"}]),
        # However the target spells it, and whatever else it shows.
        (
            {'ADDRESSES[Type eq "Work"].country', 'odd thing[type eq "x"].y'},
            [{"op": "add", "path": CITY, "value": "Bonn"}],
        ),
        # Nothing of a work address is there: one element, whole.
        ({MAIL}, [{"op": "add", "path": "addresses", "value": [{"type": "work", "locality": "Bonn"}]}]),
        # Nobody knows: then rather no second element.
        (None, [{"op": "add", "path": CITY, "value": "Bonn"}]),
    ],
)
def test_a_part_of_an_address_makes_a_new_address_only_where_there_is_none(
    present: set[str] | None, operations: list[Any]
) -> None:
    assert update_operations([change(CITY, None, "Bonn")], RFC, present) == operations


def test_parts_of_one_new_address_make_one_address() -> None:
    operations = update_operations([change(CITY, None, "Bonn"), change(STREET, None, "Weg 1")], RFC, set())

    assert operations == [
        {
            "op": "add",
            "path": "addresses",
            "value": [{"type": "work", "locality": "Bonn", "streetAddress": "Weg 1"}],
        }
    ]


@pytest.mark.parametrize(
    ("old", "new", "rfc", "entra"),
    [
        (
            None,
            "m",
            {"op": "add", "path": MANAGER, "value": {"value": "m"}},
            {"op": "Add", "path": MANAGER, "value": "m"},
        ),
        (
            "a",
            "m",
            {"op": "replace", "path": MANAGER, "value": {"value": "m"}},
            {"op": "Replace", "path": MANAGER, "value": "m"},
        ),
        ("a", None, {"op": "remove", "path": MANAGER}, {"op": "Replace", "path": MANAGER, "value": ""}),
    ],
)
def test_the_manager_is_an_object_by_the_rfc_and_a_text_for_entra(
    old: str | None, new: str | None, rfc: dict[str, Any], entra: dict[str, Any]
) -> None:
    assert reference_operation(MANAGER, old, new, RFC) == rfc
    assert reference_operation(MANAGER, old, new, ENTRA) == entra


def test_members_are_added_in_one_operation_and_removed_by_selector_or_by_value() -> None:
    assert member_operations(["a", "b"], ["c"], RFC) == [
        {"op": "remove", "path": 'members[value eq "c"]'},
        {"op": "add", "path": "members", "value": [{"value": "a"}, {"value": "b"}]},
    ]
    assert member_operations([], ["c"], ENTRA) == [
        {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "c"}]}
    ]


@pytest.mark.parametrize("value", ["ada", 'quo"te', "back\\slash", "a&b=c#d%+e f", "ümläut 🙂", "new\nline"])
def test_a_searched_value_arrives_as_it_is(value: str) -> None:
    for dialect in (RFC, ENTRA):
        query = find_query("User", "userName", value, dialect, without_members=True)

        assert " " not in query
        assert parse_qs(query)["filter"] == [filter_text(parse_path("userName"), value, dialect)]


def test_searches_look_as_the_dialect_has_them() -> None:
    assert find_query("User", "userName", "a b", RFC, without_members=True) == "filter=userName%20eq%20%22a%20b%22"
    assert find_query("User", "userName", "a b", ENTRA, without_members=True) == "filter=userName+eq+%22a+b%22"
    assert filter_text(parse_path("active"), True, RFC) == "active eq true"
    assert filter_text(parse_path(MAIL), "a@x", RFC) == 'emails[type eq "work" and value eq "a@x"]'
    assert filter_text(parse_path(MAIL), "a@x", ENTRA) == f'{MAIL} eq "a@x"'
    assert find_query("Group", "displayName", "a", RFC, without_members=True).startswith("excludedAttributes=members&")
    assert find_query("Group", "displayName", "a", RFC, without_members=False).startswith("filter=")
