"""After a cycle: its outcome rows, and the entries about their objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provisor.provisioning.log.blocks import Spot
from provisor.provisioning.log.store import lines_of_cycle, told
from provisor.provisioning.model import Action
from provisor.provisioning.outcomes.model import Outcome
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provisioning.outcomes")
# Which entry tells an outcome: (action, status) of the log. What is not here is told by whatever was written first.
_TELLS: Mapping[str, frozenset[tuple[str, str]]] = {
    Action.CREATED: frozenset({("create", "success")}),
    Action.UPDATED: frozenset({("update", "success")}),
    Action.DISABLED: frozenset({("disable", "success")}),
    Action.DELETED: frozenset({("delete", "success")}),
}
_STATUSES: Mapping[str, str] = {Action.FAILED: "failure", Action.WAITING: "warning"}


class OutcomeStore:
    """Reads one snapshot a call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        job_id: str,
        cycle_id: str,
        *,
        action: str | None,
        reason: str | None,
        kind: str | None,
        after: str,
        limit: int,
    ) -> list[Outcome]:
        """The next objects by source id."""
        wanted = {"job_id": job_id, "cycle_id": cycle_id, "action": action, "reason": reason, "object_type": kind}

        async def work(tx: Tx) -> list[Outcome]:
            rows = await tx.fetch_all(_SQL["outcomes_after"], {**wanted, "after": after, "limit": limit})
            lines: dict[str, list[tuple[Row, Spot]]] = {}
            for block, spot in await lines_of_cycle(tx, job_id, cycle_id, [row[0] for row in rows]):
                lines.setdefault(spot.head.source_id, []).append((block, spot))
            best = {id_: _best(done, lines[id_]) for id_, _, done, _ in rows if id_ in lines}
            entries = dict(zip(best, await told(tx, list(best.values())), strict=True))
            return [Outcome(id_, kind, done, why, entries.get(id_)) for id_, kind, done, why in rows]

        return await self._database.read(work, long=True)


def _best(action: str, lines: Sequence[tuple[Row, Spot]]) -> tuple[Row, Spot]:
    """The line that tells this outcome: an object's first is about itself; those of its manager and members follow."""
    for block, spot in lines:
        head = spot.head
        if (head.action, head.status) in _TELLS.get(action, ()) or head.status == _STATUSES.get(action):
            return block, spot
    return lines[0]
