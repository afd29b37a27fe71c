"""The Graph face of applications and provisioning, on both engines, with a simulated target behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.integration.web.graph.conftest import GraphClient

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.connector.transport import Request, Response
from provisor.directory.model import Tenant
from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey
from provisor.signin.model import Caller
from provisor.storage.database import Database
from provisor.testing.callers import KnownTokens, app, person
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget
from provisor.web.graph.operations import graph_face
from provisor.web.graph.permissions import table
from provisor.web.graph.services import GraphServices

URL = "https://target.test/scim/v2"
TOKEN = "let-me-in"
ACCESS = {"BaseAddress": URL, "SecretToken": TOKEN}


def pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


class Target(SimulatedTarget):
    """With answers for addresses that are not SCIM's, or not the simulation's."""

    def __init__(self) -> None:
        super().__init__(token=TOKEN)
        self.others: dict[str, Callable[[Request], Response]] = {}

    async def send(self, request: Request) -> Response:
        if request.url in self.others:
            return self.others[request.url](request)
        return await super().send(request)


@dataclass
class Lab:
    """``graph``: an app with every permission. ``as_``: the same face for somebody else."""

    services: AppServices
    tenant: Tenant
    target: Target
    graph: GraphClient
    tokens: KnownTokens

    def as_(self, caller: Caller) -> GraphClient:
        name = f"caller {len(self.tokens.callers)}"
        self.tokens.callers[name] = caller
        return replace(self.graph, token=name)

    def person(self, user_id: str, *roles: str, scopes: set[str] | None = None) -> GraphClient:
        every = {name for row in table().values() for name in row.delegated}
        return self.as_(person(self.tenant.id, user_id, every if scopes is None else scopes, roles))

    def app(self, app_id: str, *permissions: str) -> GraphClient:
        return self.as_(app(self.tenant.id, *permissions, app_id=app_id))

    async def user(self, name: str) -> str:
        attributes = {"userPrincipalName": f"{name}@lindenhof.example", "displayName": name.title()}
        made = await self.services.directory.create_user(
            operator(), self.tenant.id, {**attributes, "mailNickname": name, "accountEnabled": True}
        )
        return made.id

    async def group(self, name: str, *members: str) -> str:
        directory = self.services.directory
        made = await directory.create_group(
            operator(), self.tenant.id, {"displayName": name, "mailNickname": name, "securityEnabled": True}
        )
        if members:
            await directory.add_members(operator(), self.tenant.id, made.id, members)
        return made.id

    async def app_of(self, template: str = "dialpad", name: str = "Calls") -> dict[str, Any]:
        """An instantiated app: the answer's service principal."""
        made = await self.graph("POST", f"/applicationTemplates/{template}/instantiate", {"displayName": name})
        assert made.status == 201, made.body
        found: dict[str, Any] = made.json["servicePrincipal"]
        return found

    async def job_of(self, sp: dict[str, Any], template: str = "dialpad") -> str:
        """The address of a job whose credentials are the target's."""
        base = f"/servicePrincipals/{sp['id']}/synchronization"
        put = await self.graph("PUT", f"{base}/secrets", {"value": pairs(ACCESS)})
        assert put.status == 204, put.body
        made = await self.graph("POST", f"{base}/jobs", {"templateId": template})
        assert made.status == 201, made.body
        return f"{base}/jobs/{made.json['id']}"

    async def cycle(self, job: str) -> None:
        """Run what is due."""
        assert await run_inline(self.services.engine("test"), job.rpartition("/")[2]) is not None, "no cycle was due"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


@pytest.fixture
def lab(
    database: Database, clock: SettableClock, graph_services: GraphServices, tenant: Tenant, tokens: KnownTokens
) -> Lab:
    target = Target()
    services = wire(database, MasterKey(b"k" * 32, "a test"), target, Settings(), clock)
    every = {name for row in table().values() for name in row.application}
    tokens.callers["everything"] = app(tenant.id, *every)
    face = graph_face(replace(graph_services, apps=services))
    return Lab(services, tenant, target, GraphClient(face, "everything"), tokens)
