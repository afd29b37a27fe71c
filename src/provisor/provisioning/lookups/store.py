"""Every step: what it asks of the tables beside its claims. Nothing here is written, but for one successor's id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from provisor.provisioning.leases.store import Lease, keep
from provisor.provisioning.log.model import LogFilter
from provisor.provisioning.log.store import latest_of_job
from provisor.provisioning.model import Escrow, Kind, Link
from provisor.provisioning.quarantine import Tally
from provisor.provisioning.recording.store import slice_of
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning")


class Lookups:
    """Links, queue and window of a job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def link_counts(self, job_id: str) -> dict[str, int]:
        """Linked objects by type."""

        async def work(tx: Tx) -> dict[str, int]:
            return {row[0]: row[1] for row in await tx.fetch_all(SQL["link_counts"], {"job_id": job_id})}

        return await self._database.read(work)

    async def waiting(self, job_id: str) -> int:
        """Objects and memberships that have a slot in the queue, escrowed ones included."""

        async def work(tx: Tx) -> int:
            row = await tx.fetch_one(SQL["pending_count"], {"job_id": job_id})
            return row[0] if row else 0

        return await self._database.read(work)

    async def unfinished(self, job_id: str, now: int) -> int:
        """Objects that the running cycle still has to look at."""

        async def work(tx: Tx) -> int:
            row = await tx.fetch_one(SQL["unfinished_count"], {"job_id": job_id, "now": now})
            return row[0] if row else 0

        return await self._database.read(work)

    async def unmatched(self, job_id: str, kind: Kind) -> int:
        """Objects in the queue that may have to be looked up in the target."""

        async def work(tx: Tx) -> int:
            row = await tx.fetch_one(SQL["unmatched_count"], {"job_id": job_id, "object_type": kind})
            return row[0] if row else 0

        return await self._database.read(work)

    async def holders(self, job_id: str, kind: Kind, target_ids: Sequence[str]) -> dict[str, str]:
        """Target id -> source id of those that are linked."""

        async def work(tx: Tx) -> dict[str, str]:
            params = {"job_id": job_id, "object_type": kind, "ids": id_list(target_ids)}
            return {row[0]: row[1] for row in await tx.fetch_all(SQL["sources_of_targets"], params)}

        return await self._database.read(work)

    async def tally(self, job_id: str, since: int) -> Tally:
        """What thresholds look at: what fails now, as far as it was tried since then, and what has succeeded since."""

        async def work(tx: Tx) -> Tally:
            window = await tx.fetch_one(SQL["window"], {"job_id": job_id, "slice": slice_of(since)})
            escrow = await tx.fetch_one(SQL["escrowed"], {"job_id": job_id})
            if window is None or escrow is None:
                return Tally(0, 0, 0)
            # Each failure since then is counted there, and each failing object here: the smaller number is objects.
            return Tally(min(int(escrow[0]), int(window[2])), int(escrow[1]), int(window[1]))

        return await self._database.read(work)

    async def vanishing(self, job_id: str, since: int) -> tuple[int, int]:
        """How many objects were looked at since then, and how many of them the target no longer had."""

        async def work(tx: Tx) -> tuple[int, int]:
            row = await tx.fetch_one(SQL["window"], {"job_id": job_id, "slice": slice_of(since)})
            return (int(row[0]), int(row[3])) if row else (0, 0)

        return await self._database.read(work)

    async def typical_failure(self, job_id: str) -> tuple[str, str, dict[str, Any] | None]:
        """The commonest error code of what fails, its message, and the newest exchange that had it, if any."""

        async def work(tx: Tx) -> tuple[str, str, dict[str, Any] | None]:
            row = await tx.fetch_one(SQL["escrow_by_code"], {"job_id": job_id})
            if row is None:
                return "InternalError", "", None
            found = await latest_of_job(tx, job_id, LogFilter(status="failure", error_code=row[0]), 1)
            return row[0], row[1] or "", found[0].get("exchange") if found else None

        return await self._database.read(work, long=True)

    async def escrows(self, job_id: str, limit: int) -> list[Escrow]:
        """What failed or waits, with the time of its next attempt, the next first."""

        async def work(tx: Tx) -> list[Escrow]:
            rows = await tx.fetch_all(SQL["escrows"], {"job_id": job_id, "limit": limit})
            return [Escrow(*row) for row in rows]

        return await self._database.read(work)

    async def some_link(self, job_id: str, kind: Kind) -> Link | None:
        """Any linked object of a kind, or ``None``."""

        async def work(tx: Tx) -> Link | None:
            row = await tx.fetch_one(SQL["some_link"], {"job_id": job_id, "object_type": kind})
            return link_of(row) if row else None

        return await self._database.read(work)

    async def acknowledged_members(self, job_id: str, group_id: str) -> set[str]:
        """The target's ids of those who are in a group through us."""

        async def work(tx: Tx) -> set[str]:
            params = {"job_id": job_id, "group_id": group_id}
            return {row[0] for row in await tx.fetch_all(SQL["acknowledged_members"], params)}

        return await self._database.read(work, long=True)

    async def absent(self, tenant_id: str, ids: Sequence[str]) -> set[str]:
        """Those of these that the directory does not have: one statement, so a complete answer."""

        async def work(tx: Tx) -> set[str]:
            params = {"tenant_id": tenant_id, "ids": id_list(ids)}
            present = {row[0] for row in await tx.fetch_all(SQL["present"], params)}
            return set(ids) - present if "" in present else set()

        return await self._database.read(work)

    async def has_slot(self, job_id: str, source_id: str) -> bool:
        """Is the object in the queue?"""

        async def work(tx: Tx) -> bool:
            return await tx.fetch_one(SQL["has_slot"], {"job_id": job_id, "source_id": source_id}) is not None

        return await self._database.read(work)

    async def latest_exchange(self, job_id: str, code: str) -> dict[str, Any] | None:
        """The newest exchange in the log with this error code, if any."""

        async def work(tx: Tx) -> dict[str, Any] | None:
            found = await latest_of_job(tx, job_id, LogFilter(error_code=code), 1)
            return found[0].get("exchange") if found else None

        return await self._database.read(work, long=True)

    async def leavers_watermark(self, job_id: str) -> tuple[int, int]:
        """Up to where the leavers' lane has read the feed, and how far the feed is."""

        async def work(tx: Tx) -> tuple[int, int]:
            row = await tx.fetch_one(SQL["leavers_watermark"], {"job_id": job_id})
            return (int(row[0]), int(row[1])) if row else (0, 0)

        return await self._database.read(work)

    async def save_successor(self, lease: Lease, source_id: str, target_id: str, *, until: int) -> None:
        """The group that is to replace a linked one is there. Raises ``LeaseLost``."""

        async def work(tx: Tx) -> None:
            await keep(tx, lease, until)
            at = {"job_id": lease.job_id, "source_id": source_id}
            await tx.execute(SQL["save_successor"], {**at, "target_id": target_id})
            await tx.execute(SQL["forget_intents"], {"job_id": lease.job_id, "ids": id_list([source_id])})

        await self._database.write(work)


def link_of(row: Row) -> Link:
    """A row of ``links``."""
    source_id, kind, target_id, state, acknowledged, name, successor_id = row
    return Link(source_id, kind, target_id, state, msgspec.json.decode(acknowledged), name, successor_id)


def _loaded(text: str | None) -> Any:
    return msgspec.json.decode(text) if text else None
