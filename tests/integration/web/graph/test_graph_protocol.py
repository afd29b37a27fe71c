"""The Graph face's manners: addresses, authentication, the error envelope, headers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.integration.web.graph.conftest import GraphClient

from provisor.directory.model import Tenant
from provisor.testing.callers import KnownTokens, app, person
from provisor.web.graph.operations import graph_face
from provisor.web.graph.services import GraphServices


@pytest.mark.parametrize(
    "path",
    [
        "/v1.0/organization",
        "/beta/organization",
        "/v1.0//organization/",
        "/v1.0/Organization",
        "/v1.0/organization?$format=application/json",
        "/v1.0/organization?select=id,displayName",
    ],
)
async def test_an_address_may_be_written_in_many_ways(graph: GraphClient, tenant: Tenant, path: str) -> None:
    reply = await graph("GET", path)

    assert reply.status == 200
    assert [one["id"] for one in reply.value] == [tenant.id]
    version = path.split("/")[1]
    assert reply.json["@odata.context"].startswith(f"https://graph.example/{version}/$metadata#organization")


async def test_one_entity_is_found_by_either_kind_of_key(graph: GraphClient, tenant: Tenant) -> None:
    for path in (f"/organization/{tenant.id}", f"/organization('{tenant.id}')", f"/organization(id='{tenant.id}')"):
        reply = await graph("GET", path)
        assert reply.status == 200
        assert reply.json["displayName"] == "Lindenhof"
        assert reply.json["@odata.context"] == "https://graph.example/v1.0/$metadata#organization/$entity"

    assert (await graph("GET", f"/organization(name='{tenant.id}')")).status == 400
    assert (await graph("GET", "/organization/other")).error["code"] == "Request_ResourceNotFound"


async def test_links_follow_the_public_address(graph_services: GraphServices, graph: GraphClient) -> None:
    outside = replace(graph, face=graph_face(replace(graph_services, public_url="https://id.example.org/p")))

    reply = await outside("GET", "/organization")

    assert reply.json["@odata.context"] == "https://id.example.org/p/v1.0/$metadata#organization"


@pytest.mark.parametrize("authorization", [None, "", "Basic eDp5", "Bearer", "Bearer unknown", "Bearer  "])
async def test_without_a_token_nothing_is_told(graph: GraphClient, authorization: str | None) -> None:
    graph.token = None
    headers = {} if authorization is None else {"Authorization": authorization}

    reply = await graph("GET", "/organization", headers=headers)

    assert reply.status == 401
    assert reply.error["code"] == "InvalidAuthenticationToken"
    assert reply.headers["www-authenticate"].startswith("Bearer ")


async def test_a_caller_finds_its_request_again(graph: GraphClient) -> None:
    reply = await graph("GET", "/nowhere", headers={"client-request-id": "my-own-7"})

    assert reply.status == 400
    assert reply.headers["client-request-id"] == "my-own-7"
    assert reply.error["innerError"]["client-request-id"] == "my-own-7"
    assert "T" in reply.error["innerError"]["date"]

    strange = await graph("GET", "/organization", headers={"client-request-id": "a b\x7f"})
    assert strange.headers["client-request-id"] == strange.headers["request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/organization", 405, "notAllowed"),
        ("HEAD", "/organization", 405, "notAllowed"),
        ("GET", "/organization?$nonsense=1", 400, "BadRequest"),
        ("GET", "/organization?$expand=x", 400, "Request_UnsupportedQuery"),
        ("GET", "/organization?$select=nonsense", 400, "BadRequest"),
        ("GET", "/organization?$filter=nonsense eq 1", 400, "BadRequest"),
        ("GET", "/organization?$skiptoken=abc", 400, "Directory_ExpiredPageToken"),
        ("GET", "/v2.0/organization", 400, "BadRequest"),
        ("GET", "/$batch", 405, "notAllowed"),
    ],
)
async def test_what_cannot_be_done_is_said(graph: GraphClient, method: str, path: str, status: int, code: str) -> None:
    reply = await graph(method, path)

    assert (reply.status, reply.error["code"]) == (status, code)
    if status == 405:
        assert reply.headers["allow"]


async def test_a_directory_belongs_to_its_callers_only(graph: GraphClient, tokens: KnownTokens, tenant: Tenant) -> None:
    tokens.callers["weak"] = app(tenant.id, "Synchronization.Read.All")
    tokens.callers["person"] = person(tenant.id, "u", ["User.Read"])

    graph.token = "weak"
    refused = await graph("GET", "/organization")
    assert (refused.status, refused.error["code"]) == (403, "Authorization_RequestDenied")
    assert "Organization.Read.All" in refused.error["message"]

    graph.token = "person"
    assert (await graph("GET", "/organization")).status == 200
    assert (await graph("GET", "/domains")).status == 403


async def test_a_batch_answers_every_part(graph: GraphClient) -> None:
    reply = await graph(
        "POST",
        "/$batch",
        {
            "requests": [
                {"id": "1", "method": "GET", "url": "/organization?$select=id"},
                {"id": "2", "method": "GET", "url": "organization/none", "dependsOn": ["1"]},
                {"id": "3", "method": "GET", "url": "/organization", "dependsOn": ["2"]},
                {"id": "4", "method": "POST", "url": "/$batch"},
                {"id": "5", "method": "GET", "url": "https://graph.microsoft.com/v1.0/organization?$select=id"},
            ]
        },
    )

    assert reply.status == 200
    answers = {one["id"]: one for one in reply.json["responses"]}
    assert [answers[id_]["status"] for id_ in "12345"] == [200, 404, 424, 400, 200]
    assert list(answers["1"]["body"]["value"][0]) == ["id"]
    assert answers["1"]["headers"]["Content-Type"] == "application/json"
    assert answers["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"


@pytest.mark.parametrize(
    ("requests", "says"),
    [
        (None, "requests"),
        ([], "requests"),
        ([{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)], "20"),
        ([{"id": "a", "method": "GET", "url": "/x"}, {"id": "A", "method": "GET", "url": "/x"}], "twice"),
        ([{"id": "a", "method": "GET", "url": "/x", "dependsOn": ["b"]}], "'b'"),
        (
            [
                {"id": "a", "method": "GET", "url": "/x", "dependsOn": ["b"]},
                {"id": "b", "method": "GET", "url": "/x", "dependsOn": ["a"]},
            ],
            "circle",
        ),
        ([{"id": "a", "method": "POST", "url": "/x", "body": {}}], "Content-Type"),
        ([{"id": "a", "method": "GET", "url": "https://graph.microsoft.com/users"}], "relative"),
        ([{"method": "GET", "url": "/x"}], "'id'"),
        ([{"id": "a", "method": "BREW", "url": "/x"}], "BREW"),
        (["x"], "not an object"),
    ],
)
async def test_a_batch_that_is_none_is_refused(graph: GraphClient, requests: object, says: str) -> None:
    reply = await graph("POST", "/$batch", {"requests": requests})

    assert reply.status == 400
    assert says in reply.error["message"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[1]", {}, 400),
        (b"\xff", {}, 400),
        (b"[" * 5000, {}, 400),
        (b"<x/>", {"Content-Type": "text/xml"}, 415),
        (b" " * (4 * 1024 * 1024 + 1), {}, 413),
    ],
)
async def test_a_body_that_is_none_is_refused(
    graph: GraphClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert (await graph("POST", "/$batch", body, headers=headers)).status == status
