"""Every step's permission: the lease of a job. Nothing is written on one that another has taken."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.errors import Conflict
from provisor.storage.database import Database, Tx
from provisor.storage.queries import named_queries

SQL = named_queries("provisor.provisioning")


class LeaseLost(Conflict):
    """Another worker has taken this job over; nothing more is written here."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a job. ``epoch`` rises with every change of hands."""

    job_id: str
    holder: str
    epoch: int


class LeaseStore:
    """Takes, drops and frees leases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_lease(self, job_id: str, holder: str, *, now: int, until: int) -> Lease | None:
        """The lease, or ``None`` while another holds it."""

        async def work(tx: Tx) -> Lease | None:
            params = {"job_id": job_id, "holder": holder, "expires_at": until, "now": now}
            row = await tx.fetch_one(SQL["take_lease"], params)
            return Lease(job_id, holder, row[0]) if row else None

        return await self._database.write(work)

    async def want(self, job_id: str, holder: str, until: int) -> None:
        """Ask whoever has the lease to give it to this holder, at the end of the batch that is under way."""

        async def work(tx: Tx) -> None:
            await tx.execute(SQL["want_lease"], {"job_id": job_id, "holder": holder, "until": until})

        await self._database.write(work)

    async def wanted(self, job_id: str, holder: str, now: int) -> bool:
        """Does somebody else ask for it?"""

        async def work(tx: Tx) -> bool:
            params = {"job_id": job_id, "holder": holder, "now": now}
            return await tx.fetch_one(SQL["lease_wanted"], params) is not None

        return await self._database.read(work)

    async def drop_lease(self, lease: Lease) -> None:
        """Give the job back."""

        async def work(tx: Tx) -> None:
            await tx.execute(SQL["drop_lease"], {"job_id": lease.job_id, "holder": lease.holder})

        await self._database.write(work)

    async def drop_leases_of(self, holder: str) -> None:
        """Free what an earlier life of this holder held."""

        async def work(tx: Tx) -> None:
            await tx.execute(SQL["drop_leases_of"], {"holder": holder})

        await self._database.write(work)


async def keep(tx: Tx, lease: Lease, until: int) -> None:
    """Part of every acknowledgement. Raises ``LeaseLost`` unless the lease still holds."""
    params = {"job_id": lease.job_id, "holder": lease.holder, "epoch": lease.epoch, "expires_at": until}
    if await tx.execute(SQL["keep_lease"], params) != 1:
        raise LeaseLost
