"""App side, step 2: a resource as it is stored, and what goes with it when it is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["User", "Group"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What is written of a resource.

    ``document`` is a JSON object without ``meta``, ``groups`` and ``members``; ``rows`` are the (path, value) pairs
    that it is found by; ``unique_key`` is null where nothing of it must be unique.
    """

    document: str
    unique_key: str | None
    display: str | None
    rows: frozenset[tuple[str, str]]


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
    """What a request makes of a resource: the drafts before and after, null when the document stays as it is, and what
    happens to a group's members.
    """

    drafts: tuple[Draft, Draft] | None
    members: Sequence[MemberStep] = ()
