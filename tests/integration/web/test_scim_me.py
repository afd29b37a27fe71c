"""``/Me``: a key that acts as an administrator stands for the user who that administrator is."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.scim.messages import PATCH_OP
from provisor.scim.schemas import USER_URN
from provisor.security.actor import operator
from provisor.web.services import Services

ADMIN = "admin@acme.example"


@pytest.mark.parametrize(
    "who", [{"userName": "Admin@Acme.example"}, {"userName": "boss", "emails": [{"type": "work", "value": ADMIN}]}]
)
async def test_the_administrator_behind_the_key_is_me(scim: Any, who: dict[str, Any]) -> None:
    await scim("POST", "/scim/Users", {"schemas": [USER_URN], "userName": "other"})
    made = (await scim("POST", "/scim/Users", {"schemas": [USER_URN], **who})).json
    me = await scim("GET", "/scim/Me")
    assert (me.status, me.json) == (200, made)
    assert me.headers["location"] == made["meta"]["location"]
    change = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": "CTO"}]}
    assert (await scim("PATCH", "/scim/Me", change)).json["title"] == "CTO"
    assert (await scim("PUT", "/scim/Me", {"schemas": [USER_URN], **who})).json["id"] == made["id"]
    assert (await scim("GET", "/scim/Me?attributes=userName")).json.keys() == {"schemas", "id", "userName"}


async def test_who_is_no_user_is_told_so(scim: Any, services: Services) -> None:
    nobody = await scim("GET", "/scim/Me")
    assert nobody.status == 404
    assert ADMIN in nobody.json["detail"]
    other = await services.companies.create_company(operator(), "Other")
    _, scim.token = await services.companies.create_key(operator(), other.id, name="k", expires="2030-01-01")
    company = await scim("GET", "/scim/Me")
    assert company.status == 404
    assert "for the company" in company.json["detail"]


async def test_nobody_registers_at_me(scim: Any) -> None:
    assert (await scim("POST", "/scim/Me", {"schemas": [USER_URN], "userName": "x"})).status == 501
    assert (await scim("GET", "/scim/Me/groups")).status == 404
