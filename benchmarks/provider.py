"""What a request to the SCIM service provider costs its process, beside a bare server that validates nothing.

scripts/bench provider [--engine sqlite|postgresql] [--users N] [--large] [--rounds N]

Both servers run here, one after the other, and answer the same requests of the same client over loopback; the client
checks each answer. What is compared is the CPU time of the server process per request, the least of several rounds, as
neighbours only add to it. The bare server parses JSON, holds documents in SQLite (synchronous=FULL, one commit for all
requests of half a millisecond) or PostgreSQL, and knows three shapes of PATCH by heart.
``--large``: also a group of 100,000.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httptools
import msgspec
import uvloop

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
# The most that each may cost, times the bare server; at 100,000 members, times our own cost at 10,000.
GOALS = {
    "create user": 3.0,
    "filter userName": 3.0,
    "filter externalId": 3.0,
    "read user": 3.5,
    "patch user": 3.5,
    "create group": 3.5,
    "page of 100": 4.0,
}
MEMBER_GOAL = 3.0  # one member in or out
LARGE_GOAL = 1.3
MEMORY_GOAL_MIB = 200.0
# What is written after the answers, the log of requests, belongs to their cost.
SETTLE_S = 1.2
SPARE = 200  # users outside the groups, who join and leave


@dataclass(frozen=True)
class Ask:
    """One request and the statuses that it may be answered with."""

    method: str
    path: str
    body: Any = None
    ok: tuple[int, ...] = (200,)


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.answer: asyncio.Future[tuple[int, bytes]]
        self.parts: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.answer.set_result((self.parser.get_status_code(), b"".join(self.parts)))

    async def send(self, head: bytes, ask: Ask) -> bytes:
        body = b"" if ask.body is None else msgspec.json.encode(ask.body)
        self.parts, self.parser = [], httptools.HttpResponseParser(self)
        self.answer = asyncio.get_running_loop().create_future()
        length = f"content-length: {len(body)}\r\n\r\n".encode()
        self.transport.write(b"".join((f"{ask.method} {ask.path} HTTP/1.1\r\n".encode(), head, length, body)))
        status, answered = await self.answer
        if status not in ask.ok:
            raise SystemExit(f"{ask.method} {ask.path[:100]}: {status} {answered[:300]!r}")
        return answered


class Target:
    """A server under measurement."""

    def __init__(self, pid: int, port: int, prefix: str, token: str) -> None:
        self.pid, self.port, self.prefix = pid, port, prefix
        self._head = (
            f"host: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-type: application/scim+json\r\n"
        ).encode()

    def cpu(self) -> float:
        """Seconds of CPU so far, all threads; the scheduler counts nanoseconds, ``stat`` only ticks of 10 ms."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def memory(self, kind: str) -> float:
        """MiB resident (``Rss``), or its proportional share (``Pss``)."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(text.partition(f"\n{kind}:")[2].split()[0]) / 1024

    async def run(self, asks: list[Ask], at_once: int = 8) -> tuple[float, list[bytes]]:
        """All requests; milliseconds of server CPU for each, and the answers in order."""
        loop = asyncio.get_running_loop()
        answers: list[bytes] = [b""] * len(asks)
        numbered: Iterator[tuple[int, Ask]] = iter(enumerate(asks))

        async def worker() -> None:
            transport, connection = await loop.create_connection(Connection, "127.0.0.1", self.port)
            for number, ask in numbered:
                full = Ask(ask.method, self.prefix + ask.path, ask.body, ask.ok)
                answers[number] = await connection.send(self._head, full)
            transport.close()

        before = self.cpu()
        await asyncio.gather(*(worker() for _ in range(min(at_once, len(asks)))))
        if len(asks) > 1:
            await asyncio.sleep(SETTLE_S)
        return (self.cpu() - before) * 1000 / len(asks), answers


# --- what is asked ---------------------------------------------------------------------------------------------------


def person(number: int) -> dict[str, Any]:
    """A user as Entra's default mappings send one."""
    mail, name = f"user{number}@bench.example", f"Given{number} Family{number % 997}"
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": f"ext-{number}",
        "userName": mail,
        "active": True,
        "displayName": name,
        "title": "Engineer",
        "preferredLanguage": "en-US",
        "name": {"formatted": name, "givenName": f"Given{number}", "familyName": f"Family{number % 997}"},
        "emails": [{"primary": True, "type": "work", "value": mail}],
        "addresses": [{"type": "work", "streetAddress": f"{number} Main Street", "locality": "Bonn", "country": "DE"}],
        "phoneNumbers": [{"type": "work", "value": f"+49 228 {number}"}, {"type": "mobile", "value": f"+49 {number}"}],
        ENTERPRISE: {"employeeNumber": str(number), "department": f"Department {number % 40}", "costCenter": "7"},
    }


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def change(number: int) -> dict[str, Any]:
    return patch(
        {"op": "Replace", "path": "displayName", "value": f"Renamed {number}"},
        {"op": "Replace", "path": "title", "value": "Chief Engineer"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": f"new{number}@bench.example"},
        {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": f"New {number}"},
    )


def found(attribute: str, value: str) -> str:
    return "/Users?filter=" + quote(f'{attribute} eq "{value}"')


async def measure(target: Target, users: int, rounds: int, sizes: list[int]) -> dict[str, float]:
    """Milliseconds of server CPU for each kind of request."""
    cost: dict[str, float] = {}
    pick = random.Random(7)

    async def phase(name: str, asks: Callable[[], list[Ask]], at_once: int = 8) -> None:
        cost[name] = min([(await target.run(asks(), at_once))[0] for _ in range(rounds)])

    total = users + SPARE
    cost["create user"], answers = await target.run([Ask("POST", "/Users", person(n), (201,)) for n in range(total)])
    ids = [json.loads(answer)["id"] for answer in answers]
    some = [pick.randrange(users) for _ in range(2_000)]
    await phase("filter userName", lambda: [Ask("GET", found("userName", f"user{n}@bench.example")) for n in some])
    await phase("filter externalId", lambda: [Ask("GET", found("externalId", f"ext-{n}")) for n in some])
    await phase("read user", lambda: [Ask("GET", f"/Users/{ids[n]}") for n in some])
    pages = range(1, users, 100)
    await phase("page of 100", lambda: [Ask("GET", f"/Users?startIndex={start}&count=100") for start in pages], 4)
    await phase("patch user", lambda: [Ask("PATCH", f"/Users/{ids[n]}", change(n)) for n in some])
    groups = [{"schemas": [GROUP], "externalId": f"g{n}", "displayName": f"Group {n}"} for n in range(1_000)]
    cost["create group"], _ = await target.run([Ask("POST", "/Groups", group, (201,)) for group in groups])
    done = (200, 204)
    for size in sizes:
        big = {"schemas": [GROUP], "displayName": f"Big {size}"}
        group = json.loads((await target.run([Ask("POST", "/Groups", big, (201,))]))[1][0])["id"]
        path = f"/Groups/{group}"
        for at in range(0, size, 1_000):
            listed = [{"value": one} for one in ids[at : min(at + 1_000, size)]]
            await target.run([Ask("PATCH", path, patch({"op": "Add", "path": "members", "value": listed}), done)])
        adds, removes = [], []
        for _ in range(max(rounds, 3)):
            join = [patch({"op": "Add", "path": "members", "value": [{"value": one}]}) for one in ids[users:]]
            leave = [patch({"op": "Remove", "path": f'members[value eq "{one}"]'}) for one in ids[users:]]
            adds.append((await target.run([Ask("PATCH", path, body, done) for body in join], 1))[0])
            removes.append((await target.run([Ask("PATCH", path, body, done) for body in leave], 1))[0])
        cost[f"add 1 to {size}"], cost[f"remove 1 of {size}"] = min(adds), min(removes)
        whole = json.loads((await target.run([Ask("GET", path)]))[1][0])
        if len(whole["members"]) != size:
            raise SystemExit(f"{len(whole['members'])} members instead of {size}")
    return cost


# --- the two servers -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def ours(engine: list[str], data: Path) -> AsyncIterator[Target]:
    """``provisor serve --no-worker`` with a company and its key."""
    command = [sys.executable, "-m", "provisor", "--data", str(data), *engine]
    environment = {**os.environ, "PROVISOR_SECRET_KEY": "11" * 32}

    async def run(*words: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            *command, *words, "--output", "json", env=environment, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        if process.returncode:
            raise SystemExit(f"provisor {' '.join(words)} failed")
        return json.loads(out)

    await run("company", "create", "Bench")
    token = (await run("apikey", "create", "--name", "bench", "--expires", "2100-01-01"))["key"]
    async with served([*command, "serve", "--no-worker", "--port", "0"], environment) as (pid, port):
        yield Target(pid, port, "/scim/v2", token)


@asynccontextmanager
async def bare(url: str | None, data: Path) -> AsyncIterator[Target]:
    """The bare server of ``bare_server.py``."""
    environment = {**os.environ, "BARE_DATABASE": url or str(data / "bare.db")}
    async with served([sys.executable, str(HERE / "bare_server.py")], environment) as (pid, port):
        yield Target(pid, port, "", "secret")


@asynccontextmanager
async def served(command: list[str], environment: dict[str, str]) -> AsyncIterator[tuple[int, int]]:
    """A server process until the end of the block; it says its address in a line that ends in ``:PORT``."""
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    while True:
        line = (await process.stdout.readline()).decode()
        if not line:
            raise SystemExit(f"{command} did not start")
        port = line.strip().rstrip("/").rpartition(":")[2]
        if port.isdigit():
            break
    try:
        yield process.pid, int(port)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


# --- the run ---------------------------------------------------------------------------------------------------------


async def compare(arguments: argparse.Namespace, folder: Path, urls: list[str]) -> bool:
    """Measure both servers, print the table; whether a goal is missed. ``urls``: databases, none on SQLite."""
    sizes = [150, min(10_000, arguments.users)] + ([100_000] if arguments.large else [])
    users = max(arguments.users, sizes[-1])
    costs: list[dict[str, float]] = []
    memory: dict[str, float] = {}
    engine = ["--database-url", urls[0]] if urls else []
    for name, made in (
        ("provisor", ours(engine, folder / "data")),
        ("bare", bare(urls[1] if urls else None, folder)),
    ):
        async with made as target:
            print(f"{name} …", file=sys.stderr)
            costs.append(await measure(target, users, arguments.rounds, sizes))
            if name == "provisor":
                memory = {kind: target.memory(kind) for kind in ("Rss", "Pss", "Pss_Anon")}
    mine, other = costs
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{arguments.engine}, {users:,} users; CPU of the server process per request\n")
    print(f"{'':22}{'provisor':>10}{'bare':>10}{'ratio':>8}{'goal':>8}")
    missed = False
    for name, cost in mine.items():
        goal, ratio, note = GOALS.get(name, MEMBER_GOAL), cost / max(other[name], 1e-9), ""
        if name.endswith(" 100000"):
            goal, ratio, note = LARGE_GOAL, cost / mine[name.replace("100000", "10000")], "× our own at 10,000"
        missed |= ratio > goal
        mark = "" if ratio <= goal else "  MISSED"
        print(f"{name:22}{cost:8.3f}ms{other[name]:8.3f}ms{ratio:8.2f}{goal:8.1f}{mark} {note}")
    text = ", ".join(f"{kind} {size:.0f}" for kind, size in memory.items())
    print(f"\nmemory of provisor after it, MiB: {text}; goal at 100,000 users: Rss under {MEMORY_GOAL_MIB:.0f}")
    missed |= memory["Rss"] >= MEMORY_GOAL_MIB
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="also a group of 100,000, with as many users")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provisor-bench-")))
        urls: list[str] = []
        if arguments.engine == "postgresql":
            from provisor.testing.database import PostgresServer

            server = stack.enter_context(PostgresServer())
            stores = (server.store(folder / "ours"), server.empty_store(folder / "bare"))
            urls = [store.url or "" for store in stores]
        missed = uvloop.run(compare(arguments, folder, urls))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
