"""``delta`` over the Graph face: who follows the links has, at the end of every round, what there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest
from tests.integration.web.graph.conftest import GraphClient
from tests.integration.web.graph.test_graph_groups import HOST, bind, group
from tests.integration.web.graph.test_graph_users import make

from provisor.directory.model import NewUser, Tenant
from provisor.directory.service import Directory
from provisor.security.actor import operator
from provisor.storage.database import Database
from provisor.testing.database import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """The feed is the engines' own matter: both."""
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


@dataclass
class Follower:
    """Follows delta links as a client does, merging what comes."""

    graph: GraphClient
    link: str
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    removed: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    pages: int = 0

    async def round(self) -> None:
        self.order, self.pages = [], 0
        while True:
            reply = await self.graph("GET", self.link)
            assert reply.status == 200, reply.body
            self.pages += 1
            for item in reply.value:
                self._merge(item)
            links = [name for name in ("@odata.nextLink", "@odata.deltaLink") if name in reply.json]
            assert len(links) == 1
            self.link = reply.json[links[0]]
            if links == ["@odata.deltaLink"]:
                return

    def _merge(self, item: dict[str, Any]) -> None:
        id_ = item["id"]
        self.order.append(id_)
        if "@removed" in item:
            self.objects.pop(id_, None)
            self.members.pop(id_, None)
            self.removed[id_] = item["@removed"]["reason"]
            return
        self.removed.pop(id_, None)
        for link in item.pop("members@delta", []):
            held = self.members.setdefault(id_, set())
            (held.discard if "@removed" in link else held.add)(link["id"])
        self.objects.setdefault(id_, {}).update(item)


async def test_users_are_followed_over_rounds(graph: GraphClient) -> None:
    ann, bo, cy = [await make(graph, name) for name in ("Ann", "Bo", "Cy")]
    follower = Follower(graph, "/users/delta()?$select=displayName,jobTitle")
    await follower.round()
    assert {id_: one["displayName"] for id_, one in follower.objects.items()} == {ann: "Ann", bo: "Bo", cy: "Cy"}
    assert "jobTitle" not in follower.objects[ann]
    await follower.round()
    assert (follower.order, follower.pages) == ([], 1)

    await graph("PATCH", f"/users/{cy}", {"jobTitle": "Smith"})
    dee = await make(graph, "Dee")
    await graph("DELETE", f"/users/{bo}")
    await graph("PATCH", f"/users/{ann}", {"displayName": "Anna"})
    await graph("PATCH", f"/users/{cy}", {"jobTitle": None})
    await follower.round()
    assert follower.order == [dee, bo, ann, cy]
    assert follower.removed == {bo: "changed"}
    assert follower.objects[ann]["displayName"] == "Anna"
    assert follower.objects[cy] == {"id": cy, "displayName": "Cy", "jobTitle": None}

    await graph("POST", f"/directory/deletedItems/{bo}/restore")
    await graph("DELETE", f"/users/{dee}")
    await graph("DELETE", f"/directory/deletedItems/{dee}")
    await follower.round()
    assert follower.objects[bo]["displayName"] == "Bo"
    assert follower.removed == {dee: "deleted"}


async def test_a_page_may_be_read_again(graph: GraphClient) -> None:
    await make(graph, "Ann")
    first = await graph("GET", "/users/delta")
    bo = await make(graph, "Bo")
    link = first.json["@odata.deltaLink"]

    for _ in range(2):
        again = await graph("GET", link)
        assert [one["id"] for one in again.value] == [bo]
    assert again.value[0]["userPrincipalName"] == "bo@lindenhof.example"


async def test_latest_begins_with_what_comes(graph: GraphClient) -> None:
    await make(graph, "Ann")
    latest = await graph("GET", "/users/delta?$deltatoken=latest")
    assert latest.value == []
    bo = await make(graph, "Bo")

    assert [one["id"] for one in (await graph("GET", latest.json["@odata.deltaLink"])).value] == [bo]


async def test_some_users_are_followed_by_their_ids(graph: GraphClient) -> None:
    ann, bo, cy = [await make(graph, name) for name in ("Ann", "Bo", "Cy")]
    follower = Follower(graph, f"/users/delta?$filter=id eq '{ann}' or id eq '{cy}'")
    await follower.round()
    assert set(follower.objects) == {ann, cy}

    for who in (bo, cy):
        await graph("PATCH", f"/users/{who}", {"jobTitle": "Smith"})
    await follower.round()
    assert follower.order == [cy]


async def test_a_manager_is_followed_where_selected(graph: GraphClient) -> None:
    ann, bo, boss = [await make(graph, name) for name in ("Ann", "Bo", "Boss")]
    await graph("PUT", f"/users/{ann}/manager/$ref", {"@odata.id": f"{HOST}/users/{bo}"})
    reply = await graph("GET", "/users/delta?$select=displayName,manager")
    managers = {one["displayName"]: one.get("manager@delta") for one in reply.value}
    assert managers == {"Ann": [{"@odata.type": "#microsoft.graph.user", "id": bo}], "Bo": None, "Boss": None}

    await graph("PUT", f"/users/{ann}/manager/$ref", {"@odata.id": f"{HOST}/users/{boss}"})
    changed = await graph("GET", reply.json["@odata.deltaLink"])
    assert changed.value[0]["manager@delta"] == [
        {"@odata.type": "#microsoft.graph.user", "id": bo, "@removed": {"reason": "deleted"}},
        {"@odata.type": "#microsoft.graph.user", "id": boss},
    ]
    await graph("DELETE", f"/users/{boss}")
    gone = await graph("GET", changed.json["@odata.deltaLink"])
    assert {one["id"]: one.get("manager@delta", one.get("@removed")) for one in gone.value} == {
        ann: [{"@odata.type": "#microsoft.graph.user", "id": boss, "@removed": {"reason": "deleted"}}],
        boss: {"reason": "changed"},
    }


async def test_groups_are_followed_with_their_members(graph: GraphClient) -> None:
    ann, bo = [await make(graph, name) for name in ("Ann", "Bo")]
    one = await group(graph, "One", **{"members@odata.bind": bind(ann)})
    two = await group(graph, "Two", **{"members@odata.bind": bind(one, bo)})
    follower = Follower(graph, "/groups/delta")
    await follower.round()
    assert follower.members == {one: {ann}, two: {one, bo}}
    assert follower.objects[one]["displayName"] == "One"

    await graph("POST", f"/groups/{one}/members/$ref", {"@odata.id": f"{HOST}/directoryObjects/{bo}"})
    await graph("DELETE", f"/groups/{one}/members/{ann}/$ref")
    await graph("PATCH", f"/users/{ann}", {"jobTitle": "Smith"})
    await follower.round()
    assert follower.order == [one]
    assert follower.members == {one: {bo}, two: {one, bo}}

    await graph("DELETE", f"/users/{bo}")
    await graph("DELETE", f"/groups/{one}")
    await follower.round()
    assert follower.members[two] == set()
    assert follower.removed == {one: "changed"}

    await graph("POST", f"/directory/deletedItems/{bo}/restore")
    await graph("POST", f"/directory/deletedItems/{one}/restore")
    await follower.round()
    assert follower.members == {one: {bo}, two: {one, bo}}


async def test_groups_may_be_followed_without_members_or_with_owners(graph: GraphClient) -> None:
    ann, bo = await make(graph, "Ann"), await make(graph, "Bo")
    one = await group(graph, "One", **{"members@odata.bind": bind(ann), "owners@odata.bind": bind(ann, bo)})
    plain = Follower(graph, "/groups/delta?$select=displayName")
    await plain.round()
    assert (plain.objects, plain.members) == ({one: {"id": one, "displayName": "One"}}, {})
    owned = await graph("GET", "/groups/delta?$select=displayName,owners")
    assert {link["id"] for link in owned.value[0]["owners@delta"]} == {ann, bo}

    await graph("DELETE", f"/groups/{one}/members/{ann}/$ref")
    await graph("DELETE", f"/groups/{one}/owners/{ann}/$ref")
    await plain.round()
    assert plain.order == []
    after = (await graph("GET", owned.json["@odata.deltaLink"])).value
    assert [link.get("@removed") for link in after[0]["owners@delta"]] == [{"reason": "deleted"}]


async def test_a_large_group_comes_in_parts(graph: GraphClient, directory: Directory, tenant: Tenant) -> None:
    people = await directory.create_users(
        operator(),
        tenant.id,
        [NewUser({"userPrincipalName": f"u{n}@lindenhof.example", "displayName": f"U {n}"}) for n in range(1_500)],
    )
    wanted = {user.id for user in people}
    large = await directory.create_group(operator(), tenant.id, {"displayName": "All"}, members=sorted(wanted))
    small = await directory.create_group(operator(), tenant.id, {"displayName": "None"})

    follower = Follower(graph, "/groups/delta")
    await follower.round()

    assert follower.members == {large.id: wanted}
    assert set(follower.objects) == {large.id, small.id}
    assert follower.order.count(large.id) == 2
    users = Follower(graph, "/users/delta?$select=id")
    await users.round()
    assert set(users.objects) == wanted
    assert users.pages == 15

    await directory.remove_members(operator(), tenant.id, large.id, sorted(wanted)[:1_200])
    await follower.round()
    assert follower.members == {large.id: set(sorted(wanted)[1_200:])}
    assert follower.pages == 2


async def test_what_is_no_longer_known_is_to_be_read_anew(
    graph: GraphClient, database: Database, tenant: Tenant
) -> None:
    await make(graph, "Ann")
    link = (await graph("GET", "/users/delta?$select=displayName")).json["@odata.deltaLink"]
    await make(graph, "Bo")
    await make(graph, "Cy")
    await database.write(lambda tx: tx.execute("DELETE FROM feed WHERE tenant_id = :t AND seq <= 2", {"t": tenant.id}))

    reply = await graph("GET", link)

    assert (reply.status, reply.error["code"]) == (410, "resyncRequired")
    again = await graph("GET", unquote(reply.headers["location"]))
    assert {one["displayName"] for one in again.value} == {"Ann", "Bo", "Cy"}
    assert all(set(one) == {"id", "displayName"} for one in again.value)
    await database.write(lambda tx: tx.execute("DELETE FROM feed WHERE tenant_id = :t", {"t": tenant.id}))
    assert (await graph("GET", link)).status == 410


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("$top=5", "$top"),
        ("$expand=manager", "$expand"),
        ("$orderby=id", "$orderby"),
        ("$select=nonsense", "nonsense"),
        ("$filter=displayName eq 'x'", "by id only"),
        ("$filter=" + " or ".join(["id eq 'x'"] * 51), "50"),
        ("$deltatoken=nonsense", "token"),
        ("$skiptoken=bm9uc2Vuc2U", "token"),
    ],
)
async def test_what_delta_does_not_take_is_said(graph: GraphClient, query: str, says: str) -> None:
    reply = await graph("GET", f"/users/delta?{query}")

    assert reply.status == 400
    assert says in reply.error["message"]
