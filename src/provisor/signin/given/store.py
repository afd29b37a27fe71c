"""Given passwords, persistence."""

from __future__ import annotations

from provisor.storage.database import Database, Tx
from provisor.storage.queries import named_queries

_sql = named_queries("provisor.signin.given")


class GivenStore:
    """Writes people's accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give(self, tenant_id: str, user_id: str, password_hash: str, at: int) -> None:
        """A new password from ``at`` (ms UTC) on."""
        row = {"tenant_id": tenant_id, "user_id": user_id, "password_hash": password_hash, "at": at}

        async def work(tx: Tx) -> None:
            await tx.execute(_sql["give_password"], row)

        await self._database.write(work)
