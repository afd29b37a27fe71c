"""Source of every flow: what everybody else calls. Who may do it is checked here, and every change reaches the feed.

What a reader of the feed may rely on: whatever ``users_by_id``, ``members_after``, ``groups_of`` and ``reports_of``
answer differently after a change, the feed has an entry for it, written in the same transaction. A link (manager,
membership) is seen while both of its ends live; a change that changes nothing writes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from provisor.clock import Clock
from provisor.directory import groups, users
from provisor.directory.attributes import GROUP, USER
from provisor.directory.links import owners as links
from provisor.directory.model import RESTORABLE_MS, Counts, Group, Member, NewUser, Tenant, User
from provisor.directory.names import canonical_guid, check_domain, name_key, upn_key
from provisor.directory.store import DirectoryStore, Reader, Unit
from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.events.model import Change
from provisor.ids import new_id
from provisor.security.actor import Actor, Right

T = TypeVar("T")

# How many objects one unit of work purges: others write in between.
_PURGED_AT_ONCE = 100
_NAMED_IN_ERRORS = 5


# Who of these people of a tenant has a role. Whoever could shut such a person out, or take over the name, would stand
# above the roles: only who gives roles may (Entra's "sensitive actions").
Privileged = Callable[[str, Sequence[str]], Awaitable[set[str]]]
_SENSITIVE = frozenset({"accountEnabled", "userPrincipalName", "mobilePhone", "businessPhones", "otherMails"})


async def _nobody(_tenant_id: str, _ids: Sequence[str]) -> set[str]:
    return set()


class Directory:
    """The directories of all tenants. Every method raises ``Forbidden`` when the actor may not do it there."""

    def __init__(self, store: DirectoryStore, clock: Clock, privileged: Privileged = _nobody) -> None:
        """``privileged``: who of some people has a role; without it nobody has."""
        self._store = store
        self._clock = clock
        self._privileged = privileged

    # Tenants

    async def create_tenant(self, actor: Actor, name: str, domain: str) -> Tenant:
        """A new, empty tenant. Raises ``Conflict`` when the name or the domain is another's, ``InvalidInput``."""
        actor.require(Right.TENANTS_MANAGE)
        if not name.strip():
            raise InvalidInput("A tenant needs a name.")
        tenant = Tenant(new_id(), name.strip(), check_domain(domain), self._clock.now_ms())
        if (holder := await self._store.insert_tenant(tenant, actor)) is not None:
            what = f"domain {holder.domain}" if holder.domain == tenant.domain else f"name {holder.name!r}"
            raise Conflict(f"The {what} belongs to the tenant {holder.name!r} ({holder.id}) already.")
        return tenant

    async def tenants(self, actor: Actor) -> list[Tenant]:
        """Every tenant, the oldest first; for an actor of a tenant only that one."""
        if actor.realm.kind == "system":
            actor.require(Right.TENANTS_MANAGE)
            return await self._store.tenants()
        actor.require(Right.DIRECTORY_READ, actor.realm.id)
        return [tenant for tenant in await self._store.tenants() if tenant.id == actor.realm.id]

    async def find_tenant(self, actor: Actor, ref: str | None) -> Tenant:
        """By id, name or domain; null is the only tenant there is. Raises ``NotFound``, ``InvalidInput``."""
        known = await self.tenants(actor)
        if ref is not None:
            for tenant in known:
                if ref == tenant.id or ref.lower() == tenant.domain or name_key(ref) == name_key(tenant.name):
                    return tenant
            raise NotFound(f"There is no tenant {ref!r}.", hint="provisor tenant list shows all.")
        if not known:
            raise NotFound("There is no tenant yet.", hint="Make one: provisor tenant create NAME --domain DOMAIN.")
        if len(known) > 1:
            names = ", ".join(tenant.name for tenant in known[:_NAMED_IN_ERRORS])
            raise InvalidInput(f"There are {len(known)} tenants ({names}).", hint="Say which one with --tenant.")
        return known[0]

    # Users

    async def create_user(self, actor: Actor, tenant_id: str, attributes: Mapping[str, Any]) -> User:
        """A new user; ``users.new_user`` has the defaults. Raises ``InvalidAttributes``, ``NameTaken``."""
        return (await self.create_users(actor, tenant_id, [NewUser(dict(attributes))]))[0]

    async def create_users(self, actor: Actor, tenant_id: str, new: Sequence[NewUser]) -> list[User]:
        """All of them in one unit of work, or none. About 500 at once is a good number."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        at = self._clock.now_ms()
        made = [users.new_user(tenant_id, one, at) for one in new]
        await self._store.write(tenant_id, actor, at, lambda unit: users.create(unit, made))
        return made

    async def update_user(self, actor: Actor, tenant_id: str, user_id: str, changes: Mapping[str, Any]) -> User:
        """The user afterwards. Null removes an attribute; of a record, parts that are not named stay.

        Raises ``InvalidAttributes``, ``UserNotFound``, ``NameTaken``, ``Conflict`` of a deleted user.
        """
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        checked = USER.checked(changes)
        await self._may_touch(actor, tenant_id, {user_id: checked})
        after, _ = await self._write(actor, tenant_id, lambda unit: users.update(unit, {user_id: checked}))
        return after[user_id]

    async def update_users(self, actor: Actor, tenant_id: str, changes: Mapping[str, Mapping[str, Any]]) -> int:
        """Many at once, by id, in one unit of work; how many are different now. Raises as ``update_user``."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        checked = {user_id: USER.checked(change) for user_id, change in changes.items()}
        await self._may_touch(actor, tenant_id, checked)
        _, changed = await self._write(actor, tenant_id, lambda unit: users.update(unit, checked))
        return changed

    async def delete_user(self, actor: Actor, tenant_id: str, user_id: str) -> User:
        """Move a user to the deleted items, its name prefixed with its id, for 30 days."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        await self._may_touch(actor, tenant_id, {user_id: _SENSITIVE})
        return await self._write(actor, tenant_id, lambda unit: users.delete(unit, user_id))

    async def restore_user(self, actor: Actor, tenant_id: str, user_id: str) -> User:
        """The user as it was. Raises ``NameTaken`` with the present holder, ``Conflict`` after 30 days."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        await self._may_touch(actor, tenant_id, {user_id: _SENSITIVE})
        return await self._write(actor, tenant_id, lambda unit: users.restore(unit, user_id))

    async def purge_user(self, actor: Actor, tenant_id: str, user_id: str) -> None:
        """Delete a deleted user for good."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        await self._may_touch(actor, tenant_id, {user_id: _SENSITIVE})
        await self._write(actor, tenant_id, lambda unit: users.purge(unit, user_id))

    async def _may_touch(self, actor: Actor, tenant_id: str, changes: Mapping[str, Iterable[str]]) -> None:
        """``changes``: user id -> the attributes that change."""
        if Right.ROLES_MANAGE in actor.rights:
            return
        touched = [user_id for user_id, names in changes.items() if not _SENSITIVE.isdisjoint(names)]
        if touched and await self._privileged(tenant_id, touched):
            actor.require(Right.ROLES_MANAGE, tenant_id)

    async def purge_expired(self, actor: Actor, tenant_id: str) -> int:
        """Purge all users and groups that were deleted at least 30 days ago; how many those were."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        before = self._clock.now_ms() - RESTORABLE_MS
        purged = 0
        while count := await self._write(actor, tenant_id, lambda unit: _purge_some(unit, before)):
            purged += count
        return purged

    async def set_manager(self, actor: Actor, tenant_id: str, user_id: str, manager_id: str | None) -> None:
        """Null takes the manager away. Raises ``UserNotFound``, ``Conflict`` of a deleted one, ``InvalidInput``."""
        await self.set_managers(actor, tenant_id, {user_id: manager_id})

    async def set_managers(self, actor: Actor, tenant_id: str, managers: Mapping[str, str | None]) -> int:
        """User id -> manager's id or null, in one unit of work; how many were different before."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        return await self._write(actor, tenant_id, lambda unit: users.set_managers(unit, managers))

    async def find_user(self, actor: Actor, tenant_id: str, ref: str) -> User:
        """By id (deleted ones too), user principal name or display name.

        Raises ``UserNotFound``, and ``Conflict`` when several people have that display name.
        """
        actor.require(Right.DIRECTORY_READ, tenant_id)

        async def work(reader: Reader) -> list[User]:
            guid = canonical_guid(ref)
            found = await reader.users([guid]) if guid else await reader.users_by_upn([upn_key(ref)])
            return list(found.values()) or await reader.users_by_name(ref, _NAMED_IN_ERRORS)

        found = await self._store.read(tenant_id, work)
        if not found:
            raise users.UserNotFound(
                f"There is no user {ref!r} in this directory.",
                hint="Give an id, a user principal name or a display name.",
            )
        if len(found) > 1:
            names = ", ".join(user.user_principal_name for user in found)
            raise Conflict(f"Several people are called {ref!r}: {names}.", hint="Give the user principal name.")
        return found[0]

    async def users_by_id(self, actor: Actor, tenant_id: str, ids: Iterable[str]) -> dict[str, User]:
        """By id, deleted ones included; an id that is no user's is left out."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(tenant_id, lambda reader: reader.users(ids))

    async def users_by_upn(self, actor: Actor, tenant_id: str, upns: Iterable[str]) -> dict[str, User]:
        """Lower-cased user principal name -> live user; a name that nobody has is left out."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(tenant_id, lambda reader: reader.users_by_upn([upn_key(upn) for upn in upns]))

    async def users_after(self, actor: Actor, tenant_id: str, after_id: str | None, limit: int) -> list[User]:
        """The next ``limit`` users by id, live and deleted; null begins at the start."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(tenant_id, lambda reader: reader.users_after(after_id or "", limit))

    async def reports_of(self, actor: Actor, tenant_id: str, manager_ids: Iterable[str]) -> dict[str, list[str]]:
        """Manager's id -> ids of the live direct reports; a manager without any, or deleted, is left out."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return _grouped(await self._store.read(tenant_id, lambda reader: reader.reports(manager_ids)))

    # Groups and members

    async def create_group(
        self,
        actor: Actor,
        tenant_id: str,
        attributes: Mapping[str, Any],
        *,
        members: Sequence[str] = (),
        owners: Sequence[str] = (),
    ) -> Group:
        """A new group with these members and owners, or nothing; ``groups.new_group`` has the defaults.

        Raises ``InvalidAttributes``, ``UserNotFound`` for a member or owner that there is not.
        """
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        at = self._clock.now_ms()
        group = groups.new_group(tenant_id, attributes, at)

        async def work(unit: Unit) -> None:
            await groups.create(unit, group)
            if members:
                await groups.add_members(unit, group.id, members)
            if owners:
                await links.add_owners(unit, group.id, owners)

        await self._store.write(tenant_id, actor, at, work)
        return group

    async def update_group(
        self,
        actor: Actor,
        tenant_id: str,
        group_id: str,
        changes: Mapping[str, Any],
        *,
        members: Sequence[str] = (),
    ) -> Group:
        """The group afterwards; ``members`` come to those that it has.

        Raises ``InvalidAttributes``, ``GroupNotFound``, ``UserNotFound``, ``Conflict`` of a deleted group.
        """
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        checked = GROUP.checked(changes)

        async def work(unit: Unit) -> Group:
            after = await groups.update(unit, group_id, checked)
            if members:
                await groups.add_members(unit, group_id, members)
            return after

        return await self._write(actor, tenant_id, work)

    async def delete_group(self, actor: Actor, tenant_id: str, group_id: str) -> Group:
        """Move a group to the deleted items for 30 days."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        return await self._write(actor, tenant_id, lambda unit: groups.delete(unit, group_id))

    async def restore_group(self, actor: Actor, tenant_id: str, group_id: str) -> Group:
        """The group with its members. Raises ``GroupNotFound``, ``Conflict`` after 30 days."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        return await self._write(actor, tenant_id, lambda unit: groups.restore(unit, group_id))

    async def purge_group(self, actor: Actor, tenant_id: str, group_id: str) -> None:
        """Delete a deleted group for good."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        await self._write(actor, tenant_id, lambda unit: groups.purge(unit, group_id))

    async def add_members(self, actor: Actor, tenant_id: str, group_id: str, ids: Sequence[str]) -> list[str]:
        """Users or groups, all or none; the ids of those that were not members before.

        Raises ``GroupNotFound``, ``UserNotFound``, ``InvalidInput`` for the group itself.
        """
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        return await self._write(actor, tenant_id, lambda unit: groups.add_members(unit, group_id, ids))

    async def remove_members(self, actor: Actor, tenant_id: str, group_id: str, ids: Sequence[str]) -> list[str]:
        """The ids of those that were members before. Raises ``GroupNotFound``."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        return await self._write(actor, tenant_id, lambda unit: groups.remove_members(unit, group_id, ids))

    async def find_group(self, actor: Actor, tenant_id: str, ref: str) -> Group:
        """By id (deleted ones too) or display name. Raises ``GroupNotFound``, ``Conflict`` when several have it."""
        actor.require(Right.DIRECTORY_READ, tenant_id)

        async def work(reader: Reader) -> list[Group]:
            guid = canonical_guid(ref)
            found = await reader.groups([guid]) if guid else {}
            return list(found.values()) or await reader.groups_by_name(ref, _NAMED_IN_ERRORS)

        found = await self._store.read(tenant_id, work)
        if not found:
            raise groups.GroupNotFound(f"There is no group {ref!r} in this directory.", hint="Give an id or a name.")
        if len(found) > 1:
            ids = ", ".join(group.id for group in found)
            raise Conflict(f"Several groups are called {ref!r}: {ids}.", hint="Give the id.")
        return found[0]

    async def groups_by_id(self, actor: Actor, tenant_id: str, ids: Iterable[str]) -> dict[str, Group]:
        """By id, deleted ones included; an id that is no group's is left out."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(tenant_id, lambda reader: reader.groups(ids))

    async def groups_after(self, actor: Actor, tenant_id: str, after_id: str | None, limit: int) -> list[Group]:
        """The next ``limit`` groups by id, live and deleted; null begins at the start."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(tenant_id, lambda reader: reader.groups_after(after_id or "", limit))

    async def members_after(
        self, actor: Actor, tenant_id: str, group_id: str, after_id: str | None, limit: int
    ) -> list[Member]:
        """The next ``limit`` live direct members by id, of a deleted group too; null begins at the start."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(tenant_id, lambda reader: reader.members_after(group_id, after_id or "", limit))

    async def groups_of(self, actor: Actor, tenant_id: str, member_ids: Iterable[str]) -> dict[str, list[str]]:
        """Member's id -> ids of the live groups that it is directly in; who is in none, or deleted, is left out."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return _grouped(await self._store.read(tenant_id, lambda reader: reader.groups_of(member_ids)))

    # The feed, and numbers

    async def changes(self, actor: Actor, tenant_id: str, after: int, limit: int) -> list[Change]:
        """The next ``limit`` entries of the feed after that number; 0 begins at the start."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.changes(tenant_id, after, limit)

    async def head(self, actor: Actor, tenant_id: str) -> int:
        """The number of the feed's last entry, 0 when it is empty."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.head(tenant_id)

    async def counts(self, actor: Actor, tenant_id: str) -> Counts:
        """How many live users, groups and memberships there are; reads them all."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.read(tenant_id, lambda reader: reader.counts(), long=True)

    async def _write(self, actor: Actor, tenant_id: str, work: Callable[[Unit], Awaitable[T]]) -> T:
        return await self._store.write(tenant_id, actor, self._clock.now_ms(), work)


async def _purge_some(unit: Unit, before: int) -> int:
    user_ids = await unit.expired_users(before, _PURGED_AT_ONCE)
    group_ids = await unit.expired_groups(before, _PURGED_AT_ONCE)
    for user_id in user_ids:
        await users.purge(unit, user_id)
    for group_id in group_ids:
        await groups.purge(unit, group_id)
    return len(user_ids) + len(group_ids)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return grouped
