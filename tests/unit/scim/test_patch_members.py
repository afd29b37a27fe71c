"""PATCH of a group's members: what is handed to the store, in order, without reading who is a member."""

from __future__ import annotations

import pytest

from provisor.scim.errors import InvalidValue, Mutability
from provisor.scim.members import MemberChange, MemberRef
from provisor.scim.resolution import Compare
from provisor.scim.schemas import GROUP_URN


def ids(change: MemberChange) -> tuple[str, ...]:
    return tuple(member.value for member in change.members)


@pytest.mark.parametrize("path", ["members", "Members", f"{GROUP_URN}:members", f"{GROUP_URN.lower()}:MEMBERS"])
@pytest.mark.parametrize(
    "value",
    [
        [{"$ref": None, "value": "ua"}],
        [{"value": "ua"}],
        [{"VALUE": "ua", "display": "Ada", "nonsense": 1}],
        {"value": "ua"},
        ["ua"],
        "ua",
    ],
)
def test_a_member_is_added_in_every_spelling(patch, sales, path, value):
    result = patch(sales, {"op": "Add", "path": path, "value": value})
    assert result.member_changes == [MemberChange("add", (MemberRef("ua"),))]
    assert result.resource == sales
    assert not result.changed


def test_the_type_is_handed_on_and_doubles_are_not(patch, sales):
    value = [{"value": "g2", "type": "group"}, {"value": "ua", "type": "User"}, {"value": "g2"}]
    result = patch(sales, {"op": "add", "path": "members", "value": value}, by="rfc")
    assert result.member_changes == [MemberChange("add", (MemberRef("g2", "Group"), MemberRef("ua", "User")))]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "ua"}, {"value": "ub"}]},
        {"op": "Remove", "path": "members", "value": ["ua", "ub"]},
        {"op": "remove", "path": 'members[value eq "ua" or value eq "ub"]'},
        {"op": "remove", "path": 'members[value eq "ua" or (value eq "ub" or value eq "ua")]'},
        {"op": "remove", "path": 'members[value eq "ua" or value eq "ub"].value'},
    ],
)
def test_only_the_named_members_are_removed(patch, sales, operation):
    (change,) = patch(sales, operation).member_changes
    assert change.kind == "remove"
    assert ids(change) == ("ua", "ub")


def test_a_filter_on_something_else_is_handed_on_bound(patch, sales):
    (change,) = patch(sales, {"op": "remove", "path": 'members[display eq "Ada"]'}).member_changes
    assert change.kind == "remove"
    assert change.members == ()
    assert isinstance(change.filter, Compare)
    assert change.filter.ref.key == "members.display"


def test_removing_all_members_takes_a_path_without_filter_and_without_value(patch, sales):
    for by in ("entra", "rfc"):
        assert patch(sales, {"op": "remove", "path": "members"}, by=by).member_changes == [MemberChange("clear")]


def test_an_empty_list_of_members_to_remove_removes_nobody(patch, sales):
    assert patch(sales, {"op": "Remove", "path": "members", "value": []}).member_changes == []


def test_strictly_a_remove_with_value_is_refused_and_nobody_is_removed(patch, sales):
    with pytest.raises(InvalidValue, match="Write the path as"):
        patch(sales, {"op": "remove", "path": "members", "value": [{"value": "ua"}]}, by="rfc")


def test_replace_replaces_all_and_by_nobody_empties(patch, sales):
    full = patch(sales, {"op": "Replace", "path": "members", "value": [{"value": "ua"}]}).member_changes
    assert full == [MemberChange("replace", (MemberRef("ua"),))]
    for nobody in ([], None):
        assert patch(sales, {"op": "replace", "path": "members", "value": nobody}).member_changes == [
            MemberChange("clear")
        ]


def test_adding_nobody_changes_nothing(patch, sales):
    assert patch(sales, {"op": "Add", "path": "members", "value": []}).member_changes == []


def test_a_rename_of_oktas_kind_leaves_the_members_alone(patch, sales):
    result = patch(sales, {"op": "replace", "value": {"id": "g1", "displayName": "Sales EU"}})
    assert result.resource == {**sales, "displayName": "Sales EU"}
    assert result.member_changes == []


def test_other_replaces_leave_the_members_alone(patch, sales):
    result = patch(
        sales,
        {"op": "Replace", "path": "externalId", "value": "e"},
        {"op": "Replace", "path": "colour", "value": "red"},
    )
    assert result.member_changes == []
    assert result.ignored == ["colour"]


def test_changes_come_in_the_order_of_the_operations_and_beside_a_rename(patch, sales):
    result = patch(
        sales,
        {"op": "remove", "path": 'members[value eq "ua"]'},
        {"op": "replace", "path": "displayName", "value": "S"},
        {"op": "add", "value": {"members": [{"value": "ub"}]}},
    )
    assert [(change.kind, ids(change)) for change in result.member_changes] == [("remove", ("ua",)), ("add", ("ub",))]
    assert result.changed


def test_one_member_may_be_replaced_by_others(patch, sales):
    changes = patch(
        sales, {"op": "replace", "path": 'members[value eq "ua"]', "value": [{"value": "ub"}]}
    ).member_changes
    assert [(change.kind, ids(change)) for change in changes] == [("remove", ("ua",)), ("add", ("ub",))]


@pytest.mark.parametrize(
    "value", [[{"value": ""}], [{"value": None}], [{"display": "Ada"}], [None], [{"value": ["x"]}]]
)
def test_a_member_without_an_id_is_refused(patch, sales, value):
    for op in ("add", "replace", "remove"):
        with pytest.raises(InvalidValue, match="'value'"):
            patch(sales, {"op": op, "path": "members", "value": value})


@pytest.mark.parametrize("path", ["members.display", 'members[value eq "ua"].display', 'members[value eq "ua"].value'])
def test_a_member_cannot_be_changed_in_place(patch, sales, path):
    with pytest.raises(Mutability):
        patch(sales, {"op": "replace", "path": path, "value": "x"})


def test_strictly_a_member_is_an_object_of_a_known_type(patch, sales):
    for value in ([{"value": "ua", "type": "Printer"}], ["ua"], "ua"):
        with pytest.raises(InvalidValue):
            patch(sales, {"op": "add", "path": "members", "value": value}, by="rfc")


def test_a_group_needs_its_name(patch, sales):
    with pytest.raises(Mutability):
        patch(sales, {"op": "remove", "path": "displayName"})
