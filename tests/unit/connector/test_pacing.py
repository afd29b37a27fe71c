"""Pacing: what 429 and Retry-After lead to, and that one pause holds back everybody."""

from __future__ import annotations

import asyncio

import pytest

from provisor.connector.pacing import SEND, GiveUp, Pacer, Places, Send, Wait, decide, retry_after_seconds
from provisor.testing.clock import START_MS, SettableClock

IN_90_SECONDS = "Thu, 01 Jan 2026 00:01:30 GMT"

DECISIONS = [
    # status, Retry-After, tries, waited so far, decision within a budget of 300 s
    (None, None, 0, 0, SEND),  # not sent yet
    (200, "5", 1, 0, SEND),  # only refusals ask for a pause
    (500, "5", 1, 0, SEND),
    (503, None, 1, 0, SEND),  # down, not busy: a failure
    (503, "soon", 1, 0, SEND),
    (503, "7", 1, 0, Wait(7)),
    (429, "7", 1, 0, Wait(7)),
    (429, "0", 1, 0, Wait(0.1)),  # never a busy loop
    (429, "1.5", 1, 0, Wait(1.5)),
    (429, IN_90_SECONDS, 1, 0, Wait(90)),
    (429, "Thu, 01 Jan 2015 00:00:00 GMT", 1, 0, Wait(0.1)),  # a date that is past
    (429, None, 1, 0, Wait(1)),
    (429, None, 2, 0, Wait(2)),
    (429, None, 5, 0, Wait(16)),
    (429, "", 40, 0, Wait(60)),
    (429, "-3", 1, 0, Wait(1)),  # nonsense is like nothing
    (429, "301", 1, 0, GiveUp(301)),  # longer than the budget: no use in waiting for a part of it
    (429, "10", 3, 295, GiveUp(10)),
    (429, "5", 3, 295, Wait(5)),
    (429, None, 9, 299, GiveUp(None)),
    (429, "999999999", 1, 0, GiveUp(3600)),  # nobody is believed to need more than an hour
    (429, "9" * 400, 1, 0, GiveUp(3600)),
]


@pytest.mark.parametrize(("status", "header", "tries", "waited", "decision"), DECISIONS)
def test_what_an_answer_leads_to(
    status: int | None, header: str | None, tries: int, waited: float, decision: Send | Wait | GiveUp
) -> None:
    assert decide(status, header, now_ms=START_MS, tries=tries, waited=waited, budget=300) == decision


def test_a_date_without_zone_is_utc() -> None:
    assert retry_after_seconds("Thu, 01 Jan 2026 00:00:10 -0000", START_MS) == 10


async def test_a_pause_holds_back_every_request() -> None:
    clock = SettableClock()
    pacer = Pacer(clock)
    pacer.pause(30)
    tasks = [asyncio.create_task(pacer.turn()) for _ in range(3)]
    await asyncio.sleep(0)

    clock.advance(29)
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    assert pacer.paused_until_ms == START_MS + 30_000

    clock.advance(1)
    await asyncio.gather(*tasks)
    assert pacer.paused_until_ms is None


async def test_a_longer_pause_is_not_cut_short_by_a_shorter_one() -> None:
    clock = SettableClock(skipping=True)
    pacer = Pacer(clock)
    pacer.pause(30)
    pacer.pause(5)

    await pacer.turn()

    assert clock.now_ms() == START_MS + 30_000
    assert pacer.throttled == 2


async def test_a_rate_spaces_requests_evenly() -> None:
    clock = SettableClock(skipping=True)
    pacer = Pacer(clock, requests_per_second=4)
    times = []
    for _ in range(5):
        await pacer.turn()
        times.append(clock.now_ms() - START_MS)

    assert times == [0, 250, 500, 750, 1000]


async def test_time_that_was_not_used_is_not_saved_up_for_a_burst() -> None:
    clock = SettableClock(skipping=True)
    pacer = Pacer(clock, requests_per_second=1)
    await pacer.turn()
    clock.advance(100)
    await pacer.turn()
    before = clock.now_ms()
    await pacer.turn()

    assert clock.now_ms() - before == 1000


async def test_only_so_many_requests_are_under_way_at_once() -> None:
    pacer = Pacer(SettableClock(), concurrency=2)
    running = most = 0

    async def request() -> None:
        nonlocal running, most
        async with pacer.place():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(request() for _ in range(10)))

    assert most == 2


async def test_a_target_that_works_on_few_at_a_time_is_sent_fewer_at_once() -> None:
    clock = SettableClock()
    pacer = Pacer(clock, concurrency=16)
    waits: list[float] = []
    lane = asyncio.Lock()  # the target does one thing at a time

    async def request() -> None:
        async with pacer.place():
            began, under_way = clock.now_ms(), pacer.under_way
            async with lane:
                await clock.sleep(0.5)
            pacer.answered(began, under_way)
            waits.append((clock.now_ms() - began) / 1000)

    tasks = [asyncio.create_task(request()) for _ in range(120)]
    while not all(task.done() for task in tasks):
        for _ in range(5):
            await asyncio.sleep(0)
        clock.advance(0.5)

    assert max(waits[:16]) == 8.0
    assert max(waits[-40:]) <= 2.0
    assert pacer.is_narrow
    # It was never idle: one answer each half second.
    assert clock.now_ms() - START_MS <= 121 * 500


async def test_who_has_a_place_keeps_it_when_there_are_fewer_and_more_are_given_out_at_once() -> None:
    places = Places(4)
    done = [asyncio.Event() for _ in range(8)]

    async def hold(event: asyncio.Event) -> None:
        async with places:
            await event.wait()

    async def settle() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(hold(event)) for event in done]
    await settle()
    places.resize(2)
    assert places.taken == 4
    for event in done[:2]:
        event.set()
    await settle()
    assert places.taken == 2  # nobody has followed
    done[2].set()
    await settle()
    assert places.taken == 2  # one has
    places.resize(5)
    await settle()
    assert places.taken == 5
    for event in done:
        event.set()
    await asyncio.gather(*tasks)
    assert places.taken == 0
