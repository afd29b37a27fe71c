"""What only SQLite does: one writer thread with group commit, beside other processes that write."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from provisor.storage.database import DatabaseUnavailable, Tx
from provisor.storage.factory import sqlite_path
from provisor.storage.sqlite import SqliteDatabase
from provisor.testing.database import Store


@pytest.fixture
async def sqlite(sqlite_only: Store) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(sqlite_path(sqlite_only.data_dir))
    await database.open()
    yield database
    await database.close()


def insert(name: str):
    async def work(tx: Tx) -> int:
        return await tx.execute("INSERT INTO setting (name, value) VALUES (:name, '{}')", {"name": name})

    return work


async def names(tx: Tx) -> list[str]:
    return [name for (name,) in await tx.fetch_all("SELECT name FROM setting ORDER BY name")]


class Gate:
    """A unit that holds the writer until told, so that what is written meanwhile shares a commit."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._holds, self._open = threading.Event(), threading.Event()
        self._task = asyncio.create_task(database.write(self._wait))

    async def _wait(self, _: Tx) -> None:
        self._holds.set()
        self._open.wait()

    async def closed(self) -> None:
        await asyncio.to_thread(self._holds.wait)

    async def open(self) -> None:
        await asyncio.sleep(0)  # whoever was started puts its unit into the queue
        self._open.set()
        await self._task


async def test_units_that_arrive_together_share_one_commit(sqlite: SqliteDatabase) -> None:
    gate = Gate(sqlite)
    await gate.closed()

    async def what_the_second_sees(tx: Tx) -> tuple[list[str], int]:
        with closing(sqlite3.connect(sqlite.path)) as stranger:
            return await names(tx), stranger.execute("SELECT count(*) FROM setting").fetchone()[0]

    first = asyncio.create_task(sqlite.write(insert("first")))
    second = asyncio.create_task(sqlite.write(what_the_second_sees))
    await gate.open()
    assert await first == 1
    assert await second == (["first"], 0)
    assert await sqlite.read(names) == ["first"]


async def test_a_unit_that_fails_in_a_shared_commit_takes_only_itself_back(sqlite: SqliteDatabase) -> None:
    gate = Gate(sqlite)
    await gate.closed()

    async def fails(tx: Tx) -> None:
        await insert("half")(tx)
        raise LookupError("on purpose")

    async def sleeps(tx: Tx) -> None:
        await insert("asleep")(tx)
        await asyncio.sleep(1)

    works = [insert("before"), fails, insert("between"), sleeps, insert("before"), insert("after")]
    tasks = [asyncio.create_task(sqlite.write(work)) for work in works]
    await gate.open()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer).__name__ for answer in answers] == [
        "int",
        "LookupError",
        "int",
        "RuntimeError",
        "UniqueViolation",
        "int",
    ]
    assert await sqlite.read(names) == ["after", "before", "between"]


async def test_readers_do_not_wait_for_the_writer(sqlite: SqliteDatabase) -> None:
    await sqlite.write(insert("a"))
    gate = Gate(sqlite)
    await gate.closed()
    assert await sqlite.read(names) == ["a"]
    assert await sqlite.read(names, long=True) == ["a"]
    await gate.open()


async def test_a_writer_waits_its_turn_while_another_process_holds_the_lock(sqlite: SqliteDatabase) -> None:
    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        stranger.execute("INSERT INTO setting VALUES ('theirs', '{}')")
        ours = asyncio.create_task(sqlite.write(insert("ours")))
        done, _ = await asyncio.wait([ours], timeout=0.3)
        assert not done
        stranger.execute("COMMIT")
        assert await ours == 1
    assert await sqlite.read(names) == ["ours", "theirs"]


async def test_a_full_disk_fails_the_unit_and_says_what_to_do(sqlite: SqliteDatabase) -> None:
    await sqlite.write(insert("before"))

    async def fill(tx: Tx) -> None:
        pages = await tx.fetch_one("PRAGMA page_count")
        assert pages is not None
        await tx.fetch_one(f"PRAGMA max_page_count = {pages[0] + 2}")
        await tx.execute("INSERT INTO setting VALUES ('huge', :value)", {"value": "x" * 1_000_000})

    with pytest.raises(DatabaseUnavailable, match=r"full.*Make room on the disk"):
        await sqlite.write(fill)
    await sqlite.write(lambda tx: tx.fetch_one("PRAGMA max_page_count = 1000000"))
    await sqlite.write(insert("after"))
    assert await sqlite.read(names) == ["after", "before"]


async def test_the_whole_batch_fails_when_its_transaction_is_gone(sqlite: SqliteDatabase) -> None:
    gate = Gate(sqlite)
    await gate.closed()

    async def loses_it(tx: Tx) -> None:
        # What SQLite does by itself on some faults of the disk.
        await tx.execute("ROLLBACK")
        raise DatabaseUnavailable("The disk is gone.", hint="Look for it.")

    tasks = [asyncio.create_task(sqlite.write(work)) for work in (insert("a"), loses_it, insert("b"))]
    await gate.open()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["The disk is gone. Look for it."] * 3
    assert await sqlite.read(names) == []


async def test_reading_cannot_write(sqlite: SqliteDatabase) -> None:
    with pytest.raises(DatabaseUnavailable, match="readonly"):
        await sqlite.read(insert("a"))


async def test_a_new_file_is_its_owners_alone(sqlite: SqliteDatabase, tmp_path: Path) -> None:
    path = tmp_path / "new" / "provisor.db"
    database = SqliteDatabase(path)
    await database.open()
    await database.write(lambda tx: tx.execute("CREATE TABLE t (a)"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await database.close()
    assert [file.name for file in path.parent.iterdir()] == ["provisor.db"]


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("version:v1.0\n" * 100)
    with pytest.raises(DatabaseUnavailable, match=r"users\.csv.*not a database.*Name another file"):
        await SqliteDatabase(path).open()


async def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="Is a directory"):
        await SqliteDatabase(tmp_path).open()
