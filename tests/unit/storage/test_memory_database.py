import asyncio
import socket

import pytest
from pytest_socket import SocketBlockedError

from provisor.errors import InvalidInput
from provisor.storage.database import DatabaseUnavailable, Tx, UniqueViolation, UnitOverError
from provisor.storage.sqlite import SqliteDatabase
from provisor.testing.database import memory_database as make


def insert(name: str, value: str = "{}"):
    async def work(tx: Tx) -> int:
        return await tx.execute(
            "INSERT INTO setting (name, value) VALUES (:name, :value)", {"name": name, "value": value}
        )

    return work


async def names(tx: Tx) -> list[str]:
    return [name for (name,) in await tx.fetch_all("SELECT name FROM setting ORDER BY name")]


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_unit_tests_cannot_open_a_network_socket() -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET)


async def test_what_was_written_is_read(memory_database: SqliteDatabase) -> None:
    assert await memory_database.write(insert("a")) == 1
    assert await memory_database.read(names) == ["a"]
    assert await memory_database.read(names, long=True) == ["a"]


async def test_two_databases_in_memory_share_nothing(memory_database: SqliteDatabase) -> None:
    await memory_database.write(insert("a"))
    other = await make()
    assert await other.read(names) == []
    await other.close()


async def test_a_unit_that_awaits_something_else_is_told_so_and_rolled_back(memory_database: SqliteDatabase) -> None:
    for pause in (0, 0.001):

        async def work(tx: Tx, pause: float = pause) -> None:
            await insert("a")(tx)
            await asyncio.sleep(pause)

        with pytest.raises(RuntimeError, match="awaited something other than its Tx"):
            await memory_database.write(work)
        with pytest.raises(RuntimeError, match="awaited something other than its Tx"):
            await memory_database.read(lambda _, pause=pause: asyncio.sleep(pause))
    assert await memory_database.read(names) == []


async def test_a_unit_inside_a_unit_is_refused(memory_database: SqliteDatabase) -> None:
    async def outer(tx: Tx) -> list[str]:
        await names(tx)
        return await memory_database.read(names)

    with pytest.raises(RuntimeError, match="began another one"):
        await memory_database.read(outer)
    assert await memory_database.read(names) == []


async def test_a_unit_cannot_swallow_an_error_and_go_on(memory_database: SqliteDatabase) -> None:
    await memory_database.write(insert("a"))

    async def returns(tx: Tx) -> str:
        try:
            await insert("a")(tx)
        except UniqueViolation:
            return "as if nothing had happened"
        return "inserted"

    async def goes_on(tx: Tx) -> None:
        await returns(tx)
        await insert("b")(tx)

    for work in (returns, goes_on):
        with pytest.raises(UnitOverError):
            await memory_database.write(work)
    assert await memory_database.read(names) == ["a"]


async def test_reading_cannot_write(memory_database: SqliteDatabase) -> None:
    with pytest.raises(DatabaseUnavailable, match="readonly"):
        await memory_database.read(insert("a"))
    await memory_database.write(insert("b"))
    assert await memory_database.read(names) == ["b"]


async def test_a_value_that_no_database_holds_is_the_callers_fault(memory_database: SqliteDatabase) -> None:
    for value in ("\ud800", 1 << 64):
        with pytest.raises(InvalidInput, match="cannot hold"):
            await memory_database.write(insert("a", value))  # type: ignore[arg-type]  # a value of the wrong type
    assert await memory_database.read(names) == []


async def test_a_closed_database_says_so(memory_database: SqliteDatabase) -> None:
    await memory_database.close()
    with pytest.raises(DatabaseUnavailable, match="not open"):
        await memory_database.write(insert("a"))
    with pytest.raises(DatabaseUnavailable, match="not open"):
        await memory_database.read(names)


async def test_closing_finishes_what_was_queued() -> None:
    database = await make()
    writes = [asyncio.create_task(database.write(insert(str(number)))) for number in range(50)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*writes) == [1] * 50


async def test_a_cancelled_writer_does_not_disturb_the_others(memory_database: SqliteDatabase) -> None:
    first, second = (asyncio.create_task(memory_database.write(insert(name))) for name in "ab")
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first
    assert "b" in await memory_database.read(names)
