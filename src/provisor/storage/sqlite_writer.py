"""Step 0 of every flow, SQLite: the one writer thread. Units that arrive together share one commit, and one fsync."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any

from provisor.storage.database import DatabaseUnavailable, Work
from provisor.storage.sqlite_tx import SqliteTx, drive, is_busy, translate

# How long other processes may keep us from writing before a caller hears of it, in seconds.
PATIENCE = 30.0
# Units in one commit at most: what a caller waits for at worst stays short.
_BATCH = 512
# A writer that never rests would starve other processes, for SQLite has no queue: after so long it steps aside.
_TURN, _ASIDE = 0.05, 0.002


@dataclass(slots=True, eq=False)
class _Unit:
    work: Work[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    # The caller's: what it has said of its task (the correlation id) holds in the unit too.
    context: Context
    value: Any = None
    error: BaseException | None = None


class Writer:
    """Owns the writing connection. ``submit`` from any event loop; ``stop`` from a thread that may wait."""

    def __init__(self, tx: SqliteTx, guard: AbstractContextManager[object]) -> None:
        """``guard`` is held during each transaction: a database in memory shares its connection with the readers."""
        self._tx = tx
        self._guard = guard
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._turn_ends = 0.0
        self._closing = threading.Lock()
        self._closed = False
        # A daemon: whoever forgets to close may still end, as nothing is acknowledged before its commit.
        self._thread = threading.Thread(target=self._run, name="provisor-sqlite-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[Any]) -> asyncio.Future[Any]:
        """Queue a unit; the future is done after the commit. Raises ``DatabaseUnavailable`` after ``stop``."""
        loop = asyncio.get_running_loop()
        unit = _Unit(work, loop.create_future(), loop, copy_context())
        with self._closing:
            if self._closed:
                raise DatabaseUnavailable(f"The database {self._tx.path} is closed.")
            self._queue.put(unit)
        return unit.future

    def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        with self._closing:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while batch := self._take():
            try:
                with self._guard:
                    self._commit(batch)
            except BaseException as error:  # noqa: BLE001 - the callers get it, and the thread must live on
                for unit in batch:
                    unit.value, unit.error = None, _again(error)
            _answer(batch)

    def _take(self) -> list[_Unit]:
        """All that waits and is still wanted, at least one; nothing when the writer is to end."""
        while batch := self._drain():
            wanted = [unit for unit in batch if not unit.future.cancelled()]
            if wanted:
                return wanted
        return []

    def _drain(self) -> list[_Unit]:
        first = self._queue.get() if self._queue.empty() else self._next_turn()
        if first is None:
            return []
        batch = [first]
        with suppress(queue.Empty):
            while len(batch) < _BATCH:
                unit = self._queue.get_nowait()
                if unit is None:
                    self._queue.put(None)
                    break
                batch.append(unit)
        return batch

    def _next_turn(self) -> _Unit | None:
        now = time.monotonic()
        if now > self._turn_ends:
            if now < self._turn_ends + _TURN:
                time.sleep(_ASIDE)
            self._turn_ends = time.monotonic() + _TURN
        return self._queue.get()

    def _commit(self, batch: list[_Unit]) -> None:
        """One transaction for the batch. Raises when none of it was kept."""
        self._begin()
        try:
            if len(batch) == 1:
                self._alone(batch[0])
            else:
                self._together(batch)
        finally:
            if self._tx.connection.in_transaction:
                self._tx.control("ROLLBACK")

    def _begin(self) -> None:
        deadline = time.monotonic() + PATIENCE
        pause = 0.0002
        while True:
            try:
                self._tx.cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise translate(error, None, self._tx.path) from error
                time.sleep(pause)
                pause = min(pause * 2, _ASIDE / 2)
            else:
                return

    def _alone(self, unit: _Unit) -> None:
        unit.value = unit.context.run(drive, unit.work, self._tx)
        self._tx.control("COMMIT")

    def _together(self, batch: list[_Unit]) -> None:
        control = self._tx.control
        for unit in batch:
            control("SAVEPOINT unit")
            try:
                unit.value = unit.context.run(drive, unit.work, self._tx)
            except BaseException as error:
                # A full disk, and its like, makes SQLite roll the whole transaction back by itself.
                if not self._tx.connection.in_transaction:
                    raise
                unit.error = error
                control("ROLLBACK TO unit")
            control("RELEASE unit")
        control("COMMIT")


def _again(error: BaseException) -> BaseException:
    """The same error once more: one object cannot be raised in many tasks, for its traceback would grow."""
    if isinstance(error, DatabaseUnavailable):
        return type(error)(error.message, hint=error.hint)
    return error


def _answer(batch: list[_Unit]) -> None:
    """One wake-up per event loop, whatever the size of the batch."""
    loops: dict[asyncio.AbstractEventLoop, list[_Unit]] = {}
    for unit in batch:
        loops.setdefault(unit.loop, []).append(unit)
    for loop, units in loops.items():
        settle: Callable[[list[_Unit]], None] = _settle
        # A loop that was closed meanwhile has nobody left to tell.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, units)


def _settle(units: list[_Unit]) -> None:
    for unit in units:
        if unit.future.cancelled():
            continue
        if unit.error is None:
            unit.future.set_result(unit.value)
        else:
            unit.future.set_exception(unit.error)
