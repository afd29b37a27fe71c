"""OpenAPI, the document: each address of the company side with everything that it takes and may answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from provisor import __version__
from provisor.scim.schemas import ResourceType, SchemaSet
from provisor.web.graph.face import GraphFace
from provisor.web.oauth.token import TOKEN_PATH
from provisor.web.openapi.graph import graph_paths, graph_schemas
from provisor.web.openapi.schemas import COUNT, STRING, Json, message_schemas, ref, resource_schemas

_SCIM = "application/scim+json"
_PREFIX = "/scim"
# Every endpoint may refuse in these ways; what else it may, it says.
_ALWAYS = (400, 401, 403, 404, 429, 503)
_WRITING = (*_ALWAYS, 409, 412, 413, 415)
_WORDS = {
    400: "The request cannot be understood; scimType says why.",
    401: "No valid credential.",
    403: "The credential does not allow this.",
    404: "There is no such resource.",
    409: "A unique value is taken, or the present state forbids this.",
    412: "The resource has another version than If-Match names.",
    413: "The body is too large.",
    415: "The body is not JSON by its media type.",
    429: "Too many requests; Retry-After says how long to wait.",
    503: "The server cannot answer just now.",
}


def document(schemas: SchemaSet, base: str) -> Json:
    """The OpenAPI 3.1 document of a server at ``base`` for resources of ``schemas``."""
    paths: Json = {}
    components = message_schemas()
    for kind in schemas.resource_types.values():
        components |= resource_schemas(kind)
        paths |= _resource_paths(kind)
    paths |= _me(schemas.resource_type("User"))
    paths |= _shared_paths()
    paths |= _other_paths()
    for path, item in paths.items():
        for method, operation in item.items():
            if method != "parameters":
                operation["operationId"] = _name(method, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Provisor, the company side",
            "version": __version__,
            "description": "SCIM 2.0 (RFC 7643, 7644, 9865), the outbox of changes, and the OAuth 2.0 token address.",
        },
        "servers": [{"url": base}],
        "security": [{"key": []}, {"oauth": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {str(status): _error(words) for status, words in _WORDS.items()},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of the company."},
                "oauth": {
                    "type": "oauth2",
                    "flows": {"clientCredentials": {"tokenUrl": f"{base}{TOKEN_PATH}", "scopes": {}}},
                },
            },
        },
    }


def add_graph(made: Json, graph: GraphFace) -> None:
    """Add the Graph-compatible face to the document: ``/v1.0``, and of ``/beta`` what is there only."""
    stable, beta = graph.tables["v1.0"].operations, graph.tables["beta"].operations
    paths = graph_paths(stable, graph.types, "v1.0")
    paths |= graph_paths([one for one in beta if "v1.0" not in one.versions], graph.types, "beta")
    for path, item in paths.items():
        for method, operation in item.items():
            if method != "parameters":
                words = re.findall(r"\w+", path.removeprefix("/v1.0"))
                operation["operationId"] = f"graph{method.title()}" + "".join(
                    word[0].upper() + word[1:] for word in words
                )
    made["paths"] |= paths
    made["components"]["schemas"] |= graph_schemas(graph.types)
    made["components"]["securitySchemes"]["graph"] = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of the tenant's authority, or one of 'provisor token create'.",
    }
    made["info"]["title"] = "Provisor"


def _name(method: str, path: str) -> str:
    """``patchUsersById`` of ``PATCH /scim/Users/{id}``: what a generated client calls it."""
    words = [word for word in path.removeprefix(f"{_PREFIX}/").replace(".", "").split("/") if word]
    return method + "".join(
        f"By{word[1:-1].title()}" if word[0] == "{" else word[0].upper() + word[1:] for word in words
    )


def _resource_paths(kind: ResourceType) -> Json:
    name, path = kind.name, f"{_PREFIX}{kind.endpoint}"
    one = {"get": _get_one(name), **_writes(name), "parameters": [_path("id")]}
    return {
        path: {
            "get": _operation(f"Search {name} resources.", {200: f"{name}List"}, parameters=_search_parameters()),
            "post": _operation(
                f"Create a {name}.",
                {201: name},
                _WRITING,
                body=f"{name}Input",
                parameters=[_query("attributes"), _query("excludedAttributes")],
            ),
        },
        f"{path}/{{id}}": one,
        f"{path}/.search": {
            "post": _operation(f"Search {name} resources.", {200: f"{name}List"}, _WRITING, body="Search")
        },
    }


def _get_one(name: str) -> Json:
    made = _operation(
        f"Read a {name}.",
        {200: name},
        parameters=[_query("attributes"), _query("excludedAttributes"), _header("If-None-Match")],
    )
    made["responses"]["304"] = {"description": "It is still the version that If-None-Match names."}
    return made


def _writes(name: str) -> Json:
    parameters = [_query("attributes"), _query("excludedAttributes"), _header("If-Match")]
    patched = {200: name, 204: None}
    return {
        "put": _operation(f"Replace a {name}.", {200: name}, _WRITING, body=f"{name}Input", parameters=parameters),
        "patch": _operation(f"Change a {name}.", patched, _WRITING, body="Patch", parameters=parameters),
        "delete": _operation(f"Delete a {name}.", {204: None}, _WRITING, parameters=[_header("If-Match")]),
    }


def _me(kind: ResourceType) -> Json:
    return {f"{_PREFIX}/Me": {"get": _get_one(kind.name), **_writes(kind.name)}}


def _shared_paths() -> Json:
    found: Json = {
        _PREFIX: {"get": _operation("Search all resources.", {200: "AnyList"}, parameters=_search_parameters())},
        f"{_PREFIX}/.search": {"post": _operation("Search all resources.", {200: "AnyList"}, _WRITING, body="Search")},
        f"{_PREFIX}/Bulk": {
            "post": _operation("Several changes in one request.", {200: "BulkAnswer"}, _WRITING, body="Bulk")
        },
        f"{_PREFIX}/ServiceProviderConfig": {"get": _operation("What this server supports.", {200: "Any"})},
    }
    for name in ("Schemas", "ResourceTypes"):
        found[f"{_PREFIX}/{name}"] = {"get": _operation(f"All {name}.", {200: "AnyList"})}
        found[f"{_PREFIX}/{name}/{{id}}"] = {
            "get": _operation(f"One of the {name}.", {200: "Any"}),
            "parameters": [_path("id")],
        }
    return found


def _other_paths() -> Json:
    refusal: Json = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "object", "properties": {"code": STRING, "message": STRING}}},
    }
    change = {
        "type": "object",
        "required": ["seq", "resourceType", "resourceId", "change", "at"],
        "properties": {
            "seq": COUNT,
            "resourceType": STRING,
            "resourceId": STRING,
            "change": {"enum": ["created", "updated", "deleted"]},
            "at": {"type": "string", "format": "date-time"},
        },
    }
    page = {
        "type": "object",
        "required": ["changes", "next", "head"],
        "properties": {"changes": {"type": "array", "items": change}, "next": COUNT, "head": COUNT},
    }
    gone = {**refusal, "required": ["error", "head"], "properties": {**refusal["properties"], "head": COUNT}}
    token = {
        "type": "object",
        "required": ["access_token", "token_type", "expires_in"],
        "properties": {"access_token": STRING, "token_type": {"const": "Bearer"}, "expires_in": COUNT},
    }
    no_token = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": STRING, "error_description": STRING},
    }
    form = {
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": {"const": "client_credentials"},
            "client_id": STRING,
            "client_secret": STRING,
            "scope": STRING,
        },
    }
    return {
        "/v1/changes": {
            "get": {
                "summary": "The company's changes in order, after a cursor.",
                "parameters": [_query("after", COUNT), _query("limit", {"type": "integer"})],
                "responses": {
                    "200": _json("The next changes.", page),
                    **{str(status): _json(_WORDS[status], refusal) for status in (400, 401, 403, 429, 503)},
                    "410": _json("Changes after the cursor are no longer kept: read all resources anew.", gone),
                },
            }
        },
        TOKEN_PATH: {
            "post": {
                "summary": "An access token for a client's secret (RFC 6749 section 4.4).",
                "security": [],
                "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": form}}, "required": True},
                "responses": {
                    "200": _json("A token.", token),
                    **{str(status): _json("Refused.", no_token) for status in (400, 401, 503)},
                },
            }
        },
    }


def _operation(
    summary: str,
    answers: dict[int, str | None],
    refusals: Iterable[int] = _ALWAYS,
    *,
    body: str | None = None,
    parameters: list[Json] | None = None,
) -> Json:
    """An operation. ``answers``: status -> the name of the answer's schema; null: no body."""
    made: Json = {"summary": summary, "responses": {}}
    if parameters:
        made["parameters"] = parameters
    if body is not None:
        made["requestBody"] = {
            "required": True,
            "content": {media: {"schema": ref(body)} for media in (_SCIM, "application/json")},
        }
    for status, name in answers.items():
        made["responses"][str(status)] = (
            {"description": "Done."} if name is None else _json("Done.", ref(name), media=_SCIM)
        )
    for status in refusals:
        made["responses"][str(status)] = {"$ref": f"#/components/responses/{status}"}
    return made


def _search_parameters() -> list[Json]:
    texts = ("filter", "sortBy", "attributes", "excludedAttributes", "cursor")
    numbers = ("startIndex", "count")
    return [
        *(_query(name) for name in texts),
        *(_query(name, {"type": "integer"}) for name in numbers),
        _query("sortOrder", {"enum": ["ascending", "descending"]}),
    ]


def _query(name: str, schema: Json = STRING) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def _header(name: str) -> Json:
    return {"name": name, "in": "header", "schema": STRING}


def _path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _error(words: str) -> Json:
    return _json(words, ref("Error"), media=_SCIM)


def _json(description: str, schema: Any, *, media: str = "application/json") -> Json:
    return {"description": description, "content": {media: {"schema": schema}}}
