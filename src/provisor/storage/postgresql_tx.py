"""Step 0 of every flow, PostgreSQL: one connection's ``Tx``, and what the driver's errors mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn

import psycopg
from psycopg import AsyncConnection, errors

from provisor.errors import InvalidInput
from provisor.storage.database import Params, Row, UniqueViolation, UnitOverError
from provisor.storage.queries import Query, for_postgresql

_NONE: Mapping[str, Any] = {}


class SecondStatement(BaseException):
    """A unit that was given one statement's snapshot makes a second one: not for units to catch."""


class PostgresTx:
    """Statements on one connection. ``single``: without a transaction around it, hence one statement only."""

    __slots__ = ("_cursor", "_made", "_single", "failed")

    def __init__(self, connection: AsyncConnection[Row], *, single: bool = False) -> None:
        self._cursor = connection.cursor()
        self._single = single
        self._made = False
        self.failed = False

    @property
    def dialect(self) -> Literal["postgresql"]:
        return "postgresql"

    async def execute(self, sql: str, params: Params = _NONE) -> int:
        await self._run(sql, params)
        return self._cursor.rowcount

    async def execute_many(self, sql: str, rows: Sequence[Params]) -> None:
        self._check()
        if not rows:
            return
        try:
            if len(rows) == 1:  # a pipeline for one statement costs more than the statement
                await self._cursor.execute(_text(sql), rows[0])
            else:
                await self._cursor.executemany(_text(sql), rows)
        except (psycopg.Error, UnicodeEncodeError) as error:
            self._fail(error)

    async def fetch_one(self, sql: str, params: Params = _NONE) -> Row | None:
        await self._run(sql, params)
        return await self._cursor.fetchone()

    async def fetch_all(self, sql: str, params: Params = _NONE) -> list[Row]:
        await self._run(sql, params)
        return await self._cursor.fetchall()

    async def _run(self, sql: str, params: Params) -> None:
        self._check()
        try:
            await self._cursor.execute(_text(sql), params)
        except (psycopg.Error, UnicodeEncodeError) as error:
            self._fail(error)

    def _check(self) -> None:
        if self.failed:
            raise UnitOverError
        if self._single and self._made:
            raise SecondStatement
        self._made = True

    def _fail(self, error: Exception) -> NoReturn:
        self.failed = True
        ours = translate(error)
        if ours is error:
            raise error
        raise ours from error


def translate(error: Exception) -> Exception:
    """Our error for what a statement's values did wrong; all else, and a mistake in our own SQL, stays what it is."""
    if isinstance(error, errors.UniqueViolation):
        return UniqueViolation(error.diag.constraint_name or error.diag.table_name or "unknown")
    # Without a state it was the driver that refused a value: a NUL character, for one.
    refused = isinstance(error, psycopg.DataError) and error.sqlstate is None
    # A NUL inside a list of ids is refused by the server, where the list is taken apart.
    if refused or isinstance(
        error, (errors.NumericValueOutOfRange, errors.UntranslatableCharacter, UnicodeEncodeError)
    ):
        return InvalidInput(f"The database cannot hold this value: {error}.")
    return error


def _text(sql: str) -> bytes:
    return sql.postgresql if isinstance(sql, Query) else for_postgresql(sql)
