"""What only PostgreSQL does: conflicts between transactions, connections that are lost, limits of the server."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from provisor.errors import InvalidInput
from provisor.storage.database import DatabaseUnavailable, Tx
from provisor.storage.postgresql import PostgresDatabase
from provisor.testing.database import Store


@pytest.fixture
async def postgresql(postgresql_only: Store) -> AsyncIterator[PostgresDatabase]:
    assert postgresql_only.url is not None
    database = PostgresDatabase(postgresql_only.url)
    await database.open()
    yield database
    await database.close()


def put(name: str, value: str):
    params = {"name": name, "value": value}
    return lambda tx: tx.execute("UPDATE setting SET value = :value WHERE name = :name", params)


async def settings(tx: Tx) -> dict[str, str]:
    return dict(await tx.fetch_all("SELECT name, value FROM setting"))


async def two_settings(tx: Tx) -> None:
    await tx.execute_many("INSERT INTO setting VALUES (:name, '0')", [{"name": name} for name in "ab"])


async def test_units_that_lock_each_other_out_both_succeed(postgresql: PostgresDatabase) -> None:
    await postgresql.write(two_settings)
    began = {"a": asyncio.Event(), "b": asyncio.Event()}
    runs: list[str] = []

    def crossing(mine: str, other: str):
        async def work(tx: Tx) -> None:
            runs.append(mine)
            await put(mine, mine)(tx)
            began[mine].set()
            await began[other].wait()
            await put(other, mine)(tx)

        return work

    await asyncio.gather(postgresql.write(crossing("a", "b")), postgresql.write(crossing("b", "a")))
    assert len(runs) == 3
    after = await postgresql.read(settings)
    assert after["a"] == after["b"]


async def test_a_serialisation_failure_runs_the_unit_again(postgresql: PostgresDatabase) -> None:
    await postgresql.write(two_settings)

    async def add_one(tx: Tx) -> None:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        row = await tx.fetch_one("SELECT value FROM setting WHERE name = 'a'")
        assert row is not None
        await put("a", str(int(row[0]) + 1))(tx)

    await asyncio.gather(*(postgresql.write(add_one) for _ in range(5)))
    assert (await postgresql.read(settings))["a"] == "5"


async def test_connections_that_the_server_dropped_are_replaced_unseen(
    postgresql: PostgresDatabase, postgresql_only: Store
) -> None:
    await postgresql.write(two_settings)
    await asyncio.gather(*(postgresql.read(lambda tx: tx.fetch_one("SELECT pg_sleep(0.05)")) for _ in range(4)))
    for work in (postgresql.read(settings), postgresql.write(put("a", "1")), postgresql.read(settings)):
        with psycopg.connect(postgresql_only.url or "") as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'provisor' AND datname = current_database()"
            )
        await work
    assert (await postgresql.read(settings))["a"] == "1"


async def test_a_connection_lost_within_a_unit_runs_it_again_as_a_whole(postgresql: PostgresDatabase) -> None:
    await postgresql.write(two_settings)
    runs = 0

    async def work(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        await tx.execute("UPDATE setting SET value = value || '1' WHERE name = 'a'")
        if runs == 1:
            await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    await postgresql.write(work)
    assert (runs, (await postgresql.read(settings))["a"]) == (2, "01")


async def test_a_connection_that_is_lost_every_time_is_told_with_the_servers_reason(
    postgresql: PostgresDatabase,
) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"test_.*terminating connection.*See that the server runs"):
        await postgresql.write(lambda tx: tx.execute("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert await postgresql.read(settings) == {}


async def test_a_connection_lost_during_the_commit_is_told_and_not_tried_again(
    postgresql: PostgresDatabase, postgresql_only: Store
) -> None:
    with psycopg.connect(postgresql_only.url or "", autocommit=True) as administrator:
        administrator.execute("""
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON setting DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION die();
        """)
    runs = 0

    async def work(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        await two_settings(tx)

    with pytest.raises(DatabaseUnavailable, match=r"during a commit.*look before you try again"):
        await postgresql.write(work)
    assert runs == 1


async def test_a_servers_limit_on_statements_does_not_hold_for_us(postgresql_only: Store) -> None:
    with psycopg.connect(postgresql_only.url or "", autocommit=True) as administrator:
        name = administrator.info.dbname
        administrator.execute(f"ALTER DATABASE {name} SET statement_timeout = '20ms'".encode())
    database = postgresql_only.database()
    await database.open()
    await database.read(lambda tx: tx.fetch_one("SELECT pg_sleep(0.1)"))
    await database.close()


async def test_a_nul_character_is_the_callers_fault(postgresql: PostgresDatabase) -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        await postgresql.write(put("a", "\0"))


async def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    database = PostgresDatabase("postgresql://p:secret@127.0.0.1:1/prov")
    with pytest.raises(DatabaseUnavailable, match=r"prov on 127\.0\.0\.1 does not answer: .*refused") as caught:
        await database.open()
    assert "secret" not in str(caught.value)


async def test_reading_cannot_write(postgresql: PostgresDatabase) -> None:
    async def work(tx: Tx) -> None:
        await settings(tx)
        await put("a", "1")(tx)

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await postgresql.read(work)
