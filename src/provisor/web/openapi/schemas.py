"""OpenAPI, its schemas: SCIM schemas (RFC 7643 section 7) as JSON Schema, as they are sent and as they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.scim.errors import ERROR_URN
from provisor.scim.messages import BULK_REQUEST, BULK_RESPONSE, LIST_RESPONSE, PATCH_OP, SEARCH_REQUEST
from provisor.scim.schemas import Attribute, ResourceType

Json = dict[str, Any]

STRING: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
_TYPES: Mapping[str, Json] = {
    "string": STRING,
    "reference": STRING,
    "binary": {"type": "string", "contentEncoding": "base64"},
    "dateTime": {"type": "string", "format": "date-time"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
}


def ref(name: str) -> Json:
    """A reference to a schema of this document."""
    return {"$ref": f"#/components/schemas/{name}"}


def strings(description: str) -> Json:
    """A list of strings."""
    return {"type": "array", "items": STRING, "description": description}


def resource_schemas(kind: ResourceType) -> dict[str, Json]:
    """``User`` as it is answered, ``UserInput`` as it is sent, and ``UserList``."""
    answered = _container(kind, sent=False)
    answered["properties"] = {
        "schemas": strings("URNs of the schemas that the resource uses."),
        "id": {"type": "string", "description": "Given by the server, and never changed."},
        "externalId": {"type": "string", "description": "Given by the client."},
        "meta": ref("Meta"),
        **answered["properties"],
    }
    answered["required"] = ["schemas", "id"]
    sent = _container(kind, sent=True)
    sent["properties"] = {
        "schemas": strings("URNs of the schemas that the body uses."),
        "externalId": {"type": "string", "description": "The client's own id of the resource."},
        **sent["properties"],
    }
    return {kind.name: answered, f"{kind.name}Input": sent, f"{kind.name}List": list_of(ref(kind.name))}


def list_of(items: Json) -> Json:
    """A ListResponse (RFC 7644 section 3.4.2) of such resources."""
    return {
        "type": "object",
        "required": ["schemas", "totalResults", "Resources"],
        "properties": {
            "schemas": {"const": [LIST_RESPONSE]},
            "totalResults": COUNT,
            "startIndex": {"type": "integer", "minimum": 1},
            "itemsPerPage": COUNT,
            "nextCursor": STRING,
            "previousCursor": STRING,
            "Resources": {"type": "array", "items": items},
        },
    }


def message_schemas() -> dict[str, Json]:
    """The messages of RFC 7644, and ``meta``."""
    return {
        "Meta": {
            "type": "object",
            "properties": {
                "resourceType": STRING,
                "created": _TYPES["dateTime"],
                "lastModified": _TYPES["dateTime"],
                "version": STRING,
                "location": STRING,
            },
        },
        "Error": {
            "type": "object",
            "required": ["schemas", "status", "detail"],
            "properties": {
                "schemas": {"const": [ERROR_URN]},
                "status": {"type": "string", "pattern": "^[45][0-9]{2}$"},
                "scimType": STRING,
                "detail": STRING,
            },
        },
        "Patch": {
            "type": "object",
            "required": ["schemas", "Operations"],
            "properties": {
                "schemas": {"const": [PATCH_OP]},
                "Operations": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["op"],
                        "properties": {"op": {"enum": ["add", "replace", "remove"]}, "path": STRING, "value": {}},
                    },
                },
            },
        },
        "Search": {
            "type": "object",
            "required": ["schemas"],
            "properties": {
                "schemas": {"const": [SEARCH_REQUEST]},
                "filter": STRING,
                "sortBy": STRING,
                "sortOrder": {"enum": ["ascending", "descending"]},
                "startIndex": {"type": "integer"},
                "count": {"type": "integer"},
                "cursor": STRING,
                "attributes": strings("Only these."),
                "excludedAttributes": strings("Without these."),
            },
        },
        "Bulk": {
            "type": "object",
            "required": ["schemas", "Operations"],
            "properties": {
                "schemas": {"const": [BULK_REQUEST]},
                "failOnErrors": {"type": "integer", "minimum": 1},
                "Operations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["method", "path"],
                        "properties": {
                            "method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]},
                            "path": STRING,
                            "bulkId": STRING,
                            "version": STRING,
                            "data": {"type": "object"},
                        },
                    },
                },
            },
        },
        "BulkAnswer": {
            "type": "object",
            "required": ["schemas", "Operations"],
            "properties": {
                "schemas": {"const": [BULK_RESPONSE]},
                "Operations": {"type": "array", "items": {"type": "object", "required": ["method", "status"]}},
            },
        },
        "Any": {"type": "object", "required": ["schemas"], "properties": {"schemas": strings("URNs.")}},
        "AnyList": list_of({"type": "object"}),
    }


def _container(kind: ResourceType, *, sent: bool) -> Json:
    made = _object(kind.schema.attributes, sent=sent)
    for extension in kind.extensions:
        made["properties"][extension.schema.id] = {
            **_object(extension.schema.attributes, sent=sent),
            "description": extension.schema.description,
        }
    return made


def _object(attributes: Mapping[str, Attribute], *, sent: bool) -> Json:
    shown = [one for one in attributes.values() if _is_shown(one, sent=sent)]
    made: Json = {"type": "object", "properties": {one.name: _attribute(one, sent=sent) for one in shown}}
    if sent and (required := [one.name for one in shown if one.required]):
        made["required"] = required
    return made


def _is_shown(attribute: Attribute, *, sent: bool) -> bool:
    if sent:
        return attribute.mutability != "readOnly"
    return attribute.mutability != "writeOnly" and attribute.returned != "never"


def _attribute(attribute: Attribute, *, sent: bool) -> Json:
    if attribute.type == "complex":
        one = _object(attribute.sub, sent=sent)
    else:
        one = dict(_TYPES[attribute.type])
        if attribute.canonical_values:
            one["examples"] = list(attribute.canonical_values)
    if attribute.multi_valued:
        one = {"type": "array", "items": one}
    if attribute.description:
        one["description"] = attribute.description
    return one
