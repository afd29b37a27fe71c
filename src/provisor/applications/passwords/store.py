"""Client secrets, their rows."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from provisor.applications.passwords.model import Password
from provisor.errors import Conflict
from provisor.events.audit import activities
from provisor.events.audit.model import NewEntry, Target, hidden
from provisor.events.audit.store import record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import id_list, named_queries

_QUERIES = named_queries("provisor.applications.passwords")
MOST = 100


class TooManyPasswords(Conflict):
    """The application has too many client secrets."""


class PasswordStore:
    """Reads and writes them. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self, tenant_id: str, holder: Target, app_id: str, password: Password, mac: bytes, *, actor: Actor, at: int
    ) -> None:
        """Write a new one. Raises ``TooManyPasswords``."""

        async def work(tx: Tx) -> None:
            found = await tx.fetch_one(_QUERIES["count"], {"object_id": holder.id})
            if found is not None and found[0] >= MOST:
                raise TooManyPasswords(f"There are {MOST} client secrets already.", hint="Remove those not in use.")
            await tx.execute(
                _QUERIES["insert"],
                {
                    "key_id": password.key_id,
                    "tenant_id": tenant_id,
                    "object_id": holder.id,
                    "app_id": app_id,
                    "display_name": password.display_name,
                    "hint": password.hint,
                    "mac": mac,
                    "start_at": password.start_at,
                    "end_at": password.end_at,
                },
            )
            target = structs.replace(holder, modified_properties=hidden([password.key_id]))
            entry = NewEntry(activities.ADD_PASSWORD, actor, (target,))
            await record(tx, tenant_realm(tenant_id), [entry], at=at)

        await self._database.write(work)

    async def of(self, object_ids: Iterable[str]) -> dict[str, list[Password]]:
        """Object id -> its secrets, the oldest first."""
        params = {"object_ids": id_list(object_ids)}

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["of_objects"], params)

        found: dict[str, list[Password]] = {}
        for object_id, *row in await self._database.read(work):
            found.setdefault(object_id, []).append(Password(*row))
        return found

    async def delete(self, tenant_id: str, holder: Target, key_id: str, *, actor: Actor, at: int) -> bool:
        """False: the object has no such secret."""
        params = {"tenant_id": tenant_id, "object_id": holder.id, "key_id": key_id}

        async def work(tx: Tx) -> bool:
            if await tx.execute(_QUERIES["delete"], params) == 0:
                return False
            target = structs.replace(holder, modified_properties=hidden([key_id], was=True, now=False))
            entry = NewEntry(activities.REMOVE_PASSWORD, actor, (target,))
            await record(tx, tenant_realm(tenant_id), [entry], at=at)
            return True

        return await self._database.write(work)

    async def of_app(self, app_id: str, tenant_id: str, now: int) -> list[tuple[str, bytes]]:
        """Key id and MAC of every secret that an application may use in a tenant now."""
        params = {"app_id": app_id, "tenant_id": tenant_id, "now": now}

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["of_app"], params)

        return [(row[0], bytes(row[1])) for row in await self._database.read(work)]

    async def still_counts(self, key_id: str, now: int) -> bool:
        """Was the secret neither removed nor has it expired?"""

        async def work(tx: Tx) -> bool:
            return await tx.fetch_one(_QUERIES["still_counts"], {"key_id": key_id, "now": now}) is not None

        return await self._database.read(work)
