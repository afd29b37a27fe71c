"""Step 0 of every flow, SQLite: one file, one writing thread, readers beside it that never wait for it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal, TypeVar

from provisor.storage.database import DatabaseUnavailable, Work
from provisor.storage.sqlite_tx import SqliteTx, drive, is_busy, translate
from provisor.storage.sqlite_writer import PATIENCE, Writer

T = TypeVar("T")

MEMORY = ":memory:"
_STATEMENTS = 1024
_LONG_READERS = 4
# No mmap, and small caches: what is read often is in the system's page cache anyway. At 100,000 users caches of 64 and
# 16 MiB left 237 MiB resident and these 157, for no more CPU a request (benchmarks/provider.py --large).
_WRITER_CACHE_KIB = 24_576
_READER_CACHE_KIB = 8_192
_SETTINGS = """
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA mmap_size = 0;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 67108864;
"""


class SqliteDatabase:
    """A file, which ``open`` makes where it is missing, or ``":memory:"`` (gone with ``close``)."""

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        self._in_memory = self.path == MEMORY
        self._lock = threading.RLock()
        self._guard: AbstractContextManager[object] = self._lock if self._in_memory else nullcontext()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writer: Writer | None = None
        self._writer_tx: SqliteTx | None = None
        self._pool: ThreadPoolExecutor | None = None

    @property
    def dialect(self) -> Literal["sqlite"]:
        return "sqlite"

    async def open(self) -> None:
        """Raises ``DatabaseUnavailable`` when the file cannot be made, opened or read."""
        if self._writer is not None:
            return
        try:
            self._writer_tx = await asyncio.to_thread(self._open_writer)
        except BaseException:
            self._close_connections()
            raise
        self._writer = Writer(self._writer_tx, self._guard)

    async def close(self) -> None:
        """Finish what was queued; afterwards nothing runs and no file is open."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        await asyncio.to_thread(self._close, writer)

    async def write(self, work: Work[T]) -> T:
        if self._writer is None:
            raise self._not_open()
        value: T = await self._writer.submit(work)
        return value

    async def write_apart(self, work: Work[T]) -> T:
        return await self.write(work)

    async def read(self, work: Work[T], *, long: bool = False) -> T:
        if long and not self._in_memory:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_LONG_READERS, thread_name_prefix="provisor-sqlite-reader")
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)
        return self._read(work)

    def shared_connection(self) -> sqlite3.Connection | None:
        """The one connection of a database in memory, for the migrations; ``None`` of a file."""
        if self._in_memory and self._writer_tx is not None:
            return self._writer_tx.connection
        return None

    def _read(self, work: Work[T]) -> T:
        if self._writer is None:
            raise self._not_open()
        if self._in_memory:
            return self._read_shared(work)
        tx: SqliteTx | None = getattr(self._local, "tx", None)
        if tx is None:
            tx = self._local.tx = self._open_reader()
        return _snapshot(work, tx)

    def _read_shared(self, work: Work[T]) -> T:
        tx = self._writer_tx
        if tx is None:
            raise self._not_open()
        with self._lock:
            tx.control("PRAGMA query_only = ON")
            try:
                return _snapshot(work, tx)
            finally:
                tx.control("PRAGMA query_only = OFF")

    def _open_writer(self) -> SqliteTx:
        if not self._in_memory:
            self._make_file()
        connection = self._connect(cache_kib=_WRITER_CACHE_KIB)
        self._use_wal(connection)
        # From here on the writer waits by itself, in shorter steps than SQLite would.
        connection.execute("PRAGMA busy_timeout = 0")
        return SqliteTx(connection, self.path)

    def _open_reader(self) -> SqliteTx:
        connection = self._connect(cache_kib=_READER_CACHE_KIB)
        connection.execute("PRAGMA query_only = ON")
        return SqliteTx(connection, self.path)

    def _make_file(self) -> None:
        """Readable by its owner only, since it holds what people may not see; SQLite copies the mode to its helpers."""
        path = Path(self.path)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise DatabaseUnavailable(
                f"The database {path} cannot be opened: {error.strerror}.",
                hint="See that the folder is there and that this user may write to it.",
            ) from error

    def _connect(self, *, cache_kib: int) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path,
                timeout=PATIENCE,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_STATEMENTS,
            )
            self._connections.append(connection)
            connection.executescript(f"{_SETTINGS} PRAGMA cache_size = -{cache_kib};")
        except sqlite3.Error as error:
            raise translate(error, None, self.path) from error
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # Two processes that open a new file together find it busy here, and SQLite's own patience does not cover it.
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.Error as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise translate(error, None, self.path) from error
                time.sleep(0.01)
            else:
                return

    def _close(self, writer: Writer) -> None:
        writer.stop()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        self._local = threading.local()
        self._writer_tx = None
        self._close_connections()

    def _close_connections(self) -> None:
        while self._connections:
            self._connections.pop().close()

    def _not_open(self) -> DatabaseUnavailable:
        return DatabaseUnavailable(f"The database {self.path} is not open.")


def _snapshot(work: Work[T], tx: SqliteTx) -> T:
    """Run a unit on what is committed now, however many statements it makes."""
    if tx.connection.in_transaction:
        raise RuntimeError("A unit of work began another one; do that before or after it.")
    tx.control("BEGIN")
    try:
        return drive(work, tx)
    finally:
        tx.control("ROLLBACK")
