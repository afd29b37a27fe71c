"""The pace of targets, its wiring: all workers of one database know together what each has learnt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import structlog

from provisor.clock import Clock
from provisor.connector.paces.model import Pace
from provisor.connector.paces.store import PaceStore
from provisor.connector.pacing import Pacer
from provisor.connector.rates import Learnt, of_all
from provisor.connector.width import Width
from provisor.tasks import beside

EXCHANGE_SECONDS = 2.0
_FORGET_MS = 7 * 24 * 3_600_000

log = structlog.get_logger(__name__)


class Paced(Protocol):
    """Who has the pacers: the root of a target's address -> its pace in this process."""

    @property
    def pacers(self) -> Mapping[str, Pacer]: ...


@asynccontextmanager
async def sharing_pace(targets: Paced, store: PaceStore, clock: Clock, worker: str) -> AsyncIterator[None]:
    """While the block lasts, what this worker learns is written down, and what the others learnt is taken over."""
    async with beside(_share(targets, store, clock, worker)):
        yield


async def _share(targets: Paced, store: PaceStore, clock: Clock, worker: str) -> None:
    while True:
        try:
            await exchange(targets, store, clock, worker)
        except Exception:
            # The database may be away for a moment: until it is back each worker has what it knows.
            log.exception("paces not shared")
        await clock.sleep(EXCHANGE_SECONDS)


async def exchange(targets: Paced, store: PaceStore, clock: Clock, worker: str) -> None:
    """Once: tell what was learnt, take over what others learnt later, and take one's share."""
    now = clock.now_ms()
    pacers = {target: pacer for target, pacer in targets.pacers.items() if pacer.used_at}
    if not pacers:
        return
    for target, pacer in pacers.items():
        if not pacer.recalled:
            await _recall(target, pacer, store, worker)
    mine = [_pace(target, worker, pacer) for target, pacer in pacers.items()]
    known = await store.exchange(mine, forget_before=now - _FORGET_MS)
    for target, pacer in pacers.items():
        _take_over(pacer, known[target], worker, now)


async def _recall(target: str, pacer: Pacer, store: PaceStore, worker: str) -> None:
    """What this worker knew of the target when it was stopped. Each has a width of its own: what it sends at once is
    what its answers wait behind."""
    for one in await store.of(target):
        if one.worker == worker and one.at_once is not None:
            pacer.recall(Width(one.at_once, one.resized_at))
            return
    pacer.recall(None)


def _take_over(pacer: Pacer, known: Sequence[Pace], worker: str, now: int) -> None:
    others = [Learnt(one.rate, one.refused_at, one.raised_at) for one in known if one.worker != worker]
    pacer.learnt = of_all([pacer.learnt, *others])
    active = sum(one.is_active(now) for one in known)
    pacer.share = 1 / max(active, 1)


def _pace(target: str, worker: str, pacer: Pacer) -> Pace:
    learnt, width = pacer.learnt, pacer.width
    return Pace(
        target,
        worker,
        learnt.rate,
        learnt.refused_at,
        learnt.raised_at,
        pacer.used_at,
        pacer.throttled,
        pacer.paused_until_ms,
        width.at_once if pacer.is_narrow else None,
        width.resized_at,
    )
