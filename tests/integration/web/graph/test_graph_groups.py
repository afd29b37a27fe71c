"""``/groups`` over the Graph face: members, owners, nesting, and questions about them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.web.graph.conftest import GraphClient
from tests.integration.web.graph.test_graph_users import make

from provisor.directory.model import Tenant
from provisor.testing.callers import KnownTokens, person

HOST = "https://graph.microsoft.com/v1.0"
EVENTUAL = {"ConsistencyLevel": "eventual"}


async def group(graph: GraphClient, name: str, **more: Any) -> str:
    body = {
        "displayName": name,
        "mailEnabled": False,
        "mailNickname": name.lower(),
        "securityEnabled": True,
        "groupTypes": [],
        **more,
    }
    reply = await graph("POST", "/groups", body)
    assert reply.status == 201, reply.body
    found: str = reply.json["id"]
    return found


async def ids(graph: GraphClient, path: str) -> set[str]:
    reply = await graph("GET", path)
    assert reply.status == 200, reply.body
    return {one["id"] for one in reply.value}


def bind(*found: str) -> list[str]:
    return [f"{HOST}/directoryObjects/{one}" for one in found]


async def test_a_group_lives(graph: GraphClient) -> None:
    one = await group(graph, "Sales", description="Who sells")
    read = (await graph("GET", f"/groups/{one}")).json
    assert read["@odata.context"] == "https://graph.example/v1.0/$metadata#groups/$entity"
    assert (read["displayName"], read["groupTypes"], read["visibility"]) == ("Sales", [], None)

    assert (await graph("PATCH", f"/groups/{one}", {"description": None, "displayName": "Sellers"})).status == 204
    listed = (await graph("GET", "/groups?$filter=displayName eq 'SELLERS'&$select=id,description")).value
    assert listed == [{"id": one, "description": None}]
    assert (await graph("GET", "/groups/$count", headers=EVENTUAL)).body == b"1"

    assert (await graph("DELETE", f"/groups/{one}")).status == 204
    assert (await graph("GET", f"/groups/{one}")).status == 404
    assert await ids(graph, "/directory/deletedItems/microsoft.graph.group") == {one}
    assert (await graph("POST", f"/directory/deletedItems/{one}/restore")).json["displayName"] == "Sellers"


@pytest.mark.parametrize("missing", ["displayName", "mailEnabled", "mailNickname", "securityEnabled"])
async def test_what_a_group_lacks_is_named(graph: GraphClient, missing: str) -> None:
    body = {"displayName": "a", "mailEnabled": False, "mailNickname": "a", "securityEnabled": True}
    del body[missing]

    reply = await graph("POST", "/groups", body)

    assert (reply.status, reply.error["details"][0]["target"]) == (400, missing)


async def test_members_come_and_go(graph: GraphClient) -> None:
    ann, bo, cy = [await make(graph, name) for name in ("Ann", "Bo", "Cy")]
    inner = await group(graph, "Inner", **{"members@odata.bind": bind(cy)})
    one = await group(graph, "Outer", **{"members@odata.bind": bind(ann), "owners@odata.bind": bind(bo)})
    members = f"/groups/{one}/members"

    assert (await graph("POST", f"{members}/$ref", {"@odata.id": f"{HOST}/directoryObjects/{bo}"})).status == 204
    again = await graph("POST", f"{members}/$ref", {"@odata.id": f"{HOST}/users/bo@lindenhof.example"})
    assert (again.status, again.error["code"]) == (400, "Request_BadRequest")
    assert "already exist" in again.error["message"]
    assert (await graph("PATCH", f"/groups/{one}", {"members@odata.bind": bind(inner)})).status == 204

    found = (await graph("GET", members)).value
    assert {(m["@odata.type"], m["id"]) for m in found} == {
        ("#microsoft.graph.user", ann),
        ("#microsoft.graph.user", bo),
        ("#microsoft.graph.group", inner),
    }
    assert await ids(graph, f"{members}/microsoft.graph.user") == {ann, bo}
    assert await ids(graph, f"{members}/graph.group") == {inner}
    assert (await graph("GET", f"{members}/$count", headers=EVENTUAL)).body == b"3"
    assert (await graph("GET", f"{members}/microsoft.graph.group/$count", headers=EVENTUAL)).body == b"1"
    named = await graph("GET", f"{members}?$filter=startswith(displayName,'A')&$select=id,displayName&$count=true")
    assert named.json["@odata.count"] == 1
    assert named.value == [{"@odata.type": "#microsoft.graph.user", "id": ann, "displayName": "Ann"}]
    assert await ids(graph, f"/groups/{one}/transitiveMembers") == {ann, bo, inner, cy}
    assert await ids(graph, f"/groups/{one}/owners") == {bo}
    references = (await graph("GET", f"{members}/$ref")).value
    assert {"@odata.id": f"https://graph.example/v1.0/directoryObjects/{ann}"} in references
    expanded = (await graph("GET", f"/groups/{one}?$select=id&$expand=members($select=id),owners")).json
    assert {m["id"] for m in expanded["members"]} == {ann, bo, inner}
    assert [owner["displayName"] for owner in expanded["owners"]] == ["Bo"]

    assert await ids(graph, f"/users/{cy}/memberOf") == {inner}
    assert await ids(graph, f"/users/{cy}/transitiveMemberOf") == {inner, one}
    assert await ids(graph, f"/users/{cy}/transitiveMemberOf/microsoft.graph.group") == {inner, one}
    assert await ids(graph, f"/groups/{inner}/memberOf") == {one}
    assert await ids(graph, f"/users/{bo}/ownedObjects") == {one}

    assert (await graph("DELETE", f"{members}/{ann}/$ref")).status == 204
    assert (await graph("DELETE", f"{members}/{ann}/$ref")).status == 404
    assert await ids(graph, members) == {bo, inner}


async def test_members_come_in_pages(graph: GraphClient) -> None:
    people = {await make(graph, f"P{number}") for number in range(5)}
    one = await group(graph, "All", **{"members@odata.bind": bind(*people)})

    found: list[str] = []
    path = f"/groups/{one}/members?$top=2&$select=id"
    while path:
        reply = await graph("GET", path)
        found += [member["id"] for member in reply.value]
        path = reply.json.get("@odata.nextLink", "")
    assert (len(found), set(found)) == (5, people)


@pytest.mark.parametrize(
    "body",
    [
        {"members@odata.bind": bind(*(["11111111-2222-3333-4444-555555555555"] * 21))},
        {"members@odata.bind": "x"},
        {"members@odata.bind": [5]},
        {"members": []},
    ],
)
async def test_a_group_that_cannot_be_made_is_not_made(graph: GraphClient, body: dict[str, Any]) -> None:
    base = {"displayName": "a", "mailEnabled": False, "mailNickname": "a", "securityEnabled": True}

    assert (await graph("POST", "/groups", {**base, **body})).status == 400
    unknown = bind("11111111-2222-3333-4444-555555555555")
    assert (await graph("POST", "/groups", {**base, "members@odata.bind": unknown})).status == 404
    assert (await graph("POST", "/groups", {**base, "owners@odata.bind": unknown})).status == 404
    assert (await graph("GET", "/groups")).value == []


async def test_owners_come_and_go_but_for_the_last(graph: GraphClient) -> None:
    ann, bo = await make(graph, "Ann"), await make(graph, "Bo")
    one = await group(graph, "Sales")
    owners = f"/groups/{one}/owners"

    for owner in (ann, bo):
        assert (await graph("POST", f"{owners}/$ref", {"@odata.id": f"{HOST}/users/{owner}"})).status == 204
    assert (await graph("POST", f"{owners}/$ref", {"@odata.id": f"{HOST}/users/{bo}"})).status == 400
    assert (await graph("DELETE", f"{owners}/{ann}/$ref")).status == 204
    assert (await graph("DELETE", f"{owners}/{ann}/$ref")).status == 404
    last = await graph("DELETE", f"{owners}/{bo}/$ref")
    assert last.status == 400
    assert "at least one owner" in last.error["message"]


async def test_who_makes_a_group_owns_it(graph: GraphClient, tokens: KnownTokens, tenant: Tenant) -> None:
    ann = await make(graph, "Ann")
    tokens.callers["ann"] = person(tenant.id, ann, ["Group.ReadWrite.All"], ["Global Administrator"])
    graph.token = "ann"

    one = await group(graph, "Mine")

    assert await ids(graph, f"/groups/{one}/owners") == {ann}


async def test_memberships_are_asked_about(graph: GraphClient) -> None:
    await ask_about_memberships(graph, "Ann")


async def ask_about_memberships(graph: GraphClient, name: str) -> None:
    ann = await make(graph, name)
    inner = await group(graph, "Inner", **{"members@odata.bind": bind(ann)})
    mail = await group(graph, "Mail", securityEnabled=False, **{"members@odata.bind": bind(inner)})
    other = await group(graph, "Other")

    checked = await graph("POST", f"/users/{ann}/checkMemberGroups", {"groupIds": [inner, mail, other]})
    assert set(checked.value) == {inner, mail}
    assert set((await graph("POST", f"/users/{ann}/checkMemberObjects", {"ids": [mail, other]})).value) == {mail}
    every = await graph("POST", f"/users/{ann}/microsoft.graph.getMemberGroups", {"securityEnabledOnly": False})
    assert set(every.value) == {inner, mail}
    only = await graph("POST", f"/users/{ann}/getMemberGroups", {"securityEnabledOnly": True})
    assert only.value == [inner]
    assert (await graph("POST", f"/groups/{inner}/getMemberGroups", {})).value == [mail]
    assert (await graph("POST", f"/directoryObjects/{ann}/getMemberObjects", {})).status == 200

    for body in ({"groupIds": [inner] * 21}, {"groupIds": "x"}, {"groupIds": [5]}, {"ids": []}, {}):
        assert (await graph("POST", f"/users/{ann}/checkMemberGroups", body)).status == 400


async def test_objects_are_found_by_their_ids_alone(graph: GraphClient) -> None:
    ann, one = await make(graph, "Ann"), await group(graph, "Sales")
    nobody = "11111111-2222-3333-4444-555555555555"

    found = await graph("POST", "/directoryObjects/getByIds", {"ids": [one, nobody, ann, ann]})
    assert [thing["id"] for thing in found.value] == [one, ann]
    people = await graph("POST", "/directoryObjects/getByIds", {"ids": [one, ann], "types": ["user"]})
    assert [thing["id"] for thing in people.value] == [ann]
    assert (await graph("GET", f"/directoryObjects/{one}")).json["@odata.type"] == "#microsoft.graph.group"
    assert (await graph("GET", f"/directoryObjects/{nobody}")).status == 404


async def test_a_batch_makes_a_group_and_fills_it(graph: GraphClient) -> None:
    ann = await make(graph, "Ann")
    body = {"displayName": "a", "mailEnabled": False, "mailNickname": "a", "securityEnabled": True}
    json = {"Content-Type": "application/json"}

    reply = await graph(
        "POST",
        "/$batch",
        {
            "requests": [
                {"id": "g", "method": "POST", "url": "/groups", "headers": json, "body": body},
                {"id": "n", "method": "GET", "url": "/groups/$count", "headers": EVENTUAL, "dependsOn": ["g"]},
                {"id": "u", "method": "GET", "url": f"/users/{ann}?$select=displayName"},
                {"id": "x", "method": "PATCH", "url": f"/users/{ann}", "headers": json, "body": {"nonsense": 1}},
            ]
        },
    )

    answers = {one["id"]: one for one in reply.json["responses"]}
    assert {name: one["status"] for name, one in answers.items()} == {"g": 201, "n": 200, "u": 200, "x": 400}
    assert answers["g"]["headers"]["Location"].endswith(answers["g"]["body"]["id"])
    assert answers["n"]["body"] == "MQ=="
    assert answers["u"]["body"]["displayName"] == "Ann"


async def test_one_reads_about_oneself(graph: GraphClient, tokens: KnownTokens, tenant: Tenant) -> None:
    boss, ann = await make(graph, "Boss"), await make(graph, "Ann")
    one = await group(graph, "Sales", **{"members@odata.bind": bind(ann)})
    await graph("PUT", f"/users/{ann}/manager/$ref", {"@odata.id": f"{HOST}/users/{boss}"})
    assert (await graph("GET", "/me")).error["code"] == "BadRequest"

    tokens.callers["ann"] = person(tenant.id, ann, ["User.Read"])
    graph.token = "ann"
    assert (await graph("GET", "/me")).json["displayName"] == "Ann"
    assert (await graph("GET", "/me/manager")).json["id"] == boss
    assert await ids(graph, "/me/memberOf") == {one}
    assert (await graph("POST", "/me/checkMemberGroups", {"groupIds": [one]})).value == [one]
    assert (await graph("GET", "/users")).status == 403
