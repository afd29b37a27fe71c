"""Plans: their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from provisor.connector.messages import AttributeChange
from provisor.provisioning.model import Kind

PlanState = Literal["Planning", "Ready", "Approved", "Applying", "Applied", "Refused", "Failed"]
# The first five change the target; of the others nothing is sent.
EntryAction = Literal["create", "link", "update", "disable", "delete", "ambiguous", "fail", "skip"]
SENDING: tuple[EntryAction, ...] = ("create", "link", "update", "disable", "delete")


@dataclass(frozen=True, slots=True)
class Basis:
    """What a whole plan rests on. The texts are digests: nothing of a credential is in them."""

    schema_version: int
    scope: str
    target: str

    def changed(self, now: Basis) -> list[str]:
        """What is no longer as it was, in words."""
        pairs = (
            ("the mappings or scoping filters", self.schema_version == now.schema_version),
            ("the scope or the settings of deprovisioning", self.scope == now.scope),
            ("the Tenant URL, the secret token or the dialect", self.target == now.target),
        )
        return [name for name, same in pairs if not same]


@dataclass(slots=True)
class Tally:
    """A plan's counts: considered is the sum of all actions and of what is unchanged."""

    considered: int = 0
    unchanged: int = 0
    actions: dict[str, int] = field(default_factory=dict)
    skipped_by_reason: dict[str, int] = field(default_factory=dict)
    failed_by_code: dict[str, int] = field(default_factory=dict)
    held: int = 0
    managers: int = 0
    members_added: int = 0
    members_removed: int = 0

    def add(self, action: EntryAction) -> None:
        self.actions[action] = self.actions.get(action, 0) + 1

    @property
    def balanced(self) -> bool:
        return self.considered == self.unchanged + sum(self.actions.values())

    def as_dict(self) -> dict[str, Any]:
        names: tuple[EntryAction, ...] = (*SENDING, "ambiguous", "fail", "skip")
        return {
            "considered": self.considered,
            **{name: self.actions.get(name, 0) for name in names},
            "unchanged": self.unchanged,
            "held": self.held,
            "managers": self.managers,
            "membersAdded": self.members_added,
            "membersRemoved": self.members_removed,
            "skippedByReason": dict(sorted(self.skipped_by_reason.items())),
            "failedByCode": dict(sorted(self.failed_by_code.items())),
        }


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """What would be done to one object, or why nothing can be. ``manager_id``: the source's id, empty for a removal."""

    source_id: str
    kind: Kind
    action: EntryAction
    name: str
    target_id: str | None
    changes: Sequence[AttributeChange]
    manager_id: str | None
    reason: str | None
    source_version: int | None
    digest: str
    held: bool = False
    joins: int = 0
    leaves: int = 0
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan without its entries. Moments are ms UTC; ``counts`` is ``Tally.as_dict`` with the guards' verdict.

    ``result``: what applying it came to. ``error``: why it could not be made, or was refused.
    """

    id: str
    job_id: str
    state: PlanState
    created_at: int
    created_by: str
    ready_at: int | None
    basis: Basis
    previous_id: str | None
    counts: Mapping[str, Any] | None
    comparison: Mapping[str, Any] | None
    approved_at: int | None
    approved_by: str | None
    cycle_id: str | None
    applied_at: int | None
    result: Mapping[str, Any] | None
    error: str | None


@dataclass(frozen=True, slots=True)
class PlannedMember:
    """A member that a group gets or loses."""

    member_id: str
    joins: bool
    name: str | None
