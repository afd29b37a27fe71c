"""Registrations, the one that every tenant has: this program's own Graph-compatible API.

No row stands for it: its service principal's id follows from the tenant's, and its permissions are this version's.
"""

from __future__ import annotations

import uuid
from functools import cache

from provisor.applications.model import AppRole, ServicePrincipal
from provisor.applications.registrations.model import Application
from provisor.applications.registrations.properties import Api, ApplicationProperties, Scope, ServicePrincipalProperties
from provisor.security.permissions import GRAPH_APP_ID, permissions

NAME = "Microsoft Graph"
# Whose application it is in Entra ID: Microsoft's own tenant.
_OWNER_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"


@cache
def application() -> Application:
    """The API as an application of everybody."""
    return Application(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:provisor:application:{GRAPH_APP_ID}")),
        tenant_id="",
        app_id=GRAPH_APP_ID,
        template_id="",
        display_name=NAME,
        sign_in_audience="AzureADMultipleOrgs",
        created_at=0,
        properties=ApplicationProperties(api=Api(oauth2_permission_scopes=_scopes())),
    )


def service_principal(tenant_id: str) -> ServicePrincipal:
    """Its instance in a tenant."""
    return ServicePrincipal(
        id=service_principal_id(tenant_id),
        tenant_id=tenant_id,
        app_id=GRAPH_APP_ID,
        template_id="",
        display_name=NAME,
        created_at=0,
        app_roles=_roles(),
        owner_tenant_id=_OWNER_TENANT,
        properties=ServicePrincipalProperties(),
    )


def service_principal_id(tenant_id: str) -> str:
    """The id of its instance in a tenant."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:provisor:graph:{tenant_id}"))


@cache
def _roles() -> tuple[AppRole, ...]:
    return tuple(
        AppRole(one.role_id, one.name, one.title, True, one.text, ("Application",))
        for one in permissions().values()
        if one.role_id is not None
    )


@cache
def _scopes() -> tuple[Scope, ...]:
    return tuple(
        Scope(
            id=one.scope_id,
            value=one.name,
            admin_consent_description=one.text,
            admin_consent_display_name=one.title,
            type="Admin" if one.admin else "User",
            user_consent_description=one.text,
            user_consent_display_name=one.title,
        )
        for one in permissions().values()
        if one.scope_id is not None
    )
