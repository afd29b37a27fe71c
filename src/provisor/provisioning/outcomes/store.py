"""After a cycle: its outcome rows, and the entries about their objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from provisor.provisioning.model import Action
from provisor.provisioning.outcomes.model import Outcome
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import id_list, named_queries

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

        async def work(tx: Tx) -> tuple[list[Row], list[Row]]:
            found = await tx.fetch_all(_SQL["outcomes_after"], {**wanted, "after": after, "limit": limit})
            ids = id_list(row[0] for row in found)
            told = await tx.fetch_all(_SQL["entries_of"], {"job_id": job_id, "ids": ids, "cycle_id": cycle_id})
            return found, told

        rows, told = await self._database.read(work, long=True)
        entries: dict[str, list[Row]] = {}
        for row in told:
            entries.setdefault(row[0], []).append(row)
        return [Outcome(id_, type_, done, why, _best(done, entries.get(id_, ()))) for id_, type_, done, why in rows]


def _best(action: str, rows: Sequence[Row]) -> Mapping[str, Any] | None:
    """The entry that tells this outcome."""
    if not rows:
        return None
    fits = [row for row in rows if (row[1], row[2]) in _TELLS.get(action, ()) or row[2] == _STATUSES.get(action)]
    found: Mapping[str, Any] = msgspec.json.decode((fits or rows)[0][3])
    return found
