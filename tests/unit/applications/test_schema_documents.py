"""Synchronization schemas on their way in and out, and what a target's /Schemas add to them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from provisor.applications.directories import GROUP, USER
from provisor.applications.gallery import template
from provisor.applications.schema_reader import read_schema
from provisor.applications.synchronization.discovery import discovered
from provisor.applications.synchronization.documents import directory, incoming, outgoing


def stored() -> dict[str, Any]:
    return template("scim").default_schema("scim.t.a")


def rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    return found


def test_a_documents_own_copy_comes_back_the_same_but_for_its_version() -> None:
    document = stored()
    assert incoming(outgoing(document, 3), document) == {**document, "version": "3.0"}
    assert document == stored()


def test_enumerations_are_read_in_any_case_and_unknown_ones_are_left_to_the_reader() -> None:
    document = stored()
    given = deepcopy(document)
    given["synchronizationRules"][0]["objectMappings"][0]["flowTypes"] = "ADD,update , Delete"
    rows(given)[0] |= {"flowType": "always", "flowBehavior": "FLOWALWAYS"}
    rows(given)[0]["source"]["type"] = "attribute"
    rows(given)[2]["flowType"] = "sometimes"
    given["directories"][0]["objects"][0]["attributes"][0]["type"] = "STRING"
    after = incoming(given, document)
    assert after["synchronizationRules"][0]["objectMappings"][0]["flowTypes"] == "Add, Update, Delete"
    assert (rows(after)[0]["flowType"], rows(after)[0]["flowBehavior"]) == ("Always", "FlowAlways")
    assert rows(after)[0]["source"]["type"] == "Attribute"
    assert rows(after)[2]["flowType"] == "sometimes"
    assert after["directories"][0]["objects"][0]["attributes"][0]["type"] == "String"


def test_what_is_not_given_stays_and_the_id_is_the_jobs() -> None:
    document = stored()
    after = incoming({"id": "other", "directories": None}, document)
    assert after == {name: document[name] for name in ("id", "synchronizationRules", "directories")}


def test_no_source_that_is_given_out_lacks_a_name_an_expression_or_a_type() -> None:
    document = stored()
    rows(document)[0]["source"] = {"type": "Attribute", "name": "mail", "expression": None, "parameters": None}
    rows(document)[2]["source"] = {"type": "Function", "name": None, "expression": "ToLower([mail])"}
    rows(document)[3]["source"] = None
    shown = rows(outgoing(document, 1))
    assert shown[0]["source"]["expression"] == "[mail]"
    assert (shown[2]["source"]["name"], shown[2]["source"]["parameters"][0]["value"]["name"]) == ("ToLower", "mail")
    assert shown[3]["source"] is None


def test_a_directory_is_found_by_its_id_and_by_its_name() -> None:
    document = stored()
    target = document["directories"][1]
    assert directory(document, target["id"]) is target
    assert directory(document, "scim") is target
    assert directory(document, "nothing") is None


def test_discovery_adds_and_never_changes() -> None:
    document = stored()
    target = document["directories"][1]
    core = {
        "id": "urn:ietf:params:scim:schemas:core:2.0:User",
        "attributes": [
            {"name": "DISPLAYNAME", "type": "integer"},
            {"name": "level", "type": "integer", "multiValued": True, "caseExact": True},
            {"name": "pet", "type": "complex", "subAttributes": [{"name": "born", "type": "dateTime"}]},
            {"name": "groups", "type": "complex"},
            {"name": 7},
        ],
    }
    group = {"id": "urn:ietf:params:scim:schemas:core:2.0:Group", "attributes": [{"name": "colour"}]}
    after = discovered(document, target["id"], [core, group, "nonsense", {"id": 3}, {}], 0)
    assert after is not None
    objects = after["directories"][1]["objects"]
    kinds = {kind["name"]: {one["name"]: one for one in kind["attributes"]} for kind in objects}
    assert kinds[USER]["displayName"]["type"] == "String"
    assert (kinds[USER]["level"]["type"], kinds[USER]["level"]["multivalued"]) == ("Integer", True)
    assert kinds[USER]["pet.born"]["type"] == "DateTime"
    assert "groups" not in kinds[USER]
    assert "colour" in kinds[GROUP]
    read = [[row.target for row in read_schema(one).user.attribute_mappings] for one in (document, after)]
    assert read[0] == read[1]
    assert discovered(after, target["id"], [core, group], 1) is None
