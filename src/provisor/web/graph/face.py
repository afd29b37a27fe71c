"""Graph face, step 1: version, caller, operation and permission of a request; and the envelope of what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from provisor.directory.names import canonical_guid
from provisor.errors import ProvisorError, Unavailable
from provisor.events.correlation import correlated
from provisor.ids import new_id
from provisor.odata.types import EntityType
from provisor.signin.model import Caller
from provisor.web import metrics
from provisor.web.graph import batch, errors, http
from provisor.web.graph.answers import document
from provisor.web.graph.http import Answer, Receive, Request, Scope, Send
from provisor.web.graph.paths import Segment, segments
from provisor.web.graph.permissions import granted
from provisor.web.graph.routing import VERSIONS, Operation, Table, Version
from provisor.web.graph.services import GraphServices
from provisor.web.scim.http import origin


@dataclass(slots=True)
class _Call:
    """What of a request is the same for every part of a batch, and whose turn it is."""

    version: Version
    base: str
    caller: Caller
    request_id: str
    client_request_id: str
    endpoint: str = "other"


class GraphFace:
    """An ASGI application for everything under ``/v1.0`` and ``/beta``."""

    def __init__(
        self, services: GraphServices, operations: Iterable[Operation], types: Mapping[str, EntityType]
    ) -> None:
        declared = list(operations)
        self.tables = {version: Table(declared, version) for version in VERSIONS}
        self._services = services
        self.types = types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method: str = scope["method"]
        base = self._services.public_url or origin(
            scope["scheme"], headers.get("host", "").encode("latin-1"), scope.get("server")
        )
        request_id = new_id()
        client_request_id = http.identifier(headers.get("client-request-id")) or request_id
        endpoint = "other"
        try:
            raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
            version, path = _versioned(segments(raw.decode("latin-1")))
            caller = await self._caller(headers, base)
            call = _Call(version, base, caller, request_id, client_request_id)
            body = b"" if method in ("GET", "HEAD") else await http.read_body(receive, self._services.max_body)
            # What the audit log tells of this request is found by the id that the caller knows it by.
            with correlated(canonical_guid(client_request_id) or request_id):
                if [segment.text.lower() for segment in path] == ["$batch"]:
                    call.endpoint = "batch"
                    answer = await self._batch(call, method, http.parse_body(body, headers))
                else:
                    answer = await self._perform(call, method, path, scope["query_string"], headers, body)
            endpoint = call.endpoint
        except Exception as error:  # noqa: BLE001 - the edge: whatever happened, the caller gets Graph's envelope
            answer = _failed(error, method, scope["path"], request_id, client_request_id)
        common = {
            "request-id": request_id,
            "client-request-id": client_request_id,
            "odata-version": "4.0",
            "cache-control": "no-cache",
        }
        await http.send_answer(send, answer, common)
        metrics.graph_request(endpoint, method, answer.status, time.perf_counter() - began)

    async def _caller(self, headers: Mapping[str, str], base: str) -> Caller:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        token = token.strip()
        address = f"{base}/common/oauth2/v2.0/authorize"
        if scheme.lower() != "bearer" or not token:
            challenge = f'Bearer realm="", authorization_uri="{address}"'
            raise errors.Unauthenticated("Access token is empty.", headers={"www-authenticate": challenge})
        try:
            return await self._services.authenticator.authenticate(token)
        except Unavailable:
            raise
        except ProvisorError as error:
            challenge = f'Bearer realm="", authorization_uri="{address}", error="invalid_token"'
            text = f"Access token validation failure. {error}"
            raise errors.Unauthenticated(text, headers={"www-authenticate": challenge}) from error

    async def _perform(
        self,
        call: _Call,
        method: str,
        path: Sequence[Segment],
        query: bytes,
        headers: Mapping[str, str],
        body: Any,
    ) -> Answer:
        found = self.tables[call.version].find(path, method)
        operation = found.operation
        call.endpoint = operation.endpoint
        request = Request(
            method=method,
            version=call.version,
            base=f"{call.base}/{call.version}",
            path=_written(path),
            params=found.params,
            alternates=found.alternates,
            query=http.query_of(query, operation.options),
            headers=headers,
            body=body,
            caller=call.caller,
            grant=granted(call.caller, operation.permission),
            types=self.types,
        )
        return await operation.handler(request)

    async def _batch(self, call: _Call, method: str, body: Any) -> Answer:
        if method != "POST":
            raise errors.NotAllowed("$batch takes POST only.", headers={"allow": "POST"})

        async def perform(part: batch.Part) -> Answer:
            own = _Call(call.version, call.base, call.caller, new_id(), call.client_request_id)
            target, _, query = part.url.partition("?")
            try:
                path = segments(target)
                if [segment.text.lower() for segment in path] == ["$batch"]:
                    raise errors.BadRequest("A batch inside a batch is not allowed.", code="BadRequest")
                sent = query.encode("utf-8", "replace")
                answer = await self._perform(own, part.method, path, sent, part.headers, part.body)
                if answer.stream is not None:
                    answer.body = b"".join([piece async for piece in answer.stream])
                    answer.stream = None
            except Exception as error:  # noqa: BLE001 - a part that fails is an answer beside those of the others
                answer = _failed(error, part.method, target, own.request_id, own.client_request_id)
            answer.headers["request-id"] = own.request_id
            return answer

        return document(await batch.run(body, perform))


def _versioned(path: list[Segment]) -> tuple[Version, list[Segment]]:
    for version in VERSIONS:
        if path and path[0].text.lower() == version:
            return version, path[1:]
    raise errors.BadRequest("Invalid version. The API is under /v1.0 and /beta.", code="BadRequest")


def _written(path: Sequence[Segment]) -> str:
    parts: list[str] = []
    for segment in path:
        if segment.kind == "alternate":
            value = segment.text.replace("'", "''")
            parts[-1] += f"({segment.property}='{value}')"
        else:
            parts.append(segment.text)
    return "".join(f"/{part}" for part in parts)


def _failed(error: Exception, method: str, path: str, request_id: str, client_request_id: str) -> Answer:
    found = errors.as_graph(error, method=method, path=path)
    body = msgspec.json.encode(errors.envelope(found, request_id, client_request_id))
    return Answer(found.status, body, dict(found.headers))
