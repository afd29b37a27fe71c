"""Whole bodies: POST and PUT (RFC 7643 section 2, RFC 7644 sections 3.3 and 3.5.1)."""

from __future__ import annotations

import pytest

from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidSyntax, InvalidValue, Mutability
from provisor.scim.members import MemberRef
from provisor.scim.schemas import ENTERPRISE_USER_URN as ENT
from provisor.scim.schemas import GROUP_URN, USER_URN, core
from provisor.scim.validate import compile_validator

ENTRA_CREATE = {
    "schemas": [USER_URN, ENT],
    "externalId": "ada",
    "userName": "ada@contoso.example",
    "active": True,
    "displayName": "Ada L",
    "title": "Engineer",
    "preferredLanguage": "en-US",
    "addresses": [{"type": "work", "formatted": "Office 3", "locality": "Redmond", "primary": False}],
    "emails": [{"primary": True, "type": "work", "value": "ada@contoso.example"}],
    "phoneNumbers": [{"type": "work", "value": "555"}, {"type": "mobile", "value": "556"}],
    "name": {"formatted": "Ada L", "familyName": "L", "givenName": "Ada"},
    ENT: {"employeeNumber": "701984", "department": "R&D"},
}


@pytest.mark.parametrize("by", ["entra", "rfc"])
def test_what_entra_creates_is_stored_as_sent(create, by):
    checked = create({**ENTRA_CREATE, "meta": {"resourceType": "User"}, "roles": []}, by=by)
    assert checked.resource == ENTRA_CREATE
    assert checked.ignored == []


def test_schemas_say_what_is_there_not_what_was_sent(create):
    body = {"schemas": [USER_URN, ENT, "urn:x:other"], "userName": "a"}
    assert create(body).resource["schemas"] == [USER_URN]
    assert create({"userName": "a", ENT: {"division": "d"}}).resource["schemas"] == [USER_URN, ENT]


def test_names_have_any_case_and_come_out_in_the_schemas(create):
    body = {
        "UserName": "ada",
        "ACTIVE": True,
        "emails": [{"Primary": True, "VALUE": "a@b.example", "Type": "work"}],
        ENT.upper(): {"COSTCENTER": "1", "Manager": {"Value": "ub"}},
    }
    assert create(body, by="entra").resource == {
        "schemas": [USER_URN, ENT],
        "userName": "ada",
        "active": True,
        "emails": [{"primary": True, "value": "a@b.example", "type": "work"}],
        ENT: {"costCenter": "1", "manager": {"value": "ub"}},
    }


@pytest.mark.parametrize("nothing", [None, [], "", {}, [None], [{}], [""]])
def test_null_and_emptiness_are_the_state_unassigned(create, nothing):
    resource = create({"userName": "a", "emails": nothing, ENT: {"manager": nothing}}).resource
    assert resource == {"schemas": [USER_URN], "userName": "a"}


def test_read_only_attributes_are_dropped(create):
    body = {"userName": "a", "id": "x", "groups": [{"value": "g"}], "meta": {"version": "1"}}
    assert create(body).resource == {"schemas": [USER_URN], "userName": "a"}
    manager = create({"userName": "a", ENT: {"manager": {"value": "m", "displayName": "M"}}}).resource[ENT]["manager"]
    assert manager == {"value": "m"}


def test_the_password_is_handed_on_apart(create):
    checked = create({"userName": "a", "password": "pw"})
    assert checked.write_only == {"password": "pw"}
    assert "password" not in checked.resource


def test_unknown_attributes_are_ignored_and_named_or_refused(create):
    body = {"schemas": [USER_URN], "userName": "a", "nick": 1, "name": {"shoe": 1}, "emails": [{"value": "x", "y": 1}]}
    checked = create(body)
    assert sorted(checked.ignored) == ["emails.y", "name.shoe", "nick"]
    assert checked.resource == {"schemas": [USER_URN], "userName": "a", "emails": [{"value": "x"}]}
    with pytest.raises(InvalidSyntax):
        create(body, by="rfc")


@pytest.mark.parametrize("by", ["entra", "rfc"])
@pytest.mark.parametrize("name", [None, "", "   "])
def test_user_name_is_required_and_not_blank(create, by, name):
    with pytest.raises(InvalidValue, match="userName"):
        create({"schemas": [USER_URN], "userName": name}, by=by)
    with pytest.raises(InvalidValue, match="userName"):
        create({"schemas": [USER_URN]}, by=by)


@pytest.mark.parametrize("body", [None, [], "x", 1])
def test_a_body_is_an_object(create, body):
    with pytest.raises(InvalidSyntax):
        create(body)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("active", "True"),
        ("employeeNumber", 701984),
        ("title", ["Engineer"]),
        ("roles", [{"value": '{"value":"25","displayName":"Role"}'}]),
        ("emails", "a@b.example"),
        ("emails", ["a@b.example"]),
        ("emails", {"value": "a@b.example"}),
        ("manager", "ub"),
        ("name.givenName", "Ada"),
    ],
)
def test_what_only_the_tolerant_dialect_takes(create, attribute, value):
    stored = {
        "active": True,
        "employeeNumber": "701984",
        "title": "Engineer",
        "roles": [{"value": "25", "display": "Role"}],
        "emails": [{"value": "a@b.example"}],
        "manager": {"value": "ub"},
        "name.givenName": {"givenName": "Ada"},
    }[attribute]
    inside = attribute in ("employeeNumber", "manager")
    body = {"userName": "a", ENT: {attribute: value}} if inside else {"userName": "a", attribute: value}
    resource = create(body).resource
    holder = resource[ENT] if inside else resource
    assert holder[attribute.partition(".")[0]] == stored
    if attribute != "roles":
        with pytest.raises((InvalidSyntax, InvalidValue)):
            create({**body, "schemas": [USER_URN, ENT]}, by="rfc")


def test_flattened_keys_join_their_nested_neighbours(create):
    body = {
        "userName": "a",
        "name.familyName": "B",
        "name": {"givenName": "A"},
        f"{ENT}:department": "D",
        ENT: {"division": "V"},
        "manager.value": "m",
        "emails.value": "x@y.example",
        "urn:ietf:params:scim:schemas:core:2.0:User:title": "T",
    }
    assert create(body).resource == {
        "schemas": [USER_URN, ENT],
        "userName": "a",
        "name": {"givenName": "A", "familyName": "B"},
        ENT: {"division": "V", "department": "D", "manager": {"value": "m"}},
        "emails": [{"value": "x@y.example"}],
        "title": "T",
    }


def test_the_enterprise_extension_may_come_under_scim_1_uris(create):
    body = {"schemas": ["urn:scim:schemas:core:2.0"], "userName": "a"}
    extended = create({**body, "urn:scim:schemas:extension:enterprise:2.0": {"department": "D"}}).resource
    assert extended[ENT] == {"department": "D"}


def test_elements_with_the_same_type_and_value_are_one(create):
    emails = [{"value": "A@b.example", "type": "work"}, {"value": "a@b.example", "type": "Work", "display": "D"}]
    stored = create({"userName": "a", "emails": emails}).resource["emails"]
    assert stored == [{"value": "a@b.example", "type": "Work", "display": "D"}]


def test_one_element_is_primary_at_most(create):
    emails = [{"value": "a", "primary": True}, {"value": "b", "primary": True}]
    body = {"schemas": [USER_URN], "userName": "a", "emails": emails}
    assert [email["primary"] for email in create(body).resource["emails"]] == [True, False]
    with pytest.raises(InvalidValue, match="primary"):
        create(body, by="rfc")


@pytest.mark.parametrize("schemas", [None, [], "x", [ENT], [USER_URN, "urn:x:unknown"], [USER_URN, 3]])
def test_strictly_schemas_must_be_right(create, schemas):
    with pytest.raises((InvalidSyntax, InvalidValue)):
        create({"schemas": schemas, "userName": "a"}, by="rfc")
    with pytest.raises(InvalidValue, match="does not name"):
        create({"schemas": [USER_URN], "userName": "a", ENT: {"division": "x"}}, by="rfc")


def test_strictly_labels_are_canonical(create):
    body = {"schemas": [USER_URN], "userName": "a", "emails": [{"value": "x", "type": "Private"}]}
    assert create(body).resource["emails"] == [{"value": "x", "type": "Private"}]
    with pytest.raises(InvalidValue, match="work, home, other"):
        create(body, by="rfc")


@pytest.mark.parametrize("value", ["MIIB", "MII=", "-_8", "AAEC\nAwQ="])
def test_certificates_are_base64_of_either_alphabet_stored_as_sent(create, value):
    assert create({"userName": "a", "x509Certificates": [{"value": value}]}).resource["x509Certificates"] == [
        {"value": value}
    ]


# --- groups ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("members", [[], None])
def test_a_group_may_come_with_empty_or_without_members(create, members):
    adscim = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
    body = {
        "schemas": [GROUP_URN, adscim],
        "externalId": "e",
        "displayName": "Sales",
        "meta": {"resourceType": "Group"},
    }
    assert create(body, "Group").members is None
    checked = create({**body, "members": members}, "Group")
    assert checked.members == ()
    assert checked.resource == {"schemas": [GROUP_URN], "externalId": "e", "displayName": "Sales"}


def test_members_are_apart_from_the_document(create):
    checked = create({"displayName": "Sales", "Members": [{"value": "ua", "type": "User"}, {"value": "g2"}]}, "Group")
    assert checked.members == (MemberRef("ua", "User"), MemberRef("g2"))
    assert "members" not in checked.resource


# --- PUT -------------------------------------------------------------------------------------------------------------


def test_a_put_removes_what_it_does_not_name_and_keeps_what_clients_cannot_set(replace, ada):
    body = {"userName": "ada@example.com", "id": "other", "meta": {"version": "9"}, "title": "T"}
    assert replace(ada, body).resource == {
        "schemas": [USER_URN],
        "id": "ua",
        "userName": "ada@example.com",
        "title": "T",
        "meta": ada["meta"],
    }


def test_a_put_needs_the_required_attributes(replace, ada):
    with pytest.raises(InvalidValue, match="userName"):
        replace(ada, {"displayName": "x"})


EXTENSION = {
    "id": "urn:example:badge:1.0:User",
    "name": "Badge",
    "attributes": [
        {"name": "number", "type": "integer", "mutability": "immutable"},
        {"name": "issued", "type": "dateTime"},
        {"name": "weight", "type": "decimal"},
        {"name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never"},
        {"name": "colours", "type": "string", "multiValued": True},
        {"name": "printed", "type": "boolean", "mutability": "readOnly"},
        {
            "name": "holder",
            "type": "complex",
            "subAttributes": [
                {"name": "code", "type": "string", "mutability": "immutable"},
                {"name": "note", "type": "string"},
            ],
        },
    ],
}
BADGE = EXTENSION["id"]


@pytest.fixture
def badges():
    schemas = core().extend([EXTENSION], {"User": {BADGE: False}})
    return compile_validator(schemas, "User", dialect())


def test_a_companys_own_extension_is_validated_like_any_other(badges):
    value = {
        "number": "17",
        "issued": "2026-01-31T12:00:00+01:00",
        "weight": "2.5",
        "pin": "1234",
        "colours": ["red", "Red", "blue"],
        "printed": True,
    }
    checked = badges.create({"userName": "a", BADGE: value})
    assert checked.resource[BADGE] == {
        "number": 17,
        "issued": "2026-01-31T12:00:00+01:00",
        "weight": 2.5,
        "colours": ["red", "blue"],
    }
    assert checked.write_only == {f"{BADGE}:pin": "1234"}


@pytest.mark.parametrize(
    "value",
    [
        {"number": 1.5},
        {"number": True},
        {"number": "many"},
        {"issued": "yesterday"},
        {"issued": "2026-02-30T00:00:00Z"},
        {"issued": 5},
        {"weight": True},
        {"weight": "heavy"},
        {"weight": float("inf")},
        {"colours": [1, {"a": 2}]},
        "badge",
        7,
    ],
)
def test_values_of_a_wrong_type_are_refused(badges, value):
    with pytest.raises(InvalidValue):
        badges.create({"userName": "a", BADGE: value})


def test_an_immutable_value_stays_when_left_out_and_cannot_change(badges):
    current = badges.create({"userName": "a", BADGE: {"number": 1, "holder": {"code": "c", "note": "n"}}}).resource
    kept = badges.replace(current, {"userName": "a"}).resource
    assert kept[BADGE] == {"number": 1, "holder": {"code": "c"}}
    assert kept["schemas"] == [USER_URN, BADGE]
    assert badges.replace(current, {"userName": "a", BADGE: {"number": 1, "holder": {"note": "m"}}}).resource[
        BADGE
    ] == {
        "number": 1,
        "holder": {"code": "c", "note": "m"},
    }
    for value in ({"number": 2}, {"holder": {"code": "d"}}):
        with pytest.raises(Mutability, match="immutable"):
            badges.replace(current, {"userName": "a", BADGE: value})


def test_a_required_extension_is_required():
    schemas = core().extend([EXTENSION], {"User": {BADGE: True}})
    with pytest.raises(InvalidValue, match=BADGE):
        compile_validator(schemas, "User", dialect()).create({"userName": "a"})


def test_a_required_sub_attribute_is_required_and_a_fraction_is_no_whole_number(badges, create):
    with pytest.raises(InvalidValue, match=r"manager\.value"):
        create({"userName": "a", ENT: {"manager": {"$ref": "/Users/ub"}}})
    assert badges.create({"userName": "a", BADGE: {"number": 3.0}}).resource[BADGE] == {"number": 3}


def test_an_extension_may_be_null_and_must_be_an_object(create):
    assert create({"userName": "a", ENT: None}).resource == {"schemas": [USER_URN], "userName": "a"}
    with pytest.raises(InvalidValue, match="must be an object"):
        create({"userName": "a", ENT: "x"})


def test_members_may_have_a_qualified_name_and_numbers_for_ids(create):
    checked = create({"displayName": "g", f"{GROUP_URN}:members": [{"value": 7}]}, "Group")
    assert checked.members == (MemberRef("7"),)
