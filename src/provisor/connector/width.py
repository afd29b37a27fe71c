"""Step export, between requests: how many requests at once a target gets, as far as the time that it takes shows. Pure.

Whoever is sent more than it can work on lets the rest wait: its answers come late, and no more of them come. Then fewer
are sent at once, so that who is to lose access does not wait behind them. A target that is slow with few as it is with
many only takes its time: it keeps all that it is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

# Answers that take longer are late; once they take less, there is room for more.
LATE_MS, EARLY_MS = 2_000, 1_000
# From so many answers on, their mean says something; a width is tried for so long before it grows.
ENOUGH, CALM_MS = 8, 10_000
# How long a target of which fewer at once were no help is left alone.
PATIENCE_MS = 600_000
# As many answers a second as before, but for noise.
_AS_MANY = 0.8


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered with one width. ``milliseconds`` and ``under_way``: of all together, the time that each took,
    and how many requests were under way when it left, itself among them."""

    count: int = 0
    milliseconds: float = 0.0
    under_way: int = 0

    def with_one(self, milliseconds: float, under_way: int) -> Answers:
        return Answers(self.count + 1, self.milliseconds + milliseconds, self.under_way + under_way)

    @property
    def mean(self) -> float:
        """Milliseconds an answer."""
        return self.milliseconds / self.count

    @property
    def at_once(self) -> float:
        """Requests under way, on average."""
        return self.under_way / self.count

    @property
    def per_second(self) -> float:
        """Answers a second (Little's law)."""
        return self.at_once / max(self.mean, 1.0) * 1_000


@dataclass(frozen=True, slots=True)
class Width:
    """``at_once``: requests under way at most. Times in ms UTC. ``narrowed``: of a step down that was not judged yet,
    the width before it and the answers a second that it gave; ``patient_until``: no step down before that."""

    at_once: int
    resized_at: int = 0
    narrowed: tuple[int, float] | None = None
    patient_until: int = 0


def adapted(width: Width, seen: Answers, *, most: int, now: int) -> Width:
    """The width after these answers: the same, fewer at once, or more. ``most``: what the profile allows."""
    if seen.count < ENOUGH:
        return width
    if width.narrowed is not None:
        # Judged once: a target that becomes slower later has not become so by this.
        before, rate = width.narrowed
        if seen.mean > EARLY_MS and seen.per_second < rate * _AS_MANY:
            return Width(before, now, patient_until=now + PATIENCE_MS)
        width = replace(width, narrowed=None)
    if seen.mean > LATE_MS and seen.at_once > 1 and now >= width.patient_until:
        fewer = max(1, int(seen.at_once * max(0.5, EARLY_MS / seen.mean)))
        if fewer < width.at_once:
            return Width(fewer, now, (width.at_once, seen.per_second))
    if seen.mean < EARLY_MS and width.at_once < most and now - width.resized_at >= CALM_MS:
        return Width(min(most, width.at_once + max(1, width.at_once // 4)), now)
    return width
