"""People who were there before revision 0002 are found by their mail as well as those who came after it."""

from __future__ import annotations

import asyncio
import json

from alembic import command
from sqlalchemy import text

from provisor.storage.migrations import migrate
from provisor.storage.migrations.run import configuration, connection
from provisor.testing.database import Store

_INSERT = """
INSERT INTO directory_user (tenant_id, id, upn_key, display_name, name_key, account_enabled, document, version,
                            created_at, updated_at)
VALUES (:tenant, :id, :id, 'x', 'x', :enabled, :document, 1, 0, 0)
"""


async def test_people_get_the_keys_that_they_are_looked_for_by(empty_store: Store) -> None:
    database = empty_store.database()
    await database.open()

    def before() -> None:
        with connection(database) as connected:
            config = configuration()
            config.attributes["connection"] = connected
            command.upgrade(config, "0001")
            for number in range(1_500):
                attributes = {"mail": f"Ä{number}@X.example", "mailNickname": f"N{number}", "department": "Öps"}
                row = {"tenant": f"t{number % 2}", "id": f"{number:05}", "enabled": True}
                connected.execute(text(_INSERT), {**row, "document": json.dumps(attributes if number else {})})

    await asyncio.to_thread(before)
    await migrate(database)

    sql = "SELECT mail_key, nickname_key, department_key, employee_id_key FROM directory_user ORDER BY id"
    rows = await database.read(lambda tx: tx.fetch_all(sql))
    assert rows[0] == (None, None, None, None)
    assert rows[1:] == [(f"ä{number}@x.example", f"n{number}", "öps", None) for number in range(1, 1_500)]
    await database.close()
