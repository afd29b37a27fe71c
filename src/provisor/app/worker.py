"""Who runs when: cycles as durable DBOS workflows, one at a time per job, woken by a short look at our own tables.

Our tables say *what* is to be done (``ProvisioningStore.jobs_behind``); DBOS says *who* does it, and resumes what a
crash cut off. A workflow's step is one batch of the engine, and what a step did is committed with its outcome rows, so
DBOS's store can be thrown away at any time. Decisions and traps: ``docs/adr/0004-durable-cycles.md``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID
from sqlalchemy import Engine, event

from provisor.app.locks import ExecutorBusy, WorkerLock, take_worker_lock
from provisor.app.mail import mailing
from provisor.app.pacing import sharing_pace
from provisor.app.services import AppServices
from provisor.app.sharing import part, share_out
from provisor.app.upkeep.schedule import keeping
from provisor.app.webhooks import delivering
from provisor.clock import iso
from provisor.errors import Unavailable
from provisor.provisioning.engine import Engine as CycleEngine

# The version of the workflow's form. A workflow that another form began is not taken up: our tables begin it anew.
WORKFLOW_FORMAT = "provisor-1"
QUEUE = "cycles"
POLL_SECONDS = 0.2
# On SQLite cycles start without the queue. What lies in it was left by another program or another executor.
_SELDOM_SECONDS = 5.0
# DBOS keeps one row a step: after so many, the cycle goes on in a new workflow.
STEPS_PER_WORKFLOW = 900
SHARE_MS = 1_000
# If the queue has lost what was put into it (its store is expendable), it is put there again after this time.
ENQUEUED_MS = 30_000
# A batch is over by then: each of its requests has a timeout of 30 s.
STOP_SECONDS = 90
KEEP_RUNS_MS = 24 * 3_600_000

log = structlog.get_logger(__name__)


class WorkerFailed(Unavailable):
    """The worker cannot start."""


class _Current:
    """The engine of this process: DBOS knows workflows by name, so they find it here."""

    engine: CycleEngine | None = None
    stopping = False


def _engine() -> CycleEngine:
    if _Current.engine is None:
        raise WorkerFailed("A cycle was started in a process that has no worker.")
    return _Current.engine


@DBOS.step(name="begin")
async def _begin(job_id: str) -> str | None:
    return await _engine().begin(job_id)


@DBOS.step(name="batch")
async def _batch(job_id: str, cycle_id: str) -> bool:
    return (await _engine().advance(job_id, cycle_id)).done


@DBOS.workflow(name="cycle")
async def _cycle(job_id: str) -> str | None:
    cycle_id = await _begin(job_id)
    if cycle_id is None:
        return None
    for _ in range(STEPS_PER_WORKFLOW):
        if await _batch(job_id, cycle_id) or _Current.stopping:
            break
    # Where the cycle is not done, the look at our tables finds it and enqueues what goes on with it.
    return cycle_id


@asynccontextmanager
async def running_worker(services: AppServices, *, wait: bool = False) -> AsyncIterator[WorkerLock]:
    """A worker for as long as the block lasts: cycles run, webhooks are called, mail leaves.

    Raises ``ExecutorBusy`` when another holds its place; ``wait``: until the place is free, instead.
    """
    lock = await _take(services, wait=wait)
    ticking: asyncio.Task[None] | None = None
    try:
        await services.stores.leases.drop_leases_of(lock.executor_id)
        await services.stores.jobs.all_dequeued()
        await _launch(services, lock)
        ticking = asyncio.create_task(_tick(services, lock))
        async with (
            delivering(services.deliveries, services.clock),
            mailing(services.mail_delivery, services.clock),
            keeping(services),
            sharing_pace(services.targets, services.paces, services.clock, lock.executor_id),
        ):
            yield lock
    finally:
        try:
            # Without a task to end, the launch itself failed: there is no DBOS to ask for running batches.
            if ticking is not None:
                await asyncio.wait_for(_finish(services, ticking, lock), STOP_SECONDS)
        finally:
            await _end_dbos()
            _Current.engine = None
            await lock.release()


async def _take(services: AppServices, *, wait: bool) -> WorkerLock:
    settings = services.settings
    url = settings.database_url if settings.engine == "postgresql" else None
    while True:
        lock = await take_worker_lock(folder=settings.lock_dir, url=url, executor_id=settings.executor_id)
        if lock is not None:
            return lock
        if not wait:
            raise ExecutorBusy(
                "Another process is the worker of this database.",
                hint="Let it do the work, or stop it first.",
            )
        await asyncio.sleep(1)


async def _launch(services: AppServices, lock: WorkerLock) -> None:
    settings = services.settings
    _Current.engine, _Current.stopping = services.engine(lock.executor_id), False
    # A batch makes many short-lived objects and no cycles of them: the collector's default, a look at every 700 new
    # ones, took a fifth of a cycle's CPU (scripts/bench engine).
    gc.set_threshold(50_000, 20, 100)
    if settings.engine == "postgresql":
        url = settings.database_url or ""
    else:
        path = settings.lock_dir / "dbos.db"
        await asyncio.to_thread(_prepare_sqlite, path)
        _teach_old_sqlite()
        url = f"sqlite:///{path.resolve()}"
    config: DBOSConfig = {
        "name": "provisor",
        "system_database_url": url,
        "application_version": WORKFLOW_FORMAT,
        "executor_id": lock.executor_id,
        "log_level": "WARNING",
    }
    DBOS(config=config)
    # Called on the event loop's own thread, so that workflows run on this loop, where our connections live.
    DBOS.launch()
    await DBOS.register_queue_async(
        QUEUE,
        partition_concurrency=1,
        polling_interval_sec=POLL_SECONDS if settings.engine == "postgresql" else _SELDOM_SECONDS,
        on_conflict="always_update",
    )


@cache
def _teach_old_sqlite() -> None:
    """With Python 3.12 and newer, DBOS writes ``unixepoch('subsec')``, which SQLite knows since 3.42. Debian 12 has
    3.40, where it is null and DBOS cannot make its tables: there, its connections get the function from us."""
    if sqlite3.sqlite_version_info >= (3, 42):
        return

    @event.listens_for(Engine, "connect")
    def add(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.create_function("unixepoch", 1, lambda what: time.time() if what == "subsec" else None)


async def _finish(services: AppServices, ticking: asyncio.Task[None], lock: WorkerLock) -> None:
    """Let the look at our tables and the running batches end. A workflow that is cut off would be repeated, for
    nothing; one that is cut off while it is begun would be taken for one that runs."""
    _Current.stopping = True
    services.work_waits.set()
    await ticking
    while await DBOS.list_workflows_async(status="PENDING", executor_id=lock.executor_id, limit=1):
        await asyncio.sleep(0.05)


async def _end_dbos() -> None:
    """Stop DBOS from a thread of its own, for it joins threads. It has made the loop's thread pool its own and takes it
    down with it, so the loop gets a new one before."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="provisor"))
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="end-dbos") as own:
        await loop.run_in_executor(own, DBOS.destroy)


def _prepare_sqlite(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _is_stopping() -> bool:
    return _Current.stopping


async def _tick(services: AppServices, lock: WorkerLock) -> None:
    """Look at our tables, five times a second and when told to: which job has something to do that nobody does?"""
    cleaned = shared = 0
    while not _is_stopping():
        try:
            now = services.clock.now_ms()
            if now - shared > SHARE_MS:
                shared = now
                await _share(services, lock, now)
            for job_id in await services.stores.jobs.jobs_behind(now, free=True):
                if _is_stopping():
                    break
                await _enqueue(services, lock, job_id, now)
            if now - cleaned > KEEP_RUNS_MS / 24:
                cleaned = now
                await _forget_old_runs(now)
        except Exception:
            # The database may be away for a moment; the next look comes in a moment, and this one is told.
            log.exception("look for work failed")
            await asyncio.sleep(1)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(services.work_waits.wait(), POLL_SECONDS)
        services.work_waits.clear()


async def _enqueue(services: AppServices, lock: WorkerLock, job_id: str, now: int) -> None:
    """Put a cycle of a job that nobody works on into the queue, or put back what a dead worker has left.

    Nobody's lease holds here. So a workflow that is still pending at another executor belongs to one that is dead, or
    was stalled for longer than its lease; it keeps its place in the job's partition until it is resumed.
    """
    if not await services.stores.jobs.claim_enqueueing(job_id, now=now, until=now + ENQUEUED_MS):
        return
    left = await DBOS.list_workflows_async(
        status=["PENDING", "ENQUEUED"], workflow_id_prefix=f"{job_id}/", load_input=False, load_output=False
    )
    for run in left:
        if run.status == "PENDING" and run.executor_id == lock.executor_id:
            # Its cycle is over, and DBOS has not written that down yet: the next look finds it gone.
            await services.stores.jobs.dequeued(job_id)
        elif run.status == "PENDING":
            log.warning("taking over", job_id=job_id, from_executor=run.executor_id)
            await DBOS.resume_workflow_async(run.workflow_id, queue_name=QUEUE)
    if left:
        return
    with SetWorkflowID(f"{job_id}/{uuid.uuid4()}"):
        if services.settings.engine == "sqlite":
            # Nobody to share with: it starts now, and not when the queue is looked at next.
            await DBOS.start_workflow_async(_cycle, job_id)
            return
        await _share(services, lock, now)
        with SetEnqueueOptions(queue_partition_key=job_id):
            await DBOS.enqueue_workflow_async(QUEUE, _cycle, job_id)


async def _share(services: AppServices, lock: WorkerLock, now: int) -> None:
    if services.settings.engine == "sqlite":
        return
    workers = await lock.workers()
    running, waiting, claimed_until = await services.stores.jobs.under_way(now) if workers > 1 else (0, 0, None)
    waited = now - (claimed_until - ENQUEUED_MS) if claimed_until is not None else 0
    await share_out(QUEUE, part(running, waiting, workers, waited))


async def _forget_old_runs(now: int) -> None:
    runs: list[Any] = await DBOS.list_workflows_async(
        name="cycle", status=["SUCCESS", "ERROR", "CANCELLED"], end_time=iso(now - KEEP_RUNS_MS), limit=1_000
    )
    if runs:
        await DBOS.delete_workflows_async([run.workflow_id for run in runs])
