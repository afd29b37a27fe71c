"""What every page of the portals costs the server's process, at 100,000 users and a million log entries.

scripts/bench portal [--engine sqlite|postgresql] [--users N] [--entries N] [--rounds N] [--only TEXT] [--limit MS]

A database is filled, ``provisor serve`` runs on it, and each page is asked for by somebody who has signed in. What
counts is the CPU time of the server process for the page, all its threads together, and on PostgreSQL that of the
database's processes too: the least of several rounds, as neighbours only add to it. The ceiling is ``/healthz`` of the
same process. A page of 200 ms or more is a failure.
``portal_data.py`` fills the company's side, ``portal_centre.py`` the directory's; each gives its pages.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from portal_centre import fill_centre  # noqa: E402 - beside this file
from portal_data import KEY, Filled, fill_company  # noqa: E402 - beside this file

from provisor.testing.database import PostgresServer, Store, sqlite_store  # noqa: E402

MOST_MS = 200
HEALTH = "/healthz"


class Processes:
    """What serves: one process, and a database's with its children."""

    def __init__(self, server: int, database: int | None) -> None:
        self._server = server
        self._database = database

    def cpu(self) -> float:
        """Seconds of CPU so far, all threads."""
        pids = [self._server]
        if self._database is not None:
            children = Path(f"/proc/{self._database}/task/{self._database}/children").read_text().split()
            pids += [int(child) for child in children if _serves_a_client(int(child))]
        return sum(_cpu(pid) for pid in pids)


def _serves_a_client(pid: int) -> bool:
    """Not what tidies up behind what was filled, which no page costs."""
    return b" [local] " in Path(f"/proc/{pid}/cmdline").read_bytes()


def _cpu(pid: int) -> float:
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


async def measure(client: httpx.AsyncClient, processes: Processes, path: str, rounds: int) -> tuple[float, int]:
    """Milliseconds of CPU for a page, and its bytes. The first answer only warms up."""
    costs = []
    size = 0
    for number in range(rounds + 1):
        before = processes.cpu()
        reply = await client.get(path)
        if reply.status_code != 200:
            raise SystemExit(f"{path}: {reply.status_code} {reply.text[:300]}")
        size = len(reply.content)
        # What goes on after the answer belongs to its cost.
        await asyncio.sleep(0.02)
        if number:
            costs.append((processes.cpu() - before) * 1000)
    return min(costs), size


async def compare(arguments: argparse.Namespace, store: Store, database: int | None) -> bool:
    """Fill, serve, measure; whether a page is too slow. ``database``: a server's first process, if there is one."""
    environment = {**store.environment, "PROVISOR_SECRET_KEY": KEY}
    began = time.monotonic()
    filled: list[Filled] = [
        await fill_company(environment, arguments.users, arguments.entries),
        await fill_centre(environment, arguments.users, arguments.entries),
    ]
    seconds = time.monotonic() - began
    if store.url is not None:
        # What autovacuum does within minutes; until then the planner knows nothing of what was filled at once.
        with psycopg.connect(store.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provisor", "serve", "--port", "0", "--no-worker"),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode().strip()
    address = line.removeprefix("ready ")
    processes = Processes(process.pid, database)
    slow = False
    try:
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {arguments.engine}")
        size_ = f"{arguments.users:,} users, {arguments.entries:,} entries in each log"
        print(f"{size_}, filled in {seconds:.0f} s; CPU of the serving processes per page\n")
        print(f"{'page':58}{'KB':>7}{'ms':>9}{'× health':>10}")
        for part in filled:
            async with httpx.AsyncClient(base_url=address, cookies=part.cookies, timeout=120) as client:
                ceiling, _ = await measure(client, processes, HEALTH, 20)
                for name, path in part.pages.items():
                    if arguments.only not in name:
                        continue
                    cost, size = await measure(client, processes, path, arguments.rounds)
                    slow |= cost >= arguments.limit
                    mark = "  TOO SLOW" if cost >= arguments.limit else ""
                    print(f"{name:58}{size / 1024:7.0f}{cost:9.1f}{cost / max(ceiling, 1e-3):10.0f}{mark}")
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    return slow


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="Only pages with this in their name.")
    parser.add_argument("--limit", type=int, default=MOST_MS, help="Milliseconds from which on a page is too slow.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provisor-bench-") as folder, ExitStack() as stack:
        database = None
        if arguments.engine == "postgresql":
            server = stack.enter_context(PostgresServer())
            store, database = server.store(Path(folder) / "data"), server.pid
        else:
            store = sqlite_store(Path(folder) / "data")
        sys.exit(1 if asyncio.run(compare(arguments, store, database)) else 0)


if __name__ == "__main__":
    main()
