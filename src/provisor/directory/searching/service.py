"""Searching, what everybody else calls: pages of users and groups that satisfy a filter, and how many they are."""

from __future__ import annotations

from provisor.directory.model import Group, User
from provisor.directory.searching.model import Page, Position, Query
from provisor.directory.searching.store import SearchStore
from provisor.security.actor import Actor, Right


class Search:
    """Every method raises ``Forbidden`` when the actor may not read the tenant's directory."""

    def __init__(self, store: SearchStore) -> None:
        self._store = store

    async def users(
        self, actor: Actor, tenant_id: str, query: Query, after: Position | None = None, limit: int = 100
    ) -> Page[User]:
        """The next users that are looked for; null begins at the first."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.page(tenant_id, "user", query, after, limit)

    async def groups(
        self, actor: Actor, tenant_id: str, query: Query, after: Position | None = None, limit: int = 100
    ) -> Page[Group]:
        """The same of groups."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.page(tenant_id, "group", query, after, limit)

    async def count_users(self, actor: Actor, tenant_id: str, query: Query) -> int:
        """How many users are looked for."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.count(tenant_id, "user", query)

    async def count_groups(self, actor: Actor, tenant_id: str, query: Query) -> int:
        """The same of groups."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.count(tenant_id, "group", query)
