"""Step matching, persistence of what a person has to decide. ``put`` and ``drop`` are part of a batch's one commit."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from provisor.provisioning.decisions.model import Choice, Decision
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning.decisions")


class DecisionStore:
    """The table ``decision``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, job_id: str, source_ids: Sequence[str]) -> dict[str, Decision]:
        """By source id, made or not."""

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(SQL["of"], {"job_id": job_id, "ids": id_list(source_ids)})

        return {row[0]: _decision(row) for row in await self._database.read(work)}

    async def all(self, job_id: str, limit: int, *, decided: bool) -> list[Decision]:
        """What waits, the oldest first; ``decided``: then what was decided and is not carried out yet, or holds on."""

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(SQL["all"], {"job_id": job_id, "limit": limit, "all": decided})

        return [_decision(row) for row in await self._database.read(work)]

    async def count(self, job_id: str) -> int:
        """How many wait."""

        async def work(tx: Tx) -> int:
            row = await tx.fetch_one(SQL["count"], {"job_id": job_id})
            return row[0] if row else 0

        return await self._database.read(work)

    async def decide(
        self, job_id: str, decision: Decision, choice: Choice, target_id: str | None, *, actor: str, now: int
    ) -> None:
        """A person has decided; the object is due."""

        async def work(tx: Tx) -> None:
            at = {"job_id": job_id, "source_id": decision.source_id, "now": now}
            await tx.execute(SQL["decide"], {**at, "choice": choice, "target_id": target_id, "actor": actor})
            await tx.execute(SQL["look_again"], {**at, "object_type": decision.kind})

        await self._database.write(work)


async def put(tx: Tx, job_id: str, decisions: Sequence[Decision], now: int) -> None:
    """These wait for a person."""
    await tx.execute_many(
        SQL["save"],
        [
            {
                "job_id": job_id,
                "source_id": decision.source_id,
                "object_type": decision.kind,
                "display_name": decision.display_name,
                "reason": decision.reason,
                "attribute": decision.attribute,
                "value": decision.value,
                "candidates": msgspec.json.encode(decision.candidates).decode(),
                "now": now,
            }
            for decision in decisions
        ],
    )


async def drop(tx: Tx, job_id: str, source_ids: Sequence[str]) -> None:
    """Nothing is to be decided about these."""
    await tx.execute(SQL["drop"], {"job_id": job_id, "ids": id_list(source_ids)})


def _decision(row: Row) -> Decision:
    source_id, kind, name, reason, attribute, value, candidates, *rest = row
    return Decision(source_id, kind, name, reason, attribute, value, msgspec.json.decode(candidates), *rest)
