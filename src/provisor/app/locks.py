"""Who works on a database: one process per executor id, known by a lock that the kernel or the server frees on kill -9.

Two processes with one executor id would run one cycle twice: DBOS re-enqueues, at launch, whatever that id had pending.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from provisor.errors import Conflict

if TYPE_CHECKING:
    from psycopg import AsyncConnection

MOST_WORKERS = 64
# Two numbers make an advisory lock of PostgreSQL: this program's own, and the executor's.
_SPACE = 0x50524F56


class ExecutorBusy(Conflict):
    """Another process works under this executor id."""


class WorkerLock(Protocol):
    """The right to run cycles under ``executor_id`` for as long as it is held."""

    executor_id: str

    async def workers(self) -> int:
        """How many hold such a lock of this database, this one included."""

    async def release(self) -> None: ...


class FileLock:
    """On SQLite: the one worker of a database."""

    executor_id = "local"

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    def take(cls, folder: Path) -> FileLock | None:
        """The lock, or ``None`` while another process holds it."""
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "worker.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        return cls(file)

    async def workers(self) -> int:
        return 1

    async def release(self) -> None:
        self.release_now()

    def release_now(self) -> None:
        """Let it go, from a thread."""
        self._file.close()


class AdvisoryLock:
    """On PostgreSQL: one of many workers, each with a session of its own that holds its id."""

    def __init__(self, url: str, executor_id: str, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        self.executor_id = executor_id
        self._url = url
        self._connection = connection

    @classmethod
    async def take(cls, url: str, executor_id: str | None) -> AdvisoryLock | None:
        """Under ``executor_id``, or the first free of ``worker-1`` … ``worker-64``; ``None`` when it is taken."""
        names = [executor_id] if executor_id else [f"worker-{n}" for n in range(1, MOST_WORKERS + 1)]
        taken = await _session_with_lock(url, names)
        return cls(url, *taken) if taken is not None else None

    async def workers(self) -> int:
        """Raises ``ExecutorBusy`` when the server has ended the session that held the lock, and another has it now."""
        if self._connection.closed:
            await self._take_again()
        # Two numbers make a lock of this kind, hence objsubid 2. A server's locks are those of all of its databases.
        cursor = await self._connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (_SPACE,),
        )
        row = await cursor.fetchone()
        return int(row[0]) if row is not None else 1

    async def _take_again(self) -> None:
        taken = await _session_with_lock(self._url, [self.executor_id])
        if taken is None:
            raise ExecutorBusy(
                f"Another process works as {self.executor_id}, since the database has ended this one's session.",
                hint="Restart this worker: it takes the first name that is free.",
            )
        self._connection = taken[1]

    async def release(self) -> None:
        await self._connection.close()


async def _session_with_lock(url: str, names: Sequence[str]) -> tuple[str, AsyncConnection[tuple[Any, ...]]] | None:
    """The first of these names that is free, and the session that holds its lock."""
    import psycopg

    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    for name in names:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_SPACE, name))
        row = await cursor.fetchone()
        if row is not None and row[0]:
            return name, connection
    await connection.close()
    return None


async def take_worker_lock(*, folder: Path, url: str | None, executor_id: str | None) -> WorkerLock | None:
    """The worker's lock of this database, or ``None`` when another holds it. ``url``: only of PostgreSQL."""
    if url is None:
        return await asyncio.to_thread(FileLock.take, folder)
    return await AdvisoryLock.take(url, executor_id)
