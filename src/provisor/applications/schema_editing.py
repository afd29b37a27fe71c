"""Step processing, before it: edits of a synchronization schema document, as a person at a form makes them. Pure.

Every edit gives a new document and leaves the one that it was given; unknown properties stay. Whether the outcome can
be used says ``read_schema`` when it is saved. Words: reference entra-provisioning-service.md sections 8 and 11.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisor.applications.directories import Attribute
from provisor.applications.errors import ObjectMappingNotFound, RowNotFound
from provisor.applications.schema import WHEN_EMPTY, Finding, FlowType, InvalidSchema, SourceType, WhenEmpty
from provisor.errors import Conflict
from provisor.expressions import compile as expressions
from provisor.expressions.errors import ExpressionError

Document = Mapping[str, Any]
Edit = Callable[[Document], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RowEdit:
    """A row of the mapping table, filled in. ``text``: an attribute's name, a constant's text or an expression."""

    target: str
    source_type: SourceType
    text: str = ""
    default_value: str | None = None
    matching_priority: int = 0
    flow_type: FlowType = FlowType.ALWAYS
    when_empty: WhenEmpty | None = None


@dataclass(frozen=True, slots=True)
class ActionsEdit:
    """The switches of one kind of object: whether it is provisioned, and which target object actions are taken."""

    enabled: bool
    add: bool
    update: bool
    delete: bool


@dataclass(frozen=True, slots=True)
class ClauseEdit:
    """One condition of a scoping filter; ``value`` is not looked at where the operator takes none."""

    attribute: str
    operator: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class FilterEdit:
    """One scoping filter: all of its clauses must hold. Several filters are alternatives."""

    name: str
    clauses: tuple[ClauseEdit, ...]


def put_row(document: Document, kind: str, row: RowEdit, replacing: str | None = None) -> dict[str, Any]:
    """Add a row, or put it in the place of the one for the target attribute ``replacing``, whose further properties
    stay. Raises ``InvalidSchema`` for an expression that cannot be read, ``RowNotFound``."""
    edited, mapping = _opened(document, kind)
    rows = mapping.setdefault("attributeMappings", [])
    if replacing is None:
        if any(_same(one, row.target) for one in rows):
            raise Conflict(f"{row.target} is mapped already.", hint="Edit that row, or choose another attribute.")
        rows.append(_filled({"flowBehavior": "FlowWhenChanged", "exportMissingReferences": False}, row))
    else:
        at = _position(rows, replacing)
        rows[at] = _filled(rows[at], row)
    return edited


def remove_row(document: Document, kind: str, target: str) -> dict[str, Any]:
    """Without the row for this target attribute. Raises ``RowNotFound``."""
    edited, mapping = _opened(document, kind)
    rows = mapping.setdefault("attributeMappings", [])
    del rows[_position(rows, target)]
    return edited


def set_actions(document: Document, kind: str, actions: ActionsEdit) -> dict[str, Any]:
    """Which objects are provisioned, and what may be done to them: ``enabled`` and ``flowTypes``."""
    edited, mapping = _opened(document, kind)
    names = [name for name, on in (("Add", actions.add), ("Update", actions.update), ("Delete", actions.delete)) if on]
    mapping["enabled"] = actions.enabled
    mapping["flowTypes"] = ", ".join(names) or "None"
    return edited


def set_scope(document: Document, kind: str, filters: Sequence[FilterEdit]) -> dict[str, Any]:
    """Put these scoping filters in the place of the ones there are; none at all lets everything pass."""
    edited, mapping = _opened(document, kind)
    mapping["scope"] = scope_of(filters)
    return edited


def put_attribute(document: Document, kind: str, attribute: Attribute, replacing: str | None = None) -> dict[str, Any]:
    """Add an attribute to the target's list, or put it in another's place. Raises ``RowNotFound``, ``Conflict``."""
    edited, _ = _opened(document, kind)
    attributes = _target_object(edited, kind).setdefault("attributes", [])
    if replacing is None:
        if any(one.get("name", "").casefold() == attribute.name.casefold() for one in attributes):
            raise Conflict(f"The attribute list has {attribute.name} already.", hint="Edit that one.")
        attributes.append(attribute.definition())
    else:
        at = _attribute_position(attributes, replacing)
        attributes[at] = {**attributes[at], **_given(attribute)}
    return edited


def remove_attribute(document: Document, kind: str, name: str) -> dict[str, Any]:
    """Without this target attribute. Raises ``RowNotFound``; a mapping that still names it is a fault when saved."""
    edited, _ = _opened(document, kind)
    attributes = _target_object(edited, kind).setdefault("attributes", [])
    del attributes[_attribute_position(attributes, name)]
    return edited


def target_attributes(document: Document, kind: str) -> list[dict[str, Any]]:
    """The target's attribute list, in its order: Graph's ``attributeDefinition``."""
    return list(_target_object(document, kind).get("attributes") or [])


def source_attributes(document: Document, kind: str) -> list[dict[str, Any]]:
    """The directory's attributes that mappings and filters of this kind may name."""
    rule, mapping = _found(document, kind)
    return list(_object(document, rule["sourceDirectoryName"], mapping["sourceObjectName"]).get("attributes") or [])


def scope_of(filters: Sequence[FilterEdit]) -> dict[str, Any] | None:
    """Graph's ``filter``, null without any."""
    if not filters:
        return None
    return {
        "categoryFilterGroups": [],
        "inputFilterGroups": [],
        "groups": [
            {
                "name": one.name,
                "clauses": [
                    {
                        "operatorName": clause.operator,
                        "sourceOperandName": clause.attribute,
                        "targetOperand": {"values": [clause.value] if clause.value != "" else []},
                    }
                    for clause in one.clauses
                ],
            }
            for one in filters
        ],
    }


def scope_filters(document: Document, kind: str) -> list[FilterEdit]:
    """The scoping filters that a document has, to be edited."""
    scope = _found(document, kind)[1].get("scope") or {}
    return [
        FilterEdit(
            group.get("name") or "",
            tuple(
                ClauseEdit(
                    clause["sourceOperandName"],
                    clause["operatorName"],
                    "".join(((clause.get("targetOperand") or {}).get("values") or [""])[:1]),
                )
                for clause in group.get("clauses") or []
            ),
        )
        for group in scope.get("groups") or []
    ]


def _filled(before: Mapping[str, Any], row: RowEdit) -> dict[str, Any]:
    metadata = [entry for entry in before.get("metadata") or [] if entry.get("key") != WHEN_EMPTY]
    if row.when_empty is not None:
        metadata.append({"key": WHEN_EMPTY, "value": row.when_empty})
    filled = {
        **before,
        "targetAttributeName": row.target,
        "matchingPriority": row.matching_priority,
        "flowType": row.flow_type.value,
        "defaultValue": row.default_value or None,
        "source": _source(row),
    }
    if metadata or before.get("metadata"):
        filled["metadata"] = metadata
    return filled


def _source(row: RowEdit) -> dict[str, Any] | None:
    try:
        match row.source_type:
            case "None":
                return None
            case "Constant":
                return expressions.constant(row.text).to_source()
            case "Attribute":
                return expressions.attribute(row.text.strip()).to_source()
            case "Function":
                return expressions.compile(row.text).to_source()
    except ExpressionError as error:
        problem = f"{error.message} {error.hint}" if error.hint else error.message
        raise InvalidSchema((Finding(row.target, problem),)) from error


def _given(attribute: Attribute) -> dict[str, Any]:
    """What a form says of an attribute; what it does not ask for (metadata, expressions) stays."""
    definition = attribute.definition()
    names = ("name", "type", "multivalued", "caseExact", "required", "anchor", "mutability", "referencedObjects")
    return {name: definition[name] for name in names}


def _opened(document: Document, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    edited = copy.deepcopy(dict(document))
    return edited, _found(edited, kind)[1]


def _found(document: Document, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    for rule in document.get("synchronizationRules") or []:
        for mapping in rule.get("objectMappings") or []:
            if mapping.get("sourceObjectName") == kind:
                return rule, mapping
    raise ObjectMappingNotFound(f"The app has no mapping of {kind} objects.")


def _target_object(document: Document, kind: str) -> dict[str, Any]:
    rule, mapping = _found(document, kind)
    return _object(document, rule["targetDirectoryName"], mapping["targetObjectName"])


def _object(document: Document, directory: str, name: str) -> dict[str, Any]:
    for one in document.get("directories") or []:
        for found in one.get("objects") or []:
            if one.get("name") == directory and found.get("name") == name:
                object_: dict[str, Any] = found
                return object_
    raise ObjectMappingNotFound(f"The schema does not describe the object {name} of {directory}.")


def _same(row: Mapping[str, Any], target: str) -> bool:
    return str(row.get("targetAttributeName", "")).casefold() == target.casefold()


def _position(rows: Sequence[Mapping[str, Any]], target: str) -> int:
    for at, row in enumerate(rows):
        if _same(row, target):
            return at
    raise RowNotFound(f"Nothing is mapped to {target}.", hint="Somebody may have changed the mappings meanwhile.")


def _attribute_position(attributes: Sequence[Mapping[str, Any]], name: str) -> int:
    for at, attribute in enumerate(attributes):
        if str(attribute.get("name", "")).casefold() == name.casefold():
            return at
    raise RowNotFound(f"The attribute list has no {name}.", hint="Somebody may have changed the list meanwhile.")
