"""Source of every flow, users: what happens to them inside one unit of work.

A deleted user keeps its memberships and its reports; both are hidden until it is restored, and the feed tells of each
that disappears or comes back. Chains of managers may be circular, as in Entra; only nobody is their own manager.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from provisor.directory.attributes import USER
from provisor.directory.model import RESTORABLE_MS, NewUser, User
from provisor.directory.names import canonical_guid, deleted_upn, is_guest, nickname_of_user, restored_upn, upn_key
from provisor.directory.store import Unit
from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.ids import new_id


class UserNotFound(NotFound):
    """There is no such user in this directory."""


class NameTaken(Conflict):
    """Another user has this user principal name."""


def new_user(tenant_id: str, new: NewUser, at: int) -> User:
    """The user that ``new`` describes, with Entra's defaults. Raises ``InvalidAttributes``, ``InvalidInput``.

    Not given: ``accountEnabled`` is true, ``mailNickname`` what stands before the @, ``userType`` Guest when the name
    is a guest's, else Member. ``mail`` stays empty, as of a person without a mailbox.
    """
    fitted = USER.checked({"accountEnabled": True, **new.attributes}, creating=True)
    upn: str = fitted["userPrincipalName"]
    defaults = {"mailNickname": nickname_of_user(upn), "userType": "Guest" if is_guest(upn) else "Member"}
    attributes = USER.merged(defaults, {name: value for name, value in fitted.items() if value is not None})
    user_id = new_id() if new.id is None else canonical_guid(new.id)
    if user_id is None:
        raise InvalidInput(f"{new.id!r} cannot be the object ID of {upn}.", hint="It is a GUID, or left out.")
    return _with(User(user_id, tenant_id, upn, "", True, None, {}, 1, at), attributes)


async def create(unit: Unit, users: Sequence[User]) -> None:
    """Store new users. Raises ``NameTaken``, and ``Conflict`` for an id that is in use."""
    await _claim_names(unit, users)
    if taken := await unit.users([user.id for user in users]):
        holder = next(iter(taken.values()))
        raise Conflict(f"The object ID {holder.id} belongs to {holder.user_principal_name} already.")
    await unit.insert_users(users)


async def update(unit: Unit, changes: Mapping[str, dict[str, Any]]) -> tuple[dict[str, User], int]:
    """Apply checked changes by user id; the users as they are now, and how many of them are different from before.

    What is as it was already writes nothing. Raises ``UserNotFound``, ``NameTaken``, ``Conflict`` of a deleted user.
    """
    users = await unit.lock_users(changes)
    changed = []
    renamed = []
    for user_id, change in changes.items():
        before = live(users, user_id)
        attributes = USER.merged(before.attributes, change)
        if attributes == before.attributes:
            continue
        users[user_id] = after = _with(before, attributes)
        changed.append(msgspec.structs.replace(after, version=before.version + 1))
        if upn_key(after.user_principal_name) != upn_key(before.user_principal_name):
            renamed.append(after)
    await _claim_names(unit, renamed)
    await unit.save_users(changed)
    return {**users, **{user.id: user for user in changed}}, len(changed)


async def set_managers(unit: Unit, managers: Mapping[str, str | None]) -> int:
    """User id -> manager's id, or null; how many were different before. Raises ``UserNotFound``, ``InvalidInput``."""
    users = await unit.lock_users({*managers, *(manager for manager in managers.values() if manager)})
    different: dict[str, str | None] = {}
    for user_id, manager_id in managers.items():
        user = live(users, user_id)
        if manager_id is not None:
            live(users, manager_id)
        if manager_id == user_id:
            raise InvalidInput(f"{user.user_principal_name} cannot be their own manager.")
        if manager_id != user.manager_id:
            different[user_id] = manager_id
    await unit.set_managers(different, {user_id: users[user_id].manager_id for user_id in different})
    return len(different)


async def delete(unit: Unit, user_id: str) -> User:
    """Move to the deleted items."""
    user = live(await unit.lock_users([user_id]), user_id)
    upn = deleted_upn(user.id, user.user_principal_name)
    gone = _with(user, {**user.attributes, "userPrincipalName": upn})
    gone = msgspec.structs.replace(gone, version=user.version + 1, deleted_at=unit.at)
    unit.note_members(await unit.groups_holding(user_id), [user_id], "removed")
    await unit.touch_reports(user_id)
    await unit.save_users([gone], "deleted")
    return gone


async def restore(unit: Unit, user_id: str) -> User:
    """Bring back from the deleted items, memberships and reports included. Raises ``NameTaken``, ``Conflict``."""
    user = _deleted(await unit.lock_users([user_id]), user_id)
    upn = restored_upn(user.id, user.user_principal_name)
    if user.deleted_at is not None and unit.at - user.deleted_at >= RESTORABLE_MS:
        raise Conflict(f"{upn} was deleted more than 30 days ago and cannot be restored.", hint="Create the user anew.")
    back = _with(user, {**user.attributes, "userPrincipalName": upn})
    back = msgspec.structs.replace(back, version=user.version + 1, deleted_at=None)
    await _claim_names(unit, [back])
    await unit.save_users([back], "restored")
    unit.note_members(await unit.groups_holding(user_id), [user_id], "added")
    await unit.touch_reports(user_id)
    return (await unit.users([user_id]))[user_id]


async def purge(unit: Unit, user_id: str) -> None:
    """Delete for good, with every membership. Raises ``Conflict`` of a live user."""
    _deleted(await unit.lock_users([user_id]), user_id)
    await unit.purge_user(user_id)


def live(users: Mapping[str, User], user_id: str) -> User:
    """The user of this id. Raises ``UserNotFound``, and ``Conflict`` of a deleted one."""
    user = users.get(user_id)
    if user is None:
        raise UserNotFound(f"There is no user with the id {user_id!r} in this directory.")
    if user.deleted_at is not None:
        upn = restored_upn(user.id, user.user_principal_name)
        raise Conflict(f"{upn} ({user.id}) is among the deleted users.", hint="Restore the user first.")
    return user


def _deleted(users: Mapping[str, User], user_id: str) -> User:
    user = users.get(user_id)
    if user is None:
        raise UserNotFound(f"There is no user with the id {user_id!r} in this directory, nor among its deleted users.")
    if user.deleted_at is None:
        raise Conflict(f"{user.user_principal_name} is not deleted.", hint="Only deleted users are restored or purged.")
    return user


def _with(user: User, attributes: dict[str, Any]) -> User:
    return msgspec.structs.replace(
        user,
        user_principal_name=attributes["userPrincipalName"],
        display_name=attributes["displayName"],
        account_enabled=attributes["accountEnabled"],
        attributes=attributes,
    )


async def _claim_names(unit: Unit, users: Sequence[User]) -> None:
    """See that the names of these users are free. Raises ``NameTaken`` with the holder."""
    claims: dict[str, User] = {}
    for user in users:
        key = upn_key(user.user_principal_name)
        if key in claims:
            raise NameTaken(f"Two of these users are to be called {user.user_principal_name}.")
        claims[key] = user
    for key, holder_id in (await unit.upn_holders(claims)).items():
        if holder_id != claims[key].id:
            holder = (await unit.users([holder_id]))[holder_id]
            raise NameTaken(
                f"The name {holder.user_principal_name} belongs to {holder.display_name} ({holder.id}).",
                hint="Rename that user or choose another name.",
            )
