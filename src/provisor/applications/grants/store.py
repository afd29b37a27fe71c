"""Consent, its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from provisor.applications.grants.model import PermissionGrant
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target
from provisor.events.audit.store import record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx, UniqueViolation
from provisor.storage.queries import named_queries

_QUERIES = named_queries("provisor.applications.grants")


class GrantStore:
    """Reads and writes them. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, tenant_id: str, grant: PermissionGrant, *, actor: Actor) -> bool:
        """Write a new one. False: there is one of this client, resource and principal."""

        async def work(tx: Tx) -> None:
            await tx.execute(_QUERIES["insert"], _row(tenant_id, grant))
            await _told(tx, tenant_id, activities.CONSENT, None, grant, actor, grant.created_at)

        try:
            await self._database.write(work)
        except UniqueViolation:
            return False
        return True

    async def add(self, tenant_id: str, grant: PermissionGrant, *, actor: Actor) -> PermissionGrant:
        """Write a new one, or add its scopes to the one that there is; as it is then."""

        async def work(tx: Tx) -> PermissionGrant:
            row = await tx.fetch_one(_QUERIES["lock"], _row(tenant_id, grant))
            if row is None:
                await tx.execute(_QUERIES["insert"], _row(tenant_id, grant))
                return grant
            known = _grant(row)
            scopes = tuple(dict.fromkeys((*known.scopes, *grant.scopes)))
            await tx.execute(_QUERIES["update"], {"tenant_id": tenant_id, "id": known.id, "scope": " ".join(scopes)})
            return PermissionGrant(
                known.id, known.client_id, known.resource_id, known.principal_id, scopes, known.created_at
            )

        try:
            return await self._database.write(work)
        except UniqueViolation:  # somebody else's consent came first: now there is one to add to
            return await self._database.write(work)

    async def all(self, tenant_id: str) -> list[PermissionGrant]:
        """Every consent in a tenant, the oldest first."""

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["all"], {"tenant_id": tenant_id})

        return [_grant(row) for row in await self._database.read(work, long=True)]

    async def of_client(
        self, tenant_id: str, client_id: str, resource_id: str, principal_id: str
    ) -> list[PermissionGrant]:
        """What was consented to for everybody, and for one person."""
        params = {
            "tenant_id": tenant_id,
            "client_id": client_id,
            "resource_id": resource_id,
            "principal_id": principal_id,
        }

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["of_client"], params)

        return [_grant(row) for row in await self._database.read(work)]

    async def one(self, tenant_id: str, id_: str) -> PermissionGrant | None:
        """One consent."""

        async def work(tx: Tx) -> Row | None:
            return await tx.fetch_one(_QUERIES["one"], {"tenant_id": tenant_id, "id": id_})

        row = await self._database.read(work)
        return _grant(row) if row else None

    async def set_scopes(self, tenant_id: str, id_: str, scopes: Sequence[str], *, actor: Actor, at: int) -> bool:
        """False: there is no such consent."""

        async def work(tx: Tx) -> bool:
            row = await tx.fetch_one(_QUERIES["one"], {"tenant_id": tenant_id, "id": id_})
            if row is None:
                return False
            before = _grant(row)
            after = replace(before, scopes=tuple(scopes))
            await tx.execute(_QUERIES["update"], _row(tenant_id, after))
            await _told(tx, tenant_id, activities.UPDATE_CONSENT, before, after, actor, at)
            return True

        return await self._database.write(work)

    async def delete(self, tenant_id: str, id_: str, *, actor: Actor, at: int) -> bool:
        """False: there is no such consent."""

        async def work(tx: Tx) -> bool:
            row = await tx.fetch_one(_QUERIES["one"], {"tenant_id": tenant_id, "id": id_})
            if row is None or not await tx.execute(_QUERIES["delete"], {"tenant_id": tenant_id, "id": id_}):
                return False
            await _told(tx, tenant_id, activities.REVOKE_CONSENT, _grant(row), None, actor, at)
            return True

        return await self._database.write(work)

    async def exists(self, tenant_id: str, kind: str, id_: str) -> bool:
        """Is there such an ``instance`` (service principal), or ``user``?"""

        async def work(tx: Tx) -> bool:
            return await tx.fetch_one(_QUERIES[kind], {"tenant_id": tenant_id, "id": id_}) is not None

        return await self._database.read(work)


async def _told(
    tx: Tx,
    tenant_id: str,
    activity: Activity,
    before: PermissionGrant | None,
    after: PermissionGrant | None,
    actor: Actor,
    at: int,
) -> None:
    """Tell the audit log; one of the two is there."""
    grant = after or before
    if grant is None:
        return
    changed = (
        Modified("scope", " ".join(before.scopes) if before else None, " ".join(after.scopes) if after else None),
        Modified("consentType", None, "AllPrincipals" if grant.for_everybody else "Principal"),
    )
    targets = (
        Target("ServicePrincipal", grant.client_id, "", changed),
        Target("ServicePrincipal", grant.resource_id),
        *((Target("User", grant.principal_id),) if grant.principal_id else ()),
    )
    await record(tx, tenant_realm(tenant_id), [NewEntry(activity, actor, targets)], at=at)


def _row(tenant_id: str, grant: PermissionGrant) -> dict[str, str | int]:
    return {
        "tenant_id": tenant_id,
        "id": grant.id,
        "client_id": grant.client_id,
        "resource_id": grant.resource_id,
        "principal_id": grant.principal_id,
        "scope": " ".join(grant.scopes),
        "created_at": grant.created_at,
    }


def _grant(row: Row) -> PermissionGrant:
    id_, client_id, resource_id, principal_id, scope, created_at = row
    return PermissionGrant(id_, client_id, resource_id, principal_id, tuple(scope.split()), created_at)
