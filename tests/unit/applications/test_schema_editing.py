"""Edits of a schema document: what was asked for is changed, nothing else is, and the one that was given stays."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from provisor.applications import gallery
from provisor.applications.directories import Attribute
from provisor.applications.errors import ObjectMappingNotFound, RowNotFound
from provisor.applications.schema import FlowType, InvalidSchema
from provisor.applications.schema_diff import difference
from provisor.applications.schema_editing import (
    ActionsEdit,
    ClauseEdit,
    FilterEdit,
    RowEdit,
    put_attribute,
    put_row,
    remove_attribute,
    remove_row,
    scope_filters,
    set_actions,
    set_scope,
    source_attributes,
    target_attributes,
)
from provisor.applications.schema_reader import read_schema
from provisor.errors import Conflict

ENTRA = json.loads((Path(__file__).parents[2] / "data" / "entra-schema.json").read_text("utf-8"))


def default() -> dict[str, Any]:
    return gallery.template("scim").default_schema("scim.t.a")


@pytest.mark.parametrize(
    ("row", "source_text"),
    [
        (RowEdit("nickName", "Attribute", "givenName"), "[givenName]"),
        (RowEdit("nickName", "Constant", 'a "b" [c]'), '"a \\"b\\" [c]"'),
        (RowEdit("nickName", "Function", 'Append([mailNickname], "x")'), 'Append([mailNickname], "x")'),
        (RowEdit("nickName", "None", "ignored", default_value="n"), ""),
    ],
)
def test_a_new_row_of_each_mapping_type_is_read_back_as_it_was_filled_in(row: RowEdit, source_text: str) -> None:
    before = default()
    kept = copy.deepcopy(before)
    after = put_row(before, "User", row)
    assert before == kept
    read = read_schema(after).user.attribute_mappings[-1]
    assert (read.target, read.source_type, read.source_text) == (row.target, row.source_type, source_text)
    assert len(difference(before, after)) == 1


def test_an_edited_row_keeps_its_place_and_what_the_form_does_not_ask_for() -> None:
    row = RowEdit("title", "Constant", "Staff", "None", 0, FlowType.OBJECT_ADD_ONLY, "Keep")
    before = default()
    rows = before["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    rows[3]["exportMissingReferences"] = True
    rows[3]["metadata"] = [{"key": "somebody's", "value": "1"}]
    after = put_row(before, "User", row, replacing="title")
    edited = after["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][3]
    assert edited["exportMissingReferences"] is True
    assert {"key": "somebody's", "value": "1"} in edited["metadata"]
    read = read_schema(after).user.attribute_mappings[3]
    assert (read.flow_type, read.default_value, read.when_empty) == (FlowType.OBJECT_ADD_ONLY, "None", "Keep")
    again = put_row(after, "User", RowEdit("title", "Attribute", "jobTitle"), replacing="title")
    assert read_schema(again).user.attribute_mappings[3].when_empty is None


def test_a_wrong_expression_names_the_row_and_the_place() -> None:
    with pytest.raises(InvalidSchema, match=r"title: Line 1, column 1: there is no function Jion"):
        put_row(default(), "User", RowEdit("title", "Function", 'Jion("x")'), replacing="title")


def test_a_row_that_is_mapped_already_and_rows_that_are_not_there() -> None:
    with pytest.raises(Conflict, match="TITLE is mapped already"):
        put_row(default(), "User", RowEdit("TITLE", "Attribute", "jobTitle"))
    with pytest.raises(RowNotFound, match="nickName"):
        remove_row(default(), "User", "nickName")
    with pytest.raises(ObjectMappingNotFound):
        remove_row(default(), "Device", "title")


def test_rows_are_removed_whatever_their_case() -> None:
    after = remove_row(default(), "User", "TITLE")
    assert [change.where[-1] for change in difference(default(), after)] == ["title"]


@pytest.mark.parametrize("add", [True, False])
@pytest.mark.parametrize("delete", [True, False])
def test_the_target_object_actions(add: bool, delete: bool) -> None:
    after = set_actions(default(), "Group", ActionsEdit(enabled=False, add=add, update=True, delete=delete))
    group = read_schema(after).group
    assert group is not None
    assert (group.enabled, group.flow_types.add, group.flow_types.update, group.flow_types.delete) == (
        False,
        add,
        True,
        delete,
    )


def test_scoping_filters_come_back_as_they_were_set() -> None:
    filters = [
        FilterEdit("Sales", (ClauseEdit("department", "EQUALS", "Sales"), ClauseEdit("mail", "IS NOT NULL"))),
        FilterEdit("Board", (ClauseEdit("jobTitle", "ENDS_WITH", "Officer"),)),
    ]
    after = set_scope(default(), "User", filters)
    assert scope_filters(after, "User") == filters
    scope = read_schema(after).user.scope
    assert scope is not None
    assert [[str(clause.operator.name) for clause in group.clauses] for group in scope.groups] == [
        ["EQUALS", "IS NOT NULL"],
        ["ENDS_WITH"],
    ]
    assert set_scope(after, "User", []) == default()


def test_the_filters_of_a_schema_that_entra_exported_survive_being_read_and_set() -> None:
    after = set_scope(ENTRA, "User", scope_filters(ENTRA, "User"))
    assert read_schema(after).user.scope == read_schema(ENTRA).user.scope


def test_the_attribute_list() -> None:
    after = put_attribute(default(), "User", Attribute("urn:x:2.0:User:room", "Integer"))
    assert target_attributes(after, "User")[-1]["type"] == "Integer"
    with pytest.raises(Conflict, match=r"urn:X:2\.0:User:ROOM already"):
        put_attribute(after, "User", Attribute("urn:X:2.0:User:ROOM"))
    changed = put_attribute(after, "User", Attribute("urn:x:2.0:User:room", multivalued=True), "urn:x:2.0:User:room")
    assert target_attributes(changed, "User")[-1] == Attribute("urn:x:2.0:User:room", multivalued=True).definition()
    assert remove_attribute(changed, "User", "urn:x:2.0:User:room") == default()
    assert "jobTitle" in [one["name"] for one in source_attributes(default(), "User")]
