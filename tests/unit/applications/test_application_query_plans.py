"""What is asked at every token, consent and page of assignments is found by an index, and no table is walked."""

from __future__ import annotations

import pytest

from provisor.storage.queries import named_queries
from provisor.storage.sqlite import SqliteDatabase

HOT = (
    ("passwords", "of_app", "c USING INDEX ix_password_credential_app (app_id=?)"),
    ("passwords", "of_objects", "ix_password_credential_object (object_id=?)"),
    ("passwords", "still_counts", "(key_id=?)"),
    ("assignments", "roles_of", "(service_principal_id=? AND principal_id=?)"),
    ("assignments", "of_resource", "(service_principal_id=?)"),
    ("assignments", "people", "(service_principal_id=? AND (principal_id,app_role_id)>(?,?))"),
    ("assignments", "people_named", "(service_principal_id=? AND (principal_id,app_role_id)>(?,?))"),
    ("assignments", "how_many_people", "(service_principal_id=?)"),
    ("assignments", "of_principal", "ix_assignment_principal (tenant_id=? AND principal_id=?)"),
    ("assignments", "one", "(tenant_id=? AND id=?)"),
    ("grants", "of_client", "(tenant_id=? AND client_id=? AND resource_id=?"),
    ("registrations", "applications_by_app_id", "(app_id=?)"),
    ("registrations", "owned", "ix_application_owner_owner (tenant_id=? AND owner_id=?)"),
    ("registrations", "owners", "(tenant_id=? AND object_id=?)"),
)
NAMES = (
    *("app_id", "tenant_id", "object_ids", "key_id", "service_principal_id", "principal_id", "id", "after"),
    *("client_id", "resource_id", "app_ids", "owner_id", "object_id"),
    *("principal", "role", "kind", "pattern"),
)
PARAMETERS = {**dict.fromkeys(NAMES, "[]"), "now": 1, "limit": 1, "most": 1}


@pytest.mark.parametrize(("package", "query", "index"), HOT)
async def test_an_index_finds_it(memory_database: SqliteDatabase, package: str, query: str, index: str) -> None:
    sql = named_queries(f"provisor.applications.{package}")[query].sqlite
    rows = await memory_database.read(lambda tx: tx.fetch_all(f"EXPLAIN QUERY PLAN {sql}", PARAMETERS))
    steps = [row[3] for row in rows]
    assert any(index in step for step in steps), steps
    walked = [step for step in steps if step.startswith("SCAN") and "json_each" not in step and step != "SCAN found"]
    assert walked == [], steps


async def test_a_page_of_many_assignments_is_not_sorted_out_of_them_all(memory_database: SqliteDatabase) -> None:
    sql = named_queries("provisor.applications.assignments")["people"].sqlite
    rows = await memory_database.read(lambda tx: tx.fetch_all(f"EXPLAIN QUERY PLAN {sql}", PARAMETERS))
    assert not any("ORDER BY" in row[3] for row in rows)
