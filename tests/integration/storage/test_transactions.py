"""What both engines promise about units of work."""

import asyncio

import pytest

from provisor.errors import InvalidInput
from provisor.storage.database import Database, Tx, UniqueViolation, UnitOverError
from provisor.storage.queries import id_list
from provisor.testing.database import Store

ADMINISTRATOR = "INSERT INTO administrator (company_id, id, email, is_admin, created_at) VALUES"
LINK = (
    "INSERT INTO link (job_id, source_id, object_type, target_id, state, acknowledged, display_name, name_key,"
    " updated_at) VALUES"
)


def insert(name: str):
    async def work(tx: Tx) -> int:
        return await tx.execute("INSERT INTO setting (name, value) VALUES (:name, '{}')", {"name": name})

    return work


async def names(tx: Tx) -> list[str]:
    return [name for (name,) in await tx.fetch_all("SELECT name FROM setting ORDER BY name")]


async def test_what_was_written_is_read_at_once(database: Database) -> None:
    for number in range(20):
        await database.write(insert(f"n{number:02}"))
        assert len(await database.read(names)) == number + 1
    assert await database.read(names, long=True) == [f"n{number:02}" for number in range(20)]


async def test_a_statement_tells_how_many_rows_it_changed(database: Database) -> None:
    async def work(tx: Tx) -> tuple[int, int]:
        await tx.execute_many(
            "INSERT INTO setting (name, value) VALUES (:name, '{}')", [{"name": name} for name in "abc"]
        )
        await tx.execute_many("INSERT INTO setting (name, value) VALUES (:name, '{}')", [])
        update = "UPDATE setting SET value = :value WHERE name IN (:names...)"
        return (
            await tx.execute(update, {"value": "1", "names": id_list("ac")}),
            await tx.execute(update, {"value": "1", "names": id_list([])}),
        )

    assert await database.write(work) == (2, 0)


async def test_a_row_that_is_not_there_is_none(database: Database) -> None:
    assert await database.read(lambda tx: tx.fetch_one("SELECT name FROM setting")) is None


async def test_every_type_of_value_comes_back_as_it_went(database: Database) -> None:
    async def work(tx: Tx) -> tuple[object, ...] | None:
        params = {
            "id": "k",
            "mac": b"\0\xff",
            "flag": True,
            "big": 1 << 62,
            "none": None,
            "text": "Zoë % 'x' :a \U0001f600",
        }
        await tx.execute(
            "INSERT INTO administrator (company_id, id, email, is_admin, created_at)"
            " VALUES (:id, :id, :text, :flag, :big)",
            params,
        )
        await tx.execute("INSERT INTO job_secret (job_id, key, sealed, updated_at) VALUES (:id, 'k', :mac, 0)", params)
        await tx.execute(
            "INSERT INTO app_role (service_principal_id, id, value, display_name, enabled)"
            " VALUES (:id, :id, :none, :id, FALSE)",
            params,
        )
        return await tx.fetch_one(
            "SELECT email, is_admin, created_at, sealed, r.value, enabled"
            " FROM administrator, job_secret, app_role AS r WHERE is_admin AND NOT enabled"
        )

    row = await database.write(work)
    assert row == ("Zoë % 'x' :a \U0001f600", True, 1 << 62, b"\0\xff", None, False)


async def test_text_is_ordered_by_its_bytes(database: Database) -> None:
    for name in ("b", "B", "ä", "a", "_"):
        await database.write(insert(name))
    assert await database.read(names) == ["B", "_", "a", "b", "ä"]


async def test_one_failing_unit_leaves_those_beside_it(database: Database) -> None:
    async def fails(tx: Tx) -> None:
        await insert("half")(tx)
        raise LookupError("on purpose")

    answers = await asyncio.gather(
        *(database.write(insert(f"n{number}")) for number in range(20)),
        database.write(fails),
        *(database.write(insert(f"m{number}")) for number in range(20)),
        return_exceptions=True,
    )
    assert [answer for answer in answers if answer != 1] == [answers[20]]
    assert isinstance(answers[20], LookupError)
    assert len(await database.read(names)) == 40


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("INSERT INTO tenant VALUES ('i', 'other', 'other', 0)", "pk_tenant"),
        ("INSERT INTO tenant VALUES ('other', 'n', 'other', 0)", "uq_tenant_name"),
        (
            f"{ADMINISTRATOR} ('c', 'other', 'e', TRUE, 0)",
            "uq_administrator_company_id_email",
        ),
        (f"{LINK} ('j', 'other', 'User', 't', 'linked', '{{}}', '', '', 0)", "ux_link_target"),
    ],
)
async def test_a_taken_value_names_its_constraint_alike_on_both_engines(
    database: Database, statement: str, constraint: str
) -> None:
    async def first(tx: Tx) -> None:
        await tx.execute("INSERT INTO tenant (id, name, domain, created_at) VALUES ('i', 'n', 'd', 0)")
        await tx.execute(f"{ADMINISTRATOR} ('c', 'i', 'e', TRUE, 0)")
        await tx.execute(f"{LINK} ('j', 's', 'User', 't', 'linked', '{{}}', '', '', 0)")

    await database.write(first)
    with pytest.raises(UniqueViolation) as caught:
        await database.write(lambda tx: tx.execute(statement))
    assert caught.value.constraint == constraint
    with pytest.raises(UniqueViolation):
        await database.write(lambda tx: tx.execute_many(statement, [{}]))


async def test_a_unit_cannot_swallow_an_error_and_go_on(database: Database) -> None:
    await database.write(insert("a"))

    async def returns(tx: Tx) -> None:
        await insert("b")(tx)
        try:
            await insert("a")(tx)
        except UniqueViolation:
            return

    async def goes_on(tx: Tx) -> None:
        await returns(tx)
        await insert("c")(tx)

    for work in (returns, goes_on):
        with pytest.raises(UnitOverError):
            await database.write(work)
    assert await database.read(names) == ["a"]


async def test_a_reading_unit_sees_one_moment_however_many_statements_it_makes(store: Store) -> None:
    reading, writing = store.database(), store.database()
    await reading.open()
    await writing.open()
    stop = asyncio.Event()

    async def pair(tx: Tx) -> None:
        await tx.execute("INSERT INTO setting (name, value) SELECT 'a' || count(*), '{}' FROM setting")
        await tx.execute("INSERT INTO executor (id, heartbeat_at) SELECT 'e' || count(*), 0 FROM executor")

    async def write() -> None:
        while not stop.is_set():
            await writing.write(pair)

    async def both(tx: Tx) -> tuple[object, ...]:
        one = await tx.fetch_one("SELECT count(*) FROM setting")
        other = await tx.fetch_one("SELECT count(*) FROM executor")
        return one, other

    writer = asyncio.create_task(write())
    seen = []
    while len(set(seen)) < 20 and not writer.done():
        seen.append(await reading.read(both, long=len(seen) % 2 == 0))
        await asyncio.sleep(0)
    stop.set()
    await writer
    assert all(one == other for one, other in seen)
    await reading.close()
    await writing.close()


async def test_a_value_that_the_engine_cannot_hold_is_the_callers_fault(database: Database) -> None:
    with pytest.raises(InvalidInput, match="cannot hold"):
        await database.write(insert("\ud800"))


async def test_opening_and_closing_again_finds_what_was_written(store: Store) -> None:
    for expected in ([], ["n0"], ["n0", "n1"]):
        database = store.database()
        await database.open()
        assert await database.read(names) == expected
        await database.write(insert(f"n{len(expected)}"))
        await database.close()
