"""PATCH add (RFC 7644 section 3.5.2.1), as the RFC has it and as Entra sends it."""

from __future__ import annotations

import itertools

import pytest

from provisor.scim.errors import InvalidPath, InvalidValue, Mutability, NoTarget
from provisor.scim.schemas import ENTERPRISE_USER_URN as ENT
from provisor.scim.schemas import USER_URN


def test_a_simple_attribute_without_a_value_gets_one(patch, ada):
    result = patch(ada, {"op": "Add", "path": "nickName", "value": "Countess"})
    assert result.resource["nickName"] == "Countess"
    assert result.changed


def test_adding_the_value_that_is_there_changes_nothing(patch, ada):
    assert not patch(ada, {"op": "add", "path": "userName", "value": "ada@example.com"}).changed


def test_without_a_path_complex_attributes_are_merged_and_lists_are_appended_to(patch, ada):
    value = {"name": {"middleName": "K"}, "emails": [{"type": "other", "value": "a@other.example"}]}
    result = patch(ada, {"op": "add", "value": value}, by="rfc")
    assert result.resource["name"] == {**ada["name"], "middleName": "K"}
    assert result.resource["emails"] == [*ada["emails"], {"type": "other", "value": "a@other.example"}]


def test_an_element_that_is_there_already_is_not_doubled(patch, ada):
    result = patch(ada, {"op": "add", "path": "emails", "value": [{"type": "work", "value": "ADA@work.example"}]})
    assert [email["type"] for email in result.resource["emails"]] == ["work", "home"]


def test_a_single_element_may_come_without_its_list(patch, ada):
    result = patch(ada, {"op": "add", "path": "emails", "value": {"type": "other", "value": "x@y.example"}}, by="rfc")
    assert len(result.resource["emails"]) == 3


def test_a_new_primary_element_makes_the_old_one_secondary(patch, ada):
    new = {"type": "other", "value": "x@y.example", "primary": True}
    emails = patch(ada, {"op": "add", "path": "emails", "value": [new]}, by="rfc").resource["emails"]
    assert [email.get("primary") for email in emails] == [None, False, True]


def test_adding_nothing_to_a_list_leaves_it(patch, ada):
    for nothing in ([], None, ""):
        assert not patch(ada, {"op": "Add", "path": "emails", "value": nothing}).changed


@pytest.mark.parametrize("start", [None, [], [{"type": "home", "streetAddress": "2 Elm"}]])
@pytest.mark.parametrize("op", ["Add", "Replace"])
def test_a_filter_without_a_match_creates_the_element_that_it_names(patch, ada, start, op):
    document = {**ada, "addresses": start} if start is not None else ada
    result = patch(document, {"op": op, "path": 'addresses[type eq "work"].formatted', "value": "1 Main St"})
    assert result.resource["addresses"] == [*(start or []), {"type": "work", "formatted": "1 Main St"}]


def test_several_adds_with_one_filter_land_in_one_element_also_over_two_requests(patch, ada):
    parts = ("formatted", "locality", "region")
    first = patch(ada, *({"op": "Add", "path": f'addresses[type eq "work"].{part}', "value": part} for part in parts))
    second = patch(first.resource, {"op": "Add", "path": 'addresses[type eq "work"].postalCode', "value": "98052"})
    assert second.resource["addresses"] == [
        {"type": "work", "formatted": "formatted", "locality": "locality", "region": "region", "postalCode": "98052"}
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_value_type_and_primary_of_a_new_element_may_come_in_any_order(patch, ada, order):
    operations = [
        {"op": "Add", "path": 'ims[type eq "skype"].primary', "value": "true"},
        {"op": "Add", "path": 'ims[type eq "skype"].type', "value": "skype"},
        {"op": "Add", "path": 'ims[type eq "skype"].value', "value": "ada"},
    ]
    result = patch(ada, *(operations[index] for index in order))
    assert result.resource["ims"] == [{"type": "skype", "primary": True, "value": "ada"}]


def test_an_element_may_be_named_by_being_primary(patch, ada):
    result = patch(ada, {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "Admin"})
    assert result.resource["roles"] == [{"primary": True, "value": "Admin"}]
    again = patch(result.resource, {"op": "Replace", "path": 'roles[primary eq "True"].value', "value": "User"})
    assert again.resource["roles"] == [{"primary": True, "value": "User"}]


def test_the_created_element_keeps_the_filters_spelling(patch, ada):
    result = patch(ada, {"op": "Add", "path": 'phoneNumbers[type eq "Mobile"].value', "value": "556"})
    assert result.resource["phoneNumbers"] == [{"type": "Mobile", "value": "556"}]


@pytest.mark.parametrize("condition", ['type ne "work"', 'type eq "a" or type eq "b"', "value pr", 'not (type eq "x")'])
def test_a_filter_that_does_not_say_what_to_create_has_no_target(patch, ada, condition):
    with pytest.raises(NoTarget):
        patch(ada, {"op": "Add", "path": f"ims[{condition}].value", "value": "x"})


def test_strictly_a_filter_without_a_match_has_no_target(patch, ada):
    with pytest.raises(NoTarget):
        patch(ada, {"op": "add", "path": 'ims[type eq "work"].value', "value": "x"}, by="rfc")


@pytest.mark.parametrize(
    "path",
    [
        f"{ENT}:manager",
        f"{ENT}.manager",
        f"{ENT.upper()}:MANAGER",
        "manager",
        f"{ENT}:manager.value",
    ],
)
def test_the_manager_may_be_a_bare_id_by_every_spelling_of_its_path(patch, ada, path):
    result = patch(ada, {"op": "Add", "path": path, "value": "ub"})
    assert result.resource[ENT] == {"department": "Engines", "manager": {"value": "ub"}}


def test_the_manager_may_be_a_list_of_one_object_with_a_reference(patch, ada):
    value = [{"$ref": "https://app.example/scim/Users/ub", "value": "ub"}]
    manager = patch(ada, {"op": "Add", "path": "manager", "value": value}).resource[ENT]["manager"]
    assert manager == {"$ref": "https://app.example/scim/Users/ub", "value": "ub"}


def test_a_new_manager_does_not_keep_the_address_of_the_old_one(patch, ada):
    old = {**ada, ENT: {"manager": {"value": "ub", "$ref": "/Users/ub"}}}
    assert patch(old, {"op": "Replace", "path": "manager", "value": "uc"}).resource[ENT]["manager"] == {"value": "uc"}


def test_an_extension_object_is_created_on_demand_and_listed_in_schemas(patch):
    core_only = {"schemas": [USER_URN], "id": "ua", "userName": "ada"}
    for attribute in ("department", "organization", "employeeNumber"):
        result = patch(core_only, {"op": "Add", "path": f"{ENT}:{attribute}", "value": "x"})
        assert result.resource[ENT] == {attribute: "x"}
        assert result.resource["schemas"] == [USER_URN, ENT]


def test_a_role_may_be_json_text_inside_value(patch, ada):
    text = '{"id":"r1","value":"editor","displayName":"Editor"}'
    result = patch(ada, {"op": "Add", "path": "roles", "value": [{"value": text}]})
    assert result.resource["roles"] == [{"value": "editor", "display": "Editor"}]


@pytest.mark.parametrize("text", ["{", '{"id":"r1"}', "{not json}", "[1]"])
def test_what_is_no_role_in_json_is_stored_as_it_is(patch, ada, text):
    assert patch(ada, {"op": "Add", "path": "roles", "value": [{"value": text}]}).resource["roles"] == [{"value": text}]


def test_null_and_empty_text_unset_an_optional_attribute(patch, ada):
    for nothing in ("", None):
        assert "name" not in patch(ada, {"op": "Add", "path": "name", "value": nothing}).resource


def test_a_missing_value_is_an_error_not_an_unset(patch, ada):
    with pytest.raises(InvalidValue, match="'value' is missing"):
        patch(ada, {"op": "add", "path": "title"})


def test_a_required_attribute_cannot_be_unset(patch, ada):
    with pytest.raises(InvalidValue, match="userName"):
        patch(ada, {"op": "Add", "path": "userName", "value": ""})
    with pytest.raises(InvalidValue, match="userName"):
        patch(ada, {"op": "add", "path": "userName", "value": "  "}, by="rfc")


@pytest.mark.parametrize("by", ["entra", "rfc"])
@pytest.mark.parametrize("path", ["id", "groups", "meta.created", "meta", f"{ENT}:manager.displayName"])
def test_a_read_only_path_is_refused(patch, ada, by, path):
    with pytest.raises(Mutability, match="read-only"):
        patch(ada, {"op": "add", "path": path, "value": "x"}, by=by)


def test_an_unknown_attribute_is_ignored_and_named_or_refused(patch, ada):
    operation = {"op": "add", "path": "shoeSize", "value": "37"}
    result = patch(ada, operation, {"op": "add", "path": "title", "value": "Countess"})
    assert result.resource["title"] == "Countess"
    assert result.ignored == ["shoeSize"]
    with pytest.raises(InvalidPath, match="shoeSize"):
        patch(ada, operation, by="rfc")


def test_a_password_is_handed_on_and_never_in_the_document(patch, ada):
    result = patch(ada, {"op": "Add", "path": "password", "value": "s3cret"})
    assert result.write_only == {"password": "s3cret"}
    assert result.resource == ada
    assert not result.changed
