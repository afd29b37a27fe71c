"""The Graph face over a real database: a tenant, and a client that speaks ASGI to it as an app with permissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from provisor.applications.registrations.service import Registrations
from provisor.applications.registrations.store import RegistrationStore
from provisor.directory.extensions.service import Extensions
from provisor.directory.extensions.store import ExtensionStore
from provisor.directory.links.service import Links
from provisor.directory.model import Tenant
from provisor.directory.searching.service import Search
from provisor.directory.searching.store import SearchStore
from provisor.directory.service import Directory
from provisor.directory.store import DirectoryStore
from provisor.directory.tracking.service import Tracking
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey, Sealer
from provisor.storage.database import Database
from provisor.testing.callers import KeptPasswords, KnownTokens, app
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.web.graph.face import GraphFace
from provisor.web.graph.operations import graph_face
from provisor.web.graph.permissions import table
from provisor.web.graph.services import GraphServices


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    pieces: int = 1

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def value(self) -> list[Any]:
        found: list[Any] = self.json["value"]
        return found


@dataclass
class GraphClient:
    """``await graph("GET", "/users?$top=1")``; a path is below ``/v1.0`` unless it names a version."""

    face: GraphFace
    token: str | None
    headers: dict[str, str] = field(default_factory=dict)
    version: str = "v1.0"

    async def __call__(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        sent = {"host": "graph.example", **self.headers}
        if self.token:
            sent["authorization"] = f"Bearer {self.token}"
        if raw:
            sent["content-type"] = "application/json"
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        path = path.removeprefix("https://graph.example")
        if not path.startswith(("/v1.0", "/beta")):
            path = f"/{self.version}{path}"
        target, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "scheme": "https",
            "path": target,
            "raw_path": quote(target, safe="/%()'=,$@:").encode(),
            "query_string": quote(query, safe="=&$%+").encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "server": ("127.0.0.1", 8080),
        }
        halves = [
            {"type": "http.request", "body": raw[: len(raw) // 2], "more_body": True},
            {"type": "http.request", "body": raw[len(raw) // 2 :], "more_body": False},
        ]
        messages: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return halves.pop(0) if halves else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.face(scope, receive, send)
        start, *rest = messages
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        reply = Reply(
            start["status"], answered, b"".join(message.get("body", b"") for message in rest), pieces=len(rest)
        )
        assert answered["request-id"]
        if reply.status == 204:
            assert not reply.body
            assert "content-length" not in answered
        if reply.status >= 400:
            assert reply.error["code"]
            assert reply.error["message"]
            assert reply.error["innerError"]["request-id"] == answered["request-id"]
        return reply


@pytest.fixture
def store(sqlite_only: Store) -> Store:
    """One engine for manners; what touches the database asks for both."""
    return sqlite_only


@pytest.fixture
def tokens() -> KnownTokens:
    return KnownTokens()


@pytest.fixture
def directory(database: Database, clock: SettableClock) -> Directory:
    return Directory(DirectoryStore(database), clock)


@pytest.fixture
async def tenant(directory: Directory) -> Tenant:
    return await directory.create_tenant(operator(), "Lindenhof", "lindenhof.example")


@pytest.fixture
def passwords() -> KeptPasswords:
    return KeptPasswords()


@pytest.fixture
def graph_services(
    database: Database, directory: Directory, tokens: KnownTokens, passwords: KeptPasswords, clock: SettableClock
) -> GraphServices:
    store = DirectoryStore(database)
    return GraphServices(
        directory=directory,
        search=Search(SearchStore(store)),
        links=Links(store, clock),
        tracking=Tracking(store),
        registrations=Registrations(RegistrationStore(database), clock),
        extensions=Extensions(ExtensionStore(database), clock),
        authenticator=tokens,
        passwords=passwords,
        sealer=Sealer(MasterKey(b"k" * 32, "a test")),
        clock=clock,
    )


@pytest.fixture
def graph(graph_services: GraphServices, tenant: Tenant, tokens: KnownTokens) -> GraphClient:
    """A client with every application permission."""
    every = {name for row in table().values() for name in row.application}
    tokens.callers["everything"] = app(tenant.id, *every)
    return GraphClient(graph_face(graph_services), "everything")
