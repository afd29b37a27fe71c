"""What an error of the whole job leads to."""

from __future__ import annotations

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
