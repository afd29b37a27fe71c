"""Step export, before and after each request: no faster than the target likes. 429 is pacing, not failure.

``decide`` is pure: what is known about a request and its last answer in, ``Send``, ``Wait`` or ``GiveUp`` out.
``Pacer`` is shared by everything that talks to one target: one asked-for pause holds back all of its requests.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from provisor.clock import Clock
from provisor.connector.rates import Learnt, after_refusal, after_success
from provisor.connector.width import Answers, Width, adapted

# A target that names a longer wait than this is not believed; it is asked again after that.
MAX_RETRY_AFTER = 3600.0
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_WINDOW_MS = 10_000
# The width is judged by no more answers than these: what comes later may be of another kind.
_LATELY = 64


@dataclass(frozen=True, slots=True)
class Send:
    """Nothing to wait for: send it, or take the answer that is there."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Send after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The wait would be longer than the budget. ``seconds``: what the target asked for, null if it named nothing."""

    seconds: float | None


SEND = Send()

# Turns of the event loop after which a task that was given a place has sent its request.
_TURNS = 2

# Set by whoever may not wait behind the others of its target: who takes access away.
first_in_line: ContextVar[bool] = ContextVar("provisor_first_in_line", default=False)


def decide(
    status: int | None, retry_after: str | None, *, now_ms: int, tries: int, waited: float, budget: float
) -> Send | Wait | GiveUp:
    """What to do with a request after ``status`` came (null: it was not sent yet).

    429, and 503 with ``Retry-After``, ask for a pause: as long as they say, at most an hour; where 429 says nothing,
    1, 2, 4 … 60 seconds by ``tries`` (requests sent so far). ``waited`` and ``budget`` are seconds.
    """
    if status is None or status not in (429, 503) or (status == 503 and retry_after is None):
        return SEND
    asked = retry_after_seconds(retry_after, now_ms)
    if asked is None and status == 503:
        return SEND
    seconds = asked if asked is not None else min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** max(0, min(tries - 1, 10)))
    # A wait of nothing would turn a target that says 0 into a busy loop.
    seconds = max(seconds, 0.1)
    return Wait(seconds) if waited + seconds <= budget else GiveUp(asked)


def retry_after_seconds(value: str | None, now_ms: int) -> float | None:
    """Seconds from a ``Retry-After`` header: a number or an HTTP date (RFC 9110 section 10.2.3); null if neither."""
    text = (value or "").strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), MAX_RETRY_AFTER) if len(text) < 20 else MAX_RETRY_AFTER
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, moment.timestamp() - now_ms / 1000), MAX_RETRY_AFTER)


class Places:
    """So many requests at once. Who waits is served in turn, those that are ``first_in_line`` before all others."""

    def __init__(self, count: int) -> None:
        self._count = count
        # Below zero while there are more requests under way than places.
        self._free = count
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> int:
        """How many are under way."""
        return self._count - self._free

    def resize(self, count: int) -> None:
        """From now on so many. Who has a place keeps it."""
        more, self._count = count - self._count, count
        for _ in range(more):
            self._release()
        if more < 0:
            self._free += more

    async def __aenter__(self) -> None:
        if self._free > 0 and not self._first and not self._others:
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._first if first_in_line.get() else self._others).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._release()  # it was given the place in the same moment
            raise

    async def __aexit__(self, *exception: object) -> None:
        crowded = bool(self._first or self._others)
        self._release()
        if crowded:
            # Whoever was given the place sends first; what the answer means is worked out while that is under way.
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    def _release(self) -> None:
        if self._free < 0:
            self._free += 1
            return
        for waiting in (self._first, self._others):
            while waiting:
                place = waiting.popleft()
                if not place.done():
                    place.set_result(None)
                    return
        self._free += 1


class Pacer:
    """The pace of one target, shared by all who call it.

    ``concurrency``: requests under way at once at most. ``requests_per_second``: null for no limit of rate. ``budget``:
    seconds that one request may wait for pauses that the target asks for, all together.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        concurrency: int = 16,
        requests_per_second: float | None = None,
        budget: float = 300.0,
    ) -> None:
        self.budget = budget
        self.throttled = 0  # answers that asked for a pause, for the status page
        # What it takes as far as was seen: told to people. The pauses that it asks for use more of a steady limit.
        self.learnt = Learnt()
        # Of the rate that is allowed this process takes so much: the others that call the target take the rest.
        self.share = 1.0
        self.used_at = 0  # ms UTC, 0 before the first request
        self._clock = clock
        self._most_at_once = concurrency
        self.width = Width(concurrency)
        self.recalled = False
        self._answers = Answers()
        self._places = Places(concurrency)
        self._most = requests_per_second
        self._next_ms = 0.0
        self._paused_until_ms = 0.0
        # When requests were served, as far back as the window.
        self._served: deque[int] = deque()

    def place(self) -> AbstractAsyncContextManager[None]:
        """One of the places for requests under way; wait here for a free one."""
        return self._places

    async def turn(self) -> None:
        """Wait until no pause holds and the rate allows one more request."""
        self.used_at = self._clock.now_ms()
        while self._paused_until_ms or self.rate is not None:
            now = self._clock.now_ms()
            if now < self._paused_until_ms:
                await self._clock.sleep((self._paused_until_ms - now) / 1000)
                continue
            self._paused_until_ms = 0.0
            # Who is first in line does not wait behind the turns that were promised already; those move on by one.
            slot = max(now, self._next_ms) if not first_in_line.get() else now
            self._next_ms = max(now, self._next_ms) + (1000 / self.rate if self.rate else 0.0)
            if slot > now:
                await self._clock.sleep((slot - now) / 1000)
            if not self._paused_until_ms:
                return

    @property
    def rate(self) -> float | None:
        """Requests a second that this process sends at most: its share of what the profile allows."""
        return self._most * self.share if self._most is not None else None

    def served(self) -> None:
        """A request was answered without a plea for a pause."""
        now = self._clock.now_ms()
        self._served.append(now)
        while now - self._served[0] > _WINDOW_MS:
            self._served.popleft()
        self.learnt = after_success(self.learnt, now=now)

    @property
    def under_way(self) -> int:
        """Requests that have a place."""
        return self._places.taken

    @property
    def is_narrow(self) -> bool:
        """Is it sent fewer at once than its profile allows?"""
        return self.width.at_once < self._most_at_once

    def answered(self, began: int, under_way: int) -> None:
        """A request that left at ``began``, ms UTC, when so many were ``under_way``, was answered now, or given up."""
        if began < self.width.resized_at:
            return
        now = self._clock.now_ms()
        self._answers = self._answers.with_one(now - began, under_way)
        width = adapted(self.width, self._answers, most=self._most_at_once, now=now)
        if width.at_once != self.width.at_once:
            self._resize(width)
            return
        self.width = width
        if self._answers.count >= _LATELY:
            self._answers = Answers()

    def recall(self, width: Width | None) -> None:
        """Go on with what this process knew before it was started anew; null: nothing."""
        self.recalled = True
        if width is not None and self.width.resized_at < width.resized_at:
            self._resize(Width(min(width.at_once, self._most_at_once), width.resized_at))

    def _resize(self, width: Width) -> None:
        self.width, self._answers = width, Answers()
        self._places.resize(width.at_once)

    def pause(self, seconds: float) -> None:
        """Hold back every request of this target for so long, and learn from it how fast it may be asked."""
        now = self._clock.now_ms()
        lately = sum(now - at <= 1_000 for at in self._served)
        seen = max(lately, len(self._served) / (_WINDOW_MS / 1_000))
        self.learnt = after_refusal(self.learnt, now=now, seen=seen / self.share)
        self.throttled += 1
        self._paused_until_ms = max(self._paused_until_ms, self._clock.now_ms() + seconds * 1000)

    @property
    def paused_until_ms(self) -> int | None:
        """Milliseconds UTC until which the target asked for a pause, null when there is none."""
        until = int(self._paused_until_ms)
        return until if until > self._clock.now_ms() else None
