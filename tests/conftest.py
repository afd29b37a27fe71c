"""Fixtures of every test: time, and fresh databases of both engines.

``database`` and ``store`` are parametrised over the engines. A PostgreSQL server starts once per process, when the
first test asks for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from provisor.storage.database import Database
from provisor.storage.sqlite import SqliteDatabase
from provisor.testing.clock import SettableClock
from provisor.testing.database import PostgresServer, Store, memory_database, sqlite_store


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", default="", help="Write the pictures of docs/tutorial into this folder.")


@pytest.fixture
def clock() -> SettableClock:
    """Begins on 2026-01-01 and stands still."""
    return SettableClock()


@pytest.fixture(name="memory_database")
async def _memory_database() -> AsyncIterator[SqliteDatabase]:
    database = await memory_database()
    yield database
    await database.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def sqlite_only(tmp_path: Path) -> Store:
    """A fresh SQLite database, where the engine is the point."""
    return sqlite_store(tmp_path / "data")


@pytest.fixture
def postgresql_only(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Store]:
    """A fresh PostgreSQL database, where the engine is the point."""
    store = postgres_server.store(tmp_path / "data")
    yield store
    postgres_server.drop(store)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """Where a fresh, migrated, empty database is: for tests that start processes, or open it more than once."""
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    """A fresh, migrated, empty database, opened."""
    database = store.database()
    await database.open()
    yield database
    await database.close()
