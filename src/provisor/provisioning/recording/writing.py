"""Step acknowledge, beside the next batch: what one has learnt is written down while the next is gathered.

At most one batch is under way to its tables. Until it is there, whoever reads what it writes waits for it (``settled``)
or takes it from here (``links``); and the objects in it stay in hand, so that nobody looks at them anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from provisor.provisioning.model import Link
from provisor.provisioning.recording.store import Batch

log = structlog.get_logger(__name__)


def flights_of(lane: str) -> tuple[str, str]:
    """What a lane's flights are kept under."""
    return lane, f"{lane}/2"


class Writing:
    """The batch that is being written down, if any."""

    def __init__(self) -> None:
        self._batch: Batch | None = None
        self._write: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._task: asyncio.Task[None] | None = None
        self._odd = False

    def flight(self, lane: str) -> str:
        """What the next batch's flight is kept under: there may be two, of which the first is being written down."""
        return flights_of(lane)[self._odd]

    def hand_over(self, batch: Batch, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """``write`` writes the batch down, once it is begun. The one before must be ``settled``."""
        self._batch, self._write, self._odd = batch, write, not self._odd

    def begin(self) -> None:
        """Now is the time: nobody waits for the database."""
        if self._write is not None:
            write, self._write = self._write, None
            self._task = asyncio.create_task(write())

    async def settled(self) -> None:
        """Wait until it is in its tables. Raises what writing it has raised."""
        self.begin()
        if self._task is not None:
            try:
                await self._task
            finally:
                self._batch = self._task = None

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """For as long as batches follow one another: at the end, all of them are written down."""
        try:
            yield
        except BaseException:
            try:
                await self.settled()
            except Exception:
                # What ended the batches is what counts; what was not written down is repeated.
                log.warning("the batch before was not written down", exc_info=True)
            raise
        await self.settled()

    def links(self, stored: dict[str, Link], ids: set[str]) -> dict[str, Link]:
        """Of these objects, the links that the tables hold, as they are once the batch is in them."""
        if self._batch is None:
            return stored
        return stored | {id_: self._batch.links[id_] for id_ in ids if id_ in self._batch.links}
