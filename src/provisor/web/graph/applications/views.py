"""Graph face, applications as they are answered. Pure: the services' nouns in, whole documents out."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from provisor.applications import gallery
from provisor.applications.assignments.store import Assigned
from provisor.applications.errors import TemplateNotFound
from provisor.applications.gallery import Template
from provisor.applications.grants.model import PermissionGrant
from provisor.applications.model import AppRole
from provisor.applications.passwords.model import Password
from provisor.applications.registrations.model import Application, Instance
from provisor.clock import iso

Document = dict[str, Any]


def application(one: Application, passwords: Sequence[Password] = ()) -> Document:
    """Graph's ``application``."""
    own: Document = msgspec.to_builtins(one.properties)
    own["appRoles"] = [{**role, "origin": "Application"} for role in own["appRoles"]]
    return {
        "id": one.id,
        "deletedDateTime": None,
        "appId": one.app_id,
        "applicationTemplateId": template_guid(one.template_id),
        "createdDateTime": iso(one.created_at),
        "displayName": one.display_name,
        "publisherDomain": None,
        "signInAudience": one.sign_in_audience,
        "disabledByMicrosoftStatus": None,
        "passwordCredentials": [password(found) for found in passwords],
        **own,
    }


def service_principal(one: Instance, passwords: Sequence[Password] = ()) -> Document:
    """Graph's ``servicePrincipal``; what the application defines is its own."""
    sp, of = one.service_principal, one.application
    own: Document = msgspec.to_builtins(sp.properties)
    scopes = of.properties.api.oauth2_permission_scopes if of else ()
    identifiers = of.properties.identifier_uris if of else ()
    own["servicePrincipalNames"] = own["servicePrincipalNames"] or [*identifiers, sp.app_id]
    own["replyUrls"] = own["replyUrls"] or list(of.redirect_uris if of else ())
    return {
        "id": sp.id,
        "deletedDateTime": None,
        "appId": sp.app_id,
        "appDisplayName": of.display_name if of else sp.display_name,
        "applicationTemplateId": template_guid(sp.template_id),
        "appOwnerOrganizationId": sp.owner_tenant_id or sp.tenant_id,
        "createdDateTime": iso(sp.created_at),
        "displayName": sp.display_name,
        "signInAudience": of.sign_in_audience if of else None,
        "disabledByMicrosoftStatus": None,
        "appRoles": [app_role(role) for role in sp.app_roles],
        "oauth2PermissionScopes": msgspec.to_builtins(scopes),
        "passwordCredentials": [password(found) for found in passwords],
        "resourceSpecificApplicationPermissions": [],
        **own,
    }


def app_role(role: AppRole) -> Document:
    """Graph's ``appRole``."""
    return {
        "allowedMemberTypes": list(role.member_types),
        "description": role.description,
        "displayName": role.display_name,
        "id": role.id,
        "isEnabled": role.enabled,
        "origin": "Application",
        "value": role.value,
    }


def password(one: Password, text: str | None = None) -> Document:
    """Graph's ``passwordCredential``; ``text`` once, when it is made."""
    return {
        "customKeyIdentifier": None,
        "displayName": one.display_name,
        "endDateTime": iso(one.end_at),
        "hint": one.hint,
        "keyId": one.key_id,
        "secretText": text,
        "startDateTime": iso(one.start_at),
    }


def template(one: Template) -> Document:
    """Graph's ``applicationTemplate``."""
    return {
        "id": one.graph_id,
        "displayName": one.display_name,
        "homePageUrl": None,
        "supportedSingleSignOnModes": ["oidc"],
        "supportedProvisioningTypes": ["sync"],
        "logoUrl": None,
        "categories": list(one.categories),
        "publisher": one.publisher,
        "description": one.description,
        "endpoints": [],
        "isEntraIntegrated": False,
        "deprecationDate": None,
        "lastModifiedDateTime": None,
        "riskScore": None,
        "riskFactors": None,
    }


def template_guid(template_id: str) -> str | None:
    """The id of Graph's ``applicationTemplate`` for one of ours; null of no gallery app."""
    if not template_id:
        return None
    try:
        return gallery.template(template_id).graph_id
    except TemplateNotFound:  # the gallery had it once
        return None


def assignment(found: Assigned) -> Document:
    """Graph's ``appRoleAssignment``."""
    one = found.assignment
    return {
        "id": opaque(one.id),
        "deletedDateTime": None,
        "appRoleId": one.app_role_id,
        "createdDateTime": iso(one.created_at),
        "principalDisplayName": one.principal_display_name,
        "principalId": one.principal_id,
        "principalType": one.principal_type,
        "resourceDisplayName": found.resource_name,
        "resourceId": one.service_principal_id,
    }


def grant(one: PermissionGrant) -> Document:
    """Graph's ``oAuth2PermissionGrant``."""
    return {
        "id": opaque(one.id),
        "clientId": one.client_id,
        "consentType": "AllPrincipals" if one.for_everybody else "Principal",
        "principalId": one.principal_id or None,
        "resourceId": one.resource_id,
        "scope": " ".join(one.scopes),
    }


def opaque(id_: str) -> str:
    """Our id as Graph's clients expect one that is no GUID: URL-safe text."""
    return base64.urlsafe_b64encode(uuid.UUID(id_).bytes).decode().rstrip("=")


def identity(text: str) -> str:
    """Our id again; what is none stays as it is, and is not found."""
    try:
        return str(uuid.UUID(bytes=base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    except (binascii.Error, ValueError):
        return text
