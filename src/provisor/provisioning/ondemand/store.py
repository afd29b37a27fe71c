"""One object that a person names: reads that no cycle needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from provisor.provisioning.model import Link, Pending, name_key
from provisor.storage.database import Database, Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning.ondemand")
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class GroupPair:
    """A membership, on either side."""

    member_id: str
    wanted: bool
    acknowledged: bool
    target_id: str | None
    state: str | None
    name: str


@dataclass(frozen=True, slots=True)
class SlotStory:
    """Where an object stands in the queue. ``attempts`` above 0: in escrow."""

    stage: str
    due_at: int
    attempts: int
    failed_first_at: int | None
    error_code: str | None
    error: str | None


class SubjectStore:
    """Reads of links, slots and memberships of one object."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def link_called(self, job_id: str, ref: str) -> Link | None:
        """A linked object by its source's id or the name that it had; ``None`` when there is none."""

        async def work(tx: Tx) -> Link | None:
            params = {"job_id": job_id, "ref": ref, "folded": name_key(ref, ref)}
            row = await tx.fetch_one(SQL["link_called"], params)
            if row is None:
                return None
            return Link(row[0], row[1], row[2], row[3], msgspec.json.decode(row[4]), row[5])

        return await self._database.read(work)

    async def slot(self, job_id: str, source_id: str) -> Pending | None:
        """An object's slot in the queue, if it has one."""

        async def work(tx: Tx) -> Pending | None:
            row = await tx.fetch_one(SQL["slot"], {"job_id": job_id, "source_id": source_id})
            return Pending(*row) if row else None

        return await self._database.read(work)

    async def slot_story(self, job_id: str, source_id: str) -> SlotStory | None:
        """The same, with what it waits for."""

        async def work(tx: Tx) -> SlotStory | None:
            row = await tx.fetch_one(SQL["slot_story"], {"job_id": job_id, "source_id": source_id})
            return SlotStory(*row) if row else None

        return await self._database.read(work)

    async def group_pairs(self, job_id: str, tenant_id: str, group_id: str, after: str) -> list[GroupPair]:
        """The next page of a group's memberships, by member id."""

        async def work(tx: Tx) -> list[GroupPair]:
            params: dict[str, Any] = {
                "job_id": job_id,
                "tenant_id": tenant_id,
                "group_id": group_id,
                "after": after,
                "limit": PAGE,
            }
            rows = await tx.fetch_all(SQL["group_pairs"], params)
            return [GroupPair(r[0], bool(r[1]), bool(r[2]), r[3], r[4], r[5] or "") for r in rows]

        return await self._database.read(work, long=True)

    async def linked_targets(self, job_id: str, target_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Target id -> (source id, name), of those that are linked."""

        async def work(tx: Tx) -> dict[str, tuple[str, str]]:
            params = {"job_id": job_id, "ids": id_list(target_ids)}
            return {row[0]: (row[1], row[2]) for row in await tx.fetch_all(SQL["linked_targets"], params)}

        return await self._database.read(work, long=True)

    async def pairs_waiting(self, job_id: str, source_id: str, limit: int) -> list[tuple[str, str, int]]:
        """Memberships that wait, with this object at either end: (group, member, due time)."""

        async def work(tx: Tx) -> list[tuple[str, str, int]]:
            params = {"job_id": job_id, "id": source_id, "limit": limit}
            return [(row[0], row[1], row[2]) for row in await tx.fetch_all(SQL["pairs_waiting"], params)]

        return await self._database.read(work)
