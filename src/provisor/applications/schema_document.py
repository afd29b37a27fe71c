"""Step processing, before it: the shape of a synchronization schema document, Graph's names and defaults.

Reference graph-synchronization-api.md sections 6 and 10. What is not named here is ignored, and kept in the document.
"""

from __future__ import annotations

from typing import Any

import msgspec

from provisor.applications.directories import AttributeType
from provisor.applications.schema import FlowBehavior, FlowType


class Raw(msgspec.Struct, rename="camel"):
    """Graph's names are camelCase; properties that are not named below are ignored."""


class RawAttribute(Raw):
    name: str
    type: AttributeType = "String"
    multivalued: bool = False
    case_exact: bool = False
    required: bool = False
    anchor: bool = False
    mutability: str = "ReadWrite"


class RawObject(Raw):
    name: str
    attributes: list[RawAttribute] = []


class RawDirectory(Raw):
    name: str
    objects: list[RawObject] = []


class RawOperand(Raw):
    values: list[str] = []


class RawClause(Raw):
    source_operand_name: str
    operator_name: str
    target_operand: RawOperand | None = None


class RawGroup(Raw):
    name: str | None = None
    clauses: list[RawClause] = []


class RawFilter(Raw):
    groups: list[RawGroup] | None = None
    input_filter_groups: list[RawGroup] | None = None
    category_filter_groups: list[RawGroup] | None = None


class RawEntry(Raw):
    key: str
    value: Any = None


class RawAttributeMapping(Raw):
    target_attribute_name: str
    matching_priority: int = 0
    flow_type: FlowType = FlowType.ALWAYS
    flow_behavior: FlowBehavior = FlowBehavior.WHEN_CHANGED
    default_value: str | None = None
    source: dict[str, Any] | None = None
    metadata: list[RawEntry] | None = None


class RawObjectMapping(Raw):
    source_object_name: str
    target_object_name: str
    name: str | None = None
    enabled: bool = True
    flow_types: str = "Add, Update, Delete"
    scope: RawFilter | None = None
    attribute_mappings: list[RawAttributeMapping] = []


class RawRule(Raw):
    source_directory_name: str
    target_directory_name: str
    id: str = ""
    object_mappings: list[RawObjectMapping] = []
    container_filter: dict[str, Any] | None = None
    group_filter: dict[str, Any] | None = None


class RawDocument(Raw):
    synchronization_rules: list[RawRule]
    directories: list[RawDirectory]
