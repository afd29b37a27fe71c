"""Webhooks leave through the real transport: over HTTP, and only to where calls may go."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from provisor.app.webhooks import TransportSend
from provisor.connector.aiohttp_transport import AiohttpTransport
from provisor.errors import Unavailable
from provisor.events.webhooks.model import Reply
from provisor.security.outbound import OutboundPolicy


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A receiver that answers with the status that its path says, and tells to wait a minute."""

    async def take(request: web.Request) -> web.Response:
        assert (await request.read(), request.headers["webhook-id"]) == (b"{}", "1")
        status = int(request.match_info["status"])
        headers = {"Retry-After": "60" if status == 429 else "soon"}
        return web.Response(status=status, headers={**headers, "Location": "/204"})

    app = web.Application()
    app.router.add_post("/{status}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def test_the_receivers_answer_comes_back_and_redirects_are_not_followed(address: str) -> None:
    transport = AiohttpTransport(OutboundPolicy(own_loopback=True))
    send = TransportSend(transport)
    found = [await send(f"{address}/{status}", {"webhook-id": "1"}, b"{}", 5) for status in (204, 302, 429)]
    await transport.close()
    assert found == [Reply(204), Reply(302), Reply(429, 60)]


async def test_a_server_that_the_world_reaches_sends_nothing_to_its_own_machine(address: str) -> None:
    transport = AiohttpTransport(OutboundPolicy(own_loopback=False))
    with pytest.raises(Unavailable, match="loopback"):
        await TransportSend(transport)(f"{address}/204", {"webhook-id": "1"}, b"{}", 5)
    await transport.close()
