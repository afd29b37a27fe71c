"""Hot statements use the index that was made for them: SQLite has chosen a prefix of the primary key before."""

from __future__ import annotations

import pytest

from provisor.storage.queries import id_list, named_queries
from provisor.storage.sqlite import SqliteDatabase

_QUERIES = named_queries("provisor.directory")
_PARAMS = {
    "tenant_id": "t",
    "id": "i",
    "ids": id_list(["i"]),
    "keys": id_list(["k"]),
    "name_key": "n",
    "after": "",
    "limit": 10,
    "before": 5,
    "manager_id": "m",
    "member_id": "m",
    "group_id": "g",
    "at": 7,
}
_USER_KEY = "sqlite_autoindex_directory_user_1 (tenant_id=? AND id"
_GROUP_KEY = "sqlite_autoindex_directory_group_1 (tenant_id=? AND id"


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        ("users_by_id", [f"u USING INDEX {_USER_KEY}=?", f"m USING INDEX {_USER_KEY}=?"]),
        ("users_after", [f"u USING INDEX {_USER_KEY}>?", f"m USING INDEX {_USER_KEY}=?"]),
        ("users_by_upn", ["u USING INDEX sqlite_autoindex_directory_user_2 (tenant_id=? AND upn_key=?"]),
        ("users_by_name", ["u USING INDEX ix_directory_user_name (tenant_id=? AND name_key=?"]),
        ("upn_holders", ["sqlite_autoindex_directory_user_2 (tenant_id=? AND upn_key=?"]),
        ("reports_of", ["ix_directory_user_manager (tenant_id=? AND manager_id=?"]),
        ("touch_reports", ["ix_directory_user_manager (tenant_id=? AND manager_id=?"]),
        ("forget_manager", ["ix_directory_user_manager (tenant_id=? AND manager_id=?"]),
        ("expired_users", ["ix_directory_user_deleted (tenant_id=? AND deleted_at<?"]),
        ("expired_groups", ["ix_directory_group_deleted (tenant_id=? AND deleted_at<?"]),
        ("groups_by_id", [f"{_GROUP_KEY}=?"]),
        ("groups_after", [f"{_GROUP_KEY}>?"]),
        ("groups_by_name", ["ix_directory_group_name (tenant_id=? AND name_key=?"]),
        ("kinds_of", [f"{_USER_KEY}=?", f"{_GROUP_KEY}=?"]),
        ("stored_members", ["ix_group_member_member (tenant_id=? AND member_id=? AND group_id=?"]),
        (
            "members_after",
            ["group_member_1 (tenant_id=? AND group_id=? AND member_id>?", f"u USING INDEX {_USER_KEY}=?"],
        ),
        ("groups_of", ["ix_group_member_member (tenant_id=? AND member_id=?"]),
        ("groups_holding", ["ix_group_member_member (tenant_id=? AND member_id=?"]),
        ("forget_member", ["ix_group_member_member (tenant_id=? AND member_id=?"]),
    ],
)
async def test_a_hot_statement_seeks_in_its_index(
    memory_database: SqliteDatabase, query: str, steps: list[str]
) -> None:
    text = f"EXPLAIN QUERY PLAN {_QUERIES[query].sqlite}"
    rows = await memory_database.read(lambda tx: tx.fetch_all(text, _PARAMS))
    plan = "\n".join(str(row[3]) for row in rows)
    for step in steps:
        assert step in plan, plan
    assert "SCAN directory" not in plan
    assert "SCAN group_member" not in plan
