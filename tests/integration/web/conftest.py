"""The HTTP faces over a real database: a company, its key, and a client that speaks ASGI to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from provisor.provider.resources.service import Resources
from provisor.provider.resources.store import ResourceStore
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.security.actor import operator
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.web.asgi import create_app
from provisor.web.services import Services, WebSettings


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Client:
    """Speaks ASGI to the application, as uvicorn would; every answer with a body must be what SCIM says it is."""

    app: Any
    token: str | None
    host: str = "scim.example"
    client: tuple[str, int] = ("203.0.113.9", 4711)
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        sent = {"host": self.host, **self.headers}
        if self.token:
            sent["authorization"] = f"Bearer {self.token}"
        if raw:
            sent["content-type"] = "application/scim+json; charset=utf-8"
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        target, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": target,
            "raw_path": quote(target).encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "server": ("127.0.0.1", 8080),
            "client": self.client,
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

        await self.app(scope, receive, send)
        start, *rest = messages
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        reply = Reply(start["status"], answered, b"".join(message.get("body", b"") for message in rest))
        if target.strip("/").split("/")[0] == "scim" and reply.body:
            assert answered["content-type"] == "application/scim+json"
            assert answered["content-length"] == str(len(reply.body))
        return reply


@pytest.fixture
def store(sqlite_only: Store) -> Store:
    """One engine: manners do not depend on it. The exchanges run on both."""
    return sqlite_only


@pytest.fixture
def settings() -> WebSettings:
    return WebSettings()


@pytest.fixture
async def services(database: Database, clock: SettableClock, settings: WebSettings) -> AsyncIterator[Services]:
    companies = Companies(CompanyStore(database), b"pepper", clock)
    resources = Resources(ResourceStore(database), clock, scan_cap=200)
    yield Services(companies, resources, clock, settings)
    await companies.close()


async def key_of(services: Services, name: str) -> str:
    company = await services.companies.create_company(operator(), name, f"admin@{name.lower()}.example")
    _, text = await services.companies.create_key(operator(), company.id, name="entra", expires="2030-01-01")
    return text


@pytest.fixture
async def scim(services: Services) -> Client:
    """A client with the key of the company Acme."""
    return Client(create_app(services), await key_of(services, "Acme"))
