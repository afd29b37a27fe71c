"""Step 0 of every flow, PostgreSQL: a pool of connections, and another try where the engine asks for one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from types import CodeType
from typing import Any, Literal, TypeVar

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from provisor.storage.database import DatabaseUnavailable, DiskFull, Row, UnitOverError, Work
from provisor.storage.postgresql_tx import PostgresTx, SecondStatement

T = TypeVar("T")

_HINT = "See that the server runs and that the database URL is right, then try again."
_BEGIN_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Tries of a unit that meets others: the pauses add up to some seconds.
_ATTEMPTS = 12
_CONNECT_SECONDS = 10
_POOL_SECONDS = 30.0
_APPLICATION = "provisor"


class PostgresDatabase:
    """A database by its URL, ``postgresql://USER@HOST/NAME``. ``connections``: how many at most."""

    def __init__(self, url: str, *, connections: int = 10) -> None:
        try:
            self._target = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise unavailable("", error) from error
        self._url = url
        self._connections = connections
        self._pool: AsyncConnectionPool[AsyncConnection[Row]] | None = None
        # Code of reading units that were seen to make more than one statement.
        self._several: set[CodeType] = set()

    @property
    def dialect(self) -> Literal["postgresql"]:
        return "postgresql"

    @property
    def name(self) -> str:
        """The database and its server, without a password."""
        return f"{self._target.get('dbname', '')} on {self._target.get('host', 'localhost')}"

    async def open(self) -> None:
        """Raises ``DatabaseUnavailable`` with the server's own reason."""
        if self._pool is not None:
            return
        try:
            # The pool would try for long and tell no reason.
            await (await AsyncConnection.connect(self._url, **self._options())).close()
        except psycopg.Error as error:
            raise unavailable(self.name, error) from error
        self._pool = AsyncConnectionPool(
            self._url,
            kwargs=self._options(),
            configure=_configure,
            min_size=1,
            max_size=self._connections,
            timeout=_POOL_SECONDS,
            name=_APPLICATION,
            open=False,
        )
        await self._pool.open()

    async def close(self) -> None:
        """Give every connection back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def write(self, work: Work[T]) -> T:
        async def attempt(connection: AsyncConnection[Row]) -> T:
            finished = False
            tx = PostgresTx(connection)
            try:
                async with connection.transaction():
                    value = await work(tx)
                    if tx.failed:
                        raise UnitOverError
                    finished = True
            except psycopg.OperationalError as error:
                if finished and connection.closed:
                    raise DatabaseUnavailable(
                        f"The connection to the database {self.name} was lost during a commit: {_reason(error)}.",
                        hint="The change may have been made or not: look before you try again.",
                    ) from error
                raise
            return value

        return await self._run(attempt)

    async def write_apart(self, work: Work[T]) -> T:
        async def attempt(connection: AsyncConnection[Row]) -> T:
            return _whole(tx := PostgresTx(connection), await work(tx))

        return await self._run(attempt)

    async def read(self, work: Work[T], *, long: bool = False) -> T:
        code: CodeType | None = getattr(work, "__code__", None)

        async def attempt(connection: AsyncConnection[Row]) -> T:
            # One statement is a snapshot by itself. A transaction around it would cost two more round trips.
            if code is not None and code not in self._several:
                try:
                    return _whole(tx := PostgresTx(connection, single=True), await work(tx))
                except SecondStatement:
                    self._several.add(code)
            await connection.execute(_BEGIN_READ)
            try:
                value = _whole(tx := PostgresTx(connection), await work(tx))
            except BaseException:
                await connection.rollback()
                raise
            # Nothing was written. A rollback would make the driver throw away all that it has prepared.
            await connection.commit()
            return value

        return await self._run(attempt)

    def connect_blocking(self) -> psycopg.Connection[Row]:
        """A connection of its own, for the migrations and for locks that live as long as it does."""
        try:
            return psycopg.connect(self._url, application_name=_APPLICATION, connect_timeout=_CONNECT_SECONDS)
        except psycopg.Error as error:
            raise unavailable(self.name, error) from error

    def _options(self) -> dict[str, Any]:
        return {"autocommit": True, "application_name": _APPLICATION, "connect_timeout": _CONNECT_SECONDS}

    async def _run(self, attempt: Callable[[AsyncConnection[Row]], Awaitable[T]]) -> T:
        """Try until it succeeds, fails for good, or was tried often enough."""
        pool = self._pool
        if pool is None:
            raise DatabaseUnavailable(f"The database {self.name} is not open.")
        tries = 0
        while True:
            tries += 1
            try:
                async with pool.connection() as connection:
                    try:
                        return await attempt(connection)
                    except psycopg.OperationalError as error:
                        again = isinstance(error, (errors.SerializationFailure, errors.DeadlockDetected))
                        if tries == _ATTEMPTS or not (again or (connection.closed and tries == 1)):
                            raise
            except (psycopg.OperationalError, PoolTimeout, PoolClosed) as error:
                raise unavailable(self.name, error) from error
            if again:
                # Those who met once must not meet again.
                await asyncio.sleep(random.uniform(0, min(0.005 * 2**tries, 1)))  # noqa: S311 - no secret
            else:
                # The server was restarted: the other connections are as dead as this one.
                await pool.check()


async def _configure(connection: AsyncConnection[Any]) -> None:
    # A limit that an administrator set for people must not end an import.
    await connection.execute("SET statement_timeout = 0")


def _whole(tx: PostgresTx, value: T) -> T:
    if tx.failed:
        raise UnitOverError
    return value


def unavailable(name: str, error: Exception) -> DatabaseUnavailable:
    """The error that says why the database ``name`` does not answer, without its password."""
    if isinstance(error, psycopg.errors.DiskFull):
        return DiskFull(hint="Make room on the database's disk; work goes on by itself.")
    return DatabaseUnavailable(f"The database {name} does not answer: {_reason(error)}.", hint=_HINT)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
