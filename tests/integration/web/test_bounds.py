"""What is too much is refused with words that say what the limit is; and the last administrator stays."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.scim.messages import BULK_REQUEST, PATCH_OP, SEARCH_REQUEST
from provisor.scim.schemas import USER_URN


async def _user(scim: Any, name: str = "ada") -> str:
    found: str = (await scim("POST", "/scim/Users", {"schemas": [USER_URN], "userName": name})).json["id"]
    return found


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "' + "x" * 20_000 + '"',
        "(" * 40 + 'userName eq "x"' + ")" * 40,
        " or ".join(['title eq "x"'] * 501),
    ],
    ids=["long", "deep", "many terms"],
)
async def test_a_filter_over_a_limit_is_refused_and_told_the_limit(scim: Any, text: str) -> None:
    reply = await scim("POST", "/scim/Users/.search", {"schemas": [SEARCH_REQUEST], "filter": text})
    assert (reply.status, reply.json["scimType"]) == (400, "invalidFilter")
    assert any(character.isdigit() for character in reply.json["detail"])
    assert len(reply.json["detail"]) < 600


async def test_too_many_operations_are_refused_whole(scim: Any) -> None:
    user = await _user(scim)
    operations = [{"op": "replace", "path": "title", "value": "x"}] * 2_001
    reply = await scim("PATCH", f"/scim/Users/{user}", {"schemas": [PATCH_OP], "Operations": operations})
    assert (reply.status // 100, "2000" in reply.json["detail"].replace(",", "")) == (4, True)
    assert "title" not in (await scim("GET", f"/scim/Users/{user}")).json


async def test_a_path_over_the_limit_is_refused_and_not_repeated(scim: Any) -> None:
    user = await _user(scim)
    operations = [{"op": "replace", "path": "title" * 2_000, "value": "x"}]
    reply = await scim("PATCH", f"/scim/Users/{user}", {"schemas": [PATCH_OP], "Operations": operations})
    assert (reply.status, reply.json["scimType"]) == (400, "invalidPath")
    assert len(reply.json["detail"]) < 600


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE", "BULK"])
async def test_the_last_administrator_is_409_over_scim_and_says_who_it_is(scim: Any, method: str) -> None:
    user = await _user(scim, "admin@acme.example")
    off = {"schemas": [PATCH_OP], "Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
    bodies = {"PATCH": off, "PUT": {"schemas": [USER_URN], "userName": "admin@acme.example", "active": False}}
    if method == "BULK":
        operations = [{"method": "DELETE", "path": f"/Users/{user}"}]
        reply = await scim("POST", "/scim/Bulk", {"schemas": [BULK_REQUEST], "Operations": operations})
        [answer] = reply.json["Operations"]
        status, detail = answer["status"], answer["response"]["detail"]
    else:
        reply = await scim(method, f"/scim/Users/{user}", bodies.get(method))
        status, detail = str(reply.status), reply.json["detail"]
    assert status == "409"
    assert "admin@acme.example is the company's last administrator" in detail
    assert (await scim("GET", f"/scim/Users/{user}")).status == 200
