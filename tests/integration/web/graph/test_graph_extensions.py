"""Directory extensions over the Graph face: defined by an application, set on users, read back."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.web.graph.conftest import GraphClient
from tests.integration.web.graph.test_graph_users import make

from provisor.directory.attributes import is_user_source
from provisor.directory.model import Tenant
from provisor.security.actor import operator
from provisor.testing.callers import KnownTokens, app, person
from provisor.web.graph.services import GraphServices


@pytest.fixture
async def application(graph_services: GraphServices, tenant: Tenant) -> tuple[str, str]:
    """Object id and app id of an application."""
    made = await graph_services.registrations.register(operator(), tenant.id, {"displayName": "Badges"})
    return made.id, made.app_id


async def define(graph: GraphClient, id_: str, name: str, kind: str = "String", **more: Any) -> str:
    body = {"name": name, "dataType": kind, "targetObjects": ["User"], **more}
    reply = await graph("POST", f"/applications/{id_}/extensionProperties", body)
    assert reply.status == 201, reply.body
    found: str = reply.json["name"]
    return found


async def test_an_extension_is_set_and_read(graph: GraphClient, application: tuple[str, str]) -> None:
    id_, app_id = application
    badge = await define(graph, id_, "badge")
    assert badge == f"extension_{app_id.replace('-', '')}_badge"
    assert is_user_source(badge)
    sizes = await define(graph, id_, "sizes", "Integer", isMultiValued=True)

    ann = await make(graph, "Ann", **{badge: "A-7"})
    assert (await graph("PATCH", f"/users/{ann}", {sizes: [1, 2]})).status == 204
    read = (await graph("GET", f"/users/{ann}?$select=id,{badge},{sizes}")).json
    assert (read[badge], read[sizes]) == ("A-7", [1, 2])
    found = await graph("GET", f"/users?$filter={badge} eq 'a-7'&$select=id")
    assert found.value == [{"id": ann}]

    listed = await graph("GET", f"/applications/{id_}/extensionProperties")
    assert [one["name"] for one in listed.value] == [badge, sizes]
    by_app = await graph("GET", f"/applications(appId='{app_id}')/extensionProperties?$select=name&$top=1")
    assert by_app.value == [{"name": badge}]
    one = listed.value[0]["id"]
    assert (await graph("GET", f"/applications/{id_}/extensionProperties/{one}")).json["appDisplayName"] == "Badges"
    available = await graph("POST", "/directoryObjects/getAvailableExtensionProperties", {})
    assert len(available.value) == 2

    assert (await graph("DELETE", f"/applications/{id_}/extensionProperties/{one}")).status == 204
    assert (await graph("DELETE", f"/applications/{id_}/extensionProperties/{one}")).status == 404
    assert (await graph("PATCH", f"/users/{ann}", {badge: "B"})).status == 400


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("String", "x", 5),
        ("String", "x" * 256, "x" * 257),
        ("Integer", -7, "7"),
        ("Integer", 2**31 - 1, 2**31),
        ("LargeInteger", 2**40, 2**63),
        ("Boolean", True, "true"),
        ("DateTime", "2026-01-01T00:00:00Z", "yesterday"),
        ("Binary", "AAAA", ["AAAA"]),
    ],
)
async def test_values_have_the_type_that_was_defined(
    graph: GraphClient, application: tuple[str, str], kind: str, good: Any, bad: Any
) -> None:
    name = await define(graph, application[0], "thing", kind)
    ann = await make(graph, "Ann")

    assert (await graph("PATCH", f"/users/{ann}", {name: good})).status == 204
    refused = await graph("PATCH", f"/users/{ann}", {name: bad})
    assert (refused.status, refused.error["details"][0]["target"]) == (400, name)
    assert (await graph("PATCH", f"/users/{ann}", {name: None})).status == 204


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "badge"}, 409),
        ({"name": "9x"}, 400),
        ({"name": None}, 400),
        ({"dataType": "Text"}, 400),
        ({"targetObjects": []}, 400),
        ({"targetObjects": ["Cat"]}, 400),
        ({"targetObjects": "User"}, 400),
        ({"isMultiValued": "yes"}, 400),
        ({"other": 1}, 400),
    ],
)
async def test_what_is_no_extension_is_refused(
    graph: GraphClient, application: tuple[str, str], change: dict[str, Any], status: int
) -> None:
    await define(graph, application[0], "Badge")
    body = {"name": "other", "dataType": "String", "targetObjects": ["User"], **change}

    assert (await graph("POST", f"/applications/{application[0]}/extensionProperties", body)).status == status


async def test_an_owner_manages_the_extensions_of_its_own_application(
    graph: GraphClient,
    graph_services: GraphServices,
    tokens: KnownTokens,
    tenant: Tenant,
    application: tuple[str, str],
) -> None:
    ann = await make(graph, "Ann")
    mine = await graph_services.registrations.register(operator(), tenant.id, {"displayName": "Mine"}, owner_id=ann)
    tokens.callers["ann"] = person(tenant.id, ann, ["Application.ReadWrite.All"])
    tokens.callers["owner app"] = app(tenant.id, "Application.ReadWrite.OwnedBy")
    body = {"name": "x", "dataType": "String", "targetObjects": ["User"]}

    graph.token = "ann"
    assert (await graph("POST", f"/applications/{mine.id}/extensionProperties", body)).status == 201
    assert (await graph("POST", f"/applications/{application[0]}/extensionProperties", body)).status == 403
    graph.token = "owner app"
    assert (await graph("POST", f"/applications/{mine.id}/extensionProperties", body)).status == 403
