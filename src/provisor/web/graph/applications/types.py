"""Graph face, the types of applications: which properties there are, for ``$select`` and ``$filter``.

Those of ``application`` and ``servicePrincipal`` come from the tables that check what is written.
"""

from __future__ import annotations

import msgspec
import msgspec.inspect as structs

from provisor.applications.registrations.properties import ApplicationProperties, ServicePrincipalProperties
from provisor.odata.types import EntityType, Property, properties


def _of(kind: type[msgspec.Struct]) -> dict[str, Property]:
    found = structs.type_info(kind)
    return _parts(found) if isinstance(found, structs.StructType) else {}


def _parts(kind: structs.StructType) -> dict[str, Property]:
    return {one.encode_name: _property(one.type) for one in kind.fields}


def _property(kind: structs.Type) -> Property:
    match kind:
        case structs.Metadata(type=inner):
            return _property(inner)
        case structs.UnionType(types=types):
            return _property(next(one for one in types if not isinstance(one, structs.NoneType)))
        case structs.BoolType():
            return Property("flag")
        case structs.IntType():
            return Property("number")
        case structs.StructType():
            return Property("record", _parts(kind))
        case structs.DictType():
            return Property("record")
        case structs.VarTupleType(item_type=item):
            element = _property(item)
            return Property("texts") if element.kind == "text" else Property("records", element.parts)
        case _:
            return Property()


_PASSWORD = properties(
    texts="displayName hint keyId secretText customKeyIdentifier", moments="startDateTime endDateTime"
)
_ROLE = _of(ApplicationProperties)["appRoles"]
_SCOPE = _of(ApplicationProperties)["api"].parts["oauth2PermissionScopes"]

APPLICATION = EntityType(
    "application",
    {
        **properties(
            texts="id appId applicationTemplateId displayName publisherDomain signInAudience disabledByMicrosoftStatus",
            moments="createdDateTime deletedDateTime",
            record_lists={"passwordCredentials": _PASSWORD},
        ),
        **_of(ApplicationProperties),
    },
    links={"owners": "directoryObject"},
)
SERVICE_PRINCIPAL = EntityType(
    "servicePrincipal",
    {
        **properties(
            texts="id appId appDisplayName applicationTemplateId appOwnerOrganizationId displayName signInAudience "
            "disabledByMicrosoftStatus",
            moments="createdDateTime deletedDateTime",
            record_lists={"passwordCredentials": _PASSWORD, "resourceSpecificApplicationPermissions": {}},
        ),
        "appRoles": _ROLE,
        "oauth2PermissionScopes": _SCOPE,
        **_of(ServicePrincipalProperties),
    },
    links={"owners": "directoryObject"},
)
APPLICATION_TEMPLATE = EntityType(
    "applicationTemplate",
    properties(
        texts="id displayName homePageUrl logoUrl publisher description riskScore deprecationDate",
        flags="isEntraIntegrated",
        moments="lastModifiedDateTime",
        lists="supportedSingleSignOnModes supportedProvisioningTypes categories endpoints",
        records={"riskFactors": {}},
    ),
)
APP_ROLE_ASSIGNMENT = EntityType(
    "appRoleAssignment",
    properties(
        texts="id appRoleId principalDisplayName principalId principalType resourceDisplayName resourceId",
        moments="createdDateTime deletedDateTime",
    ),
)
PERMISSION_GRANT = EntityType(
    "oAuth2PermissionGrant",
    properties(texts="id clientId consentType principalId resourceId scope"),
)
TYPES = {
    kind.name: kind
    for kind in (APPLICATION, SERVICE_PRINCIPAL, APPLICATION_TEMPLATE, APP_ROLE_ASSIGNMENT, PERMISSION_GRANT)
}
