"""The application on a real server: sockets, keep-alive, a chunked body, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import uvicorn

from provisor.scim.schemas import USER_URN
from provisor.web.asgi import create_app
from provisor.web.services import Services


@pytest.fixture
async def address(services: Services) -> AsyncIterator[str]:
    config = uvicorn.Config(create_app(services), host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def test_a_served_user_is_created_in_chunks_read_and_deleted(address: str, scim: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"schemas":["' + USER_URN.encode()
        yield b'"],"userName":"ada"}'

    headers = {"Authorization": f"Bearer {scim.token}", "Content-Type": "application/scim+json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(f"{address}/scim/Users", data=chunks()) as reply:
            assert reply.status == 201
            location = reply.headers["Location"]
        assert location.startswith(f"{address}/scim/Users/")
        async with session.get(location) as reply:
            assert (await reply.json(content_type="application/scim+json"))["userName"] == "ada"
        async with session.head(location) as reply:
            assert (reply.status, await reply.read()) == (200, b"")
        async with session.delete(location) as reply:
            assert (reply.status, await reply.read()) == (204, b"")


async def test_many_creates_at_once_are_all_there_afterwards(address: str, scim: Any) -> None:
    headers = {"Authorization": f"Bearer {scim.token}", "Content-Type": "application/scim+json"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def create(number: int) -> int:
            async with session.post(f"{address}/scim/Users", json={"userName": f"user{number}"}) as reply:
                await reply.read()
                return reply.status

        assert set(await asyncio.gather(*(create(number) for number in range(100)))) == {201}
        async with session.get(f"{address}/scim/Users?count=0") as reply:
            assert (await reply.json(content_type="application/scim+json"))["totalResults"] == 100
