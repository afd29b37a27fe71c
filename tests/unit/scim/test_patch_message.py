"""The message of a PATCH, and that it is all or nothing (RFC 7644 section 3.5.2)."""

from __future__ import annotations

import pytest

from provisor.scim.dialect import dialect
from provisor.scim.errors import (
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    Mutability,
    PayloadTooLarge,
    ScimError,
)
from provisor.scim.operations import MAX_OPERATIONS
from provisor.scim.patch import compile_patcher
from provisor.scim.schemas import USER_URN, core

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def apply(document, body, by="entra"):
    return compile_patcher(core(), "User", dialect(by)).apply(document, body)


@pytest.mark.parametrize("by", ["entra", "rfc"])
@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "Operations",
        {"schemas": [PATCH_OP]},
        {"schemas": [PATCH_OP], "Operations": []},
        {"schemas": [PATCH_OP], "Operations": {"op": "add"}},
        {"schemas": [PATCH_OP], "Operations": ["add"]},
        {"schemas": [PATCH_OP], "Operations": [{"path": "title", "value": "x"}]},
        {"schemas": [PATCH_OP], "Operations": [{"op": "move", "path": "title", "value": "x"}]},
        {"schemas": [PATCH_OP], "Operations": [{"op": ["add"], "path": "title", "value": "x"}]},
    ],
)
def test_a_malformed_message_is_invalid_syntax(ada, body, by):
    with pytest.raises(InvalidSyntax):
        apply(ada, body, by)


def test_names_in_the_message_have_no_case(ada):
    body = {"Schemas": [PATCH_OP], "operations": [{"OP": "replace", "Path": "TITLE", "Value": "x"}]}
    assert apply(ada, body, "rfc").resource["title"] == "x"


def test_the_message_uri_and_the_case_of_op_are_checked_strictly_only(ada):
    bodies = [
        {"Operations": [{"op": "replace", "path": "title", "value": "x"}]},
        {"schemas": [PATCH_OP], "Operations": [{"op": "Replace", "path": "title", "value": "x"}]},
    ]
    for body in bodies:
        assert apply(ada, body).resource["title"] == "x"
        with pytest.raises(InvalidSyntax):
            apply(ada, body, "rfc")


def test_an_empty_path_is_no_path_or_strictly_malformed(patch, ada):
    assert patch(ada, {"op": "add", "path": "", "value": {"title": "x"}}).resource["title"] == "x"
    with pytest.raises(InvalidPath):
        patch(ada, {"op": "add", "path": "", "value": {"title": "x"}}, by="rfc")


@pytest.mark.parametrize("by", ["entra", "rfc"])
@pytest.mark.parametrize("value", ["x", 1, ["x", "y"], None])
def test_without_a_path_the_value_is_an_object(patch, ada, value, by):
    with pytest.raises(InvalidValue):
        patch(ada, {"op": "replace", "value": value}, by=by)


@pytest.mark.parametrize("by", ["entra", "rfc"])
@pytest.mark.parametrize(
    "path", ["emails[", "emails[]x", "emails]", "a b", 'emails[type eq "work"]value', "1a", 'userName[value eq "x"]', 7]
)
def test_a_malformed_path_is_refused(patch, ada, path, by):
    with pytest.raises(InvalidPath):
        patch(ada, {"op": "replace", "path": path, "value": "x"}, by=by)


@pytest.mark.parametrize("condition", ["", "type", "type eq", 'shoe eq "x"', "primary gt true", "primary co true"])
def test_a_wrong_filter_in_a_path_is_refused(patch, ada, condition):
    with pytest.raises((InvalidFilter, InvalidPath)):
        patch(ada, {"op": "replace", "path": f"emails[{condition}].value", "value": "x"})


def test_a_path_is_at_most_4096_characters_long(patch, ada):
    with pytest.raises(InvalidPath, match="4096"):
        patch(ada, {"op": "replace", "path": "a" * 5000, "value": "x"})


def test_there_is_a_limit_to_the_number_of_operations(ada):
    operation = {"op": "replace", "path": "title", "value": "x"}
    with pytest.raises(PayloadTooLarge, match=str(MAX_OPERATIONS)):
        apply(ada, {"schemas": [PATCH_OP], "Operations": [operation] * (MAX_OPERATIONS + 1)})


@pytest.mark.parametrize("by", ["entra", "rfc"])
def test_when_the_last_operation_fails_nothing_is_applied_and_it_is_named(patch, ada, by):
    with pytest.raises(Mutability, match="Operation 3 of 3"):
        patch(
            ada,
            {"op": "replace", "path": "title", "value": "x"},
            {"op": "remove", "path": "emails"},
            {"op": "remove", "path": "userName"},
            by=by,
        )


def test_operations_see_what_earlier_ones_did(patch, ada):
    result = patch(
        ada,
        {"op": "add", "path": "roles", "value": [{"value": "a"}]},
        {"op": "add", "path": 'roles[value eq "a"].display', "value": "A"},
        {"op": "remove", "path": 'emails[type eq "home"]'},
        {"op": "replace", "path": "emails.value", "value": "one@work.example"},
        by="rfc",
    )
    assert result.resource["roles"] == [{"value": "a", "display": "A"}]
    assert result.resource["emails"] == [{"type": "work", "value": "one@work.example"}]


def test_setting_schemas_is_no_error_and_has_no_effect(patch, ada):
    result = patch(ada, {"op": "add", "path": "schemas", "value": ["urn:example:none"]})
    assert result.resource["schemas"] == ada["schemas"]


def test_ids_and_meta_stay(patch, ada):
    result = patch(ada, {"op": "replace", "path": "title", "value": "x"}).resource
    assert (result["id"], result["meta"]) == (ada["id"], ada["meta"])


def test_an_unknown_extension_object_is_ignored_and_named(patch, ada):
    result = patch(ada, {"op": "add", "value": {"urn:example:2.0:User": {"a": 1}}}, {"op": "remove", "path": "nick:x"})
    assert result.ignored == ["urn:example:2.0:User", "nick:x"]
    assert not result.changed


def test_unknown_names_inside_an_extension_object_are_ignored_and_named(patch, ada):
    extension = ada["schemas"][1]
    result = patch(ada, {"op": "add", "path": extension, "value": {"shoeSize": 37, "division": "D"}})
    assert result.ignored == [f"{extension}:shoeSize"]
    assert result.resource[extension] == {"department": "Engines", "division": "D"}


def test_a_document_with_core_alone_needs_no_extension(patch):
    document = {"schemas": [USER_URN], "userName": "a"}
    assert patch(document, {"op": "replace", "path": "userName", "value": "b"}).resource == {
        **document,
        "userName": "b",
    }


def test_every_refusal_is_a_scim_error_with_a_detail(patch, ada):
    with pytest.raises(ScimError) as caught:
        patch(ada, {"op": "replace", "path": "active", "value": "x"})
    assert caught.value.body()["detail"].startswith("Operation 1 of 1: 'active' must be true or false")


def test_a_value_without_path_may_come_in_a_list_of_one(patch, ada):
    assert patch(ada, {"op": "replace", "value": [{"title": "x"}]}).resource["title"] == "x"


def test_a_key_that_is_no_path_is_ignored_and_named(patch, ada):
    assert patch(ada, {"op": "replace", "value": {"my title": "x", "emails[": 1}}).ignored == ["my title", "emails["]


def test_strictly_keys_without_path_are_names_and_extension_uris(patch, ada):
    extension = ada["schemas"][1]
    result = patch(ada, {"op": "add", "value": {"TITLE": "x", extension: {"division": "D"}}}, by="rfc")
    assert result.resource["title"] == "x"
    assert result.resource[extension] == {"department": "Engines", "division": "D"}
    for key in ("name.givenName", f"{extension}:division", f"{USER_URN}:title", "manager"):
        with pytest.raises(InvalidPath):
            patch(ada, {"op": "add", "value": {key: "x"}}, by="rfc")


def test_an_extension_is_an_object(patch, ada):
    with pytest.raises(InvalidValue, match="must be an object"):
        patch(ada, {"op": "add", "path": ada["schemas"][1], "value": ["x"]})


def test_an_extension_may_be_named_by_its_scim_1_uri(patch, ada):
    path = "urn:scim:schemas:extension:enterprise:1.0:division"
    assert patch(ada, {"op": "add", "path": path, "value": "D"}).resource[ada["schemas"][1]]["division"] == "D"


def test_an_element_of_unknown_attributes_alone_changes_nothing(patch, ada):
    for op in ("add", "replace"):
        result = patch(ada, {"op": op, "path": 'emails[type eq "work"]', "value": {"shoe": 1}})
        assert not result.changed
        assert result.ignored == ["emails.shoe"]


def test_a_filtered_path_to_an_unknown_sub_attribute_is_ignored_and_named(patch, ada):
    path = 'emails[type eq "work"].shoe'
    assert patch(ada, {"op": "add", "path": path, "value": 1}).ignored == [path]


def test_a_filter_of_several_equalities_creates_an_element_with_all_of_them(patch, ada):
    path = 'phoneNumbers[type eq "work" and primary eq true].value'
    result = patch(ada, {"op": "add", "path": path, "value": "555"})
    assert result.resource["phoneNumbers"] == [{"type": "work", "primary": True, "value": "555"}]


def test_long_paths_work_like_short_ones(patch, ada):
    name = "x" * 300
    result = patch(ada, {"op": "add", "path": f'roles[display eq "{name}"].value', "value": "v"})
    assert result.resource["roles"] == [{"display": name, "value": "v"}]


def test_a_value_path_inside_a_value_path_is_refused(patch, ada):
    with pytest.raises(InvalidFilter, match="another one"):
        patch(ada, {"op": "remove", "path": 'emails[type[value eq "x"]]'})
