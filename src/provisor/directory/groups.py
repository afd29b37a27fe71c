"""Source of every flow, groups and their members: what happens to them inside one unit of work.

Members are users and other groups; groups may contain each other in a circle, as in Entra, but none contains itself.
A deleted group keeps its members; they are hidden until it is restored, and the feed tells of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from provisor.directory.attributes import GROUP
from provisor.directory.model import RESTORABLE_MS, Group, Member
from provisor.directory.names import nickname_of_group
from provisor.directory.store import Unit
from provisor.directory.users import UserNotFound
from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.ids import new_id

_PAGE = 1000


class GroupNotFound(NotFound):
    """There is no such group in this directory."""


def new_group(tenant_id: str, attributes: Mapping[str, Any], at: int) -> Group:
    """The group that the attributes describe. Raises ``InvalidAttributes``.

    Not given: ``securityEnabled`` is true, ``mailEnabled`` false, ``mailNickname`` made from the display name.
    """
    name = attributes.get("displayName")
    nickname = nickname_of_group(name) if isinstance(name, str) else "group"
    defaults = {"mailEnabled": False, "securityEnabled": True, "mailNickname": nickname}
    given = {key: value for key, value in attributes.items() if value is not None}
    fitted = GROUP.merged({}, GROUP.checked({**defaults, **given}, creating=True))
    return _with(Group(new_id(), tenant_id, "", True, {}, 1, at), fitted)


async def create(unit: Unit, group: Group) -> None:
    await unit.insert_group(group)


async def update(unit: Unit, group_id: str, changes: Mapping[str, Any]) -> Group:
    """Apply checked changes; nothing new writes nothing. Raises ``GroupNotFound``, ``Conflict`` of a deleted one."""
    before = live(await unit.lock_groups([group_id]), group_id)
    attributes = GROUP.merged(before.attributes, changes)
    if attributes == before.attributes:
        return before
    after = msgspec.structs.replace(_with(before, attributes), version=before.version + 1)
    await unit.save_group(after)
    return after


async def delete(unit: Unit, group_id: str) -> Group:
    """Move to the deleted items."""
    group = live(await unit.lock_groups([group_id]), group_id)
    await _note_links(unit, group_id, "removed")
    gone = msgspec.structs.replace(group, version=group.version + 1, deleted_at=unit.at)
    await unit.save_group(gone, "deleted")
    return gone


async def restore(unit: Unit, group_id: str) -> Group:
    """Bring back from the deleted items with its members."""
    group = _deleted(await unit.lock_groups([group_id]), group_id)
    if group.deleted_at is not None and unit.at - group.deleted_at >= RESTORABLE_MS:
        raise Conflict(
            f"The group {group.display_name!r} was deleted more than 30 days ago and cannot be restored.",
            hint="Create the group anew.",
        )
    back = msgspec.structs.replace(group, version=group.version + 1, deleted_at=None)
    await unit.save_group(back, "restored")
    await _note_links(unit, group_id, "added")
    return back


async def purge(unit: Unit, group_id: str) -> None:
    """Delete for good, with every membership. Raises ``Conflict`` of a live group."""
    _deleted(await unit.lock_groups([group_id]), group_id)
    await unit.purge_group(group_id)


async def add_members(unit: Unit, group_id: str, ids: Sequence[str]) -> list[str]:
    """The ids of those that were not members before, in the order given.

    Raises ``UserNotFound`` for an id that is no live user or group, ``InvalidInput`` for the group itself.
    """
    group = live(await unit.lock_groups([group_id]), group_id)
    wanted = list(dict.fromkeys(ids))
    if group_id in wanted:
        raise InvalidInput(f"The group {group.display_name!r} cannot be a member of itself.")
    kinds = await unit.kinds(wanted)
    if unknown := [id_ for id_ in wanted if id_ not in kinds]:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise UserNotFound(
            f"No user or group has the id {unknown[0]!r}{more}; nobody was added to {group.display_name!r}."
        )
    present = set(await unit.stored_members(group_id, wanted))
    new = [Member(id_, kinds[id_]) for id_ in wanted if id_ not in present]
    await unit.insert_members(group_id, new)
    return [member.id for member in new]


async def remove_members(unit: Unit, group_id: str, ids: Sequence[str]) -> list[str]:
    """The ids of those that were members, hidden ones included."""
    live(await unit.lock_groups([group_id]), group_id)
    present = await unit.stored_members(group_id, dict.fromkeys(ids))
    await unit.delete_members(group_id, present)
    return present


def live(groups: Mapping[str, Group], group_id: str) -> Group:
    """The group of this id. Raises ``GroupNotFound``, and ``Conflict`` of a deleted one."""
    group = groups.get(group_id)
    if group is None:
        raise GroupNotFound(f"There is no group with the id {group_id!r} in this directory.")
    if group.deleted_at is not None:
        raise Conflict(
            f"The group {group.display_name!r} ({group.id}) is among the deleted groups.", hint="Restore it first."
        )
    return group


def _deleted(groups: Mapping[str, Group], group_id: str) -> Group:
    group = groups.get(group_id)
    if group is None:
        raise GroupNotFound(
            f"There is no group with the id {group_id!r} in this directory, nor among its deleted ones."
        )
    if group.deleted_at is None:
        raise Conflict(
            f"The group {group.display_name!r} is not deleted.", hint="Only deleted groups are restored or purged."
        )
    return group


def _with(group: Group, attributes: dict[str, Any]) -> Group:
    return msgspec.structs.replace(
        group,
        display_name=attributes["displayName"],
        security_enabled=attributes["securityEnabled"],
        attributes=attributes,
    )


async def _note_links(unit: Unit, group_id: str, change: str) -> None:
    """Tell of every membership that is seen or hidden together with this group: its members', and its own."""
    after = ""
    while page := await unit.members_after(group_id, after, _PAGE):
        unit.note_members([group_id], [member.id for member in page], change)
        after = page[-1].id
    unit.note_members(await unit.groups_holding(group_id), [group_id], change)
