"""For tests: time that passes when it is told to."""

from __future__ import annotations

import asyncio
import heapq
import itertools

# 2026-01-01T00:00:00Z, a Thursday.
START_MS = 1_767_225_600_000


class SettableClock:
    """The twin of ``clock.SystemClock``. ``skipping``: a sleep does not wait, but moves the clock and returns."""

    def __init__(self, at_ms: int = START_MS, *, skipping: bool = False) -> None:
        self.skipping = skipping
        self._now = at_ms
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass; whose sleep has ended by then wakes, the earliest first. Raises ``ValueError`` below 0."""
        if seconds < 0:
            raise ValueError("Time does not go back.")
        self._now += round(seconds * 1000)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    @property
    def sleepers(self) -> int:
        """How many tasks are asleep: what a test waits for before it lets time pass."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        if self.skipping:
            self.advance(max(seconds, 0))
        if self.skipping or seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + round(seconds * 1000), next(self._order), future))
        await future
