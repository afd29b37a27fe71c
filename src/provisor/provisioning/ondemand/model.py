"""Provision on demand: what came of it. ``reference/entra-provisioning-service.md`` section 20."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from provisor.provisioning.model import Kind

Result = Literal["Success", "Skipped", "Failure", "Warning"]
StepType = Literal["TestConnection", "Import", "Scoping", "Matching", "Export"]
ActionName = Literal["Create", "Update", "Disable", "Delete", "Other"]


@dataclass(frozen=True, slots=True)
class OnDemandStep:
    """One of the five steps; the first, Test Connection, is there only when it failed. ``at`` in ms UTC."""

    name: str
    type: StepType
    status: Result
    description: str
    at: int
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Property:
    """A modified property, as text; null where there was, or is, no value."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Drift:
    """What somebody changed in the target: what it had confirmed last, and what it shows now."""

    attribute: str
    acknowledged: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class OnDemandResult:
    """What was done to one object, or why nothing was. Moments are ms UTC.

    ``members``: of a group, how many were added, removed, and are not in the target yet (so that they wait).
    """

    result: Result
    error_code: str | None
    error_message: str | None
    recommended_action: str | None
    action: ActionName
    change_id: str
    started_at: int
    ended_at: int
    source_id: str
    kind: Kind
    name: str
    target_id: str | None
    app_name: str
    steps: Sequence[OnDemandStep]
    modified: Sequence[Property]
    drift: Sequence[Drift]
    members: Mapping[str, int]
