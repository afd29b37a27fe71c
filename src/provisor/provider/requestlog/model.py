"""App side, after the answer: what is kept of a SCIM request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.provider.model import Principal


@dataclass(slots=True)
class Observed:
    """A request that was answered, as it was. ``at`` in ms UTC, ``seconds`` from its first byte to its answer's.

    ``path`` has the query; ``ignored`` are paths of attributes that were sent and are not stored.
    """

    principal: Principal
    at: int
    method: str
    path: str
    status: int
    seconds: float
    request: bytes
    answer: bytes
    ignored: Sequence[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A request as an administrator reads it: secrets blacked out, long bodies cut, members as their ids.

    ``credential`` is the id of the API key or OAuth client and ``credential_name`` what it is called, null when it is
    gone. ``request`` and ``answer`` are null where there was no body. ``resource_id``: the one that it was about; null:
    none, several, or it was not read.
    """

    id: str
    at: int
    credential: str
    credential_name: str | None
    method: str
    path: str
    status: int
    duration_us: int
    request: str | None
    answer: str | None
    ignored: Sequence[str]
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries without their bodies, newest first. ``before``: where the next page begins; null: there is none."""

    entries: Sequence[Entry]
    before: str | None


@dataclass(frozen=True, slots=True)
class Activity:
    """The hours of the last day, the oldest first: when each began (ms UTC), how many requests there were, and how many
    of them were refused or failed. ``capped``: the older ones are left out, as there were very many.
    """

    hours: Sequence[tuple[int, int, int]]
    capped: bool

    @property
    def total(self) -> int:
        """All together."""
        return sum(count for _, count, _ in self.hours)

    @property
    def failed(self) -> int:
        """Those that were refused or failed."""
        return sum(failed for _, _, failed in self.hours)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: each condition may be null, moments are in ms UTC.

    ``status``: exactly this one; ``failed``: 400 and above; ``path``: some text in the path, in any case; ``before``:
    an entry's id, for the entries that are older than it; ``since``, ``until``: not before, and before this moment;
    ``with_ignored``: something was sent that is not stored.
    """

    status: int | None = None
    failed: bool = False
    method: str | None = None
    credential: str | None = None
    path: str | None = None
    since: int | None = None
    until: int | None = None
    before: str | None = None
    with_ignored: bool = False
