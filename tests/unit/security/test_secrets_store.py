"""The check value: a wrong master key is noticed at the start, on both engines' common statements."""

from __future__ import annotations

import pytest

from provisor.security.secrets import MasterKey
from provisor.security.store import WrongKey, check_key
from provisor.storage.sqlite import SqliteDatabase

KEY = MasterKey(bytes(range(32)), "PROVISOR_SECRET_KEY")
OTHER = MasterKey(bytes(32), "/srv/provisor/secret.key")


async def test_the_first_key_is_accepted_and_stays_accepted(memory_database: SqliteDatabase) -> None:
    await check_key(memory_database, KEY)
    await check_key(memory_database, KEY)


async def test_another_key_is_refused_naming_both_and_where_it_came_from(memory_database: SqliteDatabase) -> None:
    await check_key(memory_database, KEY)
    with pytest.raises(WrongKey) as caught:
        await check_key(memory_database, OTHER)
    message = str(caught.value)
    assert "/srv/provisor/secret.key" in message
    assert KEY.id in message
    assert OTHER.id in message
    assert "PROVISOR_SECRET_KEY" in message


async def test_a_refused_key_does_not_become_the_database_s_key(memory_database: SqliteDatabase) -> None:
    await check_key(memory_database, KEY)
    with pytest.raises(WrongKey):
        await check_key(memory_database, OTHER)
    await check_key(memory_database, KEY)


async def test_the_stored_check_value_does_not_hold_the_key(memory_database: SqliteDatabase) -> None:
    await check_key(memory_database, KEY)
    rows = await memory_database.read(lambda tx: tx.fetch_all("SELECT value FROM setting"))
    assert KEY.material.hex() not in rows[0][0]
