"""For tests: a database of which a process is torn away, at any write that one chooses."""

from __future__ import annotations

from typing import Literal, TypeVar

from provisor.storage.database import Database, Work

T = TypeVar("T")


class Crash(BaseException):
    """The process ended here. Not an ``Exception``: nothing may catch it and go on."""


class CrashingDatabase:
    """A ``Database`` in front of a real one. ``crash_at(n)``: the n-th write from now on never happens.

    From then on nothing else happens either, until ``recover``: as if the process were gone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left: int | None = None
        self.writes = 0

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        return self._database.dialect

    def crash_at(self, n: int) -> None:
        """Let ``n - 1`` writes pass and tear the process away at the next."""
        self._left = n - 1

    def recover(self) -> None:
        """A new process, on what was committed."""
        self._left = None

    async def open(self) -> None:
        await self._database.open()

    async def close(self) -> None:
        await self._database.close()

    async def write(self, work: Work[T]) -> T:
        self.writes += 1
        if self._left is not None:
            if self._left <= 0:
                self._left = 0
                raise Crash
            self._left -= 1
        return await self._database.write(work)

    async def write_apart(self, work: Work[T]) -> T:
        return await self.write(work)

    async def read(self, work: Work[T], *, long: bool = False) -> T:
        return await self._database.read(work, long=long)
