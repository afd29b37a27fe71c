"""Upkeep on both engines: retention, whole tenants and companies that go, another sealing key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.integration.provisioning.conftest import World, make_world

from provisor.app.services import AppServices, wire
from provisor.app.upkeep.ownership import NOBODYS, condition
from provisor.app.upkeep.store import UpkeepStore
from provisor.errors import Forbidden, NotFound
from provisor.events.model import NewOutboxChange
from provisor.events.store import FeedExpired, append_outbox
from provisor.provisioning.engine import run_inline
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.security.secrets import MasterKey, SealedElsewhere, Sealer
from provisor.security.store import WrongKey, check_key
from provisor.storage.database import Database, Tx
from provisor.storage.tables import metadata
from provisor.testing.target import SimulatedTarget

DAY = 86_400


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database, SimulatedTarget(token="let-me-in"))


async def count(database: Database, table: str, where: str = "1 = 1", **params: Any) -> int:
    async def work(tx: Tx) -> int:
        row = await tx.fetch_one(f"SELECT COUNT(*) FROM {table} WHERE {where}", params)
        assert row is not None
        return int(row[0])

    return await database.read(work)


async def lived(world: World) -> None:
    team = await world.group("Team", await world.person("ada"))
    await world.assign(team)
    await world.start()
    await world.cycle()


# Retention


async def test_a_reader_that_fell_behind_is_told_and_a_job_begins_a_full_cycle(
    world: World, database: Database
) -> None:
    await lived(world)
    directory, home = world.services.directory, world.tenant.id
    seen = await directory.head(operator(), home)
    await world.person("bob")
    world.clock.advance(31 * DAY)
    report = await world.services.upkeep.run_once(operator())
    assert report.gone["feed"] > 0
    assert await count(database, "feed") == 0
    with pytest.raises(FeedExpired):
        await directory.changes(operator(), home, seen, 10)
    head = await directory.head(operator(), home)
    assert await directory.changes(operator(), home, head, 10) == []
    await world.assign(await world.person("eve"))
    assert [change.change for change in await directory.changes(operator(), home, head, 10)] == ["created", "added"]
    cycle = await world.cycle()
    assert cycle.kind == "Initial"
    assert {user["userName"] for user in world.target.users.values()} == {"ada@example.org", "eve@example.org"}


async def test_companies_changes_go_after_their_time_and_with_0_days_never(world: World, database: Database) -> None:
    async def work(tx: Tx) -> None:
        for company in ("a", "b"):
            await append_outbox(tx, company, [NewOutboxChange("User", "u", "updated")] * 3, world.clock.now_ms())

    await database.write(work)
    world.clock.advance(31 * DAY)
    settings = replace(world.services.settings, outbox_days=0)
    for_good = wire(database, world.services.key, world.target, settings, world.clock)
    assert "outbox" not in (await for_good.upkeep.run_once(operator())).gone
    assert (await world.services.upkeep.run_once(operator())).gone["outbox"] == 6
    assert await count(database, "outbox") == 0


async def test_a_number_that_was_never_given_out_is_refused(world: World) -> None:
    await world.person("ada")
    head = await world.services.directory.head(operator(), world.tenant.id)
    with pytest.raises(FeedExpired):
        await world.services.directory.changes(operator(), world.tenant.id, head + 1, 10)


async def test_a_job_that_keeps_up_is_left_alone(world: World) -> None:
    await lived(world)
    world.clock.advance(31 * DAY)
    await world.services.upkeep.run_once(operator())
    cycle = await world.cycle()
    assert cycle.kind == "Incremental"


async def test_outcomes_go_after_a_month_cycles_after_three_and_the_last_stays(
    world: World, database: Database
) -> None:
    await lived(world)
    world.clock.advance(3_000)
    await world.cycle()
    assert await count(database, "outcome") > 0
    world.clock.advance(31 * DAY)
    await world.services.upkeep.run_once(operator())
    assert await count(database, "outcome") == 0
    assert await count(database, "cycle") == 2
    [_, first] = await world.services.provisioning.cycles(operator(), world.job_id)
    assert first.counts is not None
    assert first.counts["created"] == 2
    world.clock.advance(60 * DAY)
    await world.services.upkeep.run_once(operator())
    assert await count(database, "cycle") == 1


async def test_deleted_items_are_purged_after_thirty_days(world: World) -> None:
    ada = await world.person("ada")
    await world.services.directory.delete_user(operator(), world.tenant.id, ada.id)
    world.clock.advance(29 * DAY)
    assert "deletedItems" not in (await world.services.upkeep.run_once(operator())).gone
    world.clock.advance(2 * DAY)
    assert (await world.services.upkeep.run_once(operator())).gone["deletedItems"] == 1
    with pytest.raises(NotFound):
        await world.services.directory.find_user(operator(), world.tenant.id, ada.id)


async def test_upkeep_is_the_operators(world: World) -> None:
    admin = Actor(Realm("tenant", world.tenant.id), "admin", rights_of(["Global Administrator"]))
    for act in (
        world.services.upkeep.run_once(admin),
        world.services.upkeep.delete_tenant(admin, world.tenant.id),
        world.services.upkeep.delete_company(admin, "x"),
    ):
        with pytest.raises(Forbidden):
            await act


# Whole tenants and companies


def test_every_table_has_an_owner_or_is_everybodys() -> None:
    apart = {"audit_entry", "audit_head", "audit_target"}
    for table in metadata.tables.values():
        owned = condition(table, "tenant") is not None or condition(table, "company") is not None
        assert owned != (table.name in NOBODYS | apart), table.name


async def test_nothing_of_a_deleted_tenant_stays_and_another_keeps_everything(world: World, database: Database) -> None:
    services, me = world.services, operator()
    await lived(world)
    other = await services.directory.create_tenant(me, "Other", "other.example")
    await services.directory.create_user(me, other.id, {"userPrincipalName": "eve@other.example", "displayName": "Eve"})
    await services.applications.add(me, other.id, "scim", "App", "https://target.test/scim/v2", secret_token="x")
    before = {table.name: await _rows(database, table.name, other.id) for table in metadata.tables.values()}
    await services.upkeep.delete_tenant(me, world.tenant.id)
    left = {table.name: await _rows(database, table.name, world.tenant.id) for table in metadata.tables.values()}
    assert {name: rows for name, rows in left.items() if rows} == {}
    assert {table.name: await _rows(database, table.name, other.id) for table in metadata.tables.values()} == before
    assert [tenant.id for tenant in await services.directory.tenants(me)] == [other.id]
    [gone, *_] = (await services.audit.page(me, Realm("system"))).entries
    assert gone.activity.name == "Delete tenant"
    assert int(gone.details["auditEntries"]) > 5
    assert not (await services.audit.verify(me)).findings
    # The worker that was at it finds nothing to do, and says nothing.
    assert await run_inline_or_none(services, world.job_id) is None


async def run_inline_or_none(services: AppServices, job_id: str) -> str | None:
    try:
        return await run_inline(services.engine("test"), job_id)
    except NotFound:
        return None


async def _rows(database: Database, table: str, tenant_id: str) -> int:
    if table in ("audit_entry", "audit_head", "audit_target"):
        return await count(database, table, "realm = :realm", realm=f"tenant:{tenant_id}")
    where = condition(metadata.tables[table], "tenant")
    if where is None:
        return 0
    params = {
        name: value for name, value in (("id", tenant_id), ("realm", f"tenant:{tenant_id}")) if f":{name}" in where
    }
    return await count(database, table, where, **params)


async def test_a_removed_app_leaves_nothing_of_its_job(world: World, database: Database) -> None:
    await lived(world)
    removed = await world.services.applications.remove(operator(), world.tenant.id, "App")
    await world.services.provisioning.forget(operator(), removed)
    left = {}
    for table in metadata.tables.values():
        if "job_id" in table.columns:
            left[table.name] = await count(database, table.name, "job_id = :id", id=world.job_id)
    assert {name: rows for name, rows in left.items() if rows} == {}


async def test_a_deleted_company_takes_its_messages_and_sessions_along(world: World, database: Database) -> None:
    services, me = world.services, operator()
    firm = await services.companies.create_company(me, "Firm", "ada@firm.example")
    await services.companies.create_key(me, firm.id, name="k", expires="2026-01-20")
    world.clock.advance(16 * DAY)
    await services.upkeep.run_once(me)
    assert await count(database, "mail") == 1
    await services.upkeep.delete_company(me, "Firm")
    assert await count(database, "mail") == 0
    assert await count(database, "api_key") == 0
    assert not (await services.audit.verify(me)).findings


# Another sealing key


async def test_everything_opens_with_the_new_key_and_nothing_with_the_old(world: World, database: Database) -> None:
    services, me = world.services, operator()
    firm = await services.companies.create_company(me, "Firm", "ada@firm.example")
    _, text = await services.companies.create_key(me, firm.id, name="k", expires="2026-12-31")
    _, secret = await services.webhooks.add(me, firm.id, "https://app.example/hook")
    old, new = services.key, MasterKey(b"n" * 32, "new")
    await check_key(database, old)
    assert await UpkeepStore(database).seal_anew(old, new, services.root, actor=me, at=1) >= 3
    with pytest.raises(WrongKey):
        await check_key(database, old)
    root = await check_key(database, new)
    assert root.material == old.material
    again = AppServices(database, new, lambda: world.target, services.settings, world.clock, root)
    credentials = await again.applications.credentials(me, world.job_id)
    assert credentials.secret_token == "let-me-in"
    with pytest.raises(SealedElsewhere):
        await services.applications.credentials(me, world.job_id)
    principal = await again.companies.authenticate(f"Bearer {text}")
    assert principal.company_id == firm.id
    assert secret
    third = MasterKey(b"t" * 32, "third")
    await UpkeepStore(database).seal_anew(new, third, again.root, actor=me, at=2)
    assert (await check_key(database, third)).material == old.material


async def test_a_secret_that_does_not_open_stops_the_rotation_before_it_changed_anything(
    world: World, database: Database
) -> None:
    async def spoil(tx: Tx) -> None:
        sealed = Sealer(MasterKey(b"x" * 32, "x")).seal(b"y", "z")
        await tx.execute("UPDATE job_secret SET sealed = :sealed WHERE key = 'SecretToken'", {"sealed": sealed})

    await check_key(database, world.services.key)
    await database.write(spoil)
    new = MasterKey(b"n" * 32, "new")
    with pytest.raises(SealedElsewhere):
        await UpkeepStore(database).seal_anew(world.services.key, new, world.services.root, actor=operator(), at=1)
    await check_key(database, world.services.key)
