"""Registrations, their door: applications and service principals as Graph has them, for all who call.

An application is registered in one tenant; each tenant that uses it has its service principal. Whoever owns one may
manage it without a directory role: whoever lets an owner in asks ``owned`` before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisor.applications import gallery
from provisor.applications.errors import (
    AlreadyOwner,
    AppNotFound,
    EnabledRole,
    OwnerNotFound,
    RegistrationExists,
    RegistrationNotFound,
)
from provisor.applications.model import AppRole, Removed, ServicePrincipal
from provisor.applications.registrations import graph
from provisor.applications.registrations.making import checked_name, from_template, instance_of, roles_of
from provisor.applications.registrations.model import Application, Instance, Owner, RemovedApplication
from provisor.applications.registrations.properties import (
    AUDIENCES,
    ApplicationProperties,
    InvalidProperties,
    ServicePrincipalProperties,
    changed,
    check_ids,
)
from provisor.applications.registrations.store import RegistrationStore
from provisor.clock import Clock
from provisor.errors import Conflict, Forbidden
from provisor.ids import new_id
from provisor.security.actor import Actor, Right
from provisor.security.permissions import GRAPH_APP_ID


class Registrations:
    """Applications and service principals. Methods check the actor's rights in the tenant concerned."""

    def __init__(self, store: RegistrationStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # Applications

    async def applications(self, actor: Actor, tenant_id: str) -> list[Application]:
        """The tenant's own registrations, by name."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        return await self._store.applications(tenant_id)

    async def application(self, actor: Actor, tenant_id: str, ref: str) -> Application:
        """One of the tenant's, by its id or its app id. Raises ``RegistrationNotFound``."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        found = await self._store.application(tenant_id, ref)
        if found is None:
            registered = (await self._store.applications_by_app_id([ref])).get(ref)
            found = registered if registered is not None and registered.tenant_id == tenant_id else None
        if found is None:
            raise RegistrationNotFound(f"This tenant has no application {ref}.", hint="List the applications.")
        return found

    async def registered(self, actor: Actor, app_id: str) -> Application | None:
        """Whoever's application this is, for the authority, which serves all tenants. Null: nobody's."""
        if actor.realm.kind != "system":
            raise Forbidden("Only the authority may look into other tenants' applications.")
        if app_id == GRAPH_APP_ID:
            return graph.application()
        return (await self._store.applications_by_app_id([app_id])).get(app_id)

    async def publish(self, actor: Actor, application: Application) -> Application:
        """For the authority: an application that no tenant here registers, such as a gallery app's vendor's; once."""
        if actor.realm.kind != "system":
            raise Forbidden("Only the authority publishes applications of no tenant.")
        known = await self._store.applications_by_app_id([application.app_id])
        if application.app_id not in known:
            try:
                await self._store.insert(application, None, None, actor=actor)
            except RegistrationExists:
                known = await self._store.applications_by_app_id([application.app_id])
        return known.get(application.app_id, application)

    async def register(
        self, actor: Actor, tenant_id: str, properties: Mapping[str, Any], *, owner_id: str | None = None
    ) -> Application:
        """A new application with these properties, named as Graph names them; ``displayName`` is needed.

        ``owner_id``: the user or service principal that owns it. Raises ``InvalidProperties`` with the property's name.
        """
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        draft = Application(
            id=new_id(),
            tenant_id=tenant_id,
            app_id=new_id(),
            template_id="",
            display_name="",
            sign_in_audience="AzureADMyOrg",
            created_at=self._clock.now_ms(),
            properties=ApplicationProperties(),
        )
        made = _changed_application(draft, properties)
        if not made.display_name:
            raise InvalidProperties("A value is required for property 'displayName' of resource 'Application'.")
        await self._store.insert(made, None, owner_id, actor=actor)
        return made

    async def update(self, actor: Actor, tenant_id: str, id_: str, changes: Mapping[str, Any]) -> Application:
        """Change some properties. Its roles are its instances' at once. Raises ``RegistrationNotFound``,
        ``InvalidProperties``, ``EnabledRole`` when a role goes that was not disabled before."""
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)

        def change(before: Application) -> Application:
            after = _changed_application(before, changes)
            _check_removed(roles_of(before.properties), roles_of(after.properties))
            return after

        at = self._clock.now_ms()
        return await self._store.change_application(tenant_id, id_, change, actor=actor, at=at)

    async def delete(self, actor: Actor, tenant_id: str, id_: str) -> RemovedApplication:
        """Remove an application with its service principal in its own tenant, for good. Raises ``NotFound``.

        What the engine keeps of the jobs is the engine's to remove: see ``RemovedApplication.job_ids``.
        """
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        gone = await self._store.delete_application(tenant_id, id_, actor=actor, at=self._clock.now_ms())
        if gone is None:
            raise RegistrationNotFound(f"This tenant has no application {id_}.")
        return gone

    # Service principals

    async def instances(self, actor: Actor, tenant_id: str) -> list[Instance]:
        """The tenant's service principals with their registrations, by name; the API's own is among them."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        found = [*await self._store.service_principals(tenant_id), graph.service_principal(tenant_id)]
        known = await self._store.applications_by_app_id({one.app_id for one in found})
        known[GRAPH_APP_ID] = graph.application()
        made = [Instance(known.get(one.app_id), one) for one in found]
        return sorted(made, key=lambda one: (one.service_principal.display_name, one.service_principal.id))

    async def instance(self, actor: Actor, tenant_id: str, ref: str) -> Instance:
        """One service principal, by its id or its app id. Raises ``AppNotFound``."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        if ref in (GRAPH_APP_ID, graph.service_principal_id(tenant_id)):
            return Instance(graph.application(), graph.service_principal(tenant_id))
        found = await self._store.service_principal(tenant_id, ref)
        if found is None:
            raise AppNotFound(f"This tenant has no service principal {ref}.", hint="List the service principals.")
        return Instance((await self._store.applications_by_app_id([found.app_id])).get(found.app_id), found)

    async def instantiate(
        self, actor: Actor, tenant_id: str, template_id: str, display_name: str, *, owner_id: str | None = None
    ) -> Instance:
        """A gallery app's application and service principal, without a provisioning job. Names may come twice.

        Raises ``TemplateNotFound``, ``InvalidInput`` of a name.
        """
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        template = gallery.template(template_id)
        application, made = from_template(template, tenant_id, display_name, self._clock.now_ms())
        await self._store.insert(application, made, owner_id, actor=actor)
        return Instance(application, made)

    async def instantiate_application(
        self,
        actor: Actor,
        tenant_id: str,
        app_id: str,
        properties: Mapping[str, Any] | None = None,
        *,
        owner_id: str | None = None,
    ) -> Instance:
        """The service principal of an application of this tenant, or of another one's that is for many tenants.

        Raises ``RegistrationNotFound``, ``RegistrationExists``, ``InvalidProperties``.
        """
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        if app_id == GRAPH_APP_ID:
            raise RegistrationExists("This tenant has a service principal of this application already.")
        application = (await self._store.applications_by_app_id([app_id])).get(app_id)
        if application is None or (application.tenant_id != tenant_id and not application.multi_tenant):
            raise RegistrationNotFound(
                f"The appId {app_id!r} of the service principal does not reference a valid application object.",
                hint="Register the application first, or let its owner open it to other tenants.",
            )
        made = instance_of(application, tenant_id, self._clock.now_ms(), ServicePrincipalProperties())
        made = _changed_instance(made, properties or {})
        await self._store.insert(None, made, owner_id, actor=actor)
        return Instance(application, made)

    async def update_instance(
        self, actor: Actor, tenant_id: str, id_: str, changes: Mapping[str, Any]
    ) -> ServicePrincipal:
        """Change some properties of a service principal, its ``appRoles`` and ``displayName`` too. Raises
        ``AppNotFound``, ``InvalidProperties``, ``EnabledRole`` when a role goes that was not disabled before."""
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        if id_ == graph.service_principal_id(tenant_id):
            raise Conflict("The API's own service principal cannot be changed.")

        def change(before: ServicePrincipal) -> ServicePrincipal:
            after = _changed_instance(before, changes)
            _check_removed(before.app_roles, after.app_roles)
            return after

        at = self._clock.now_ms()
        return await self._store.change_service_principal(tenant_id, id_, change, actor=actor, at=at)

    async def delete_instance(self, actor: Actor, tenant_id: str, id_: str) -> Removed:
        """Remove a service principal with its roles, assignments, consents, job and credentials. The application
        stays. Raises ``AppNotFound``. What the engine keeps is the engine's to remove: see ``Removed.job_ids``."""
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        if id_ == graph.service_principal_id(tenant_id):
            raise Conflict("The API's own service principal cannot be removed.")
        found = (await self.instance(actor, tenant_id, id_)).service_principal
        now = self._clock.now_ms()
        return Removed(found, await self._store.delete_service_principal(found, actor=actor, at=now))

    # Owners

    async def owners(self, actor: Actor, tenant_id: str, object_id: str) -> list[Owner]:
        """Who owns an application or a service principal."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        return await self._store.owners(tenant_id, object_id)

    async def add_owner(self, actor: Actor, what: Application | ServicePrincipal, owner_id: str) -> None:
        """Raises ``OwnerNotFound`` for who is neither a user nor a service principal there, ``AlreadyOwner``."""
        actor.require(Right.APPLICATIONS_WRITE, what.tenant_id)
        if any(owner.id == owner_id for owner in await self._store.owners(what.tenant_id, what.id)):
            raise AlreadyOwner("One or more added object references already exist for the property 'owners'.")
        if not await self._store.add_owner(what, owner_id, actor=actor, at=self._clock.now_ms()):
            raise OwnerNotFound(f"This tenant has no user and no service principal {owner_id}.")

    async def remove_owner(self, actor: Actor, what: Application | ServicePrincipal, owner_id: str) -> None:
        """Raises ``OwnerNotFound``."""
        actor.require(Right.APPLICATIONS_WRITE, what.tenant_id)
        if not await self._store.remove_owner(what, owner_id, actor=actor, at=self._clock.now_ms()):
            raise OwnerNotFound(f"{owner_id} is no owner.")

    async def owned(self, actor: Actor, tenant_id: str, owner_id: str) -> set[str]:
        """The ids of the applications and service principals that a user or a service principal owns."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        return await self._store.owned(tenant_id, owner_id)


def _changed_application(before: Application, changes: Mapping[str, Any]) -> Application:
    rest = dict(changes)
    name, audience = rest.pop("displayName", before.display_name), rest.pop("signInAudience", before.sign_in_audience)
    if not isinstance(name, str):
        raise InvalidProperties("displayName: Expected `str`.")
    audience = _audience(audience if audience is not None else before.sign_in_audience)
    properties = changed(before.properties, rest)
    check_ids(properties.app_roles, properties.api.oauth2_permission_scopes)
    name = checked_name(name) if "displayName" in changes else before.display_name
    return replace(before, display_name=name, sign_in_audience=audience, properties=properties)


def _audience(given: object) -> str:
    for audience in AUDIENCES:
        if isinstance(given, str) and given.casefold() == audience.casefold():
            return audience
    raise InvalidProperties(f"signInAudience: {given!r} is none of {', '.join(AUDIENCES)}.")


def _changed_instance(before: ServicePrincipal, changes: Mapping[str, Any]) -> ServicePrincipal:
    rest = dict(changes)
    name, roles = before.display_name, before.app_roles
    if "displayName" in rest:
        given = rest.pop("displayName")
        if not isinstance(given, str):
            raise InvalidProperties("displayName: Expected `str`.")
        name = checked_name(given)
    if "appRoles" in rest:
        read = changed(ApplicationProperties(), {"appRoles": rest.pop("appRoles")})
        check_ids(read.app_roles, ())
        roles = roles_of(read)
    return replace(before, display_name=name, app_roles=roles, properties=changed(before.properties, rest))


def _check_removed(before: tuple[AppRole, ...], after: tuple[AppRole, ...]) -> None:
    kept = {role.id for role in after}
    for role in before:
        if role.enabled and role.id not in kept:
            raise EnabledRole(
                "Property appRoles cannot be deleted or updated unless it is disabled first: "
                f"{role.display_name} ({role.id}).",
                hint="Set isEnabled to false, save, and take it away then.",
            )
