"""Floor 1: work that goes on beside something else, and surely ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

# How long a task has to end after it was cancelled, before it is cancelled once more.
PATIENCE_SECONDS = 1.0

T = TypeVar("T")


@asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Each of ``work`` is a task for as long as the block lasts. Raises at its end what one of them has raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        await end(*tasks)


@asynccontextmanager
async def ahead(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """``work`` is begun before its result is wanted: the block awaits the task. Left early, it is cancelled."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # whoever left early does not hear of it


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel, and return when all are over. Raises what one of them has raised.

    One cancellation is not always enough: before Python 3.12, ``asyncio.wait_for``, by which the drivers wait for a
    connection, loses it when the answer comes in the same moment, and the task would go on for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=PATIENCE_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.result()
