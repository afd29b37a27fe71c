"""Consent, its door: what people and administrators allowed applications to do in their names.

The authority calls ``consent`` from its consent page; Graph's ``oauth2PermissionGrants`` are the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisor.applications.errors import AppNotFound, GrantExists, GrantNotFound, PrincipalNotFound
from provisor.applications.grants.model import PermissionGrant
from provisor.applications.grants.store import GrantStore
from provisor.applications.registrations import graph
from provisor.clock import Clock
from provisor.errors import Forbidden, InvalidInput
from provisor.ids import new_id
from provisor.security.actor import Actor, Right


class PermissionGrants:
    """Delegated permissions that were consented to. Methods check the actor's rights in the tenant concerned."""

    def __init__(self, store: GrantStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def grants(self, actor: Actor, tenant_id: str) -> list[PermissionGrant]:
        """Every consent in the tenant."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        return await self._store.all(tenant_id)

    async def grant(self, actor: Actor, tenant_id: str, id_: str) -> PermissionGrant:
        """One consent. Raises ``GrantNotFound``."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        found = await self._store.one(tenant_id, id_)
        if found is None:
            raise GrantNotFound(f"This tenant has no permission grant {id_}.")
        return found

    async def create(
        self,
        actor: Actor,
        tenant_id: str,
        *,
        client_id: str,
        resource_id: str,
        scopes: Iterable[str],
        principal_id: str = "",
    ) -> PermissionGrant:
        """A new consent; ``principal_id`` empty: for everybody. Raises ``GrantExists`` when there is one of the same
        client, resource and principal, ``AppNotFound``, ``PrincipalNotFound``."""
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        made = await self._checked(tenant_id, client_id, resource_id, principal_id, scopes)
        if not await self._store.insert(tenant_id, made, actor=actor):
            raise GrantExists("Permission entry already exists.", hint="Change the scope of the one that there is.")
        return made

    async def consent(
        self,
        actor: Actor,
        tenant_id: str,
        *,
        client_id: str,
        resource_id: str,
        scopes: Iterable[str],
        principal_id: str = "",
    ) -> PermissionGrant:
        """For the consent page: what was allowed before, and these scopes too. A person consents for themselves;
        for everybody (``principal_id`` empty), or for others, it takes who may change applications."""
        if not principal_id or principal_id != actor.subject:
            actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        elif actor.realm.kind != "system" and actor.realm.id != tenant_id:
            raise Forbidden(f"{actor.subject} belongs to another tenant and may not act here.")
        made = await self._checked(tenant_id, client_id, resource_id, principal_id, scopes)
        return await self._store.add(tenant_id, made, actor=actor)

    async def consented(
        self, actor: Actor, tenant_id: str, *, client_id: str, resource_id: str, principal_id: str
    ) -> frozenset[str]:
        """For the authority: the scopes that the client has for this person, by their consent or for everybody."""
        if actor.realm.kind != "system":
            raise Forbidden("Only the authority asks for a person's consents.")
        found = await self._store.of_client(tenant_id, client_id, resource_id, principal_id)
        return frozenset(scope for grant in found for scope in grant.scopes)

    async def set_scopes(self, actor: Actor, tenant_id: str, id_: str, scopes: Iterable[str]) -> None:
        """Replace the scopes. Raises ``GrantNotFound``."""
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        checked, now = _checked_scopes(scopes), self._clock.now_ms()
        if not await self._store.set_scopes(tenant_id, id_, checked, actor=actor, at=now):
            raise GrantNotFound(f"This tenant has no permission grant {id_}.")

    async def revoke(self, actor: Actor, tenant_id: str, id_: str) -> None:
        """Take a consent back. Raises ``GrantNotFound``."""
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        if not await self._store.delete(tenant_id, id_, actor=actor, at=self._clock.now_ms()):
            raise GrantNotFound(f"This tenant has no permission grant {id_}.")

    async def _checked(
        self, tenant_id: str, client_id: str, resource_id: str, principal_id: str, scopes: Iterable[str]
    ) -> PermissionGrant:
        if not await self._store.exists(tenant_id, "instance", client_id):
            raise AppNotFound(f"clientId: this tenant has no service principal {client_id}.")
        if resource_id != graph.service_principal_id(tenant_id) and not await self._store.exists(
            tenant_id, "instance", resource_id
        ):
            raise AppNotFound(f"resourceId: this tenant has no service principal {resource_id}.")
        if principal_id and not await self._store.exists(tenant_id, "user", principal_id):
            raise PrincipalNotFound(f"This tenant has no user {principal_id}.")
        now = self._clock.now_ms()
        return PermissionGrant(new_id(), client_id, resource_id, principal_id, _checked_scopes(scopes), now)


def _checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part for scope in scopes for part in scope.split()))
    if any(not scope.isprintable() or len(scope) > 256 for scope in found) or len(found) > 500:
        raise InvalidInput("The scope is no list of permissions.", hint="Such as: User.Read Group.Read.All")
    return found
