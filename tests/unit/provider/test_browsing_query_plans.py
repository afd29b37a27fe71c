"""What the company portal asks seeks in the indexes that were made for it, however many there are."""

from __future__ import annotations

import pytest

from provisor.storage.queries import id_list, named_queries
from provisor.storage.sqlite import SqliteDatabase

_PARAMS = {
    "company_id": "c",
    "type": "User",
    "id": "i",
    "ids": id_list(["i"]),
    "text": "t",
    "path": "p",
    "after": "",
    "limit": 10,
    "before": None,
    "oldest": "o",
    "window": 5,
    "status": None,
    "least_status": 0,
    "method": None,
    "credential": None,
    "since": None,
    "until": None,
    "with_ignored": 0,
    "resource_id": "r",
    "width": 1,
}


@pytest.mark.parametrize(
    ("package", "query", "step"),
    [
        ("browsing", "first_lines", "r USING INDEX ux_resource_unique (company_id=? AND type=? AND unique_key>?)"),
        ("browsing", "search_name", "USING INDEX ux_resource_unique (company_id=? AND type=?)"),
        ("browsing", "search_values", "USING PRIMARY KEY (company_id=? AND type=? AND path=?)"),
        ("browsing", "lines_of", "r USING INDEX sqlite_autoindex_resource_1 (company_id=? AND type=? AND id=?)"),
        ("browsing", "groups_of", "m USING COVERING INDEX ix_resource_member_member (company_id=? AND member_id=?"),
        ("browsing", "members", "m USING PRIMARY KEY (company_id=? AND group_id=? AND member_id>?)"),
        ("requestlog", "window_end", "scim_request_1 (company_id=? AND id<?)"),
        ("requestlog", "request_lines", "INDEX sqlite_autoindex_scim_request_1 (company_id=? AND id>? AND id<?"),
        ("requestlog", "activity", "sqlite_autoindex_scim_request_1 (company_id=? AND id>?)"),
        ("requestlog", "requests_about", "r USING INDEX ix_scim_request_resource (company_id=? AND resource_id=?"),
        ("requestlog", "request", "r USING INDEX sqlite_autoindex_scim_request_1 (company_id=? AND id=?)"),
    ],
)
async def test_a_page_seeks_in_its_index(memory_database: SqliteDatabase, package: str, query: str, step: str) -> None:
    text = named_queries(f"provisor.provider.{package}")[query].sqlite
    rows = await memory_database.read(lambda tx: tx.fetch_all(f"EXPLAIN QUERY PLAN {text}", _PARAMS))
    plan = [row[3] for row in rows]
    assert any(step in line for line in plan), plan
    assert not any(line.startswith(("SCAN r", "SCAN m", "SCAN scim_request")) for line in plan), plan
