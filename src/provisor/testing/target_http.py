"""For tests: ``SimulatedTarget`` on a real port of 127.0.0.1, for clients that speak HTTP."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from provisor.testing.target import SimulatedTarget

WebHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serve(target: SimulatedTarget, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve ``target``; gives its base address, which becomes the target's own. Silence lasts until the client goes."""
    given = target.base_address
    async with listening(_handler(target), tls=tls) as address:
        target.base_address = f"{address}/scim/v2"
        try:
            yield target.base_address
        finally:
            target.base_address = given


@asynccontextmanager
async def listening(handler: WebHandler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that hands every request to ``handler``; gives ``http://127.0.0.1:PORT``."""
    server = web.Server(handler, handler_cancellation=True)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def _handler(target: SimulatedTarget) -> WebHandler:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        reply = await target.receive(request.method, str(request.rel_url), request.headers, body or None)
        if isinstance(reply, str):
            if reply == "silence":
                await asyncio.Event().wait()
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(status=reply.status, headers=dict(reply.headers), body=reply.body)

    return handle
