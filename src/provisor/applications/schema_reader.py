"""Step processing, before it: a synchronization schema document, read and checked, with every fault that it has.

Its shape is checked first (one fault at a time, with its JSON path), then its meaning (all faults at once). Unknown
properties are ignored here and kept in the document.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

import msgspec

from provisor.applications.directories import AttributeType
from provisor.applications.schema import (
    AttributeMapping,
    Finding,
    FlowBehavior,
    FlowType,
    FlowTypes,
    InvalidSchema,
    ObjectMapping,
    SourceType,
    SyncSchema,
)
from provisor.applications.scoping import Clause, Group, Operator, Scope, find_operator, operators
from provisor.expressions.compile import Expression, compile_source
from provisor.expressions.errors import ExpressionError
from provisor.expressions.tree import Text

Kind = Literal["User", "Group"]


class _Raw(msgspec.Struct, rename="camel"):
    """Graph's names are camelCase; properties that are not named below are ignored."""


class _Attribute(_Raw):
    name: str
    type: AttributeType = "String"
    multivalued: bool = False
    case_exact: bool = False
    required: bool = False
    anchor: bool = False
    mutability: str = "ReadWrite"


class _Object(_Raw):
    name: str
    attributes: list[_Attribute] = []


class _Directory(_Raw):
    name: str
    objects: list[_Object] = []


class _Operand(_Raw):
    values: list[str] = []


class _Clause(_Raw):
    source_operand_name: str
    operator_name: str
    target_operand: _Operand | None = None


class _Group(_Raw):
    name: str | None = None
    clauses: list[_Clause] = []


class _Filter(_Raw):
    groups: list[_Group] | None = None
    input_filter_groups: list[_Group] | None = None
    category_filter_groups: list[_Group] | None = None


class _AttributeMapping(_Raw):
    target_attribute_name: str
    matching_priority: int = 0
    flow_type: FlowType = FlowType.ALWAYS
    flow_behavior: FlowBehavior = FlowBehavior.WHEN_CHANGED
    default_value: str | None = None
    source: dict[str, Any] | None = None


class _ObjectMapping(_Raw):
    source_object_name: str
    target_object_name: str
    name: str | None = None
    enabled: bool = True
    flow_types: str = "Add, Update, Delete"
    scope: _Filter | None = None
    attribute_mappings: list[_AttributeMapping] = []


class _Rule(_Raw):
    source_directory_name: str
    target_directory_name: str
    id: str = ""
    object_mappings: list[_ObjectMapping] = []


class _Document(_Raw):
    synchronization_rules: list[_Rule]
    directories: list[_Directory]


def read_schema(document: object) -> SyncSchema:
    """The compiled form of a decoded JSON document. Raises ``InvalidSchema``."""
    try:
        raw = msgspec.convert(document, _Document)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        raise InvalidSchema((Finding(path.strip("`") or "$", problem),)) from error
    reader = _Reader(raw)
    mappings = reader.read()
    if reader.findings or "User" not in mappings:
        raise InvalidSchema(tuple(reader.findings))
    return SyncSchema(cast("Mapping[str, Any]", document), mappings["User"], mappings.get("Group"))


class _Reader:
    """Reads one document and gathers what is wrong with it."""

    def __init__(self, raw: _Document) -> None:
        self.raw = raw
        self.findings: list[Finding] = []
        self._objects = {
            (directory.name, kind.name): kind.attributes for directory in raw.directories for kind in directory.objects
        }

    def read(self) -> dict[Kind, ObjectMapping]:
        """Source kind -> object mapping. Good for nothing once there are findings."""
        mappings: dict[Kind, ObjectMapping] = {}
        for rule in self.raw.synchronization_rules:
            for raw in rule.object_mappings:
                where = raw.name or f"{raw.source_object_name} to {raw.target_object_name}"
                if raw.source_object_name not in ("User", "Group"):
                    self._find(where, f"objects of the kind {raw.source_object_name!r} are not provisioned")
                    continue
                kind = cast("Kind", raw.source_object_name)
                if kind in mappings:
                    self._find(where, f"there is a mapping for {kind} objects already: {mappings[kind].name}")
                mappings[kind] = self._object_mapping(rule, raw, where)
        if "User" not in mappings:
            self._find("synchronizationRules", "no object mapping has the source object User")
        return mappings

    def _object_mapping(self, rule: _Rule, raw: _ObjectMapping, where: str) -> ObjectMapping:
        source = self._attributes(rule.source_directory_name, raw.source_object_name, where)
        target = self._attributes(rule.target_directory_name, raw.target_object_name, where)
        # SCIM's attribute names have no case (RFC 7643 section 2.1); those of the directory have.
        targets = {attribute.name.casefold(): attribute for attribute in target}
        sources = {attribute.name: attribute for attribute in source}
        rows = [
            self._row(row, sources, targets, f"{where}, {row.target_attribute_name}") for row in raw.attribute_mappings
        ]
        self._check_rows(rows, targets, where)
        if raw.source_object_name == "User" and not raw.enabled:
            self._find(where, "the mapping of users cannot be disabled; pause the job, or narrow its scope")
        return ObjectMapping(
            rule_id=rule.id,
            name=where,
            enabled=raw.enabled,
            flow_types=self._flow_types(raw.flow_types, where),
            source=raw.source_object_name,
            target=raw.target_object_name,
            scope=self._scope(raw.scope, sources, where),
            attribute_mappings=tuple(rows),
        )

    def _attributes(self, directory: str, kind: str, where: str) -> list[_Attribute]:
        found = self._objects.get((directory, kind))
        if found is None:
            self._find(where, f"the directory {directory!r} with the object {kind!r} is not among the directories")
            return []
        return found

    def _row(
        self, raw: _AttributeMapping, sources: Mapping[str, _Attribute], targets: Mapping[str, _Attribute], where: str
    ) -> AttributeMapping:
        target = targets.get(raw.target_attribute_name.casefold())
        if target is None:
            near = _nearest(raw.target_attribute_name, (attribute.name for attribute in targets.values()))
            self._find(where, f"the target has no such attribute{near}")
            target = _Attribute(raw.target_attribute_name)
        elif target.anchor or target.mutability == "ReadOnly":
            self._find(where, "this target attribute is the target's own and cannot be written")
        source, source_type = self._source(raw.source, where)
        for name in sorted(source.attributes - sources.keys()):
            self._find(where, f"the source has no attribute [{name}]{_nearest(name, sources)}")
        if target.type == "Reference" and source_type != "Attribute":
            self._find(where, "a reference is mapped from an attribute directly, such as [manager]")
        if raw.matching_priority > 0 and (target.type == "Reference" or target.multivalued):
            self._find(where, "objects cannot be matched by a reference or a multi-valued attribute")
        return AttributeMapping(
            target=raw.target_attribute_name,
            source_text=source.text,
            source=source,
            source_type=source_type,
            matching_priority=raw.matching_priority,
            flow_type=raw.flow_type,
            flow_behavior=raw.flow_behavior,
            default_value=raw.default_value,
            type=target.type,
            multivalued=target.multivalued,
            case_exact=target.case_exact,
        )

    def _source(self, raw: dict[str, Any] | None, where: str) -> tuple[Expression, SourceType]:
        if raw is None:
            return _NOTHING, "None"
        try:
            expression = compile_source(raw)
        except ExpressionError as error:
            self._find(where, f"{error.message} {error.hint}" if error.hint else error.message)
            return _NOTHING, cast("SourceType", raw.get("type", "Attribute"))
        return expression, cast("SourceType", raw.get("type", "Attribute"))

    def _check_rows(self, rows: list[AttributeMapping], targets: Mapping[str, _Attribute], where: str) -> None:
        seen: set[str] = set()
        for row in rows:
            key = row.target.casefold()
            if key in seen:
                self._find(f"{where}, {row.target}", "this target attribute is mapped twice")
            seen.add(key)
        if not any(row.matching_priority > 0 for row in rows):
            self._find(where, "no attribute is used for matching; give one the matching precedence 1")
        for key, attribute in targets.items():
            if attribute.required and not attribute.anchor and key not in seen:
                self._find(where, f"the target requires {attribute.name}, and nothing is mapped to it")

    def _flow_types(self, text: str, where: str) -> FlowTypes:
        names = {name.strip() for name in text.split(",")} - {"", "None"}
        if unknown := names - {"Add", "Update", "Delete"}:
            self._find(where, f"flowTypes are Add, Update and Delete, not {', '.join(sorted(unknown))}")
        return FlowTypes("Add" in names, "Update" in names, "Delete" in names)

    def _scope(self, raw: _Filter | None, sources: Mapping[str, _Attribute], where: str) -> Scope | None:
        if raw is None:
            return None
        if raw.input_filter_groups or raw.category_filter_groups:
            self._find(where, "input and category filter groups cannot be evaluated; use the scoping filter's groups")
        groups = []
        for number, group in enumerate(raw.groups or [], start=1):
            title = group.name or f"Filter {number}"
            if not group.clauses:
                self._find(f"{where}, {title}", "this filter has no clause, so it would let everything pass")
            clauses = (self._clause(clause, sources, f"{where}, {title}") for clause in group.clauses)
            groups.append(Group(title, tuple(clause for clause in clauses if clause is not None)))
        return Scope(tuple(groups)) if groups else None

    def _clause(self, raw: _Clause, sources: Mapping[str, _Attribute], where: str) -> Clause | None:
        name = raw.source_operand_name
        where = f"{where}, {name} {raw.operator_name}"
        operator = find_operator(raw.operator_name)
        if fault := _operand_fault(name, sources, operator):
            self._find(where, fault)
        if operator is None:
            known = ", ".join(known.name for known in operators())
            self._find(where, f"this operator cannot be evaluated; the operators are: {known}")
            return None
        if operator.arity == "Unary":
            return Clause(name, operator)
        values = raw.target_operand.values if raw.target_operand else []
        if len(values) != 1:
            self._find(where, f"this operator needs one value, and there are {len(values)}")
            return None
        if fault := operator.fault(values[0]):
            self._find(where, fault)
        return Clause(name, operator, values[0])

    def _find(self, where: str, problem: str) -> None:
        self.findings.append(Finding(where, problem))


# It is computed from the scoping filter's verdict, among other things.
_CIRCULAR = "IsSoftDeleted"

# The source of a mapping that has none.
_NOTHING = Expression(
    text="",
    tree=Text(""),
    attributes=frozenset(),
    functions=frozenset(),
    redacts=False,
    returns=None,
    evaluate=lambda get, context: None,
)


def _operand_fault(name: str, sources: Mapping[str, _Attribute], operator: Operator | None) -> str | None:
    attribute = sources.get(name)
    if attribute is None:
        return f"the source has no attribute {name}{_nearest(name, sources)}"
    if attribute.multivalued or attribute.type == "Reference" or name == _CIRCULAR:
        return "this attribute cannot be used in a scoping filter"
    if operator is not None and attribute.type not in operator.types:
        return f"this operator does not compare values of the type {attribute.type}"
    return None


def _nearest(name: str, known: Iterable[str]) -> str:
    """`` (did you mean …?)``, or nothing when no name is near."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f" (did you mean {by_folded[near[0]]}?)" if near else ""
