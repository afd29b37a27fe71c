"""How many requests at once a target gets: against targets that work on a few at a time, or take their time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connector.width import CALM_MS, EARLY_MS, ENOUGH, LATE_MS, PATIENCE_MS, Answers, Width, adapted

MOST = 16
MINUTE = 60_000


def answers(mean: float, at_once: int, count: int = ENOUGH) -> Answers:
    seen = Answers()
    for _ in range(count):
        seen = seen.with_one(mean, at_once)
    return seen


def busy(at_once: int, *, places: int, takes: float) -> float:
    """Milliseconds of an answer of a target that works on so many at a time, and lets the others wait."""
    return takes * max(1.0, at_once / places)


def settled(places: int, takes: float, minutes: int = 9) -> list[int]:
    """The widths over time, one look every ten seconds."""
    width, widths = Width(MOST), []
    for now in range(CALM_MS, minutes * MINUTE, CALM_MS):
        mean = busy(width.at_once, places=places, takes=takes)
        width = adapted(width, answers(mean, width.at_once), most=MOST, now=now)
        widths.append(width.at_once)
    return widths


@pytest.mark.parametrize("places", [1, 2, 4])
def test_a_busy_target_is_sent_what_it_works_on_and_no_queue(places: int) -> None:
    widths = settled(places, 700)
    assert widths[0] == MOST // 2
    answered_within = [busy(width, places=places, takes=700) for width in widths[3:]]
    assert max(answered_within) <= LATE_MS
    # It is never idle for it.
    assert min(widths) >= places


@pytest.mark.parametrize("takes", [LATE_MS + 1, 5_000, 25_000])
def test_a_target_that_takes_its_time_however_few_it_is_sent_keeps_all(takes: float) -> None:
    widths = settled(MOST, takes)
    assert widths[0] == MOST // 2
    assert set(widths[1:]) == {MOST}


@given(st.integers(1, MOST), st.floats(1, EARLY_MS - 1))
def test_a_quick_target_is_left_alone(at_once: int, mean: float) -> None:
    assert adapted(Width(MOST), answers(mean, at_once), most=MOST, now=MINUTE) == Width(MOST)


def test_it_grows_again_when_answers_come_soon_but_not_at_once() -> None:
    narrow = Width(4, MINUTE)
    soon = answers(100, 4)
    assert adapted(narrow, soon, most=MOST, now=MINUTE + CALM_MS - 1) == narrow
    assert adapted(narrow, soon, most=MOST, now=MINUTE + CALM_MS) == Width(5, MINUTE + CALM_MS)
    assert adapted(Width(15), soon, most=MOST, now=MINUTE).at_once == MOST


def test_a_few_answers_say_nothing() -> None:
    assert adapted(Width(MOST), answers(9_000, MOST, ENOUGH - 1), most=MOST, now=MINUTE) == Width(MOST)


def test_requests_one_after_the_other_cannot_be_fewer() -> None:
    assert adapted(Width(MOST), answers(9_000, 1), most=MOST, now=MINUTE) == Width(MOST)


def test_a_target_that_becomes_slower_after_a_step_down_is_not_sent_more() -> None:
    narrow = adapted(Width(MOST), answers(4_000, MOST), most=MOST, now=MINUTE)
    assert narrow.at_once == 8
    better = adapted(narrow, answers(1_500, 8), most=MOST, now=2 * MINUTE)
    assert better.at_once == 8
    # Much later, others keep it busy as well.
    assert adapted(better, answers(1_900, 2), most=MOST, now=60 * MINUTE).at_once == 8
    assert adapted(better, answers(6_000, 8), most=MOST, now=60 * MINUTE).at_once == 4


def test_after_a_while_of_patience_it_is_tried_again() -> None:
    patient = Width(MOST, MINUTE, patient_until=MINUTE + PATIENCE_MS)
    late = answers(8_000, MOST)
    assert adapted(patient, late, most=MOST, now=MINUTE + PATIENCE_MS - 1) == patient
    assert adapted(patient, late, most=MOST, now=MINUTE + PATIENCE_MS).at_once == 8


@given(
    st.integers(1, MOST),
    st.lists(st.tuples(st.floats(0, 30_000), st.integers(1, MOST), st.integers(1, 64)), max_size=30),
)
def test_it_stays_within_what_is_allowed(most: int, story: list[tuple[float, int, int]]) -> None:
    width = Width(most)
    for at, (mean, at_once, count) in enumerate(story):
        width = adapted(width, answers(mean, min(at_once, most), count), most=most, now=at * CALM_MS)
        assert 1 <= width.at_once <= most
