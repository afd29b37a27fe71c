"""Beside every step: its lease is kept, and "stop now" is seen, before each request and twice a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import structlog

from provisor.clock import Clock
from provisor.errors import Unavailable
from provisor.provisioning.faults import Stopped
from provisor.provisioning.leases.store import Lease, LeaseLost, LeaseStore
from provisor.provisioning.states.store import JobStates
from provisor.tasks import beside

# How long a lease lasts without a sign of life, in milliseconds. It is longer than a request's timeout, so that no
# request is under way when another worker takes over.
LEASE_MS = 25_000
# A request is sent only if the lease outlives its timeout.
REQUEST_MS = 20_000
RENEW_SECONDS = 3.0
LOOK_SECONDS = 0.5

log = structlog.get_logger(__name__)

# Raises ``LeaseLost`` or ``Stopped`` in tasks of a cycle that may not send any more; clients await it before a request.
before_send: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("provisor_before_send", default=None)
# Clients call it when the target has asked for a pause, so that nothing of the task is under way.
before_wait: ContextVar[Callable[[], None] | None] = ContextVar("provisor_before_wait", default=None)


async def check_before_send() -> None:
    """What the running task has to do before a request; every client of a target is given this."""
    check = before_send.get()
    if check is not None:
        await check()


def tell_before_wait() -> None:
    """The same before a pause."""
    tell = before_wait.get()
    if tell is not None:
        tell()


class Watch:
    """Looks after one step of one job. ``stopped``: a person has said so, and nothing more is sent."""

    def __init__(self, leases: LeaseStore, states: JobStates, clock: Clock, lease: Lease) -> None:
        self.stopped = False
        # Stopped, but only for a moment: somebody asks for the job, and the cycle goes on afterwards.
        self.yields = False
        self._leases = leases
        self._states = states
        self._clock = clock
        self._lease = lease
        self._held_until = clock.now_ms() + LEASE_MS
        # Tasks that send requests -> the loop's time at which the last of them left, 0 where none is under way.
        self._senders: dict[asyncio.Task[Any], float] = {}

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Watch]:
        """For as long as the step lasts."""
        await self._look()
        token, waiting = before_send.set(self._check), before_wait.set(self._waits)
        async with beside(self._renew(), self._keep_looking()):
            try:
                yield self
            finally:
                before_send.reset(token)
                before_wait.reset(waiting)

    def sends(self, task: asyncio.Task[Any]) -> None:
        """This task sends requests; when the job is stopped and none of its is under way, it is cancelled."""
        self._senders[task] = 0.0
        task.add_done_callback(lambda done: self._senders.pop(done, None))

    async def _check(self) -> None:
        if self.stopped:
            raise Stopped
        if self._held_until - self._clock.now_ms() < REQUEST_MS:
            # After a pause or a stall: go on only if nobody has taken over meanwhile.
            await self._look()
            if self.stopped:
                raise Stopped
            if not await self._renewed():
                raise LeaseLost
        task = asyncio.current_task()
        if task in self._senders:
            self._senders[task] = asyncio.get_running_loop().time()

    def _waits(self) -> None:
        task = asyncio.current_task()
        if task in self._senders:
            self._senders[task] = 0.0

    async def _renewed(self) -> bool:
        now = self._clock.now_ms()
        lease = self._lease
        renewed = await self._leases.take_lease(lease.job_id, lease.holder, now=now, until=now + LEASE_MS)
        if renewed is None or renewed.epoch != lease.epoch:
            return False
        self._held_until = now + LEASE_MS
        return True

    async def _renew(self) -> None:
        """Keep the lease while requests are under way; the step itself notices when it is lost."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._renewed()
            except Unavailable:
                # Without renewal the lease runs out, and the check stops the requests.
                log.warning("lease not renewed", job_id=self._lease.job_id)

    async def _look(self) -> None:
        lease = self._lease
        if await self._states.stopped(lease.job_id):
            self.stopped, self.yields = True, False
        elif not self.stopped and await self._leases.wanted(lease.job_id, lease.holder, self._clock.now_ms()):
            self.stopped = self.yields = True

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Unavailable:
                # Without its database the step comes to its end soon enough.
                log.warning("job not looked at", job_id=self._lease.job_id)
            if self.stopped:
                self._cancel_waiting()

    def _cancel_waiting(self) -> None:
        """End the tasks that wait for their turn. A request that has left is let come to its answer or its timeout."""
        over = asyncio.get_running_loop().time() - REQUEST_MS / 1000
        for task, sent in list(self._senders.items()):
            if sent < over:
                task.cancel()
