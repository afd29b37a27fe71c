"""Step export: what was learnt of targets, written with the batch in which it was seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provisor.provisioning.learning.model import Learnt
from provisor.storage.database import Database, Tx
from provisor.storage.queries import named_queries

SQL = named_queries("provisor.provisioning.learning")
_MOST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """A refusal of a target, how often it was seen, and when first and last (ms UTC)."""

    capability: str
    value: str
    detail: str
    first_at: int
    last_at: int
    times: int


async def save(tx: Tx, job_id: str, learnt: Iterable[Learnt], at: int) -> None:
    """Note what a batch has seen."""
    rows = [
        {
            "job_id": job_id,
            "capability": one.capability,
            "value": one.value,
            "detail": one.detail[:_MOST_WORDS],
            "at": at,
        }
        for one in learnt
    ]
    await tx.execute_many(SQL["save"], rows)


class LearningStore:
    """Reads what was learnt."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seen(self, job_id: str) -> list[Seen]:
        """What the job's target refuses against its profile."""
        params = {"job_id": job_id}
        return [Seen(*row) for row in await self._database.read(lambda tx: tx.fetch_all(SQL["learnt"], params))]
