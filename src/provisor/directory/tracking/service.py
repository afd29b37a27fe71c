"""Tracking, what everybody else calls. A reader looks up what changed: it then sees at least what the feed told of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provisor.directory.links import store as links
from provisor.directory.model import Group, MemberType, User
from provisor.directory.store import DirectoryStore, Reader
from provisor.directory.tracking.model import Changes, FeedPruned, changes_of
from provisor.security.actor import Actor, Right

# So many entries of the feed are read for one page.
PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Links:
    """Of some objects, those that are linked now and live, with their types; ``known``: the types of all of them."""

    present: dict[str, MemberType]
    known: dict[str, MemberType]


class Tracking:
    """Every method raises ``Forbidden`` when the actor may not read the tenant's directory."""

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store

    async def head(self, actor: Actor, tenant_id: str) -> int:
        """Where the feed ends now."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.head(tenant_id)

    async def changes(self, actor: Actor, tenant_id: str, after: int, limit: int = PAGE) -> Changes:
        """What the next ``limit`` entries after ``after`` tell. Raises ``FeedPruned`` when some of them are gone."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        # The head first: what it counts is there to be read.
        head = await self._store.head(tenant_id)
        entries = await self._store.changes(tenant_id, after, limit)
        # Numbers have no gaps: the next one is missing only when it was removed, or the database is an older copy.
        is_next = entries[0].seq == after + 1 if entries else head == after
        if not is_next:
            raise FeedPruned
        return changes_of(entries, after, more=len(entries) == limit)

    async def objects(
        self, actor: Actor, tenant_id: str, kind: MemberType, ids: Iterable[str]
    ) -> dict[str, User | Group]:
        """These users, or groups, deleted ones included."""
        actor.require(Right.DIRECTORY_READ, tenant_id)

        async def work(reader: Reader) -> dict[str, User | Group]:
            return dict(await (reader.users(ids) if kind == "User" else reader.groups(ids)))

        return await self._store.read(tenant_id, work)

    async def members(self, actor: Actor, tenant_id: str, group_id: str, ids: Iterable[str]) -> Links:
        """Which of these are members of a group now."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        wanted = list(ids)

        async def work(reader: Reader) -> Links:
            stored = await reader.stored_members(group_id, wanted)
            return await _links(reader, wanted, stored)

        return await self._store.read(tenant_id, work)

    async def owners(self, actor: Actor, tenant_id: str, group_id: str, ids: Iterable[str]) -> Links:
        """Which of these are owners of a group now."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        wanted = list(ids)

        async def work(reader: Reader) -> Links:
            return await _links(reader, wanted, await links.owners(reader, group_id))

        return await self._store.read(tenant_id, work)


async def _links(reader: Reader, wanted: list[str], stored: list[str]) -> Links:
    alive = await reader.kinds(wanted)
    types: dict[str, MemberType] = dict.fromkeys(await reader.users(wanted), "User")
    types |= dict.fromkeys(await reader.groups([id_ for id_ in wanted if id_ not in types]), "Group")
    linked = set(stored)
    return Links({id_: alive[id_] for id_ in wanted if id_ in alive and id_ in linked}, types)
