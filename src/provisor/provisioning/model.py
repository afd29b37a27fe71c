"""Steps scoping to export: the values that pass between them. Frozen, and without any I/O.

What every object of a batch is made of is a ``msgspec.Struct``, made in a fifth of the time of a frozen dataclass.
Words are the provisioning service's own: ``reference/entra-provisioning-service.md`` sections 1, 12, 13 and 21.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from provisor.connector.messages import AttributeChange

Kind = Literal["User", "Group"]
LinkState = Literal["linked", "disabled", "released"]


# The outcome's reason of an object that the target no longer has although it is linked (404).
VANISHED = "InvalidAnchor"


class Action(enum.StrEnum):
    """What became of an object in a cycle. The first five are in scope, the others are not."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    WAITING = "waiting"
    DISABLED = "disabled"
    DELETED = "deleted"
    SKIPPED = "skipped"


def _nothing(_name: str) -> None:
    return None


class Source(msgspec.Struct, frozen=True):
    """An object as the directory has it now. ``exists`` is false once it was purged; then nothing else is known."""

    id: str
    kind: Kind
    exists: bool
    # accountEnabled and not in the recycle bin; a group is active while it is not deleted.
    active: bool = False
    deleted: bool = False
    # What a person calls it: the user principal name, or the group's display name.
    name: str = ""
    get: Callable[[str], Any] = _nothing
    manager_id: str | None = None
    # Rises with every change in the directory; null once it was purged.
    version: int | None = None


class Entitlement(msgspec.Struct, frozen=True):
    """May this object be in the target, and if not, why: the details are those of the log's scoping step."""

    in_scope: bool
    assigned: bool
    reason: str | None  # a skip reason when not in scope
    details: Mapping[str, str]


class Link(msgspec.Struct, frozen=True):
    """The stored pair of a source and a target object, with the state that the target last confirmed."""

    source_id: str
    kind: Kind
    target_id: str
    state: LinkState
    # target attribute path -> value; the manager's value is the target's id of the manager
    acknowledged: Mapping[str, Any]
    display_name: str
    # Of a group on its way to a new name in a target that renames none: the target's id of the one that replaces it.
    successor_id: str | None = None


def manager_in_target(manager: Link | None, known: object) -> str | None:
    """The target's id of whom a person is to have for a manager; ``manager`` is the link of the one in the directory,
    ``known`` what the target has acknowledged.

    Nobody new is given a manager who has lost access; who has that manager already keeps them, as in Entra: the account
    is there, and the directory says nothing else.
    """
    if manager is None or (manager.state != "linked" and manager.target_id != known):
        return None
    return manager.target_id


def name_key(source_id: str, name: str) -> str:
    """What a person is known by, in lower case. The directory puts a deleted user's id (32 hex digits) before it."""
    folded = name.lower()
    return folded.removeprefix(source_id.replace("-", "").lower())


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing to send. ``reason`` is a skip reason of reference section 21.3; ``state``: the link's from now on, null
    where it stays as it is."""

    reason: str
    description: str
    state: LinkState | None = None


class Match(msgspec.Struct, frozen=True):
    """In scope and not linked: ask the target for it, then create or link."""

    values: Mapping[str, Any]  # what a create would send
    may_create: bool
    may_update: bool


class Update(msgspec.Struct, frozen=True):
    """Linked: send these differences. ``state`` is the link's state once the target has confirmed them."""

    changes: tuple[AttributeChange, ...]
    acknowledged: Mapping[str, Any]
    state: LinkState
    disables: bool = False


class Unchanged(msgspec.Struct, frozen=True):
    """Linked, and the target has confirmed all of it (``RedundantExport``). ``state`` may still differ."""

    state: LinkState
    # what the update would have changed, but the target is known not to take (a capability profile says so)
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """Linked, and gone for good: remove it from the target."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Linked, and no longer ours to touch: drop the link, send nothing."""

    description: str


Plan = Skip | Match | Update | Unchanged | Delete | Forget


class Pending(msgspec.Struct, frozen=True):
    """A slot of the queue: one object that is to be looked at."""

    source_id: str
    kind: Kind
    seq: int
    attempts: int
    failed_first_at: int | None
    # The directory says that it was purged: only then is its absence more than a fault of reading.
    gone: bool = False
    urgent: bool = False
    # Of the change that it is looked at for; null: nothing asked for it.
    correlation_id: str | None = None
    # Its place in the queue, ms UTC.
    due_at: int = 0


@dataclass(frozen=True, slots=True)
class Intent:
    """A create that was about to leave, its answer never recorded. ``keys``: (attribute, value) to find it by."""

    sent_at: int
    keys: tuple[tuple[str, str], ...]


class PendingMember(msgspec.Struct, frozen=True):
    """A membership that is to be looked at."""

    group_id: str
    member_id: str
    attempts: int
    failed_first_at: int | None


@dataclass(frozen=True, slots=True)
class Retry:
    """A decision of ``retry.py``: when to try again, in milliseconds UTC."""

    due_at: int
    attempts: int
    failed_first_at: int


@dataclass(frozen=True, slots=True)
class Escrow:
    """An object that failed or waits: why, since when, and when it is tried again. ``stage``: what is to be done."""

    source_id: str
    kind: Kind
    stage: str
    attempts: int
    failed_first_at: int | None
    due_at: int
    code: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """The balance of a cycle, made from its outcome rows: ``considered == in_scope + disabled + deleted + skipped``."""

    considered: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    waiting: int = 0
    disabled: int = 0
    deleted: int = 0
    skipped: int = 0
    skipped_by_reason: Mapping[str, int] = field(default_factory=dict)
    failed_by_code: Mapping[str, int] = field(default_factory=dict)

    @property
    def in_scope(self) -> int:
        return self.created + self.updated + self.unchanged + self.failed + self.waiting

    @property
    def balanced(self) -> bool:
        return self.considered == self.in_scope + self.disabled + self.deleted + self.skipped

    def as_dict(self) -> dict[str, Any]:
        return {
            "considered": self.considered,
            "inScope": self.in_scope,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "waiting": self.waiting,
            "disabled": self.disabled,
            "deleted": self.deleted,
            "skipped": self.skipped,
            "skippedByReason": dict(self.skipped_by_reason),
            "failedByCode": dict(self.failed_by_code),
        }


@dataclass(frozen=True, slots=True)
class Cycle:
    """One run of a job. ``phase`` and ``cursor`` say how far it is, so that it goes on after a crash."""

    id: str
    job_id: str
    kind: Literal["Initial", "Incremental", "Plan"]
    state: Literal["Running", "Succeeded", "Failed", "Stopped"]
    phase: str
    cursor: str | None
    watermark: int
    schema_version: int
    considered: int
    began_at: int
    ended_at: int | None
    counts: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    lane: Literal["main", "leavers"] = "main"
    scope_version: int = 0


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The cycles of a job that its status tells of; null where there is none. ``failures``: broken off in a row."""

    newest: Cycle | None
    last: Cycle | None  # the newest that has ended
    last_good: Cycle | None
    last_with_exports: Cycle | None
    first_good: Cycle | None
    failures: int


@dataclass(frozen=True, slots=True)
class JobState:
    """Where a job stands. ``code``: NotConfigured, NotRun, Active, Paused or Quarantine (reference section 23).

    ``stopped``: nothing more is sent, and the cycle that was cut off stays so until the job is started.
    ``credentials``: what became of their last test. ``search_proved``: the version
    of the credentials with which a search has found what was known to be there. ``not_before``: after a cycle that was
    broken off, nothing is tried before this moment (ms UTC).
    """

    job_id: str
    code: str
    watermark: int | None
    schema_version: int | None
    next_run_at: int | None
    running_cycle_id: str | None
    last_cycle_id: str | None
    quarantine: Mapping[str, Any] | None
    stopped: bool = False
    scope_version: int | None = None
    leavers_watermark: int | None = None
    credentials: Mapping[str, Any] | None = None
    search_proved: str | None = None
    not_before: int | None = None
