"""Directory roles in the database."""

from __future__ import annotations

import msgspec

from provisor.errors import Conflict
from provisor.signin.roles.model import RoleGrant
from provisor.storage.database import Database, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.signin.roles")


class _Names(msgspec.Struct, rename="camel"):
    user_principal_name: str
    display_name: str


class RoleStore:
    """Persistence of ``provisor.signin.roles.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def grant(self, tenant_id: str, user_id: str, role: str, *, by: str, at: int) -> bool:
        """Store that a person has a role; whether it is new."""
        row = {"tenant_id": tenant_id, "user_id": user_id, "role": role, "granted_by": by, "granted_at": at}

        async def work(tx: Tx) -> bool:
            return await tx.execute(_SQL["grant"], row) == 1

        return await self._database.write(work)

    async def revoke(self, tenant_id: str, user_id: str, role: str, *, last_stays: bool) -> bool:
        """Take a role away; whether the person had it. ``last_stays``: raise ``Conflict`` when nobody else has it."""
        row = {"tenant_id": tenant_id, "user_id": user_id, "role": role}

        async def work(tx: Tx) -> bool:
            await tx.fetch_one(_SQL["lock_tenant"], {"tenant_id": tenant_id})
            gone = await tx.execute(_SQL["revoke"], row) == 1
            others = await tx.fetch_one(_SQL["others"], row)
            if gone and last_stays and (others is None or not others[0]):
                raise Conflict(
                    f"This is the last {role} who can sign in; without one, nobody could give roles any more.",
                    hint="Give the role to somebody else first.",
                )
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

    async def roles_of(self, tenant_id: str, user_id: str) -> list[str]:
        """One person's roles, by name."""

        async def work(tx: Tx) -> list[str]:
            rows = await tx.fetch_all(_SQL["roles_of"], {"tenant_id": tenant_id, "user_id": user_id})
            return [row[0] for row in rows]

        return await self._database.read(work)
