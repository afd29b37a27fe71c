"""Registrations, their properties: what Graph's ``application`` and ``servicePrincipal`` hold beside ids and names.

Names, types and defaults are those of reference graph-synchronization-api.md section 11.4 and of the public CSDL. They
are checked when they are written; a property that is not named here is an error.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from provisor.errors import InvalidInput

P = TypeVar("P", bound=msgspec.Struct)
MemberType = Literal["User", "Application"]
AUDIENCES = ("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount")
MULTI_TENANT = frozenset(AUDIENCES[1:3])

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Text = Annotated[str, msgspec.Meta(max_length=2048)]
Texts = Annotated[tuple[Text, ...], msgspec.Meta(max_length=1000)]
Record = dict[str, Any]


class InvalidProperties(InvalidInput):
    """A property of an application cannot be used."""


class Part(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Graph's names are camelCase. What is left out has its default, and so has what is null."""


class Role(Part, frozen=True):
    """A role that people, groups or other applications can be given. ``value`` is what a token carries."""

    id: str
    display_name: Name
    allowed_member_types: tuple[MemberType, ...] = ("User",)
    description: Text | None = None
    is_enabled: bool = True
    value: Annotated[str, msgspec.Meta(max_length=120)] | None = None
    origin: str | None = None


class Scope(Part, frozen=True):
    """A delegated permission that the application offers to others."""

    id: str
    value: Annotated[str, msgspec.Meta(max_length=120)] | None = None
    admin_consent_description: Text | None = None
    admin_consent_display_name: Text | None = None
    is_enabled: bool = True
    origin: str | None = None
    type: Literal["User", "Admin"] = "User"
    user_consent_description: Text | None = None
    user_consent_display_name: Text | None = None


class PreAuthorized(Part, frozen=True):
    app_id: str
    delegated_permission_ids: tuple[str, ...] = ()


class Api(Part, frozen=True):
    accept_mapped_claims: bool | None = None
    known_client_applications: tuple[str, ...] = ()
    oauth2_permission_scopes: tuple[Scope, ...] = ()
    pre_authorized_applications: tuple[PreAuthorized, ...] = ()
    requested_access_token_version: int | None = None


class ImplicitGrant(Part, frozen=True):
    enable_access_token_issuance: bool | None = False
    enable_id_token_issuance: bool | None = False


class RedirectUri(Part, frozen=True):
    uri: Text
    index: int | None = None


class Web(Part, frozen=True):
    home_page_url: Text | None = None
    implicit_grant_settings: ImplicitGrant = ImplicitGrant()
    logout_url: Text | None = None
    redirect_uri_settings: tuple[RedirectUri, ...] = ()
    redirect_uris: Texts = ()


class Redirects(Part, frozen=True):
    redirect_uris: Texts = ()


class Info(Part, frozen=True):
    logo_url: Text | None = None
    marketing_url: Text | None = None
    privacy_statement_url: Text | None = None
    support_url: Text | None = None
    terms_of_service_url: Text | None = None


class ResourceAccess(Part, frozen=True):
    id: str
    type: Literal["Scope", "Role"]


class RequiredResource(Part, frozen=True):
    """Permissions of another application that this one asks for, whatever it asks for at a sign-in."""

    resource_app_id: str
    resource_access: tuple[ResourceAccess, ...] = ()


class ParentalControl(Part, frozen=True):
    countries_blocked_for_minors: tuple[str, ...] = ()
    legal_age_group_rule: str | None = "Allow"


class ApplicationProperties(Part, frozen=True):
    """What an application has beside ``id``, ``appId``, ``displayName`` and ``signInAudience``, which are columns."""

    add_ins: tuple[Record, ...] = ()
    api: Api = Api()
    app_roles: tuple[Role, ...] = ()
    default_redirect_uri: Text | None = None
    description: Text | None = None
    group_membership_claims: Text | None = None
    identifier_uris: Texts = ()
    info: Info = Info()
    is_device_only_auth_supported: bool | None = None
    is_fallback_public_client: bool | None = None
    key_credentials: tuple[Record, ...] = ()
    notes: Text | None = None
    oauth2_require_post_response: bool = False
    optional_claims: Record | None = None
    parental_control_settings: ParentalControl = ParentalControl()
    public_client: Redirects = Redirects()
    request_signature_verification: Record | None = None
    required_resource_access: tuple[RequiredResource, ...] = ()
    saml_metadata_url: Text | None = None
    service_management_reference: Text | None = None
    service_principal_lock_configuration: Record | None = None
    spa: Redirects = Redirects()
    tags: Texts = ()
    token_encryption_key_id: str | None = None
    unique_name: Text | None = None
    web: Web = Web()


class ServicePrincipalProperties(Part, frozen=True):
    """What a service principal has beside its ids, name and roles. ``tags`` decide where portals show it."""

    account_enabled: bool = True
    add_ins: tuple[Record, ...] = ()
    alternative_names: Texts = ()
    app_description: Text | None = None
    app_role_assignment_required: bool = False
    custom_security_attributes: Record | None = None
    description: Text | None = None
    homepage: Text | None = None
    info: Info = Info()
    key_credentials: tuple[Record, ...] = ()
    login_url: Text | None = None
    logout_url: Text | None = None
    notes: Text | None = None
    notification_email_addresses: Texts = ()
    preferred_single_sign_on_mode: Text | None = None
    preferred_token_signing_key_thumbprint: Text | None = None
    reply_urls: Texts = ()
    saml_single_sign_on_settings: Record | None = None
    service_principal_names: Texts = ()
    service_principal_type: Text = "Application"
    tags: Texts = ()
    token_encryption_key_id: str | None = None


def changed(before: P, changes: Mapping[str, Any]) -> P:
    """``before`` with these properties (Graph's names): parts of a record are merged, lists replaced, null resets.

    Raises ``InvalidProperties`` with the property's name.
    """
    merged = _merged(msgspec.to_builtins(before), changes)
    try:
        after = msgspec.convert(merged, type(before))
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        where = path.strip("`").removeprefix("$.") or "the request"
        raise InvalidProperties(f"{where}: {problem}.", hint="Nothing was saved.") from error
    return after


def check_ids(roles: tuple[Role, ...], scopes: tuple[Scope, ...]) -> None:
    """Ids are GUIDs and occur once, and so do the values of roles. Raises ``InvalidProperties``."""
    seen: set[str] = set()
    kinds: list[tuple[str, Role | Scope]] = [("appRoles", role) for role in roles]
    for what, one in [*kinds, *(("oauth2PermissionScopes", scope) for scope in scopes)]:
        if guid(one.id) is None:
            raise InvalidProperties(f"{what}: the id {one.id!r} is not a GUID.", hint="Make a new one for a new role.")
        if one.id in seen:
            raise InvalidProperties(f"{what}: the id {one.id} occurs twice.")
        seen.add(one.id)
    values = [role.value for role in roles if role.value]
    if repeated := {value for value in values if values.count(value) > 1}:
        raise InvalidProperties(f"appRoles: the value {min(repeated)!r} occurs twice.")


def guid(text: str) -> str | None:
    """The GUID in its usual form, null when it is none."""
    if not _GUID.fullmatch(text):
        return None
    return str(uuid.UUID(text))


_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(before)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
            if name not in before:
                result[name] = None  # so that an unknown property is told, also when it is null
        elif isinstance(value, Mapping) and isinstance(result.get(name), Mapping):
            result[name] = _merged(result[name], value)
        else:
            result[name] = value
    return result
