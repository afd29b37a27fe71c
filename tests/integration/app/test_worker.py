"""The worker: cycles as durable workflows, woken by changes, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from provisor.app.locks import ExecutorBusy
from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.app.worker import running_worker
from provisor.clock import SystemClock
from provisor.connector.transport import Headers, Request, Response
from provisor.directory.model import User
from provisor.scim.schemas import USER_URN
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey
from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget
from provisor.testing.transport import MemoryTransport


@dataclass
class Site:
    services: AppServices
    target: SimulatedTarget
    tenant_id: str
    job_id: str
    service_principal_id: str

    async def person(self, name: str) -> User:
        user = await self.services.directory.create_user(
            operator(),
            self.tenant_id,
            {"userPrincipalName": f"{name}@example.org", "displayName": name, "accountEnabled": True},
        )
        await self.services.applications.assign(operator(), self.tenant_id, self.service_principal_id, user.id, "User")
        return user

    async def settled(self) -> None:
        """Until no cycle runs."""
        jobs = self.services.stores.jobs
        while (await jobs.state(self.job_id, self.services.clock.now_ms())).running_cycle_id is not None:
            await asyncio.sleep(0.05)


@asynccontextmanager
async def site(store: Store, target: SimulatedTarget) -> AsyncIterator[Site]:
    database = store.database()
    await database.open()
    settings = Settings(data_dir=store.data_dir, database_url=store.url)
    services = wire(database, MasterKey(bytes(32), "test"), target, settings, SystemClock())
    try:
        tenants = await services.directory.tenants(operator())
        if not tenants:
            tenants = [await services.directory.create_tenant(operator(), "Example", "example.org")]
            await services.applications.add(operator(), tenants[0].id, "scim", "App", "https://target.test/scim/v2")
        app = await services.applications.find(operator(), tenants[0].id, "App")
        yield Site(services, target, tenants[0].id, app.job_id, app.service_principal.id)
    finally:
        await services.close()
        await database.close()


async def until(condition: Callable[[], bool]) -> None:
    """Poll; the generous end is there so that a fault is a failure and not a hang."""
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it did not happen")


async def test_a_started_job_provisions_and_then_carries_changes_as_they_happen(store: Store) -> None:
    target = SimulatedTarget()
    async with site(store, target) as here, running_worker(here.services):
        ada = await here.person("ada")
        await here.services.provisioning.start(operator(), here.job_id)
        await until(lambda: len(target.users) == 1)

        await here.services.directory.update_user(operator(), here.tenant_id, ada.id, {"displayName": "Ada L"})
        await until(lambda: [user["displayName"] for user in target.users.values()] == ["Ada L"])

        await here.services.directory.delete_user(operator(), here.tenant_id, ada.id)
        await until(lambda: [user["active"] for user in target.users.values()] == [False])


async def test_a_paused_job_sends_nothing_until_it_is_started_again(store: Store) -> None:
    target = SimulatedTarget()
    async with site(store, target) as here, running_worker(here.services):
        await here.person("ada")
        await here.services.provisioning.start(operator(), here.job_id)
        await until(lambda: len(target.users) == 1)
        await here.services.provisioning.pause(operator(), here.job_id)
        # The running cycle is carried to its end, with whoever comes while it runs.
        await here.settled()

        await here.person("bob")
        await asyncio.sleep(1)
        assert len(target.users) == 1

        await here.services.provisioning.start(operator(), here.job_id)
        await until(lambda: len(target.users) == 2)


async def test_a_database_has_one_worker_under_each_name(store: Store) -> None:
    async with site(store, SimulatedTarget()) as here, running_worker(here.services) as lock:
        settings = Settings(data_dir=store.data_dir, database_url=store.url, executor_id=lock.executor_id)
        other = wire(here.services.database, MasterKey(bytes(32), "test"), here.target, settings, SystemClock())
        with pytest.raises(ExecutorBusy):
            async with running_worker(other):
                pass


async def test_what_dbos_remembers_can_be_thrown_away(sqlite_only: Store) -> None:
    target = SimulatedTarget()
    async with site(sqlite_only, target) as here:
        async with running_worker(here.services):
            await here.person("ada")
            await here.services.provisioning.start(operator(), here.job_id)
            await until(lambda: len(target.users) == 1)
        for file in sqlite_only.data_dir.glob("dbos.db*"):
            file.unlink()
        await here.person("bob")
        # What the first worker put into the queue in its last moment is lost with it, and nobody waits for that.
        now = here.services.clock.now_ms()
        assert await here.services.stores.jobs.claim_enqueueing(here.job_id, now=now + 3_600_000, until=now + 7_200_000)
        async with running_worker(here.services):
            await until(lambda: len(target.users) == 2)
    assert len(target.sent("POST", "/Users")) == 2


async def test_the_worker_tells_webhooks_what_changed_at_the_company(sqlite_only: Store) -> None:
    told: list[Any] = []

    def receive(request: Request) -> Response:
        told.append(msgspec.json.decode(request.body or b"null"))
        return Response(204, Headers(), b"")

    database = sqlite_only.database()
    await database.open()
    settings = Settings(data_dir=sqlite_only.data_dir)
    services = wire(database, MasterKey(bytes(32), "test"), MemoryTransport(receive), settings, SystemClock())
    try:
        company = await services.companies.create_company(operator(), "Acme", "admin@acme.example")
        await services.webhooks.add(operator(), company.id, "https://product.example/hook")
        _, key = await services.companies.create_key(operator(), company.id, name="key", expires="2099-01-01")
        async with running_worker(services):
            caller = await services.companies.authenticate(f"Bearer {key}")
            await services.resources.create(caller, "User", {"schemas": [USER_URN], "userName": "ada@acme.example"})
            await until(lambda: bool(told))
    finally:
        await services.close()
        await database.close()
    assert [change["seq"] for change in told[0]["changes"]] == [1]


async def test_a_worker_that_is_ended_while_it_begins_cycles_comes_to_its_end(store: Store) -> None:
    target = SimulatedTarget()
    async with site(store, target) as here:
        jobs = []
        for n in range(12):
            name = f"App {n}"
            await here.services.applications.add(
                operator(), here.tenant_id, "scim", name, "https://target.test/scim/v2"
            )
            app = await here.services.applications.find(operator(), here.tenant_id, name)
            jobs.append(app.job_id)
            await here.services.provisioning.start(operator(), app.job_id)
        for n in range(6):
            async with running_worker(here.services):
                await asyncio.sleep(n / 50)
            # Each has something to do again.
            for job_id in jobs:
                await here.services.provisioning.restart(operator(), job_id, "")
        # Nothing is left behind: the next one brings all of them to their end.
        known = here.services.stores.jobs
        async with running_worker(here.services):
            for _ in range(600):
                if not await known.jobs_behind(here.services.clock.now_ms()):
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail("cycles that nobody works on")
