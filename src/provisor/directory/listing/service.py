"""Lists for people, their door. Searches find what a name contains, whatever its case; the order is that of names."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from provisor.directory.listing.model import DirectorySize, Mark
from provisor.directory.listing.store import ListingStore
from provisor.directory.model import Group, User
from provisor.directory.names import containing
from provisor.errors import InvalidInput
from provisor.security.actor import Actor, Right

T = TypeVar("T")

_END = 2**62


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list. ``after``: what to ask for the next one with; null on the last page."""

    rows: Sequence[T]
    after: str | None


class Listing:
    """Users and groups of a tenant as people look for them. Methods check the actor's right to read the directory."""

    def __init__(self, store: ListingStore) -> None:
        self._store = store

    async def users(
        self,
        actor: Actor,
        tenant_id: str,
        search: str = "",
        enabled: bool | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Listed[User]:
        """Live users by display name. ``search``: what the display name or the user principal name contains.

        Raises ``InvalidInput`` for an ``after`` that no page gave.
        """
        actor.require(Right.DIRECTORY_READ, tenant_id)
        found = await self._store.users(tenant_id, containing(search), enabled, _mark(after), limit + 1)
        return _page(found, limit)

    async def groups(
        self, actor: Actor, tenant_id: str, search: str = "", after: str | None = None, limit: int = 50
    ) -> Listed[Group]:
        """Live groups by display name. ``search``: what the display name contains."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return _page(await self._store.groups(tenant_id, containing(search), _mark(after), limit + 1), limit)

    async def deleted_users(
        self, actor: Actor, tenant_id: str, after: str | None = None, limit: int = 50
    ) -> Listed[User]:
        """Deleted users, the latest first."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        at, id_ = _moment(after)
        found = await self._store.deleted_users(tenant_id, at, id_, limit + 1)
        return _page([(user, Mark(str(user.deleted_at), user.id)) for user in found], limit)

    async def deleted_groups(
        self, actor: Actor, tenant_id: str, after: str | None = None, limit: int = 50
    ) -> Listed[Group]:
        """Deleted groups, the latest first."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        at, id_ = _moment(after)
        found = await self._store.deleted_groups(tenant_id, at, id_, limit + 1)
        return _page([(group, Mark(str(group.deleted_at), group.id)) for group in found], limit)

    async def size(self, actor: Actor, tenant_id: str) -> DirectorySize:
        """How many users and groups there are."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.size(tenant_id)


def _page(found: Sequence[tuple[T, Mark]], limit: int) -> Listed[T]:
    """One more than ``limit`` was asked for: whether it came says whether there is more."""
    rows = found[:limit]
    after = _text(rows[-1][1]) if len(found) > limit and rows else None
    return Listed([row for row, _ in rows], after)


def _moment(after: str | None) -> tuple[int, str]:
    mark = _mark(after)
    if not mark.key:
        return _END, ""
    if not (mark.key.isascii() and mark.key.isdigit()):
        raise _unusable()
    return int(mark.key), mark.id


def _text(mark: Mark) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode().rstrip("=")


def _mark(after: str | None) -> Mark:
    if not after:
        return Mark()
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)), type=Mark)
    except (ValueError, msgspec.DecodeError) as error:
        raise _unusable() from error


def _unusable() -> InvalidInput:
    return InvalidInput("This list cannot go on from there.", hint="Begin at its first page.")
