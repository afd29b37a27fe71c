"""``/users`` over the Graph face: what clients send, and what they are answered."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.web.graph.conftest import GraphClient

from provisor.directory.model import NewUser, Tenant
from provisor.directory.service import Directory
from provisor.security.actor import operator
from provisor.storage.database import Database
from provisor.testing.callers import KeptPasswords, KnownTokens, app
from provisor.web.graph.services import GraphServices


def new(name: str, **more: Any) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.user",
        "accountEnabled": True,
        "displayName": name,
        "mailNickname": name.lower().replace(" ", ""),
        "userPrincipalName": f"{name.lower().replace(' ', '.')}@lindenhof.example",
        "passwordProfile": {"password": "correct horse battery", "forceChangePasswordNextSignIn": False},
        **more,
    }


async def make(graph: GraphClient, name: str, **more: Any) -> str:
    reply = await graph("POST", "/users", new(name, **more))
    assert reply.status == 201, reply.body
    found: str = reply.json["id"]
    return found


async def test_a_user_lives(graph: GraphClient, passwords: KeptPasswords) -> None:
    reply = await graph("POST", "/users", new("Ann Berg", jobTitle="Smith"))
    assert reply.status == 201
    made = reply.json
    assert made["@odata.context"] == "https://graph.example/v1.0/$metadata#users/$entity"
    assert list(made)[1:] == [
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    ]
    assert made["businessPhones"] == []
    assert made["mail"] is None
    assert passwords.given[made["id"]] == "correct horse battery"

    for key in (made["id"], "ann.berg@lindenhof.example", "ANN.BERG@LINDENHOF.EXAMPLE", made["id"].upper()):
        read = await graph("GET", f"/users/{key}?$select=id,jobTitle,passwordProfile,createdDateTime,identities")
        assert read.status == 200
        assert read.json["id"] == made["id"]
        assert read.json["passwordProfile"] is None
        assert read.json["createdDateTime"] == "2026-01-01T00:00:00.000Z"
        assert read.json["identities"][0]["issuerAssignedId"] == "ann.berg@lindenhof.example"

    changed = await graph("PATCH", f"/users/{made['id']}", {"jobTitle": None, "City": "Bern", "surname": "Berg"})
    assert changed.status == 204
    again = (await graph("GET", f"/users('{made['id']}')?$select=jobTitle,city,surname")).json
    assert (again["jobTitle"], again["city"], again["surname"]) == (None, "Bern", "Berg")

    whole = {"Prefer": "return=representation"}
    shown = await graph("PATCH", f"/users/{made['id']}", {"surname": "Tal"}, headers=whole)
    assert (shown.status, shown.json["surname"]) == (200, "Tal")

    assert (await graph("DELETE", f"/users/{made['id']}")).status == 204
    gone = await graph("GET", f"/users/{made['id']}")
    assert (gone.status, gone.error["code"]) == (404, "Request_ResourceNotFound")


async def test_a_created_user_may_be_answered_without_itself(graph: GraphClient) -> None:
    reply = await graph("POST", "/users", new("Ann"), headers={"Prefer": "return=minimal"})

    assert reply.status == 204
    assert reply.headers["location"].startswith("https://graph.example/v1.0/users/")


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"displayName": None}, "displayName"),
        ({"passwordProfile": None}, "passwordProfile"),
        ({"jobTitel": "x"}, "jobTitel"),
        ({"userPrincipalName": "no at"}, "userPrincipalName"),
        ({"accountEnabled": "yes"}, "accountEnabled"),
        ({"id": "11111111-2222-3333-4444-555555555555"}, "id"),
        ({"extension_00000000000000000000000000000001_size": 3}, "extension_00000000000000000000000000000001_size"),
    ],
)
async def test_what_is_wrong_with_a_user_is_named(graph: GraphClient, change: dict[str, Any], target: str) -> None:
    reply = await graph("POST", "/users", {**new("Ann"), **change})

    assert (reply.status, reply.error["code"]) == (400, "Request_BadRequest")
    assert [detail["target"] for detail in reply.error["details"]] == [target]
    assert target in reply.error["message"]
    assert (await graph("GET", "/users")).value == []


@pytest.mark.parametrize(
    "profile", ["x", {"password": "short"}, {"password": 5}, {"pasword": "x"}, {"forceChangePasswordNextSignIn": 1}]
)
async def test_a_password_that_is_none_makes_no_user(graph: GraphClient, profile: Any) -> None:
    reply = await graph("POST", "/users", new("Ann", passwordProfile=profile))

    assert reply.status == 400
    assert (await graph("GET", "/users")).value == []


async def test_a_name_is_taken_once(graph: GraphClient) -> None:
    await make(graph, "Ann")

    reply = await graph("POST", "/users", new("Ann"))

    assert reply.status == 400
    assert reply.error["message"].startswith(
        "Another object with the same value for property userPrincipalName already exists."
    )
    assert reply.error["details"][0]["code"] == "ObjectConflict"


async def test_pages_are_followed_to_the_end(graph: GraphClient) -> None:
    ids = {await make(graph, f"User {number}") for number in range(7)}

    found: list[str] = []
    path = "/users?$top=3&$select=id&$count=true"
    while path:
        reply = await graph("GET", path, headers={"ConsistencyLevel": "eventual"})
        assert reply.status == 200
        assert reply.json["@odata.count"] == 7
        assert reply.json["@odata.context"] == "https://graph.example/v1.0/$metadata#users(id)"
        assert len(reply.value) <= 3
        assert all(list(one) == ["id"] for one in reply.value)
        found += [one["id"] for one in reply.value]
        path = reply.json.get("@odata.nextLink", "")
    assert sorted(found) == sorted(ids)
    assert len(found) == 7


async def test_a_page_link_works_for_its_own_question_only(graph: GraphClient) -> None:
    for number in range(3):
        await make(graph, f"User {number}")
    link = (await graph("GET", "/users?$top=1")).json["@odata.nextLink"]

    assert (await graph("GET", link)).status == 200
    for other in (link.replace("$top=1", "$top=2"), link.replace("/users", "/groups"), link[:-4] + "AAAA"):
        reply = await graph("GET", other)
        assert (reply.status, reply.error["code"]) == (400, "Directory_ExpiredPageToken")


async def make_many(directory: Directory, tenant: Tenant, count: int) -> None:
    people = [
        NewUser({"userPrincipalName": f"u{n:04}@lindenhof.example", "displayName": f"U {n}"}) for n in range(count)
    ]
    await directory.create_users(operator(), tenant.id, people)


async def test_a_long_page_is_sent_in_pieces(graph: GraphClient, graph_services: GraphServices, tenant: Tenant) -> None:
    await make_many(graph_services.directory, tenant, 1_001)

    reply = await graph("GET", "/users?$top=999")

    assert reply.pieces > 4
    assert "content-length" not in reply.headers
    assert len({one["id"] for one in reply.value}) == 999
    rest = await graph("GET", reply.json["@odata.nextLink"])
    assert len(rest.value) == 2
    assert "@odata.nextLink" not in rest.json
    assert len((await graph("GET", "/users")).value) == 100


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("$filter=userPrincipalName eq 'ann@lindenhof.example'", ["Ann"]),
        ("$filter=startswith(displayName,'a')", ["Ann", "Ans"]),
        ("$filter=accountEnabled eq false", ["Bo"]),
        ("$filter=department eq 'ops' and accountEnabled eq true", ["Ann"]),
        ("$filter=mail in ('ann@x.example','bo@x.example')", ["Ann", "Bo"]),
        ("$filter=createdDateTime ge 2026-01-01T00:00:00Z and displayName eq 'ans'", ["Ans"]),
        ("$orderby=displayName desc", ["Bo", "Ans", "Ann"]),
        ("filter=displayName+eq+%27Ann%27", ["Ann"]),
    ],
)
async def test_people_are_filtered_and_ordered(graph: GraphClient, query: str, names: list[str]) -> None:
    await make(graph, "Bo", accountEnabled=False, department="Ops", mail="bo@x.example")
    await make(graph, "Ann", department="Ops", mail="Ann@X.example")
    await make(graph, "Ans")

    reply = await graph("GET", f"/users?{query}&$select=displayName")

    found = [one["displayName"] for one in reply.value]
    assert found == names if "orderby" in query else sorted(found) == names


async def test_advanced_queries_need_their_header(graph: GraphClient) -> None:
    await make(graph, "Ann", mail="ann@x.example")
    await make(graph, "Bo")
    query = "/users?$filter=endswith(mail,'x.example')&$count=true"

    refused = await graph("GET", query)
    assert (refused.status, refused.error["code"]) == (400, "Request_UnsupportedQuery")
    eventual = {"ConsistencyLevel": "eventual"}
    allowed = await graph("GET", query, headers=eventual)
    assert (allowed.json["@odata.count"], len(allowed.value)) == (1, 1)

    searched = await graph("GET", '/users?$search="displayName:bo"', headers=eventual)
    assert [one["displayName"] for one in searched.value] == ["Bo"]

    number = await graph("GET", "/users/$count", headers=eventual)
    assert (number.status, number.body, number.headers["content-type"]) == (200, b"2", "text/plain")
    assert (await graph("GET", "/users/$count")).status == 400
    some = await graph("GET", "/users/$count?$filter=mail ne null", headers=eventual)
    assert some.body == b"1"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("$select=displayNme", "displayNme"),
        ("$filter=displayNme eq 'x'", "displayNme"),
        ("$filter=manager eq 'x'", "manager"),
        ("$filter=memberOf/any(g:g/id eq 'x')", "memberOf"),
        ("$filter=identities/any(i:i/issuer eq 'x')", "identities"),
        ("$orderby=city", "city"),
        ("$skip=3", "$skip"),
        ("$top=1000", "999"),
        ("$expand=licenses", "licenses"),
    ],
)
async def test_what_is_not_supported_is_named(graph: GraphClient, query: str, says: str) -> None:
    reply = await graph("GET", f"/users?{query}")

    assert reply.status == 400
    assert says in reply.error["message"]


async def test_a_manager_is_set_by_an_address_of_any_host(graph: GraphClient) -> None:
    boss, ann = await make(graph, "Boss"), await make(graph, "Ann")
    none = await graph("GET", f"/users/{ann}/manager")
    assert (none.status, none.error["code"]) == (404, "Request_ResourceNotFound")
    assert (await graph("DELETE", f"/users/{ann}/manager/$ref")).status == 404

    for address in (
        f"https://graph.microsoft.com/v1.0/users/{boss}",
        f"https://graph.microsoft.com/beta/directoryObjects('{boss}')",
        "https://graph.example/v1.0/users/boss@lindenhof.example",
    ):
        assert (await graph("PUT", f"/users/{ann}/manager/$ref", {"@odata.id": address})).status == 204
    found = (await graph("GET", f"/users/{ann}/manager")).json
    assert (found["@odata.type"], found["id"]) == ("#microsoft.graph.user", boss)
    assert (await graph("GET", f"/users/{ann}/manager/$ref")).json["@odata.id"].endswith(boss)

    expanded = (await graph("GET", f"/users/{ann}?$select=id&$expand=manager($select=id,displayName)")).json
    assert expanded["manager"] == {"@odata.type": "#microsoft.graph.user", "id": boss, "displayName": "Boss"}
    assert expanded["@odata.context"].endswith("#users(id,manager(id,displayName))/$entity")
    listed = (await graph("GET", "/users?$expand=manager")).value
    managers = {one["displayName"]: one["manager"] and one["manager"]["id"] for one in listed}
    assert managers == {"Boss": None, "Ann": boss}
    reports = await graph("GET", f"/users/{boss}/directReports")
    assert [one["id"] for one in reports.value] == [ann]
    with_reports = (await graph("GET", f"/users/{boss}?$expand=directReports($select=id)")).json
    assert [one["id"] for one in with_reports["directReports"]] == [ann]

    assert (await graph("DELETE", f"/users/{ann}/manager/$ref")).status == 204
    assert (await graph("GET", f"/users/{ann}/manager")).status == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"@odata.id": "https://graph.microsoft.com/v1.0/users/11111111-2222-3333-4444-555555555555"}, 404),
        ({"@odata.id": "https://graph.microsoft.com/v1.0/users/nobody@x.example"}, 404),
        ({"@odata.id": "https://graph.microsoft.com/v1.0/devices/11111111-2222-3333-4444-555555555555"}, 400),
        ({"@odata.id": 5}, 400),
        ({"@odata.id": "x", "other": 1}, 400),
        ({}, 400),
        (None, 400),
    ],
)
async def test_a_reference_that_is_none_is_refused(graph: GraphClient, body: Any, status: int) -> None:
    ann = await make(graph, "Ann")

    assert (await graph("PUT", f"/users/{ann}/manager/$ref", body)).status == status


async def test_deleted_people_come_back_or_go(graph: GraphClient) -> None:
    ann = await make(graph, "Ann")
    await graph("DELETE", f"/users/{ann}")

    for name in ("microsoft.graph.user", "graph.user"):
        items = await graph("GET", f"/directory/deletedItems/{name}?$select=id,deletedDateTime")
        assert [(one["id"], one["deletedDateTime"]) for one in items.value] == [(ann, "2026-01-01T00:00:00.000Z")]
    one = (await graph("GET", f"/directory/deletedItems/{ann}")).json
    assert (one["@odata.type"], one["deletedDateTime"][:4]) == ("#microsoft.graph.user", "2026")

    restored = await graph("POST", f"/directory/deletedItems/{ann}/restore")
    assert (restored.status, restored.json["userPrincipalName"]) == (200, "ann@lindenhof.example")
    assert (await graph("GET", f"/directory/deletedItems/{ann}")).status == 404

    await graph("DELETE", f"/users/{ann}")
    assert (await graph("DELETE", f"/directory/deletedItems/{ann}")).status == 204
    assert (await graph("GET", "/directory/deletedItems/microsoft.graph.user")).value == []


async def test_who_may_read_basic_profiles_sees_no_more(
    graph: GraphClient, tokens: KnownTokens, tenant: Tenant
) -> None:
    ann = await make(graph, "Ann", department="Ops")
    tokens.callers["basic"] = app(tenant.id, "User.ReadBasic.All")
    graph.token = "basic"

    for path in (f"/users/{ann}", "/users"):
        reply = await graph("GET", path)
        one = reply.json if "id" in reply.json else reply.value[0]
        names = {name for name in one if not name.startswith("@")}
        assert names == {"displayName", "givenName", "id", "mail", "surname", "userPrincipalName"}
        for query in ("$select=department", "$filter=department eq 'Ops'", "$expand=manager"):
            if "filter" not in query or path == "/users":
                assert (await graph("GET", f"{path}?{query}")).status == 400
    assert (await graph("GET", "/users/delta")).status == 403


async def test_what_graph_has_and_this_directory_has_not_is_empty(graph: GraphClient) -> None:
    ann = await make(graph, "Ann", assignedLicenses=[], aboutMe=None)

    read = (await graph("GET", f"/users/{ann}?$select=id,assignedLicenses,signInActivity,aboutMe")).json
    assert (read["assignedLicenses"], read["signInActivity"], read["aboutMe"]) == ([], None, None)
    assert (await graph("GET", "/users?$filter=aboutMe eq 'x'")).status == 400
    refused = await graph("PATCH", f"/users/{ann}", {"aboutMe": "me"})
    assert (refused.status, refused.error["details"][0]["target"]) == (400, "aboutMe")


async def test_the_audit_log_knows_the_callers_request(graph: GraphClient, database: Database, tenant: Tenant) -> None:
    mine = "0f3c4d10-1111-2222-3333-444455556666"
    await graph("POST", "/users", new("Ann"), headers={"client-request-id": mine})

    row = await database.read(
        lambda tx: tx.fetch_one("SELECT activity, actor FROM audit_entry WHERE correlation_id = :id", {"id": mine})
    )
    assert row is not None
    assert row[0] == "Add user"
