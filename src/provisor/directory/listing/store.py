"""Lists for people, their rows."""

from __future__ import annotations

from typing import Any

import msgspec

from provisor.directory.listing.model import DirectorySize, Mark
from provisor.directory.model import Group, User
from provisor.storage.database import Database, Params, Row, Tx
from provisor.storage.queries import named_queries

_sql = named_queries("provisor.directory.listing")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ListingStore:
    """Every method reads one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def users(
        self, tenant_id: str, pattern: str, enabled: bool | None, after: Mark, limit: int
    ) -> list[tuple[User, Mark]]:
        """The next live users, each with the mark that the list goes on after."""
        state = None if enabled is None else int(enabled)
        params = {"pattern": pattern, "state": state, "name": after.key, "after": after.id, "limit": limit}
        rows = await self._all("users_by_name_after", {"tenant_id": tenant_id, **params})
        return [
            (_user(tenant_id, id_, manager, document, version, at, None), Mark(key, id_))
            for id_, key, manager, document, version, at in rows
        ]

    async def groups(self, tenant_id: str, pattern: str, after: Mark, limit: int) -> list[tuple[Group, Mark]]:
        """The next live groups, each with the mark that the list goes on after."""
        params = {"pattern": pattern, "name": after.key, "after": after.id, "limit": limit}
        rows = await self._all("groups_by_name_after", {"tenant_id": tenant_id, **params})
        return [
            (_group(tenant_id, id_, document, version, at, None), Mark(key, id_))
            for id_, key, document, version, at in rows
        ]

    async def deleted_users(self, tenant_id: str, at: int, after: str, limit: int) -> list[User]:
        """Deleted at that moment (and after that id) or before."""
        params = {"tenant_id": tenant_id, "at": at, "after": after, "limit": limit}
        rows = await self._all("deleted_users_before", params)
        return [_user(tenant_id, id_, None, *rest) for id_, *rest in rows]

    async def deleted_groups(self, tenant_id: str, at: int, after: str, limit: int) -> list[Group]:
        """The same of groups."""
        params = {"tenant_id": tenant_id, "at": at, "after": after, "limit": limit}
        return [_group(tenant_id, *row) for row in await self._all("deleted_groups_before", params)]

    async def size(self, tenant_id: str) -> DirectorySize:
        """How many there are."""
        return DirectorySize(*(await self._all("how_many", {"tenant_id": tenant_id}))[0])

    async def _all(self, query: str, params: Params) -> list[Row]:
        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_sql[query], params)

        return await self._database.read(work, long=True)


def _user(
    tenant_id: str, id_: str, manager: str | None, document: str, version: int, created: int, deleted: int | None
) -> User:
    attributes = _decode(document)
    return User(
        id_,
        tenant_id,
        attributes["userPrincipalName"],
        attributes["displayName"],
        attributes["accountEnabled"],
        manager,
        attributes,
        version,
        created,
        deleted,
    )


def _group(tenant_id: str, id_: str, document: str, version: int, created: int, deleted: int | None) -> Group:
    attributes = _decode(document)
    secure = attributes["securityEnabled"]
    return Group(id_, tenant_id, attributes["displayName"], secure, attributes, version, created, deleted)
