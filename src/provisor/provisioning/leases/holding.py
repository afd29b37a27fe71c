"""A job's lease for something that a person waits for: provision on demand, an approved plan.

A running cycle gives the job up at the end of its batch, and goes on afterwards; so one object has one writer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from provisor.clock import Clock
from provisor.errors import Conflict, Unavailable
from provisor.ids import new_id
from provisor.provisioning.leases.store import Lease, LeaseLost, LeaseStore
from provisor.provisioning.store import ProvisioningStore
from provisor.provisioning.watch import LEASE_MS, REQUEST_MS, before_send
from provisor.tasks import beside

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.1
RENEW_SECONDS = 3.0
# How long a wish for the lease lasts without being repeated.
WANTED_MS = 5_000


class JobBusy(Conflict):
    """A cycle of this job is sending, and has not come to a place where it can be interrupted."""


@asynccontextmanager
async def holding(
    leases: LeaseStore, store: ProvisioningStore, clock: Clock, job_id: str, purpose: str
) -> AsyncIterator[Lease]:
    """The job is ours for as long as the block lasts. Raises ``JobBusy`` when it does not become free in a minute."""
    holder = f"{purpose}/{new_id()}"
    lease = await _take(leases, clock, job_id, holder)
    until = clock.now_ms() + LEASE_MS

    async def renewed() -> bool:
        nonlocal until
        now = clock.now_ms()
        found = await leases.take_lease(job_id, holder, now=now, until=now + LEASE_MS)
        if found is None or found.epoch != lease.epoch:
            return False
        until = now + LEASE_MS
        return True

    async def check() -> None:
        if until - clock.now_ms() < REQUEST_MS and not await renewed():
            raise LeaseLost

    async def renew() -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(Unavailable):  # without renewal it runs out, and the check stops the requests
                await renewed()

    token = before_send.set(check)
    try:
        async with beside(renew()):
            yield lease
    finally:
        before_send.reset(token)
        await leases.drop_lease(lease)
        # A cycle that gave the job up goes on at once.
        await store.dequeued(job_id)


async def _take(leases: LeaseStore, clock: Clock, job_id: str, holder: str) -> Lease:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WAIT_SECONDS
    while True:
        now = clock.now_ms()
        lease = await leases.take_lease(job_id, holder, now=now, until=now + LEASE_MS)
        if lease is not None:
            return lease
        if loop.time() >= deadline:
            raise JobBusy(hint="Try again in a moment, or pause the job first.")
        await leases.want(job_id, holder, now + WANTED_MS)
        await asyncio.sleep(LOOK_SECONDS)
