"""A company's own extensions and resource types: added once, then like the built-in ones, for that company alone."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.errors import Conflict, NotFound
from provisor.provider.resources.custom.model import SchemaInUse
from provisor.scim.messages import PATCH_OP
from provisor.scim.schemas import GROUP_URN, USER_URN, BrokenSchema
from provisor.security.actor import operator
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.web.services import Services

BADGE = "urn:acme:scim:2.0:Badge"
DEVICE = "urn:acme:scim:2.0:Device"
EXTENSION = {
    "id": BADGE,
    "name": "Badge",
    "attributes": [
        {"name": "number", "type": "string", "uniqueness": "server", "caseExact": True},
        {"name": "level", "type": "integer", "required": True},
        {"name": "sites", "type": "string", "multiValued": True},
        {"name": "colour", "type": "string", "canonicalValues": ["red", "blue"]},
        {"name": "issued", "type": "dateTime", "mutability": "immutable"},
        {"name": "note", "type": "string", "returned": "request"},
        {"name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never"},
        {
            "name": "doors",
            "type": "complex",
            "multiValued": True,
            "subAttributes": [
                {"name": "value", "type": "string"},
                {"name": "open", "type": "boolean"},
                {"name": "primary", "type": "boolean"},
            ],
        },
    ],
}
DEVICES = [
    {
        "id": DEVICE,
        "name": "Device",
        "attributes": [
            {"name": "serial", "type": "string", "required": True, "uniqueness": "server"},
            {"name": "displayName", "type": "string"},
            {"name": "weight", "type": "decimal"},
        ],
    },
    {"name": "Device", "endpoint": "/Machinery", "schema": DEVICE, "description": "Something with a plug."},
]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


@pytest.fixture
async def company(services: Services, scim: Any) -> str:
    """Acme with a badge for its users and with devices."""
    acme = (await services.companies.companies(operator()))[0].id
    await services.resources.custom.add(operator(), acme, EXTENSION, extends="User")
    await services.resources.custom.add(operator(), acme, DEVICES)
    return acme


def person(name: str, **badge: Any) -> dict[str, Any]:
    return {"schemas": [USER_URN, BADGE], "userName": name, BADGE: badge}


async def ids(scim: Any, path: str, text: str) -> list[str]:
    reply = await scim("POST", f"/scim/{path}/.search", {"filter": text})
    assert reply.status == 200, reply.body
    return [found["id"] for found in reply.json["Resources"]]


def patched(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


async def test_they_are_discovered_in_the_list_and_singly(scim: Any, company: str) -> None:
    schema = (await scim("GET", f"/scim/Schemas/{BADGE.upper()}")).json
    assert [attribute["name"] for attribute in schema["attributes"]] == [a["name"] for a in EXTENSION["attributes"]]
    assert schema in (await scim("GET", "/scim/Schemas")).json["Resources"]
    user = (await scim("GET", "/scim/ResourceTypes/User")).json
    assert {"schema": BADGE, "required": False} in user["schemaExtensions"]
    device = (await scim("GET", "/scim/ResourceTypes/Device")).json
    assert (device["endpoint"], device["schema"]) == ("/Machinery", DEVICE)


async def test_what_the_schema_demands_is_enforced(scim: Any, company: str) -> None:
    made = await scim("POST", "/scim/Users", person("ada", number="A1", level="7", issued="2026-01-01T00:00:00Z"))
    assert made.status == 201
    assert made.json[BADGE] == {"number": "A1", "level": 7, "issued": "2026-01-01T00:00:00Z"}
    path = f"/scim/Users/{made.json['id']}"
    assert (await scim("POST", "/scim/Users", person("bea", number="B1"))).json["scimType"] == "invalidValue"
    assert (await scim("POST", "/scim/Users", person("bea", level="high"))).status == 400
    taken = await scim("POST", "/scim/Users", person("bea", number="A1", level=1))
    assert (taken.status, taken.json["scimType"]) == (409, "uniqueness")
    other = await scim("POST", "/scim/Users", person("bea", number="a1", level=1))
    assert other.status == 201
    move = patched({"op": "replace", "path": f"{BADGE}:number", "value": "A1"})
    assert (await scim("PATCH", f"/scim/Users/{other.json['id']}", move)).status == 409
    again = patched({"op": "replace", "path": f"{BADGE}:issued", "value": "2027-01-01T00:00:00Z"})
    assert (await scim("PATCH", path, again)).json["scimType"] == "mutability"
    assert (await scim("DELETE", path)).status == 204
    assert (await scim("PATCH", f"/scim/Users/{other.json['id']}", move)).status == 200


async def test_what_is_returned_is_what_the_schema_says(scim: Any, company: str) -> None:
    made = (await scim("POST", "/scim/Users", person("ada", level=1, note="hush", pin="1234"))).json
    assert made[BADGE] == {"level": 1}
    path = f"/scim/Users/{made['id']}"
    for reply in (await scim("GET", path), await scim("GET", f"{path}?excludedAttributes=groups")):
        assert reply.json[BADGE] == {"level": 1}
    assert (await scim("GET", "/scim/Users")).json["Resources"][0][BADGE] == {"level": 1}
    asked = (await scim("GET", f"{path}?attributes={BADGE}:note,{BADGE}:pin")).json
    assert asked[BADGE] == {"note": "hush"}
    assert (await scim("GET", f"/scim/Users?filter={BADGE}:pin+pr")).status == 400


async def test_they_are_changed_and_found_like_built_in_ones(scim: Any, company: str) -> None:
    a = (await scim("POST", "/scim/Users", person("ada", number="A1", level=3, sites=["Bonn", "Kiel"]))).json["id"]
    b = (await scim("POST", "/scim/Users", person("bea", number="B1", level=9))).json["id"]
    c = (await scim("POST", "/scim/Users", {"schemas": [USER_URN], "userName": "cy"})).json["id"]
    doors = patched(
        {"op": "Add", "path": f'{BADGE}:doors[value eq "north"].open', "value": "True"},
        {"op": "Add", "path": f"{BADGE}:colour", "value": "red"},
    )
    changed = (await scim("PATCH", f"/scim/Users/{b}", doors)).json
    assert changed[BADGE]["doors"] == [{"value": "north", "open": True}]
    for text, expected in {
        f'{BADGE}:number eq "A1"': [a],
        f'{BADGE}:number eq "a1"': [],
        f'{BADGE}:number sw "B"': [b],
        f'{BADGE}:sites eq "kiel"': [a],
        f"{BADGE}:level gt 5": [b],
        f"{BADGE}:level le 9": [a, b],
        f'{BADGE}:doors[value eq "NORTH" and open eq true]': [b],
        f"{BADGE}:colour pr and not ({BADGE}:level lt 5)": [b],
        "level eq 3": [a],
    }.items():
        assert await ids(scim, "Users", text) == expected, text
    ordered = (await scim("GET", f"/scim/Users?sortBy={BADGE}:level&sortOrder=descending&count=3&attributes=id")).json
    assert [found["id"] for found in ordered["Resources"]] == [c, b, a]


async def test_a_resource_type_of_its_own_has_its_own_endpoint(scim: Any, company: str) -> None:
    body = {"schemas": [DEVICE], "serial": "S-1", "displayName": "Lathe", "weight": 1.5, "externalId": "x"}
    made = await scim("POST", "/scim/v2/Machinery", body)
    assert made.status == 201
    location = made.headers["location"]
    assert location == made.json["meta"]["location"] == f"https://scim.example/scim/v2/Machinery/{made.json['id']}"
    assert made.json["meta"]["resourceType"] == "Device"
    path = location.removeprefix("https://scim.example")
    assert (await scim("GET", path)).json == made.json
    taken = await scim("POST", "/scim/Machinery", {**body, "serial": "s-1"})
    assert (taken.status, taken.json["scimType"]) == (409, "uniqueness")
    change = patched({"op": "replace", "path": "weight", "value": 2})
    assert (await scim("PATCH", path, change)).json["weight"] == 2
    assert await ids(scim, "machinery", 'serial eq "S-1" and weight gt 1') == [made.json["id"]]
    assert await ids(scim, "machinery", 'externalId eq "x"') == [made.json["id"]]
    everything = (await scim("GET", "/scim/?count=10")).json
    assert [found["id"] for found in everything["Resources"]] == [made.json["id"]]
    put = await scim("PUT", path, {"schemas": [DEVICE], "serial": "S-2"})
    assert "displayName" not in put.json
    assert (await scim("DELETE", path)).status == 204
    assert (await scim("GET", path)).status == 404


async def test_another_company_does_not_have_them(scim: Any, company: str, services: Services) -> None:
    other = await services.companies.create_company(operator(), "Other")
    _, scim.token = await services.companies.create_key(operator(), other.id, name="k", expires="2030-01-01")
    assert (await scim("GET", f"/scim/Schemas/{BADGE}")).status == 404
    assert (await scim("GET", "/scim/Machinery")).status == 404
    made = (await scim("POST", "/scim/Users", person("ada", level=1))).json
    assert BADGE not in made
    assert (await scim("GET", f"/scim/Users?filter={BADGE}:level+eq+1")).json["scimType"] == "invalidFilter"


async def test_a_required_extension_must_be_in_every_new_resource(scim: Any, services: Services) -> None:
    acme = (await services.companies.companies(operator()))[0].id
    team = {"id": "urn:acme:Team", "attributes": [{"name": "cost", "type": "string"}]}
    await services.resources.custom.add(operator(), acme, team, extends="Group", required=True)
    assert (await scim("POST", "/scim/Groups", {"schemas": [GROUP_URN], "displayName": "A"})).status == 400
    body = {"schemas": [GROUP_URN, "urn:acme:Team"], "displayName": "A", "urn:acme:Team": {"cost": "7"}}
    assert (await scim("POST", "/scim/Groups", body)).status == 201


async def test_a_schema_in_use_stays_and_an_unused_one_goes(
    scim: Any, company: str, services: Services, clock: SettableClock
) -> None:
    custom = services.resources.custom
    made = await scim("POST", "/scim/Users", person("ada", level=1))
    device = await scim("POST", "/scim/Machinery", {"schemas": [DEVICE], "serial": "S-1"})
    for urn in (BADGE, DEVICE):
        with pytest.raises(SchemaInUse):
            await custom.remove(operator(), company, urn)
    await scim("DELETE", f"/scim/Users/{made.json['id']}")
    await scim("DELETE", f"/scim/Machinery/{device.json['id']}")
    for urn in (BADGE.upper(), DEVICE):
        await custom.remove(operator(), company, urn)
    assert await custom.definitions(operator(), company) == []
    assert (await scim("GET", "/scim/Machinery")).status == 404
    with pytest.raises(NotFound):
        await custom.remove(operator(), company, BADGE)


async def test_what_another_process_adds_is_known_within_two_seconds(
    scim: Any, services: Services, clock: SettableClock, database: Any
) -> None:
    from provisor.provider.resources.custom.service import CustomSchemas
    from provisor.provider.resources.custom.store import DefinitionStore

    acme = (await services.companies.companies(operator()))[0].id
    assert (await scim("GET", "/scim/Machinery")).status == 404
    await CustomSchemas(DefinitionStore(database), clock).add(operator(), acme, DEVICES)
    clock.advance(2)
    assert (await scim("GET", "/scim/Machinery")).status == 200


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "no schema"),
        ({"Resources": "x"}, "must be a schema"),
        ({"id": BADGE, "attributes": []}, "no attributes"),
        ({"id": "no urn", "attributes": [{"name": "x"}]}, "URN"),
        ({**EXTENSION, "id": USER_URN}, "built in"),
        ([DEVICES[0], {**DEVICES[1], "endpoint": "/Users"}], "taken"),
        ([DEVICES[0], {**DEVICES[1], "endpoint": "/Bulk"}], "endpoint"),
        ([DEVICES[0], {**DEVICES[1], "endpoint": "Machinery"}], "endpoint"),
        ([DEVICES[0], {**DEVICES[1], "name": "a b"}], "name"),
        ([{**DEVICES[0], "attributes": [{"name": "externalId"}]}, DEVICES[1]], "externalid"),
        ([DEVICES[1]], "no schema"),
        ([EXTENSION, DEVICES[1]], "no schema"),
    ],
)
async def test_what_is_wrong_with_a_definition_is_said_and_nothing_is_added(
    document: Any, why: str, scim: Any, services: Services
) -> None:
    acme = (await services.companies.companies(operator()))[0].id
    with pytest.raises(BrokenSchema, match=why):
        await services.resources.custom.add(operator(), acme, document, extends="User")
    assert await services.resources.custom.definitions(operator(), acme) == []


async def test_a_schema_is_added_once(company: str, services: Services) -> None:
    with pytest.raises((BrokenSchema, Conflict), match="there already"):
        await services.resources.custom.add(operator(), company, EXTENSION, extends="User")
