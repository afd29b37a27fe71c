"""Synchronization schemas: what is read of a document, and every fault told at once."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from provisor.applications import gallery
from provisor.applications.directories import directories
from provisor.applications.schema import FlowBehavior, FlowType, FlowTypes, InvalidSchema
from provisor.applications.schema_reader import read_schema
from provisor.applications.scoping import evaluate
from provisor.directory.attributes import is_group_source, is_user_source
from provisor.expressions.values import Context

CONTEXT = Context(now_ms=lambda: 0, random=random.Random(1), uuid=lambda: "guid")
USERS = "Provision Microsoft Entra ID Users"
GROUPS = "Provision Microsoft Entra ID Groups"


@pytest.fixture
def document() -> dict[str, Any]:
    return gallery.template("scim").default_schema("scim.t.a")


def user_mapping(document: dict[str, Any]) -> dict[str, Any]:
    mapping: dict[str, Any] = document["synchronizationRules"][0]["objectMappings"][0]
    return mapping


def group_mapping(document: dict[str, Any]) -> dict[str, Any]:
    mapping: dict[str, Any] = document["synchronizationRules"][1]["objectMappings"][0]
    return mapping


def row(document: dict[str, Any], target: str) -> dict[str, Any]:
    """The very row, to be changed."""
    rows: list[dict[str, Any]] = user_mapping(document)["attributeMappings"]
    [found] = [one for one in rows if one["targetAttributeName"] == target]
    return found


def with_filter(document: dict[str, Any], *groups: tuple[str, list[tuple[str, str, list[str]]]]) -> dict[str, Any]:
    user_mapping(document)["scope"] = {
        "groups": [
            {
                "name": name,
                "clauses": [
                    {"sourceOperandName": attribute, "operatorName": operator, "targetOperand": {"values": values}}
                    for attribute, operator, values in clauses
                ],
            }
            for name, clauses in groups
        ],
        "inputFilterGroups": [],
        "categoryFilterGroups": [],
    }
    return document


def findings(document: object) -> list[str]:
    with pytest.raises(InvalidSchema) as caught:
        read_schema(document)
    return [str(finding) for finding in caught.value.findings]


def test_a_default_schema_is_read_with_its_values(document: dict[str, Any]) -> None:
    schema = read_schema(document)
    user = schema.user
    assert (user.source, user.enabled, user.scope) == ("User", True, None)
    assert user.flow_types == FlowTypes(add=True, update=True, delete=True)
    assert len(user.attribute_mappings) == 22
    first = user.attribute_mappings[0]
    assert (first.target, first.source_text, first.source_type) == ("userName", "[userPrincipalName]", "Attribute")
    assert (first.matching_priority, first.flow_type, first.flow_behavior) == (
        1,
        FlowType.ALWAYS,
        FlowBehavior.WHEN_CHANGED,
    )
    active = user.attribute_mappings[1]
    assert (active.type, active.source_type) == ("Boolean", "Function")
    assert active.source.evaluate({"IsSoftDeleted": "False"}.get, CONTEXT) == "True"
    assert active.source.evaluate({"IsSoftDeleted": "True"}.get, CONTEXT) == "False"
    assert [one.target for one in user.attribute_mappings if one.is_reference] == [
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"
    ]
    assert schema.group is not None
    members = schema.group.attribute_mappings[2]
    assert (members.target, members.is_reference, members.multivalued) == ("members", True, True)
    assert schema.mapping("User") is user
    assert schema.mapping("Group") is schema.group


def test_the_rule_id_is_kept_for_provisioning_on_demand(document: dict[str, Any]) -> None:
    assert read_schema(document).user.rule_id == document["synchronizationRules"][0]["id"]


def test_the_document_stays_as_it_was_given_unknown_properties_included(document: dict[str, Any]) -> None:
    document["@odata.context"] = "https://graph.microsoft.com/v1.0/$metadata#…"
    user_mapping(document)["aLaterProperty"] = {"deep": [1]}
    user_mapping(document)["attributeMappings"][3]["another"] = None
    before = copy.deepcopy(document)
    assert read_schema(document).document == before


def test_defaults_of_left_out_properties_are_graphs() -> None:
    schema = read_schema(
        {
            "synchronizationRules": [
                {
                    "sourceDirectoryName": "Microsoft Entra ID",
                    "targetDirectoryName": "x",
                    "objectMappings": [
                        {
                            "sourceObjectName": "User",
                            "targetObjectName": "account",
                            "attributeMappings": [
                                {"targetAttributeName": "login", "matchingPriority": 1, "source": {"name": "mail"}}
                            ],
                        }
                    ],
                }
            ],
            "directories": [
                {"name": "Microsoft Entra ID", "objects": [{"name": "User", "attributes": [{"name": "mail"}]}]},
                {"name": "x", "objects": [{"name": "account", "attributes": [{"name": "Login", "type": "String"}]}]},
            ],
        }
    )
    assert schema.group is None
    assert schema.mapping("Group") is None
    assert schema.user.flow_types == FlowTypes(add=True, update=True, delete=True)
    assert schema.user.enabled
    [only] = schema.user.attribute_mappings
    assert (only.source_text, only.flow_type, only.default_value) == ("[mail]", FlowType.ALWAYS, None)


@pytest.mark.parametrize(
    ("text", "flow_types"),
    [
        ("Add, Update, Delete", FlowTypes(True, True, True)),
        ("Add,Update", FlowTypes(True, True, False)),
        ("Update", FlowTypes(False, True, False)),
        ("None", FlowTypes(False, False, False)),
    ],
)
def test_the_target_object_actions_are_flags(document: dict[str, Any], text: str, flow_types: FlowTypes) -> None:
    user_mapping(document)["flowTypes"] = text
    assert read_schema(document).user.flow_types == flow_types


def test_matching_attributes_come_in_the_order_of_their_precedence(document: dict[str, Any]) -> None:
    row(document, "userName")["matchingPriority"] = 3
    row(document, "externalId")["matchingPriority"] = 1
    row(document, 'emails[type eq "work"].value')["matchingPriority"] = 2
    assert [one.target for one in read_schema(document).user.matching] == [
        "externalId",
        'emails[type eq "work"].value',
        "userName",
    ]


def test_mapping_types_constant_and_none_are_read(document: dict[str, Any]) -> None:
    row(document, "title")["source"] = {
        "type": "Constant",
        "name": 'a "b"',
        "expression": '"a \\"b\\""',
        "parameters": [],
    }
    row(document, "preferredLanguage").update(source=None, defaultValue="en")
    rows = {one.target: one for one in read_schema(document).user.attribute_mappings}
    assert rows["title"].source.evaluate({}.get, CONTEXT) == 'a "b"'
    none = rows["preferredLanguage"]
    assert (none.source_type, none.default_value) == ("None", "en")
    assert none.source.evaluate({"preferredLanguage": "de"}.get, CONTEXT) is None


def test_an_attribute_that_an_administrator_added_needs_only_a_name_and_a_type(document: dict[str, Any]) -> None:
    document["directories"][0]["objects"][0]["attributes"].append({"name": "extension_abc_badge", "type": "String"})
    target = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User:badge"
    document["directories"][1]["objects"][0]["attributes"].append({"name": target, "type": "Integer"})
    user_mapping(document)["attributeMappings"].append(
        {"targetAttributeName": target, "source": {"type": "Attribute", "name": "extension_abc_badge"}}
    )
    added = read_schema(document).user.attribute_mappings[-1]
    assert (added.target, added.type, added.multivalued, added.matching_priority) == (target, "Integer", False, 0)


def test_the_source_attributes_are_those_of_mappings_and_filter(document: dict[str, Any]) -> None:
    with_filter(document, ("Swiss", [("usageLocation", "EQUALS", ["CH"])]))
    attributes = read_schema(document).user.source_attributes
    assert {"usageLocation", "IsSoftDeleted", "givenName", "manager"} <= attributes
    assert "ageGroup" not in attributes


def test_a_scope_is_read_and_can_be_evaluated(document: dict[str, Any]) -> None:
    with_filter(
        document,
        ("Sales", [("department", "EQUALS", ["Sales"]), ("accountEnabled", "IS TRUE", [])]),
        ("Board", [("jobTitle", "REGEX MATCH", ["^Chief"])]),
    )
    scope = read_schema(document).user.scope
    assert evaluate(scope, {"department": "Sales", "accountEnabled": True}.get).passed
    assert evaluate(scope, {"jobTitle": "Chief of Staff"}.get).passed
    assert not evaluate(scope, {"department": "HR", "accountEnabled": True}.get).passed


@pytest.mark.parametrize("scope", [None, {"groups": []}, {"groups": None, "inputFilterGroups": []}])
def test_a_filter_without_groups_is_no_filter(document: dict[str, Any], scope: object) -> None:
    user_mapping(document)["scope"] = scope
    assert read_schema(document).user.scope is None


def test_every_fault_is_told_at_once_with_the_mapping_that_it_is_in(document: dict[str, Any]) -> None:
    row(document, "userName")["matchingPriority"] = 0
    row(document, "title")["source"] = {"type": "Attribute", "name": "jobtitel"}
    row(document, "active")["source"]["expression"] = "Swich([IsSoftDeleted])"
    row(document, "displayName")["targetAttributeName"] = "dispalyName"
    row(document, "externalId")["targetAttributeName"] = "USERNAME"
    group_mapping(document)["flowTypes"] = "Add, Rename"
    found = findings(document)
    assert len(found) == 6
    assert f"{USERS}, title: the source has no attribute [jobtitel] (did you mean jobTitle?)" in found
    assert any(one.startswith(f"{USERS}, active: ") and "no function Swich" in one for one in found)
    assert f"{USERS}, dispalyName: the target has no such attribute (did you mean displayName?)" in found
    assert f"{USERS}, USERNAME: this target attribute is mapped twice" in found
    assert f"{USERS}: no attribute is used for matching; give one the matching precedence 1" in found
    assert f"{GROUPS}: flowTypes are Add, Update and Delete, not Rename" in found


def test_the_message_holds_all_faults_and_the_next_step(document: dict[str, Any]) -> None:
    row(document, "userName")["matchingPriority"] = 0
    row(document, "title")["source"] = {"type": "Attribute", "name": "jobtitel"}
    with pytest.raises(InvalidSchema) as caught:
        read_schema(document)
    message = str(caught.value)
    assert message.startswith("The synchronization schema has 2 faults: ")
    assert "jobtitel" in message
    assert "matching" in message
    assert message.endswith("Nothing was saved.")


def test_a_required_target_attribute_needs_a_source(document: dict[str, Any]) -> None:
    group_mapping(document)["attributeMappings"][0]["targetAttributeName"] = "externalId"
    del group_mapping(document)["attributeMappings"][1]
    assert findings(document) == [f"{GROUPS}: the target requires displayName, and nothing is mapped to it"]


@pytest.mark.parametrize(
    ("target", "change", "fault"),
    [
        ("title", {"targetAttributeName": "id"}, "cannot be written"),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
            {"source": {"type": "Function", "expression": 'Join("", [manager])'}},
            "a reference is mapped from an attribute directly",
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
            {"matchingPriority": 2},
            "cannot be matched by a reference",
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
            {"source": {"type": "Attribute", "name": "department"}},
            "the target attribute is a reference, and [department] is not",
        ),
        ("title", {"source": {"type": "Function", "expression": "Join("}}, "expression ends"),
        (
            "active",
            {"source": {"type": "Function", "expression": "Len([department])"}},
            "it yields values of the type Integer, and the target attribute is of the type Boolean",
        ),
        ("active", {"source": {"type": "Attribute", "name": "employeeHireDate"}}, "values of the type DateTime"),
        ("active", {"source": {"type": "Constant", "name": "yes"}}, "'yes' is not True or False"),
        ("active", {"defaultValue": "on"}, "'on' is not True or False"),
        (
            "title",
            {"source": {"type": "Function", "expression": "AppRoleAssignmentsComplex([appRoleAssignments])"}},
            "it yields complex values, and the target attribute takes one",
        ),
        ("title", {"source": {"type": "Attribute", "name": "appRoleAssignments"}}, "roles are mapped by a function"),
        ("title", {"matchingPriority": 2, "source": None}, "matched by an attribute without a source"),
        (
            "title",
            {"matchingPriority": 2, "source": {"type": "Function", "expression": "SelectUniqueValue([a], [b])"}},
            "the source has no attribute [a]",
        ),
        ("title", {"metadata": [{"key": "provisor.whenSourceIsEmpty", "value": "Drop"}]}, "is Remove or Keep"),
        ("title", {"source": {"type": "Funktion", "name": "x"}}, "Funktion"),
    ],
)
def test_a_row_that_cannot_work_is_refused(
    document: dict[str, Any], target: str, change: dict[str, Any], fault: str
) -> None:
    row(document, target).update(change)
    found = findings(document)
    assert any(fault in finding for finding in found)
    assert all(target in finding or finding.startswith(USERS) for finding in found)


def test_of_two_matching_attributes_with_the_same_precedence_the_first_comes_first(document: dict[str, Any]) -> None:
    row(document, "externalId")["matchingPriority"] = 1
    row(document, "title")["matchingPriority"] = 1
    assert [one.target for one in read_schema(document).user.matching] == ["userName", "title", "externalId"]


def test_a_required_target_attribute_is_not_served_by_a_mapping_without_source_and_default(
    document: dict[str, Any],
) -> None:
    mapping = group_mapping(document)["attributeMappings"][0]
    mapping.update(source=None, matchingPriority=0)
    group_mapping(document)["attributeMappings"][1]["matchingPriority"] = 1
    assert findings(document) == [f"{GROUPS}: the target requires displayName, and nothing is mapped to it"]
    mapping["defaultValue"] = "A group"
    group = read_schema(document).group
    assert group is not None
    assert group.attribute_mappings[0].source_type == "None"


def test_an_attribute_is_listed_once_and_there_is_one_anchor(document: dict[str, Any]) -> None:
    users = document["directories"][1]["objects"][0]
    users["attributes"] += [{"name": "NickName"}, {"name": "TITLE", "type": "Integer"}, {"name": "key", "anchor": True}]
    assert findings(document) == [
        f"scim, {users['name']}, title: this attribute is listed twice, and not with the same type",
        f"scim, {users['name']}: one attribute is the anchor, and not id and key",
    ]


@pytest.mark.parametrize("name", ["containerFilter", "groupFilter"])
def test_a_filter_of_the_rule_is_refused_rather_than_ignored(document: dict[str, Any], name: str) -> None:
    rule = document["synchronizationRules"][0]
    rule[name] = {"includedContainers": []}
    read_schema(document)
    rule[name] = {"included": ["x"]}
    assert "cannot be evaluated; use the scoping filter" in findings(document)[0]


def test_an_empty_default_value_is_none_and_what_an_empty_source_does_is_read(document: dict[str, Any]) -> None:
    row(document, "title").update(
        defaultValue="", metadata=[{"key": "provisor.whenSourceIsEmpty", "value": "Keep"}, {"key": "other"}]
    )
    found = {one.target: one for one in read_schema(document).user.attribute_mappings}
    assert (found["title"].default_value, found["title"].when_empty) == (None, "Keep")
    assert found["displayName"].when_empty is None


def test_a_custom_attribute_and_a_custom_extension_are_mapped_once_they_are_in_the_attribute_list(
    document: dict[str, Any],
) -> None:
    custom = "urn:ietf:params:scim:schemas:extension:Telephony:2.0:User:licenceType"
    directory = "extension_0123456789abcdef0123456789abcdef_cardNumber"
    row(document, "title").update(targetAttributeName=custom, source={"type": "Attribute", "name": directory})
    assert len(findings(document)) == 2
    document["directories"][0]["objects"][0]["attributes"].append({"name": directory, "type": "Integer"})
    document["directories"][1]["objects"][0]["attributes"].append({"name": custom, "type": "String"})
    found = {one.target: one for one in read_schema(document).user.attribute_mappings}
    assert found[custom].source_text == f"[{directory}]"


def test_a_filter_reads_dates_several_values_and_groups(document: dict[str, Any]) -> None:
    clauses = [
        ("employeeHireDate", "Less_Than", ["2026-02-01"]),
        ("proxyAddresses", "ENDS_WITH", ["@example.com"]),
        ("memberOf", "EQUALS", ["g1"]),
        ("memberOf", "NOT EQUALS", ["g2"]),
    ]
    scope = read_schema(with_filter(document, ("All", clauses))).user.scope
    assert scope is not None
    assert scope.needs_groups
    person = {"employeeHireDate": "2026-01-31", "proxyAddresses": ["SMTP:a@example.com"], "memberOf": ["g1"]}
    assert evaluate(scope, person.get).passed
    assert not evaluate(scope, {**person, "memberOf": ["g1", "g2"]}.get).passed
    assert not evaluate(scope, {**person, "memberOf": []}.get).passed
    assert not evaluate(scope, {**person, "employeeHireDate": "2026-02-01T00:00:00Z"}.get).passed


def test_the_mapping_of_users_cannot_be_disabled_or_left_out_and_that_of_groups_can(document: dict[str, Any]) -> None:
    group_mapping(document)["enabled"] = False
    group = read_schema(document).group
    assert group is not None
    assert not group.enabled
    user_mapping(document)["enabled"] = False
    assert "cannot be disabled" in findings(document)[0]
    del document["synchronizationRules"][0]
    assert findings(document) == ["synchronizationRules: no object mapping has the source object User"]


def test_two_mappings_of_users_are_refused(document: dict[str, Any]) -> None:
    document["synchronizationRules"].append(copy.deepcopy(document["synchronizationRules"][0]))
    assert findings(document) == [f"{USERS}: there is a mapping for User objects already: {USERS}"]


def test_another_kind_of_source_object_is_refused(document: dict[str, Any]) -> None:
    mapping = copy.deepcopy(group_mapping(document)) | {"name": "Roles", "sourceObjectName": "Role"}
    document["synchronizationRules"][1]["objectMappings"].append(mapping)
    assert findings(document) == ["Roles: objects of the kind 'Role' are not provisioned"]


def test_a_mapping_to_a_directory_that_is_not_described_is_refused(document: dict[str, Any]) -> None:
    del document["directories"][1]
    assert "'scim'" in findings(document)[0]
    assert "is not among the directories" in findings(document)[0]


CLAUSES = [
    (("departement", "EQUALS", ["Sales"]), "no attribute departement (did you mean department?)"),
    (("department", "STARTS_WITH", ["S"]), "cannot be evaluated"),
    (("department", "EQUALS", []), "needs one value, and there are 0"),
    (("department", "EQUALS", ["a", "b"]), "needs one value, and there are 2"),
    (("employeeId", "Greater_Than", ["ten"]), "'ten' is none"),
    (("department", "REGEX MATCH", ["(?<open"]), "REGEX MATCH"),
    (("manager", "IS NULL", []), "cannot be used in a scoping filter"),
    (("memberof", "EQUALS", ["x"]), "no attribute memberof (did you mean memberOf?)"),
    (("memberOf", "Includes", ["x"]), "the operators are: EQUALS, NOT EQUALS, IS NULL, IS NOT NULL"),
    (("appRoleAssignments", "EQUALS", ["x"]), "cannot be used in a scoping filter"),
    (("IsSoftDeleted", "IS FALSE", []), "cannot be used in a scoping filter"),
    (("employeeHireDate", "EQUALS", ["soon"]), "it compares moments, and 'soon' is none"),
    (("employeeHireDate", "Includes", ["2026"]), "does not compare values of the type DateTime"),
    (("accountEnabled", "Includes", ["T"]), "does not compare values of the type Boolean"),
]


@pytest.mark.parametrize(("clause", "fault"), CLAUSES, ids=[f"{clause[0]} {clause[1]}" for clause, _ in CLAUSES])
def test_a_clause_that_cannot_be_evaluated_is_refused_when_it_is_saved(
    document: dict[str, Any], clause: tuple[str, str, list[str]], fault: str
) -> None:
    [finding] = findings(with_filter(document, ("Title", [clause])))
    assert finding.startswith(f"{USERS}, Title, {clause[0]} {clause[1]}: ")
    assert fault in finding


def test_a_filter_group_without_a_clause_is_refused_since_it_would_let_everything_pass(
    document: dict[str, Any],
) -> None:
    [finding] = findings(with_filter(document, ("", [])))
    assert finding == f"{USERS}, Filter 1: this filter has no clause, so it would let everything pass"


def test_filter_groups_that_are_not_evaluated_are_refused_rather_than_ignored(document: dict[str, Any]) -> None:
    group = {"name": "early", "clauses": []}
    user_mapping(document)["scope"] = {"groups": [], "inputFilterGroups": [group]}
    assert "input and category filter groups cannot be evaluated" in findings(document)[0]


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        ([], "$"),
        (None, "$"),
        ({}, "$"),
        ({"synchronizationRules": {}, "directories": []}, "$.synchronizationRules"),
        (
            {"synchronizationRules": [{"sourceDirectoryName": 1, "targetDirectoryName": "x"}], "directories": []},
            "$.synchronizationRules[0].sourceDirectoryName",
        ),
    ],
)
def test_a_document_of_another_shape_is_refused_with_the_place(broken: object, where: str) -> None:
    [finding] = findings(broken)
    assert finding.startswith(f"{where}: ")


def test_an_unknown_flow_type_is_refused_with_the_place(document: dict[str, Any]) -> None:
    row(document, "title")["flowType"] = "Sometimes"
    [finding] = findings(document)
    assert "attributeMappings[3].flowType" in finding
    assert "Sometimes" in finding


def test_the_directory_can_read_every_source_attribute_that_is_offered() -> None:
    computed = {"IsSoftDeleted", "appRoleAssignments"}
    readable = {"User": is_user_source, "Group": is_group_source}
    for kind in directories().source.objects:
        unread = [one.name for one in kind.attributes if not readable[kind.name](one.name)]
        assert set(unread) <= computed
