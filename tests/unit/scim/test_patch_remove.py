"""PATCH remove (RFC 7644 section 3.5.2.2), with a filter and, as Entra sends it, with a value."""

from __future__ import annotations

import pytest

from provisor.scim.errors import InvalidValue, Mutability, NoTarget
from provisor.scim.schemas import ENTERPRISE_USER_URN as ENT
from provisor.scim.schemas import USER_URN


def test_an_attribute_is_removed(patch, ada):
    assert "name" not in patch(ada, {"op": "Remove", "path": "NAME"}).resource


def test_removing_what_is_not_there_changes_nothing(patch, ada):
    assert not patch(ada, {"op": "remove", "path": "title"}, {"op": "remove", "path": "manager"}).changed


def test_a_value_sent_along_for_a_single_valued_attribute_is_not_looked_at(patch, ada):
    assert (
        "displayName"
        not in patch({**ada, "displayName": "A"}, {"op": "Remove", "path": "displayName", "value": "B"}).resource
    )


def test_a_sub_attribute_is_removed_and_with_the_last_one_the_attribute(patch, ada):
    first = patch(
        ada, {"op": "remove", "path": "name.formatted"}, {"op": "remove", "path": "name.familyName"}, by="rfc"
    )
    assert first.resource["name"] == {"givenName": "Ada"}
    assert "name" not in patch(first.resource, {"op": "remove", "path": "name.givenName"}, by="rfc").resource


def test_a_filter_removes_the_elements_it_selects(patch, ada):
    result = patch(ada, {"op": "remove", "path": 'emails[type eq "home"]'}, by="rfc")
    assert result.resource["emails"] == [ada["emails"][0]]
    assert "emails" not in patch(result.resource, {"op": "remove", "path": "emails[value pr]"}, by="rfc").resource


def test_an_element_left_with_labels_alone_goes_with_its_value(patch, ada):
    result = patch(ada, {"op": "remove", "path": 'emails[type eq "home"].value'})
    assert result.resource["emails"] == [ada["emails"][0]]


def test_an_element_with_something_left_stays(patch, ada):
    held = {**ada, "addresses": [{"type": "work", "locality": "London", "country": "GB"}]}
    result = patch(held, {"op": "remove", "path": 'addresses[type eq "work"].country'})
    assert result.resource["addresses"] == [{"type": "work", "locality": "London"}]


@pytest.mark.parametrize(
    "named",
    [
        [{"value": "ADA@home.example"}],
        [{"value": "ada@home.example", "type": "home"}],
        {"value": "ada@home.example"},
        "ada@home.example",
    ],
)
def test_a_value_names_the_elements_to_remove_and_only_those(patch, ada, named):
    assert patch(ada, {"op": "Remove", "path": "emails", "value": named}).resource["emails"] == [ada["emails"][0]]


def test_an_empty_list_of_elements_to_remove_removes_none(patch, ada):
    assert not patch(ada, {"op": "Remove", "path": "emails", "value": []}).changed


def test_an_element_named_without_value_is_found_by_all_that_is_said(patch, ada):
    held = {**ada, "addresses": [{"type": "work", "locality": "London"}, {"type": "home", "locality": "London"}]}
    result = patch(held, {"op": "Remove", "path": "addresses", "value": [{"type": "work", "locality": "london"}]})
    assert result.resource["addresses"] == [{"type": "home", "locality": "London"}]


def test_strictly_a_remove_has_no_value(patch, ada):
    with pytest.raises(InvalidValue, match="filter"):
        patch(ada, {"op": "remove", "path": "emails", "value": [{"value": "x"}]}, by="rfc")


def test_a_filter_without_a_match_is_no_error_or_strictly_has_no_target(patch, ada):
    operation = {"op": "remove", "path": 'emails[type eq "other"]'}
    assert not patch(ada, operation).changed
    with pytest.raises(NoTarget):
        patch(ada, operation, by="rfc")


def test_a_single_valued_manager_is_removed_by_a_filter_that_matches(patch, ada):
    managed = {**ada, ENT: {"department": "Engines", "manager": {"value": "ub"}}}
    assert not patch(managed, {"op": "remove", "path": 'manager[value eq "uz"]'}).changed
    result = patch(managed, {"op": "remove", "path": 'manager[value eq "ub"]'})
    assert result.resource[ENT] == {"department": "Engines"}


def test_with_its_last_attribute_an_extension_leaves_the_document_and_its_schemas(patch, ada):
    for path in (f"{ENT}:department", ENT, ENT.upper()):
        result = patch(ada, {"op": "remove", "path": path})
        assert ENT not in result.resource
        assert result.resource["schemas"] == [USER_URN]


@pytest.mark.parametrize("by", ["entra", "rfc"])
def test_a_required_attribute_cannot_be_removed(patch, ada, by):
    with pytest.raises(Mutability, match="userName"):
        patch(ada, {"op": "remove", "path": "userName"}, by=by)


@pytest.mark.parametrize("by", ["entra", "rfc"])
def test_a_remove_needs_a_path(patch, ada, by):
    with pytest.raises(NoTarget):
        patch(ada, {"op": "remove"}, by=by)
    with pytest.raises(NoTarget):
        patch(ada, {"op": "remove", "path": None, "value": {"title": "x"}}, by=by)


def test_removing_the_password_is_handed_on(patch, ada):
    assert patch(ada, {"op": "remove", "path": "password"}).write_only == {"password": None}
