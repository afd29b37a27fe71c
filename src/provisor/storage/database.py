"""Step 0 of every flow: the ``Database`` seam. Two engines stand behind it, with one SQL text for both.

A unit of work is an ``async`` function of a ``Tx``. It may await nothing but its ``Tx``: on SQLite it runs to its end
inside the writer thread, many such units sharing one commit; on PostgreSQL it runs on a pooled connection. It may run
again, so it changes nothing outside the database: after a serialisation failure, a deadlock or a lost connection, and
on PostgreSQL once when a reading unit turns out to make more than one statement. When a statement raises, the unit is
over, as PostgreSQL has it: it may turn the error into another, but not go on.

Parameters are named, ``:name``; values are ``str | int | float | bool | bytes | None``. Rows are tuples.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from provisor.errors import Conflict, Unavailable

T = TypeVar("T")
Row = tuple[Any, ...]
Params = Mapping[str, Any]


class UniqueViolation(Conflict):
    """A value that must be unique is taken."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"A value that must be unique is taken ({constraint}).")
        self.constraint = constraint


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""


class DiskFull(DatabaseUnavailable):
    """The disk is full: nothing is written until there is room. What was committed stays, and can be read."""


class UnitOverError(RuntimeError):
    """A unit of work went on after one of its statements had failed."""

    def __init__(self) -> None:
        super().__init__("A unit of work went on after one of its statements had failed; let the error out of it.")


class Tx(Protocol):
    """One transaction (or one statement's snapshot, when reading)."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]: ...

    async def execute(self, sql: str, params: Params = ...) -> int:
        """Run a statement; the number of rows that it changed. Raises ``UniqueViolation``."""

    async def execute_many(self, sql: str, rows: Sequence[Params]) -> None:
        """Run a statement once per row, in one round trip where the engine can. Raises ``UniqueViolation``."""

    async def fetch_one(self, sql: str, params: Params = ...) -> Row | None:
        """The first row, or ``None``."""

    async def fetch_all(self, sql: str, params: Params = ...) -> list[Row]:
        """All rows."""


Work = Callable[[Tx], Awaitable[T]]


class Database(Protocol):
    """What a ``store.py`` is given. ``open`` before use, ``close`` after; safe for many tasks of one event loop."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def write(self, work: Work[T]) -> T:
        """Run ``work`` in a transaction; its answer comes after the commit is durable. What it raises rolls it back."""

    async def write_apart(self, work: Work[T]) -> T:
        """``write``, for a unit of work whose statements may each be a transaction by themselves: PostgreSQL needs none
        around them, which would be two more round trips. A failure takes back its own statement at most."""

    async def read(self, work: Work[T], *, long: bool = False) -> T:
        """Run ``work`` on a consistent snapshot. ``long``: it may take over a millisecond, so keep it off the loop."""
