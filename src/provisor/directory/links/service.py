"""Owners and nested memberships, what everybody else calls."""

from __future__ import annotations

from collections.abc import Sequence

from provisor.clock import Clock
from provisor.directory.links import owners
from provisor.directory.links import store as links
from provisor.directory.model import Member
from provisor.directory.store import DirectoryStore, Reader
from provisor.security.actor import Actor, Right


class Links:
    """Every method raises ``Forbidden`` when the actor may not do it there."""

    def __init__(self, store: DirectoryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def owners(self, actor: Actor, tenant_id: str, group_id: str) -> list[str]:
        """Ids of a group's live owners."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(tenant_id, lambda reader: links.owners(reader, group_id))

    async def owned(self, actor: Actor, tenant_id: str, owner_id: str) -> list[str]:
        """Ids of the live groups that somebody owns."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(tenant_id, lambda reader: links.owned(reader, owner_id))

    async def add_owners(self, actor: Actor, tenant_id: str, group_id: str, ids: Sequence[str]) -> list[str]:
        """The ids of those that were no owners before. Raises ``GroupNotFound``, ``UserNotFound``, ``Conflict``."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        at = self._clock.now_ms()
        return await self._store.write(tenant_id, actor, at, lambda unit: owners.add_owners(unit, group_id, ids))

    async def remove_owner(self, actor: Actor, tenant_id: str, group_id: str, owner_id: str) -> bool:
        """Whether it was an owner. Raises ``GroupNotFound``, ``LastOwner``."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        at = self._clock.now_ms()
        return await self._store.write(tenant_id, actor, at, lambda unit: owners.remove_owner(unit, group_id, owner_id))

    async def groups_above(
        self, actor: Actor, tenant_id: str, member_id: str, *, security_only: bool = False
    ) -> list[str]:
        """Ids of the live groups that an object is in, directly or through other groups."""
        actor.require(Right.DIRECTORY_READ, tenant_id)

        async def work(reader: Reader) -> list[str]:
            found = await links.groups_above(reader, member_id)
            return await links.security_groups(reader, found) if security_only else found

        return await self._store.read(tenant_id, work)

    async def members_below(
        self, actor: Actor, tenant_id: str, group_id: str, after_id: str | None, limit: int
    ) -> list[Member]:
        """The next ``limit`` live members by id, at any depth, each once; null begins at the start."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(
            tenant_id, lambda reader: links.members_below(reader, group_id, after_id or "", limit), long=True
        )
