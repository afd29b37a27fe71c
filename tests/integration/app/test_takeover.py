"""Worker processes on one PostgreSQL: what a killed or stalled one had in hand, another finishes. Nothing twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
import pytest

from provisor.app.locks import ExecutorBusy, take_worker_lock
from provisor.app.services import wire
from provisor.app.settings import Settings
from provisor.clock import SystemClock
from provisor.security.actor import operator
from provisor.security.secrets import load_key
from provisor.storage.database import Database, Row
from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import slow
from provisor.testing.target_http import serve

PEOPLE = 120
KEY = "00" * 32


@asynccontextmanager
async def worker(store: Store) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of its own, ended at the end whatever the test did to it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "provisor",
        *store.arguments,
        "worker",
        env={**os.environ, "PROVISOR_SECRET_KEY": KEY},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        await process.wait()


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it did not happen")


@asynccontextmanager
async def started_job(store: Store, target: SimulatedTarget, domain: str = "example.org") -> AsyncIterator[None]:
    database = store.database()
    await database.open()
    services = wire(
        database,
        load_key(None, {"PROVISOR_SECRET_KEY": KEY}, database="postgresql"),
        target,
        Settings(data_dir=store.data_dir, database_url=store.url),
        SystemClock(),
    )
    try:
        tenant = await services.directory.create_tenant(operator(), domain, domain)
        app = await services.applications.add(operator(), tenant.id, "scim", "App", target.base_address)
        for n in range(PEOPLE):
            await services.directory.create_user(
                operator(),
                tenant.id,
                {"userPrincipalName": f"p{n}@{domain}", "displayName": f"P{n}", "accountEnabled": True},
            )
        await services.applications.set_sync_all(operator(), app.job_id, True)
        await services.provisioning.start(operator(), app.job_id)
        yield
    finally:
        await services.close()
        await database.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_another_worker_finishes_what_one_had_in_hand(postgresql_only: Store, how: signal.Signals) -> None:
    target = SimulatedTarget(clock=SystemClock())
    target.fault(slow(0.2), times=None)
    async with serve(target), started_job(postgresql_only, target), worker(postgresql_only) as first:
        await until(lambda: len(target.users) > 20)
        first.send_signal(how)
        async with worker(postgresql_only):
            await until(lambda: len(target.users) >= PEOPLE)
            if how is signal.SIGSTOP:
                first.send_signal(signal.SIGCONT)
                await asyncio.sleep(2)

    assert len(target.users) == len(target.users_by_name()) == PEOPLE
    created = [request.body["userName"] for request in target.sent("POST", "/Users") if request.status == 201]
    assert len(created) == len(set(created))


async def test_workers_share_the_jobs(postgresql_only: Store) -> None:
    target = SimulatedTarget(clock=SystemClock())
    # Slow enough that the first job's cycle still runs when the last one's begins.
    target.fault(slow(1.5), times=None)
    async with (
        worker(postgresql_only),
        worker(postgresql_only),
        serve(target),
        database_of(postgresql_only) as database,
    ):
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid <> 0"
        await until_asked(database, held, [(2,)])
        async with AsyncExitStack() as stack:
            for n in range(4):
                await stack.enter_async_context(started_job(postgresql_only, target, f"example{n}.org"))
            at_work = "SELECT count(*), count(DISTINCT holder) FROM lease WHERE expires_at > 0"
            await until_asked(database, at_work, [(4, 2)])


async def test_a_worker_whose_session_the_server_has_ended_takes_its_name_again(postgresql_only: Store) -> None:
    lock = await take_worker_lock(folder=postgresql_only.data_dir, url=postgresql_only.url, executor_id=None)
    assert lock is not None
    try:
        async with database_of(postgresql_only) as database:
            end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid <> 0"
            await asked(database, end)
            with pytest.raises(psycopg.OperationalError):
                await lock.workers()
            assert await lock.workers() == 1
            await asked(database, end)
            with pytest.raises(psycopg.OperationalError):
                await lock.workers()
            other = await take_worker_lock(folder=postgresql_only.data_dir, url=postgresql_only.url, executor_id=None)
            assert other is not None
            assert other.executor_id == lock.executor_id
            try:
                with pytest.raises(ExecutorBusy):
                    await lock.workers()
            finally:
                await other.release()
    finally:
        await lock.release()


@asynccontextmanager
async def database_of(store: Store) -> AsyncIterator[Database]:
    database = store.database()
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def asked(database: Database, sql: str) -> list[Row]:
    return await database.read(lambda tx: tx.fetch_all(sql))


async def until_asked(database: Database, sql: str, answer: list[Row]) -> None:
    found: list[Row] = []
    for _ in range(1_200):
        found = await asked(database, sql)
        if found == answer:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"it did not happen: {found}")
