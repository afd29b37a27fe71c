"""The admin centre over a real database: two tenants with people of every role, an app each, and browsers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx
import pytest

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.applications.model import App
from provisor.cli.faces import make_app
from provisor.directory.model import Group, Tenant, User
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey
from provisor.signin.people import PersonKey
from provisor.signin.sessions import Origin
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.target import SimulatedTarget

TOKEN = "let-me-in"
HOST = "https://provisor.example"


@dataclass
class Browser:
    """A person's browser: it keeps the session, and sends the token that the pages' forms carry."""

    client: httpx.AsyncClient
    csrf: str = ""

    async def get(self, path: str, status: int = 200) -> str:
        """The page at an address, as text without HTML's entities."""
        reply = await self.client.get(path)
        assert reply.status_code == status, f"{path}: {reply.status_code}\n{words(reply.text)[-1500:]}"
        return unescape(reply.text)

    async def post(
        self, path: str, fields: dict[str, Any] | None = None, *, status: int = 303, files: Any = None
    ) -> httpx.Response:
        """Send a form; a redirect is not followed."""
        data = {"csrf": self.csrf, **(fields or {})}
        reply = await self.client.post(path, data=data, files=files, headers={"origin": HOST})
        assert reply.status_code == status, f"{path}: {reply.status_code}\n{words(reply.text)[:3000]}"
        return reply

    async def sent(self, path: str, fields: dict[str, Any] | None = None, *, files: Any = None) -> str:
        """Send a form and follow to the page that comes next."""
        reply = await self.post(path, fields, files=files)
        return await self.get(reply.headers["location"])


def words(html: str) -> str:
    """What a person reads of a page."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(text).split())


@dataclass
class Side:
    """One tenant."""

    tenant: Tenant
    app: App
    ada: User
    bob: User
    team: Group


@dataclass
class World:
    services: AppServices
    target: SimulatedTarget
    clock: SettableClock
    asgi: Any
    here: Side
    there: Side

    async def browser(self, role: str = "Global Administrator", side: Side | None = None) -> Browser:
        """A browser in which somebody with this role has signed in; empty: without any."""
        side = side or self.here
        upn = f"{role.replace(' ', '.').lower() or 'nobody'}@{side.tenant.domain}"
        person = {"userPrincipalName": upn, "displayName": role or "Nobody", "accountEnabled": True}
        user = await self.services.directory.create_user(operator(), side.tenant.id, person)
        if role:
            await self.services.roles.grant(operator(), side.tenant.id, user.id, role)
        cookie = await self.services.sessions.create(PersonKey("tenant", side.tenant.id, user.id), Origin("192.0.2.1"))
        session = await self.services.sessions.find(cookie)
        assert session is not None
        return Browser(self.client({"provisor_session": cookie}), session.csrf)

    def client(self, cookies: dict[str, str] | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.asgi, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=HOST, cookies=cookies, follow_redirects=False)


async def _side(services: AppServices, name: str, domain: str) -> Side:
    me = operator()
    tenant = await services.directory.create_tenant(me, name, domain)
    app = await services.applications.add(me, tenant.id, "scim", "App", "https://target.test/scim/v2", TOKEN)
    people = []
    for who in ("ada", "bob"):
        person = {"userPrincipalName": f"{who}@{domain}", "displayName": f"{who.title()} of {name}"}
        people.append(await services.directory.create_user(me, tenant.id, person))
    team = await services.directory.create_group(me, tenant.id, {"displayName": "Team", "securityEnabled": True})
    await services.directory.add_members(me, tenant.id, team.id, [people[0].id])
    return Side(tenant, app, people[0], people[1], team)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    clock = SettableClock(skipping=True)
    target = SimulatedTarget(token=TOKEN)
    services = wire(database, MasterKey(bytes(32), "test"), target, Settings(), clock)
    here = await _side(services, "Here", "here.example")
    there = await _side(services, "Farside", "there.example")
    yield World(services, target, clock, make_app(services), here, there)
    await services.close()


@pytest.fixture
async def browser(world: World) -> Browser:
    """A Global Administrator's."""
    return await world.browser()


@pytest.fixture
def text() -> Callable[[str], str]:
    return words
