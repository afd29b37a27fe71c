"""Step processing: the values that the target should have, from an object's source attributes. Pure.

``reference/entra-provisioning-service.md`` section 8.2: a default value flows only when the object is created, "only
during object creation" never again, the mapping type None where the target has no value. References (managers, members)
are another step's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from provisor.applications.model import AppRole
from provisor.applications.schema import AttributeMapping, FlowBehavior, FlowType, ObjectMapping
from provisor.applications.schema_types import date_time
from provisor.connector.messages import AttributeChange
from provisor.expressions.errors import EvaluationError
from provisor.expressions.values import NO_FLOW, Context, parse_int
from provisor.provisioning.model import Kind
from provisor.provisioning.plan import Flow, Rule, missing, same

Get = Callable[[str], Any]
SOFT_DELETED = "IsSoftDeleted"
APP_ROLES = "appRoleAssignments"
UNIQUE = "SelectUniqueValue"
# Types of attributes whose values are not simply a text.
_NO_TEXT = frozenset({"Boolean", "Integer", "DateTime"})


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

    @property
    def redacted(self) -> frozenset[str]:
        """Target attributes whose values the provisioning log must not show."""
        return frozenset(row.target for row in self.values if row.source.redacts)

    @property
    def chooses(self) -> bool:
        """Is there a mapping with SelectUniqueValue, so that there are ``candidates`` to look up?"""
        return any(UNIQUE in row.source.functions for row in self.values)

    def candidates(self, get: Get) -> list[tuple[str, str]]:
        """What a creation's SelectUniqueValue may choose from: (target attribute, value), the first rule's first.

        The engine looks them up in the target, and tells ``desired`` which of them are taken. Mostly empty.
        """
        found: list[tuple[str, str]] = []
        for row in self.values:
            if UNIQUE in row.source.functions:

                def note(value: str, target: str = row.target) -> bool:
                    found.append((target, value))
                    return True

                with suppress(EvaluationError):  # in the end every value is "taken"
                    row.source.evaluate(get, replace(self.context, is_taken=note))
        return found

    def desired(
        self,
        get: Get,
        *,
        soft_deleted: bool,
        creating: bool,
        taken: Collection[tuple[str, str]] | None = None,
    ) -> dict[str, Any]:
        """Target attribute path -> value, only what flows; ``NO_FLOW`` for what is to stay as it is in the target.

        ``taken``: those of the ``candidates`` that the target has already. Null: nobody has asked, so that a mapping
        with SelectUniqueValue fails. Raises ``MappingFailed``.
        """
        flag = "True" if soft_deleted else "False"

        def look_up(name: str) -> Any:
            return flag if name == SOFT_DELETED else get(name)

        values: dict[str, Any] = {}
        for row in self.values:
            if not creating and (row.flow_type is FlowType.OBJECT_ADD_ONLY or UNIQUE in row.source.functions):
                continue
            value = self._value(row, look_up if SOFT_DELETED in row.source.attributes else get, taken)
            if value.__class__ is str and value and row.type not in _NO_TEXT and not row.multivalued:
                values[row.target] = value  # as most are
                continue
            if value is NO_FLOW:
                if not creating:
                    values[row.target] = NO_FLOW
                continue
            if _empty(value) and (creating or row.source_type == "None"):
                value = row.default_value
            if not _empty(value):
                values[row.target] = _typed(row, value)
        return values

    def _value(self, row: AttributeMapping, get: Get, taken: Collection[tuple[str, str]] | None) -> Any:
        context = self.context
        if taken is not None and UNIQUE in row.source.functions:
            context = replace(context, is_taken=lambda value: (row.target, value) in taken)
        try:
            return row.source.evaluate(get, context)
        except EvaluationError as error:
            raise MappingFailed(row.target, str(error)) from error

    def keys(self, get: Get) -> list[tuple[str, str]]:
        """What to look the object up by in the target: (attribute, value) in order of precedence."""
        found: list[tuple[str, str]] = []
        for row in self.mapping.matching:
            value = self._value(row, get, None)
            if isinstance(value, (str, int, float, bool)) and value != "":
                found.append((row.target, str(value)))
        return found

    def reference(self, source_attribute: str) -> str | None:
        """The target attribute that a reference such as ``manager`` flows to, or ``None``."""
        for row in self.references:
            if source_attribute in row.source.attributes:
                return row.target
        return None

    def rule(
        self,
        *,
        soft_delete: bool,
        skip_out_of_scope: bool,
        fixed: frozenset[str],
        removes_empty: bool = True,
        creates: bool = True,
        deletes: bool = True,
    ) -> Rule:
        """What the plan needs to know of this mapping.

        ``removes_empty``: what an empty source does where the mapping itself does not say: remove the target's value,
        or (as in Entra) nothing. ``creates``, ``deletes``: the target offers this at all.
        """
        actions = self.mapping.flow_types
        updating = [
            row
            for row in self.values
            # A value that is unique is its owner's: asked for again, it would be taken.
            if row.flow_type is not FlowType.OBJECT_ADD_ONLY and UNIQUE not in row.source.functions
        ]
        flows = {row.target: _flow(row) for row in updating}
        return Rule(
            kind=self.kind,
            may_create=actions.add and creates,
            may_update=actions.update,
            may_delete=actions.delete,
            offers_delete=deletes,
            soft_delete=soft_delete,
            skip_out_of_scope_deletions=skip_out_of_scope,
            always=frozenset(flows),
            fixed=fixed,
            disabling=frozenset(row.target for row in updating if SOFT_DELETED in row.source.attributes),
            matching=tuple(row.target for row in self.mapping.matching),
            flows={target: flow for target, flow in flows.items() if flow is not None},
            keeps=frozenset(row.target for row in updating if _keeps(row, removes_empty)),
            defaults={row.target: _typed(row, row.default_value) for row in updating if row.default_value},
            unconditional=frozenset(row.target for row in updating if row.flow_behavior is FlowBehavior.ALWAYS),
        )


def with_computed(get: Get, computed: Mapping[str, Any]) -> Get:
    """The values of an object, with those that depend on the job: ``memberOf``, ``appRoleAssignments``."""
    return lambda name: computed[name] if name in computed else get(name)


def role_values(roles: Iterable[AppRole], assigned: Collection[str]) -> list[dict[str, str]]:
    """The value of ``appRoleAssignments``: the app's roles that are assigned (ids), Default Access not among them."""
    return [
        {"value": role.value or role.display_name, "displayName": role.display_name}
        for role in roles
        if role.id in assigned
    ]


def _flow(row: AttributeMapping) -> Flow | None:
    """How it flows on updates; null for "the target takes the source's value".

    What Graph leaves open is decided so: both "add only" types add to a multi-valued attribute; to a single-valued one
    ValueAddOnly gives its first value, and MultiValueAddOnly changes it but never removes it. The role function without
    "Assertive" in its name adds as well (reference section 8.5).
    """
    if row.flow_type is FlowType.ATTRIBUTE_ADD_ONLY or row.source_type == "None":
        return Flow.FILL
    adds = row.flow_type in (FlowType.MULTI_VALUE_ADD_ONLY, FlowType.VALUE_ADD_ONLY)
    if row.multivalued and (adds or "AppRoleAssignmentsComplex" in row.source.functions):
        return Flow.ADD
    return Flow.FILL if row.flow_type is FlowType.VALUE_ADD_ONLY else None


def _keeps(row: AttributeMapping, removes_empty: bool) -> bool:
    if row.flow_type is FlowType.MULTI_VALUE_ADD_ONLY:
        return True
    return not removes_empty if row.when_empty is None else row.when_empty == "Keep"


def differs(target: Any, desired: Any) -> bool:
    """Does what the target shows differ from what it should have? Numbers and booleans may come back as text."""
    if isinstance(target, str) and isinstance(desired, bool):
        return target.lower() != str(desired).lower()
    if isinstance(target, list) or isinstance(desired, list):
        return not same(target, desired)
    return bool(target != desired) and str(target) != str(desired)


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _typed(row: AttributeMapping, value: Any) -> Any:
    if row.multivalued:
        return [_one(row, item) for item in (value if isinstance(value, list) else [value])]
    if isinstance(value, list):
        if len(value) != 1:
            raise MappingFailed(row.target, f"it yields {len(value)} values, and the target attribute takes one")
        value = value[0]
    return _one(row, value)


def _one(row: AttributeMapping, value: Any) -> Any:
    try:
        if row.type == "Boolean":
            return _boolean(value)
        if row.type == "Integer":
            return _integer(value)
        if row.type == "DateTime":
            return date_time(str(value))
    except (ValueError, EvaluationError) as error:
        raise MappingFailed(row.target, f"{value!r} is not of the type {row.type}") from error
    return value if isinstance(value, (str, dict)) else str(value)


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = parse_int(value) if isinstance(value, str) else None
    if number is None:
        raise ValueError(value)
    return number


def adoption(
    desired: Mapping[str, Any],
    shown: Mapping[str, Any],
    always: frozenset[str],
    flows: Mapping[str, Flow] | None = None,
) -> tuple[dict[str, Any], tuple[AttributeChange, ...]]:
    """Of an account that was just linked: what it has already, and what to send. Nothing of its own is removed.

    ``flows``: those of the mapping's rule. What an attribute with one has already is acknowledged and stays.
    """
    agreed: dict[str, Any] = {}
    changes: list[AttributeChange] = []
    for path, value in desired.items():
        present = shown.get(path)
        flow = (flows or {}).get(path)
        if value is NO_FLOW:
            continue
        if flow is Flow.FILL and not _empty(present):
            agreed[path] = present
        elif flow is Flow.ADD and isinstance(present, list) and isinstance(value, list):
            agreed[path] = present
            if path in always and (lacking := missing(value, present)):
                changes.append(AttributeChange(path, None, lacking))
        elif not differs(present, value):
            agreed[path] = value
        elif path in always:
            changes.append(AttributeChange(path, present, value))
    return agreed, tuple(changes)
