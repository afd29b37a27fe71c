"""Commands that need cycles to run: a worker in this process, and the way of one cycle from its start to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from provisor.clock import iso
from provisor.provisioning.log.model import Entry, LogFilter
from provisor.security.actor import operator
from provisor.tasks import end

if TYPE_CHECKING:
    from rich.console import Console

    from provisor.app.services import AppServices
    from provisor.provisioning.model import Cycle

LOOK_SECONDS = 0.1
PHASES = {
    "import": "reading the directory",
    "users": "users",
    "groups": "groups",
    "references": "managers and members",
    "finish": "adding up",
}


@asynccontextmanager
async def worker_here_or_elsewhere(services: AppServices, busy: Callable[[], None]) -> AsyncIterator[None]:
    """A worker in this process. While another process holds its place, ``busy`` is called, and this one waits for the
    place in the background: it takes over when the other ends, however that ends.
    """
    from provisor.app.locks import ExecutorBusy
    from provisor.app.worker import running_worker

    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(running_worker(services))
        except ExecutorBusy:
            busy()
            await stack.enter_async_context(_successor(services))
        yield


@asynccontextmanager
async def _successor(services: AppServices) -> AsyncIterator[None]:
    from provisor.app.worker import running_worker

    over = asyncio.Event()
    working = False

    async def succeed() -> None:
        nonlocal working
        async with running_worker(services, wait=True):
            working = True
            await over.wait()

    task = asyncio.create_task(succeed())
    try:
        yield
    finally:
        over.set()
        if working:
            await task
        else:
            await end(task)


async def follow(
    services: AppServices,
    job_id: str,
    begin: Callable[[], Awaitable[object]],
    console: Console,
    title: str,
    *,
    ended: frozenset[str] | None = None,
) -> Cycle:
    """Call ``begin``, then show the progress of the cycle that this brings about; that cycle, ended.

    ``ended``: ids of the cycles that it is not; null: those that have ended by now.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    me = operator()
    if ended is None:
        known = await services.provisioning.cycles(me, job_id)
        ended = frozenset(cycle.id for cycle in known if cycle.state != "Running")
    await begin()
    columns = (
        TextColumn("  {task.description:<40}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(title, total=None)
        while True:
            newest = await services.provisioning.cycles(me, job_id, 1)
            if newest and newest[0].id not in ended:
                cycle = newest[0]
                if cycle.state != "Running":
                    total = max(cycle.considered, 1)
                    progress.update(bar, completed=total, total=total, description=title)
                    return cycle
                now = await services.provisioning.progress(me, job_id)
                if now:
                    progress.update(
                        bar,
                        description=f"{title}: {PHASES.get(now['phase'], now['phase'])}",
                        completed=now["considered"],
                        total=now["considered"] + now["waiting"] or None,
                    )
            await asyncio.sleep(LOOK_SECONDS)


async def quiet(services: AppServices, tenant_id: str, job_id: str) -> None:
    """Return once no cycle runs and the job has seen every change of the directory so far."""
    while True:
        state = await services.provisioning.state(operator(), job_id)
        seen = (state.watermark or 0) >= await services.directory.head(operator(), tenant_id)
        if state.running_cycle_id is None and seen and (state.next_run_at or 0) > services.clock.now_ms():
            return
        await asyncio.sleep(LOOK_SECONDS / 4)


def cycle_document(cycle: Cycle) -> dict[str, Any]:
    """A cycle as JSON: moments in ISO 8601, ``seconds`` from its beginning to its end."""
    return {
        "id": cycle.id,
        "kind": cycle.kind,
        "state": cycle.state,
        "began": iso(cycle.began_at),
        "ended": None if cycle.ended_at is None else iso(cycle.ended_at),
        "seconds": seconds(cycle),
        "counts": dict(cycle.counts or {}),
        "error": None if cycle.error is None else dict(cycle.error),
    }


def seconds(cycle: Cycle) -> float | None:
    """How long an ended cycle took."""
    return None if cycle.ended_at is None else round((cycle.ended_at - cycle.began_at) / 1000, 3)


def went_well(cycle: Cycle) -> bool:
    """It reached its end, and no object failed."""
    return cycle.state == "Succeeded" and not (cycle.counts or {}).get("failed")


# Entries of the log that are read for one status of one cycle.
MOST_TOLD = 200


async def troubles(services: AppServices, job_id: str, cycle_id: str) -> list[Entry]:
    """The cycle's log entries that are no plain success: failed, waiting, skipped; the newest ``MOST_TOLD`` of each."""
    found: list[Entry] = []
    for status in ("failure", "warning", "skipped"):
        wanted = LogFilter(cycle_id=cycle_id, status=status)
        found += await services.provisioning.log(operator(), job_id, wanted, limit=MOST_TOLD)
    return found
