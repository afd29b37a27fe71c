"""Step 0 of the first start of a version: Alembic on a connection of its own, under a lock, in one transaction."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool, StaticPool

from provisor.storage.database import Database
from provisor.storage.postgresql import PostgresDatabase, unavailable
from provisor.storage.sqlite import SqliteDatabase
from provisor.storage.sqlite_writer import PATIENCE

# Any number that nothing else on the same PostgreSQL database uses for a lock.
_ADVISORY_LOCK = 0x50524F5649534F52


def upgrade(database: Database) -> None:
    """Run what is missing; blocks. Nothing of it stays when any of it fails."""
    with connection(database) as connected:
        config = configuration()
        config.attributes["connection"] = connected
        command.upgrade(config, "head")


def configuration() -> Config:
    """Alembic's settings, without a file of its own; ``attributes["connection"]`` is for the caller to set."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


@contextmanager
def connection(database: Database) -> Iterator[Connection]:
    """A transaction that nobody else can migrate beside; committed when the block ends well."""
    if isinstance(database, SqliteDatabase):
        with _file_lock(database), _sqlite_engine(database).begin() as connected:
            connected.exec_driver_sql("BEGIN IMMEDIATE")
            yield connected
    elif isinstance(database, PostgresDatabase):
        engine = create_engine("postgresql+psycopg://", creator=database.connect_blocking, poolclass=NullPool)
        try:
            with engine.begin() as connected:
                connected.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
                yield connected
        except psycopg.OperationalError as error:
            raise unavailable(database.name, error) from error
    else:
        raise TypeError(f"There are no migrations for a {type(database).__name__}.")


def _sqlite_engine(database: SqliteDatabase) -> Engine:
    shared = database.shared_connection()
    if shared is not None:
        return create_engine("sqlite://", creator=lambda: shared, poolclass=StaticPool)
    # `isolation_level` none: the transaction is ours to begin, so that it takes the write lock at once.
    arguments = {"isolation_level": None, "timeout": PATIENCE}
    return create_engine(f"sqlite:///{database.path}", connect_args=arguments, poolclass=NullPool)


@contextmanager
def _file_lock(database: SqliteDatabase) -> Iterator[None]:
    if database.shared_connection() is not None:
        yield
        return
    # The kernel frees the lock when this process ends, however it ends.
    with (Path(database.path).parent / "migrate.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
