"""Step escrow: when a failed object is tried again. A pure strategy that returns a decision.

``reference/entra-provisioning-service.md`` section 16 gives 6 h, 12 h, 24 h and then daily for what the target
refuses, and "the next cycle" for what the target's own trouble is. Forty minutes of waiting for a server that was
restarting are one of the field's sins: for those the first attempts are quick and the interval grows up to the cycle's.
"""

from __future__ import annotations

from provisor.provisioning.model import Retry

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000

# The target's own trouble: after the n-th failure in a row.
TRANSIENT = (10 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 40 * MINUTE)
# What the target refuses: measured from the first failure, then daily.
REFUSED = (6 * HOUR, 12 * HOUR, 24 * HOUR)


def decide(*, transient: bool, now: int, attempts: int, failed_first_at: int | None) -> Retry:
    """The next attempt of an object that has now failed; ``attempts`` is the number of failures before this one."""
    first = failed_first_at if failed_first_at is not None else now
    if transient:
        due = now + TRANSIENT[min(attempts, len(TRANSIENT) - 1)]
    elif attempts < len(REFUSED):
        due = max(first + REFUSED[attempts], now + MINUTE)
    else:
        due = now + 24 * HOUR
    return Retry(due_at=due, attempts=attempts + 1, failed_first_at=first)
