"""attributes and excludedAttributes (RFC 7644 section 3.9; returned: RFC 7643 section 7)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidValue
from provisor.scim.projection import parse_projection, project
from provisor.scim.schemas import ENTERPRISE_USER_URN as ENT
from provisor.scim.schemas import GROUP_URN, USER_URN, core

ADA = {
    "schemas": [USER_URN, ENT],
    "id": "ua",
    "userName": "ada",
    "name": {"givenName": "Ada", "familyName": "Byron"},
    "emails": [{"type": "work", "value": "a@w.example"}, {"type": "home"}],
    ENT: {"department": "R&D", "manager": {"value": "ub", "$ref": "/Users/ub"}},
    "groups": [{"value": "g1", "display": "Sales"}],
    "meta": {"resourceType": "User", "version": 'W/"1"'},
}
ALWAYS = {"schemas": ADA["schemas"], "id": "ua"}


def shown(attributes=None, excluded=None, resource=ADA, schemas=None):
    return project(resource, schemas or core(), "User", dialect(), attributes=attributes, excluded=excluded)


def test_without_parameters_everything_is_shown():
    assert shown() == ADA


@pytest.mark.parametrize(
    ("attributes", "also"),
    [
        ("id", {}),
        ("userName", {"userName": "ada"}),
        ("USERNAME, Meta.version", {"userName": "ada", "meta": {"version": 'W/"1"'}}),
        (["userName", "name"], {"userName": "ada", "name": ADA["name"]}),
        ("name.givenname", {"name": {"givenName": "Ada"}}),
        ("emails.value", {"emails": [{"value": "a@w.example"}]}),
        ("emails.display", {}),
        (f"{ENT}:department", {ENT: {"department": "R&D"}}),
        (f"{ENT}:manager.value", {ENT: {"manager": {"value": "ub"}}}),
        ("manager", {ENT: {"manager": ADA[ENT]["manager"]}}),
        (ENT.upper(), {ENT: ADA[ENT]}),
        (f"{USER_URN}:userName", {"userName": "ada"}),
        ("shoeSize", {}),
        (USER_URN, {key: ADA[key] for key in ("userName", "name", "emails", "groups")}),
        ("name,name.givenName", {"name": ADA["name"]}),
        ("groups.value", {"groups": [{"value": "g1"}]}),
    ],
)
def test_attributes_show_what_they_name_and_what_is_always_returned(attributes, also):
    assert shown(attributes) == ALWAYS | also


@pytest.mark.parametrize(
    ("excluded", "gone"),
    [("Name", "name"), (f"{USER_URN}:emails", "emails"), (ENT, ENT), ("groups", "groups"), ("meta", "meta")],
)
def test_excluded_attributes_are_gone(excluded, gone):
    assert shown(excluded=excluded) == {key: value for key, value in ADA.items() if key != gone}


def test_a_sub_attribute_may_be_excluded():
    assert shown(excluded="name.familyName,manager.$ref")["name"] == {"givenName": "Ada"}
    assert shown(excluded="manager.$ref")[ENT] == {"department": "R&D", "manager": {"value": "ub"}}


def test_what_is_always_returned_cannot_be_excluded():
    assert shown(excluded="id,schemas") == ADA


def test_both_parameters_hold_or_are_strictly_refused():
    assert shown("userName,name", "name") == ALWAYS | {"userName": "ada"}
    with pytest.raises(InvalidValue):
        parse_projection(core(), "User", dialect("rfc"), attributes="id", excluded="name")


def test_a_password_is_never_shown_not_even_when_named():
    stored = {**ADA, "password": "leaked"}
    assert "password" not in shown("password", resource=stored)
    assert "password" not in shown(resource=stored)


@pytest.mark.parametrize(
    ("attributes", "excluded", "members"),
    [
        (None, None, True),
        (None, "members", False),
        (None, "Members, externalId", False),
        (None, f"{GROUP_URN}:members", False),
        (None, "members.display", True),
        ("id", None, False),
        ("displayName", None, False),
        ("members.value", None, True),
        ("MEMBERS", None, True),
        ("members", "members", False),
    ],
)
def test_the_store_is_told_whether_members_are_wanted(attributes, excluded, members):
    found = parse_projection(core(), "Group", dialect(), attributes=attributes, excluded=excluded)
    assert found.wants_members is members
    assert not found.wants_groups
    assert found.named == (attributes is not None)


def test_a_document_may_be_sent_as_it_is_when_nothing_stored_is_left_out():
    def identity(kind, **parameters):
        return parse_projection(core(), kind, dialect(), **parameters).identity

    assert identity("User")
    assert identity("Group")
    assert identity("Group", excluded="members")
    assert identity("User", excluded="groups,shoeSize")
    assert not identity("User", excluded="emails")
    assert not identity("User", attributes="id")


def test_returned_on_request_and_never_of_a_companys_own_attributes():
    schema = {
        "id": "urn:example:1.0:User",
        "attributes": [
            {"name": "asked", "returned": "request"},
            {"name": "hidden", "returned": "never"},
            {"name": "fixed", "returned": "always"},
            {
                "name": "parts",
                "type": "complex",
                "subAttributes": [
                    {"name": "a"},
                    {"name": "b", "returned": "request"},
                    {"name": "c", "returned": "never"},
                ],
            },
        ],
    }
    urn = schema["id"]
    schemas = core().extend([schema], {"User": {urn: False}})
    values = {"asked": "1", "hidden": "2", "fixed": "3", "parts": {"a": "4", "b": "5", "c": "6"}}
    resource = {"schemas": [USER_URN, urn], "id": "x", "userName": "u", urn: values}
    assert shown(resource=resource, schemas=schemas)[urn] == {"fixed": "3", "parts": {"a": "4"}}
    assert shown("id", resource=resource, schemas=schemas)[urn] == {"fixed": "3"}
    assert shown(f"{urn}:asked,{urn}:hidden", resource=resource, schemas=schemas)[urn] == {"asked": "1", "fixed": "3"}
    assert shown(f"{urn}:parts.b", resource=resource, schemas=schemas)[urn] == {"fixed": "3", "parts": {"b": "5"}}
    assert shown(excluded=urn, resource=resource, schemas=schemas)[urn] == {"fixed": "3"}
    assert not parse_projection(schemas, "User", dialect()).identity


paths = st.lists(
    st.sampled_from(
        ["id", "schemas", "userName", "name", "name.givenName", "emails", "emails.type", ENT, "manager", "x"]
    ),
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(paths, paths)
def test_a_projection_is_a_part_always_has_the_id_and_is_idempotent(attributes, excluded):
    found = parse_projection(core(), "User", dialect(), attributes=attributes, excluded=excluded)
    once = found.apply(ADA)
    assert once["id"] == "ua"
    assert once.keys() <= ADA.keys()
    assert found.apply(once) == once
