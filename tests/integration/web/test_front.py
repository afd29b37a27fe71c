"""Health, metrics and the status pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from provisor.storage.database import DatabaseUnavailable
from provisor.web.asgi import create_app
from provisor.web.services import Section, Services, WebSettings

LOCAL = ("127.0.0.1", 5000)


def local(scim: Any) -> Any:
    return replace(scim, token=None, host="localhost:8080", client=LOCAL)


async def jobs() -> Sequence[Section]:
    return [Section("Jobs", ["Name", "State"], [["<b>dialpad</b>", "Active"]])]


async def no_companies() -> Sequence[Section]:
    return [Section("Companies", ["Name"], [], "Create one with 'provisor company create NAME'.")]


@pytest.fixture
def shown(services: Services, scim: Any) -> Any:
    filled = Services(services.companies, services.resources, services.clock, portal=jobs, company=no_companies)
    return replace(scim, app=create_app(filled))


async def test_a_process_is_healthy_and_ready_only_with_its_database(services: Services, scim: Any) -> None:
    async def away() -> None:
        raise DatabaseUnavailable("The database does not answer.")

    assert (await scim("GET", "/healthz")).status == 200
    assert (await scim("GET", "/readyz")).status == 200
    waiting = Services(services.companies, services.resources, services.clock, ready=away)
    scim.app = create_app(waiting)
    assert (await scim("GET", "/healthz")).status == 200
    reply = await scim("GET", "/readyz")
    assert (reply.status, reply.json["reason"]) == (503, "The database does not answer.")


async def test_metrics_are_for_this_machine_or_the_metrics_token(services: Services, scim: Any) -> None:
    token = WebSettings(metrics_token="m3trics")
    scim.app = create_app(Services(services.companies, services.resources, services.clock, token))
    assert (await scim("GET", "/metrics")).status == 403
    await scim("GET", "/scim/Users/nobody")
    found = await local(scim)("GET", "/metrics")
    assert b'provisor_scim_requests_total{endpoint="users",method="GET",status="404"}' in found.body
    assert (await replace(scim, token="m3trics")("GET", "/metrics")).status == 200
    assert (await replace(scim, token="other")("GET", "/metrics")).status == 403


@pytest.mark.parametrize(
    "remote",
    [
        {"client": ("203.0.113.9", 1)},
        {"host": "rebound.example"},
        {"headers": {"x-forwarded-for": "203.0.113.9"}},
    ],
)
async def test_names_from_the_database_are_shown_on_this_machine_only(shown: Any, remote: dict[str, Any]) -> None:
    here = local(shown)
    assert b"dialpad" in (await here("GET", "/portal")).body
    away = await replace(here, **remote)("GET", "/portal")
    assert away.status == 200
    assert b"dialpad" not in away.body


async def test_pages_escape_what_they_show_and_forbid_scripts(shown: Any) -> None:
    reply = await local(shown)("GET", "/")
    assert b"<b>dialpad" not in reply.body
    assert b"&lt;b&gt;dialpad" in reply.body
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert b"<script>" not in reply.body
    assert "unsafe-inline" not in reply.headers["content-security-policy"]


async def test_an_empty_database_says_how_to_begin(shown: Any) -> None:
    assert b"provisor company create NAME" in (await local(shown)("GET", "/company")).body


async def test_any_other_address_is_not_there(scim: Any) -> None:
    assert (await scim("GET", "/nothing")).status == 404
    assert (await scim("GET", "/scimitar")).status == 404
