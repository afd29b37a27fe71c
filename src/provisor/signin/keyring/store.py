"""The keys that sign tokens, in the database."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.events.audit import activities
from provisor.events.audit.model import NewEntry, Target
from provisor.events.audit.store import record
from provisor.security.actor import Actor, Realm
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.signin.keyring")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as it is stored. ``public``: a JWK as JSON. ``retired_at``: null while it signs."""

    id: str
    tenant_id: str
    public: str
    sealed: bytes
    created_at: int
    retired_at: int | None = None


class KeyStore:
    """Persistence of ``provisor.signin.keyring.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def key(self, key_id: str) -> KeyRow | None:
        """One key by its id."""

        async def work(tx: Tx) -> KeyRow | None:
            row = await tx.fetch_one(_SQL["key"], {"id": key_id})
            return None if row is None else _key(row)

        return await self._database.read(work)

    async def keys(self, tenant_id: str, retired_after: int) -> list[KeyRow]:
        """A tenant's keys that sign, or stopped after ``retired_after``; the newest first."""

        async def work(tx: Tx) -> list[KeyRow]:
            return await _keys(tx, tenant_id, retired_after)

        return await self._database.read(work)

    async def replace(
        self, new: KeyRow, *, made_before: int, retired_before: int, actor: Actor | None = None
    ) -> KeyRow:
        """Make ``new`` the key that signs, unless a present one was made after ``made_before``; the one that signs.

        Keys that were retired before ``retired_before`` are deleted. ``actor``: who wanted that; null: the time did.
        """

        async def work(tx: Tx) -> KeyRow:
            tenant = {"tenant_id": new.tenant_id}
            await tx.fetch_one(_SQL["lock_tenant"], tenant)
            for key in await _keys(tx, new.tenant_id, new.created_at):
                if key.retired_at is None and key.created_at > made_before:
                    return key
            await tx.execute(_SQL["retire"], {**tenant, "at": new.created_at})
            await tx.execute(_SQL["forget"], {**tenant, "retired_before": retired_before})
            row = {
                "id": new.id,
                "public": new.public,
                "sealed": new.sealed,
                "created_at": new.created_at,
            }
            await tx.execute(_SQL["insert"], {**tenant, **row})
            if actor is not None:
                entry = NewEntry(activities.ROTATE_SIGNING_KEY, actor, (Target("SigningKey", new.id),))
                await record(tx, Realm("tenant", new.tenant_id), [entry], at=new.created_at)
            return new

        return await self._database.write(work)


async def _keys(tx: Tx, tenant_id: str, retired_after: int) -> list[KeyRow]:
    rows = await tx.fetch_all(_SQL["keys"], {"tenant_id": tenant_id, "retired_after": retired_after})
    return [_key(row) for row in rows]


def _key(row: Row) -> KeyRow:
    return KeyRow(row[0], row[1], row[2], bytes(row[3]), row[4], row[5])
