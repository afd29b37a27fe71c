"""PATCH of attributes that only a company's own schema has: immutable, write-only, numbers, required extensions."""

from __future__ import annotations

import pytest

from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidValue, Mutability
from provisor.scim.patch import compile_patcher
from provisor.scim.schemas import USER_URN, core

URN = "urn:example:badge:1.0:User"
SCHEMA = {
    "id": URN,
    "name": "Badge",
    "attributes": [
        {"name": "number", "type": "integer", "mutability": "immutable"},
        {"name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never"},
        {"name": "colours", "type": "string", "multiValued": True},
        {
            "name": "doors",
            "type": "complex",
            "multiValued": True,
            "subAttributes": [
                {"name": "value", "type": "string", "mutability": "immutable", "required": True},
                {"name": "level", "type": "integer"},
            ],
        },
        {
            "name": "holder",
            "type": "complex",
            "subAttributes": [
                {"name": "code", "type": "string", "mutability": "immutable"},
                {"name": "note", "type": "string"},
            ],
        },
    ],
}
USER = {"schemas": [USER_URN, URN], "userName": "a", URN: {"number": 1, "holder": {"code": "c", "note": "n"}}}


def patch(document, *operations, required=False):
    schemas = core().extend([SCHEMA], {"User": {URN: required}})
    return compile_patcher(schemas, "User", dialect()).apply(document, {"Operations": list(operations)})


def test_an_immutable_attribute_may_be_set_once():
    empty = {"schemas": [USER_URN], "userName": "a"}
    assert patch(empty, {"op": "add", "path": f"{URN}:number", "value": "5"}).resource[URN] == {"number": 5}
    assert not patch(USER, {"op": "replace", "path": f"{URN}:number", "value": 1}).changed


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": f"{URN}:number", "value": 2},
        {"op": "remove", "path": f"{URN}:number"},
        {"op": "replace", "path": f"{URN}:holder.code", "value": "d"},
        {"op": "replace", "value": {URN: {"holder": {"code": "d"}}}},
        {"op": "remove", "path": f"{URN}:holder"},
    ],
)
def test_an_immutable_value_cannot_be_changed_or_removed(operation):
    with pytest.raises(Mutability, match="immutable"):
        patch(USER, operation)


def test_beside_an_immutable_sub_attribute_others_change():
    result = patch(USER, {"op": "replace", "path": f"{URN}:holder.note", "value": "m"}, {"op": "remove", "path": "pin"})
    assert result.resource[URN]["holder"] == {"code": "c", "note": "m"}
    assert result.write_only == {f"{URN}:pin": None}


def test_an_immutable_sub_attribute_of_an_element_cannot_change_but_elements_come_and_go():
    doors = patch(USER, {"op": "add", "path": f"{URN}:doors", "value": [{"value": "d1"}, {"value": "d2", "level": 1}]})
    with pytest.raises(Mutability):
        patch(doors.resource, {"op": "replace", "path": f'{URN}:doors[value eq "d1"].value', "value": "d9"})
    fewer = patch(doors.resource, {"op": "remove", "path": f'{URN}:doors[value eq "d1"]'})
    assert fewer.resource[URN]["doors"] == [{"value": "d2", "level": 1}]


def test_an_element_without_its_required_sub_attribute_is_refused():
    with pytest.raises(InvalidValue, match=r"doors\.value"):
        patch(USER, {"op": "add", "path": f"{URN}:doors[level eq 3].level", "value": 3})


def test_lists_of_plain_values_are_appended_to_and_removed_from():
    first = patch(USER, {"op": "add", "path": f"{URN}:colours", "value": ["red", "blue", "RED"]})
    assert first.resource[URN]["colours"] == ["red", "blue"]
    second = patch(first.resource, {"op": "remove", "path": f"{URN}:colours", "value": ["Red"]})
    assert second.resource[URN]["colours"] == ["blue"]


def test_a_required_extension_cannot_be_emptied():
    document = {"schemas": [USER_URN, URN], "userName": "a", URN: {"colours": ["red"]}}
    with pytest.raises(Mutability, match="required"):
        patch(document, {"op": "remove", "path": URN}, required=True)
