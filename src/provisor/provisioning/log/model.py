"""Step log, its nouns: what is asked of the log, and a page of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# An entry as Graph's provisioningObjectSummary.
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which entries are asked for; null: all. Everything given must hold.

    ``status`` is success, failure, skipped or warning; ``action`` create, update, delete, disable, stagedDelete or
    other; ``object_type`` User or Group. ``source_name``: what the source's name contains, in any case. ``since`` and
    ``until`` (exclusive) in ms UTC.
    """

    job_id: str | None = None
    cycle_id: str | None = None
    change_id: str | None = None
    status: str | None = None
    action: str | None = None
    error_code: str | None = None
    object_type: str | None = None
    source_id: str | None = None
    target_id: str | None = None
    source_name: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries, newest first. ``next``: what to ask for afterwards, null at the end.

    A page may be shorter than asked for, or empty, and still have a ``next``: what was looked at for one page is
    bounded, so that a page comes as quickly from a log of a million entries.
    """

    entries: Sequence[Entry]
    next: str | None
