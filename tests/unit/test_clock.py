import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.clock import SystemClock, iso, parse_iso
from provisor.testing.clock import START_MS, SettableClock

# The years 1000 to 9998: text with four digits of a year.
moments = st.integers(min_value=-30_610_224_000_000, max_value=253_370_764_800_000)


@given(moments)
def test_a_moment_survives_being_written_and_read(at: int) -> None:
    assert parse_iso(iso(at)) == at


@given(moments.filter(lambda at: at >= 0), moments.filter(lambda at: at >= 0))
def test_the_order_of_texts_is_the_order_of_time(one: int, other: int) -> None:
    assert (iso(one) < iso(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.001Z", 1),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01", 0),  # without an offset it is UTC
    ],
)
def test_iso_texts_of_several_shapes_are_read(text: str, at: int) -> None:
    assert parse_iso(text) == at


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid isoformat"):
        parse_iso("tomorrow")


def test_the_system_clock_tells_milliseconds() -> None:
    before = time.time() * 1000
    assert before - 1 <= SystemClock().now_ms() <= time.time() * 1000 + 1


def test_a_settable_clock_stands_still_until_told() -> None:
    clock = SettableClock()
    assert clock.now_ms() == START_MS
    clock.advance(1.5)
    assert clock.now_ms() == START_MS + 1500


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="back"):
        SettableClock().advance(-1)


async def test_sleepers_wake_in_the_order_of_their_ends() -> None:
    clock = SettableClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    tasks = [asyncio.create_task(sleeper(name, seconds)) for name, seconds in (("late", 40 * 60), ("soon", 1))]
    while clock.sleepers < 2:
        await asyncio.sleep(0)
    clock.advance(60)
    await tasks[1]
    assert woken == ["soon"]
    clock.advance(40 * 60)
    await tasks[0]
    assert woken == ["soon", "late"]


async def test_a_cancelled_sleeper_does_not_stop_the_clock() -> None:
    clock = SettableClock()
    task = asyncio.create_task(clock.sleep(1))
    while not clock.sleepers:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    clock.advance(2)
    assert clock.sleepers == 0


async def test_a_skipping_clock_moves_by_itself() -> None:
    clock = SettableClock(skipping=True)
    await clock.sleep(30 * 24 * 3600)
    assert clock.now_ms() == START_MS + 30 * 24 * 3600 * 1000
