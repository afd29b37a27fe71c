"""Serving: a listening socket, uvicorn in this process's event loop, and its graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from provisor.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    import uvicorn

    from provisor.web.asgi import Front

# How long requests that are under way may take once the server is told to end.
END_SECONDS = 30


class PortInUse(Conflict):
    """Another process listens on this port."""


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 is any free one. Raises ``PortInUse``, ``InvalidInput``."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise InvalidInput(
            f"{host!r} is no address of this machine: {error.strerror}.", hint="Try 127.0.0.1."
        ) from error
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"Port {port} of {host} is in use by another process.",
                hint="Stop that one, or choose another with --port (0 is any free one).",
            ) from error
        if error.errno == errno.EACCES:
            raise InvalidInput(
                f"This user may not listen on port {port}.", hint="Choose a port from 1024 on with --port."
            ) from error
        raise InvalidInput(f"{host}:{port} cannot be listened on: {error.strerror}.", hint="Try 127.0.0.1.") from error
    return bound


def address_of(bound: socket.socket, host: str, *, tls: bool = False) -> str:
    """``http://HOST:PORT`` with the real port."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).version == 6:
            host = f"[{host}]"
    return f"{'https' if tls else 'http'}://{host}:{bound.getsockname()[1]}"


@asynccontextmanager
async def serving(
    app: Front, bound: socket.socket, *, tls_cert: Path | None = None, tls_key: Path | None = None
) -> AsyncIterator[None]:
    """Answer requests while the block lasts; then those that are under way are finished."""
    server = _server(app, tls_cert, tls_key)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started:
            if task.done():
                await task
                raise InvalidInput("The server ended before it answered.", hint="See the messages above.")
            await asyncio.sleep(0.01)
        yield
    finally:
        app.end()
        server.should_exit = True
        await task


def _server(app: Front, tls_cert: Path | None, tls_key: Path | None) -> uvicorn.Server:
    import uvicorn

    class Server(uvicorn.Server):
        """Leaves signals to the command, which has more to end than this server."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Who speaks for whom is for our own settings to say, not for any header that comes from this machine.
        proxy_headers=False,
        timeout_graceful_shutdown=END_SECONDS,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise InvalidInput(
            f"The certificate {tls_cert} and the key {tls_key} cannot be used: {error.strerror or error}.",
            hint="Give PEM files that belong together.",
        ) from error
    return Server(config)


async def until_told_to_end() -> None:
    """Return on SIGTERM or SIGINT. From then on, a second signal ends the process at once."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, told.set)
    try:
        await told.wait()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
