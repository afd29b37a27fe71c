"""Mappings: what flows when, the values' types, matching keys, and what linking an existing account sends."""

from __future__ import annotations

import random
from typing import Any

import pytest

from provisor.applications import gallery
from provisor.applications.model import AppRole
from provisor.applications.schema_reader import read_schema
from provisor.connector.messages import AttributeChange
from provisor.expressions.values import NO_FLOW, Context
from provisor.provisioning.mapping import MappingFailed, Mappings, adoption, differs, role_values, with_computed
from provisor.provisioning.plan import Flow, Rule, confirmed, difference

CONTEXT = Context(now_ms=lambda: 0, random=random.Random(1), uuid=lambda: "guid")
ATTRIBUTES = [
    {"name": "count", "type": "Integer"},
    {"name": "since", "type": "DateTime"},
    {"name": "until", "type": "DateTime"},
    {"name": "groups", "type": "String", "multivalued": True},
    {"name": "numbers", "type": "Integer", "multivalued": True},
]


def mapping(target: str, expression: str | None, **more: Any) -> dict[str, Any]:
    source = None if expression is None else {"type": "Function", "expression": expression, "name": "x"}
    if expression is not None and expression.startswith("["):
        source = {"type": "Attribute", "name": expression[1:-1]}
    return {"targetAttributeName": target, "source": source, **more}


def mappings(*rows: dict[str, Any]) -> Mappings:
    """The generic app's users, with these rows beside userName."""
    document = gallery.template("scim").default_schema("scim.t.a")
    document["directories"][1]["objects"][0]["attributes"] += ATTRIBUTES
    user = document["synchronizationRules"][0]["objectMappings"][0]
    user["attributeMappings"] = [mapping("userName", "[userPrincipalName]", matchingPriority=1), *rows]
    return Mappings.of("User", read_schema(document).user, CONTEXT)


def rule(found: Mappings, *, removes_empty: bool = True) -> Rule:
    return found.rule(soft_delete=True, skip_out_of_scope=False, fixed=frozenset(), removes_empty=removes_empty)


def desired(found: Mappings, creating: bool = False, soft_deleted: bool = False, **source: Any) -> dict[str, Any]:
    return found.desired(source.get, soft_deleted=soft_deleted, creating=creating)


def sent(found: Mappings, acknowledged: dict[str, Any], **source: Any) -> dict[str, Any]:
    """Path -> new value of an update."""
    changes, _ = difference(desired(found, **source), acknowledged, rule(found))
    return {change.path: change.new for change in changes}


def test_values_have_the_type_of_the_target_attribute() -> None:
    found = mappings(
        mapping("active", 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'),
        mapping("count", "[employeeId]"),
        mapping("since", "[employeeHireDate]"),
        mapping("groups", "[department]"),
        mapping("numbers", "[otherMails]"),
        mapping("title", "[proxyAddresses]"),
        mapping("until", "CDate([employeeLeaveDateTime])"),
    )
    assert desired(
        found,
        userPrincipalName="ada",
        employeeId="12",
        employeeHireDate="2024-03-01T00:00:00Z",
        department="Sales",
        otherMails=["1", 2],
        proxyAddresses=["only one"],
        employeeLeaveDateTime="2027-01-31",
    ) == {
        "userName": "ada",
        "active": True,
        "count": 12,
        "since": "2024-03-01T00:00:00Z",
        "groups": ["Sales"],
        "numbers": [1, 2],
        "title": "only one",
        # what the date functions give is written as SCIM has it
        "until": "2027-01-31T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("target", "source", "value"),
    [
        ("active", "[department]", "perhaps"),
        ("count", "[employeeId]", "12_000"),
        ("count", "[employeeId]", "1.5"),
        ("since", "[employeeHireDate]", "yesterday"),
        ("title", "[otherMails]", ["one", "two"]),
        ("numbers", "[otherMails]", ["1", "two"]),
    ],
)
def test_a_value_that_is_not_of_the_targets_type_fails_the_object(target: str, source: str, value: Any) -> None:
    with pytest.raises(MappingFailed, match=target):
        desired(mappings(mapping(target, source)), **{source[1:-1]: value})


def test_a_default_flows_on_creation_only_and_stays_while_the_source_is_empty() -> None:
    found = mappings(mapping("title", "[jobTitle]", defaultValue="Staff"))
    created = desired(found, creating=True)
    assert created == {"title": "Staff"}
    assert sent(found, created) == {}
    assert sent(found, created, jobTitle="Countess") == {"title": "Countess"}
    assert sent(found, {"title": "Countess"}) == {"title": None}


def test_the_mapping_type_none_fills_whenever_the_target_is_empty_and_leaves_values_alone() -> None:
    found = mappings(mapping("title", None, defaultValue="Staff"))
    assert desired(found, creating=True) == {"title": "Staff"}
    assert sent(found, {}) == {"title": "Staff"}
    assert sent(found, {"title": "Lady"}) == {}


def test_the_mapping_type_none_without_a_default_does_nothing() -> None:
    found = mappings(mapping("title", None))
    assert desired(found, creating=True) == {}
    assert sent(found, {"title": "Lady"}) == {}


def test_only_during_creation_is_never_sent_again() -> None:
    found = mappings(mapping("title", "[jobTitle]", flowType="ObjectAddOnly"))
    assert desired(found, creating=True, jobTitle="Countess") == {"title": "Countess"}
    assert sent(found, {"title": "Lady"}, jobTitle="Countess") == {}


@pytest.mark.parametrize(
    ("flow_type", "acknowledged", "source", "expected"),
    [
        # to a multi-valued attribute both add, and never remove
        ("MultiValueAddOnly", ["a"], ["b"], ["b"]),
        ("ValueAddOnly", ["a"], ["a", "b"], ["b"]),
        ("ValueAddOnly", ["a", "b"], ["a"], "nothing"),
        ("AttributeAddOnly", ["a"], ["b"], "nothing"),
        ("AttributeAddOnly", None, ["b"], ["b"]),
        ("Always", ["a"], ["b"], ["b"]),
    ],
)
def test_the_flow_types_of_several_values(flow_type: str, acknowledged: Any, source: Any, expected: Any) -> None:
    found = mappings(mapping("groups", "[otherMails]", flowType=flow_type))
    state = {} if acknowledged is None else {"groups": acknowledged}
    assert sent(found, state, otherMails=source) == ({} if expected == "nothing" else {"groups": expected})


@pytest.mark.parametrize(
    ("flow_type", "acknowledged", "source", "expected"),
    [
        ("MultiValueAddOnly", "a", "b", "b"),
        ("MultiValueAddOnly", "a", None, "nothing"),
        ("ValueAddOnly", "a", "b", "nothing"),
        ("ValueAddOnly", None, "b", "b"),
        ("AttributeAddOnly", "a", "b", "nothing"),
        ("Always", "a", None, None),
    ],
)
def test_the_flow_types_of_one_value(flow_type: str, acknowledged: Any, source: Any, expected: Any) -> None:
    found = mappings(mapping("title", "[jobTitle]", flowType=flow_type))
    state = {} if acknowledged is None else {"title": acknowledged}
    assert sent(found, state, jobTitle=source) == ({} if expected == "nothing" else {"title": expected})


def test_values_that_are_added_are_added_to_what_is_acknowledged() -> None:
    found = mappings(mapping("groups", "[otherMails]", flowType="MultiValueAddOnly"))
    changes, _ = difference(desired(found, otherMails=["b"]), {"groups": ["a"]}, rule(found))
    assert changes == (AttributeChange("groups", None, ["b"]),)
    assert confirmed({"groups": ["a"]}, changes) == {"groups": ["a", "b"]}


def test_roles_are_added_unless_the_function_is_assertive() -> None:
    complex_ = mappings(mapping("roles", "AppRoleAssignmentsComplex([appRoleAssignments])"))
    assertive = mappings(mapping("roles", "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])"))
    assert rule(complex_).flows == {"roles": Flow.ADD}
    assert rule(assertive).flows == {}


@pytest.mark.parametrize(
    ("says", "removes_empty", "expected"),
    [
        (None, True, {"title": None}),
        (None, False, {}),  # the dialects of Entra
        ("Keep", True, {}),
        ("Remove", False, {"title": None}),
    ],
)
def test_an_empty_source_does_what_the_mapping_says_and_else_the_dialect(
    says: str | None, removes_empty: bool, expected: dict[str, Any]
) -> None:
    metadata = [] if says is None else [{"key": "provisor.whenSourceIsEmpty", "value": says}]
    found = mappings(mapping("title", "[jobTitle]", metadata=metadata))
    changes, _ = difference(desired(found), {"title": "Lady"}, rule(found, removes_empty=removes_empty))
    assert {change.path: change.new for change in changes} == expected


def test_a_value_that_ignores_the_flow_leaves_the_target_and_its_default_alone() -> None:
    found = mappings(mapping("title", "IgnoreFlowIfNullOrEmpty([jobTitle])", defaultValue="Staff"))
    assert desired(found, creating=True) == {}
    assert desired(found) == {"title": NO_FLOW}
    assert sent(found, {"title": "Lady"}) == {}
    assert sent(found, {"title": "Lady"}, jobTitle="Countess") == {"title": "Countess"}


def test_flow_always_sends_an_unchanged_value_too() -> None:
    found = mappings(mapping("title", "[jobTitle]", flowBehavior="FlowAlways"))
    assert sent(found, {"title": "Lady"}, jobTitle="Lady") == {"title": "Lady"}


def test_is_soft_deleted_is_the_plans_and_only_what_flows_on_updates_can_disable() -> None:
    switch = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'
    always = mappings(mapping("active", switch))
    assert desired(always, soft_deleted=True) == {"active": False}
    assert rule(always).disabling == {"active"}
    assert rule(mappings(mapping("active", switch, flowType="ObjectAddOnly"))).disabling == frozenset()


def test_objects_are_looked_up_in_the_order_of_precedence_by_what_has_a_value() -> None:
    found = mappings(
        mapping("externalId", "[employeeId]", matchingPriority=3),
        mapping("nickName", "ToLower([mailNickname])", matchingPriority=2),
    )
    source = {"userPrincipalName": "ada", "employeeId": "7", "mailNickname": "ADA"}
    assert found.keys(source.get) == [("userName", "ada"), ("nickName", "ada"), ("externalId", "7")]
    assert found.keys({"employeeId": "7"}.get) == [("externalId", "7")]


UNIQUE = 'SelectUniqueValue(Join(".", [givenName], [surname]), Join("", Left([givenName], 1), [surname]), "x1")'


def test_a_unique_value_is_the_first_that_the_target_does_not_have() -> None:
    found = mappings(mapping("nickName", UNIQUE, flowType="ObjectAddOnly"))
    ada = {"givenName": "Ada", "surname": "Byron"}
    candidates = found.candidates(ada.get)
    assert candidates == [("nickName", "Ada.Byron"), ("nickName", "AByron"), ("nickName", "x1")]
    for taken, expected in ((0, "Ada.Byron"), (1, "AByron"), (2, "x1")):
        created = found.desired(ada.get, soft_deleted=False, creating=True, taken=candidates[:taken])
        assert created == {"nickName": expected}
    with pytest.raises(MappingFailed, match="nickName"):
        found.desired(ada.get, soft_deleted=False, creating=True, taken=candidates)
    with pytest.raises(MappingFailed, match="nobody can say"):
        found.desired(ada.get, soft_deleted=False, creating=True)


def test_a_unique_value_is_chosen_once_whatever_the_flow_type() -> None:
    found = mappings(mapping("nickName", UNIQUE))
    assert desired(found, givenName="Ada", surname="Byron") == {}
    assert sent(found, {"nickName": "AByron"}, givenName="Ada", surname="Byron") == {}


def test_what_depends_on_the_job_is_put_beside_the_objects_values() -> None:
    roles = [AppRole("r1", "editor", "Editor", True), AppRole("r2", None, "Reader", True)]
    assert role_values(roles, {"r2", "r1", "other"}) == [
        {"value": "editor", "displayName": "Editor"},
        {"value": "Reader", "displayName": "Reader"},
    ]
    get = with_computed({"mail": "a@example.com"}.get, {"memberOf": []})
    assert (get("mail"), get("memberOf"), get("title")) == ("a@example.com", [], None)


def test_linking_an_account_sends_what_differs_and_keeps_what_only_fills() -> None:
    flows = {"nick": Flow.FILL, "groups": Flow.ADD}
    agreed, changes = adoption(
        {"userName": "ada", "title": "Countess", "nick": "a", "groups": ["x", "y"], "once": "z"},
        {"userName": "ada", "title": "Lady", "nick": "own", "groups": ["w", "x"], "other": 1},
        frozenset({"userName", "title", "nick", "groups"}),
        flows,
    )
    assert agreed == {"userName": "ada", "nick": "own", "groups": ["w", "x"]}
    assert changes == (AttributeChange("title", "Lady", "Countess"), AttributeChange("groups", None, ["y"]))
    assert confirmed(agreed, changes)["groups"] == ["w", "x", "y"]


@pytest.mark.parametrize(
    ("shown", "wanted", "expected"),
    [
        ("true", True, False),
        ("False", True, True),
        ("7", 7, False),
        (["b", "a"], ["a", "b"], False),
        (["a"], ["a", "b"], True),
        (None, "x", True),
        ("X", "x", True),  # case counts: ADR 3
    ],
)
def test_what_a_target_shows_differs_by_value_and_not_by_spelling(shown: Any, wanted: Any, expected: bool) -> None:
    assert differs(shown, wanted) is expected
