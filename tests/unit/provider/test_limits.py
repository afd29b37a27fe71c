"""Rates: what passes, what has to wait, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.provider.limits import RateExceeded, RateLimiter, admission
from provisor.provider.model import Principal, RateLimits
from provisor.security.actor import Actor, Realm
from provisor.testing.clock import SettableClock


def caller(key: str = "key", **rates: int) -> Principal:
    return Principal("acme", Actor(Realm("company", "acme"), key, frozenset()), key, "entra", RateLimits(**rates))


def passed(limiter: RateLimiter, who: Principal, requests: int) -> int:
    count = 0
    for _ in range(requests):
        try:
            limiter.admit(who)
        except RateExceeded:
            continue
        count += 1
    return count


def test_without_a_limit_everything_passes(clock: SettableClock) -> None:
    assert passed(RateLimiter(clock), caller(), 1000) == 1000


def test_a_seconds_worth_passes_at_once_and_then_one_each_interval(clock: SettableClock) -> None:
    limiter = RateLimiter(clock)
    assert passed(limiter, caller(credential=25), 100) == 25
    clock.advance(0.04)
    assert passed(limiter, caller(credential=25), 100) == 1
    clock.advance(10)
    assert passed(limiter, caller(credential=25), 100) == 25


def test_a_company_is_limited_over_all_its_credentials_and_each_by_itself(clock: SettableClock) -> None:
    limiter = RateLimiter(clock)
    assert passed(limiter, caller("one", credential=30, company=40), 100) == 30
    assert passed(limiter, caller("two", credential=30, company=40), 100) == 10
    clock.advance(1)
    assert passed(limiter, caller("two", credential=30, company=40), 100) == 30


def test_who_is_refused_is_told_whose_limit_it_is_and_how_long_to_wait(clock: SettableClock) -> None:
    limiter = RateLimiter(clock)
    limiter.admit(caller(company=1))
    with pytest.raises(RateExceeded, match="1 requests a second for this company") as error:
        limiter.admit(caller(company=1))
    assert error.value.retry_after == 1


@given(
    st.integers(min_value=1, max_value=200),
    st.lists(st.integers(min_value=0, max_value=400), min_size=1, max_size=300),
)
def test_no_second_has_more_than_the_burst_and_the_rate(rate: int, gaps: list[int]) -> None:
    now, state, times = 0.0, 0.0, []
    for gap in gaps:
        now += gap
        found = admission(now, state, rate)
        state = found.next_ms
        if not found.wait_ms:
            times.append(now)
    for begin in times:
        assert sum(begin <= at < begin + 1_000 for at in times) <= 2 * rate


@given(st.integers(min_value=1, max_value=200), st.floats(min_value=0, max_value=5_000))
def test_who_waits_as_long_as_told_passes(rate: int, ahead: float) -> None:
    found = admission(10_000.0, 10_000.0 + ahead, rate)
    later = admission(10_000.0 + found.wait_ms + 0.001, found.next_ms if found.wait_ms else 0.0, rate)
    assert later.wait_ms == 0
