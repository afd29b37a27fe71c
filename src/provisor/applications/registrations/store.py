"""Registrations, their rows: applications, service principals with their roles, owners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from provisor.applications.errors import AppNotFound, RegistrationExists, RegistrationNotFound
from provisor.applications.model import AppRole, ServicePrincipal
from provisor.applications.registrations.making import registered, roles_of
from provisor.applications.registrations.model import Application, Owner, RemovedApplication
from provisor.applications.registrations.properties import ApplicationProperties, MemberType, ServicePrincipalProperties
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target, differences
from provisor.events.audit.store import record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.events.model import NewChange
from provisor.events.store import append
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx, UniqueViolation
from provisor.storage.queries import id_list, named_queries

_QUERIES = named_queries("provisor.applications.registrations")
_MEMBER_TYPES = tuple[MemberType, ...]


class RegistrationStore:
    """Reads and writes them. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self,
        application: Application | None,
        service_principal: ServicePrincipal | None,
        owner_id: str | None,
        *,
        actor: Actor,
    ) -> None:
        """Write a registration, an instance, or both; ``owner_id`` owns them, when it is somebody who can.

        Raises ``RegistrationExists`` when the tenant has an instance of this application already.
        """

        async def work(tx: Tx) -> None:
            if application is not None:
                await insert_application(tx, application)
                await _own(tx, application.tenant_id, application.id, owner_id, application.created_at)
                at = application.created_at
                await _told(tx, application, activities.ADD_APPLICATION, _facts(application), actor, at)
            if service_principal is not None:
                sp = service_principal
                await insert_service_principal(tx, sp)
                await _own(tx, sp.tenant_id, sp.id, owner_id, sp.created_at)
                await _told(tx, sp, activities.ADD_APP, _facts(sp), actor, sp.created_at)

        try:
            await self._database.write(work)
        except UniqueViolation as error:
            raise RegistrationExists(
                "This tenant has a service principal of this application already.", hint="Use that one."
            ) from error

    async def applications(self, tenant_id: str) -> list[Application]:
        """A tenant's registrations, by name."""

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["applications"], {"tenant_id": tenant_id})

        return [_application(row) for row in await self._database.read(work)]

    async def applications_by_app_id(self, app_ids: Iterable[str]) -> dict[str, Application]:
        """App id -> registration, of whichever tenant."""
        params = {"app_ids": id_list(app_ids)}

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["applications_by_app_id"], params)

        return {row[2]: _application(row) for row in await self._database.read(work)}

    async def application(self, tenant_id: str, id_: str) -> Application | None:
        """One registration of a tenant."""

        async def work(tx: Tx) -> Row | None:
            return await tx.fetch_one(_QUERIES["application"], {"tenant_id": tenant_id, "id": id_})

        row = await self._database.read(work)
        return _application(row) if row else None

    async def service_principals(self, tenant_id: str) -> list[ServicePrincipal]:
        """A tenant's instances, by name."""

        async def work(tx: Tx) -> list[ServicePrincipal]:
            return await service_principals(tx, tenant_id)

        return await self._database.read(work, long=True)

    async def service_principal(self, tenant_id: str, ref: str) -> ServicePrincipal | None:
        """One instance of a tenant, by its id or its application's."""

        async def work(tx: Tx) -> ServicePrincipal | None:
            return await _service_principal(tx, tenant_id, ref)

        return await self._database.read(work)

    async def change_application(
        self, tenant_id: str, id_: str, change: Callable[[Application], Application], *, actor: Actor, at: int
    ) -> Application:
        """Change a registration, and give its instances its roles. Raises ``RegistrationNotFound``."""

        async def work(tx: Tx) -> Application:
            row = await tx.fetch_one(_QUERIES["lock_application"], {"tenant_id": tenant_id, "id": id_})
            if row is None:
                raise RegistrationNotFound(f"This tenant has no application {id_}.")
            before = _application(row)
            after = change(before)
            await _update_application(tx, after)
            changes = differences(_shown(before), _shown(after))
            if changes:
                await _told(tx, after, activities.UPDATE_APPLICATION, changes, actor, at)
            if after.properties.app_roles != before.properties.app_roles:
                roles = roles_of(after.properties)
                for where, sp_id in await tx.fetch_all(_QUERIES["instances"], {"app_id": after.app_id}):
                    await _put_roles(tx, where, sp_id, roles, actor=actor, at=at)
            return after

        return await self._database.write(work)

    async def change_service_principal(
        self,
        tenant_id: str,
        id_: str,
        change: Callable[[ServicePrincipal], ServicePrincipal],
        *,
        actor: Actor,
        at: int,
    ) -> ServicePrincipal:
        """Change an instance; its registration in the same tenant gets its roles too. Raises ``AppNotFound``."""

        async def work(tx: Tx) -> ServicePrincipal:
            before = await _service_principal(tx, tenant_id, id_, locking=True)
            if before is None:
                raise AppNotFound(f"This tenant has no service principal {id_}.")
            after = change(before)
            params = {"tenant_id": tenant_id, "id": before.id, "display_name": after.display_name}
            await tx.execute(_QUERIES["update_service_principal"], {**params, "properties": _encode(after.properties)})
            changes = differences(_shown(before), _shown(after))
            if changes:
                await _told(tx, after, activities.UPDATE_APP, changes, actor, at)
            if after.app_roles != before.app_roles:
                await _put_own_registration(tx, after)
                await _put_roles(tx, tenant_id, before.id, after.app_roles, actor=actor, at=at)
            return after

        return await self._database.write(work)

    async def delete_application(self, tenant_id: str, id_: str, *, actor: Actor, at: int) -> RemovedApplication | None:
        """Remove a registration with its instance in its own tenant; null: there is none."""

        async def work(tx: Tx) -> RemovedApplication | None:
            row = await tx.fetch_one(_QUERIES["lock_application"], {"tenant_id": tenant_id, "id": id_})
            if row is None:
                return None
            application = _application(row)
            jobs: tuple[str, ...] = ()
            service_principal = await _service_principal(tx, tenant_id, application.app_id)
            if service_principal is not None:
                jobs = await delete_service_principal(tx, tenant_id, service_principal.id)
                await _told(tx, service_principal, activities.REMOVE_APP, (), actor, at)
            await _delete_application(tx, application)
            await _told(tx, application, activities.REMOVE_APPLICATION, (), actor, at)
            return RemovedApplication(application, service_principal, jobs)

        return await self._database.write(work)

    async def delete_service_principal(self, sp: ServicePrincipal, *, actor: Actor, at: int) -> tuple[str, ...]:
        """Remove an instance; the ids of its jobs."""

        async def work(tx: Tx) -> tuple[str, ...]:
            jobs = await delete_service_principal(tx, sp.tenant_id, sp.id)
            await _told(tx, sp, activities.REMOVE_APP, (), actor, at)
            return jobs

        return await self._database.write(work)

    async def owners(self, tenant_id: str, object_id: str) -> list[Owner]:
        """Who owns an object, the first owner first."""

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["owners"], {"tenant_id": tenant_id, "object_id": object_id})

        return [Owner(*row) for row in await self._database.read(work)]

    async def owned(self, tenant_id: str, owner_id: str) -> set[str]:
        """The ids of the objects that somebody owns."""

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["owned"], {"tenant_id": tenant_id, "owner_id": owner_id})

        return {row[0] for row in await self._database.read(work)}

    async def add_owner(self, what: Application | ServicePrincipal, owner_id: str, *, actor: Actor, at: int) -> bool:
        """False: there is nobody of that id who could own something. Raises ``UniqueViolation`` of an owner."""

        async def work(tx: Tx) -> bool:
            done = await _own(tx, what.tenant_id, what.id, owner_id, at)
            if done:
                changed = (Modified("Owner.ObjectId", None, owner_id),)
                await _told(tx, what, activities.ADD_OWNER, changed, actor, at)
            return done

        return await self._database.write(work)

    async def remove_owner(self, what: Application | ServicePrincipal, owner_id: str, *, actor: Actor, at: int) -> bool:
        """False: it was no owner."""
        params = {"tenant_id": what.tenant_id, "object_id": what.id, "owner_id": owner_id}

        async def work(tx: Tx) -> bool:
            done = await tx.execute(_QUERIES["delete_owner"], params) == 1
            if done:
                changed = (Modified("Owner.ObjectId", owner_id, None),)
                await _told(tx, what, activities.REMOVE_OWNER, changed, actor, at)
            return done

        return await self._database.write(work)


async def _told(
    tx: Tx,
    what: Application | ServicePrincipal,
    activity: Activity,
    changed: tuple[Modified, ...],
    actor: Actor,
    at: int,
) -> None:
    """Tell the audit log."""
    kind = "Application" if isinstance(what, Application) else "ServicePrincipal"
    target = Target(kind, what.id, what.display_name, changed)
    await record(tx, tenant_realm(what.tenant_id), [NewEntry(activity, actor, (target,))], at=at)


def _facts(what: Application | ServicePrincipal) -> tuple[Modified, ...]:
    return differences({}, {"appId": what.app_id, "templateId": what.template_id or None})


def _shown(what: Application | ServicePrincipal) -> dict[str, Any]:
    """What the audit log compares."""
    shown: dict[str, Any] = msgspec.to_builtins(what.properties)
    shown["displayName"] = what.display_name
    if isinstance(what, Application):
        return {**shown, "signInAudience": what.sign_in_audience}
    return {**shown, "appRoles": msgspec.to_builtins([registered(role) for role in what.app_roles])}


async def insert_application(tx: Tx, application: Application) -> None:
    """Write a registration."""
    await tx.execute(
        _QUERIES["insert_application"],
        {
            "tenant_id": application.tenant_id,
            "id": application.id,
            "app_id": application.app_id,
            "template_id": application.template_id,
            "display_name": application.display_name,
            "sign_in_audience": application.sign_in_audience,
            "properties": _encode(application.properties),
            "created_at": application.created_at,
        },
    )


async def insert_service_principal(tx: Tx, service_principal: ServicePrincipal) -> None:
    """Write an instance with its roles. Raises ``UniqueViolation`` when the tenant has one of this application."""
    await tx.execute(
        _QUERIES["insert_service_principal"],
        {
            "tenant_id": service_principal.tenant_id,
            "id": service_principal.id,
            "app_id": service_principal.app_id,
            "template_id": service_principal.template_id,
            "display_name": service_principal.display_name,
            "created_at": service_principal.created_at,
            "owner_tenant_id": service_principal.owner_tenant_id,
            "properties": _encode(service_principal.properties),
        },
    )
    await _insert_roles(tx, service_principal.id, service_principal.app_roles)


async def delete_service_principal(tx: Tx, tenant_id: str, id_: str) -> tuple[str, ...]:
    """Remove an instance and everything of it in this package's tables; the ids of its jobs."""
    jobs = tuple(row[0] for row in await tx.fetch_all(_QUERIES["jobs_of"], {"id": id_}))
    for job_id in jobs:
        for name in ("delete_secrets", "delete_schema_versions", "delete_job"):
            await tx.execute(_QUERIES[name], {"job_id": job_id})
    await tx.execute(_QUERIES["forget_waiting_secrets"], {"tenant_id": tenant_id, "id": id_})
    await tx.execute(_QUERIES["delete_app_roles"], {"service_principal_id": id_})
    await tx.execute(_QUERIES["forget_passwords"], {"id": id_})
    for name in ("forget_assignments", "forget_owners", "forget_grants", "forget_service_principal"):
        await tx.execute(_QUERIES[name], {"tenant_id": tenant_id, "id": id_})
    return jobs


async def delete_app(tx: Tx, tenant_id: str, id_: str, app_id: str) -> bool:
    """Remove an instance, and its registration where that is of the same tenant. False: somebody else did before."""
    if await tx.fetch_one(_QUERIES["service_principal"], {"tenant_id": tenant_id, "ref": id_}) is None:
        return False
    await delete_service_principal(tx, tenant_id, id_)
    for row in await tx.fetch_all(_QUERIES["applications_by_app_id"], {"app_ids": id_list([app_id])}):
        application = _application(row)
        if application.tenant_id == tenant_id:
            await _delete_application(tx, application)
    return True


async def service_principals(tx: Tx, tenant_id: str) -> list[ServicePrincipal]:
    """A tenant's instances, by name."""
    return await _with_roles(tx, await tx.fetch_all(_QUERIES["service_principals"], {"tenant_id": tenant_id}))


async def _delete_application(tx: Tx, application: Application) -> None:
    at = {"tenant_id": application.tenant_id, "id": application.id}
    await tx.execute(_QUERIES["forget_owners"], at)
    await tx.execute(_QUERIES["forget_passwords"], {"id": application.id})
    await tx.execute(_QUERIES["delete_application"], at)


async def _service_principal(tx: Tx, tenant_id: str, ref: str, *, locking: bool = False) -> ServicePrincipal | None:
    query = _QUERIES["lock_service_principal" if locking else "service_principal"]
    row = await tx.fetch_one(query, {"tenant_id": tenant_id, "ref": ref})
    return (await _with_roles(tx, [row]))[0] if row else None


async def _with_roles(tx: Tx, rows: Sequence[Row]) -> list[ServicePrincipal]:
    ids = id_list(row[0] for row in rows)
    roles: dict[str, list[AppRole]] = {}
    for sp_id, id_, value, name, enabled, description, types in await tx.fetch_all(
        _QUERIES["app_roles"], {"service_principal_ids": ids}
    ):
        member_types = msgspec.json.decode(types, type=_MEMBER_TYPES)
        roles.setdefault(sp_id, []).append(AppRole(id_, value, name, bool(enabled), description, member_types))
    return [
        ServicePrincipal(
            id=row[0],
            tenant_id=row[1],
            app_id=row[2],
            template_id=row[3],
            display_name=row[4],
            created_at=row[5],
            app_roles=tuple(roles.get(row[0], ())),
            owner_tenant_id=row[6],
            properties=msgspec.json.decode(row[7], type=ServicePrincipalProperties),
        )
        for row in rows
    ]


async def _insert_roles(tx: Tx, service_principal_id: str, roles: Iterable[AppRole]) -> None:
    await tx.execute_many(
        _QUERIES["insert_app_role"],
        [
            {
                "service_principal_id": service_principal_id,
                "id": role.id,
                "value": role.value,
                "display_name": role.display_name,
                "enabled": role.enabled,
                "description": role.description,
                "member_types": _encode(role.member_types),
            }
            for role in roles
        ],
    )


async def _put_roles(tx: Tx, tenant_id: str, sp_id: str, roles: Sequence[AppRole], *, actor: Actor, at: int) -> None:
    """Other roles in the place of those that an instance has; who had one that is gone has it no more."""
    known = await tx.fetch_all(_QUERIES["app_roles"], {"service_principal_ids": id_list([sp_id])})
    gone = {row[1] for row in known} - {role.id for role in roles}
    await tx.execute(_QUERIES["delete_app_roles"], {"service_principal_id": sp_id})
    await _insert_roles(tx, sp_id, roles)
    if not gone:
        return
    which = {"service_principal_id": sp_id, "role_ids": id_list(sorted(gone))}
    holders = await tx.fetch_all(_QUERIES["assigned_roles"], which)
    await tx.execute(_QUERIES["delete_assigned_roles"], which)
    entries = [
        NewChange("Assignment", principal_id, "removed", sp_id)
        for principal_id, kind in holders
        if kind != "ServicePrincipal"
    ]
    await append(tx, tenant_id, entries, actor=actor.subject, at=at)


async def _put_own_registration(tx: Tx, service_principal: ServicePrincipal) -> None:
    """The registration in the same tenant has the roles that its instance has."""
    rows = await tx.fetch_all(_QUERIES["applications_by_app_id"], {"app_ids": id_list([service_principal.app_id])})
    for application in map(_application, rows):
        if application.tenant_id == service_principal.tenant_id:
            roles = tuple(map(registered, service_principal.app_roles))
            properties = msgspec.structs.replace(application.properties, app_roles=roles)
            await _update_application(tx, replace(application, properties=properties))


async def _update_application(tx: Tx, application: Application) -> None:
    await tx.execute(
        _QUERIES["update_application"],
        {
            "tenant_id": application.tenant_id,
            "id": application.id,
            "display_name": application.display_name,
            "sign_in_audience": application.sign_in_audience,
            "properties": _encode(application.properties),
        },
    )


async def _own(tx: Tx, tenant_id: str, object_id: str, owner_id: str | None, at: int) -> bool:
    found = await tx.fetch_one(_QUERIES["possible_owner"], {"tenant_id": tenant_id, "id": owner_id})
    if found is None:
        return False
    params = {"tenant_id": tenant_id, "object_id": object_id, "owner_id": owner_id, "owner_type": found[0], "at": at}
    await tx.execute(_QUERIES["insert_owner"], params)
    return True


def _application(row: Row) -> Application:
    return replace(Application(*row), properties=msgspec.json.decode(row[-1], type=ApplicationProperties))


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
