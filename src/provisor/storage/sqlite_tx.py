"""Step 0 of every flow, SQLite: one connection's ``Tx``, how a unit of work is driven, and what its errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn, TypeVar

from provisor.errors import InvalidInput
from provisor.storage.database import DatabaseUnavailable, DiskFull, Params, Row, UniqueViolation, UnitOverError, Work
from provisor.storage.queries import Query, for_sqlite

T = TypeVar("T")
_NONE: Mapping[str, Any] = {}

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "Another process holds it for too long: see what else works on it.",
    sqlite3.SQLITE_LOCKED: "Another process holds it for too long: see what else works on it.",
    sqlite3.SQLITE_PROTOCOL: "Another process holds it for too long: see what else works on it.",
    sqlite3.SQLITE_FULL: "Make room on the disk; work goes on by itself.",
    sqlite3.SQLITE_IOERR: "See the system's log for faults of the disk, then try again.",
    sqlite3.SQLITE_READONLY: "See that this user may write the file and its folder.",
    sqlite3.SQLITE_CANTOPEN: "See that the folder is there and that this user may write to it.",
    sqlite3.SQLITE_PERM: "See that this user may write the file and its folder.",
    sqlite3.SQLITE_CORRUPT: "Restore the file from a backup.",
    sqlite3.SQLITE_NOTADB: "Name another file: this one is not a SQLite database.",
}


class SqliteTx:
    """Statements on one connection, all through one cursor: the next statement ends the one before it."""

    __slots__ = ("connection", "cursor", "failed", "path")

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self.connection = connection
        self.cursor = connection.cursor()
        self.path = path
        self.failed = False

    @property
    def dialect(self) -> Literal["sqlite"]:
        return "sqlite"

    async def execute(self, sql: str, params: Params = _NONE) -> int:
        self._run(sql, params)
        return self.cursor.rowcount

    async def execute_many(self, sql: str, rows: Sequence[Params]) -> None:
        if self.failed:
            raise UnitOverError
        try:
            self.cursor.executemany(sql.sqlite if isinstance(sql, Query) else for_sqlite(sql), rows)
        except (sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
            self._fail(error)

    async def fetch_one(self, sql: str, params: Params = _NONE) -> Row | None:
        self._run(sql, params)
        row: Row | None = self.cursor.fetchone()
        return row

    async def fetch_all(self, sql: str, params: Params = _NONE) -> list[Row]:
        self._run(sql, params)
        try:
            return self.cursor.fetchall()
        except sqlite3.Error as error:
            self._fail(error)

    def control(self, sql: str) -> None:
        """Begin or end a transaction or savepoint."""
        try:
            self.cursor.execute(sql)
        except sqlite3.Error as error:
            raise translate(error, self.connection, self.path) from error

    def _run(self, sql: str, params: Params) -> None:
        if self.failed:
            raise UnitOverError
        try:
            self.cursor.execute(sql.sqlite if isinstance(sql, Query) else for_sqlite(sql), params)
        except (sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> NoReturn:
        self.failed = True
        raise translate(error, self.connection, self.path) from error


def drive(work: Work[T], tx: SqliteTx) -> T:
    """Run a unit to its end without an event loop. Raises ``RuntimeError`` when it awaits anything but its ``tx``."""
    complaint = "A unit of work awaited something other than its Tx; do that before or after it."
    tx.failed = False
    steps = work(tx).__await__()
    try:
        steps.send(None)
    except StopIteration as end:
        if tx.failed:
            raise UnitOverError from end
        value: T = end.value
        return value
    except RuntimeError as error:
        if str(error) == "no running event loop":
            raise RuntimeError(complaint) from error
        raise
    steps.close()
    raise RuntimeError(complaint)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether trying again may help, because it is only another connection's turn."""
    return _primary(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


def translate(error: Exception, connection: sqlite3.Connection | None, path: str) -> Exception:
    """Our error for the driver's; a mistake in our own SQL stays what it is."""
    if isinstance(error, (UnicodeEncodeError, OverflowError)):
        return InvalidInput(f"The database cannot hold this value: {error}.")
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", None)
    if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) and connection is not None:
        return UniqueViolation(
            _constraint(str(error), connection, primary=code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
        )
    hint = _UNAVAILABLE.get(_primary(error))
    if _primary(error) == sqlite3.SQLITE_FULL:
        return DiskFull(f"The disk that holds {path} is full: nothing is written until there is room.", hint=hint)
    if hint is not None:
        return DatabaseUnavailable(f"The database {path} does not answer: {error}.", hint=hint)
    return error


def _primary(error: sqlite3.Error) -> int:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return 0 if code is None else code & 0xFF


def _constraint(message: str, connection: sqlite3.Connection, *, primary: bool) -> str:
    """PostgreSQL's name of what SQLite tells as ``UNIQUE constraint failed: table.column, table.column``."""
    columns = message.partition(": ")[2].split(", ")
    table = columns[0].partition(".")[0]
    names = [column.partition(".")[2] for column in columns]
    if primary:
        return f"pk_{table}"
    made = connection.execute("SELECT name FROM pragma_index_list(?) WHERE origin = 'c' AND \"unique\"", (table,))
    for (index,) in made.fetchall():
        found = connection.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,)).fetchall()
        if [name for (name,) in found] == names:
            return str(index)
    return f"uq_{table}_{'_'.join(names)}"
