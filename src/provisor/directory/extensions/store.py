"""Directory extensions, persistence."""

from __future__ import annotations

from provisor.directory.extensions.model import ExtensionProperty
from provisor.events.audit.model import NewEntry
from provisor.events.audit.store import record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.storage.database import Database, Tx
from provisor.storage.queries import named_queries

_sql = named_queries("provisor.directory.extensions")


class ExtensionStore:
    """Extensions by tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, tenant_id: str) -> list[ExtensionProperty]:
        """Every one of a tenant, the oldest first."""
        rows = await self._database.read(lambda tx: tx.fetch_all(_sql["extensions"], {"tenant_id": tenant_id}))
        return [
            ExtensionProperty(id_, tenant, app_id, name, kind, bool(many), tuple(targets.split(",")), created_at)
            for id_, tenant, app_id, name, kind, many, targets, created_at in rows
        ]

    async def insert(self, new: ExtensionProperty, entry: NewEntry) -> None:
        """Raises ``UniqueViolation`` when the application has one of this name."""
        row = {
            "tenant_id": new.tenant_id,
            "id": new.id,
            "app_id": new.app_id,
            "name": new.name,
            "name_key": new.name.lower(),
            "data_type": new.data_type,
            "is_multi_valued": new.is_multi_valued,
            "target_objects": ",".join(new.target_objects),
            "created_at": new.created_at,
        }

        async def work(tx: Tx) -> None:
            await tx.execute(_sql["insert_extension"], row)
            await record(tx, tenant_realm(new.tenant_id), [entry], at=new.created_at)

        await self._database.write(work)

    async def delete(self, tenant_id: str, id_: str, entry: NewEntry, at: int) -> None:
        """The definition; values are elsewhere."""

        async def work(tx: Tx) -> None:
            await tx.execute(_sql["delete_extension"], {"tenant_id": tenant_id, "id": id_})
            await record(tx, tenant_realm(tenant_id), [entry], at=at)

        await self._database.write(work)
