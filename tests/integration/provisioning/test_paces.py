"""What one worker learns of a target's pace all know, also after a restart; what is allowed they share."""

from __future__ import annotations

import pytest

from provisor.app.pacing import exchange
from provisor.connector.paces.store import PaceStore
from provisor.connector.pacing import Pacer
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock

TARGET = "https://app.test/scim"


class Worker:
    """The part of a worker that paces."""

    def __init__(self, clock: SettableClock) -> None:
        self.pacer = Pacer(clock, requests_per_second=20)
        self.pacers = {TARGET: self.pacer}


async def test_workers_know_what_one_of_them_has_learnt_and_share_what_is_allowed(
    database: Database, clock: SettableClock
) -> None:
    store = PaceStore(database)
    one, two = Worker(clock), Worker(clock)
    for worker in (one, two):
        await worker.pacer.turn()
    for _ in range(20):
        one.pacer.served()
    one.pacer.pause(1.0)
    await exchange(one, store, clock, "one")
    await exchange(two, store, clock, "two")
    await exchange(one, store, clock, "one")
    assert [worker.pacer.learnt.rate for worker in (one, two)] == [pytest.approx(19.0)] * 2
    assert [worker.pacer.rate for worker in (one, two)] == [10, 10]
    # Half an hour later the second one is gone: the first has it all.
    clock.advance(1800)
    await one.pacer.turn()
    await exchange(one, store, clock, "one")
    assert one.pacer.rate == 20
    # A worker that starts now knows it before its first refusal.
    fresh = Worker(clock)
    await fresh.pacer.turn()
    await exchange(fresh, store, clock, "fresh")
    assert fresh.pacer.learnt.rate == pytest.approx(19.0)


async def test_what_was_learnt_long_ago_is_forgotten(database: Database, clock: SettableClock) -> None:
    store = PaceStore(database)
    one = Worker(clock)
    await one.pacer.turn()
    one.pacer.served()
    one.pacer.pause(1.0)
    await exchange(one, store, clock, "one")
    clock.advance(8 * 24 * 3600)
    two = Worker(clock)
    await two.pacer.turn()
    await exchange(two, store, clock, "two")
    assert two.pacer.learnt.rate is None
    assert [pace.worker for pace in await store.of(TARGET)] == ["two"]


async def test_a_worker_that_is_started_anew_knows_how_much_at_once_was_too_much(
    database: Database, clock: SettableClock
) -> None:
    store = PaceStore(database)
    one = Worker(clock)
    await exchange(one, store, clock, "one")
    await one.pacer.turn()
    began = clock.now_ms()
    clock.advance(4)
    for _ in range(8):
        one.pacer.answered(began, 16)
    assert one.pacer.width.at_once == 8
    await exchange(one, store, clock, "one")
    assert [pace.at_once for pace in await store.of(TARGET)] == [8]

    again, other = Worker(clock), Worker(clock)
    for worker, name in ((again, "one"), (other, "other")):
        await worker.pacer.turn()
        await exchange(worker, store, clock, name)
    assert again.pacer.width.at_once == 8
    # Of what is under way at once each worker counts its own.
    assert other.pacer.width.at_once == 16
