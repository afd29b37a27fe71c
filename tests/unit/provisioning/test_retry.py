"""When a failed object is tried again: one table, a comment a row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.provisioning.retry import decide

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NOW = 1_767_225_600_000


@pytest.mark.parametrize(
    ("transient", "attempts", "since_first", "wait"),
    [
        (True, 0, 0, 10 * SECOND),  # a server that is just restarting
        (True, 1, 10 * SECOND, 30 * SECOND),
        (True, 3, 5 * MINUTE, 5 * MINUTE),
        (True, 5, HOUR, 40 * MINUTE),  # never longer than a cycle's interval
        (True, 500, DAY, 40 * MINUTE),
        (False, 0, 0, 6 * HOUR),  # refused: reference section 16, counted from the first failure
        (False, 1, 6 * HOUR, 6 * HOUR),
        (False, 2, 12 * HOUR, 12 * HOUR),
        (False, 3, 24 * HOUR, DAY),  # then daily
        (False, 40, 30 * DAY, DAY),
        (False, 1, 20 * HOUR, MINUTE),  # the time has passed already (the worker was away): soon, but not at once
    ],
)
def test_the_next_attempt_comes_after(transient: bool, attempts: int, since_first: int, wait: int) -> None:
    first = NOW - since_first if attempts else None

    decision = decide(transient=transient, now=NOW, attempts=attempts, failed_first_at=first)

    assert decision.due_at == NOW + wait
    assert decision.attempts == attempts + 1
    assert decision.failed_first_at == (first or NOW)


@given(st.booleans(), st.integers(0, 1000), st.integers(0, 60 * DAY))
def test_the_next_attempt_is_always_later_and_within_a_day(transient: bool, attempts: int, age: int) -> None:
    first = NOW - age if attempts else None
    decision = decide(transient=transient, now=NOW, attempts=attempts, failed_first_at=first)
    assert NOW < decision.due_at <= NOW + DAY
