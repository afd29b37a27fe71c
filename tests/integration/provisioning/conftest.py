"""A small world: a directory, the generic SCIM app, a simulated target, and the engine's inline runner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.applications.model import App
from provisor.directory.model import Group, Tenant, User
from provisor.provisioning.engine import run_inline
from provisor.provisioning.log.model import LogFilter
from provisor.provisioning.model import Cycle
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.crash import CrashingDatabase
from provisor.testing.target import SimulatedTarget

TOKEN = "let-me-in"


@dataclass
class World:
    services: AppServices
    target: SimulatedTarget
    clock: SettableClock
    tenant: Tenant
    app: App

    @property
    def job_id(self) -> str:
        return self.app.job_id

    async def person(self, name: str, **attributes: Any) -> User:
        """``ada`` becomes ada@example.org, with a display name and a mail address."""
        return await self.services.directory.create_user(
            operator(),
            self.tenant.id,
            {
                "userPrincipalName": f"{name}@example.org",
                "displayName": name.title(),
                "mail": f"{name}@mail.example.org",
                "accountEnabled": True,
                **attributes,
            },
        )

    async def group(self, name: str, *members: User | Group) -> Group:
        directory = self.services.directory
        group = await directory.create_group(operator(), self.tenant.id, {"displayName": name, "securityEnabled": True})
        if members:
            await directory.add_members(operator(), self.tenant.id, group.id, [member.id for member in members])
        return group

    async def assign(self, *principals: User | Group) -> None:
        for principal in principals:
            kind = "User" if isinstance(principal, User) else "Group"
            await self.services.applications.assign(
                operator(), self.tenant.id, self.app.service_principal.id, principal.id, kind
            )

    async def unassign(self, principal: User | Group) -> None:
        await self.services.applications.unassign(
            operator(), self.tenant.id, self.app.service_principal.id, principal.id
        )

    async def unguarded(self) -> None:
        """For tests that take access away again and again: no guard holds anything."""
        await self.services.applications.change_settings(operator(), self.job_id, {"guard": {"enabled": False}})

    async def start(self) -> None:
        await self.services.provisioning.start(operator(), self.job_id)

    async def cycle(self) -> Cycle:
        """Run the cycle that is due to its end, and check that its counts add up."""
        cycle_id = await run_inline(self.services.engine("test"), self.job_id)
        assert cycle_id is not None, "no cycle was due"
        cycle = await self.ended(cycle_id)
        assert cycle.state == "Succeeded", cycle.error
        return cycle

    async def broken_cycle(self) -> Cycle:
        """Run the cycle that is due, which must be broken off."""
        cycle_id = await run_inline(self.services.engine("test"), self.job_id)
        assert cycle_id is not None, "no cycle was due"
        cycle = await self.ended(cycle_id)
        assert cycle.state == "Failed"
        return cycle

    async def ended_or_not(self, cycle_id: str) -> Cycle:
        cycle = await self.services.provisioning.cycle(operator(), self.job_id, cycle_id)
        assert cycle is not None
        return cycle

    async def ended(self, cycle_id: str) -> Cycle:
        """A cycle that is over, its counts adding up."""
        cycle = await self.ended_or_not(cycle_id)
        assert cycle.counts is not None
        counts = cycle.counts
        assert counts["considered"] == counts["inScope"] + sum(counts[k] for k in ("disabled", "deleted", "skipped"))
        return cycle

    async def quiet(self) -> bool:
        """Whether nothing is due."""
        return await run_inline(self.services.engine("test"), self.job_id) is None

    async def log(self, *, limit: int = 100, **filters: Any) -> list[dict[str, Any]]:
        found = await self.services.provisioning.log(operator(), self.job_id, LogFilter(**filters), limit=limit)
        return [dict(entry) for entry in found]

    def writes(self) -> list[tuple[str, str]]:
        return [(request.method, request.path) for request in self.target.requests if request.method != "GET"]


async def make_world(database: Database, target: SimulatedTarget, *, template: str = "scim") -> World:
    clock = SettableClock(skipping=True)
    services = wire(database, MasterKey(bytes(32), "test"), target, Settings(), clock)
    tenant = await services.directory.create_tenant(operator(), "Example", "example.org")
    app = await services.applications.add(
        operator(), tenant.id, template, "App", "https://target.test/scim/v2", secret_token=TOKEN
    )
    # Tested, as the portal does it before it saves: a start need not do so again.
    assert (await services.provisioning.test(operator(), app.job_id)).ok
    target.requests.clear()
    return World(services, target, clock, tenant, app)


@pytest.fixture
async def crashing(database: Database) -> tuple[World, CrashingDatabase]:
    """The world on a database from which the process can be torn away."""
    crashing = CrashingDatabase(database)
    return await make_world(crashing, SimulatedTarget(token=TOKEN)), crashing


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database, SimulatedTarget(token=TOKEN))


@pytest.fixture
async def dialpad(database: Database) -> World:
    """The world with the app whose target refuses group renames."""
    return await make_world(database, SimulatedTarget(token=TOKEN, renames_groups=False), template="dialpad")


@pytest.fixture(scope="session")
def world_maker() -> Callable[..., Awaitable[World]]:
    """For tests that need a world per example."""
    return make_world
