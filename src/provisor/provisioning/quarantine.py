"""Step quarantine: what an error means for the whole job. Pure decisions.

``reference/entra-provisioning-service.md`` section 17: credentials and incompatibility quarantine at once; the first
next attempt comes after five minutes (section 5.6 of the Graph reference), then 6 h, 12 h and daily.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.clock import iso

STEPS = (5 * 60_000, 6 * 3_600_000, 12 * 3_600_000, 24 * 3_600_000)


def enter(
    before: Mapping[str, Any] | None,
    *,
    now: int,
    reason: str,
    code: str,
    message: str,
    exchange: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The quarantine after an error of the whole job: a new one, or the next step of the one that it is in."""
    count = int(before["seriesCount"]) + 1 if before else 1
    wait = STEPS[min(count, len(STEPS)) - 1]
    return {
        "reason": reason,
        "currentBegan": before["currentBegan"] if before and before["reason"] == reason else iso(now),
        "seriesBegan": before["seriesBegan"] if before else iso(now),
        "seriesCount": count,
        "nextAttempt": iso(now + wait),
        "nextAttemptAt": now + wait,
        "error": {"code": code, "message": message, "tenantActionable": True},
        "exchange": exchange,
    }
