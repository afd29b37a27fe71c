"""The OpenAPI document is true of applications, provisioning and the logs too: only declared answers, never a 5xx."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from tests.integration.web.graph.applications.conftest import ACCESS, Target
from tests.integration.web.graph.test_graph_openapi import _graph

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.provider.resources.service import Resources
from provisor.provider.resources.store import ResourceStore
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey
from provisor.testing.callers import KnownTokens, app
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.web.asgi import create_app
from provisor.web.graph.applications.views import opaque
from provisor.web.graph.permissions import table
from provisor.web.services import Services

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 5
OURS = ("applicationTemplates", "applications", "servicePrincipals", "oauth2PermissionGrants", "auditLogs")


@dataclass
class Served:
    """A server in a thread. ``ids``: what path parameters may name, by the parameter's name."""

    address: str
    ids: dict[str, str]


async def _fill(services: AppServices, tokens: KnownTokens) -> dict[str, str]:
    me = operator()
    tenant = await services.directory.create_tenant(me, "Lindenhof", "lindenhof.example")
    tokens.callers["fuzz"] = app(tenant.id, *(name for row in table().values() for name in row.application))
    attributes = {"userPrincipalName": "ann@lindenhof.example", "displayName": "Ann", "accountEnabled": True}
    ann = await services.directory.create_user(me, tenant.id, attributes)
    made = await services.registrations.instantiate(me, tenant.id, "scim", "Wiki", owner_id=ann.id)
    sp, application = made.service_principal, made.application
    assert application is not None
    await services.synchronization.set_secrets(me, sp, list(ACCESS.items()), replace=True)
    job = await services.synchronization.create_job(me, sp, "scim")
    assignment = await services.role_assignments.assign(me, tenant.id, sp.id, ann.id, sp.app_roles[0].id)
    graph = await services.registrations.instance(me, tenant.id, "00000003-0000-0000-c000-000000000000")
    resource = graph.service_principal.id
    grant = await services.grants.create(me, tenant.id, client_id=sp.id, resource_id=resource, scopes=["User.Read"])
    await services.on_demand.provision(me, job.id, ann.id)
    [entry] = await services.provisioning.log(me, job.id, limit=1)
    return {
        "template": "scim",
        "application": application.id,
        "sp": sp.id,
        "owner": ann.id,
        "assignment": opaque(assignment.assignment.id),
        "grant": opaque(grant.id),
        "job": job.id,
        "directory": job.schema.document["directories"][1]["id"],
        "object": ann.id,
        "entry": entry["id"],
        "extensionProperty": application.id,
    }


@pytest.fixture
def served(sqlite_only: Store) -> Iterator[Served]:
    ready = threading.Event()
    found: list[Served] = []
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        database = sqlite_only.database()
        await database.open()
        clock, tokens = SettableClock(skipping=True), KnownTokens()
        apps = wire(database, MasterKey(b"k" * 32, "a test"), Target(), Settings(), clock)
        ids = await _fill(apps, tokens)
        graph = replace(_graph(database, clock, tokens), apps=apps)
        resources = Resources(ResourceStore(database), clock)
        services = Services(apps.companies, resources, clock, graph=graph)
        config = uvicorn.Config(create_app(services), host="127.0.0.1", port=0, log_level="error", ws="none")
        server = uvicorn.Server(config)
        servers.append(server)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        found.append(Served(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", ids))
        ready.set()
        await serving
        await apps.close()
        await database.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(60)
    yield found[0]
    servers[0].should_exit = True
    thread.join(30)


def test_the_server_answers_as_its_document_says_and_never_fails(served: Served) -> None:
    schema = schemathesis.openapi.from_url(f"{served.address}/openapi.json")
    headers = {"Authorization": "Bearer fuzz"}
    seen: set[str] = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        name = operation.path.removeprefix("/v1.0/").partition("/")[0]
        # Below applications are the same handlers as below service principals.
        twice = operation.path.startswith("/v1.0/applications/{application}/synchronization/")
        if name not in OURS or twice or "extensionProperties" in operation.path:
            continue
        seen.add(f"{operation.method.upper()} {operation.path}")

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck]
        )
        @given(case=operation.as_strategy(), known=st.booleans())
        def hold(case: Any, known: bool) -> None:
            # Deleting what is there would leave nothing for the others to be tried on.
            if known and case.method != "DELETE":
                for parameter in case.path_parameters or {}:
                    case.path_parameters[parameter] = served.ids[parameter]
            answer = case.call(headers=headers, timeout=30)
            case.validate_response(answer, checks=CHECKS)

        hold()
    jobs = "/v1.0/servicePrincipals/{sp}/synchronization/jobs"
    assert {f"POST {jobs}/{{job}}/provisionOnDemand", f"PUT {jobs}/{{job}}/schema", f"GET {jobs}"} <= seen
    assert {"POST /v1.0/applicationTemplates/{template}/instantiate", "GET /v1.0/auditLogs/provisioning"} <= seen
