"""App side, step 2: a resource as it is stored, and what goes with it when it is served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

# The name of a resource type: User, Group, or one of a company's own.
Kind = str


@dataclass(frozen=True, slots=True)
class Draft:
    """What is written of a resource.

    ``document`` is a JSON object without ``meta``, ``groups`` and ``members``; ``rows`` are the (path, value) pairs
    that it is found by; ``unique_key`` is null where nothing of it must be unique; ``unique_rows`` are further values
    that must be, as a company's own schemas say.
    """

    document: str
    unique_key: str | None
    display: str | None
    rows: frozenset[tuple[str, str]]
    unique_rows: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource as it was read. Moments in ms UTC; ``version`` begins at 1 and every change raises it."""

    kind: Kind
    id: str
    document: str
    version: int
    created_at: int
    modified_at: int


@dataclass(frozen=True, slots=True)
class Served:
    """A resource with what is derived: a user's direct ``groups`` (id, name), a group's ``members`` (id, kind).

    Null: not read, because nobody asked for it.
    """

    stored: Stored
    groups: Sequence[tuple[str, str | None]] | None = None
    members: Sequence[tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Part of what was searched for, as it is stored, and the number of all."""

    total: int
    resources: Sequence[Stored]


@dataclass(frozen=True, slots=True)
class FoundServed:
    """The same, with what is derived."""

    total: int
    resources: Sequence[Served]


@dataclass(frozen=True, slots=True)
class FoundAfter:
    """Part of it after a position; ``keys`` are the resources' sort values."""

    total: int
    resources: Sequence[Stored]
    keys: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: ``total`` matches in all, the first of these has the 1-based position ``start``."""

    total: int
    start: int
    resources: Sequence[Served]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a company has."""

    users: int
    groups: int
    memberships: int


@dataclass(frozen=True, slots=True)
class MemberStep:
    """One step of a change of a group's members, applied in order.

    ``add`` and ``remove`` name ids; ``keep`` removes everybody but these; ``sift`` removes the members, given as
    ``{"value": id, "type": kind}``, for which ``test`` holds.
    """

    action: Literal["add", "remove", "keep", "sift"]
    ids: tuple[str, ...] = ()
    test: Callable[[dict[str, Any]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """What a request makes of a resource: the drafts before and after, null when the document stays as it is, what
    happens to a group's members, and hashes of write-only values by path (null: the value goes).

    ``skips_unknown_members``: ids of nobody are left out instead of refused.
    """

    drafts: tuple[Draft, Draft] | None
    members: Sequence[MemberStep] = ()
    secrets: Mapping[str, str | None] = field(default_factory=dict)
    skips_unknown_members: bool = False


@dataclass(frozen=True, slots=True)
class CursorPage:
    """One page of a walk by cursor: ``total`` matches in all; ``position`` is where the next page begins, null at the
    end.
    """

    total: int
    resources: Sequence[Served]
    position: Position | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a walk stands: after the resource ``id``, whose sort value is ``key`` (null when sorted by id)."""

    id: str
    key: Any = None
