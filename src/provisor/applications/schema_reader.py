"""Step processing, before it: a synchronization schema document, read and checked, with every fault that it has.

Its shape is checked first (one fault at a time, with its JSON path), then its meaning (all faults at once).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import msgspec

from provisor.applications.names import nearest
from provisor.applications.schema import (
    WHEN_EMPTY,
    AttributeMapping,
    Finding,
    FlowTypes,
    InvalidSchema,
    ObjectMapping,
    SourceType,
    SyncSchema,
    WhenEmpty,
)
from provisor.applications.schema_document import (
    RawAttribute,
    RawAttributeMapping,
    RawDocument,
    RawEntry,
    RawObjectMapping,
    RawRule,
)
from provisor.applications.schema_types import source_fault, value_fault
from provisor.applications.scope_reader import read_scope
from provisor.expressions.compile import Expression, compile_source
from provisor.expressions.errors import ExpressionError
from provisor.expressions.tree import Attribute, Text

Kind = Literal["User", "Group"]


def read_schema(document: object) -> SyncSchema:
    """The compiled form of a decoded JSON document. Raises ``InvalidSchema``."""
    try:
        raw = msgspec.convert(document, RawDocument)
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

    def __init__(self, raw: RawDocument) -> None:
        self.raw = raw
        self.findings: list[Finding] = []
        self._objects = {
            (directory.name, kind.name): kind.attributes for directory in raw.directories for kind in directory.objects
        }

    def read(self) -> dict[Kind, ObjectMapping]:
        """Source kind -> object mapping. Good for nothing once there are findings."""
        mappings: dict[Kind, ObjectMapping] = {}
        for rule in self.raw.synchronization_rules:
            self._check_rule(rule)
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

    def _object_mapping(self, rule: RawRule, raw: RawObjectMapping, where: str) -> ObjectMapping:
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
            scope=read_scope(raw.scope, sources, where, self._find),
            attribute_mappings=tuple(rows),
        )

    def _check_rule(self, rule: RawRule) -> None:
        for name, content in (("containerFilter", rule.container_filter), ("groupFilter", rule.group_filter)):
            if any(content.values() if content else ()):
                self._find(
                    f"the rule {rule.id or rule.source_directory_name}",
                    f"its {name} cannot be evaluated; use the scoping filter, where memberOf asks for a group",
                )

    def _attributes(self, directory: str, kind: str, where: str) -> list[RawAttribute]:
        found = self._objects.get((directory, kind))
        if found is None:
            self._find(where, f"the directory {directory!r} with the object {kind!r} is not among the directories")
            return []
        self._check_attributes(found, f"{directory}, {kind}")
        return found

    def _check_attributes(self, attributes: Sequence[RawAttribute], where: str) -> None:
        kinds: dict[str, set[tuple[str, bool]]] = {}
        for attribute in attributes:
            kinds.setdefault(attribute.name.casefold(), set()).add((attribute.type, attribute.multivalued))
        for name, found in kinds.items():
            if len(found) > 1:
                self._find(f"{where}, {name}", "this attribute is listed twice, and not with the same type")
        anchors = [attribute.name for attribute in attributes if attribute.anchor]
        if len(anchors) > 1:
            self._find(where, f"one attribute is the anchor, and not {' and '.join(anchors)}")

    def _row(
        self,
        raw: RawAttributeMapping,
        sources: Mapping[str, RawAttribute],
        targets: Mapping[str, RawAttribute],
        where: str,
    ) -> AttributeMapping:
        target = targets.get(raw.target_attribute_name.casefold())
        if target is None:
            near = nearest(raw.target_attribute_name, (attribute.name for attribute in targets.values()))
            self._find(where, f"the target has no such attribute{near}")
            target = RawAttribute(raw.target_attribute_name)
        elif target.anchor or target.mutability == "ReadOnly":
            self._find(where, "this target attribute is the target's own and cannot be written")
        source, source_type = self._source(raw.source, where)
        for name in sorted(source.attributes - sources.keys()):
            self._find(where, f"the source has no attribute [{name}]{nearest(name, sources)}")
        row = AttributeMapping(
            target=raw.target_attribute_name,
            source_text=source.text,
            source=source,
            source_type=source_type,
            matching_priority=raw.matching_priority,
            flow_type=raw.flow_type,
            flow_behavior=raw.flow_behavior,
            # The portal stores an empty field as an empty text.
            default_value=raw.default_value or None,
            type=target.type,
            multivalued=target.multivalued,
            case_exact=target.case_exact,
            when_empty=self._when_empty(raw.metadata or [], where),
        )
        self._check_source(row, sources, where)
        self._check_matching(row, where)
        return row

    def _check_source(self, row: AttributeMapping, sources: Mapping[str, RawAttribute], where: str) -> None:
        tree = row.source.tree
        direct = sources.get(tree.name) if isinstance(tree, Attribute) else None
        if row.is_reference:
            if row.source_type != "Attribute":
                self._find(where, "a reference is mapped from an attribute directly, such as [manager]")
            elif direct is not None and direct.type != "Reference":
                self._find(where, f"the target attribute is a reference, and [{direct.name}] is not")
            return
        if direct is not None and direct.name == "appRoleAssignments":
            self._find(where, "roles are mapped by a function, such as SingleAppRoleAssignment([appRoleAssignments])")
        yields = direct.type if direct is not None else row.source.returns
        if fault := source_fault(yields, row.type, multivalued=row.multivalued):
            self._find(where, fault)
        if isinstance(tree, Text) and row.source is not _NOTHING and (fault := value_fault(tree.value, row.type)):
            self._find(where, fault)
        if row.default_value is not None and (fault := value_fault(row.default_value, row.type)):
            self._find(f"{where}, default value", fault)

    def _check_matching(self, row: AttributeMapping, where: str) -> None:
        if row.matching_priority <= 0:
            return
        if row.is_reference or row.multivalued:
            self._find(where, "objects cannot be matched by a reference or a multi-valued attribute")
        if row.source_type == "None":
            self._find(where, "objects cannot be matched by an attribute without a source")
        if "SelectUniqueValue" in row.source.functions:
            self._find(where, "objects cannot be matched by SelectUniqueValue, which looks for values nobody has")

    def _when_empty(self, metadata: Sequence[RawEntry], where: str) -> WhenEmpty | None:
        value = next((entry.value for entry in metadata if entry.key == WHEN_EMPTY), None)
        if value not in (None, "Remove", "Keep"):
            self._find(where, f"{WHEN_EMPTY} is Remove or Keep, not {value!r}")
            return None
        return cast("WhenEmpty | None", value)

    def _source(self, raw: dict[str, Any] | None, where: str) -> tuple[Expression, SourceType]:
        if raw is None:
            return _NOTHING, "None"
        try:
            expression = compile_source(raw)
        except ExpressionError as error:
            self._find(where, f"{error.message} {error.hint}" if error.hint else error.message)
            return _NOTHING, cast("SourceType", raw.get("type", "Attribute"))
        return expression, cast("SourceType", raw.get("type", "Attribute"))

    def _check_rows(self, rows: list[AttributeMapping], targets: Mapping[str, RawAttribute], where: str) -> None:
        seen: set[str] = set()
        for row in rows:
            key = row.target.casefold()
            if key in seen:
                self._find(f"{where}, {row.target}", "this target attribute is mapped twice")
            seen.add(key)
        if not any(row.matching_priority > 0 for row in rows):
            self._find(where, "no attribute is used for matching; give one the matching precedence 1")
        empty = {row.target.casefold() for row in rows if row.source_type == "None" and row.default_value is None}
        for key, attribute in targets.items():
            if attribute.required and not attribute.anchor and key not in seen - empty:
                self._find(where, f"the target requires {attribute.name}, and nothing is mapped to it")

    def _flow_types(self, text: str, where: str) -> FlowTypes:
        names = {name.strip() for name in text.split(",")} - {"", "None"}
        if unknown := names - {"Add", "Update", "Delete"}:
            self._find(where, f"flowTypes are Add, Update and Delete, not {', '.join(sorted(unknown))}")
        return FlowTypes("Add" in names, "Update" in names, "Delete" in names)

    def _find(self, where: str, problem: str) -> None:
        self.findings.append(Finding(where, problem))


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
