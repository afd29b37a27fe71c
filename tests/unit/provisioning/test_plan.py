"""The plan: the whole decision table of reference entra-provisioning-service.md sections 13.1 and 14, and its law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connector.messages import AttributeChange
from provisor.expressions.values import NO_FLOW
from provisor.provisioning.model import (
    Delete,
    Entitlement,
    Forget,
    Kind,
    Link,
    LinkState,
    Match,
    Plan,
    Skip,
    Source,
    Unchanged,
    Update,
)
from provisor.provisioning.plan import Flow, Rule, confirmed, difference, plan, same

RULE = Rule(
    kind="User",
    may_create=True,
    may_update=True,
    may_delete=True,
    soft_delete=True,
    skip_out_of_scope_deletions=False,
    always=frozenset({"userName", "title", "active"}),
    fixed=frozenset(),
    disabling=frozenset({"active"}),
    matching=("userName",),
)
GROUP = replace(RULE, kind="Group", always=frozenset({"userName", "title"}), disabling=frozenset())
NO_UPDATE = replace(RULE, may_update=False)
NO_DELETE = replace(RULE, may_delete=False)
NO_CREATE = replace(RULE, may_create=False)
KEEPS = replace(RULE, skip_out_of_scope_deletions=True)
NO_SOFT_DELETE = replace(RULE, soft_delete=False)
# The mapping of IsSoftDeleted was removed, or flows during creation only.
NO_ACTIVE = replace(RULE, always=frozenset({"userName", "title"}), disabling=frozenset())
FIXED_ACTIVE = replace(RULE, fixed=frozenset({"active"}))

ACTIVE, DISABLED = {"active": True}, {"active": False}
ADA = {"userName": "ada", "title": "Countess"}


def source(state: str, kind: Kind = "User") -> Source:
    """``active``, ``disabled`` (accountEnabled is false), ``deleted`` (in the recycle bin) or ``purged``."""
    return Source("s", kind, exists=state != "purged", active=state == "active", deleted=state == "deleted")


def entitlement(grounds: str) -> Entitlement:
    """``in`` scope, ``unassigned``, or assigned and ``filtered`` out."""
    reason = {"in": None, "unassigned": "NotEffectivelyEntitled", "filtered": "EntrySynchronizationSkipped"}[grounds]
    return Entitlement(reason is None, grounds != "unassigned", reason, {})


def link(state: LinkState, kind: Kind = "User", **acknowledged: Any) -> Link:
    return Link("s", kind, "t", state, acknowledged, "ada")


def values(soft_deleted: bool, creating: bool) -> Mapping[str, Any]:
    return {**ADA, "active": not soft_deleted}


def brief(planned: Plan) -> str:
    """A plan as the table below writes it."""
    match planned:
        case Match():
            return "match"
        case Skip(reason, _):
            return f"skip {reason}"
        case Update(changes, _, state, disables):
            return f"{'disable' if disables else 'update'} {','.join(one.path for one in changes)} -> {state}"
        case Unchanged(state):
            return f"unchanged -> {state}"
        case Delete():
            return "delete"
        case Forget():
            return "forget"


LINKED = link("linked", **ADA, **ACTIVE)
RENAMED = link("linked", **{**ADA, **ACTIVE, "title": "Lady"})
OFF = link("disabled", **ADA, **DISABLED)
OFF_RENAMED = link("disabled", **{**ADA, **DISABLED, "title": "Lady"})
OFF_NAMED = link("disabled", **{**ADA, **DISABLED, "userName": "ada.king"})
RELEASED = link("released", **ADA, **DISABLED)
LEFT_ALONE = "skip EntrySynchronizationSkipped"
UNASSIGNED = "skip NotEffectivelyEntitled"

USERS = [
    # §13.1 row 1: not linked, active, in scope: ask the target
    (None, "active", "in", RULE, "match"),
    (None, "active", "in", NO_CREATE, "match"),  # an account that exists is still linked
    # row 2: not linked, not active: whatever the scope
    (None, "disabled", "in", RULE, UNASSIGNED),
    (None, "deleted", "in", RULE, UNASSIGNED),
    (None, "disabled", "unassigned", RULE, UNASSIGNED),
    (None, "deleted", "filtered", RULE, LEFT_ALONE),
    (None, "purged", "unassigned", RULE, LEFT_ALONE),
    # row 3: not linked, active, not in scope
    (None, "active", "unassigned", RULE, UNASSIGNED),
    (None, "active", "filtered", RULE, LEFT_ALONE),
    # row 4: linked, active, in scope: what differs, or RedundantExport
    (LINKED, "active", "in", RULE, "unchanged -> linked"),
    (RENAMED, "active", "in", RULE, "update title -> linked"),
    (RENAMED, "active", "in", NO_UPDATE, LEFT_ALONE),
    (LINKED, "active", "in", NO_UPDATE, "unchanged -> linked"),
    (RENAMED, "active", "in", replace(RULE, fixed=frozenset({"title"})), "unchanged -> linked"),
    # row 5: linked, active, not in scope: disabled, and no longer managed
    (LINKED, "active", "unassigned", RULE, "disable active -> released"),
    (LINKED, "active", "filtered", RULE, "disable active -> released"),
    (LINKED, "active", "unassigned", NO_SOFT_DELETE, "delete"),
    (LINKED, "active", "unassigned", replace(NO_SOFT_DELETE, may_delete=False), LEFT_ALONE),
    (LINKED, "active", "unassigned", KEEPS, LEFT_ALONE),
    (LINKED, "active", "filtered", KEEPS, LEFT_ALONE),
    (LINKED, "active", "unassigned", NO_UPDATE, LEFT_ALONE),  # a disable is an update
    (LINKED, "active", "unassigned", NO_DELETE, "disable active -> released"),
    # row 6: linked, disabled or in the recycle bin, still assigned: disabled, and still managed
    (LINKED, "disabled", "in", RULE, "disable active -> disabled"),
    (LINKED, "deleted", "in", RULE, "disable active -> disabled"),
    (LINKED, "disabled", "in", KEEPS, "disable active -> disabled"),  # it did not leave the scope
    (LINKED, "disabled", "in", NO_SOFT_DELETE, "delete"),
    (LINKED, "deleted", "unassigned", RULE, "disable active -> released"),
    (OFF, "disabled", "in", RULE, "unchanged -> disabled"),
    (OFF_RENAMED, "disabled", "in", RULE, "update title -> disabled"),  # still managed, so it still changes
    (OFF, "disabled", "unassigned", RULE, "unchanged -> released"),
    (OFF_RENAMED, "disabled", "unassigned", RULE, "unchanged -> released"),
    # but for a name: it may be another's by now, who cannot have it before
    (OFF_NAMED, "disabled", "unassigned", RULE, "update userName -> released"),
    # row 7: linked, gone for good
    (LINKED, "purged", "unassigned", RULE, "delete"),
    (OFF, "purged", "unassigned", RULE, "delete"),
    (LINKED, "purged", "unassigned", NO_DELETE, "forget"),
    (LINKED, "purged", "unassigned", KEEPS, "delete"),
    (RELEASED, "purged", "unassigned", RULE, "forget"),  # §14: unmanaged, so a later deletion sends nothing
    # row 8: disabled before, and back
    (OFF, "active", "in", RULE, "update active -> linked"),
    (OFF_RENAMED, "active", "in", RULE, "update active,title -> linked"),
    (RELEASED, "active", "in", RULE, "update active -> linked"),
    (RELEASED, "active", "in", NO_UPDATE, LEFT_ALONE),
    # §14: no longer managed means that nothing is sent
    (RELEASED, "active", "unassigned", RULE, UNASSIGNED),
    (RELEASED, "active", "filtered", RULE, LEFT_ALONE),
    (RELEASED, "deleted", "unassigned", RULE, UNASSIGNED),
    # §13.1 below the table: without a mapping of IsSoftDeleted no disable is ever sent
    (link("linked", **ADA), "active", "unassigned", NO_ACTIVE, LEFT_ALONE),
    (LINKED, "active", "unassigned", NO_ACTIVE, LEFT_ALONE),
    # nor where the target is known not to change it; that is told, and not taken for done
    (LINKED, "active", "unassigned", FIXED_ACTIVE, LEFT_ALONE),
    # an account that was linked while it was inactive needs no disable
    (link("linked", **ADA, **DISABLED), "active", "unassigned", RULE, "unchanged -> released"),
]


@pytest.mark.parametrize(("linked", "state", "grounds", "rule", "expected"), USERS)
def test_what_is_done_with_a_user(linked: Link | None, state: str, grounds: str, rule: Rule, expected: str) -> None:
    assert brief(plan(source(state), entitlement(grounds), linked, rule, values)) == expected


GROUP_LINK = link("linked", "Group", **ADA)
GROUPS = [
    # §13.1, groups: no soft deletion. Whoever leaves, however, is deleted.
    (None, "active", "in", GROUP, "match"),
    (None, "active", "unassigned", GROUP, UNASSIGNED),
    (GROUP_LINK, "active", "in", GROUP, "unchanged -> linked"),
    (GROUP_LINK, "active", "unassigned", GROUP, "delete"),
    (GROUP_LINK, "active", "filtered", GROUP, "delete"),
    (GROUP_LINK, "deleted", "in", GROUP, "delete"),
    (GROUP_LINK, "purged", "unassigned", GROUP, "delete"),
    (GROUP_LINK, "active", "unassigned", replace(GROUP, may_delete=False), LEFT_ALONE),
    (GROUP_LINK, "active", "unassigned", replace(GROUP, skip_out_of_scope_deletions=True), LEFT_ALONE),
    (GROUP_LINK, "deleted", "unassigned", replace(GROUP, skip_out_of_scope_deletions=True), "delete"),
    (GROUP_LINK, "purged", "unassigned", replace(GROUP, may_delete=False), "forget"),
]


@pytest.mark.parametrize(("linked", "state", "grounds", "rule", "expected"), GROUPS)
def test_what_is_done_with_a_group(linked: Link | None, state: str, grounds: str, rule: Rule, expected: str) -> None:
    assert brief(plan(source(state, "Group"), entitlement(grounds), linked, rule, values)) == expected


def test_an_object_without_any_matching_value_is_not_imported() -> None:
    planned = plan(source("active"), entitlement("in"), None, RULE, lambda deleted, creating: {"title": "x"})
    assert brief(planned) == "skip ImportSkipped"


def test_a_refused_change_is_named() -> None:
    rule = replace(RULE, fixed=frozenset({"title"}))
    assert plan(source("active"), entitlement("in"), RENAMED, rule, values) == Unchanged("linked", ("title",))


def test_a_value_that_the_target_never_had_is_sent_also_where_it_cannot_be_changed() -> None:
    rule = replace(RULE, fixed=frozenset({"title"}))
    bare = link("linked", userName="ada", **ACTIVE)
    assert brief(plan(source("active"), entitlement("in"), bare, rule, values)) == "update title -> linked"


# How an attribute flows: acknowledged, desired -> the change (old, new), or None.
ADD = replace(RULE, always=frozenset({"a"}), flows={"a": Flow.ADD})
FILL = replace(RULE, always=frozenset({"a"}), flows={"a": Flow.FILL})
PLAIN = replace(RULE, always=frozenset({"a"}))
KEEP = replace(PLAIN, keeps=frozenset({"a"}))
DEFAULT = replace(PLAIN, defaults={"a": "none"})
EVERY_TIME = replace(PLAIN, unconditional=frozenset({"a"}))
FLOWS = [
    (PLAIN, "x", "y", ("x", "y")),
    (PLAIN, "x", None, ("x", None)),  # beyond Entra: an empty source removes
    (PLAIN, ["x", "y"], ["y", "x"], None),  # values have no order
    (PLAIN, ["x", "x"], ["x"], (["x", "x"], ["x"])),
    (PLAIN, "x", NO_FLOW, None),  # IgnoreFlowIfNullOrEmpty
    (KEEP, "x", None, None),  # as in Entra
    (KEEP, "x", "y", ("x", "y")),
    (DEFAULT, "none", None, None),  # the default of the creation stays while the source is empty
    (DEFAULT, "x", None, ("x", None)),  # on updates the default is not used
    (DEFAULT, "none", "x", ("none", "x")),
    (FILL, None, "x", (None, "x")),
    (FILL, "x", "y", None),
    (FILL, "x", None, None),
    (ADD, ["x"], ["x", "y"], (None, ["y"])),
    (ADD, ["x", "y"], ["x"], None),
    (ADD, ["x"], None, None),
    (ADD, None, ["x"], (None, ["x"])),
    (EVERY_TIME, "x", "x", ("x", "x")),
    (EVERY_TIME, None, None, None),
]


@pytest.mark.parametrize(("rule", "acknowledged", "desired", "expected"), FLOWS)
def test_how_an_attribute_flows(rule: Rule, acknowledged: Any, desired: Any, expected: tuple[Any, Any] | None) -> None:
    state = {} if acknowledged is None else {"a": acknowledged}
    wanted = {} if desired is None else {"a": desired}
    changes, _ = difference(wanted, state, rule)
    assert changes == (() if expected is None else (AttributeChange("a", *expected),))


VALUES = st.one_of(
    st.booleans(), st.integers(0, 3), st.sampled_from(["", "x", "y"]), st.lists(st.sampled_from("xyz"), max_size=3)
)
STATES = st.dictionaries(st.sampled_from("abcde"), VALUES, max_size=5)


@given(STATES, STATES)
def test_applying_the_changes_to_the_acknowledged_state_gives_the_desired_state(
    desired: dict[str, Any], acknowledged: dict[str, Any]
) -> None:
    rule = replace(RULE, always=frozenset("abcde"))
    changes, refused = difference(desired, acknowledged, rule)
    reached = confirmed(acknowledged, changes)
    assert not refused
    assert reached.keys() == desired.keys()
    assert all(same(reached[path], desired[path]) for path in desired)


@given(
    STATES,
    STATES,
    st.frozensets(st.sampled_from("abcde")),
    st.dictionaries(st.sampled_from("abcde"), st.sampled_from(Flow)),
)
def test_once_applied_there_is_nothing_left_to_send(
    desired: dict[str, Any], acknowledged: dict[str, Any], keeps: frozenset[str], flows: dict[str, Flow]
) -> None:
    rule = replace(RULE, always=frozenset("abcde"), keeps=keeps, flows=flows)
    reached = confirmed(acknowledged, difference(desired, acknowledged, rule)[0])
    assert difference(desired, reached, rule) == ((), ())


@given(STATES, STATES)
def test_what_is_only_added_never_loses_a_value(desired: dict[str, Any], acknowledged: dict[str, Any]) -> None:
    rule = replace(RULE, always=frozenset("abcde"), flows=dict.fromkeys("abcde", Flow.ADD))
    lists = {path: value for path, value in acknowledged.items() if isinstance(value, list)}
    wanted = {path: value for path, value in desired.items() if isinstance(value, list)}
    reached = confirmed(lists, difference(wanted, lists, rule)[0])
    assert all(set(reached[path]) == {*lists.get(path, ()), *wanted.get(path, ())} for path in reached)
    assert reached.keys() >= lists.keys()
