"""One worker process and two, on PostgreSQL, against one target that takes 50 ms for each request.

    scripts/bench workers [--users 1000] [--jobs 4] [--rounds 1]

Jobs of different tenants provision into the same target, whose profile allows a worker so many requests at once: one
worker waits for answers most of its time. Printed: objects a second with one worker and with two, and what an object
costs the workers' processes in CPU. A worker's start, the target and the database are not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import msgspec
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent))

import cycle
from plan import load_people

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.clock import SystemClock
from provisor.connector.aiohttp_transport import AiohttpTransport
from provisor.ids import new_id
from provisor.security.actor import operator
from provisor.security.secrets import load_key
from provisor.testing.database import PostgresServer, Store
from provisor.testing.target_http import listening

LATENCY = 0.05
WARM_SECONDS = 6.0
FASTER, DEARER = 1.6, 1.15


async def serve() -> None:
    """The other process: takes every create, finds whom it has made, and thinks for a while about each request."""
    # Each key sees what was made with it: the tenants have people of the same names.
    made: dict[tuple[str, str], str] = {}

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        await asyncio.sleep(LATENCY)
        who = request.headers["Authorization"]
        if request.method == "POST":
            document = msgspec.json.decode(body)
            document["id"] = made[who, document["userName"]] = new_id()
            return web.json_response(document, status=201)
        if request.method == "GET":
            name = unquote(str(request.rel_url)).partition('userName eq "')[2].rstrip('"')
            found = [{"id": made[who, name], "userName": name}] if (who, name) in made else []
            return web.json_response({"totalResults": len(found), "Resources": found})
        return web.Response(status=204)

    async with listening(handle) as address:
        print(address, flush=True)
        await asyncio.Event().wait()


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu: float


def cpu_of(pids: list[int]) -> float:
    """Seconds of CPU that these processes have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / ticks


@asynccontextmanager
async def workers(count: int, arguments: list[str], environment: dict[str, str]) -> AsyncIterator[list[int]]:
    command = [sys.executable, "-m", "provisor", *arguments, "worker"]
    started = [
        await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        await asyncio.sleep(WARM_SECONDS)
        yield [process.pid for process in started]
    finally:
        for process in started:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        for process in started:
            await process.wait()


async def job(services: AppServices, address: str, number: int, users: int) -> str:
    tenant = await services.directory.create_tenant(operator(), f"Bench {number}", f"bench{number}.example")
    await load_people(services, tenant.id, users)
    app = await services.applications.add(operator(), tenant.id, "scim", "Bench", address, secret_token=new_id())
    await services.applications.set_sync_all(operator(), app.job_id, True)
    return app.job_id


async def measured(services: AppServices, jobs: list[str], pids: list[int]) -> Measured:
    began, before = time.perf_counter(), cpu_of(pids)
    for job_id in jobs:
        await services.provisioning.start(operator(), job_id)
    left = set(jobs)
    while left:
        await asyncio.sleep(0.05)
        for job_id in list(left):
            cycles = await services.stores.jobs.cycles(job_id, 1)
            if not cycles or cycles[0].state == "Running":
                continue
            if cycles[0].state != "Succeeded" or (cycles[0].counts or {})["failed"]:
                raise SystemExit(f"the cycle did not succeed: {cycles[0]}")
            left.discard(job_id)
    return Measured(time.perf_counter() - began, cpu_of(pids) - before)


async def one_round(store: Store, users: int, jobs: int) -> tuple[Measured, Measured]:
    async with AsyncExitStack() as stack:
        target = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--serve", stdout=asyncio.subprocess.PIPE
        )
        stack.callback(target.terminate)
        assert target.stdout is not None
        address = (await target.stdout.readline()).decode().strip()
        environment = {**os.environ, "PROVISOR_SECRET_KEY": secrets.token_hex(32)}
        settings = Settings(data_dir=store.data_dir, database_url=store.url)
        database = store.database()
        await database.open()
        stack.push_async_callback(database.close)
        key = load_key(None, environment, database="postgresql")
        services = wire(database, key, AiohttpTransport(settings.outbound), settings, SystemClock())
        stack.push_async_callback(services.close)
        found = []
        for count in (1, 2):
            made = [await job(services, address, count * 100 + n, users) for n in range(jobs)]
            async with workers(count, store.arguments, environment) as pids:
                found.append(await measured(services, made, pids))
        return found[0], found[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1_000, help="of each job")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    import uvloop

    if options.serve:
        uvloop.run(serve())
        return
    cycle.quiet()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    total = options.users * options.jobs
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="provisor-bench-") as folder, PostgresServer() as server:
            one, two = uvloop.run(one_round(server.store(Path(folder)), options.users, options.jobs))
        for name, done in (("1 worker", one), ("2 workers", two)):
            rate, cost = total / done.seconds, done.cpu / total * 1000
            print(f"{name:<12} {rate:6.0f} objects/s  {cost:.2f} ms CPU an object")
        print(f"{'faster':<12} {one.seconds / two.seconds:6.2f} ×  goal at least {FASTER}")
        print(f"{'dearer':<12} {two.cpu / one.cpu:6.2f} ×  goal at most {DEARER}", flush=True)


if __name__ == "__main__":
    main()
