"""The difference between two schema documents: by mapping, nothing missed and nothing made up."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provisor.applications import gallery
from provisor.applications.schema_diff import SchemaChange, difference

USERS = "Provision Microsoft Entra ID Users"


def documents() -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    before = gallery.template("scim").default_schema("scim.t.a")
    after = copy.deepcopy(before)
    return before, after, after["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]


def test_a_changed_mapping_is_named_with_what_it_was_and_is() -> None:
    before, after, rows = documents()
    rows[3]["defaultValue"] = "Staff"
    rows[3]["flowType"] = "ObjectAddOnly"
    found = difference(before, after)
    assert [(change.before, change.after) for change in found] == [("Always", "ObjectAddOnly"), (None, "Staff")]
    assert str(found[1]) == f"USER_OUTBOUND_USER, {USERS}, title, defaultValue"


def test_an_inserted_and_a_removed_mapping_are_one_change_each() -> None:
    before, after, rows = documents()
    new = {**copy.deepcopy(rows[3]), "targetAttributeName": "nickName"}
    gone = rows.pop(5)
    rows.insert(0, new)
    assert [(change.where[-1], change.before, change.after) for change in difference(before, after)] == [
        ("preferredLanguage", gone, None),
        ("nickName", None, new),
    ]


def test_another_order_of_mappings_is_told_as_such() -> None:
    before, after, rows = documents()
    rows[0], rows[1] = rows[1], rows[0]
    [change] = difference(before, after)
    assert change.where[-2:] == ("attributeMappings", "order")
    assert change.before[:2] == ["userName", "active"]
    assert change.after[:2] == ["active", "userName"]


def test_a_new_scoping_filter_is_one_change() -> None:
    before, after, _ = documents()
    scope = {"groups": [{"name": "Sales", "clauses": []}]}
    after["synchronizationRules"][0]["objectMappings"][0]["scope"] = scope
    assert difference(before, after) == (SchemaChange(("USER_OUTBOUND_USER", USERS, "scope"), None, scope),)


def test_null_and_missing_are_the_same() -> None:
    assert difference({"a": None}, {}) == ()
    assert difference({"a": False}, {"a": 0}) == (SchemaChange(("a",), False, 0),)


ROWS = st.lists(st.fixed_dictionaries({"name": st.sampled_from("abcd"), "value": st.integers(0, 2)}), max_size=4)
DOCUMENTS = st.dictionaries(st.sampled_from(["x", "y"]), st.one_of(st.integers(0, 2), ROWS), max_size=2)


@given(DOCUMENTS, DOCUMENTS)
def test_there_is_no_difference_exactly_when_the_documents_are_equal(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert (difference(one, other) == ()) is (one == other)
    assert len(difference(one, other)) == len(difference(other, one))
