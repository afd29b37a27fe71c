"""Users a second of an initial cycle into our own provider in another process, beside a bare loop in the same run.

    scripts/bench cycle [--users 5000] [--rounds 2] [--database-url URL]

The bare loop is aiohttp sending the very same create bodies to the same server, sixteen at a time, and nothing else: no
directory, no matching, no journal, no acknowledgement, no log. The ratio of the two is what counts: machines are noisy.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp

from provisor.app.services import AppServices, open_services, wire
from provisor.app.settings import Settings
from provisor.app.worker import running_worker
from provisor.clock import SystemClock
from provisor.connector.aiohttp_transport import AiohttpTransport
from provisor.connector.transport import Request, Response
from provisor.directory.model import NewUser
from provisor.directory.sample import sample_directory
from provisor.security.actor import operator
from provisor.security.secrets import load_key

AT_ONCE = 16


class Recording:
    """The real transport, which remembers what was created: the bare loop sends the same."""

    def __init__(self, inner: AiohttpTransport) -> None:
        self._inner = inner
        self.bodies: list[bytes] = []
        self.requests = 0

    async def send(self, request: Request) -> Response:
        self.requests += 1
        if request.method == "POST" and request.url.endswith("/Users") and request.body is not None:
            self.bodies.append(request.body)
        return await self._inner.send(request)

    async def close(self) -> None:
        await self._inner.close()


async def serve(folder: Path) -> None:
    """The other process: the provider alone, two companies, their keys on standard output."""
    import uvicorn

    from provisor.web.asgi import create_app
    from provisor.web.services import Services

    async with open_services(Settings(data_dir=folder)) as services:
        keys = []
        for name in ("cycle", "bare"):
            company = await services.companies.create_company(operator(), name, f"admin@{name}.example")
            _, text = await services.companies.create_key(operator(), company.id, name="bench", expires="2099-01-01")
            keys.append(text)
        app = create_app(Services(companies=services.companies, resources=services.resources, clock=services.clock))
        config = uvicorn.Config(app, port=0, loop="uvloop", http="httptools", access_log=False, log_level="warning")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        print(json.dumps({"port": port, "keys": keys}), flush=True)
        await task


async def load_people(services: AppServices, tenant_id: str, n: int) -> None:
    """The sample's people and managers, without its groups: the bare loop sends no memberships either."""
    sample = sample_directory(n)
    ids: dict[str, str] = {}
    for at in range(0, n, 500):
        chunk = [NewUser(user) for user in sample.users[at : at + 500]]
        for user in await services.directory.create_users(operator(), tenant_id, chunk):
            ids[user.user_principal_name] = user.id
    managers = {ids[user]: ids[manager] for user, manager in sample.managers.items()}
    await services.directory.set_managers(operator(), tenant_id, managers)


async def cycle(services: AppServices, url: str, key: str, users: int) -> tuple[float, float]:
    """Seconds of the initial cycle from start to its end, and seconds of CPU of this process."""
    tenant = await services.directory.create_tenant(operator(), "Bench", "bench.example")
    await load_people(services, tenant.id, users)
    app = await services.applications.add(operator(), tenant.id, "scim", "Bench", url, secret_token=key)
    await services.applications.set_sync_all(operator(), app.job_id, True)
    async with running_worker(services):
        # Whoever measures a cycle does not measure the first second of a new queue.
        await asyncio.sleep(1.5)
        began, before = time.perf_counter(), time.process_time()
        await services.provisioning.start(operator(), app.job_id)
        while True:
            await asyncio.sleep(0.05)
            cycles = await services.stores.jobs.cycles(app.job_id, 1)
            if cycles and cycles[0].state != "Running":
                break
        took, cpu = time.perf_counter() - began, time.process_time() - before
    counts = cycles[0].counts or {}
    if cycles[0].state != "Succeeded" or counts["failed"]:
        raise SystemExit(f"the cycle did not succeed: {cycles[0].error} {counts}")
    print(f"  counts: {counts}")
    return took, cpu


async def bare(url: str, key: str, bodies: list[bytes]) -> float:
    """Seconds of a loop that sends the same creates."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/scim+json"}
    left = iter(bodies)

    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def work() -> None:
            for body in left:
                async with session.post(f"{url}/Users", data=body) as reply:
                    text = await reply.read()
                    if reply.status != 201:
                        raise SystemExit(f"the bare loop got {reply.status}: {text[:200]!r}")

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return time.perf_counter() - began


async def one_round(users: int, database_url: str | None) -> float:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provisor-bench-")))
        server = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--serve", str(folder / "provider"), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert server.stdout is not None
            told = json.loads(await server.stdout.readline())
            url = f"http://127.0.0.1:{told['port']}/scim/v2"
            settings = replace(Settings(data_dir=folder / "engine", database_url=database_url), environment=os.environ)
            key = load_key(_made(folder / "engine"), os.environ)
            async with open_services(settings) as opened:
                transport = Recording(AiohttpTransport(settings.outbound))
                services = wire(opened.database, key, transport, settings, SystemClock())
                took, cpu = await cycle(services, url, told["keys"][0], users)
                await transport.close()
            alone = await bare(url, told["keys"][1], transport.bodies)
        finally:
            server.terminate()
            await server.wait()
    cpu_ms = cpu / users * 1000
    n = len(transport.bodies)
    ratio = (n / took) / (n / alone)
    print(f"  cycle: {n / took:7.0f} users/s ({took:.2f} s, {transport.requests} requests, {cpu_ms:.2f} ms CPU a user)")
    print(f"  bare:  {n / alone:7.0f} users/s ({alone:.2f} s)")
    print(f"  ratio: {ratio:.2f} (goal: at least 0.4)")
    return ratio


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--database-url", help="the engine's database; SQLite in a temporary folder by default")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        await serve(options.serve)
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {options.users} users")
    ratios = []
    for n in range(options.rounds):
        print(f"round {n + 1}")
        ratios.append(await one_round(options.users, options.database_url))
    print(f"best ratio {max(ratios):.2f}, worst {min(ratios):.2f}")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
