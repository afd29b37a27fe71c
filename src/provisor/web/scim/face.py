"""SCIM face, step 1: which endpoint a request is for, who asks, and what to answer when something goes wrong."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from provisor.provider.credentials import Credentials
from provisor.provider.limits import RateLimiter
from provisor.provider.model import Principal
from provisor.scim.errors import MethodNotAllowed, NotFound404
from provisor.web import metrics
from provisor.web.scim import faults
from provisor.web.scim.bulk import BulkEndpoint
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
from provisor.web.scim.me import MeEndpoint
from provisor.web.scim.resources import ResourceEndpoint, RootSearch
from provisor.web.services import Services

Handler = Callable[[Request], Awaitable[Answer]]
# The methods of an endpoint; a path below it is the handler's to read.
Endpoint = Mapping[str, Handler]


class ScimFace:
    """An ASGI application for everything under ``/scim``."""

    def __init__(self, services: Services) -> None:
        self.credentials = Credentials(services.companies, services.clients)
        self.rates = RateLimiter(services.clock)
        self._requests = services.requests
        self._settings = services.settings
        self._resources = services.resources
        users, groups = (ResourceEndpoint(services.resources, kind) for kind in ("User", "Group"))
        discovery = Discovery(services.resources)
        root = RootSearch(services.resources)
        self._endpoints: dict[str, Endpoint] = {
            "users": users.methods,
            "groups": groups.methods,
            "schemas": {"GET": discovery.schemas},
            "resourcetypes": {"GET": discovery.resource_types},
            "serviceproviderconfig": {"GET": discovery.config},
            "me": MeEndpoint(services.companies, services.resources, users).methods,
            "bulk": {"POST": BulkEndpoint(self._perform).post},
            ".search": {"POST": root.post},
            "": {"GET": root.get},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        method: str = scope["method"]
        path: str = scope["path"]
        name = "other"
        endpoint: Endpoint | None = None
        principal: Principal | None = None
        request: Request | None = None
        body = b""
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
            principal = await self.credentials.authenticate(authorization and authorization.decode("latin-1"))
            self.rates.admit(principal)
            body = b"" if method in ("GET", "HEAD") else await read_body(receive, self._settings.max_body)
            if endpoint is None:
                name = "other"
                endpoint = await self._own_type(segments[0], principal, path, prefix)
            handler = handler_of(endpoint, method, path)
            base = self._settings.public_url or origin(scope["scheme"], headers.get(b"host", b""), scope.get("server"))
            query = parse_query(scope["query_string"])
            request = Request(method, segments[1:], query, headers, base + prefix, body, principal)
            answer = await handler(request)
        except Exception as error:  # noqa: BLE001 - the edge: whatever happened, the caller gets a SCIM error
            answer = faults.answer_of(error, method=method, path=path)
            if isinstance(error, MethodNotAllowed) and endpoint is not None:
                answer.headers = [(b"allow", ", ".join(endpoint).encode())]
        await send_answer(send, answer, with_body=method != "HEAD")
        seconds = time.perf_counter() - began
        metrics.scim_request(name, method, answer.status, seconds)
        if self._requests is not None and principal is not None:
            sent = scope["query_string"]
            self._requests.note(
                principal,
                method,
                f"{path}?{sent.decode('latin-1')}" if sent else path,
                answer.status,
                seconds,
                request=body,
                answer=answer.body,
                ignored=request.ignored if request is not None else (),
            )

    async def _own_type(self, name: str, principal: Principal, path: str, prefix: str) -> Endpoint:
        """The endpoint of a resource type that the caller's company has added."""
        schemas = await self._resources.schemas(principal)
        for kind in schemas.resource_types.values():
            if kind.endpoint[1:].lower() == name.lower():
                return ResourceEndpoint(self._resources, kind.name).methods
        raise NotFound404(f"There is no endpoint {path[:200]!r}.", hint=f"The SCIM address ends in {prefix}.")

    async def _perform(self, name: str, request: Request) -> Answer:
        """One operation of a bulk request."""
        path = "/".join(("", name, *request.rest))
        try:
            endpoint = self._endpoints.get(name) if name in ("users", "groups", "me") else None
            if endpoint is None:
                endpoint = await self._own_type(name, request.principal, path, "that of /Bulk")
            own = replace(request, ignored=[])
            answer = await handler_of(endpoint, request.method, path)(own)
            request.ignored += own.ignored
            return answer
        except Exception as error:  # noqa: BLE001 - an operation that fails is an answer beside those of the others
            return faults.answer_of(error, method=request.method, path=path)


def handler_of(endpoint: Endpoint, method: str, path: str) -> Handler:
    """What answers a method. Raises ``MethodNotAllowed``."""
    handler = endpoint.get("GET" if method == "HEAD" else method)
    if handler is None:
        raise MethodNotAllowed(f"{path[:200]} does not take {method}, only {', '.join(endpoint)}.")
    return handler
