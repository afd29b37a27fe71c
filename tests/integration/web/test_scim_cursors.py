"""Pages by cursor (RFC 9865): sealed, bound to the query and the company, stable while others come and go."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from provisor.provider.resources.cursors import LIFE_S
from provisor.scim.schemas import GROUP_URN, USER_URN
from provisor.security.actor import operator
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.web.services import Services


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


@pytest.fixture
async def people(scim: Any, clock: SettableClock) -> list[str]:
    """25 users' ids in the order of their making; some titles are equal, some missing."""
    found = []
    for number in range(25):
        body: dict[str, Any] = {"schemas": [USER_URN], "userName": f"user{number:02}", "active": number % 2 == 0}
        if number % 5:
            body["title"] = f"t{number % 3}"
        found.append((await scim("POST", "/scim/Users", body)).json["id"])
        clock.advance(1)
    return found


async def walk(scim: Any, path: str, between: Any = None) -> list[list[str]]:
    """The ids of every page."""
    pages, cursor = [], ""
    while True:
        reply = await scim("GET", f"{path}&cursor={cursor}")
        assert reply.status == 200, reply.body
        page = reply.json
        assert "startIndex" not in page
        assert page["itemsPerPage"] == len(page["Resources"])
        pages.append([found["id"] for found in page["Resources"]])
        if "nextCursor" not in page:
            return pages
        cursor = page["nextCursor"]
        assert cursor == quote(cursor, safe="")
        if between is not None:
            await between(len(pages))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&sortBy=userName",
        "&sortBy=userName&sortOrder=descending",
        "&sortBy=title",
        "&sortBy=title&sortOrder=descending",
        "&sortBy=meta.created&sortOrder=descending",
        "&sortBy=id&sortOrder=descending",
        "&filter=userName+sw+%22user1%22",
        "&filter=active+eq+true",
        "&filter=active+eq+true&sortBy=title",
    ],
)
async def test_a_walk_is_the_list_by_number(scim: Any, people: list[str], query: str) -> None:
    whole = (await scim("GET", f"/scim/Users?count=100{query}")).json
    expected = [found["id"] for found in whole["Resources"]]
    pages = await walk(scim, f"/scim/Users?count=4{query}")
    assert [one for page in pages for one in page] == expected
    assert {len(page) for page in pages[:-1]} <= {4}
    first = (await scim("GET", f"/scim/Users?count=4&cursor={query}")).json
    assert first["totalResults"] == len(expected)


async def test_a_page_that_ends_with_the_list_is_the_last(scim: Any, people: list[str]) -> None:
    assert [len(page) for page in await walk(scim, "/scim/Users?count=5")] == [5] * 5
    assert [len(page) for page in await walk(scim, "/scim/Users?count=25")] == [25]
    assert "nextCursor" not in (await scim("GET", "/scim/Users?count=0&cursor=")).json


async def test_who_is_there_throughout_comes_exactly_once(scim: Any, people: list[str]) -> None:
    async def unrest(number: int) -> None:
        await scim("DELETE", f"/scim/Users/{people[number * 2]}")
        await scim("POST", "/scim/Users", {"schemas": [USER_URN], "userName": f"aaa{number}"})

    for query in ("", "&sortBy=userName", "&sortBy=title"):
        pages = await walk(scim, f"/scim/Users?count=7{query}", unrest)
        seen = [one for page in pages for one in page]
        there = {found["id"] for found in (await scim("GET", "/scim/Users?count=100")).json["Resources"]}
        assert len(seen) == len(set(seen))
        assert set(people) & there <= set(seen)


async def test_a_cursor_goes_through_the_root_and_a_search_by_post(scim: Any, people: list[str]) -> None:
    group = (await scim("POST", "/scim/Groups", {"schemas": [GROUP_URN], "displayName": "Sales"})).json["id"]
    pages = await walk(scim, "/scim/?count=5")
    assert [one for page in pages for one in page] == [*people, group]
    wanted = {"filter": 'userName sw "user"', "count": 20, "cursor": ""}
    first = (await scim("POST", "/scim/Users/.search", wanted)).json
    second = (await scim("POST", "/scim/Users/.search", {**wanted, "cursor": first["nextCursor"]})).json
    assert [found["id"] for page in (first, second) for found in page["Resources"]] == people


async def test_a_cursor_opens_its_own_query_only(scim: Any, people: list[str], services: Services) -> None:
    cursor = (await scim("GET", "/scim/Users?count=5&cursor=")).json["nextCursor"]
    wrong = {
        f"/scim/Users?count=6&cursor={cursor}": "invalidCount",
        f"/scim/Users?cursor={cursor}&sortBy=userName": "invalidCursor",
        f"/scim/Users?cursor={cursor}&filter=active+eq+true": "invalidCursor",
        f"/scim/Users?cursor={cursor}&attributes=userName": "invalidCursor",
        f"/scim/Groups?cursor={cursor}": "invalidCursor",
        f"/scim/Users?cursor={cursor[:-4]}AAAA": "invalidCursor",
        "/scim/Users?cursor=x": "invalidCursor",
        "/scim/Users?cursor=%C3%A4": "invalidCursor",
    }
    for path, keyword in wrong.items():
        reply = await scim("GET", path)
        assert (reply.status, reply.json["scimType"]) == (400, keyword), path
    assert (await scim("GET", f"/scim/Users?cursor={cursor}")).json["itemsPerPage"] == 5
    other = await services.companies.create_company(operator(), "Other")
    _, scim.token = await services.companies.create_key(operator(), other.id, name="k", expires="2030-01-01")
    assert (await scim("GET", f"/scim/Users?cursor={cursor}")).json["scimType"] == "invalidCursor"


async def test_a_cursor_expires_after_the_time_that_the_configuration_names(
    scim: Any, people: list[str], clock: SettableClock
) -> None:
    pagination = (await scim("GET", "/scim/ServiceProviderConfig")).json["pagination"]
    assert (pagination["cursor"], pagination["index"], pagination["cursorTimeout"]) == (True, True, LIFE_S)
    cursor = (await scim("GET", "/scim/Users?count=5&cursor=")).json["nextCursor"]
    clock.advance(LIFE_S)
    assert (await scim("GET", f"/scim/Users?cursor={cursor}")).status == 200
    clock.advance(1)
    assert (await scim("GET", f"/scim/Users?cursor={cursor}")).json["scimType"] == "expiredCursor"
