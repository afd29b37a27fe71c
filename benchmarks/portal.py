"""What every page of the portals costs the server's process, at 100,000 users and a million log entries.

scripts/bench portal [--users N] [--entries N] [--rounds N] [--only TEXT] [--limit MS]

A database is filled, ``provisor serve`` runs on it, and each page is asked for by somebody who has signed in. What
counts is the CPU time of the server process for the page, all its threads together: the least of several rounds, as
neighbours only add to it. The ceiling is ``/healthz`` of the same process. A page of 200 ms or more is a failure.
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
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from portal_centre import fill_centre  # noqa: E402 - beside this file
from portal_data import KEY, Filled, fill_company  # noqa: E402 - beside this file

MOST_MS = 200
HEALTH = "/healthz"


def cpu(pid: int) -> float:
    """Seconds of CPU of a process so far, all threads."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


async def measure(client: httpx.AsyncClient, pid: int, path: str, rounds: int) -> tuple[float, int]:
    """Milliseconds of CPU for a page, and its bytes. The first answer only warms up."""
    costs = []
    size = 0
    for number in range(rounds + 1):
        before = cpu(pid)
        reply = await client.get(path)
        if reply.status_code != 200:
            raise SystemExit(f"{path}: {reply.status_code} {reply.text[:300]}")
        size = len(reply.content)
        # What goes on after the answer belongs to its cost.
        await asyncio.sleep(0.02)
        if number:
            costs.append((cpu(pid) - before) * 1000)
    return min(costs), size


async def compare(arguments: argparse.Namespace, folder: Path) -> bool:
    """Fill, serve, measure; whether a page is too slow."""
    filled: list[Filled] = [
        await fill_company(folder, arguments.users, arguments.entries),
        await fill_centre(folder, arguments.users, arguments.entries),
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provisor", "--data", str(folder), "serve", "--port", "0", "--no-worker"),
        env={**os.environ, "PROVISOR_SECRET_KEY": KEY},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode().strip()
    address = line.removeprefix("ready ")
    slow = False
    try:
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite")
        print(f"{arguments.users:,} users, {arguments.entries:,} requests logged; CPU of the server process per page\n")
        print(f"{'page':58}{'KB':>7}{'ms':>9}{'× health':>10}")
        for part in filled:
            async with httpx.AsyncClient(base_url=address, cookies=part.cookies, timeout=120) as client:
                ceiling, _ = await measure(client, process.pid, HEALTH, 20)
                for name, path in part.pages.items():
                    if arguments.only not in name:
                        continue
                    cost, size = await measure(client, process.pid, path, arguments.rounds)
                    slow |= cost >= arguments.limit
                    mark = "  TOO SLOW" if cost >= arguments.limit else ""
                    print(f"{name:58}{size / 1024:7.0f}{cost:9.1f}{cost / max(ceiling, 1e-3):10.0f}{mark}")
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    return slow


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="Only pages with this in their name.")
    parser.add_argument("--limit", type=int, default=MOST_MS, help="Milliseconds from which on a page is too slow.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provisor-bench-") as folder:
        sys.exit(1 if asyncio.run(compare(arguments, Path(folder))) else 0)


if __name__ == "__main__":
    main()
