"""Step export, its pace: what is learnt of targets, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from provisor.connector.paces.model import Pace
from provisor.storage.database import Database, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.connector.paces")


class PaceStore:
    """One row a target and worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def exchange(self, mine: Sequence[Pace], *, forget_before: int) -> dict[str, list[Pace]]:
        """Write down what one worker knows of these targets; what all know of them."""

        async def work(tx: Tx) -> dict[str, list[Pace]]:
            await tx.execute(_SQL["forget_paces"], {"before": forget_before})
            for pace in mine:
                await tx.execute(_SQL["put_pace"], asdict(pace))
            return {pace.target: await _paces(tx, pace.target) for pace in mine}

        return await self._database.write(work)

    async def of(self, target: str) -> list[Pace]:
        """What all workers know of a target."""
        return await self._database.read(lambda tx: _paces(tx, target))


async def _paces(tx: Tx, target: str) -> list[Pace]:
    return [Pace(*row) for row in await tx.fetch_all(_SQL["paces"], {"target": target})]
