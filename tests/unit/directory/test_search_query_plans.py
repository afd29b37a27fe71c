"""Searches seek in the index that was made for them, and pages are read in their order without sorting."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.directory.searching.narrowing import narrowing
from provisor.directory.searching.store import Kind, statement
from provisor.odata.filters import parse_filter
from provisor.storage.queries import for_sqlite
from provisor.storage.sqlite import SqliteDatabase

_USER_KEY = "sqlite_autoindex_directory_user_1 (tenant_id=? AND id"


async def plan(database: SqliteDatabase, kind: Kind, text: str | None, **given: Any) -> list[str]:
    narrow = None if text is None else narrowing(kind, parse_filter(text))
    sort = given.pop("sort", None) or (narrow and narrow.sort) or "id"
    sql = statement(
        kind, sort, narrow and narrow.sql, in_order=narrow is not None and narrow.sort == sort, begun=True, **given
    )
    params = {"tenant_id": "t", "limit": 1, "after_id": "a", "after_key": "k", **(narrow.params if narrow else {})}
    rows = await database.read(lambda tx: tx.fetch_all(f"EXPLAIN QUERY PLAN {for_sqlite(sql)}", params))
    return [row[3] for row in rows]


@pytest.mark.parametrize(
    ("kind", "text", "given", "step", "sorts"),
    [
        ("user", None, {}, f"{_USER_KEY}>?)", False),
        ("user", None, {"descending": True}, f"{_USER_KEY}<?)", False),
        ("user", None, {"sort": "displayName"}, "_name (tenant_id=? AND name_key>?)", None),
        ("user", None, {"sort": "userPrincipalName"}, "directory_user_2 (tenant_id=? AND upn_key>?)", None),
        ("user", None, {"deleted": True}, "_deleted (tenant_id=?", True),
        ("user", "userPrincipalName eq 'a'", {}, "directory_user_2 (tenant_id=? AND upn_key=?)", False),
        ("user", "id in ('a','b')", {}, f"{_USER_KEY}=?)", True),
        ("user", "mail eq 'a'", {}, "_mail (tenant_id=? AND mail_key=? AND id>?)", False),
        ("user", "department eq 'a'", {}, "_department (tenant_id=? AND department_key=? AND id>?", False),
        ("user", "employeeId in ('a','b')", {}, "_employee_id (tenant_id=? AND employee_id_key=?)", True),
        ("user", "mailNickname eq 'a'", {"sort": "displayName"}, "_nickname (tenant_id=?", True),
        ("user", "startswith(displayName,'a')", {}, "_name (tenant_id=? AND name_key>? AND name_key<?", None),
        ("user", "startswith(mail,'a')", {}, "_mail (tenant_id=? AND mail_key>? AND mail_key<?)", True),
        ("user", "displayName eq 'a' and accountEnabled", {}, "_name (tenant_id=? AND name_key=?)", True),
        ("group", None, {}, "sqlite_autoindex_directory_group_1 (tenant_id=? AND id>?)", False),
        ("group", "displayName eq 'a'", {}, "ix_directory_group_name (tenant_id=? AND name_key=?)", True),
        ("group", None, {"deleted": True}, "ix_directory_group_deleted (tenant_id=?", True),
    ],
)
async def test_a_search_seeks_in_its_index(
    memory_database: SqliteDatabase, kind: Kind, text: str | None, given: dict[str, Any], step: str, sorts: bool | None
) -> None:
    steps = await plan(memory_database, kind, text, **given)

    assert step in " | ".join(steps)
    if sorts is not None:
        assert any("TEMP B-TREE FOR ORDER BY" in one for one in steps) is sorts, steps
    else:  # equal names are put in the order of their ids
        assert not any("TEMP B-TREE FOR ORDER BY" in one for one in steps), steps


async def test_either_of_two_indexed_names_is_found_by_two_indexes(memory_database: SqliteDatabase) -> None:
    steps = " | ".join(await plan(memory_database, "user", "mail eq 'a' or userPrincipalName eq 'a'"))

    assert "ix_directory_user_mail (tenant_id=? AND mail_key=?" in steps
    assert "directory_user_2 (tenant_id=? AND upn_key=?" in steps


@pytest.mark.parametrize(
    "text",
    [
        "accountEnabled eq false",
        "mail ne 'a'",
        "not(mail eq 'a')",
        "mail eq 'a' or city eq 'b'",
        "mail eq null",
        "endswith(mail,'a')",
        "startswith(displayName,'')",
    ],
)
def test_what_no_index_answers_is_walked(text: str) -> None:
    assert narrowing("user", parse_filter(text)) is None
