"""Last step of the flow: what becomes of a message that could not be given away. A pure decision."""

from __future__ import annotations

# After the first failure, the second, and so on; then always the last.
PAUSES_S = (30, 120, 600, 1_800, 3_600, 6 * 3_600)
# About five days, as mail servers do.
MOST_FAILURES = 24


def again_in(failures: int, *, permanent: bool) -> int | None:
    """Seconds until the next attempt after so many failures in a row; null: it is given up."""
    if permanent or failures >= MOST_FAILURES:
        return None
    return PAUSES_S[min(failures, len(PAUSES_S)) - 1]
