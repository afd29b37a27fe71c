"""Attributes: what is accepted, what is refused and how it is told, and what mappings read."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.directory.attributes import (
    GROUP,
    USER,
    InvalidAttributes,
    group_source_values,
    is_user_source,
    source_values,
)
from provisor.directory.groups import new_group
from provisor.directory.model import NewUser, User
from provisor.directory.users import new_user

_ANNA = {"displayName": "Anna", "userPrincipalName": "anna@lindenhof.example"}


def _user(**attributes: Any) -> User:
    return new_user("tenant", NewUser({**_ANNA, **attributes}), 0)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("displayNam", "x", "is not an attribute of a user; did you mean displayName?"),
        ("mobile", "1", "is not an attribute of a user; did you mean mobilePhone?"),
        ("zzz", "1", "is not an attribute of a user"),
        ("jobTitle", 3, "is a text, not a number"),
        ("jobTitle", "x" * 129, "has 129 characters, 128 are allowed"),
        ("employeeId", "x" * 17, "has 17 characters, 16 are allowed"),
        ("city", "a\0b", "contains a character that no text can hold"),
        ("city", "\ud800", "contains a character that no text can hold"),
        ("accountEnabled", "True", "is true or false, not a text"),
        ("accountEnabled", None, "is required of a user"),
        ("displayName", " ", "is required of a user"),
        ("usageLocation", "ch", "a country's two capital letters"),
        ("ageGroup", "Old", "is one of Minor, NotAdult, Adult, not 'Old'"),
        ("businessPhones", "+1", "is a list of texts, not a text"),
        ("businessPhones", ["+1", "+2"], "has 2 values, 1 may be given"),
        ("businessPhones", [5], "is a text, not a number"),
        ("mail", "nobody", "is an e-mail address, not 'nobody'"),
        ("employeeHireDate", "31.1.2026", "is a moment such as"),
        ("userPrincipalName", "a b@c.example", "cannot be 'a b@c.example': ' ' is not allowed in it"),
        ("createdDateTime", "2026-01-01T00:00:00Z", "is given by the directory"),
        ("employeeOrgData", {"cost": "1"}, "has no part 'cost'"),
        ("employeeOrgData", "1", "is an object, not a text"),
        ("extension_0123456789abcdef0123456789abcdef_size", {"a": 1}, "or a list of them, not an object"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(name: str, value: Any, reason: str) -> None:
    with pytest.raises(InvalidAttributes) as caught:
        USER.checked({name: value})
    assert [fault.attribute for fault in caught.value.faults] == [name]
    assert reason in caught.value.faults[0].reason
    assert f"{name} {caught.value.faults[0].reason}" in str(caught.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(InvalidAttributes) as caught:
        USER.checked({"jobTitle": 1, "city": 2, "nope": 3}, creating=True)
    assert {fault.attribute for fault in caught.value.faults} == {
        "jobTitle",
        "city",
        "nope",
        "displayName",
        "userPrincipalName",
        "accountEnabled",
    }


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("jobTitle", "  ", None),
        ("jobTitle", None, None),
        ("jobTitle", " x ", " x "),
        ("businessPhones", [], None),
        ("businessPhones", [""], None),
        ("userType", "guest", "Guest"),
        ("employeeHireDate", "2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00.000Z"),
        ("extension_0123456789ABCDEF0123456789abcdef_size", 5, 5),
        ("employeeOrgData", {"division": "Optics", "costCenter": ""}, {"costCenter": None, "division": "Optics"}),
    ],
)
def test_what_fits_is_stored_in_one_spelling(name: str, value: Any, stored: Any) -> None:
    assert USER.checked({name: value}) == {name: stored}


def test_parts_of_a_record_that_are_not_named_stay() -> None:
    before = USER.merged({}, USER.checked({"onPremisesExtensionAttributes": {"extensionAttribute1": "a"}}))
    more = USER.checked({"onPremisesExtensionAttributes": {"extensionAttribute15": "b"}})
    both = USER.merged(before, more)
    assert both == {"onPremisesExtensionAttributes": {"extensionAttribute1": "a", "extensionAttribute15": "b"}}
    gone = USER.checked(
        {"onPremisesExtensionAttributes": {"extensionAttribute1": None, "extensionAttribute15": None}},
    )
    assert USER.merged(both, gone) == {}
    assert USER.merged(both, {"onPremisesExtensionAttributes": None}) == {}


def test_a_new_user_gets_what_entra_would_give() -> None:
    user = _user()
    assert user.account_enabled is True
    assert user.attributes == {
        **_ANNA,
        "accountEnabled": True,
        "mailNickname": "anna",
        "userType": "Member",
    }
    assert _user(userPrincipalName="a_b.example#EXT#@lindenhof.example").attributes["userType"] == "Guest"
    assert _user(mailNickname="ann").attributes["mailNickname"] == "ann"


def test_a_new_group_gets_what_graph_asks_for() -> None:
    group = new_group("tenant", {"displayName": "All Staff"}, 0)
    assert group.attributes == {
        "displayName": "All Staff",
        "mailEnabled": False,
        "mailNickname": "AllStaff",
        "securityEnabled": True,
    }
    with pytest.raises(InvalidAttributes, match="displayName is required of a group"):
        new_group("tenant", {"description": "x"}, 0)
    with pytest.raises(InvalidAttributes, match="did you mean description"):
        GROUP.checked({"descripton": "x"})


def test_mappings_read_the_names_of_the_older_api() -> None:
    user = _user(
        businessPhones=["+49 30 23125 000"],
        mobilePhone="+49 171 39200 00",
        faxNumber="+49 30 23125 001",
        officeLocation="Berlin 1.01",
        jobTitle="Optician",
        onPremisesExtensionAttributes={"extensionAttribute7": "seven"},
        extension_0123456789abcdef0123456789abcdef_size="L",
    )
    get = source_values(user)
    assert {
        name: get(name)
        for name in (
            "telephoneNumber",
            "mobile",
            "facsimileTelephoneNumber",
            "physicalDeliveryOfficeName",
            "jobTitle",
            "extensionAttribute7",
            "extension_0123456789abcdef0123456789abcdef_size",
            "accountEnabled",
            "objectId",
        )
    } == {
        "telephoneNumber": "+49 30 23125 000",
        "mobile": "+49 171 39200 00",
        "facsimileTelephoneNumber": "+49 30 23125 001",
        "physicalDeliveryOfficeName": "Berlin 1.01",
        "jobTitle": "Optician",
        "extensionAttribute7": "seven",
        "extension_0123456789abcdef0123456789abcdef_size": "L",
        "accountEnabled": True,
        "objectId": user.id,
    }
    assert [get(name) for name in ("manager", "city", "extensionAttribute1", "IsSoftDeleted")] == [None] * 4
    assert source_values(_user())("telephoneNumber") is None


def test_mappings_know_a_guest_by_both_names() -> None:
    get = source_values(_user(userPrincipalName="anna_partner.example#EXT#@lindenhof.example"))
    assert get("userPrincipalName") == "anna@partner.example"
    assert get("originalUserPrincipalName") == "anna_partner.example#EXT#@lindenhof.example"


def test_mappings_of_groups_read_the_object_id_and_names() -> None:
    group = new_group("tenant", {"displayName": "All Staff"}, 0)
    get = group_source_values(group)
    assert (get("objectId"), get("displayName"), get("description")) == (group.id, "All Staff", None)


@pytest.mark.parametrize("name", ["telephoneNumber", "objectId", "manager", "extensionAttribute15", "employeeHireDate"])
def test_a_name_that_mappings_can_read_is_recognised(name: str) -> None:
    assert is_user_source(name)


@pytest.mark.parametrize("name", ["extensionAttribute16", "telephone", "", "extension_12_x"])
def test_any_other_name_is_not(name: str) -> None:
    assert not is_user_source(name)
