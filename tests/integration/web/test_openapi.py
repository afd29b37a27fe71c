"""The OpenAPI document is true: a running server gives no answer that it does not declare, and never a 5xx."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from provisor.events.outbox import Outbox
from provisor.events.store import OutboxStore
from provisor.provider.clients.service import Clients
from provisor.provider.clients.store import ClientStore
from provisor.provider.requestlog.service import RequestLog
from provisor.provider.requestlog.store import RequestStore
from provisor.provider.resources.service import Resources
from provisor.provider.resources.store import ResourceStore
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.scim.schemas import GROUP_URN, USER_URN
from provisor.security.actor import operator
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.web.asgi import create_app
from provisor.web.services import Services

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 12


@dataclass
class Served:
    """A server in a thread. ``ids``: of a user and of a group that are there."""

    address: str
    token: str
    ids: dict[str, str]


@pytest.fixture
def served(sqlite_only: Store) -> Iterator[Served]:
    ready = threading.Event()
    found: list[Served] = []
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        database = sqlite_only.database()
        await database.open()
        clock = SettableClock()
        companies = Companies(CompanyStore(database), b"pepper", clock)
        clients = Clients(ClientStore(database), b"pepper", clock)
        resources = Resources(ResourceStore(database), clock, scan_cap=2_000)
        log = RequestLog(RequestStore(database), resources, clock)
        services = Services(
            companies, resources, clock, clients=clients, requests=log, outbox=Outbox(OutboxStore(database))
        )
        company = await companies.create_company(operator(), "Acme", "ada@acme.example")
        _, token = await companies.create_key(operator(), company.id, name="fuzz", expires="2030-01-01")
        caller = await companies.authenticate(f"Bearer {token}")
        await resources.create(caller, "User", {"schemas": [USER_URN], "userName": "ada@acme.example"})
        user = await resources.create(caller, "User", {"schemas": [USER_URN], "userName": "grace"})
        members = [{"value": user.stored.id}]
        body = {"schemas": [GROUP_URN], "displayName": "Makers", "members": members}
        group = await resources.create(caller, "Group", body)
        config = uvicorn.Config(create_app(services), host="127.0.0.1", port=0, log_level="error", ws="none")
        server = uvicorn.Server(config)
        servers.append(server)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        ids = {"/scim/Users": user.stored.id, "/scim/Groups": group.stored.id}
        found.append(Served(f"http://127.0.0.1:{port}", token, ids))
        ready.set()
        await serving
        await log.close()
        await companies.close()
        await clients.close()
        await database.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(30)
    yield found[0]
    servers[0].should_exit = True
    thread.join(30)


def test_the_server_answers_as_its_document_says_and_never_fails(served: Served) -> None:
    schema = schemathesis.openapi.from_url(f"{served.address}/openapi.json")
    headers = {"Authorization": f"Bearer {served.token}"}
    seen: set[str] = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        seen.add(f"{operation.method.upper()} {operation.path}")

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck]
        )
        @given(case=operation.as_strategy(), known=st.booleans())
        def hold(case: Any, known: bool) -> None:
            there = served.ids.get(case.path.removesuffix("/{id}"))
            # Deleting it would leave nothing for the others to be tried on.
            if known and there is not None and "id" in (case.path_parameters or {}) and case.method != "DELETE":
                case.path_parameters["id"] = there
            answer = case.call(headers=headers, timeout=30)
            case.validate_response(answer, checks=CHECKS)

        hold()
    assert {"GET /scim/Users", "PATCH /scim/Groups/{id}", "POST /scim/Bulk", "GET /v1/changes"} <= seen


async def test_the_document_names_the_address_that_the_world_sees_and_no_company(scim: Any) -> None:
    reply = await scim("GET", "/openapi.json")
    document = msgspec.json.decode(reply.body)
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "https://scim.example"}]
    assert b"Acme" not in reply.body


async def test_every_operation_has_a_name_of_its_own(scim: Any) -> None:
    paths = msgspec.json.decode((await scim("GET", "/openapi.json")).body)["paths"]
    names = [one["operationId"] for item in paths.values() for method, one in item.items() if method != "parameters"]
    assert len(set(names)) == len(names)
    assert {"getUsers", "patchUsersById", "postUsersSearch", "getV1Changes"} <= set(names)


async def test_a_password_can_be_sent_and_is_never_answered(scim: Any) -> None:
    schemas = msgspec.json.decode((await scim("GET", "/openapi.json")).body)["components"]["schemas"]
    assert "password" in schemas["UserInput"]["properties"]
    assert "password" not in schemas["User"]["properties"]
    assert "id" not in schemas["UserInput"]["properties"]
    assert schemas["UserInput"]["required"] == ["userName"]
