"""The real transport and the simulated target over HTTP: replies lost on the way, and connections kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from provisor.clock import SystemClock
from provisor.connector.aiohttp_transport import AiohttpTransport
from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.client import ScimClient
from provisor.connector.dialect import load_dialect
from provisor.connector.errors import Unreachable
from provisor.security.outbound import OutboundPolicy
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import Fault, lost_reply, method, reset, reset_after_applying, silence, slow
from provisor.testing.target_http import listening, serve


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    transport = AiohttpTransport(OutboundPolicy(own_loopback=True))
    yield transport
    await transport.close()


def client_of(transport: AiohttpTransport, address: str, *, timeout: float = 10.0) -> ScimClient:
    return ScimClient(
        transport,
        base_address=address,
        token="the-token",
        dialect=load_dialect(),
        capabilities=CapabilityProfile(),
        clock=SystemClock(),
        timeout=timeout,
    )


@pytest.mark.parametrize(
    ("fault", "code", "applied"),
    [
        (lost_reply(), "Timeout", True),
        (silence(), "Timeout", False),
        (reset_after_applying(), "WebExceptionProtocolError", True),
        (reset(), "WebExceptionProtocolError", False),
    ],
)
async def test_a_lost_reply_to_a_create_is_told_as_one_that_may_have_arrived(
    transport: AiohttpTransport, fault: Fault, code: str, applied: bool
) -> None:
    target = SimulatedTarget(token="the-token")
    async with serve(target) as address:
        client = client_of(transport, address, timeout=0.3)
        await client.create("User", {"userName": "bob"})  # so that the connection is a kept one
        target.fault(fault, when=method("POST"))

        with pytest.raises(Unreachable) as caught:
            await client.create("User", {"userName": "ada"})

        assert (caught.value.code, caught.value.may_have_arrived) == (code, True)
        assert len(await client.find("User", "userName", "ada")) == applied
        assert len(target.sent("POST")) == 2


async def test_searches_with_every_kind_of_character_arrive_over_http(transport: AiohttpTransport) -> None:
    target = SimulatedTarget()
    async with serve(target) as address:
        client = client_of(transport, address)
        for name in ['quo"te', "back\\slash", "a&b=c#d%41+e f", "ümläut 🙂", "semi;colon?"]:
            made = await client.create("User", {"userName": name})

            assert [found.id for found in await client.find("User", "userName", name)] == [made.id]


async def test_requests_share_connections(transport: AiohttpTransport) -> None:
    ports = set()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        ports.add(request.transport.get_extra_info("peername")[1] if request.transport else None)
        return web.json_response({"totalResults": 0, "Resources": []})

    async with listening(handle) as address:
        client = client_of(transport, address)
        for _ in range(5):
            await client.find("User", "userName", "x")
        assert len(ports) == 1

        await asyncio.gather(*(client.find("User", "userName", "x") for _ in range(100)))
        assert len(ports) <= CapabilityProfile().concurrency


async def test_cookies_of_a_target_are_not_sent_back(transport: AiohttpTransport) -> None:
    seen = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers.get("Cookie"))
        reply = web.json_response({"totalResults": 0, "Resources": []})
        reply.set_cookie("session", "1")
        return reply

    async with listening(handle) as address:
        client = client_of(transport, address)
        await client.find("User", "userName", "x")
        await client.find("User", "userName", "x")

    assert seen == [None, None]


async def test_a_slow_answer_within_the_time_is_an_answer(transport: AiohttpTransport) -> None:
    target = SimulatedTarget(clock=SystemClock())
    target.fault(slow(0.05))
    async with serve(target) as address:
        assert await client_of(transport, address).find("User", "userName", "x") == []
