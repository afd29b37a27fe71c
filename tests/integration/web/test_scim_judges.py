"""Third parties judge the running server: PyPI scim2-tester and PyPI scim-sanity, on both engines, nothing skipped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from httpx2 import Client as HttpClient
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server
from scim_sanity.probe.runner import run_probe_api
from scim_sanity.schemas import CORE_AGENT_SCHEMA, CORE_AGENTIC_APPLICATION_SCHEMA

from provisor.security.actor import operator
from provisor.testing.database import Store
from provisor.web.asgi import create_app
from provisor.web.services import Services

PASSED = (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


@pytest.fixture
async def address(services: Services) -> AsyncIterator[str]:
    config = uvicorn.Config(create_app(services), host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/scim/v2"
    server.should_exit = True
    await task


async def key(services: Services, dialect: str) -> tuple[str, str]:
    """A fresh company's id and a key of it."""
    company = await services.companies.create_company(operator(), f"Judged by {dialect}", "admin@judged.example")
    _, text = await services.companies.create_key(
        operator(), company.id, name="judge", expires="2030-01-01", dialect=dialect
    )
    return company.id, text


@pytest.mark.parametrize("dialect", ["entra", "rfc"])
async def test_scim2_tester_finds_nothing_wrong(address: str, services: Services, dialect: str) -> None:
    _, text = await key(services, dialect)

    def judge() -> list[Any]:
        with HttpClient(base_url=address, headers={"Authorization": f"Bearer {text}"}) as http:
            return check_server(SyncSCIMClient(http))

    results = await asyncio.to_thread(judge)
    assert len(results) > 100
    assert [result for result in results if result.status not in PASSED] == []


async def test_scim_sanity_finds_nothing_wrong_and_skips_nothing(address: str, services: Services) -> None:
    # It adds a member that is nobody's id, which a provisioner of the lenient dialect may do; and it knows agents,
    # which are no types of ours until a company adds them.
    company_id, text = await key(services, "lenient")
    for schema in (CORE_AGENT_SCHEMA, CORE_AGENTIC_APPLICATION_SCHEMA):
        name = schema["name"]
        kind = {"name": name, "endpoint": f"/{name}s", "schema": schema["id"]}
        await services.resources.custom.add(operator(), company_id, [_trimmed(schema), kind])

    report = await asyncio.to_thread(run_probe_api, address, token=text)
    assert report["summary"]["total"] > 40
    assert [entry for entry in report["results"] if entry["status"] != "pass"] == []
    assert report["exit_code"] == 0


def _trimmed(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as scim-sanity has it, without what is every resource's anyway."""
    common = ("id", "externalId", "meta", "schemas", "groups")
    return {**schema, "attributes": [one for one in schema["attributes"] if one["name"] not in common]}
