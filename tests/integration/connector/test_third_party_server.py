"""The default dialect against a SCIM service that none of us wrote (``scim2-server``), which keeps to the RFCs."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from scim2_models import ScimProvider
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

from provisor.clock import SystemClock
from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.client import ScimClient
from provisor.connector.dialect import load_dialect
from provisor.connector.errors import Conflict409, Unauthorized401
from provisor.connector.messages import AttributeChange
from provisor.connector.paths import ENTERPRISE
from provisor.connector.transport import Headers, Request, Response
from provisor.testing.transport import MemoryTransport

MANAGER = f"{ENTERPRISE}:manager"
MAIL = 'emails[type eq "work"].value'
PHONE = 'phoneNumbers[type eq "mobile"].value'
CITY = 'addresses[type eq "work"].locality'
STREET = 'addresses[type eq "work"].streetAddress'


@pytest.fixture
def transport() -> MemoryTransport:
    provider = ScimProvider.from_discovery(
        load_default_schemas().values(),
        load_default_resource_types().values(),
        config=load_default_service_provider_config(),
    )
    application = BearerTokenApplication(
        InMemoryStorage(), provider, ScimService(provider, secret="s" * 32), ["the-token"]
    )

    def handler(request: Request) -> Response:
        return call_wsgi(application, request)

    return MemoryTransport(handler)


def call_wsgi(application: Any, request: Request) -> Response:
    parts = urlsplit(request.url)
    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(request.body or b""),
        "wsgi.errors": io.StringIO(),
        "CONTENT_LENGTH": str(len(request.body or b"")),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()},
    }
    body = b"".join(application(environ, lambda status, headers, error=None: started.append((status, headers))))
    status, headers = started[-1]
    return Response(int(status.split()[0]), Headers(dict(headers)), body)


def client_of(transport: MemoryTransport, token: str = "the-token") -> ScimClient:
    return ScimClient(
        transport,
        base_address="https://scim.test/v2",
        token=token,
        dialect=load_dialect(),
        capabilities=CapabilityProfile(),
        clock=SystemClock(),
    )


async def test_the_connection_is_good_with_the_right_token_only(transport: MemoryTransport) -> None:
    assert (await client_of(transport).test()).ok

    wrong = await client_of(transport, "wrong").test()
    assert (wrong.ok, wrong.cause) == (False, "unauthorized")
    with pytest.raises(Unauthorized401):
        await client_of(transport, "wrong").find("User", "userName", "x")


async def test_a_person_is_made_found_changed_disabled_and_deleted(transport: MemoryTransport) -> None:
    client = client_of(transport)
    values = {
        "userName": "ada@x.example",
        "externalId": "1",
        "active": "True",
        "displayName": "Ada",
        "name.givenName": "Ada",
        MAIL: "ada@x.example",
        STREET: "Weg 1",
        f"{ENTERPRISE}:department": "R&D",
    }
    ada = await client.create("User", values)
    with pytest.raises(Conflict409):
        await client.create("User", values)

    assert [found.id for found in await client.find("User", "userName", "ada@x.example")] == [ada.id]
    assert [found.id for found in await client.find("User", MAIL, "ada@x.example")] == [ada.id]
    await client.update(
        "User",
        ada.id,
        [
            AttributeChange("displayName", "Ada", "Ada L"),
            AttributeChange("title", None, "CTO"),
            AttributeChange(MAIL, "ada@x.example", "al@x.example"),
            AttributeChange(PHONE, None, "555"),
            AttributeChange(CITY, None, "Bonn"),
            AttributeChange(f"{ENTERPRISE}:department", "R&D", None),
            AttributeChange("active", "True", "False"),
        ],
        present=values.keys(),
    )

    read = await client.read("User", ada.id)
    assert read is not None
    wanted = {
        "displayName": "Ada L",
        "title": "CTO",
        MAIL: "al@x.example",
        PHONE: "555",
        CITY: "Bonn",
        STREET: "Weg 1",
        "active": False,
        f"{ENTERPRISE}:department": None,
    }
    assert {path: read.get(path) for path in wanted} == wanted
    assert [len(read.raw[name]) for name in ("emails", "phoneNumbers", "addresses")] == [1, 1, 1]

    await client.update("User", ada.id, [AttributeChange(PHONE, "555", None), AttributeChange("title", "CTO", None)])
    read = await client.read("User", ada.id)
    assert read is not None
    assert (read.get(PHONE), read.get("title"), read.get(MAIL)) == (None, None, "al@x.example")

    assert await client.delete("User", ada.id) is True
    assert await client.delete("User", ada.id) is False
    assert await client.read("User", ada.id) is None


async def test_a_manager_is_set_changed_and_removed(transport: MemoryTransport) -> None:
    client = client_of(transport)
    ada, bob, eve = [(await client.create("User", {"userName": name})).id for name in ("ada", "bob", "eve")]

    seen = []
    for old, new in ((None, bob), (bob, eve), (eve, None)):
        await client.set_reference("User", ada, MANAGER, old, new)
        read = await client.read("User", ada)
        seen.append(read and read.get(MANAGER))

    assert seen == [bob, eve, None]


async def test_a_group_is_renamed_and_its_members_come_and_go(transport: MemoryTransport) -> None:
    client = client_of(transport)
    ids = [(await client.create("User", {"userName": f"u{n}"})).id for n in range(4)]
    group = await client.create("Group", {"displayName": "Sales"})

    await client.change_members(group.id, ids, [])
    await client.change_members(group.id, [], [ids[1]])
    # Again, as after a crash between the answer and our note of it.
    await client.change_members(group.id, [ids[0]], [ids[1], ids[2]])
    await client.update("Group", group.id, [AttributeChange("displayName", "Sales", "Sales EU")])

    (found,) = await client.find("Group", "displayName", "Sales EU")
    assert "members" not in found.raw
    whole = await client_with_members(transport, group.id)
    assert {member["value"] for member in whole["members"]} == {ids[0], ids[3]}


async def client_with_members(transport: MemoryTransport, group_id: str) -> dict[str, Any]:
    client = ScimClient(
        transport,
        base_address="https://scim.test/v2",
        token="the-token",
        dialect=load_dialect(),
        capabilities=CapabilityProfile(members_excludable=False),
        clock=SystemClock(),
    )
    read = await client.read("Group", group_id)
    assert read is not None
    return read.raw
