"""Role assignments, their door: Graph's ``appRoleAssignedTo`` and ``appRoleAssignments``.

What counts for provisioning is ``Applications.assign``, which this calls: people and groups. Applications are assigned
to one another here too; that is how one is given a permission of another (of the API, ``Application.Read.All``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from provisor.applications.assignments.store import Assigned, AssignmentStore, Place
from provisor.applications.errors import AlreadyAssigned, NotAssigned, PrincipalNotFound, RoleDisabled, RoleNotFound
from provisor.applications.model import DEFAULT_ACCESS, AppRole, Assignment, PrincipalType, ServicePrincipal
from provisor.applications.registrations import graph
from provisor.applications.registrations.service import Registrations
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.directory.names import containing
from provisor.errors import Forbidden
from provisor.ids import new_id
from provisor.security.actor import Actor, Right

_EXISTS = "Permission being assigned already exists on the object"


class RoleAssignments:
    """Who has which role of which application. Methods check the actor's rights in the tenant concerned."""

    def __init__(
        self, store: AssignmentStore, applications: Applications, registrations: Registrations, clock: Clock
    ) -> None:
        self._store = store
        self._applications = applications
        self._registrations = registrations
        self._clock = clock

    async def assigned_to(
        self, actor: Actor, tenant_id: str, service_principal_id: str, after: str = "", limit: int = 1000
    ) -> list[Assigned]:
        """A page of who is assigned to an application, in the order of time; ``after``: the last one's id."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        found = await self._store.page("of_resource", tenant_id, service_principal_id, after, limit)
        return [_named(one) for one in found]

    async def people(
        self,
        actor: Actor,
        tenant_id: str,
        service_principal_id: str,
        search: str = "",
        kind: PrincipalType | None = None,
        after: str = "",
        limit: int = 50,
    ) -> tuple[list[Assignment], str | None]:
        """A page of the people and groups who are assigned to an application, and the mark that the next one is after;
        null after the last. ``search``: what the name contains. The order is that of the principals' ids.
        """
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        principal, _, role = after.partition("/")
        place = Place(principal, role)
        pattern = containing(search) if search else None
        found = await self._store.people(tenant_id, service_principal_id, pattern, kind, place, limit + 1)
        rows = found[:limit]
        more = len(found) > limit and bool(rows)
        return rows, f"{rows[-1].principal_id}/{rows[-1].app_role_id}" if more else None

    async def how_many_people(self, actor: Actor, tenant_id: str, service_principal_id: str, most: int) -> int:
        """How many people and groups are assigned to an application; ``most`` when there are as many or more."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        return await self._store.how_many_people(tenant_id, service_principal_id, most)

    async def of_principal(
        self, actor: Actor, tenant_id: str, principal_id: str, after: str = "", limit: int = 1000
    ) -> list[Assigned]:
        """A page of what a user, a group or an application is assigned to."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        found = await self._store.page("of_principal", tenant_id, principal_id, after, limit)
        return [_named(one) for one in found]

    async def assignment(self, actor: Actor, tenant_id: str, id_: str) -> Assigned:
        """One assignment. Raises ``NotAssigned``."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        found = await self._store.one(tenant_id, id_)
        if found is None:
            raise NotAssigned(f"This tenant has no assignment {id_}.")
        return _named(found)

    async def assign(self, actor: Actor, tenant_id: str, resource_id: str, principal_id: str, role_id: str) -> Assigned:
        """Give a user, a group or an application a role. ``role_id``: ``DEFAULT_ACCESS`` where there is none to choose.

        Raises ``AppNotFound``, ``PrincipalNotFound``, ``RoleNotFound``, also of Default Access where the application
        has roles for such a principal, ``RoleDisabled``, ``NotSecurityEnabled``, ``AlreadyAssigned``.
        """
        actor.require(Right.ASSIGNMENTS_WRITE, tenant_id)
        resource = (await self._registrations.instance(actor, tenant_id, resource_id)).service_principal
        principal = await self._store.principal(tenant_id, principal_id)
        if principal is None:
            raise PrincipalNotFound(
                f"This tenant has no user, group or service principal {principal_id}.",
                hint="A deleted one has to be restored before.",
            )
        kind, name = cast("PrincipalType", principal[0]), principal[1]
        _check_role(resource, kind, role_id)
        try:
            if kind != "ServicePrincipal":
                made = await self._applications.assign(actor, tenant_id, resource.id, principal_id, kind, role_id)
            else:
                now = self._clock.now_ms()
                made = Assignment(new_id(), tenant_id, resource.id, principal_id, kind, name, role_id, now)
                await self._store.insert(made, resource.display_name, actor=actor)
        except AlreadyAssigned as error:
            raise AlreadyAssigned(_EXISTS, hint="There is nothing to do.") from error
        return Assigned(made, resource.display_name)

    async def remove(self, actor: Actor, tenant_id: str, id_: str) -> None:
        """Take an assignment away. Raises ``NotAssigned``."""
        actor.require(Right.ASSIGNMENTS_WRITE, tenant_id)
        found = await self.assignment(actor, tenant_id, id_)
        one = found.assignment
        if one.principal_type == "ServicePrincipal":
            await self._store.delete(found, actor=actor, at=self._clock.now_ms())
        else:
            where = one.service_principal_id
            await self._applications.unassign(actor, tenant_id, where, one.principal_id, one.app_role_id)

    async def permissions(self, actor: Actor, tenant_id: str, client_id: str, resource_id: str) -> frozenset[str]:
        """For the authority: the values of the roles that the application ``client_id`` has of ``resource_id``, which
        its own tokens carry. Both are service principals' ids."""
        if actor.realm.kind != "system":
            raise Forbidden("Only the authority asks for an application's permissions.")
        given = set(await self._store.roles_of(resource_id, client_id))
        if not given:
            return frozenset()
        roles = (await self._registrations.instance(actor, tenant_id, resource_id)).service_principal.app_roles
        return frozenset(role.value for role in roles if role.id in given and role.enabled and role.value)


def _named(found: Assigned) -> Assigned:
    one = found.assignment
    if found.resource_name is None and one.service_principal_id == graph.service_principal_id(one.tenant_id):
        return replace(found, resource_name=graph.NAME)
    return found


def _check_role(resource: ServicePrincipal, kind: PrincipalType, role_id: str) -> None:
    wanted = "Application" if kind == "ServicePrincipal" else "User"
    fitting = [role for role in resource.app_roles if wanted in role.member_types]
    if role_id == DEFAULT_ACCESS:
        if any(role.enabled for role in fitting):
            raise RoleNotFound(
                f"Permission being assigned was not found on application '{resource.display_name}'.",
                hint=f"Choose a role: {_listed(fitting)}.",
            )
        return
    role = next((role for role in fitting if role.id == role_id), None)
    if role is None:
        hint = f"Choose a role: {_listed(fitting)}." if fitting else f"It has none for a {kind}."
        raise RoleNotFound(
            f"Permission being assigned was not found on application '{resource.display_name}'.", hint=hint
        )
    if not role.enabled:
        raise RoleDisabled(f"The app's role {role.display_name} is disabled.", hint="Choose another of its roles.")


def _listed(roles: list[AppRole]) -> str:
    return ", ".join(f"{role.display_name} ({role.id})" for role in roles if role.enabled)
