"""``GET /v1/changes``: the outbox with a company's key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.integration.web.conftest import key_of

from provisor.app.upkeep.store import UpkeepStore
from provisor.events.outbox import Outbox
from provisor.events.store import OutboxStore
from provisor.provider.model import RateLimits
from provisor.scim.schemas import GROUP_URN, USER_URN
from provisor.security.actor import operator
from provisor.storage.database import Database
from provisor.web.asgi import create_app


@pytest.fixture
def web(scim: Any, services: Any, database: Database) -> Any:
    return replace(scim, app=create_app(replace(services, outbox=Outbox(OutboxStore(database)))))


async def test_what_was_done_over_scim_is_read_in_order_by_cursor(web: Any) -> None:
    user = (await web("POST", "/scim/Users", {"schemas": [USER_URN], "userName": "ada"})).json["id"]
    body = {"schemas": [GROUP_URN], "displayName": "Makers", "members": [{"value": user}]}
    group = (await web("POST", "/scim/Groups", body)).json["id"]
    await web("DELETE", f"/scim/Users/{user}")
    first = await web("GET", "/v1/changes?limit=2")
    assert first.status == 200
    rest = await web("GET", f"/v1/changes?after={first.json['next']}&limit=2")
    seen = [
        (one["seq"], one["resourceType"], one["resourceId"], one["change"])
        for reply in (first, rest)
        for one in reply.json["changes"]
    ]
    assert seen == [
        (1, "User", user, "created"),
        (2, "Group", group, "created"),
        (3, "User", user, "deleted"),
        (4, "Group", group, "updated"),
    ]
    assert (rest.json["next"], rest.json["head"]) == (4, 4)
    assert rest.headers["cache-control"] == "no-store"


async def test_a_key_reads_its_own_companys_changes_only(web: Any, services: Any) -> None:
    await web("POST", "/scim/Users", {"schemas": [USER_URN], "userName": "ada"})
    other = replace(web, token=await key_of(services, "Other"))
    assert (await other("GET", "/v1/changes")).json == {"changes": [], "next": 0, "head": 0}


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1", "limit=0", "limit=1001", "after=" + "9" * 30])
async def test_a_bad_cursor_or_limit_is_400_with_words(web: Any, query: str) -> None:
    reply = await web("GET", f"/v1/changes?{query}")
    assert reply.status == 400
    assert len(reply.json["error"]["message"]) > 10


async def test_who_has_no_key_gets_401_and_who_asks_too_often_429(web: Any, services: Any) -> None:
    assert (await replace(web, token=None)("GET", "/v1/changes")).status == 401
    company = await services.companies.find_company(operator(), "Acme")
    await services.companies.set_limits(operator(), company.id, RateLimits(company=1))
    assert (await web("GET", "/v1/changes")).status == 200
    reply = await web("GET", "/scim/Users")
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")
    reply = await web("GET", "/v1/changes")
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")


async def test_a_cursor_before_what_is_kept_is_410_with_words_and_the_number_to_go_on_from(
    web: Any, services: Any, database: Database
) -> None:
    for name in ("ada", "bob"):
        await web("POST", "/scim/Users", {"schemas": [USER_URN], "userName": name})
    company = await services.companies.find_company(operator(), "Acme")
    assert await UpkeepStore(database).expire_outbox(company.id, 2**53, 1) == 1
    reply = await web("GET", "/v1/changes?after=0")
    assert (reply.status, reply.json["error"]["code"], reply.json["head"]) == (410, "OutboxExpired", 2)
    assert reply.json["error"]["message"] == (
        "Changes up to 1 are no longer kept, so that those after 0 are not all there. "
        "Note 2, the last number; read all resources anew; then go on after the number noted."
    )
    assert reply.headers["cache-control"] == "no-store"
    assert [one["seq"] for one in (await web("GET", "/v1/changes?after=1")).json["changes"]] == [2]
