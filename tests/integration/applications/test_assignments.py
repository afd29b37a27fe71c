"""Assignments: who is entitled, directly and through groups, and what the feed says of it."""

from __future__ import annotations

from typing import Literal

import pytest
from tests.integration.applications.conftest import Laboratory

from provisor.applications.assignments.service import RoleAssignments
from provisor.applications.assignments.store import AssignmentStore
from provisor.applications.errors import (
    AlreadyAssigned,
    AppNotFound,
    NotAssigned,
    NotSecurityEnabled,
    PrincipalNotFound,
    RoleDisabled,
    RoleNotFound,
)
from provisor.applications.model import DEFAULT_ACCESS, App
from provisor.applications.registrations.service import Registrations
from provisor.applications.registrations.store import RegistrationStore
from provisor.errors import Forbidden
from provisor.events.model import Change
from provisor.storage.database import Tx
from provisor.storage.queries import id_list, named_queries
from provisor.storage.sqlite import SqliteDatabase

URL = "http://127.0.0.1:8080/scim"


@pytest.fixture
async def app(lab: Laboratory) -> App:
    return await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)


async def assign(
    lab: Laboratory, app: App, principal: str, kind: Literal["User", "Group"], role: str = DEFAULT_ACCESS
) -> None:
    await lab.applications.assign(lab.operator, lab.tenant.id, app.service_principal.id, principal, kind, role)


async def feed(lab: Laboratory, after: int) -> list[Change]:
    return await lab.directory.changes(lab.operator, lab.tenant.id, after, 100)


async def entitled(lab: Laboratory, app: App, *users: str) -> dict[str, list[tuple[str, str]]]:
    """User id -> (principal type, principal's name) of what entitles it."""
    found = await lab.applications.entitled(lab.operator, app.job, users)
    return {user: sorted((one.principal_type, one.principal_display_name) for one in by) for user, by in found.items()}


async def test_an_assignment_is_listed_with_its_principals_name_and_role(lab: Laboratory, app: App) -> None:
    ada, pilots = await lab.user("ada"), await lab.group("Pilots")
    [role] = app.service_principal.app_roles
    made = await lab.applications.assign(lab.operator, lab.tenant.id, app.service_principal.id, ada, "User", role.id)
    lab.clock.advance(1)
    await assign(lab, app, pilots, "Group")
    listed = await lab.applications.assignments(lab.operator, lab.tenant.id, app.service_principal.id)
    assert listed[0] == made
    assert [(one.principal_type, one.principal_display_name, one.app_role_id) for one in listed] == [
        ("User", "Ada", role.id),
        ("Group", "Pilots", DEFAULT_ACCESS),
    ]


async def test_assigning_and_unassigning_reach_the_feed(lab: Laboratory, app: App) -> None:
    ada = await lab.user("ada")
    head = await lab.directory.head(lab.operator, lab.tenant.id)
    actor = lab.holder("User Administrator")
    sp = app.service_principal.id
    await lab.applications.assign(actor, lab.tenant.id, sp, ada, "User")
    assert await lab.applications.unassign(actor, lab.tenant.id, sp, ada) == 1
    assert [
        (one.object_type, one.object_id, one.related_id, one.change, one.actor, one.at) for one in await feed(lab, head)
    ] == [
        ("Assignment", ada, sp, "added", "ada", lab.clock.now_ms()),
        ("Assignment", ada, sp, "removed", "ada", lab.clock.now_ms()),
    ]


async def test_a_refused_assignment_leaves_no_trace(lab: Laboratory, app: App) -> None:
    ada = await lab.user("ada")
    await assign(lab, app, ada, "User")
    head = await lab.directory.head(lab.operator, lab.tenant.id)
    with pytest.raises(AlreadyAssigned, match="nothing to do"):
        await assign(lab, app, ada, "User")
    with pytest.raises(RoleNotFound):
        await assign(lab, app, ada, "User", "no-such-role")
    assert await feed(lab, head) == []
    assert len(await lab.applications.assignments(lab.operator, lab.tenant.id, app.service_principal.id)) == 1


async def test_only_what_exists_can_be_assigned(lab: Laboratory, app: App) -> None:
    ada, pilots, mailing = await lab.user("ada"), await lab.group("Pilots"), await lab.group("News", security=False)
    with pytest.raises(PrincipalNotFound, match="no user nobody"):
        await assign(lab, app, "nobody", "User")
    with pytest.raises(PrincipalNotFound, match="no group"):
        await assign(lab, app, ada, "Group")
    with pytest.raises(PrincipalNotFound, match="no user"):
        await assign(lab, app, pilots, "User")
    with pytest.raises(NotSecurityEnabled, match="News is not a security group"):
        await assign(lab, app, mailing, "Group")
    await lab.directory.delete_user(lab.operator, lab.tenant.id, ada)
    with pytest.raises(PrincipalNotFound, match="restored"):
        await assign(lab, app, ada, "User")
    with pytest.raises(AppNotFound):
        await lab.applications.assign(lab.operator, lab.tenant.id, "no-such-app", pilots, "Group")


async def test_another_tenants_users_and_apps_cannot_be_assigned(lab: Laboratory, app: App) -> None:
    ada = await lab.user("ada")
    other = await lab.directory.create_tenant(lab.operator, "Other", "other.example")
    foreign = await lab.applications.add(lab.operator, other.id, "scim", "Wiki", URL)
    with pytest.raises(PrincipalNotFound):
        await lab.applications.assign(lab.operator, other.id, foreign.service_principal.id, ada, "User")
    with pytest.raises(AppNotFound):
        await lab.applications.assign(lab.operator, lab.tenant.id, foreign.service_principal.id, ada, "User")
    with pytest.raises(AppNotFound):
        await lab.applications.unassign(lab.operator, lab.tenant.id, foreign.service_principal.id, ada)
    with pytest.raises(AppNotFound):
        await lab.applications.assignments(lab.operator, lab.tenant.id, foreign.service_principal.id)


async def test_a_disabled_role_cannot_be_assigned(lab: Laboratory, app: App) -> None:
    ada = await lab.user("ada")
    [role] = app.service_principal.app_roles
    await lab.database.write(lambda tx: tx.execute("UPDATE app_role SET enabled = false"))
    with pytest.raises(RoleDisabled, match="role User is disabled"):
        await assign(lab, app, ada, "User", role.id)


async def test_a_principal_can_hold_several_roles_and_lose_one_or_all(lab: Laboratory, app: App) -> None:
    ada, sp = await lab.user("ada"), app.service_principal.id
    [role] = app.service_principal.app_roles
    await assign(lab, app, ada, "User")
    await assign(lab, app, ada, "User", role.id)
    assert await lab.applications.unassign(lab.operator, lab.tenant.id, sp, ada, role.id) == 1
    with pytest.raises(NotAssigned, match="through a group"):
        await lab.applications.unassign(lab.operator, lab.tenant.id, sp, ada, role.id)
    await assign(lab, app, ada, "User", role.id)
    assert await lab.applications.unassign(lab.operator, lab.tenant.id, sp, ada) == 2
    with pytest.raises(NotAssigned):
        await lab.applications.unassign(lab.operator, lab.tenant.id, sp, ada)


async def test_users_are_entitled_directly_and_as_direct_members_and_each_ground_is_told(
    lab: Laboratory, app: App
) -> None:
    ada, bob, eve, zoe = [await lab.user(name) for name in ("ada", "bob", "eve", "zoe")]
    pilots = await lab.group("Pilots", ada, bob)
    crew = await lab.group("Crew", bob)
    await lab.group("Others", zoe)
    await assign(lab, app, ada, "User")
    await assign(lab, app, pilots, "Group")
    await assign(lab, app, crew, "Group")
    assert await entitled(lab, app, ada, bob, eve, zoe, "unknown") == {
        ada: [("Group", "Pilots"), ("User", "Ada")],
        bob: [("Group", "Crew"), ("Group", "Pilots")],
    }
    assert await entitled(lab, app) == {}
    assert set(await entitled(lab, app, bob)) == {bob}


async def test_default_access_is_among_the_grounds_and_told_by_its_role(lab: Laboratory, app: App) -> None:
    ada = await lab.user("ada")
    await assign(lab, app, ada, "User")
    [only] = (await lab.applications.entitled(lab.operator, app.job, [ada]))[ada]
    assert only.app_role_id == DEFAULT_ACCESS


async def test_members_of_a_nested_group_are_not_entitled(lab: Laboratory, app: App) -> None:
    ada = await lab.user("ada")
    inner = await lab.group("Inner", ada)
    outer = await lab.group("Outer", inner)
    await assign(lab, app, outer, "Group")
    assert await entitled(lab, app, ada) == {}
    assert await lab.applications.assigned_groups(lab.operator, app.job, [inner, outer]) == {outer}


async def test_a_deleted_group_and_one_that_is_no_security_group_do_not_count_until_they_are_again(
    lab: Laboratory, app: App
) -> None:
    ada = await lab.user("ada")
    pilots = await lab.group("Pilots", ada)
    await assign(lab, app, pilots, "Group")
    tenant, groups = lab.tenant.id, [pilots]
    await lab.directory.delete_group(lab.operator, tenant, pilots)
    assert await entitled(lab, app, ada) == {}
    assert await lab.applications.assigned_groups(lab.operator, app.job, groups) == set()
    assert await lab.applications.assignments(lab.operator, tenant, app.service_principal.id) == []
    await lab.directory.restore_group(lab.operator, tenant, pilots)
    assert set(await entitled(lab, app, ada)) == {ada}
    await lab.directory.update_group(lab.operator, tenant, pilots, {"securityEnabled": False})
    assert await entitled(lab, app, ada) == {}
    assert await lab.applications.assigned_groups(lab.operator, app.job, groups) == set()


async def test_a_deleted_users_assignment_is_hidden_and_comes_back_with_the_user(lab: Laboratory, app: App) -> None:
    ada = await lab.user("ada")
    await assign(lab, app, ada, "User")
    await lab.directory.delete_user(lab.operator, lab.tenant.id, ada)
    sp = app.service_principal.id
    assert await lab.applications.assignments(lab.operator, lab.tenant.id, sp) == []
    await lab.directory.restore_user(lab.operator, lab.tenant.id, ada)
    assert len(await lab.applications.assignments(lab.operator, lab.tenant.id, sp)) == 1


async def test_another_apps_assignments_do_not_count(lab: Laboratory, app: App) -> None:
    ada = await lab.user("ada")
    pilots = await lab.group("Pilots", ada)
    other = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Other", URL)
    await assign(lab, other, ada, "User")
    await assign(lab, other, pilots, "Group")
    assert await entitled(lab, app, ada) == {}
    assert await lab.applications.assigned_groups(lab.operator, app.job, [pilots]) == set()


async def test_the_users_that_a_groups_assignment_concerns_come_in_pages_without_nested_groups(
    lab: Laboratory, app: App
) -> None:
    users = sorted([await lab.user(f"user{number}") for number in range(5)])
    inner = await lab.group("Inner")
    pilots = await lab.group("Pilots", *users, inner)
    await assign(lab, app, pilots, "Group")
    await lab.applications.unassign(lab.operator, lab.tenant.id, app.service_principal.id, pilots)
    pages: list[list[str]] = []
    after: str | None = None
    while page := await lab.applications.members_of_assigned(lab.operator, app.job, pilots, after, limit=2):
        pages.append(page)
        after = page[-1]
    assert pages == [users[:2], users[2:4], users[4:]]


# Table, index, and what SQLite's ANALYZE would say of it in a large directory: rows, then rows per key prefix.
STATISTICS = [
    ("assignment", "ix_assignment_principal", "100000 100000 2"),
    ("assignment", "sqlite_autoindex_assignment_1", "100000 100000 1"),
    ("assignment", "sqlite_autoindex_assignment_2", "100000 50000 2 1"),
    ("group_member", "ix_group_member_member", "1000000 1000000 5 1"),
    ("group_member", "sqlite_autoindex_group_member_1", "1000000 1000000 100 1"),
]
PARAMETERS = {
    "tenant_id": "t",
    "service_principal_id": "s",
    "user_ids": id_list(["u"]),
    "group_ids": id_list(["g"]),
    "group_id": "g",
    "after_id": "",
    "principal_id": "u",
    "app_role_id": None,
    "limit": 10,
}


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("query", ["entitled", "assigned_groups", "members_of_assigned", "delete_assignment"])
async def test_hot_statements_search_by_the_fitting_index_and_never_scan_a_table(
    memory_database: SqliteDatabase, query: str, analyzed: bool
) -> None:
    sql = named_queries("provisor.applications")[query]

    async def explain(tx: Tx) -> list[str]:
        if analyzed:
            await tx.execute("ANALYZE")
            for table, index, rows in STATISTICS:
                values = {"table": table, "index": index, "rows": rows}
                await tx.execute("INSERT INTO sqlite_stat1 VALUES (:table, :index, :rows)", values)
            await tx.execute("ANALYZE sqlite_schema")
        return [row[3] for row in await tx.fetch_all(f"EXPLAIN QUERY PLAN {sql}", PARAMETERS)]

    plan = await memory_database.write(explain)
    assert any(step.startswith("SEARCH ") for step in plan)
    for step in plan:
        assert not step.startswith("SCAN ") or "json_each" in step, plan
        if step.startswith(("SEARCH a ", "SEARCH assignment ")):
            assert "(service_principal_id=? AND principal_id=?" in step, plan
        if step.startswith("SEARCH m "):
            assert "(tenant_id=? AND member_id=?" in step, plan


async def test_people_and_groups_are_read_in_pages_found_by_name_and_counted_to_a_bound(
    lab: Laboratory, app: App
) -> None:
    registrations = Registrations(RegistrationStore(lab.database), lab.clock)
    service = RoleAssignments(AssignmentStore(lab.database), lab.applications, registrations, lab.clock)
    where = (lab.operator, lab.tenant.id, app.service_principal.id)
    [role] = app.service_principal.app_roles
    people = {name: await lab.user(name) for name in ("ada", "bob", "eve", "fay")}
    for id_ in people.values():
        await assign(lab, app, id_, "User")
    await assign(lab, app, people["bob"], "User", role.id)
    pilots = {"displayName": "100% Pilots", "mailNickname": "p", "mailEnabled": False, "securityEnabled": True}
    group = await lab.directory.create_group(lab.operator, lab.tenant.id, pilots)
    await assign(lab, app, group.id, "Group")
    await lab.directory.delete_user(lab.operator, lab.tenant.id, people["eve"])

    seen: list[tuple[str, str]] = []
    after: str | None = ""
    while after is not None:
        rows, after = await service.people(*where, after=after, limit=2)
        assert len(rows) <= 2
        seen += [(one.principal_display_name, one.app_role_id) for one in rows]
    roles = sorted((DEFAULT_ACCESS, role.id))
    assert seen == [
        ("Ada", DEFAULT_ACCESS),
        *(("Bob", one) for one in roles),
        ("Fay", DEFAULT_ACCESS),
        ("100% Pilots", DEFAULT_ACCESS),
    ]

    async def names(search: str = "", kind: Literal["User", "Group"] | None = None) -> list[str]:
        found, _ = await service.people(*where, search, kind)
        return [one.principal_display_name for one in found]

    assert await names("FA") == ["Fay"]
    assert await names("0%") == ["100% Pilots"]
    assert await names("_") == []
    assert await names("eve") == []
    assert await names(kind="Group") == ["100% Pilots"]
    assert await names("a", "User") == ["Ada", "Fay"]
    assert await service.people(*where, after="nonsense") == ([], None)
    assert await service.how_many_people(*where, 100) == 5
    assert await service.how_many_people(*where, 3) == 3
    with pytest.raises(Forbidden):
        await service.people(lab.holder("Global Reader", tenant_id="another"), lab.tenant.id, app.service_principal.id)
