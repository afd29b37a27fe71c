"""Explanations: their values. Everything is told as it is now; the target's side as it was just read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from provisor.provisioning.model import Kind


@dataclass(frozen=True, slots=True)
class Ground:
    """What speaks for an object: an assignment of its own, or of a group. ``counts`` false: ``why`` not."""

    through: str
    principal_id: str
    role: str
    counts: bool
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ClauseLine:
    """One clause of the scoping filter, what it saw, and its verdict. Filters are alternatives."""

    filter: str
    clause: str
    seen: str | None
    passed: bool


@dataclass(frozen=True, slots=True)
class MatchLine:
    """One matching attribute, in order: what was asked of the target, and the ids that it gave. Null: not asked."""

    attribute: str
    value: str | None
    found: Sequence[str] | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One mapping: source values, expression, what it gives, what the target confirmed last, what it shows now."""

    target: str
    applies: str
    source: str
    values: dict[str, str]
    desired: str | None
    acknowledged: str | None
    shown: str | None
    verdict: str
    error: str | None = None
    steps: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class ReferenceLine:
    """A reference to or from another object, and whether it can be written."""

    attribute: str
    other_id: str
    other_name: str
    state: str


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the provisioning log, with the exchange on the wire where one is kept."""

    at: str
    action: str
    status: str
    code: str | None
    reason: str | None
    exchange: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one object is (not) in the target: ``answer`` says it, ``would_change`` what would make it another."""

    app_name: str
    job_state: str
    source_id: str
    kind: Kind
    name: str
    source_state: str
    answer: str
    would_change: Sequence[str]
    next_action: str
    in_scope: bool
    grounds: Sequence[Ground]
    filter_passed: bool
    clauses: Sequence[ClauseLine]
    link_state: str | None
    target_id: str | None
    target_found: bool | None
    queue: str | None
    held: str | None
    matching: Sequence[MatchLine]
    mappings: Sequence[MappingLine]
    references: Sequence[ReferenceLine]
    members: dict[str, int]
    events: Sequence[Event]
    target_error: str | None = None
