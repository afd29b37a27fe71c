"""A user's password: taken by POST, PUT and PATCH, kept as a hash apart from the user, and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.scim.messages import PATCH_OP
from provisor.scim.schemas import USER_URN
from provisor.security.actor import operator
from provisor.storage.database import Database, Tx
from provisor.testing.database import Store
from provisor.web.services import Services

ADA = {"schemas": [USER_URN], "userName": "ada"}


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


async def test_the_last_password_that_was_sent_is_the_one(scim: Any, services: Services, database: Database) -> None:
    company = (await services.companies.companies(operator()))[0].id
    made = await scim("POST", "/scim/Users", {**ADA, "password": "first"})
    person = made.json["id"]

    async def works(password: str) -> bool:
        return await services.resources.has_password(operator(), company, person, password)

    def change(op: str, **more: str) -> dict[str, Any]:
        return {"schemas": [PATCH_OP], "Operations": [{"op": op, "path": "password", **more}]}

    answers = [made]
    assert await works("first")
    answers.append(await scim("PATCH", f"/scim/Users/{person}", change("replace", value="second")))
    assert await works("second")
    assert not await works("first")
    assert answers[-1].headers["etag"] == 'W/"2"'
    answers.append(await scim("PUT", f"/scim/Users/{person}", {**ADA, "password": "third"}))
    assert await works("third")
    answers.append(await scim("PUT", f"/scim/Users/{person}", {**ADA, "title": "CTO"}))
    assert await works("third")
    value = {"password": "fourth", "title": "CEO"}
    several = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": value}]}
    answers.append(await scim("PATCH", f"/scim/Users/{person}", several))
    assert await works("fourth")
    assert answers[-1].json["title"] == "CEO"
    answers.append(await scim("PATCH", f"/scim/Users/{person}", change("remove")))
    assert not await works("fourth")
    assert [answer.status for answer in answers] == [201, 200, 200, 200, 200, 200]
    assert not any(b"password" in answer.body for answer in answers)


async def test_nothing_of_a_password_is_stored_in_clear(scim: Any, database: Database) -> None:
    person = (await scim("POST", "/scim/Users", {**ADA, "password": "correct horse"})).json["id"]

    async def rows(tx: Tx) -> Any:
        documents = await tx.fetch_all("SELECT document FROM resource")
        hashes = await tx.fetch_all("SELECT hash FROM resource_secret")
        return documents, hashes

    documents, hashes = await database.read(rows)
    assert "horse" not in str(documents)
    assert [row[0].split("$")[1] for row in hashes] == ["argon2id"]
    assert (await scim("DELETE", f"/scim/Users/{person}")).status == 204
    assert (await database.read(rows))[1] == []


async def test_a_change_that_is_refused_changes_no_password(scim: Any, services: Services) -> None:
    company = (await services.companies.companies(operator()))[0].id
    person = (await scim("POST", "/scim/Users", {**ADA, "password": "first"})).json["id"]
    steps = [{"op": "replace", "path": "password", "value": "second"}, {"op": "remove", "path": "userName"}]
    refused = await scim("PATCH", f"/scim/Users/{person}", {"schemas": [PATCH_OP], "Operations": steps})
    assert refused.status == 400
    assert await services.resources.has_password(operator(), company, person, "first")
