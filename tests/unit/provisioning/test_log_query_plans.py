"""Pages of the provisioning log walk the index that fits, in its order: nothing is sorted, nothing is scanned whole."""

from __future__ import annotations

import pytest

from provisor.provisioning.log.store import _DRIVERS, _bound, _page
from provisor.storage.queries import named_queries
from provisor.storage.sqlite import SqliteDatabase

INDICES = {
    "tenant_id": "ix_provisioning_log_time (tenant_id=? AND (at,id)",
    "change_id": "ix_provisioning_log_change (change_id=?)",
    "source_id": "ix_provisioning_log_source_time (source_id=? AND (at,id)",
    "target_id": "ix_provisioning_log_target_time (target_id=? AND (at,id)",
    "cycle_id": "ix_provisioning_log_cycle_time (cycle_id=? AND (at,id)",
    "error_code": "ix_provisioning_log_error_time (tenant_id=? AND error_code=? AND (at,id)",
    "action": "ix_provisioning_log_action_time (tenant_id=? AND action=? AND (at,id)",
    "status": "ix_provisioning_log_status_time (tenant_id=? AND status=? AND (at,id)",
    "job_id": "ix_provisioning_log_job_time (job_id=? AND (at,id)",
}
PARAMS = {
    **dict.fromkeys((*INDICES, "object_type", "source_name", "before_id", "bound_id"), "x"),
    **dict.fromkeys(("before_at", "bound_at", "scan", "limit", "before"), 1),
}


async def plan(database: SqliteDatabase, text: str) -> list[str]:
    rows = await database.read(lambda tx: tx.fetch_all(f"EXPLAIN QUERY PLAN {text}", PARAMS))
    return [row[3] for row in rows]


@pytest.mark.parametrize("driver", ["tenant_id", *_DRIVERS])
@pytest.mark.parametrize("others", [(), ("status", "job_id", "object_type"), ("source_name", "action")], ids=str)
async def test_a_page_walks_the_index_of_its_driver(
    memory_database: SqliteDatabase, driver: str, others: tuple[str, ...]
) -> None:
    names = frozenset({driver, *others} - {"tenant_id"})
    for text in (_page(names, driver).sqlite, _bound(driver).sqlite):
        steps = await plan(memory_database, text)
        assert any(INDICES[driver] in step for step in steps), steps
        # One change has at most a few entries: they may be sorted.
        assert driver == "change_id" or not any("TEMP B-TREE" in step for step in steps), steps
        assert not any(step.startswith("SCAN") for step in steps), steps


async def test_names_are_looked_at_in_the_index_alone(memory_database: SqliteDatabase) -> None:
    steps = await plan(memory_database, named_queries("provisor.provisioning.log")["named"].sqlite)
    assert any("n USING COVERING INDEX ix_provisioning_log_time" in step for step in steps), steps


async def test_what_expires_is_found_by_its_age(memory_database: SqliteDatabase) -> None:
    steps = await plan(memory_database, named_queries("provisor.provisioning.log")["expire"].sqlite)
    assert any("ix_provisioning_log_time (tenant_id=? AND at<?" in step for step in steps), steps
