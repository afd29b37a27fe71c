"""What is learnt from refusals, as a table."""

from __future__ import annotations

import pytest

from provisor.connector.rates import FASTEST, SLOWEST, Learnt, after_refusal, after_success, of_all

REFUSALS = [
    # known, now, seen -> the rate afterwards
    (Learnt(), 5_000, 10.0, 9.5),  # what was served before the first refusal
    (Learnt(), 5_000, 0.01, SLOWEST),  # hardly any was: slowly, but never not at all
    (Learnt(20.0, 0, 0), 5_000, 30.0, 19.0),  # never faster than what was refused
    (Learnt(20.0, 0, 0), 5_000, 8.0, 7.6),
    (Learnt(20.0, 4_500, 4_500), 5_000, 8.0, 20.0),  # under way together with the one that was refused before
]


@pytest.mark.parametrize(("known", "now", "seen", "rate"), REFUSALS)
def test_a_refusal_tells_the_limit(known: Learnt, now: int, seen: float, rate: float) -> None:
    assert after_refusal(known, now=now, seen=seen).rate == pytest.approx(rate)


def test_who_served_nothing_teaches_nothing() -> None:
    assert after_refusal(Learnt(), now=5_000, seen=0.0) == Learnt()


def test_a_while_without_refusals_raises_the_rate_until_it_is_none() -> None:
    known = Learnt(100.0, 1_000, 1_000)
    assert after_success(known, now=10_999) == known
    raised = after_success(known, now=11_000)
    assert (raised.rate, raised.raised_at) == (pytest.approx(105.0), 11_000)
    assert after_success(Learnt(FASTEST, 0, 0), now=20_000) == Learnt()
    assert after_success(Learnt(), now=20_000) == Learnt()


def test_of_several_workers_the_latest_refusal_holds() -> None:
    old, new = Learnt(50.0, 1_000, 90_000), Learnt(5.0, 2_000, 2_000)
    assert of_all([old, new, Learnt()]) == new
    assert of_all([]) == Learnt()
