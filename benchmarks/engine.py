"""The engine's goals for speed and memory (issue "The provisioning service"), each measured and told beside its goal.

    scripts/bench engine [--users 2000] [--rows initial,unchanged,changes,member,memory,log] [--profile]

initial    N people, N/50 groups, 5 N memberships into our own provider in another process; beside it a bare loop that
           sends the same writes (``cycle.py``)
unchanged  a full re-evaluation of N linked people: nothing to send
changes    100 changes at once, then single changes and disables, from the commit to the acknowledgement
member     one more member of a group of N
memory     the peak of a process that runs the initial cycle of N and of 2 N people
log        initial cycles of N people into our own provider, by turns with the provisioning log and with its making and
           writing taken out (here only): what the log costs the process that runs the cycle

All but ``initial`` and ``log`` use a target in this process, so that what is measured is the engine. The goals are for
10,000, 100,000 and 200,000 people on 2 cores; a smaller size shows where time goes, not whether they are met.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import platform
import pstats
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import msgspec

sys.path.insert(0, str(Path(__file__).parent))

import cycle
from plan import IndexedTarget, load_people

from provisor.app.services import AppServices, open_services, wire
from provisor.app.settings import Settings
from provisor.app.worker import running_worker
from provisor.applications.model import App
from provisor.clock import SystemClock
from provisor.connector.transport import Request, Response, Transport
from provisor.provisioning.engine import run_inline
from provisor.provisioning.entry import Writer
from provisor.provisioning.log import store as log_store
from provisor.provisioning.log.blocks import Line
from provisor.provisioning.notes import Notes
from provisor.security.actor import operator
from provisor.security.secrets import load_key
from provisor.storage.factory import sqlite_path
from provisor.testing.transport import json_reply

ADDRESS = "https://target.test/scim/v2"
CHANGES = 100
SINGLE = 20
POLL = 0.01
KEPT = 1_000
LOG_ROUNDS = 4
# Fewer people are a trial of the benchmark itself.
FEW = 1_000


class ForgetfulTarget:
    """Takes everything and keeps only the latest, so that a process's memory is the engine's alone."""

    def __init__(self) -> None:
        self._latest: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def send(self, request: Request) -> Response:
        if request.method == "GET":
            # The engine searches for somebody whom it has just created, and stops if that does not find them.
            name = unquote(request.url).partition('userName eq "')[2].rstrip('"')
            found = [self._latest[name]] if name in self._latest else []
            return json_reply({"totalResults": len(found), "Resources": found})
        if request.method == "POST":
            made = {**msgspec.json.decode(request.body or b"{}"), "id": str(uuid.uuid4())}
            self._latest[made["userName"]] = made
            if len(self._latest) > KEPT:
                self._latest.popitem(last=False)
            return json_reply(made, status=201)
        return Response(204, {}, b"")

    async def close(self) -> None:
        """There is nothing to let go of."""


@dataclass
class Bench:
    """A directory whose people are all in the target."""

    services: AppServices
    target: IndexedTarget
    tenant_id: str
    app: App
    ids: list[str]

    def sent(self) -> tuple[int, int]:
        """Requests and, of these, writes since the last ``clear``."""
        requests = self.target.requests
        return len(requests), sum(1 for request in requests if request.method != "GET")

    def clear(self) -> None:
        self.target.requests.clear()

    async def inline(self) -> dict[str, int]:
        """The counts of the cycle that is due."""
        cycle_id = await run_inline(self.services.engine("bench"), self.app.job_id)
        if cycle_id is None:
            raise SystemExit("no cycle was due")
        done = await self.services.provisioning.cycle(operator(), self.app.job_id, cycle_id)
        if done is None or done.state != "Succeeded" or done.counts is None or done.counts["failed"]:
            raise SystemExit(f"the cycle did not succeed: {done}")
        return dict(done.counts)

    async def settled(self, writes: int) -> None:
        """Until so many writes were sent, and the cycle that sent them has acknowledged them and ended."""
        store, job_id = self.services.stores.jobs, self.app.job_id
        while self.sent()[1] < writes:
            await asyncio.sleep(POLL)
        while (await store.state(job_id, self.services.clock.now_ms())).running_cycle_id is not None:
            await asyncio.sleep(POLL)


def tell(row: str, goal: str, measured: str, more: str = "") -> None:
    print(f"{row:<22} goal {goal:<34} measured {measured:<24} {more}".rstrip(), flush=True)


def wired(opened: AppServices, folder: Path, target: Transport) -> AppServices:
    return wire(opened.database, load_key(folder, os.environ), target, opened.settings, SystemClock())


async def job_of(services: AppServices, tenant_id: str) -> App:
    """A job whose scope is everybody, and which no guard holds up: people are disabled here again and again."""
    app = await services.applications.add(operator(), tenant_id, "scim", "Bench", ADDRESS, secret_token="bench")
    await services.applications.change_settings(operator(), app.job_id, {"sync_all": True, "guard": {"enabled": False}})
    return app


@asynccontextmanager
async def bench(users: int) -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="provisor-bench-") as name:
        folder = Path(name)
        target = IndexedTarget()
        async with open_services(replace(Settings(data_dir=folder), environment=os.environ)) as opened:
            services = wired(opened, folder, target)
            tenant = await services.directory.create_tenant(operator(), "Bench", "bench.example")
            ids = await load_people(services, tenant.id, users)
            made = Bench(services, target, tenant.id, await job_of(services, tenant.id), ids)
            await services.provisioning.start(operator(), made.app.job_id)
            await made.inline()
            made.clear()
            yield made


async def initial(users: int) -> None:
    size = cycle.Size(users, groups=max(1, users // 50), memberships=5 * users)
    one = await cycle.one_round(size, None)
    tell(
        "initial",
        "at least 0.6, over 300 objects/s",
        f"{one.ratio:.2f} ({one.ratio_at_one_speed:.2f} at one speed), {size.objects / one.took:.0f} objects/s",
        f"{one.took:.2f} s beside {one.alone:.2f} s; {one.cpu / size.objects * 1000:.2f} ms CPU an object",
    )
    managers = one.writes - one.creates - one.of_members
    tell(
        "writes",
        "1.05 of the necessary",
        f"{one.writes / size.necessary:.3f} of the necessary",
        f"{one.creates} creates, {one.of_members} of members, {managers} of managers who came after their reports",
    )
    tell("reads", "none is set", str(one.requests - one.writes), "who might be there already")


async def unchanged(users: int) -> None:
    async with bench(users) as made:
        for everybody in (False, True):
            # A change of scope that is taken back: all are looked at anew, and all are as they should be.
            await made.services.applications.set_sync_all(operator(), made.app.job_id, everybody)
        began, cpu = time.perf_counter(), time.process_time()
        counts = await made.inline()
        took, used = time.perf_counter() - began, time.process_time() - cpu
        if counts["considered"] != users:
            raise SystemExit(f"not everybody was looked at: {counts}")
        requests, _ = made.sent()
        tell(
            "unchanged",
            "0 requests, 30 s for 100,000",
            f"{requests} requests, {took:.2f} s",
            f"{users / took:.0f} objects/s ({100_000 / users * took:.0f} s for 100,000); {used:.2f} s CPU",
        )


async def changes(users: int) -> None:
    async with bench(users) as made, running_worker(made.services):
        await asyncio.sleep(1.5)
        directory, tenant_id = made.services.directory, made.tenant_id
        many, single = min(CHANGES, users // 3), min(SINGLE, users // 10)
        begin = made.ids[:many]
        requests = necessary = 0

        async def timed(change: dict[str, dict[str, object]]) -> float:
            nonlocal requests, necessary
            made.clear()
            await directory.update_users(operator(), tenant_id, change)
            began = time.perf_counter()
            await made.settled(len(change))
            took = time.perf_counter() - began
            requests, necessary = requests + made.sent()[0], necessary + len(change)
            return took

        took = await timed({id_: {"jobTitle": "Changed"} for id_ in begin})
        tell("changes, at once", "3 s for 100", f"{took:.2f} s for {many}")
        one = [await timed({id_: {"jobTitle": "Another"}}) for id_ in made.ids[many : many + single]]
        tell("changes, one", "p95 under 2 s", f"p95 {p95(one):.2f} s", f"median {sorted(one)[len(one) // 2]:.2f} s")
        off = [await timed({id_: {"accountEnabled": False}}) for id_ in made.ids[-single:]]
        tell("changes, disable", "p95 under 1 s", f"p95 {p95(off):.2f} s", f"median {sorted(off)[len(off) // 2]:.2f} s")
        tell("changes, requests", "1.05 of the necessary", f"{requests / necessary:.3f}", f"{requests} sent")


async def member(users: int) -> None:
    async with bench(users) as made:
        directory, tenant_id = made.services.directory, made.tenant_id
        attributes = {"displayName": "Everybody", "securityEnabled": True}
        group = await directory.create_group(operator(), tenant_id, attributes)
        for at in range(0, users - 1, 1000):
            await directory.add_members(operator(), tenant_id, group.id, made.ids[at : min(at + 1000, users - 1)])
        await made.inline()
        made.clear()
        await directory.add_members(operator(), tenant_id, group.id, [made.ids[-1]])
        began = time.perf_counter()
        await made.inline()
        took = time.perf_counter() - began
        requests, writes = made.sent()
        tell(
            "member",
            "1 request, none reading members",
            f"{requests} request, {requests - writes} reading",
            f"{took:.3f} s into a group of {users - 1}",
        )


async def load(folder: Path, users: int) -> None:
    """In a process of its own: what it takes to invent people is not the engine's."""
    async with open_services(replace(Settings(data_dir=folder), environment=os.environ)) as opened:
        services = wired(opened, folder, ForgetfulTarget())
        tenant = await services.directory.create_tenant(operator(), "Bench", "bench.example")
        await load_people(services, tenant.id, users)
        app = await job_of(services, tenant.id)
        await services.provisioning.start(operator(), app.job_id)
        print(app.job_id)


async def one_cycle(folder: Path, job_id: str) -> None:
    """In a process of its own: an initial cycle; its peak of memory in KiB."""
    async with open_services(replace(Settings(data_dir=folder), environment=os.environ)) as opened:
        services = wired(opened, folder, ForgetfulTarget())
        if await run_inline(services.engine("bench"), job_id) is None:
            raise SystemExit("no cycle was due")
        done = (await services.stores.jobs.cycles(job_id, 1))[0]
        if done.state != "Succeeded" or not done.counts or done.counts["failed"]:
            raise SystemExit(f"the cycle did not succeed: {done}")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


async def memory(users: int) -> None:
    peaks: list[float] = []
    for n in (users, 2 * users):
        with tempfile.TemporaryDirectory(prefix="provisor-bench-") as folder:
            job_id = _own_process("--load", folder, "--users", str(n))
            peaks.append(int(_own_process("--one-cycle", folder, "--job", job_id)) / 1024)
    tell(
        "memory",
        "400 MB at 200,000, no growth",
        f"{peaks[0]:.0f} MB, {peaks[1]:.0f} MB at twice",
        f"{peaks[1] / peaks[0]:.2f} of it, at {users} and {2 * users} people",
    )


@contextmanager
def unlogged() -> Iterator[None]:
    """The provisioning log is neither made nor written while this lasts."""
    line = Line("", "User", "", "", None, b"", None, "")

    async def drop(*_: object, **__: object) -> None:
        """Nothing is written."""

    with ExitStack() as stack:
        stack.enter_context(patch.object(Notes, "log", lambda *_, **__: None))
        stack.enter_context(patch.object(Writer, "row", lambda *_, **__: line))
        stack.enter_context(patch.object(Writer, "members", lambda *_, **__: line))
        stack.enter_context(patch.object(log_store, "save", drop))
        yield


async def log(users: int) -> None:
    await cost_of_log("log, people", cycle.Size(users))
    await cost_of_log("log, memberships", cycle.Size(users, groups=max(1, users // 50), memberships=5 * users))


async def cost_of_log(row: str, size: cycle.Size) -> None:
    used: dict[bool, list[float]] = {True: [], False: []}
    taken: dict[bool, list[float]] = {True: [], False: []}
    for n in range(LOG_ROUNDS if size.users >= FEW else 1):
        with tempfile.TemporaryDirectory(prefix="provisor-bench-") as name:
            folder = Path(name)
            async with cycle.provider(folder / "provider") as (url, keys, _):
                # Each is first in turn, since the second finds a larger provider.
                for key, logs in zip(keys, (True, False) if n % 2 else (False, True), strict=True):
                    with nullcontext() if logs else unlogged():
                        _, took, cpu = await cycle.own_cycle(folder / f"logs-{logs}", url, key, size, None)
                    entries = _entries(folder / f"logs-{logs}")
                    if bool(entries) is not logs:
                        raise SystemExit(f"{entries} entries of the log were written")
                    used[logs].append(cpu)
                    taken[logs].append(took)
    # The least disturbed round of each: others may share the machine.
    cpu_ratio, ratio = (min(of[True]) / min(of[False]) for of in (used, taken))
    tell(
        row,
        "1.10 of the CPU without a log",
        f"{cpu_ratio:.3f} of the CPU, {ratio:.3f} of the time",
        f"CPU with {_each(used[True])}, without {_each(used[False])}; s with {_each(taken[True])}, "
        f"without {_each(taken[False])}",
    )


def _entries(folder: Path) -> int:
    with closing(sqlite3.connect(sqlite_path(folder))) as connection:
        return int(connection.execute("SELECT COALESCE(SUM(entries), 0) FROM provisioning_log_block").fetchone()[0])


def _each(values: list[float]) -> str:
    return "/".join(f"{value:.2f}" for value in values)


def _own_process(*arguments: str) -> str:
    done = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[-1]


def p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]


ROWS: dict[str, Callable[[int], Awaitable[None]]] = {
    "initial": initial,
    "unchanged": unchanged,
    "changes": changes,
    "member": member,
    "memory": memory,
    "log": log,
}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--rows", default=",".join(ROWS), help="which, comma separated; all by default")
    parser.add_argument("--profile", action="store_true", help="where the time of this process goes, at the end")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one-cycle", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--job", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    cycle.quiet()
    rows = options.rows.split(",")
    if options.users < 50 or not set(rows) <= set(ROWS):
        parser.error(f"--users is 50 or more, --rows of {', '.join(ROWS)}")
    if options.load:
        await load(options.load, options.users)
        return
    if options.one_cycle:
        await one_cycle(options.one_cycle, options.job)
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {options.users} users")
    profile = cProfile.Profile()
    if options.profile:
        profile.enable()
    for row in rows:
        await ROWS[row](options.users)
    if options.profile:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
