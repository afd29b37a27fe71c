"""Step processing: the values that the target should have, from an object's source attributes. Pure.

``/reference/entra-provisioning-service.md`` section 8.2: a null source flows nothing, a default value only when the
object is created, "only during object creation" never again. References (managers, members) are another step's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from provisor.applications.schema import AttributeMapping, FlowType, ObjectMapping
from provisor.clock import parse_iso
from provisor.connector.messages import AttributeChange
from provisor.expressions.errors import EvaluationError
from provisor.expressions.values import NO_FLOW, Context
from provisor.provisioning.model import Kind
from provisor.provisioning.plan import Rule

Get = Callable[[str], Any]
SOFT_DELETED = "IsSoftDeleted"


class MappingFailed(Exception):
    """A mapping cannot be evaluated for this object."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"The mapping to {target} cannot be evaluated: {reason}")


@dataclass(frozen=True, slots=True)
class Mappings:
    """One object mapping, sorted by what the steps need of it."""

    kind: Kind
    mapping: ObjectMapping
    values: tuple[AttributeMapping, ...]
    references: tuple[AttributeMapping, ...]
    context: Context

    @classmethod
    def of(cls, kind: Kind, mapping: ObjectMapping, context: Context) -> Mappings:
        rows = mapping.attribute_mappings
        return cls(
            kind,
            mapping,
            tuple(row for row in rows if not row.is_reference),
            tuple(row for row in rows if row.is_reference),
            context,
        )

    def desired(self, get: Get, *, soft_deleted: bool, creating: bool) -> dict[str, Any]:
        """Target attribute path -> value, only what flows. Raises ``MappingFailed``."""
        flag = "True" if soft_deleted else "False"

        def look_up(name: str) -> Any:
            return flag if name == SOFT_DELETED else get(name)

        values: dict[str, Any] = {}
        for row in self.values:
            if row.flow_type is FlowType.OBJECT_ADD_ONLY and not creating:
                continue
            try:
                value = row.source.evaluate(look_up, self.context)
            except EvaluationError as error:
                raise MappingFailed(row.target, str(error)) from error
            if value is NO_FLOW:
                continue
            if _empty(value) and creating:
                value = row.default_value
            if not _empty(value):
                values[row.target] = _typed(row, value)
        return values

    def keys(self, get: Get) -> list[tuple[str, str]]:
        """What to look the object up by in the target: (attribute, value) in order of precedence."""
        found: list[tuple[str, str]] = []
        for row in self.mapping.matching:
            try:
                value = row.source.evaluate(get, self.context)
            except EvaluationError as error:
                raise MappingFailed(row.target, str(error)) from error
            if isinstance(value, (str, int, float, bool)) and value != "":
                found.append((row.target, str(value)))
        return found

    def reference(self, source_attribute: str) -> str | None:
        """The target attribute that a reference such as ``manager`` flows to, or ``None``."""
        for row in self.references:
            if source_attribute in row.source.attributes:
                return row.target
        return None

    def rule(self, *, soft_delete: bool, skip_out_of_scope: bool, fixed: frozenset[str]) -> Rule:
        """What the plan needs to know of this mapping."""
        flows = self.mapping.flow_types
        return Rule(
            kind=self.kind,
            may_create=flows.add,
            may_update=flows.update,
            may_delete=flows.delete,
            soft_delete=soft_delete,
            skip_out_of_scope_deletions=skip_out_of_scope,
            always=frozenset(row.target for row in self.values if row.flow_type is not FlowType.OBJECT_ADD_ONLY),
            fixed=fixed,
            disabling=frozenset(row.target for row in self.values if SOFT_DELETED in row.source.attributes),
            matching=tuple(row.target for row in self.mapping.matching),
        )


def differs(target: Any, desired: Any) -> bool:
    """Does what the target shows differ from what it should have? Numbers and booleans may come back as text."""
    if isinstance(target, str) and isinstance(desired, bool):
        return target.lower() != str(desired).lower()
    if isinstance(target, list) or isinstance(desired, list):
        return bool(target != desired)
    return bool(target != desired) and str(target) != str(desired)


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _typed(row: AttributeMapping, value: Any) -> Any:
    if isinstance(value, list):
        if row.multivalued:
            return value
        if len(value) != 1:
            raise MappingFailed(row.target, f"it yields {len(value)} values, and the target attribute takes one")
        value = value[0]
    try:
        if row.type == "Boolean":
            return _boolean(value)
        if row.type == "Integer":
            return int(value)
    except ValueError as error:
        raise MappingFailed(row.target, f"{value!r} is not of the type {row.type}") from error
    if row.type == "DateTime":
        return _moment(row, value)
    single = value if isinstance(value, (str, dict)) else str(value)
    return [single] if row.multivalued else single


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _moment(row: AttributeMapping, value: Any) -> str:
    try:
        parse_iso(str(value))
    except ValueError as error:
        raise MappingFailed(row.target, f"{value!r} is not a date and time in ISO 8601") from error
    return str(value)


def adoption(
    desired: Mapping[str, Any], shown: Mapping[str, Any], always: frozenset[str]
) -> tuple[dict[str, Any], tuple[AttributeChange, ...]]:
    """Of an account that was just linked: what it has already, and what to send. Nothing of its own is removed."""
    agreed = {path: value for path, value in desired.items() if not differs(shown.get(path), value)}
    changes = tuple(
        AttributeChange(path, shown.get(path), value)
        for path, value in desired.items()
        if path in always and path not in agreed
    )
    return agreed, changes
