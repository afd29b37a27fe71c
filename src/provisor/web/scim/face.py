"""SCIM face, step 1: which endpoint a request is for, who asks, and what to answer when something goes wrong."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from provisor.scim.errors import MethodNotAllowed, NotFound404
from provisor.web import metrics
from provisor.web.scim import faults
from provisor.web.scim.discovery import Discovery
from provisor.web.scim.http import (
    Answer,
    Receive,
    Request,
    Scope,
    Send,
    origin,
    parse_query,
    read_body,
    send_answer,
)
from provisor.web.scim.resources import ResourceEndpoint, RootSearch, bulk, me
from provisor.web.services import Services

Handler = Callable[[Request], Awaitable[Answer]]
# The methods of an endpoint; a path below it is the handler's to read.
Endpoint = Mapping[str, Handler]


class ScimFace:
    """An ASGI application for everything under ``/scim``."""

    def __init__(self, services: Services) -> None:
        self._companies = services.companies
        self._settings = services.settings
        users, groups = (ResourceEndpoint(services.resources, kind) for kind in ("User", "Group"))
        discovery = Discovery(services.resources)
        root = RootSearch(services.resources)
        self._endpoints: dict[str, Endpoint] = {
            "users": users.methods,
            "groups": groups.methods,
            "schemas": {"GET": discovery.schemas},
            "resourcetypes": {"GET": discovery.resource_types},
            "serviceproviderconfig": {"GET": discovery.config},
            "me": dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), me),
            "bulk": {"POST": bulk},
            ".search": {"POST": root.post},
            "": {"GET": root.get},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        method: str = scope["method"]
        path: str = scope["path"]
        name = "other"
        try:
            # Doubled slashes and a trailing one are nothing.
            segments = [segment for segment in path.split("/") if segment][1:]
            prefix = "/scim"
            if segments and segments[0] == "v2":
                prefix = "/scim/v2"
                del segments[0]
            name = segments[0].lower() if segments else ""
            endpoint = self._endpoints.get(name)
            headers = dict(scope["headers"])
            authorization = headers.get(b"authorization")
            principal = await self._companies.authenticate(authorization and authorization.decode("latin-1"))
            body = b"" if method in ("GET", "HEAD") else await read_body(receive, self._settings.max_body)
            if endpoint is None:
                name = "other"
                raise NotFound404(f"There is no endpoint {path[:200]!r}.", hint=f"The SCIM address ends in {prefix}.")
            handler = endpoint.get("GET" if method == "HEAD" else method)
            if handler is None:
                raise MethodNotAllowed(f"{path[:200]} does not take {method}, only {', '.join(endpoint)}.")
            base = self._settings.public_url or origin(scope["scheme"], headers.get(b"host", b""), scope.get("server"))
            query = parse_query(scope["query_string"])
            answer = await handler(Request(method, segments[1:], query, headers, base + prefix, body, principal))
        except Exception as error:  # noqa: BLE001 - the edge: whatever happened, the caller gets a SCIM error
            answer = faults.answer_of(error, method=method, path=path)
            if isinstance(error, MethodNotAllowed):
                answer.headers = [(b"allow", ", ".join(self._endpoints[name]).encode())]
        await send_answer(send, answer, with_body=method != "HEAD")
        metrics.scim_request(name, method, answer.status, time.perf_counter() - began)
