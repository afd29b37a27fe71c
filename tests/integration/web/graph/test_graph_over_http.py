"""The same stories over real HTTP, on both engines: a listening server, a client that knows nothing of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from tests.integration.web.graph import test_graph_delta as delta
from tests.integration.web.graph import test_graph_groups as groups
from tests.integration.web.graph import test_graph_users as users
from tests.integration.web.graph.conftest import Reply
from yarl import URL

from provisor.cli.server import listen, serving
from provisor.directory.model import Tenant
from provisor.provider.resources.service import Resources
from provisor.provider.resources.store import ResourceStore
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.storage.database import Database
from provisor.testing.callers import KnownTokens, app
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.web.asgi import create_app
from provisor.web.graph.permissions import table
from provisor.web.graph.services import GraphServices
from provisor.web.services import Services

HOST = "https://graph.example"


class HttpClient:
    """As ``GraphClient``, over a socket. Links come back with the address under which the server was asked."""

    def __init__(self, session: aiohttp.ClientSession, address: str, token: str) -> None:
        self._session = session
        self._address = address
        self.token = token

    async def __call__(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        path = path.removeprefix(HOST)
        if not path.startswith(("/v1.0", "/beta")):
            path = f"/v1.0{path}"
        # As a browser would: what may stand in an address stays as it is.
        url = URL(self._address + path.replace(" ", "%20").replace('"', "%22"), encoded=True)
        sent = {"Authorization": f"Bearer {self.token}", "Host": "graph.example", **(headers or {})}
        data = None
        if body is not None:
            data, sent["Content-Type"] = msgspec.json.encode(body), "application/json; odata.metadata=minimal"
        async with self._session.request(method, url, data=data, headers=sent) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            assert found["date"]
            text = (await answer.read()).replace(b"http://graph.example", HOST.encode())
            if "location" in found:
                found["location"] = found["location"].replace("http://graph.example", HOST)
            return Reply(answer.status, found, text)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


@pytest.fixture
async def http(
    database: Database, clock: SettableClock, graph_services: GraphServices, tenant: Tenant, tokens: KnownTokens
) -> AsyncIterator[HttpClient]:
    tokens.callers["everything"] = app(tenant.id, *(name for row in table().values() for name in row.application))
    companies = Companies(CompanyStore(database), b"pepper", clock)
    front = create_app(Services(companies, Resources(ResourceStore(database), clock), clock, graph=graph_services))
    with listen("127.0.0.1", 0) as bound:
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with serving(front, bound), aiohttp.ClientSession() as session:
            yield HttpClient(session, address, "everything")
    await companies.close()


async def test_people(http: Any, passwords: Any) -> None:
    await users.test_a_user_lives(http, passwords)
    await users.test_a_manager_is_set_by_an_address_of_any_host(http)


async def test_people_are_found(http: Any) -> None:
    await users.test_advanced_queries_need_their_header(http)
    for number in range(7):
        await users.make(http, f"User {number}")
    found = await http("GET", "/users?$filter=startswith(displayName,'user')&$top=5&$select=displayName")
    rest = await http("GET", found.json["@odata.nextLink"])
    assert [one["displayName"] for one in (*found.value, *rest.value)] == [f"User {n}" for n in range(7)]
    either = "$filter=userPrincipalName eq 'user.3@lindenhof.example' or mail eq 'ann@x.example'"
    assert {one["displayName"] for one in (await http("GET", f"/users?{either}")).value} == {"User 3", "Ann"}
    named = await http("GET", "/users?$orderby=displayName desc&$top=2&$select=displayName")
    assert [one["displayName"] for one in named.value] == ["User 6", "User 5"]


async def test_a_long_page(http: Any, graph_services: GraphServices, tenant: Tenant) -> None:
    await users.make_many(graph_services.directory, tenant, 1_001)

    reply = await http("GET", "/users?$top=999")

    assert reply.headers["transfer-encoding"] == "chunked"
    assert len({one["id"] for one in reply.value}) == 999
    assert len((await http("GET", reply.json["@odata.nextLink"])).value) == 2


async def test_groups(http: Any) -> None:
    await groups.test_members_come_and_go(http)
    await groups.ask_about_memberships(http, "Zoe")


async def test_changes(http: Any) -> None:
    await delta.test_groups_are_followed_with_their_members(http)
