"""Step export, before it: what a batch is about to change is durable before its first request leaves.

What the next batch still finds here was cut off. Creates have a journal of their own, by which they are found again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from provisor.provisioning.doubts import doubted
from provisor.provisioning.leases.store import Lease, keep
from provisor.storage.database import Database, Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning")


class Flight(msgspec.Struct, frozen=True):
    """``objects``: source id -> the paths that are changed; ``groups``: ids of groups whose members are."""

    objects: Mapping[str, Sequence[str]] = {}
    groups: Sequence[str] = ()

    @property
    def empty(self) -> bool:
        return not self.objects and not self.groups


class FlightStore:
    """The table ``flight``, one row a job and lane. Raises ``LeaseLost``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recover(self, lease: Lease, lane: str, *, until: int) -> bool:
        """Doubt whatever a batch that was cut off may have changed. Whether there was one."""

        async def left(tx: Tx) -> Flight | None:
            row = await tx.fetch_one(SQL["flight"], {"job_id": lease.job_id, "lane": lane})
            return msgspec.json.decode(row[0], type=Flight) if row else None

        flight = await self._database.read(left)
        if flight is None:
            return False
        found = flight

        async def doubt(tx: Tx) -> None:
            await keep(tx, lease, until)
            job = {"job_id": lease.job_id}
            for source_id, *_, acknowledged, _name, _successor in await tx.fetch_all(
                SQL["links"], {**job, "ids": id_list(found.objects)}
            ):
                state = doubted(msgspec.json.decode(acknowledged), found.objects[source_id])
                text = msgspec.json.encode(state).decode()
                await tx.execute(SQL["doubt_link"], {**job, "source_id": source_id, "acknowledged": text})
            if found.groups:
                await tx.execute(SQL["doubt_groups"], {**job, "ids": id_list(found.groups)})
            await tx.execute(SQL["landed"], {**job, "lane": lane})

        await self._database.write(doubt)
        return True


async def take_off(tx: Tx, job_id: str, lane: str, flight: Flight) -> None:
    """Part of the commit before a batch's first request."""
    if not flight.empty:
        content = msgspec.json.encode(flight).decode()
        await tx.execute(SQL["save_flight"], {"job_id": job_id, "lane": lane, "content": content})


async def land(tx: Tx, job_id: str, lane: str) -> None:
    """Part of the commit that records the batch."""
    await tx.execute(SQL["landed"], {"job_id": job_id, "lane": lane})
