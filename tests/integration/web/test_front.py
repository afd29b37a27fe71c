"""Health, metrics and the front page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from provisor.storage.database import DatabaseUnavailable
from provisor.web.asgi import create_app
from provisor.web.services import Services, WebSettings

LOCAL = ("127.0.0.1", 5000)


def local(scim: Any) -> Any:
    return replace(scim, token=None, host="localhost:8080", client=LOCAL)


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


async def test_the_front_page_leads_to_both_portals_and_names_the_scim_address(scim: Any) -> None:
    reply = await local(scim)("GET", "/")
    assert reply.status == 200
    for part in (b'href="/portal"', b'href="/company"', b"https://localhost:8080/scim/v2"):
        assert part in reply.body
    assert b"Acme" not in reply.body
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "unsafe-inline" not in reply.headers["content-security-policy"]


async def test_any_other_address_is_not_there(scim: Any) -> None:
    assert (await scim("GET", "/nothing")).status == 404
    assert (await scim("GET", "/scimitar")).status == 404
