"""No request of one company sees, guesses or touches another's data: every endpoint that OpenAPI names is tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.integration.web.conftest import key_of

from provisor.events.outbox import Outbox
from provisor.events.store import OutboxStore
from provisor.scim.messages import BULK_REQUEST, PATCH_OP, SEARCH_REQUEST
from provisor.scim.schemas import ENTERPRISE_USER_URN, GROUP_URN, USER_URN
from provisor.storage.database import Database
from provisor.web.asgi import create_app

SECRET = "acme-only"
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def acme(scim: Any, services: Any, database: Database) -> Any:
    return replace(scim, app=create_app(replace(services, outbox=Outbox(OutboxStore(database)))))


@pytest.fixture
async def stranger(acme: Any, services: Any) -> Any:
    """The same server with another company's key."""
    return replace(acme, token=await key_of(services, "Other"))


@pytest.fixture
async def ids(acme: Any) -> dict[str, str]:
    """A user and a group of Acme, by their endpoint."""
    user = await acme(
        "POST", "/scim/Users", {"schemas": [USER_URN], "userName": SECRET, "externalId": SECRET, "title": SECRET}
    )
    members = [{"value": user.json["id"]}]
    group = await acme("POST", "/scim/Groups", {"schemas": [GROUP_URN], "displayName": SECRET, "members": members})
    return {"/scim/Users": user.json["id"], "/scim/Groups": group.json["id"]}


def bodies(path: str, ids: dict[str, str]) -> dict[str, Any]:
    """For each method, what would reach for Acme's data if anything could."""
    user, group = ids["/scim/Users"], ids["/scim/Groups"]
    replaced = (
        {"schemas": [GROUP_URN], "displayName": "mine", "members": []}
        if "Groups" in path
        else {"schemas": [USER_URN], "userName": "mine", "active": False}
    )
    operations = [{"op": "replace", "path": "externalId", "value": "mine"}]
    wanted: dict[str, Any] = {"schemas": [SEARCH_REQUEST], "filter": f'externalId eq "{SECRET}" or id eq "{user}"'}
    if path.endswith("/Bulk"):
        listed = [
            {"method": "DELETE", "path": f"/Users/{user}"},
            {"method": "PUT", "path": f"/Groups/{group}", "data": {"schemas": [GROUP_URN], "displayName": "mine"}},
        ]
        return {"post": {"schemas": [BULK_REQUEST], "Operations": listed}}
    return {
        "post": wanted if path.endswith(".search") else replaced,
        "put": replaced,
        "patch": {"schemas": [PATCH_OP], "Operations": operations},
    }


async def snapshot(acme: Any, ids: dict[str, str]) -> list[Any]:
    return [(await acme("GET", f"{path}/{one}")).json for path, one in ids.items()]


async def test_no_endpoint_shows_or_changes_another_companys_data(
    acme: Any, stranger: Any, ids: dict[str, str]
) -> None:
    before = await snapshot(acme, ids)
    document = msgspec.json.decode((await stranger("GET", "/openapi.json")).body)
    tried = 0
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method not in operations:
                continue
            tried += 1
            owner = path.removesuffix("/{id}")
            target = path.replace("{id}", ids.get(owner, SECRET))
            reply = await stranger(method.upper(), target, bodies(path, ids).get(method))
            # An error may repeat what the request asked for, in quotes; it asked for nothing else of Acme's.
            assert SECRET.encode() not in reply.body.replace(f"'{SECRET}'".encode(), b""), (method, path)
            if "{id}" in path:
                assert reply.status == 404, (method, path)
    assert tried > 25
    assert await snapshot(acme, ids) == before


@pytest.mark.parametrize("kind", ["Users", "Groups", ".search"])
async def test_searches_find_nothing_of_another_company(
    acme: Any, stranger: Any, ids: dict[str, str], kind: str
) -> None:
    for text in (f'id eq "{ids["/scim/Users"]}"', f'externalId eq "{SECRET}"', "id pr", f'title co "{SECRET}"'):
        if kind == ".search":
            reply = await stranger("POST", "/scim/.search", {"schemas": [SEARCH_REQUEST], "filter": text})
        else:
            reply = await stranger("POST", f"/scim/{kind}/.search", {"schemas": [SEARCH_REQUEST], "filter": text})
        if reply.status == 200:
            assert (reply.json["totalResults"], reply.json["Resources"]) == (0, []), text
        else:
            assert reply.json["scimType"] == "invalidFilter", text


async def test_names_that_another_company_has_are_free_and_its_people_are_no_members_here(
    acme: Any, stranger: Any, ids: dict[str, str]
) -> None:
    mine = await stranger("POST", "/scim/Users", {"schemas": [USER_URN], "userName": SECRET})
    assert mine.status == 201
    members = [{"value": ids["/scim/Users"]}]
    group = {"schemas": [GROUP_URN], "displayName": SECRET}
    refused = await stranger("POST", "/scim/Groups", {**group, "members": members})
    assert refused.status == 400
    made = await stranger("POST", "/scim/Groups", group)
    assert made.status == 201
    operations = [{"op": "add", "path": "members", "value": members}]
    reply = await stranger(
        "PATCH", f"/scim/Groups/{made.json['id']}", {"schemas": [PATCH_OP], "Operations": operations}
    )
    assert reply.status == 400
    managed = {"schemas": [USER_URN], "userName": "x", ENTERPRISE_USER_URN: {"manager": {"value": ids["/scim/Users"]}}}
    await stranger("POST", "/scim/Users", managed)
    assert (await acme("GET", f"/scim/Users/{ids['/scim/Users']}")).json["groups"][0]["display"] == SECRET
    await acme("DELETE", f"/scim/Users/{ids['/scim/Users']}")
    found = await stranger("GET", '/scim/Users?filter=userName eq "x"')
    assert found.json["Resources"][0][ENTERPRISE_USER_URN]["manager"]["value"] == ids["/scim/Users"]
