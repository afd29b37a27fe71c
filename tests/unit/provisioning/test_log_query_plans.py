"""Pages of the provisioning log walk the index that fits, in its order: nothing is sorted, nothing is scanned whole."""

from __future__ import annotations

import pytest

from provisor.provisioning.log.blocks import KEYED
from provisor.provisioning.log.store import _joined
from provisor.storage.queries import Query, named_queries
from provisor.storage.sqlite import SqliteDatabase

DRIVERS = {
    "tenant": "ix_provisioning_log_block_time (tenant_id=? AND at",
    "job": "ix_provisioning_log_block_job (job_id=? AND at",
    "key": "o USING PRIMARY KEY (key=? AND (at,no)",
    "no": "USING INTEGER PRIMARY KEY (rowid=?)",
}
PARAMS = {
    **dict.fromkeys((*KEYED, "tenant_id", "job_id", "object_type", "name"), "x"),
    **dict.fromkeys(("before_at", "before_no", "bound_at", "bound_no", "scan", "limit", "before", "key", "no"), 1),
}


async def plan(database: SqliteDatabase, query: Query) -> list[str]:
    rows = await database.read(lambda tx: tx.fetch_all(f"EXPLAIN QUERY PLAN {query.sqlite}", PARAMS))
    return [row[3] for row in rows]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("others", [(), ("and_status", "and_job_id", "and_object_type"), ("and_name",)], ids=str)
async def test_a_page_walks_the_index_of_its_driver(
    memory_database: SqliteDatabase, driver: str, others: tuple[str, ...]
) -> None:
    queries = [_joined(("page", driver, *others, f"end_{driver}"))]
    if driver != "no":
        queries.append(_joined(("bound", f"bound_{driver}")))
    for query in queries:
        steps = await plan(memory_database, query)
        assert any(DRIVERS[driver] in step for step in steps), steps
        assert not any("TEMP B-TREE" in step for step in steps), steps
        assert not any(step.startswith("SCAN") for step in steps), steps


async def test_what_expires_is_found_by_its_age(memory_database: SqliteDatabase) -> None:
    steps = await plan(memory_database, named_queries("provisor.provisioning.log")["oldest"])
    assert any("ix_provisioning_log_block_time (tenant_id=? AND at<?" in step for step in steps), steps
