"""PATCH replace (RFC 7644 section 3.5.2.3), as the RFC has it and as Entra, with and without its flag, sends it."""

from __future__ import annotations

import pytest

from provisor.scim.errors import InvalidValue, Mutability, NoTarget
from provisor.scim.schemas import ENTERPRISE_USER_URN as ENT
from provisor.scim.schemas import USER_URN


@pytest.mark.parametrize("value", [False, "False", "false", "FALSE"])
@pytest.mark.parametrize("op", ["replace", "Replace", "REPLACE"])
def test_disabling_in_every_spelling_stores_a_boolean(patch, ada, value, op):
    assert patch(ada, {"op": op, "path": "active", "value": value}).resource["active"] is False
    assert patch(ada, {"op": op, "value": {"active": value}}).resource["active"] is False


def test_enabling_who_is_enabled_is_no_error(patch, ada):
    assert not patch({**ada, "active": True}, {"op": "Replace", "path": "active", "value": "True"}).changed


def test_strictly_a_boolean_is_no_string(patch, ada):
    with pytest.raises(InvalidValue, match="'active' must be true or false, not a string 'False'"):
        patch(ada, {"op": "replace", "path": "active", "value": "False"}, by="rfc")


def test_without_a_path_only_the_named_attributes_change(patch, ada):
    result = patch(ada, {"op": "replace", "value": {"active": False}}, by="rfc")
    assert result.resource == {**ada, "active": False}


def test_keys_without_a_path_may_be_dotted_and_urn_qualified(patch, ada):
    value = {
        "displayName": "Ada L",
        "name.givenName": "Augusta",
        "name.familyName": "Lovelace",
        f"{ENT}:employeeNumber": "7",
        f"{USER_URN}:title": "Countess",
        'phoneNumbers[type eq "work"].value': "555",
    }
    resource = patch(ada, {"op": "replace", "value": value}).resource
    assert resource["displayName"] == "Ada L"
    assert resource["name"] == {"givenName": "Augusta", "familyName": "Lovelace", "formatted": "Ada Byron"}
    assert resource[ENT] == {"department": "Engines", "employeeNumber": "7"}
    assert resource["title"] == "Countess"
    assert resource["phoneNumbers"] == [{"type": "work", "value": "555"}]
    assert not [key for key in resource if "." in key and key != ENT]


def test_keys_without_a_path_may_be_nested_and_of_any_case(patch, ada):
    value = {"NAME": {"GIVENNAME": "Augusta"}, ENT.lower(): {"Department": "Poetry", "manager": {"value": "ub"}}}
    resource = patch(ada, {"op": "replace", "value": value}).resource
    assert resource["name"] == {**ada["name"], "givenName": "Augusta"}
    assert resource[ENT] == {"department": "Poetry", "manager": {"value": "ub"}}


def test_echoed_read_only_keys_without_a_path_are_ignored_or_refused(patch, ada):
    value = {"id": "other", "schemas": [USER_URN], "meta": {"version": "1"}, "displayName": "Ada L"}
    assert patch(ada, {"op": "replace", "value": value}).resource == {**ada, "displayName": "Ada L"}
    with pytest.raises(Mutability):
        patch(ada, {"op": "replace", "value": value}, by="rfc")


def test_a_complex_attribute_keeps_the_sub_attributes_that_are_not_named(patch, ada):
    result = patch(ada, {"op": "replace", "path": "name", "value": {"familyName": "Lovelace"}}, by="rfc")
    assert result.resource["name"] == {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada Byron"}


def test_a_complex_attribute_without_any_known_sub_attribute_is_left_alone(patch, ada):
    result = patch(ada, {"op": "replace", "path": "name", "value": {"shoeSize": 37}})
    assert not result.changed
    assert result.ignored == ["name.shoeSize"]


def test_null_inside_a_complex_value_unsets_just_that(patch, ada):
    result = patch(ada, {"op": "replace", "path": "name", "value": {"formatted": None, "givenName": "A"}}, by="rfc")
    assert result.resource["name"] == {"givenName": "A", "familyName": "Byron"}


def test_one_value_of_a_filtered_element_changes_and_nothing_else(patch, ada):
    result = patch(ada, {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@work.example"})
    assert result.resource["emails"] == [{"type": "work", "value": "new@work.example"}, ada["emails"][1]]


def test_a_whole_filtered_element_is_replaced(patch, ada):
    value = {"type": "work", "value": "x@y.example"}
    result = patch(ada, {"op": "replace", "path": 'emails[type eq "home"]', "value": value}, by="rfc")
    assert result.resource["emails"][1] == value


@pytest.mark.parametrize("value", ["x@y.example", [{"value": "x@y.example"}], ["x@y.example"]])
def test_a_filtered_element_may_be_given_by_its_value_or_in_a_list_of_one(patch, ada, value):
    result = patch(ada, {"op": "Add", "path": 'emails[type eq "work"]', "value": value})
    assert result.resource["emails"] == [{"type": "work", "value": "x@y.example"}, ada["emails"][1]]


def test_a_replaced_element_keeps_the_label_it_was_selected_by(patch, ada):
    result = patch(ada, {"op": "replace", "path": 'emails[type eq "home"]', "value": {"value": "x@y.example"}})
    assert result.resource["emails"][1] == {"type": "home", "value": "x@y.example"}


def test_a_list_is_replaced_as_a_whole(patch, ada):
    result = patch(ada, {"op": "replace", "path": "emails", "value": [{"value": "x@y.example"}]}, by="rfc")
    assert result.resource["emails"] == [{"value": "x@y.example"}]


def test_all_roles_may_be_replaced_by_those_of_an_assertive_assignment(patch, ada):
    kind = "WindowsAzureActiveDirectoryRole"
    roles = [{"primary": False, "type": kind, "display": name, "value": name} for name in ("User", "Admin")]
    held = {**ada, "roles": [{"value": "Old"}]}
    assert patch(held, {"op": "replace", "path": "roles", "value": roles}).resource["roles"] == roles


def test_making_one_element_primary_makes_the_other_secondary(patch, ada):
    emails = patch(ada, {"op": "Replace", "path": 'emails[type eq "work"].primary', "value": "True"}).resource["emails"]
    assert [email.get("primary") for email in emails] == [True, False]


@pytest.mark.parametrize("path", ["manager", f"{ENT}:manager", f"{ENT}:manager.value"])
@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_manager_is_no_manager(patch, ada, path, nothing):
    managed = {**ada, ENT: {"manager": {"value": "ub", "$ref": "/Users/ub"}}}
    result = patch(managed, {"op": "Replace", "path": path, "value": nothing})
    assert ENT not in result.resource
    assert result.resource["schemas"] == [USER_URN]
    assert not patch(result.resource, {"op": "Replace", "path": path, "value": nothing}).changed


@pytest.mark.parametrize("nothing", ["", None])
def test_empty_values_unset_attributes_sub_attributes_and_filtered_values(patch, ada, nothing):
    result = patch(
        ada,
        {"op": "Replace", "path": "name.formatted", "value": nothing},
        {"op": "Replace", "path": f"{ENT}:department", "value": nothing},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": nothing},
        {"op": "Replace", "path": 'phoneNumbers[type eq "fax"].value', "value": nothing},
        {"op": "Replace", "path": "title", "value": nothing},
    ).resource
    assert result["name"] == {"givenName": "Ada", "familyName": "Byron"}
    assert ENT not in result
    assert result["emails"] == [ada["emails"][1]]
    assert "phoneNumbers" not in result
    assert "title" not in result


def test_strictly_empty_text_is_a_value_and_null_is_none(patch, ada):
    assert patch(ada, {"op": "replace", "path": "title", "value": ""}, by="rfc").resource["title"] == ""
    assert "name" not in patch(ada, {"op": "replace", "path": "name", "value": None}, by="rfc").resource


def test_five_changes_of_a_rename_arrive_together(patch, ada):
    result = patch(
        ada,
        {"op": "Replace", "path": "displayName", "value": "Ada Lovelace"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "lovelace@work.example"},
        {"op": "Replace", "path": "userName", "value": "lovelace@example.com"},
        {"op": "Replace", "path": "name.familyName", "value": "Lovelace"},
        {"op": "Replace", "path": "name.formatted", "value": "Ada Lovelace"},
    ).resource
    assert result == ada | {
        "displayName": "Ada Lovelace",
        "userName": "lovelace@example.com",
        "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada Lovelace"},
        "emails": [{"type": "work", "value": "lovelace@work.example"}, ada["emails"][1]],
    }


def test_a_single_value_may_come_wrapped(patch, ada):
    for wrapped in (["Countess"], [{"value": "Countess"}], {"value": "Countess"}):
        assert patch(ada, {"op": "Replace", "path": "title", "value": wrapped}).resource["title"] == "Countess"


def test_another_manager_than_the_filter_names_is_not_replaced(patch, ada):
    managed = {**ada, ENT: {"manager": {"value": "ub"}}}
    with pytest.raises(NoTarget):
        patch(managed, {"op": "replace", "path": 'manager[value eq "uz"].value', "value": "uc"})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("userName", {"a": 1, "b": 2}),
        ("userName", ["a", "b"]),
        ("active", "perhaps"),
        ("active", 3),
        ("name", "Ada"),
        ("emails", 7.5),
        ("emails", [["a"]]),
        ("x509Certificates", [{"value": "not base64!"}]),
        ("title", "a\0b"),
        ("title", "\ud800"),
    ],
)
def test_values_of_a_wrong_type_are_refused(patch, ada, path, value):
    with pytest.raises(InvalidValue):
        patch(ada, {"op": "replace", "path": path, "value": value})


def test_a_read_only_sub_attribute_inside_a_value_is_dropped(patch, ada):
    value = {"value": "ub", "displayName": "Babbage"}
    assert patch(ada, {"op": "Replace", "path": "manager", "value": value}).resource[ENT]["manager"] == {"value": "ub"}
