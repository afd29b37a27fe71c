"""After a restart: which linked objects are still to be read. Written with the batch that reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from provisor.storage.database import Database, Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning.rechecking")


@dataclass(slots=True)
class Rechecked:
    """What one batch has read: ids, and of groups the target's ids of all members that it shows."""

    done: list[str] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=dict)


class RecheckStore:
    """The table ``recheck``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def asked_of(self, job_id: str, source_ids: Sequence[str]) -> set[str]:
        """Of these objects, those that are to be read in the target."""

        async def work(tx: Tx) -> set[str]:
            rows = await tx.fetch_all(SQL["asked_of"], {"job_id": job_id, "ids": id_list(source_ids)})
            return {row[0] for row in rows}

        return await self._database.read(work)


async def ask(tx: Tx, job_id: str) -> None:
    """Part of a restart: everything that is in the target through this job is read once more."""
    await tx.execute(SQL["ask"], {"job_id": job_id})


async def record(tx: Tx, job_id: str, rechecked: Rechecked, now: int) -> None:
    """Part of a batch's commit, before its memberships."""
    if rechecked.done:
        await tx.execute(SQL["done"], {"job_id": job_id, "ids": id_list(rechecked.done)})
    for group_id, target_ids in rechecked.members.items():
        group = {"job_id": job_id, "group_id": group_id, "ids": id_list(target_ids)}
        await tx.execute(SQL["mark_lost"], {**group, "now": now})
        await tx.execute(SQL["drop_lost"], group)
        await tx.execute(SQL["mark_found"], {**group, "now": now})
        await tx.execute(SQL["add_found"], group)
