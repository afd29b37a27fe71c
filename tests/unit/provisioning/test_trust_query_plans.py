"""What a cycle, guards, plans and on-demand ask on the way seeks in an index, whatever the tables hold."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.provisioning.guarding.store import SQL as GUARDING
from provisor.provisioning.ondemand.store import SQL as ONDEMAND
from provisor.provisioning.planning.store import SQL as PLANNING
from provisor.provisioning.store import SQL as CYCLE
from provisor.storage.queries import Queries, id_list
from provisor.storage.sqlite import SqliteDatabase

PARAMS: dict[str, Any] = {
    "job_id": "j",
    "tenant_id": "t",
    "service_principal_id": "s",
    "plan_id": "p",
    "cycle_id": "c",
    "group_id": "g",
    "source_id": "a",
    "object_type": "User",
    "attribute": "userName",
    "ref": "r",
    "folded": "r",
    "after": "",
    "group": "",
    "member": "",
    "id": "i",
    "since": 0,
    "now": 0,
    "limit": 10,
    "action": None,
    "left_out_only": False,
    "stage": "object",
    "after_due": -1,
    "after_id": "",
    "after_group": "",
    "after_member": "",
    "many": True,
    "whatever": False,
    "ids": id_list(["a", "b"]),
}


TABLES = frozenset({"held", "pending", "link", "outcome", "plan_entry", "plan_pair", "directory_user", "group_member"})


@pytest.mark.parametrize(
    ("queries", "name", "step"),
    [
        (
            CYCLE,
            "claim",
            "ix_pending_due (job_id=? AND stage=? AND object_type=? AND (due_at,source_id)>(?,?) AND due_at<?)",
        ),
        (CYCLE, "claim_urgent", "ix_pending_urgent (job_id=? AND due_at<?)"),
        (CYCLE, "mark_urgent", "sqlite_autoindex_pending_1 (job_id=? AND source_id=?)"),
        (CYCLE, "mark_urgent_members", "sqlite_autoindex_pending_1 (job_id=? AND source_id=?)"),
        (CYCLE, "pairs_due", "ix_pending_member_due (job_id=? AND due_at<?)"),
        (CYCLE, "claim_pairs", "sqlite_autoindex_pending_member_1 (job_id=? AND (group_id,member_id)>(?,?))"),
        (CYCLE, "predecessors", "ix_link_name (job_id=? AND object_type=? AND name_key=?)"),
        (GUARDING, "held_of", "SEARCH held USING INDEX sqlite_autoindex_held_1 (job_id=? AND source_id=?)"),
        (GUARDING, "deprovisions_since", "sqlite_autoindex_deprovision_1 (job_id=? AND at>?)"),
        (GUARDING, "linked_slots", "ix_pending_time (job_id=? AND due_at<?)"),
        (GUARDING, "changed_in_cycle", "ix_outcome_cycle (cycle_id=? AND object_type=? AND action=?)"),
        (GUARDING, "any_deferred", "ix_held_state (job_id=? AND state=?)"),
        (GUARDING, "deferred_counts", "ix_held_state (job_id=? AND state=? AND wave_id=?)"),
        (PLANNING, "users_of_tenant", "sqlite_autoindex_directory_user_1 (tenant_id=? AND id>?)"),
        (PLANNING, "targets_by", "sqlite_autoindex_plan_target_1"),
        (PLANNING, "entries", "sqlite_autoindex_plan_entry_1 (plan_id=? AND source_id>?)"),
        (PLANNING, "entries_to_apply", "(plan_id=?"),
        (PLANNING, "pairs_to_apply", "plan_pair USING"),
        (ONDEMAND, "slot", "sqlite_autoindex_pending_1 (job_id=? AND source_id=?)"),
        (ONDEMAND, "link_called", "(job_id=?"),
        (ONDEMAND, "group_pairs", "(tenant_id=? AND group_id=?"),
    ],
)
async def test_a_query_seeks(memory_database: SqliteDatabase, queries: Queries, name: str, step: str) -> None:
    sql = queries[name].sqlite
    params = {key: value for key, value in PARAMS.items() if f":{key}" in sql}
    rows = await memory_database.read(lambda tx: tx.fetch_all(f"EXPLAIN QUERY PLAN {sql}", params))
    steps = [row[3] for row in rows]

    assert any(step in one for one in steps), steps
    assert not [one for one in steps if one.startswith("SCAN") and one.split()[1] in TABLES], steps


async def test_the_next_of_a_long_queue_are_read_and_not_sorted(memory_database: SqliteDatabase) -> None:
    sql = CYCLE["claim"].sqlite
    params = {key: value for key, value in PARAMS.items() if f":{key}" in sql}
    rows = await memory_database.read(lambda tx: tx.fetch_all(f"EXPLAIN QUERY PLAN {sql}", params))

    assert not [row[3] for row in rows if "TEMP B-TREE" in row[3]]
