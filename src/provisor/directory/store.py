"""Source of every flow, persistence: one transaction on one tenant, and the feed entries that belong to it.

What ``Unit`` changes it also notes; the notes go to the feed as the last statement of the same transaction, so the feed
tells exactly what became visible. Logic is elsewhere (``users.py``, ``groups.py``); here are rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from provisor.directory.audited import MOST_SINGLE, Audited
from provisor.directory.model import Counts, Group, Member, MemberType, Tenant, User
from provisor.directory.names import name_key, upn_key
from provisor.errors import NotFound
from provisor.events.audit import activities
from provisor.events.audit.model import Modified, NewEntry, Target
from provisor.events.audit.store import SYSTEM, record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.events.correlation import correlated, correlation_id
from provisor.events.model import Change, NewChange
from provisor.events.store import FeedStore, append
from provisor.odata.text import fold
from provisor.security.actor import Actor
from provisor.storage.database import Database, Params, Row, Tx, UniqueViolation
from provisor.storage.queries import id_list, named_queries

T = TypeVar("T")

_sql = named_queries("provisor.directory")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
# Columns by which people are looked for, and the attributes that they are made of.
_KEYS = {
    "mail_key": "mail",
    "nickname_key": "mailNickname",
    "employee_id_key": "employeeId",
    "department_key": "department",
}


class Reader:
    """One tenant's directory on one snapshot. Moments are ms UTC; ``after`` is an id, or ``""`` for the first page."""

    def __init__(self, tx: Tx, tenant_id: str) -> None:
        self.tx = tx
        self.tenant_id = tenant_id

    async def users(self, ids: Iterable[str]) -> dict[str, User]:
        return {user.id: user for user in await self._users("users_by_id", {"ids": id_list(ids)})}

    async def users_by_upn(self, keys: Iterable[str]) -> dict[str, User]:
        """By lower-cased name."""
        found = await self._users("users_by_upn", {"keys": id_list(keys)})
        return {upn_key(user.user_principal_name): user for user in found}

    async def users_by_name(self, display_name: str, limit: int) -> list[User]:
        found = await self._users("users_by_name", {"name_key": name_key(display_name), "limit": limit})
        return sorted(found, key=lambda user: user.id)

    async def users_after(self, after: str, limit: int) -> list[User]:
        return await self._users("users_after", {"after": after, "limit": limit})

    async def upn_holders(self, keys: Iterable[str]) -> dict[str, str]:
        """Lower-cased name -> id of the user who has it."""
        return dict(await self._all("upn_holders", {"keys": id_list(keys)}))

    async def reports(self, manager_ids: Iterable[str]) -> list[tuple[str, str]]:
        """Pairs of manager and report."""
        return [(manager, report) for manager, report in await self._all("reports_of", {"ids": id_list(manager_ids)})]

    async def expired_users(self, before: int, limit: int) -> list[str]:
        return [id_ for (id_,) in await self._all("expired_users", {"before": before, "limit": limit})]

    async def groups(self, ids: Iterable[str]) -> dict[str, Group]:
        return {group.id: group for group in await self._groups("groups_by_id", {"ids": id_list(ids)})}

    async def groups_by_name(self, display_name: str, limit: int) -> list[Group]:
        found = await self._groups("groups_by_name", {"name_key": name_key(display_name), "limit": limit})
        return sorted(found, key=lambda group: group.id)

    async def groups_after(self, after: str, limit: int) -> list[Group]:
        return await self._groups("groups_after", {"after": after, "limit": limit})

    async def expired_groups(self, before: int, limit: int) -> list[str]:
        return [id_ for (id_,) in await self._all("expired_groups", {"before": before, "limit": limit})]

    async def kinds(self, ids: Iterable[str]) -> dict[str, MemberType]:
        """Which of these live, and what they are."""
        return dict(await self._all("kinds_of", {"ids": id_list(ids)}))

    async def members_after(self, group_id: str, after: str, limit: int) -> list[Member]:
        rows = await self._all("members_after", {"group_id": group_id, "after": after, "limit": limit})
        return [Member(id_, kind) for id_, kind in rows]

    async def stored_members(self, group_id: str, ids: Iterable[str]) -> list[str]:
        """Which of these are members, those hidden by their deletion included."""
        rows = await self._all("stored_members", {"group_id": group_id, "ids": id_list(ids)})
        return [id_ for (id_,) in rows]

    async def groups_of(self, member_ids: Iterable[str]) -> list[tuple[str, str]]:
        """Pairs of member and group."""
        return [(member, group) for member, group in await self._all("groups_of", {"ids": id_list(member_ids)})]

    async def groups_holding(self, member_id: str) -> list[str]:
        """The live groups in which this object is a member, also while it is deleted."""
        return [group for (group,) in await self._all("groups_holding", {"member_id": member_id})]

    async def counts(self) -> Counts:
        users = await self._all("count_users")
        groups = await self._all("count_groups")
        memberships = await self._all("count_memberships")
        return Counts(users[0][0], groups[0][0], memberships[0][0])

    async def _all(self, query: str, params: Params | None = None) -> list[Row]:
        return await self.tx.fetch_all(_sql[query], {"tenant_id": self.tenant_id, **(params or {})})

    async def _users(self, query: str, params: Params) -> list[User]:
        return [user_of(self.tenant_id, row) for row in await self._all(query, params)]

    async def _groups(self, query: str, params: Params) -> list[Group]:
        return [group_of(self.tenant_id, row) for row in await self._all(query, params)]


class Unit(Reader):
    """A ``Reader`` that writes; ``at`` is the moment of everything that happens in it."""

    def __init__(self, tx: Tx, tenant_id: str, at: int) -> None:
        super().__init__(tx, tenant_id)
        self.at = at
        self.noted: list[NewChange] = []
        self.audited = Audited()

    async def lock_users(self, ids: Iterable[str]) -> dict[str, User]:
        """These users as they stay until the unit ends."""
        wanted = list(ids)
        await self._all("lock_users", {"ids": id_list(wanted)})
        found = await self.users(wanted)
        self.audited.saw(found)
        return found

    async def insert_users(self, users: Sequence[User]) -> None:
        await self.tx.execute_many(_sql["insert_user"], [self._user_row(user) for user in users])
        self._note("User", [user.id for user in users], "created")
        self.audited.users(users, "created")

    async def save_users(self, users: Sequence[User], change: str = "updated") -> None:
        await self.tx.execute_many(_sql["save_user"], [self._user_row(user) for user in users])
        self._note("User", [user.id for user in users], change)
        self.audited.users(users, change)

    async def set_managers(self, managers: dict[str, str | None], before: dict[str, str | None]) -> None:
        """User -> manager, and the manager until now. Raises the users' versions."""
        rows = [self._row(id=user, manager_id=manager, at=self.at) for user, manager in managers.items()]
        await self.tx.execute_many(_sql["set_manager"], rows)
        self._note("User", list(managers), "updated")
        self.noted += [NewChange("Manager", user, "removed", old) for user, old in before.items() if old is not None]
        self.audited.managers(managers)

    async def touch_reports(self, manager_id: str) -> None:
        """This manager is about to be hidden or seen again: its reports change with it."""
        reports = [report for (report,) in await self._all("all_reports_of", {"manager_id": manager_id})]
        await self._run("touch_reports", manager_id=manager_id, at=self.at)
        self._note("User", reports, "updated")
        self.noted += [NewChange("Manager", report, "removed", manager_id) for report in reports]

    async def purge_user(self, user_id: str) -> None:
        await self._run("forget_manager", manager_id=user_id)
        await self._run("forget_member", member_id=user_id)
        await self._run("forget_owner", owner_id=user_id)
        await self._run("delete_user_row", id=user_id)
        self._note("User", [user_id], "purged")
        self.audited.purged("User", user_id)

    async def lock_groups(self, ids: Iterable[str]) -> dict[str, Group]:
        """These groups as they stay until the unit ends; nobody else changes their members meanwhile."""
        wanted = list(ids)
        await self._all("lock_groups", {"ids": id_list(wanted)})
        found = await self.groups(wanted)
        self.audited.saw(found)
        return found

    async def insert_group(self, group: Group) -> None:
        await self.tx.execute(_sql["insert_group"], self._group_row(group))
        self._note("Group", [group.id], "created")
        self.audited.groups([group], "created")

    async def save_group(self, group: Group, change: str = "updated") -> None:
        await self.tx.execute(_sql["save_group"], self._group_row(group))
        self._note("Group", [group.id], change)
        self.audited.groups([group], change)

    async def purge_group(self, group_id: str) -> None:
        await self._run("forget_group", group_id=group_id)
        await self._run("forget_owned", group_id=group_id)
        await self._run("forget_member", member_id=group_id)
        await self._run("delete_group_row", id=group_id)
        self._note("Group", [group_id], "purged")
        self.audited.purged("Group", group_id)

    async def insert_members(self, group_id: str, members: Sequence[Member]) -> None:
        rows = [self._row(group_id=group_id, member_id=member.id, member_type=member.type) for member in members]
        await self.tx.execute_many(_sql["insert_member"], rows)
        self.note_members([group_id], [member.id for member in members], "added")
        await self._name_members([member.id for member in members])
        self.audited.members(group_id, [(member.id, member.type) for member in members], added=True)

    async def delete_members(self, group_id: str, ids: Sequence[str]) -> None:
        rows = [self._row(group_id=group_id, member_id=id_) for id_ in ids]
        await self.tx.execute_many(_sql["delete_member"], rows)
        self.note_members([group_id], ids, "removed")
        await self._name_members(ids)
        self.audited.members(group_id, [(id_, "DirectoryObject") for id_ in ids], added=False)

    async def _name_members(self, ids: Sequence[str]) -> None:
        """For the audit log, where each of so few is told on its own."""
        if 0 < len(ids) <= MOST_SINGLE:
            self.audited.saw(await self.users(ids))
            self.audited.saw(await self.groups(ids))

    def note_members(self, group_ids: Sequence[str], member_ids: Sequence[str], change: str) -> None:
        """Memberships that are seen, or are seen no longer: every one of these members in every one of the groups."""
        self.noted += [
            NewChange(object_type="Member", object_id=group, related_id=member, change=change)
            for group in group_ids
            for member in member_ids
        ]

    def note_owners(self, group_id: str, owner_ids: Sequence[str], *, added: bool) -> None:
        """Owners of a group come or go."""
        change = "added" if added else "removed"
        self.noted += [NewChange("Owner", group_id, change, owner) for owner in owner_ids]
        self.audited.owners(group_id, owner_ids, added=added)

    def _note(self, kind: str, ids: Sequence[str], change: str) -> None:
        self.noted += [NewChange(object_type=kind, object_id=id_, related_id=None, change=change) for id_ in ids]

    async def _run(self, query: str, **params: Any) -> None:
        await self.tx.execute(_sql[query], self._row(**params))

    def _row(self, **values: Any) -> dict[str, Any]:
        return {"tenant_id": self.tenant_id, **values}

    def _user_row(self, user: User) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant_id,
            "id": user.id,
            "upn_key": upn_key(user.user_principal_name),
            "display_name": user.display_name,
            "name_key": name_key(user.display_name),
            "account_enabled": user.account_enabled,
            "document": _encode(user.attributes).decode(),
            "version": user.version,
            "at": self.at,
            "deleted_at": user.deleted_at,
            **{column: _key(user.attributes.get(name)) for column, name in _KEYS.items()},
        }

    def _group_row(self, group: Group) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant_id,
            "id": group.id,
            "display_name": group.display_name,
            "name_key": name_key(group.display_name),
            "security_enabled": group.security_enabled,
            "document": _encode(group.attributes).decode(),
            "version": group.version,
            "at": self.at,
            "deleted_at": group.deleted_at,
        }


class DirectoryStore:
    """The directory in a database; ``feed`` is what it appends to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.feed = FeedStore(database)

    async def read(self, tenant_id: str, work: Callable[[Reader], Awaitable[T]], *, long: bool = False) -> T:
        """Run ``work`` on a consistent snapshot. ``long``: it reads many rows."""
        return await self._database.read(lambda tx: work(Reader(tx, tenant_id)), long=long)

    async def write(self, tenant_id: str, actor: Actor, at: int, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Run ``work`` in a transaction; what it did goes to the audit log and to the feed. Raises ``NotFound`` without
        such a tenant.

        A unique value that another transaction took at the same moment makes it run again: it then sees the holder and
        can say who that is.
        """

        async def whole(tx: Tx) -> T:
            if await tx.fetch_one(_sql["tenant"], {"tenant_id": tenant_id}) is None:
                raise NotFound(f"There is no tenant with the id {tenant_id!r}.", hint="provisor tenant list shows all.")
            unit = Unit(tx, tenant_id, at)
            answer = await work(unit)
            await record(tx, tenant_realm(tenant_id), unit.audited.entries(actor), at=at)
            if unit.noted:
                await append(tx, tenant_id, unit.noted, actor=actor.subject, at=at)
            return answer

        # Both logs have the same id, also where nobody has given one.
        with correlated(correlation_id()):
            try:
                return await self._database.write(whole)
            except UniqueViolation:
                return await self._database.write(whole)

    async def insert_tenant(self, tenant: Tenant, actor: Actor) -> Tenant | None:
        """Store it, unless its name or its domain is taken: then the one that has it."""

        async def work(tx: Tx) -> Tenant | None:
            for row in await tx.fetch_all(_sql["tenants"]):
                known = Tenant(*row)
                if known.domain == tenant.domain or name_key(known.name) == name_key(tenant.name):
                    return known
            await tx.execute(_sql["insert_tenant"], msgspec.structs.asdict(tenant))
            target = Target("Tenant", tenant.id, tenant.name, (Modified("domain", None, tenant.domain),))
            entry = NewEntry(activities.ADD_TENANT, actor, (target,))
            await record(tx, SYSTEM, [entry], at=tenant.created_at)
            return None

        try:
            return await self._database.write(work)
        except UniqueViolation:
            return await self._database.write(work)

    async def tenants(self) -> list[Tenant]:
        return [Tenant(*row) for row in await self._database.read(lambda tx: tx.fetch_all(_sql["tenants"]))]

    async def changes(self, tenant_id: str, after: int, limit: int) -> list[Change]:
        return await self.feed.read(tenant_id, after, limit)

    async def head(self, tenant_id: str) -> int:
        return await self.feed.head(tenant_id)


def _key(value: str | None) -> str | None:
    return None if value is None else fold(value)


def user_of(tenant_id: str, row: Row) -> User:
    """From the columns that the statements of users have in common."""
    id_, manager_id, document, version, created_at, deleted_at = row
    attributes = _decode(document)
    return User(
        id_,
        tenant_id,
        attributes["userPrincipalName"],
        attributes["displayName"],
        attributes["accountEnabled"],
        manager_id,
        attributes,
        version,
        created_at,
        deleted_at,
    )


def group_of(tenant_id: str, row: Row) -> Group:
    """The same of groups."""
    id_, document, version, created_at, deleted_at = row
    attributes = _decode(document)
    return Group(
        id_,
        tenant_id,
        attributes["displayName"],
        attributes["securityEnabled"],
        attributes,
        version,
        created_at,
        deleted_at,
    )
