"""The company portal over a real database, without a browser: two companies, and people who have signed in."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from provisor.app.services import AppServices, wire
from provisor.app.settings import read_settings
from provisor.cli.faces import make_app
from provisor.security.actor import operator
from provisor.security.secrets import load_key
from provisor.signin.people import PersonKey
from provisor.signin.sessions import COOKIES, Origin
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.testing.transport import MemoryTransport, replies
from provisor.web.asgi import Front

ADDRESS = "http://127.0.0.1:8080"
_FIELD = re.compile(r'name="csrf" value="([^"]*)"')


@dataclass
class Person:
    """A browser of somebody: what it is answered, and forms as its own pages have them."""

    client: httpx.AsyncClient
    company: str = ""

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def text(self, path: str, status: int = 200) -> str:
        """A page as its reader sees it."""
        reply = await self.get(path)
        assert reply.status_code == status, reply.text
        return html.unescape(reply.text)

    async def token(self, path: str = "/company") -> str:
        """The token that the forms of a page carry."""
        found = _FIELD.search((await self.get(path)).text)
        assert found is not None, path
        return found[1]

    async def post(
        self, path: str, values: dict[str, str | Sequence[str]] | None = None, *, page: str = "/company"
    ) -> httpx.Response:
        """Send a form, with the token of ``page``."""
        return await self.client.post(path, data={**(values or {}), "csrf": await self.token(page)})


@dataclass
class People:
    """Makes them."""

    app: Front
    services: AppServices
    peer: tuple[str, int] = ("127.0.0.1", 5000)

    def nobody(self, address: str = ADDRESS) -> Person:
        """Who has not signed in."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=self.peer)
        return Person(httpx.AsyncClient(transport=transport, base_url=address))

    async def of(self, company_id: str, email: str | None = None) -> Person:
        """A signed-in person of a company: the first, or the one with this address."""
        found = await self.services.companies.administrators(operator(), company_id)
        person = next(one for one in found if email in (None, one.email))
        value = await self.services.sessions.create(
            PersonKey("company", company_id, person.id), Origin("127.0.0.1", "a test")
        )
        signed_in = self.nobody()
        signed_in.client.cookies.set(COOKIES["company"], value)
        signed_in.company = company_id
        return signed_in


@pytest.fixture
def store(sqlite_only: Store) -> Store:
    """One engine: pages do not depend on it. What they call is tested on both."""
    return sqlite_only


@pytest.fixture
def transport() -> MemoryTransport:
    return replies()


@pytest.fixture
def environment() -> dict[str, str]:
    return {}


@pytest.fixture
async def services(
    database: Database, clock: SettableClock, tmp_path: Path, transport: MemoryTransport, environment: dict[str, str]
) -> AsyncIterator[AppServices]:
    settings = read_settings({"PROVISOR_SECRET_KEY": "22" * 32, **environment}, data=tmp_path)
    key = load_key(tmp_path, settings.environment, database=settings.engine)
    wired = wire(database, key, transport, settings, clock)
    yield wired
    await wired.close()


@pytest.fixture
def people(services: AppServices) -> People:
    return People(make_app(services), services)


@pytest.fixture
async def ada(people: People) -> Person:
    """The administrator of Acme."""
    company = await people.services.companies.create_company(operator(), "Acme", "ada@acme.example")
    return await people.of(company.id)


@pytest.fixture
async def eve(people: People) -> Person:
    """The administrator of Other, who is after Acme's things."""
    company = await people.services.companies.create_company(operator(), "Other", "eve@other.example")
    return await people.of(company.id)
