"""Bulk: many operations in one request, which may refer to each other in any order."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.scim.messages import BULK_REQUEST, PATCH_OP
from provisor.scim.schemas import ENTERPRISE_USER_URN, GROUP_URN, USER_URN
from provisor.testing.database import Store
from provisor.web.scim.bulk import MOST_BYTES, MOST_OPERATIONS


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


def user(name: str, **more: Any) -> dict[str, Any]:
    return {"schemas": [USER_URN], "userName": name, **more}


def group(name: str, *members: str) -> dict[str, Any]:
    return {"schemas": [GROUP_URN], "displayName": name, "members": [{"value": member} for member in members]}


def post(bulk_id: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"method": "POST", "path": "/Groups" if "displayName" in data else "/Users", "bulkId": bulk_id, "data": data}


async def bulk(scim: Any, *operations: Any, status: int = 200, **more: Any) -> Any:
    body = {"schemas": [BULK_REQUEST], "Operations": list(operations), **more}
    reply = await scim("POST", "/scim/v2/Bulk", body)
    assert reply.status == status, reply.body
    return reply.json.get("Operations", reply.json)


async def members(scim: Any, location: str) -> set[str]:
    found = (await scim("GET", location.removeprefix("https://scim.example"))).json
    return {member["value"] for member in found.get("members", ())}


def id_of(entry: dict[str, Any]) -> str:
    return str(entry["location"].rpartition("/")[2])


async def test_every_operation_has_its_own_status_location_and_version(scim: Any) -> None:
    made = await bulk(scim, post("a", user("ada")), post("b", user("bea")))
    assert [entry["status"] for entry in made] == ["201", "201"]
    one, two = (entry["location"].removeprefix("https://scim.example/scim/v2") for entry in made)
    change = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": "CTO"}]}
    done = await bulk(
        scim,
        {"method": "PATCH", "path": one, "data": change, "version": made[0]["version"]},
        {"method": "patch", "path": one, "data": change, "version": 'W/"1"'},
        {"method": "PUT", "path": two, "data": user("bea2")},
        {"method": "DELETE", "path": two},
        {"method": "DELETE", "path": two},
    )
    assert [entry["status"] for entry in done] == ["200", "412", "200", "204", "404"]
    assert done[0]["version"] == 'W/"2"'
    assert done[0]["location"] == made[0]["location"]
    assert done[1]["response"]["detail"].startswith("The resource is at version 2")
    assert "response" not in done[0]
    assert (await scim("GET", f"/scim{one}")).json["title"] == "CTO"


async def test_references_are_resolved_backwards_forwards_and_in_paths(scim: Any) -> None:
    join = {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:c"}]}]}
    done = await bulk(
        scim,
        {"method": "PATCH", "path": "/Groups/bulkId:g", "data": join},
        post("g", group("Sales", "bulkId:a", "bulkId:b")),
        post("a", user("ada")),
        post("b", user("bea", **{ENTERPRISE_USER_URN: {"manager": {"value": "bulkId:a"}}})),
        post("c", user("cy")),
    )
    assert [entry["status"] for entry in done] == ["200", "201", "201", "201", "201"]
    a, b, c = (id_of(entry) for entry in done[2:])
    assert await members(scim, done[1]["location"]) == {a, b, c}
    assert done[0]["location"] == done[1]["location"]
    found = (await scim("GET", f"/scim/Users/{b}")).json
    assert found[ENTERPRISE_USER_URN]["manager"]["value"] == a


async def test_references_in_a_circle_are_all_there_in_the_end(scim: Any) -> None:
    done = await bulk(
        scim,
        post("one", group("One", "bulkId:two", "bulkId:ada")),
        post("two", group("Two", "bulkId:three")),
        post("three", group("Three", "bulkId:one", "bulkId:three")),
        post("ada", user("ada")),
    )
    assert [entry["status"] for entry in done] == ["201"] * 4
    one, two, three, ada = (id_of(entry) for entry in done)
    assert await members(scim, done[0]["location"]) == {two, ada}
    assert await members(scim, done[1]["location"]) == {three}
    assert await members(scim, done[2]["location"]) == {one, three}
    for entry in done:
        path = entry["location"].removeprefix("https://scim.example")
        assert (await scim("GET", path)).headers["etag"] == entry["version"]


async def test_what_refers_to_a_failed_operation_fails_and_the_rest_goes_on(scim: Any) -> None:
    await bulk(scim, post("a", user("ada")))
    done = await bulk(
        scim,
        post("g", group("Sales", "bulkId:a")),
        post("a", user("ADA")),
        post("b", user("bea")),
        {"method": "PUT", "path": "/Users/bulkId:nobody", "data": user("x")},
        {"method": "BREW", "path": "/Users"},
        "nonsense",
        {"method": "POST", "path": "/Users", "data": user("without")},
        {"method": "POST", "path": "/Shoes", "bulkId": "s", "data": {}},
        {"method": "POST", "path": "/Bulk", "bulkId": "t", "data": {}},
    )
    assert [entry["status"] for entry in done] == ["409", "409", "201", "400", "400", "400", "400", "404", "404"]
    assert done[1]["response"]["scimType"] == "uniqueness"
    assert "location" not in done[1]
    assert (await scim("GET", "/scim/Groups")).json["totalResults"] == 0


async def test_after_so_many_errors_nothing_more_is_done(scim: Any) -> None:
    wrong = {"method": "DELETE", "path": "/Users/none"}
    done = await bulk(scim, wrong, post("a", user("ada")), wrong, post("b", user("bea")), failOnErrors=2)
    assert [entry["status"] for entry in done] == ["404", "201", "404"]
    assert (await scim("GET", "/scim/Users")).json["totalResults"] == 1


async def test_an_operation_is_all_or_nothing(scim: Any) -> None:
    made = await bulk(scim, post("a", user("ada", title="CTO")))
    path = made[0]["location"].removeprefix("https://scim.example/scim/v2")
    steps = [{"op": "replace", "path": "title", "value": "CEO"}, {"op": "replace", "path": "userName", "value": ""}]
    done = await bulk(scim, {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": steps}})
    assert done[0]["status"] == "400"
    assert (await scim("GET", f"/scim{path}")).json["title"] == "CTO"


async def test_too_much_is_413_and_what_is_no_bulk_request_400(scim: Any) -> None:
    wrong = {"method": "DELETE", "path": "/Users/none"}
    await bulk(scim, *[wrong] * (MOST_OPERATIONS + 1), status=413)
    await bulk(scim, post("a", user("x" * MOST_BYTES)), status=413)
    await bulk(scim, status=400)
    await bulk(scim, wrong, failOnErrors=0, status=400)
    await bulk(scim, post("a", user("ada")), post("a", user("bea")), status=400)
    assert (await scim("GET", "/scim/Users")).json["totalResults"] == 0


async def test_the_limits_are_those_that_the_configuration_names(scim: Any) -> None:
    config = (await scim("GET", "/scim/ServiceProviderConfig")).json
    assert config["bulk"] == {"supported": True, "maxOperations": MOST_OPERATIONS, "maxPayloadSize": MOST_BYTES}
    assert config["changePassword"] == {"supported": True}
