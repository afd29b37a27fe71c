"""Floor 1, answers: ``/Schemas``, ``/ResourceTypes`` and ``/ServiceProviderConfig`` (RFC 7643 sections 5 to 7).

Rendered from the schema set, without nulls: Entra refuses null values there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisor.scim.schemas import Attribute, Extension, ResourceType, Schema, SchemaSet

SCHEMA_URN = "urn:ietf:params:scim:schemas:core:2.0:Schema"
RESOURCE_TYPE_URN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SERVICE_PROVIDER_CONFIG_URN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"


def schema_documents(schemas: SchemaSet, base: str) -> list[dict[str, Any]]:
    """Every schema as ``/Schemas`` lists it. ``base`` is the SCIM base address without a slash at its end."""
    return [schema_document(schema, base) for schema in schemas.schemas.values()]


def schema_document(schema: Schema, base: str) -> dict[str, Any]:
    """One schema (RFC 7643 section 7)."""
    return {
        "schemas": [SCHEMA_URN],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": [_attribute(attribute) for attribute in schema.attributes.values()],
        "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{schema.id}"},
    }


def resource_type_documents(schemas: SchemaSet, base: str) -> list[dict[str, Any]]:
    """Every resource type as ``/ResourceTypes`` lists it."""
    return [resource_type_document(kind, base) for kind in schemas.resource_types.values()]


def resource_type_document(kind: ResourceType, base: str) -> dict[str, Any]:
    """One resource type (RFC 7643 section 6)."""
    return {
        "schemas": [RESOURCE_TYPE_URN],
        "id": kind.name,
        "name": kind.name,
        "endpoint": kind.endpoint,
        "description": kind.description,
        "schema": kind.schema.id,
        "schemaExtensions": [_extension(extension) for extension in kind.extensions],
        "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{kind.name}"},
    }


@dataclass(frozen=True, slots=True)
class AuthenticationScheme:
    """One way to authenticate (RFC 7643 section 5): ``type`` is oauthbearertoken, oauth2, httpbasic, …"""

    type: str
    name: str
    description: str
    spec_uri: str | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Features:
    """What a server supports. A None stands for "not supported". Sizes in resources, bytes and seconds."""

    authentication: Sequence[AuthenticationScheme]
    filter_max_results: int
    default_page_size: int
    max_page_size: int
    bulk_max_operations: int | None = None
    bulk_max_payload: int | None = None
    cursor_timeout: int | None = None
    cursor_pagination: bool = False
    sort: bool = False
    etag: bool = False
    change_password: bool = False
    documentation_uri: str | None = None


def service_provider_config(features: Features, base: str) -> dict[str, Any]:
    """``/ServiceProviderConfig`` (RFC 7643 section 5, RFC 9865 section 4)."""
    pagination: dict[str, Any] = {
        "cursor": features.cursor_pagination,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": features.default_page_size,
        "maxPageSize": features.max_page_size,
    }
    if features.cursor_timeout is not None:
        pagination["cursorTimeout"] = features.cursor_timeout
    document: dict[str, Any] = {"schemas": [SERVICE_PROVIDER_CONFIG_URN]}
    if features.documentation_uri is not None:
        document["documentationUri"] = features.documentation_uri
    return document | {
        "patch": {"supported": True},
        "bulk": {
            "supported": features.bulk_max_operations is not None,
            "maxOperations": features.bulk_max_operations or 0,
            "maxPayloadSize": features.bulk_max_payload or 0,
        },
        "filter": {"supported": True, "maxResults": features.filter_max_results},
        "changePassword": {"supported": features.change_password},
        "sort": {"supported": features.sort},
        "etag": {"supported": features.etag},
        "pagination": pagination,
        "authenticationSchemes": [_scheme(scheme) for scheme in features.authentication],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def _scheme(scheme: AuthenticationScheme) -> dict[str, Any]:
    document: dict[str, Any] = {"type": scheme.type, "name": scheme.name, "description": scheme.description}
    if scheme.spec_uri is not None:
        document["specUri"] = scheme.spec_uri
    return document | {"primary": scheme.primary}


def _extension(extension: Extension) -> Mapping[str, Any]:
    return {"schema": extension.schema.id, "required": extension.required}


def _attribute(attribute: Attribute) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
    }
    if attribute.type in ("string", "reference", "binary"):
        document["caseExact"] = attribute.case_exact
    document |= {"mutability": attribute.mutability, "returned": attribute.returned}
    if attribute.type != "boolean":
        document["uniqueness"] = attribute.uniqueness
    if attribute.canonical_values:
        document["canonicalValues"] = list(attribute.canonical_values)
    if attribute.reference_types:
        document["referenceTypes"] = list(attribute.reference_types)
    if attribute.sub:
        document["subAttributes"] = [_attribute(sub) for sub in attribute.sub.values()]
    return document
