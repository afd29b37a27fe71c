"""Owners of groups: what happens to them inside one unit of work. Owners are users; a group may be without any."""

from __future__ import annotations

from collections.abc import Sequence

from provisor.directory import groups, users
from provisor.directory.links import store
from provisor.directory.store import Unit
from provisor.errors import InvalidInput


class LastOwner(InvalidInput):
    """The group must have at least one owner, hence this owner cannot be removed."""


async def add_owners(unit: Unit, group_id: str, ids: Sequence[str]) -> list[str]:
    """The ids of those that were no owners before. Raises ``GroupNotFound``, ``UserNotFound``, ``Conflict``."""
    wanted = list(dict.fromkeys(ids))
    groups.live(await unit.lock_groups([group_id]), group_id)
    found = await unit.lock_users(wanted)
    for id_ in wanted:
        users.live(found, id_)
    present = set(await store.stored_owners(unit, group_id, wanted))
    new = [id_ for id_ in wanted if id_ not in present]
    await store.insert_owners(unit, group_id, new)
    return new


async def remove_owner(unit: Unit, group_id: str, owner_id: str) -> bool:
    """Whether it was an owner. Raises ``GroupNotFound``, ``LastOwner``."""
    groups.live(await unit.lock_groups([group_id]), group_id)
    if not await store.stored_owners(unit, group_id, [owner_id]):
        return False
    if await store.owners(unit, group_id) == [owner_id]:
        raise LastOwner(hint="Add another owner first.")
    await store.delete_owners(unit, group_id, [owner_id])
    return True
