"""Step processing, its plan: a job's mappings and filters, read once from Graph's JSON and compiled.

The document (reference graph-synchronization-api.md sections 6 and 10) stays as it was given, unknown properties and
all; what the engine needs of it is in ``SyncSchema``. ``schema_reader.py`` reads and checks it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from provisor.applications.directories import AttributeType
from provisor.applications.scoping import Scope
from provisor.errors import InvalidInput
from provisor.expressions.compile import Expression

# "None" is the portal's mapping type without a source: its expression gives null, so only the default value flows,
# whenever the target has none (by the state that it last acknowledged).
SourceType = Literal["Attribute", "Constant", "Function", "None"]


class FlowType(enum.StrEnum):
    """When a mapping applies: ``attributeFlowType`` in Graph, "Apply this mapping" in the portal."""

    ALWAYS = "Always"
    OBJECT_ADD_ONLY = "ObjectAddOnly"
    MULTI_VALUE_ADD_ONLY = "MultiValueAddOnly"
    VALUE_ADD_ONLY = "ValueAddOnly"
    ATTRIBUTE_ADD_ONLY = "AttributeAddOnly"


class FlowBehavior(enum.StrEnum):
    """Does an unchanged value flow too? ``attributeFlowBehavior`` in Graph."""

    WHEN_CHANGED = "FlowWhenChanged"
    ALWAYS = "FlowAlways"


# What an empty source does to the target; in the document: an entry ``WHEN_EMPTY`` of the mapping's ``metadata``.
WhenEmpty = Literal["Remove", "Keep"]
WHEN_EMPTY = "provisor.whenSourceIsEmpty"


@dataclass(frozen=True, slots=True)
class FlowTypes:
    """The target object actions: ``flowTypes`` in Graph. A disable is an update."""

    add: bool
    update: bool
    delete: bool


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """One row of the mapping table.

    ``type``, ``multivalued`` and ``case_exact`` are the target attribute's. ``default_value`` is for creates only, and
    with the source type None for whenever the target has no value. ``when_empty`` is null where the mapping does not
    say, so that the job's dialect does.
    """

    target: str
    source_text: str
    source: Expression
    source_type: SourceType
    matching_priority: int
    flow_type: FlowType
    flow_behavior: FlowBehavior
    default_value: str | None
    type: AttributeType
    multivalued: bool
    case_exact: bool
    when_empty: WhenEmpty | None = None

    @property
    def is_reference(self) -> bool:
        """Its values are other objects: written after both ends exist."""
        return self.type == "Reference"


@dataclass(frozen=True, slots=True)
class ObjectMapping:
    """How one kind of source object (``User``, ``Group``) becomes one kind of target object (a SCIM schema's URN).

    ``rule_id`` is what Graph's ``provisionOnDemand`` names.
    """

    rule_id: str
    name: str
    enabled: bool
    flow_types: FlowTypes
    source: str
    target: str
    scope: Scope | None
    attribute_mappings: tuple[AttributeMapping, ...]

    @property
    def matching(self) -> tuple[AttributeMapping, ...]:
        """The matching attributes, the lowest precedence number first."""
        rows = [row for row in self.attribute_mappings if row.matching_priority > 0]
        return tuple(sorted(rows, key=lambda row: row.matching_priority))

    @property
    def source_attributes(self) -> frozenset[str]:
        """Every source attribute that can change what is planned for an object."""
        scoped = self.scope.attributes if self.scope else frozenset()
        return scoped.union(*(row.source.attributes for row in self.attribute_mappings))


@dataclass(frozen=True, slots=True)
class SyncSchema:
    """A checked synchronization schema. ``group`` is null where the app has no groups."""

    document: Mapping[str, Any]
    user: ObjectMapping
    group: ObjectMapping | None

    def mapping(self, kind: Literal["User", "Group"]) -> ObjectMapping | None:
        """The object mapping of a kind of source object."""
        return self.user if kind == "User" else self.group


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: ``where`` names the mapping or the filter, ``problem`` says what is wrong and what would be right."""

    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"


class InvalidSchema(InvalidInput):
    """The synchronization schema cannot be used. ``findings`` has every fault, not only the first."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        faults = f"{len(findings)} faults" if len(findings) > 1 else "a fault"
        super().__init__(
            f"The synchronization schema has {faults}: {'; '.join(str(finding).rstrip('.') for finding in findings)}.",
            hint="Nothing was saved.",
        )
