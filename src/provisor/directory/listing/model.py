"""Lists for people, their nouns."""

from __future__ import annotations

import msgspec


class Mark(msgspec.Struct, frozen=True):
    """Where a list goes on: after this row. ``key`` is the row's place in the order; both empty: from the start."""

    key: str = ""
    id: str = ""


class DirectorySize(msgspec.Struct, frozen=True):
    """How many objects there are; the deleted ones can still be restored, or wait to be purged."""

    users: int
    groups: int
    deleted_users: int
    deleted_groups: int
