"""Users a second of an initial cycle into our own provider in another process, beside a bare loop in the same run.

    scripts/bench cycle [--users 5000] [--groups 0] [--memberships 0] [--rounds 2] [--database-url URL]

The bare loop is aiohttp sending the very same writes to the same server, sixteen at a time, and nothing else: no
directory, no matching, no journal, no acknowledgement, no log. The ratio of the two is what counts: machines are noisy.
Where the machine's speed changes between the two, the ratio at one speed is told as well: the provider does the same
work for both, so its CPU says how fast the machine was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import structlog

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


def quiet() -> None:
    """Whoever measures does not print every request."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Write:
    """A request that changed the provider, and the id of what it created, empty for a change."""

    method: str
    path: bytes
    body: bytes
    made: bytes


@dataclass(frozen=True)
class Size:
    users: int
    groups: int = 0
    memberships: int = 0

    @property
    def objects(self) -> int:
        return self.users + self.groups

    @property
    def necessary(self) -> int:
        """One create for each object, and one PATCH for each group that has members."""
        return self.objects + (self.groups if self.memberships else 0)


@dataclass(frozen=True)
class Round:
    """``requests`` that the cycle sent, ``writes`` among them; seconds of the cycle, its CPU, and the bare loop;
    ``served``: the provider's CPU for each of the two."""

    size: Size
    requests: int
    writes: int
    creates: int
    of_members: int
    took: float
    cpu: float
    alone: float
    served: tuple[float, float]

    @property
    def ratio(self) -> float:
        return self.alone / self.took

    @property
    def ratio_at_one_speed(self) -> float:
        """What the ratio would be had the provider taken the same CPU for the same writes."""
        for_cycle, for_bare = self.served
        return self.ratio * for_cycle / for_bare


class Recording:
    """The real transport, which remembers what was written: the bare loop sends the same."""

    def __init__(self, inner: AiohttpTransport, root: str) -> None:
        self._inner = inner
        self._root = root
        # Looked at when the cycle is over: that is not the cycle's work.
        self._written: list[tuple[Request, Response | None]] = []
        self.requests = 0

    async def send(self, request: Request) -> Response:
        self.requests += 1
        if request.method == "GET":
            return await self._inner.send(request)
        at = len(self._written)
        self._written.append((request, None))
        response = await self._inner.send(request)
        self._written[at] = request, response
        return response

    def writes(self) -> list[Write]:
        """In the order in which they left."""
        return [
            Write(request.method, request.url.removeprefix(self._root).encode(), request.body or b"", _made(response))
            for request, response in self._written
        ]

    async def close(self) -> None:
        await self._inner.close()


def _made(response: Response | None) -> bytes:
    if response is None or response.status != 201:
        return b""
    return str(json.loads(response.body)["id"]).encode()


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


async def load_people(services: AppServices, tenant_id: str, size: Size) -> None:
    """The sample's people and managers, and groups of equal size that overlap."""
    sample = sample_directory(size.users)
    ids: dict[str, str] = {}
    for at in range(0, size.users, 500):
        chunk = [NewUser(user) for user in sample.users[at : at + 500]]
        for user in await services.directory.create_users(operator(), tenant_id, chunk):
            ids[user.user_principal_name] = user.id
    managers = {ids[user]: ids[manager] for user, manager in sample.managers.items()}
    await services.directory.set_managers(operator(), tenant_id, managers)
    people = list(ids.values())
    each = size.memberships // size.groups if size.groups else 0
    for n in range(size.groups):
        attributes = {"displayName": f"Group {n}", "securityEnabled": True}
        group = await services.directory.create_group(operator(), tenant_id, attributes)
        start = n * len(people) // size.groups
        members = [people[(start + k) % len(people)] for k in range(each)]
        if members:
            await services.directory.add_members(operator(), tenant_id, group.id, members)


async def cycle(services: AppServices, url: str, key: str, size: Size) -> tuple[float, float]:
    """Seconds of the initial cycle from start to its end, and seconds of CPU of this process."""
    tenant = await services.directory.create_tenant(operator(), "Bench", "bench.example")
    await load_people(services, tenant.id, size)
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


async def bare(url: str, key: str, writes: list[Write]) -> float:
    """Seconds of a loop that sends the same writes; what they create has other ids there, and they say those."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/scim+json"}
    left = iter(writes)
    loop = asyncio.get_running_loop()
    known = {write.made: loop.create_future() for write in writes if write.made}

    async def translated(text: bytes) -> bytes:
        # What a write refers to was created by an earlier one, so nobody waits for somebody behind them.
        there = {id_: await known[id_] for id_ in set(_ID.findall(text)) if id_ in known}
        return _ID.sub(lambda match: there.get(match[0], match[0]), text) if there else text

    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def work() -> None:
            for write in left:
                address = url + (await translated(write.path)).decode()
                async with session.request(write.method, address, data=await translated(write.body)) as reply:
                    text = await reply.read()
                    if not 200 <= reply.status < 300:
                        raise SystemExit(f"the bare loop got {reply.status}: {text[:200]!r}")
                    if write.made:
                        known[write.made].set_result(json.loads(text)["id"].encode())

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return time.perf_counter() - began


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has taken, 0 where the system does not tell (anything but Linux)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def provider(folder: Path) -> AsyncIterator[tuple[str, list[str], int]]:
    """Our own provider in another process: its address, the keys of two companies, and its process id."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", str(folder), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        told = json.loads(await server.stdout.readline())
        yield f"http://127.0.0.1:{told['port']}/scim/v2", told["keys"], server.pid
    finally:
        server.terminate()
        await server.wait()


async def own_cycle(
    folder: Path, url: str, key: str, size: Size, database_url: str | None
) -> tuple[Recording, float, float]:
    """An initial cycle on a database of its own; its transport, seconds of it, and of this process's CPU."""
    settings = replace(Settings(data_dir=folder, database_url=database_url), environment=os.environ)
    sealing = load_key(_present(folder), os.environ)
    async with open_services(settings) as opened:
        transport = Recording(AiohttpTransport(settings.outbound), url)
        services = wire(opened.database, sealing, transport, settings, SystemClock())
        took, cpu = await cycle(services, url, key, size)
        await transport.close()
    return transport, took, cpu


async def one_round(size: Size, database_url: str | None) -> Round:
    with tempfile.TemporaryDirectory(prefix="provisor-bench-") as name:
        folder = Path(name)
        async with provider(folder / "provider") as (url, keys, pid):
            marks = [cpu_of(pid)]
            transport, took, cpu = await own_cycle(folder / "engine", url, keys[0], size, database_url)
            marks.append(cpu_of(pid))
            writes = transport.writes()
            alone = await bare(url, keys[1], writes)
            marks.append(cpu_of(pid))
    return Round(
        size,
        transport.requests,
        len(writes),
        sum(1 for write in writes if write.method == "POST"),
        sum(1 for write in writes if write.method == "PATCH" and write.path.startswith(b"/Groups/")),
        took,
        cpu,
        alone,
        (marks[1] - marks[0] or 1.0, marks[2] - marks[1] or 1.0),
    )


def show(one: Round) -> None:
    n = one.size.objects
    cpu_ms = one.cpu / n * 1000
    print(
        f"  cycle: {n / one.took:7.0f} objects/s ({one.took:.2f} s, {one.requests} requests, {cpu_ms:.2f} ms CPU each)"
    )
    print(f"  bare:  {n / one.alone:7.0f} objects/s ({one.alone:.2f} s)")
    print(f"  ratio: {one.ratio:.2f} (goal: at least 0.6); at one speed {one.ratio_at_one_speed:.2f}")


def _present(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--groups", type=int, default=0)
    parser.add_argument("--memberships", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--database-url", help="the engine's database; SQLite in a temporary folder by default")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    quiet()
    if options.serve:
        await serve(options.serve)
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {options.users} users")
    ratios = []
    for n in range(options.rounds):
        print(f"round {n + 1}")
        done = await one_round(Size(options.users, options.groups, options.memberships), options.database_url)
        show(done)
        ratios.append(done.ratio)
    print(f"best ratio {max(ratios):.2f}, worst {min(ratios):.2f}")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
