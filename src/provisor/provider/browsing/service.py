"""App side, step 2: an administrator looks through the company's users and groups."""

from __future__ import annotations

import re
from collections.abc import Sequence

from provisor.errors import NotFound
from provisor.provider.browsing.model import Line, Lines, Link, Members
from provisor.provider.browsing.store import BrowsingStore
from provisor.scim.schemas import fold
from provisor.security.actor import Actor, Right

PAGE = 50
_PATHS = {"User": ("displayName", "email", "externalId"), "Group": ("externalId",)}
_ID = re.compile(r"[0-9a-f-]{36}")


class Browsing:
    """Lists by name, and one of them with what belongs to it. ``kind``: ``User`` or ``Group``."""

    def __init__(self, store: BrowsingStore) -> None:
        self._store = store

    async def lines(self, actor: Actor, company_id: str, kind: str, text: str = "", after: str = "") -> Lines:
        """A page by name, after the name ``after``; with ``text``, of those that have it in a name, in any case."""
        actor.require(Right.SCIM_READ, company_id)
        if not text:
            return await self._store.page(company_id, kind, after, PAGE)
        return await self._store.search(company_id, kind, fold(text), text, _PATHS[kind], after, PAGE)

    async def line(self, actor: Actor, company_id: str, kind: str, resource_id: str) -> Line:
        """One of them. Raises ``NotFound``."""
        actor.require(Right.SCIM_READ, company_id)
        found = await self._store.line(company_id, kind, resource_id) if _ID.fullmatch(resource_id) else None
        if found is None:
            raise NotFound(f"There is no such {kind.lower()}.", hint="It may have been deleted by its provisioner.")
        return found

    async def groups_of(self, actor: Actor, company_id: str, member_id: str) -> list[Link]:
        """The groups that a user or a group is directly in, by name."""
        actor.require(Right.SCIM_READ, company_id)
        return await self._store.groups_of(company_id, member_id)

    async def members(self, actor: Actor, company_id: str, group_id: str, after: str = "") -> Members:
        """A page of a group's members, in the order in which they came into being."""
        actor.require(Right.SCIM_READ, company_id)
        return await self._store.members(company_id, group_id, after, PAGE)

    async def member_totals(self, actor: Actor, company_id: str, group_ids: Sequence[str]) -> dict[str, int]:
        """How many members each of these groups has; who has none is not there."""
        actor.require(Right.SCIM_READ, company_id)
        return await self._store.member_totals(company_id, group_ids)

    async def names(self, actor: Actor, company_id: str, ids: Sequence[str]) -> dict[str, str]:
        """What these users and groups are called; who is gone is not there."""
        actor.require(Right.SCIM_READ, company_id)
        return await self._store.names(company_id, ids)
