"""Directory roles in the database."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from provisor.directory.model import User
from provisor.errors import Conflict
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target
from provisor.events.audit.store import record
from provisor.security.actor import Actor, Realm
from provisor.signin.roles.model import RoleGrant
from provisor.storage.database import Database, Tx
from provisor.storage.queries import id_list, named_queries

_SQL = named_queries("provisor.signin.roles")


class _Names(msgspec.Struct, rename="camel"):
    user_principal_name: str
    display_name: str


async def _told(tx: Tx, activity: Activity, user: User, what: Modified, actor: Actor, at: int) -> None:
    target = Target("User", user.id, user.user_principal_name, (what,))
    await record(tx, Realm("tenant", user.tenant_id), [NewEntry(activity, actor, (target,))], at=at)


class RoleStore:
    """Persistence of ``provisor.signin.roles.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def grant(self, user: User, role: str, *, actor: Actor, at: int) -> bool:
        """Store that a person has a role; whether it is new."""
        row = {
            "tenant_id": user.tenant_id,
            "user_id": user.id,
            "role": role,
            "granted_by": actor.subject,
            "granted_at": at,
        }

        async def work(tx: Tx) -> bool:
            new = await tx.execute(_SQL["grant"], row) == 1
            if new:
                await _told(tx, activities.ADD_ROLE, user, Modified("role", None, role), actor, at)
            return new

        return await self._database.write(work)

    async def revoke(self, user: User, role: str, *, last_stays: bool, actor: Actor, at: int) -> bool:
        """Take a role away; whether the person had it. ``last_stays``: raise ``Conflict`` when nobody else has it."""
        row = {"tenant_id": user.tenant_id, "user_id": user.id, "role": role}

        async def work(tx: Tx) -> bool:
            await tx.fetch_one(_SQL["lock_tenant"], {"tenant_id": user.tenant_id})
            gone = await tx.execute(_SQL["revoke"], row) == 1
            others = await tx.fetch_one(_SQL["others"], row)
            if gone and last_stays and (others is None or not others[0]):
                raise Conflict(
                    f"This is the last {role} who can sign in; without one, nobody could give roles any more.",
                    hint="Give the role to somebody else first.",
                )
            if gone:
                await _told(tx, activities.REMOVE_ROLE, user, Modified("role", role, None), actor, at)
            return gone

        return await self._database.write(work)

    async def grants(self, tenant_id: str) -> list[RoleGrant]:
        """Everybody's roles, by name."""

        async def work(tx: Tx) -> list[RoleGrant]:
            found = []
            for user_id, document, role, by, at in await tx.fetch_all(_SQL["grants"], {"tenant_id": tenant_id}):
                names = msgspec.json.decode(document, type=_Names)
                found.append(RoleGrant(user_id, names.user_principal_name, names.display_name, role, by, at))
            return found

        return await self._database.read(work)

    async def holders(self, tenant_id: str, user_ids: Sequence[str]) -> set[str]:
        """Which of these people have a role."""
        params = {"tenant_id": tenant_id, "ids": id_list(user_ids)}

        async def work(tx: Tx) -> set[str]:
            return {row[0] for row in await tx.fetch_all(_SQL["holders"], params)}

        return await self._database.read(work)

    async def roles_of(self, tenant_id: str, user_id: str) -> list[str]:
        """One person's roles, by name."""

        async def work(tx: Tx) -> list[str]:
            rows = await tx.fetch_all(_SQL["roles_of"], {"tenant_id": tenant_id, "user_id": user_id})
            return [row[0] for row in rows]

        return await self._database.read(work)
