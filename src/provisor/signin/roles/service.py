"""Directory roles: given, taken away and listed. A person's roles decide at every request, not at the sign-in."""

from __future__ import annotations

import difflib

from provisor.clock import Clock
from provisor.directory.model import User
from provisor.directory.service import Directory
from provisor.errors import Conflict, NotFound
from provisor.security.actor import Actor, Right, directory_roles
from provisor.signin.errors import RoleUnknown
from provisor.signin.roles.model import RoleGrant
from provisor.signin.roles.store import RoleStore

GLOBAL_ADMINISTRATOR = "Global Administrator"


class Roles:
    """Who has which directory role. Only a Global Administrator, and the operator, may change that."""

    def __init__(self, store: RoleStore, directory: Directory, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock

    async def grant(self, actor: Actor, tenant_id: str, user: str, role: str) -> tuple[User, str, bool]:
        """Give a role (any case) to a person (id, UPN or name): the person, the role, and whether it is new.

        Raises ``RoleUnknown``, ``UserNotFound``, ``Conflict`` for a deleted person.
        """
        actor.require(Right.ROLES_MANAGE, tenant_id)
        name = _named(role)
        person = await self._directory.find_user(actor, tenant_id, user)
        if person.deleted_at is not None:
            raise Conflict(f"{person.display_name} is deleted.", hint="Restore the person first.")
        new = await self._store.grant(person, name, actor=actor, at=self._clock.now_ms())
        return person, name, new

    async def revoke(self, actor: Actor, tenant_id: str, user: str, role: str) -> tuple[User, str]:
        """Take a role away. It holds at once here, and within 2 s in every process.

        Raises ``NotFound`` when the person does not have it, and ``Conflict`` for the last Global Administrator, whom
        only the operator may take.
        """
        actor.require(Right.ROLES_MANAGE, tenant_id)
        name = _named(role)
        person = await self._directory.find_user(actor, tenant_id, user)
        last_stays = name == GLOBAL_ADMINISTRATOR and actor.realm.kind != "system"
        now = self._clock.now_ms()
        if not await self._store.revoke(person, name, last_stays=last_stays, actor=actor, at=now):
            raise NotFound(f"{person.user_principal_name} is no {name}.", hint="See who has which role in the list.")
        return person, name

    async def grants(self, actor: Actor, tenant_id: str) -> list[RoleGrant]:
        """Everybody's roles, by name."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.grants(tenant_id)

    async def roles_of(self, actor: Actor, tenant_id: str, user_id: str) -> list[str]:
        """The names of one person's roles."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.roles_of(tenant_id, user_id)


def _named(role: str) -> str:
    """The role's exact name. Raises ``RoleUnknown``."""
    wanted = " ".join(role.split()).casefold()
    for name, role_id in directory_roles().items():
        if wanted in (name.casefold(), role_id):
            return name
    near = difflib.get_close_matches(role.title(), directory_roles(), n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The roles are: {', '.join(directory_roles())}."
    raise RoleUnknown(f"There is no directory role {role!r}.", hint=hint)
