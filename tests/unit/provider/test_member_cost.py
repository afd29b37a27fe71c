"""One member in or out of a large group costs what it costs in a small one: counted in steps of SQLite's machine."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.storage.queries import named_queries
from provisor.storage.sqlite import SqliteDatabase

SQL = named_queries("provisor.provider.resources")


@pytest.mark.parametrize("query", ["few_members", "insert_found_member", "delete_member"])
def test_a_statement_on_members_takes_no_more_steps_in_a_larger_group(
    memory_database: SqliteDatabase, query: str
) -> None:
    connection = memory_database.shared_connection()
    assert connection is not None
    connection.execute(
        "INSERT INTO resource (company_id, type, id, document, version, created_at, modified_at)"
        " VALUES ('c', 'User', 'new', '{}', 1, 0, 0)"
    )
    for size in (300, 10_000):
        rows = [("c", f"g{size}", f"m{number:06}", "User") for number in range(size)]
        connection.executemany("INSERT INTO resource_member VALUES (?, ?, ?, ?)", rows)

    def steps(group: str) -> int:
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        params: dict[str, Any] = {"company_id": "c", "group_id": group, "member_id": "new", "most": 200}
        connection.set_progress_handler(count, 1)
        connection.execute(SQL[query].sqlite, params).fetchall()
        connection.set_progress_handler(None, 1)
        return counted

    small = steps("g300")
    assert small > 0
    assert steps("g10000") <= small + 5
