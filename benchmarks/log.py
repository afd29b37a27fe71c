"""How long a page of the provisioning log takes, and what writing an entry costs, at a million entries.

    scripts/bench log [--entries 1000000] [--rounds 5] [--database-url URL]

Entries are written in batches of a cycle's size, as a cycle writes them. Then pages of 100 are asked for
by every filter, common and rare, alone and together, at the log's beginning and far back. The slowest counts;
beside it stands what reading one entry by its id takes in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import msgspec

from provisor.ids import new_id
from provisor.provisioning.entry import Facts, Story, Wire, Writer
from provisor.provisioning.log import store as log_store
from provisor.provisioning.log.blocks import Line, Lines
from provisor.provisioning.log.model import LogFilter
from provisor.provisioning.log.store import LogStore, Place
from provisor.storage.database import Database, Tx
from provisor.storage.factory import make_database
from provisor.storage.migrations import migrate

TENANT = new_id()
JOBS = [f"scim.{TENANT.replace('-', '')}.{new_id()}" for _ in range(3)]
BATCH = 200
FIRST = 1_767_225_600_000
# What a usual entry keeps.
WIRE = Wire("POST /Users", "x" * 500, 201, "x" * 700)
BODY = msgspec.json.encode(Facts(new_id(), FIRST, 3, "Person", None, None, Story("Add", {}, [], "create"), [], WIRE))


def line(n: int, pick: random.Random) -> Line:
    who = pick.randrange(100_000)
    kind = pick.random()
    status, code = ("success", None) if kind < 0.8 else ("skipped", "RedundantExport")
    if kind > 0.99:
        status, code = "failure", "InternalServerError" if kind < 0.9999 else "LicenseLimitExceeded"
    return Line(
        f"00000000-0000-0000-0000-{who:012d}",
        "User" if who % 20 else "Group",
        pick.choices(["create", "update", "other", "disable", "delete"], [50, 30, 19, 0.9, 0.1])[0],
        status,
        code,
        BODY,
        f"target-{who}",
        f"person.{who}@bench.example",
    )


async def fill(database: Database, entries: int) -> float:
    """Seconds that the writing took, without the making of the lines. One job has nine tenths of it."""
    pick, spent, cycle = random.Random(1), 0.0, new_id()
    for first in range(0, entries, BATCH):
        if first % 20_000 == 0:
            cycle = new_id()
        lines = Lines()
        for n in range(first, min(first + BATCH, entries)):
            lines.append(line(n, pick))
        job = JOBS[0] if pick.random() < 0.9 else pick.choice(JOBS[1:])
        writer = Writer(TENANT, job, cycle, new_id(), "App", "scim")

        async def work(tx: Tx, writer: Writer = writer, lines: Lines = lines, at: int = FIRST + first * 50) -> None:
            job, cycle = writer.common["jobId"], writer.common["cycleId"]
            await log_store.save(tx, lines, writer.common, tenant_id=TENANT, job_id=job, cycle_id=cycle, at=at)

        began = time.perf_counter()
        await database.write(work)
        spent += time.perf_counter() - began
    return spent


def questions(entries: int) -> dict[str, LogFilter]:
    last, middle = FIRST + entries * 50, FIRST + entries * 25
    return {
        "nothing": LogFilter(),
        "job": LogFilter(job_id=JOBS[1]),
        "status, common": LogFilter(status="success"),
        "status, rare": LogFilter(status="failure"),
        "action, rare": LogFilter(action="delete"),
        "error code, rare": LogFilter(error_code="LicenseLimitExceeded"),
        "source": LogFilter(source_id="00000000-0000-0000-0000-000000000777"),
        "target": LogFilter(target_id="target-777"),
        "name, common": LogFilter(source_name="PERSON"),
        "name, rare": LogFilter(source_name="n.77777@"),
        "name, nobody's": LogFilter(source_name="zebra"),
        "name and status": LogFilter(source_name="zebra", status="failure"),
        "time, the middle": LogFilter(since=middle, until=middle + 60_000),
        "time, the middle, failures": LogFilter(since=middle, until=last, status="failure"),
        "action and status, none": LogFilter(action="delete", status="nothing"),
        "job, action, status": LogFilter(job_id=JOBS[2], action="disable", status="failure"),
        "job and kind": LogFilter(job_id=JOBS[0], object_type="Group"),
    }


async def measure(store: LogStore, entries: int, rounds: int) -> dict[str, tuple[float, float, int]]:
    found: dict[str, tuple[float, float, int]] = {}
    far: Place = (FIRST + entries * 25, 0, 0)
    for name, wanted in questions(entries).items():
        times: list[float] = []
        rows = 0
        for before in [None, far] * rounds:
            began = time.perf_counter()
            page, _ = await store.page(TENANT, wanted, before=before, limit=100)
            times.append((time.perf_counter() - began) * 1000)
            rows = max(rows, len(page))
        found[name] = (statistics.median(times), max(times), rows)
    return found


async def one(store: LogStore, rounds: int) -> float:
    page, _ = await store.page(TENANT, LogFilter(), before=None, limit=100)
    began = time.perf_counter()
    for _ in range(rounds):
        for entry in page:
            await store.entry(TENANT, entry["id"])
    return (time.perf_counter() - began) * 1000 / (rounds * len(page))


async def main(entries: int, rounds: int, url: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = make_database(data_dir=Path(folder), url=url)
        await database.open()
        await migrate(database)
        store = LogStore(database)
        spent = await fill(database, entries)
        if url is not None:
            await analyze(url)
        single = await one(store, rounds)
        found = await measure(store, entries, rounds)
        await database.close()
    engine = f"SQLite {sqlite3.sqlite_version}" if url is None else "PostgreSQL"
    print(f"{engine}, Python {platform.python_version()}, {platform.machine()}: {entries} entries")
    print(f"written: {spent / entries * 1e6:.0f} µs an entry; one entry by its id: {single:.2f} ms")
    print(f"{'a page of 100 by':30} {'median':>9} {'slowest':>9} {'rows':>5}")
    for name, (median, slowest, rows) in found.items():
        print(f"{name:30} {median:6.1f} ms {slowest:6.1f} ms {rows:5}")
    worst = max(found, key=lambda name: found[name][1])
    print(f"slowest page: {worst}, {found[worst][1]:.1f} ms: {found[worst][1] / single:.0f} times one entry")


async def analyze(url: str) -> None:
    """What autovacuum does by itself within a minute."""
    import psycopg

    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database-url")
    asked = parser.parse_args()
    asyncio.run(main(asked.entries, asked.rounds, asked.database_url))
