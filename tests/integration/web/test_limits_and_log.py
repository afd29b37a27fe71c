"""What the SCIM face does around each request: limits of rates, and the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from provisor.provider.model import RateLimits
from provisor.provider.requestlog.model import Entry
from provisor.provider.requestlog.service import RequestLog
from provisor.provider.requestlog.store import RequestStore
from provisor.scim.messages import PATCH_OP
from provisor.scim.schemas import USER_URN
from provisor.security.actor import operator
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.web.asgi import create_app

ADA = {"schemas": [USER_URN], "userName": "ada@acme.example", "password": "hunter2", "shoeSize": 39}


@pytest.fixture
async def log(database: Database, services: Any, clock: SettableClock) -> AsyncIterator[RequestLog]:
    log = RequestLog(RequestStore(database), services.resources, clock)
    yield log
    await log.close()


@pytest.fixture
def logged(scim: Any, services: Any, log: RequestLog) -> Any:
    """A client of the application that keeps its requests."""
    return replace(scim, app=create_app(replace(services, requests=log)))


async def entries(services: Any, log: RequestLog) -> list[Entry]:
    await log.flush()
    company = await services.companies.find_company(operator(), "Acme")
    return await log.entries(operator(), company.id)


async def test_a_limit_answers_429_with_how_long_to_wait_and_only_for_that_company(
    scim: Any, services: Any, clock: SettableClock
) -> None:
    company = await services.companies.find_company(operator(), "Acme")
    assert await services.companies.set_limits(operator(), company.id, RateLimits(credential=25)) is None
    statuses = [(await scim("GET", "/scim/Users")).status for _ in range(25)]
    assert set(statuses) == {200}
    reply = await scim("GET", "/scim/Users")
    assert (reply.status, reply.headers["retry-after"], reply.json["status"]) == (429, "1", "429")
    assert "25 requests a second" in reply.json["detail"]
    clock.advance(1)
    assert (await scim("GET", "/scim/Users")).status == 200


async def test_a_limit_below_what_entra_expects_is_set_with_a_warning(services: Any, scim: Any) -> None:
    company = await services.companies.find_company(operator(), "Acme")
    warning = await services.companies.set_limits(operator(), company.id, RateLimits(company=24))
    assert "25 requests a second" in warning
    assert (await services.companies.find_company(operator(), "Acme")).limits == RateLimits(company=24)


async def test_every_answered_request_is_in_the_log_with_what_was_not_stored(
    logged: Any, services: Any, log: RequestLog
) -> None:
    made = await logged("POST", "/scim/Users", ADA)
    user = made.json["id"]
    operations = [{"op": "add", "path": "hatSize", "value": 7}, {"op": "replace", "path": "title", "value": "Dr"}]
    await logged("PATCH", f"/scim/v2/Users/{user}", {"schemas": [PATCH_OP], "Operations": operations})
    await logged("PUT", f"/scim/Users/{user}", {**ADA, "gloveSize": 8})
    await logged("GET", "/scim/Users?filter=nothing+eq+1")
    put, patch, post = (await entries(services, log))[1:]
    wrong = (await entries(services, log))[0]
    assert (post.method, post.path, post.status, post.credential_name) == ("POST", "/scim/Users", 201, "entra")
    assert [*post.ignored] == ["shoeSize"]
    assert "hunter2" not in (post.request or "") + (put.request or "")
    assert [*patch.ignored] == ["hatSize"]
    assert patch.path == f"/scim/v2/Users/{user}"
    assert sorted(put.ignored) == ["gloveSize", "shoeSize"]
    assert (wrong.status, wrong.path) == (400, "/scim/Users?filter=nothing+eq+1")
    assert "invalidFilter" in (wrong.answer or "")


async def test_a_bulk_request_tells_what_each_of_its_operations_did_not_store(
    logged: Any, services: Any, log: RequestLog
) -> None:
    names = ("ada", "grace")
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": name, "data": {**ADA, "userName": name, f"{name}Size": 1}}
        for name in names
    ]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}
    assert (await logged("POST", "/scim/Bulk", body)).status == 200
    [entry] = await entries(services, log)
    assert sorted(entry.ignored) == ["adaSize", "graceSize", "shoeSize", "shoeSize"]
    assert "hunter2" not in (entry.request or "")


async def test_who_has_no_valid_credential_leaves_no_trace_in_any_companys_log(
    logged: Any, services: Any, log: RequestLog
) -> None:
    logged.token = "pvk_" + "0" * 32 + "_" + "A" * 43
    assert (await logged("GET", "/scim/Users")).status == 401
    assert await entries(services, log) == []


async def test_a_request_that_is_refused_before_its_endpoint_is_in_the_log_too(
    logged: Any, services: Any, log: RequestLog
) -> None:
    assert (await logged("DELETE", "/scim/Users")).status == 405
    assert (await logged("GET", "/scim/Nothing")).status == 404
    assert [entry.status for entry in await entries(services, log)] == [404, 405]
