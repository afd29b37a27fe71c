"""Step export, between requests: how many requests a second a target takes, as far as it shows by refusing some. Pure.

A target that answers 429 has told its limit: what it served in the second before. A while without a refusal raises the
estimate again, so that a limit that was lifted is noticed. It is told to people beside a running cycle; requests keep
to the pauses that the target asks for (``pacing.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

# What is left of an estimate after a refusal, and how it grows again.
_CAUTION, _GROWTH = 0.95, 1.05
_CALM_MS = 10_000
# Refusals of requests that were under way together are one refusal.
_TOGETHER_MS = 1_000
SLOWEST, FASTEST = 0.1, 500.0


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of a target. ``rate``: requests a second, null while no limit was met. Times in ms UTC."""

    rate: float | None = None
    refused_at: int = 0
    raised_at: int = 0


def after_refusal(known: Learnt, *, now: int, seen: float) -> Learnt:
    """``seen``: requests a second that the target served until it refused; of one that served none there is nothing to
    learn, and its own pause is all there is to keep to."""
    if seen <= 0 or (known.rate is not None and now - known.refused_at < _TOGETHER_MS):
        return known
    base = seen if known.rate is None else min(seen, known.rate)
    return Learnt(max(SLOWEST, base * _CAUTION), now, now)


def after_success(known: Learnt, *, now: int) -> Learnt:
    """A while without a refusal raises the rate; one that nobody reaches is no limit."""
    if known.rate is None or now - max(known.refused_at, known.raised_at) < _CALM_MS:
        return known
    rate = known.rate * _GROWTH
    return Learnt() if rate > FASTEST else replace(known, rate=rate, raised_at=now)


def of_all(rates: list[Learnt]) -> Learnt:
    """What several workers have learnt of one target: the latest refusal says most."""
    return max(rates, key=lambda one: (one.refused_at, one.raised_at), default=Learnt())
