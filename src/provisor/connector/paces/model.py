"""Step export, its pace: what the workers of one database know together."""

from __future__ import annotations

from dataclasses import dataclass

# Who has asked a target within this time shares its rate.
ACTIVE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Pace:
    """What one worker knows of one target. ``rate``: requests a second, null while no limit was met; ``throttled``:
    answers that asked for a pause so far; ``at_once``: requests under way at most, null as long as the profile says it;
    times in ms UTC, ``paused_until`` null without a pause."""

    target: str
    worker: str
    rate: float | None
    refused_at: int
    raised_at: int
    used_at: int
    throttled: int
    paused_until: int | None
    at_once: int | None = None
    resized_at: int = 0

    def is_active(self, now: int) -> bool:
        """Does the worker ask the target for something now?"""
        return now - self.used_at < ACTIVE_MS
