"""Who works on a database: one process per executor id, known by a lock that the kernel or the server frees on kill -9.

Two processes with one executor id would run one cycle twice: DBOS re-enqueues, at launch, whatever that id had pending.
Beside it, whoever serves or works says that it is there, so that nobody takes the database or its key away meanwhile.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from provisor.app.settings import Settings
from provisor.errors import Conflict

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    Session = AsyncConnection[tuple[Any, ...]]

MOST_WORKERS = 64
# Two numbers make an advisory lock of PostgreSQL: this program's own, and the executor's.
_SPACE = 0x50524F56
_MINE = "SELECT pg_try_advisory_lock(%(space)s, hashtext(%(name)s))"
_BESIDE = "SELECT pg_try_advisory_lock_shared(%(space)s, 0)"
# Nobody holds a lock of ours, and from here on no server or worker begins.
_ALONE = """
    SELECT pg_try_advisory_lock(%(space)s, 0) AND NOT EXISTS (
        SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE l.locktype = 'advisory' AND l.classid = %(space)s AND d.datname = current_database()
        AND l.pid <> pg_backend_pid()
    )
"""


class ExecutorBusy(Conflict):
    """Another process works under this executor id."""


class WorkerLock(Protocol):
    """The right to run cycles under ``executor_id`` for as long as it is held."""

    executor_id: str

    async def workers(self) -> int:
        """How many hold such a lock of this database, this one included."""

    async def release(self) -> None: ...


class _HeldFile:
    """A locked file, free when it is closed."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    async def release(self) -> None:
        self.release_now()

    def release_now(self) -> None:
        """Let it go, from a thread."""
        self._file.close()


class FileLock(_HeldFile):
    """On SQLite: the one worker of a database."""

    executor_id = "local"

    @classmethod
    def take(cls, folder: Path) -> FileLock | None:
        """The lock, or ``None`` while another process holds it."""
        file = _flocked(folder / "worker.lock", fcntl.LOCK_EX)
        if file is None:
            return None
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        return cls(file)

    async def workers(self) -> int:
        return 1


class AdvisoryLock:
    """On PostgreSQL: one of many workers, each with a session of its own that holds its id."""

    def __init__(self, url: str, executor_id: str, session: Session) -> None:
        self.executor_id = executor_id
        self._url = url
        self._session = session

    @classmethod
    async def take(cls, url: str, executor_id: str | None) -> AdvisoryLock | None:
        """Under ``executor_id``, or the first free of ``worker-1`` … ``worker-64``; ``None`` when it is taken."""
        names = [executor_id] if executor_id else [f"worker-{n}" for n in range(1, MOST_WORKERS + 1)]
        for name in names:
            session = await _session_with(url, _MINE, name)
            if session is not None:
                return cls(url, name, session)
        return None

    async def workers(self) -> int:
        """Raises ``ExecutorBusy`` when the server has ended the session that held the lock, and another has it now."""
        if self._session.closed:
            await self._take_again()
        # 0 stands for whoever is present. A server's locks are those of all of its databases.
        cursor = await self._session.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid <> 0 "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (_SPACE,),
        )
        row = await cursor.fetchone()
        return int(row[0]) if row is not None else 1

    async def _take_again(self) -> None:
        session = await _session_with(self._url, _MINE, self.executor_id)
        if session is None:
            raise ExecutorBusy(
                f"Another process works as {self.executor_id}, since the database has ended this one's session.",
                hint="Restart this worker: it takes the first name that is free.",
            )
        self._session = session

    async def release(self) -> None:
        await self._session.close()


async def _session_with(url: str, lock: str, name: str = "") -> Session | None:
    """A session that holds this lock, which it loses when it ends; ``None`` where it cannot be had now."""
    import psycopg

    session = await psycopg.AsyncConnection.connect(url, autocommit=True)
    cursor = await session.execute(lock, {"space": _SPACE, "name": name})
    row = await cursor.fetchone()
    if row is not None and row[0]:
        return session
    await session.close()
    return None


async def take_worker_lock(*, folder: Path, url: str | None, executor_id: str | None) -> WorkerLock | None:
    """The worker's lock of this database, or ``None`` when another holds it. ``url``: only of PostgreSQL."""
    if url is None:
        return await asyncio.to_thread(FileLock.take, folder)
    return await AdvisoryLock.take(url, executor_id)


class Presence(Protocol):
    """Held by every process that serves or works; or by one alone, which then knows that no other is there."""

    async def release(self) -> None: ...


class FilePresence(_HeldFile):
    """On SQLite."""

    @classmethod
    def take(cls, folder: Path, *, alone: bool) -> FilePresence | None:
        """``None`` where somebody is there whom ``alone`` forbids, or somebody is alone."""
        file = _flocked(folder / "present.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        return None if file is None else cls(file)


class SessionPresence:
    """On PostgreSQL, where a worker's lock tells of it as well."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    async def take(cls, url: str, *, alone: bool) -> SessionPresence | None:
        """``None`` where somebody is there whom ``alone`` forbids, or somebody is alone."""
        session = await _session_with(url, _ALONE if alone else _BESIDE)
        return None if session is None else cls(session)

    async def release(self) -> None:
        await self._session.close()


async def take_presence(settings: Settings, *, alone: bool) -> Presence | None:
    """To be there beside others, or ``alone``; ``None`` when that cannot be now."""
    if settings.engine == "postgresql":
        return await SessionPresence.take(settings.database_url or "", alone=alone)
    return await asyncio.to_thread(FilePresence.take, settings.lock_dir, alone=alone)


@asynccontextmanager
async def present(settings: Settings) -> AsyncIterator[None]:
    """This process serves or works while the block lasts. Raises ``Conflict`` while somebody has the database alone."""
    presence = await take_presence(settings, alone=False)
    if presence is None:
        raise Conflict(
            "The database is being restored, or its sealing key changed, at this moment.",
            hint="Start again when that is done.",
        )
    try:
        yield
    finally:
        await presence.release()


def _flocked(path: Path, how: int) -> IO[str] | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
