"""Consent: what an application asks for, whether that was allowed, who may allow it, and the allowing.

A person may allow what concerns them alone. What is marked as an administrator's, and allowing something for everybody,
takes a role that may change applications; permissions that an application has by itself take a Global Administrator.
Declining creates nothing; allowing creates the application's service principal in the tenant where it is missing, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisor.applications.assignments.service import RoleAssignments
from provisor.applications.errors import AlreadyAssigned, RegistrationExists
from provisor.applications.grants.service import PermissionGrants
from provisor.applications.model import ServicePrincipal
from provisor.applications.registrations import graph
from provisor.applications.registrations.making import ENTERPRISE
from provisor.applications.registrations.model import Application
from provisor.applications.registrations.service import Registrations
from provisor.security.actor import Actor, Right, operator, roles
from provisor.security.permissions import GRAPH_APP_ID, OPENID_SCOPES, permissions
from provisor.signin.model import Session
from provisor.signin.openid.clients import Clients
from provisor.signin.openid.errors import admin_needed, consent_required, unknown_resource
from provisor.signin.openid.model import Asked, AuthorizationRequest, Consent, Granted
from provisor.signin.openid.scopes import Wanted
from provisor.signin.openid.store import OpenIdStore


class Consents:
    """What people allowed applications."""

    def __init__(
        self,
        store: OpenIdStore,
        clients: Clients,
        registrations: Registrations,
        grants: PermissionGrants,
        assignments: RoleAssignments,
    ) -> None:
        self._store = store
        self._clients = clients
        self._registrations = registrations
        self._grants = grants
        self._assignments = assignments

    async def of(self, request: AuthorizationRequest, session: Session) -> Granted | Consent:
        """What the request may have already, or what has to be decided. Raises ``Refusal``."""
        application, tenant_id, wanted = request.application, session.realm_id, request.wanted
        resource = await self._resource(tenant_id, wanted.resource)
        instance = await self._clients.instance(tenant_id, application.app_id)
        allowed: frozenset[str] = frozenset()
        if instance is not None:
            allowed = await self._grants.consented(
                operator(),
                tenant_id,
                client_id=instance.id,
                resource_id=resource.id,
                principal_id=session.subject_id,
            )
        names = self._names(application, wanted, allowed)
        open_ones = tuple(name for name in names if name not in allowed)
        if instance is not None and not open_ones and "consent" not in request.prompts:
            return Granted(names)
        asked = await self._asked(wanted.resource, names, open_ones)
        return await self._consent(application, session, asked, names)

    async def for_everybody(self, application: Application, session: Session, wanted: Wanted) -> Consent:
        """What an administrator is asked by ``adminconsent``. Raises ``Refusal``."""
        names = self._names(application, wanted, frozenset())
        required = _required(application, "Role") if wanted.default else ()
        by_id = {one.role_id: one for one in permissions().values() if one.role_id is not None}
        known = [by_id[id_] for id_ in required if id_ in by_id]
        asked = [
            *await self._asked(wanted.resource, names, names),
            *(Asked(one.name, one.title, one.text, admin=True) for one in known),
        ]
        role_ids = tuple(one.role_id for one in known if one.role_id is not None)
        may = _may_for_all(session.actor, session.realm_id, with_roles=bool(role_ids))
        return Consent(
            application=application,
            tenant_id=session.realm_id,
            tenant_name=session.realm_name,
            asked=tuple(asked),
            scopes=names,
            can=may,
            for_all=may,
            roles=role_ids,
            approvers=() if may else await self._approvers(session.realm_id, with_roles=bool(role_ids)),
        )

    async def allow(self, consent: Consent, wanted: Wanted, session: Session, *, for_all: bool) -> ServicePrincipal:
        """Write what was allowed; the application's service principal. Raises ``Refusal`` for who may not."""
        if (for_all or consent.roles) and not consent.for_all:
            raise admin_needed(consent.tenant_name)
        if not consent.can:
            raise admin_needed(consent.tenant_name)
        tenant_id, actor = consent.tenant_id, session.actor
        instance = await self._instance(tenant_id, consent.application)
        resource = await self._resource(tenant_id, wanted.resource)
        if consent.scopes:
            await self._grants.consent(
                actor,
                tenant_id,
                client_id=instance.id,
                resource_id=resource.id,
                scopes=consent.scopes,
                principal_id="" if for_all else session.subject_id,
            )
        for role_id in consent.roles:
            try:
                await self._assignments.assign(actor, tenant_id, resource.id, instance.id, role_id)
            except AlreadyAssigned:
                continue  # a second consent changes nothing
        return instance

    async def granted(self, tenant_id: str, client_id: str, user_id: str, wanted: Wanted) -> tuple[str, ...]:
        """Of what a token is asked for, all, when it was allowed. Raises ``Refusal``."""
        instance = await self._clients.instance(tenant_id, client_id)
        resource = await self._resource(tenant_id, wanted.resource)
        if instance is None:
            raise consent_required(client_id)
        allowed = await self._grants.consented(
            operator(), tenant_id, client_id=instance.id, resource_id=resource.id, principal_id=user_id
        )
        names = tuple(sorted(allowed)) if wanted.default else (*wanted.names, *wanted.openid)
        if not set(names) <= allowed:
            raise consent_required(client_id)
        return names

    async def _instance(self, tenant_id: str, application: Application) -> ServicePrincipal:
        found = await self._clients.instance(tenant_id, application.app_id)
        if found is not None:
            return found
        # The person's consent makes it, whatever else they may do: so it is the authority that acts.
        tags = {"tags": [ENTERPRISE]} if application.template_id else {}
        try:
            made = await self._registrations.instantiate_application(operator(), tenant_id, application.app_id, tags)
        except RegistrationExists:
            made = await self._registrations.instance(operator(), tenant_id, application.app_id)
        return made.service_principal

    async def _resource(self, tenant_id: str, app_id: str) -> ServicePrincipal:
        if app_id == GRAPH_APP_ID:
            return graph.service_principal(tenant_id)
        found = await self._clients.instance(tenant_id, app_id)
        if found is None:
            raise unknown_resource(app_id)
        return found

    def _names(self, application: Application, wanted: Wanted, allowed: frozenset[str]) -> tuple[str, ...]:
        """Everything that the request would get, the sign-in's own scopes too."""
        if not wanted.default:
            return tuple(dict.fromkeys((*wanted.names, *wanted.openid)))
        by_id = {one.scope_id: one.name for one in permissions().values() if one.scope_id is not None}
        static = [by_id[id_] for id_ in _required(application, "Scope") if id_ in by_id]
        return tuple(dict.fromkeys((*static, *sorted(allowed), *wanted.openid)))

    async def _asked(self, resource: str, names: Iterable[str], open_ones: Iterable[str]) -> list[Asked]:
        """What the page lists: ``open_ones`` decide who may consent. Raises ``Refusal`` for a scope that is none."""
        still_open = set(open_ones)
        texts = await self._texts(resource)
        found = []
        for name in names:
            text = texts.get(name)
            if text is None:
                raise unknown_resource(f"{resource}/{name}")
            found.append(Asked(name, text.title, text.text, text.admin and name in still_open))
        return found

    async def _texts(self, resource: str) -> Mapping[str, Asked]:
        ours = {one.name: Asked(one.name, one.title, one.text, one.admin) for one in permissions().values()}
        if resource == GRAPH_APP_ID:
            return ours
        registered = await self._registrations.registered(operator(), resource)
        scopes = () if registered is None else registered.properties.api.oauth2_permission_scopes
        own = {
            one.value: Asked(
                one.value,
                one.user_consent_display_name or one.admin_consent_display_name or one.value,
                one.user_consent_description or one.admin_consent_description or "",
                one.type == "Admin",
            )
            for one in scopes
            if one.value and one.is_enabled
        }
        return {name: text for name, text in ours.items() if name in OPENID_SCOPES} | own

    async def _consent(
        self, application: Application, session: Session, asked: list[Asked], names: tuple[str, ...]
    ) -> Consent:
        for_all = _may_for_all(session.actor, session.realm_id, with_roles=False)
        can = for_all or not any(one.admin for one in asked)
        return Consent(
            application=application,
            tenant_id=session.realm_id,
            tenant_name=session.realm_name,
            asked=tuple(asked),
            scopes=names,
            can=can,
            for_all=for_all,
            approvers=() if can else await self._approvers(session.realm_id, with_roles=False),
        )

    async def _approvers(self, tenant_id: str, *, with_roles: bool) -> tuple[str, ...]:
        right = Right.ROLES_MANAGE if with_roles else Right.APPLICATIONS_WRITE
        return await self._store.approvers(tenant_id, [name for name, rights in roles().items() if right in rights])


def _may_for_all(actor: Actor, tenant_id: str, *, with_roles: bool) -> bool:
    needed = {Right.APPLICATIONS_WRITE} | ({Right.ROLES_MANAGE} if with_roles else set())
    return actor.realm.id == tenant_id and needed <= actor.rights


def _required(application: Application, kind: str) -> tuple[str, ...]:
    """The ids of what the registration asks of the API."""
    return tuple(
        access.id
        for required in application.properties.required_resource_access
        if required.resource_app_id == GRAPH_APP_ID
        for access in required.resource_access
        if access.type == kind
    )
