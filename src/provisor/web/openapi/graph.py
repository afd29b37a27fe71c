"""OpenAPI, the Graph-compatible face: made of the very table of operations that answers requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from provisor.odata.types import EntityType, Property
from provisor.web.graph.routing import Operation
from provisor.web.openapi.schemas import STRING, Json, ref

_REFUSALS = (400, 401, 403, 404, 429, 503)
_WRITING = (*_REFUSALS, 409, 413, 415)
_WORDS = {
    400: "The request cannot be understood, or names something that there is not.",
    401: "No valid access token.",
    403: "The token's permissions, or the person's roles, do not allow this.",
    404: "There is no such object.",
    409: "The present state forbids this.",
    410: "The changes since this token are no longer known: begin again at the address in Location.",
    413: "The body is too large.",
    415: "The body is not JSON by its media type.",
    429: "Too many requests; Retry-After says how long to wait.",
    503: "The server cannot answer just now.",
}
_OPTIONS: Mapping[str, Json] = {
    "$top": {"type": "integer", "minimum": 1, "maximum": 999},
    "$skip": {"type": "integer", "minimum": 0},
    "$count": {"type": "boolean"},
}
_JSON = "application/json"
# {application|appId}: the name, and the other keys that it may be.
_PARAMETER = re.compile(r"{(\w+)[^}]*}")


def graph_paths(operations: Iterable[Operation], types: Mapping[str, EntityType], version: str) -> Json:
    """The paths of one version."""
    paths: Json = {}
    for operation in operations:
        path = f"/{version}{_PARAMETER.sub(_plain, operation.template)}"
        item = paths.setdefault(path, {})
        if parameters := [_path(name) for name in re.findall(r"{(\w+)}", path)]:
            item["parameters"] = parameters
        item[operation.method.lower()] = _operation(operation, types)
    paths[f"/{version}/$batch"] = {
        "post": {
            "summary": "Up to 20 requests in one.",
            "security": [{"graph": []}],
            "requestBody": _body(ref("GraphBatch")),
            "responses": {"200": _answer("Every answer.", {"type": "object", "required": ["responses"]})}
            | {str(status): _error(status) for status in _WRITING},
        }
    }
    return paths


def graph_schemas(types: Mapping[str, EntityType]) -> Json:
    """An entity's schema by type, as it is answered and as it is sent; the error envelope; a batch."""
    made: Json = {
        "GraphError": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["code", "message", "innerError"],
                    "properties": {
                        "code": STRING,
                        "message": STRING,
                        "details": {"type": "array", "items": {"type": "object"}},
                        "innerError": {
                            "type": "object",
                            "required": ["date", "request-id", "client-request-id"],
                            "properties": dict.fromkeys(("date", "request-id", "client-request-id"), STRING),
                        },
                    },
                }
            },
        },
        "GraphBatch": {
            "type": "object",
            "required": ["requests"],
            "properties": {
                "requests": {
                    "type": "array",
                    "maxItems": 20,
                    "items": {
                        "type": "object",
                        "required": ["id", "method", "url"],
                        "properties": {
                            "id": STRING,
                            "method": {"enum": ["GET", "POST", "PATCH", "PUT", "DELETE"]},
                            "url": STRING,
                            "headers": {"type": "object", "additionalProperties": STRING},
                            "body": {"type": "object"},
                            "dependsOn": {"type": "array", "items": STRING},
                        },
                    },
                }
            },
        },
        "GraphReference": {
            "type": "object",
            "required": ["@odata.id"],
            "properties": {
                "@odata.id": {"type": "string", "examples": ["https://graph.microsoft.com/v1.0/users/{id}"]}
            },
        },
    }
    for kind in types.values():
        made[_name(kind)] = {
            "type": "object",
            "properties": {name: _property(found) for name, found in kind.properties.items()},
        }
    return made


def _plain(parameter: re.Match[str]) -> str:
    return f"{{{parameter[1]}}}"


def _operation(operation: Operation, types: Mapping[str, EntityType]) -> Json:
    is_write = operation.method != "GET"
    made: Json = {
        "summary": operation.summary or f"{operation.method} {operation.template}",
        "security": [{"graph": []}],
        "responses": _answers(operation, types),
    }
    if operation.method in ("POST", "PATCH", "PUT"):
        made["requestBody"] = _body(_sent(operation, types), required=operation.method != "POST")
    parameters = [
        {"name": name, "in": "query", "schema": _OPTIONS.get(name, STRING)} for name in sorted(operation.options)
    ]
    if "$filter" in operation.options:
        parameters.append({"name": "ConsistencyLevel", "in": "header", "schema": {"enum": ["eventual"]}})
    if parameters:
        made["parameters"] = parameters
    for status in _WRITING if is_write else _REFUSALS:
        made["responses"][str(status)] = _error(status)
    if operation.template.endswith("/delta"):
        made["responses"]["410"] = _error(410)
    return made


def _answers(operation: Operation, types: Mapping[str, EntityType]) -> Json:
    entity: Json = {"type": "object"} if operation.kind is None else ref(_name(types[operation.kind]))
    collection = {
        "type": "object",
        "required": ["value"],
        "properties": {"value": {"type": "array", "items": entity}, "@odata.nextLink": STRING},
    }
    done = {"204": {"description": "Done."}}
    match operation.method:
        case "GET" if operation.template.endswith("/$count"):
            return {"200": {"description": "How many.", "content": {"text/plain": {"schema": STRING}}}}
        case "GET":
            is_list = "$skiptoken" in operation.options
            return {"200": _answer("Found.", collection if is_list else entity)}
        case "POST":
            return {"200": _answer("Done.", {"type": "object"}), "201": _answer("Made.", entity), **done}
        case "DELETE":
            return done
        case _:
            return {"200": _answer("Changed.", entity), **done}


def _sent(operation: Operation, types: Mapping[str, EntityType]) -> Json:
    if operation.template.endswith("/$ref"):
        return ref("GraphReference")
    return {"type": "object"} if operation.kind is None else ref(_name(types[operation.kind]))


def _property(found: Property) -> Json:
    match found.kind:
        case "text":
            return {"type": ["string", "null"]}
        case "moment":
            return {"type": ["string", "null"], "format": "date-time"}
        case "flag":
            return {"type": ["boolean", "null"]}
        case "number":
            return {"type": ["number", "null"]}
        case "texts":
            return {"type": ["array", "null"], "items": STRING}
        case "record":
            return {"type": ["object", "null"], "properties": {n: _property(p) for n, p in found.parts.items()}}
        case "records":
            inside = {name: _property(part) for name, part in found.parts.items()}
            return {"type": ["array", "null"], "items": {"type": "object", "properties": inside}}
        case _:
            return {}


def _name(kind: EntityType) -> str:
    return f"Graph{kind.name[0].upper()}{kind.name[1:]}"


def _path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _body(schema: Json, *, required: bool = True) -> Json:
    return {"required": required, "content": {_JSON: {"schema": schema}}}


def _answer(words: str, schema: Json) -> Json:
    return {"description": words, "content": {_JSON: {"schema": schema}}}


def _error(status: int) -> Json:
    return _answer(_WORDS[status], ref("GraphError"))
