"""The OpenAPI document of the Graph face is true: no answer that it does not declare, and never a 5xx."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.applications.registrations.graph import service_principal_id
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey
from provisor.testing.callers import KeptPasswords, KnownTokens, app
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget
from provisor.web.asgi import create_app
from provisor.web.graph.applications.views import opaque
from provisor.web.graph.permissions import table
from provisor.web.graph.services import GraphServices
from provisor.web.services import Services

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 4


@dataclass
class Served:
    """A server in a thread. ``ids``: what path parameters may name, by the parameter's name."""

    address: str
    ids: dict[str, str]


def _graph(services: AppServices, tokens: KnownTokens) -> GraphServices:
    return GraphServices(
        directory=services.directory,
        search=services.search,
        links=services.directory_links,
        tracking=services.tracking,
        extensions=services.extensions,
        registrations=services.registrations,
        authenticator=tokens,
        passwords=KeptPasswords(),
        sealer=services.sealer,
        clock=services.clock,
        apps=services,
    )


async def _fill(services: AppServices, tokens: KnownTokens) -> dict[str, str]:
    me, directory = operator(), services.directory
    tenant = await directory.create_tenant(me, "Lindenhof", "lindenhof.example")
    tokens.callers["fuzz"] = app(tenant.id, *(name for row in table().values() for name in row.application))
    people = [
        await directory.create_user(
            me, tenant.id, {"userPrincipalName": f"{name}@lindenhof.example", "displayName": name}
        )
        for name in ("ann", "bo", "cy")
    ]
    await directory.set_manager(me, tenant.id, people[0].id, people[1].id)
    await directory.delete_user(me, tenant.id, people[2].id)
    group = await directory.create_group(
        me, tenant.id, {"displayName": "Sales"}, members=[people[0].id], owners=[people[1].id]
    )
    added = await services.applications.add(me, tenant.id, "scim", "Badges", "https://target.test/scim", "let-me-in")
    app_id = added.service_principal.app_id
    extension = await services.extensions.define(me, tenant.id, app_id, "badge", "String", ["User"])
    application = await services.registrations.application(me, tenant.id, app_id)
    sp, graph = added.service_principal, service_principal_id(tenant.id)
    await services.registrations.add_owner(me, application, people[0].id)
    given = await services.role_assignments.assign(me, tenant.id, sp.id, people[0].id, sp.app_roles[0].id)
    consent = await services.grants.create(me, tenant.id, client_id=sp.id, resource_id=graph, scopes=["User.Read"])
    return {
        "user": people[0].id,
        "group": group.id,
        "object": people[0].id,
        "item": people[2].id,
        "organization": tenant.id,
        "domain": tenant.domain,
        "application": application.id,
        "extensionProperty": extension.id,
        "sp": added.service_principal.id,
        "job": added.job_id,
        "template": "scim",
        "owner": people[0].id,
        "assignment": opaque(given.assignment.id),
        "grant": opaque(consent.id),
        "directory": added.job.schema.document["directories"][1]["id"],
    }


@pytest.fixture
def served(sqlite_only: Store) -> Iterator[Served]:
    ready = threading.Event()
    found: list[Served] = []
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        database = sqlite_only.database()
        await database.open()
        clock, tokens = SettableClock(), KnownTokens()
        services = wire(database, MasterKey(b"k" * 32, "a test"), SimulatedTarget(token="let-me-in"), Settings(), clock)
        ids = await _fill(services, tokens)
        web = Services(services.companies, services.resources, clock, graph=_graph(services, tokens))
        config = uvicorn.Config(create_app(web), host="127.0.0.1", port=0, log_level="error", ws="none")
        server = uvicorn.Server(config)
        servers.append(server)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        found.append(Served(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", ids))
        ready.set()
        await serving
        await services.close()
        await database.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(30)
    yield found[0]
    servers[0].should_exit = True
    thread.join(30)


def test_the_server_answers_as_its_document_says_and_never_fails(served: Served) -> None:
    schema = schemathesis.openapi.from_url(f"{served.address}/openapi.json")
    headers = {"Authorization": "Bearer fuzz"}
    seen: set[str] = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.path.startswith(("/v1.0", "/beta")):
            continue
        seen.add(f"{operation.method.upper()} {operation.path}")

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck]
        )
        @given(case=operation.as_strategy(), known=st.booleans())
        def hold(case: Any, known: bool) -> None:
            # Deleting what is there would leave nothing for the others to be tried on.
            if known and case.method != "DELETE" and not case.path.endswith("/restore"):
                for name, made in (case.path_parameters or {}).items():
                    case.path_parameters[name] = served.ids.get(name, made)
            answer = case.call(headers=headers, timeout=30)
            case.validate_response(answer, checks=CHECKS)

        hold()
    assert {"GET /v1.0/users", "PATCH /v1.0/groups/{group}", "POST /v1.0/$batch", "GET /v1.0/users/delta"} <= seen
    assert {"GET /v1.0/servicePrincipals", "GET /v1.0/auditLogs/provisioning"} <= seen
    assert any(one.endswith("/synchronization/connectivityParameters") for one in seen)
    assert {"POST /v1.0/groups/{group}/members/$ref", "GET /v1.0/me", "GET /v1.0/users/$count"} <= seen
