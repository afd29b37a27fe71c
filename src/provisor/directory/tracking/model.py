"""Tracking, its nouns: changes of users and of groups, in the order in which they last changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from provisor.errors import Conflict
from provisor.events.model import Change


class FeedPruned(Conflict):
    """The changes since then are no longer known."""


@dataclass(slots=True)
class Touched:
    """What of one object was touched. ``itself``: the object, not only what is linked to it. Of a group the ``members``
    and ``owners`` that came or went; of a user the ``managers`` that went."""

    itself: bool = False
    members: dict[str, None] = field(default_factory=dict)
    owners: dict[str, None] = field(default_factory=dict)
    managers: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """``users`` and ``groups`` by id, those that changed last at the end. ``seq``: up to where the feed was read;
    ``more``: there is more of it."""

    users: dict[str, Touched]
    groups: dict[str, Touched]
    seq: int
    more: bool


def changes_of(entries: Sequence[Change], after: int, *, more: bool) -> Changes:
    """What the entries after ``after`` amount to."""
    users: dict[str, Touched] = {}
    groups: dict[str, Touched] = {}
    for entry in entries:
        match entry.object_type:
            case "User":
                _last(users, entry.object_id).itself = True
            case "Manager" if entry.related_id is not None:
                _last(users, entry.object_id).managers[entry.related_id] = None
            case "Group":
                _last(groups, entry.object_id).itself = True
            case "Member" if entry.related_id is not None:
                _last(groups, entry.object_id).members[entry.related_id] = None
            case "Owner" if entry.related_id is not None:
                _last(groups, entry.object_id).owners[entry.related_id] = None
    return Changes(users, groups, entries[-1].seq if entries else after, more)


def _last(objects: dict[str, Touched], id_: str) -> Touched:
    objects[id_] = touched = objects.pop(id_, None) or Touched()
    return touched
