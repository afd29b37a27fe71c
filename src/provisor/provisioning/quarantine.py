"""Step quarantine: what errors mean for the whole job, and when it is tried again. Pure decisions.

``reference/entra-provisioning-service.md`` section 17: credentials and incompatibility quarantine at once, failures of
objects above thresholds. The first next attempt comes after five minutes (section 5.6 of the Graph reference), then
6 h, 12 h and daily; after four weeks the job is disabled. What is counted is a sliding window of 24 hours, because
cycles are small where changes leave at once: failures are what is in escrow now, events those and what succeeded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisor.clock import iso, parse_iso

DAY = 24 * 3_600_000
STEPS = (5 * 60_000, 6 * 3_600_000, 12 * 3_600_000, DAY)
DISABLED_AFTER = 28 * DAY
WINDOW = DAY

BASE, SHARE, ABSOLUTE, WITH_REFERENCES = 5_000, 0.4, 40_000, 60_000


@dataclass(frozen=True, slots=True)
class Tally:
    """``failed``: objects in escrow; ``references``: managers and memberships in escrow; ``succeeded``: in 24 hours."""

    failed: int
    references: int
    succeeded: int


def exceeded(tally: Tally) -> tuple[str, str] | None:
    """The quarantine's reason and a sentence, when a threshold is passed; ``None`` when all is within bounds."""
    events = tally.failed + tally.succeeded
    every = tally.failed + tally.references
    if every > WITH_REFERENCES:
        return "EncounteredTotalEscrowThreshold", (
            f"{every} objects and references fail (more than {WITH_REFERENCES} within 24 hours)."
        )
    if tally.failed < BASE:
        return None
    if tally.failed > ABSOLUTE:
        return "EncounteredBaseEscrowThreshold", f"{tally.failed} objects fail (more than {ABSOLUTE} within 24 hours)."
    if tally.failed > SHARE * events:
        return "EncounteredEscrowProportionThreshold", (
            f"{tally.failed} of {events} objects fail (more than {SHARE:.0%} of what was sent within 24 hours)."
        )
    return None


def enter(
    before: Mapping[str, Any] | None,
    *,
    now: int,
    reason: str,
    code: str,
    message: str,
    exchange: Mapping[str, Any] | None,
    lift: str = "Mend the cause, then start the job.",
) -> dict[str, Any]:
    """The quarantine after an error of the whole job: a new one, or the next step of the one that it is in.

    ``nextAttemptAt`` is null, and ``disabled`` true, once it has lasted four weeks. ``lift``: what ends it.
    """
    count = int(before["seriesCount"]) + 1 if before else 1
    began = parse_iso(before["seriesBegan"]) if before else now
    disabled = now - began >= DISABLED_AFTER
    due = None if disabled else now + STEPS[min(count, len(STEPS)) - 1]
    if disabled:
        lift = f"The job is disabled, because this lasts for four weeks. {lift} Then start the job."
    return {
        "reason": reason,
        "currentBegan": before["currentBegan"] if before and before["reason"] == reason else iso(now),
        "seriesBegan": before["seriesBegan"] if before else iso(now),
        "seriesCount": count,
        "nextAttempt": None if due is None else iso(due),
        "nextAttemptAt": due,
        "disabled": disabled,
        "error": {"code": code, "message": message, "tenantActionable": True},
        "exchange": exchange,
        "lift": lift,
    }


def how_to_lift(code: str, hint: str | None) -> str:
    """What ends a quarantine that an error of the whole job began."""
    mend = hint or "Mend the cause."
    return f"{mend} The next attempt that succeeds lifts it; starting the job makes one at once."
