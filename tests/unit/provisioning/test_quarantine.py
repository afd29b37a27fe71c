"""What an error of the whole job leads to."""

from __future__ import annotations

import pytest

from provisor.provisioning import quarantine

NOW = 1_767_225_600_000
MINUTE, HOUR = 60_000, 3_600_000


def entered(before: dict[str, object] | None, reason: str = "EncounteredQuarantineException") -> dict[str, object]:
    return quarantine.enter(before, now=NOW, reason=reason, code="Unauthorized", message="No.", exchange=None)


def test_the_first_attempt_comes_after_five_minutes_and_the_last_ones_daily() -> None:
    story: dict[str, object] | None = None
    waits = []
    for _ in range(6):
        story = entered(story)
        waits.append(int(str(story["nextAttemptAt"])) - NOW)
    assert waits == [5 * MINUTE, 6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR, 24 * HOUR]


def test_the_series_keeps_its_beginning_and_a_new_reason_its_own() -> None:
    first = {**entered(None), "currentBegan": "2025-12-01T00:00:00.000Z", "seriesBegan": "2025-12-01T00:00:00.000Z"}

    same = entered(first)
    assert same["currentBegan"] == same["seriesBegan"] == "2025-12-01T00:00:00.000Z"
    assert same["seriesCount"] == 2

    other = entered(first, "TooManyDeletes")
    assert other["seriesBegan"] == "2025-12-01T00:00:00.000Z"
    assert other["currentBegan"] == "2026-01-01T00:00:00.000Z"


def test_after_four_weeks_the_job_is_disabled() -> None:
    began = {**entered(None), "seriesBegan": "2025-12-04T00:00:00.000Z"}
    story = entered(began)
    assert (story["disabled"], story["nextAttemptAt"], story["nextAttempt"]) == (True, None, None)
    assert "disabled" in str(story["lift"])
    assert entered({**began, "seriesBegan": "2025-12-04T00:00:01.000Z"})["disabled"] is False


# The worked examples of reference section 17, and the edges of each threshold: (failed, references, succeeded).
@pytest.mark.parametrize(
    ("tally", "reason"),
    [
        ((4_000, 0, 0), None),
        ((45_000, 0, 1_000_000), "EncounteredBaseEscrowThreshold"),
        ((30_000, 0, 5_000), "EncounteredEscrowProportionThreshold"),
        ((20_000, 0, 100_000), None),
        ((40_000, 21_000, 1_000_000), "EncounteredTotalEscrowThreshold"),
        ((40_000, 20_000, 1_000_000), None),
        ((0, 60_001, 0), "EncounteredTotalEscrowThreshold"),
        ((4_999, 0, 0), None),
        ((5_000, 0, 0), "EncounteredEscrowProportionThreshold"),
        ((5_000, 0, 7_500), None),
        ((5_001, 0, 7_500), "EncounteredEscrowProportionThreshold"),
        ((40_000, 0, 60_001), None),
        ((40_001, 0, 200_000), "EncounteredBaseEscrowThreshold"),
    ],
)
def test_failures_quarantine_a_job_above_thresholds(tally: tuple[int, int, int], reason: str | None) -> None:
    found = quarantine.exceeded(quarantine.Tally(*tally))
    assert (found[0] if found else None) == reason
