"""Last step of the flow: what becomes of a delivery, decided from its answer alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# After the first failure, the second, and so on; then always the last. Order is kept, so one waits for all.
PAUSES_S = (5, 30, 120, 600, 1_800, 3_600)
# About three days of trying.
MOST_FAILURES = 75
_LONGEST_S = 24 * 3_600
_GONE = 410


@dataclass(frozen=True, slots=True)
class Decision:
    """``delivered``: go on with what is next; ``retry``: the same again after ``wait_s``; ``pause``: until a person
    says so, because of ``reason``.
    """

    kind: Literal["delivered", "retry", "pause"]
    wait_s: int = 0
    reason: str | None = None


def decide(status: int | None, failures: int, retry_after: int | None = None) -> Decision:
    """What to do after an answer (null: there was none) and ``failures`` in a row before it."""
    if status is not None and 200 <= status < 300:
        return Decision("delivered")
    if status == _GONE:
        return Decision("pause", reason="The receiver answered 410 Gone.")
    if failures + 1 >= MOST_FAILURES:
        return Decision("pause", reason=f"{failures + 1} attempts in a row failed.")
    wait = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
    return Decision("retry", wait_s=min(max(wait, retry_after or 0), _LONGEST_S))
