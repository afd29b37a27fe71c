"""The provisioning log: what an entry tells, how it is found, exported and let go of, on both engines."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.provisioning.conftest import TOKEN, World

from provisor.clock import parse_iso
from provisor.errors import Forbidden, InvalidInput, NotFound
from provisor.provisioning.log import store as log_store
from provisor.provisioning.log.export import LOGS, PROPERTIES, STEPS, Export
from provisor.provisioning.log.model import LogFilter
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.storage.database import Database, Tx
from provisor.testing.target_faults import failure


async def entries(world: World, **wanted: Any) -> list[dict[str, Any]]:
    found = await world.services.log.latest(operator(), world.tenant.id, LogFilter(**wanted), 1_000)
    return [dict(entry) for entry in found]


async def names(world: World, **wanted: Any) -> list[str]:
    return [
        f"{entry['provisioningAction']} {entry['sourceIdentity']['displayName']}"
        for entry in await entries(world, **wanted)
    ]


async def lived(world: World) -> dict[str, str]:
    """Ada is created, renamed and unassigned; Bob is her manager and in the team. By name, their ids."""
    bob = await world.person("bob")
    ada = await world.person("ada")
    await world.services.directory.set_manager(operator(), world.tenant.id, bob.id, ada.id)
    team = await world.group("Team", bob)
    await world.assign(bob, ada, team)
    await world.start()
    await world.cycle()
    world.clock.advance(60)
    await world.services.directory.update_user(operator(), world.tenant.id, ada.id, {"displayName": "Ada L"})
    await world.cycle()
    world.clock.advance(60)
    await world.unassign(ada)
    await world.cycle()
    return {"bob": bob.id, "ada": ada.id, "team": team.id}


async def test_an_entry_has_the_request_and_the_answer_and_no_secret(world: World) -> None:
    await lived(world)
    [create] = await entries(world, action="create", source_name="ADA@")
    wire = create["exchange"]
    assert wire["request"].startswith("POST /scim/v2/Users")
    assert json.loads(wire["requestBody"])["userName"] == "ada@example.org"
    assert wire["status"] == 201
    assert json.loads(wire["responseBody"])["id"] == create["targetIdentity"]["id"]
    assert TOKEN not in json.dumps(await entries(world))


async def test_managers_and_members_are_entries_of_their_own_with_the_targets_ids(world: World) -> None:
    await lived(world)
    users = {user["userName"]: user["id"] for user in world.target.users.values()}
    changes = [
        entry
        for entry in await entries(world)
        if any(step["provisioningStepType"] == "referenceResolution" for step in entry["provisioningSteps"])
    ]
    by_path = {entry["modifiedProperties"][0]["displayName"]: entry for entry in changes}
    member = by_path["members"]
    assert member["modifiedProperties"] == [
        {"displayName": "members", "oldValue": None, "newValue": users["bob@example.org"]}
    ]
    assert member["sourceIdentity"]["displayName"] == "Team"
    assert [step["name"] for step in member["provisioningSteps"]] == [
        "EntryImportUpdate",
        "EntrySynchronizationUpdate",
        "EntryExportUpdate",
    ]
    assert "PATCH" in member["exchange"]["request"]


@pytest.mark.parametrize("dialect", ["entra", "entra-aadOptscim062020", "provisor"])
async def test_a_members_entry_shows_the_request_that_carried_it(world: World, dialect: str) -> None:
    await world.services.applications.change_settings(operator(), world.job_id, {"dialect": dialect})
    team = await world.group("Team")
    people = [await world.person(f"person{n}") for n in range(7)]
    await world.services.directory.add_members(operator(), world.tenant.id, team.id, [one.id for one in people])
    await world.assign(*people, team)
    await world.start()
    await world.cycle()
    found = await entries(world, source_id=team.id, action="update")
    assert len(found) == 7
    for entry in found:
        [change] = entry["modifiedProperties"]
        assert entry["exchange"]["request"].startswith("PATCH /scim/v2/Groups/")
        assert json.dumps(change["newValue"]) in entry["exchange"]["requestBody"]


async def test_a_redacted_value_shows_nowhere(world: World) -> None:
    apps, job_id = world.services.applications, world.job_id
    schema = apps.template("scim").default_schema(job_id)
    for mapping in [one for rule in schema["synchronizationRules"] for one in rule["objectMappings"]]:
        for row in mapping["attributeMappings"]:
            if row["targetAttributeName"] == "title":
                row["source"] = {
                    "type": "Function",
                    "expression": "Redact([jobTitle])",
                    "name": "Redact",
                    "parameters": [],
                }
    await apps.set_schema(operator(), job_id, schema)
    ada = await world.person("ada", jobTitle='Spy "007"')
    await world.assign(ada)
    await world.start()
    await world.cycle()
    await world.services.directory.update_user(operator(), world.tenant.id, ada.id, {"jobTitle": "Clerk of works"})
    world.target.fault(
        failure(400, "Clerk of works is no title here"), when=lambda request: request.method == "PATCH", times=1
    )
    await world.cycle()
    [account] = world.target.users.values()
    assert account["title"] == 'Spy "007"'
    found = await entries(world)
    shown = json.dumps(found, ensure_ascii=False)
    assert "Spy" not in shown
    assert "Clerk" not in shown
    values = {
        (change["oldValue"], change["newValue"])
        for entry in found
        for change in entry["modifiedProperties"]
        if change["displayName"] == "title"
    }
    assert values == {(None, "[Redact]"), ("[Redact]", "[Redact]")}


async def test_entries_are_found_by_everything_they_have(world: World) -> None:
    ids = await lived(world)
    everything = await entries(world)
    [disable] = await entries(world, action="disable")
    assert await names(world, action="create", object_type="User") == [
        "create ada@example.org",
        "create bob@example.org",
    ] or await names(world, action="create", object_type="User") == [
        "create bob@example.org",
        "create ada@example.org",
    ]
    assert await names(world, source_id=ids["team"], status="success", action="create") == ["create Team"]
    assert len(await entries(world, job_id=world.job_id)) == len(everything)
    assert await entries(world, job_id="another") == []
    assert await entries(world, change_id=disable["changeId"]) == [disable]
    assert await entries(world, cycle_id=disable["cycleId"], action="disable") == [disable]
    assert disable in await entries(world, target_id=disable["targetIdentity"]["id"])
    assert await names(world, source_name="da@ex", action="update") == ["update ada@example.org"]
    assert await names(world, source_name="nobody") == []
    assert {entry["provisioningStatusInfo"]["status"] for entry in await entries(world, status="skipped")} <= {
        "skipped"
    }
    at = parse_iso(disable["activityDateTime"])
    assert await entries(world, since=at) == [disable]
    assert len(await entries(world, until=at)) == len(everything) - 1
    assert await entries(world, since=at, until=at) == []
    log = world.services.log
    assert await log.count(operator(), world.tenant.id, LogFilter(action="disable", source_name="ada")) == 1
    assert await log.count(operator(), world.tenant.id, LogFilter(until=at)) == len(everything) - 1
    assert await log.entry(operator(), world.tenant.id, disable["id"]) == disable
    one = LogFilter(change_id=disable["changeId"])
    assert await log.count(operator(), world.tenant.id, one) == 1
    page = await log.page(operator(), world.tenant.id, one, limit=1)
    assert page.entries == [disable]
    assert not (await log.page(operator(), world.tenant.id, one, after=page.next, limit=1)).entries
    assert await entries(world, change_id=disable["changeId"], until=at) == []
    assert await entries(world, change_id=disable["changeId"], since=at, status="success") == [disable]
    with pytest.raises(NotFound):
        await log.entry(operator(), world.tenant.id, "another")


async def test_pages_join_whatever_one_page_may_look_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await lived(world)
    log = world.services.log
    for wanted in (
        LogFilter(),
        LogFilter(action="create"),
        LogFilter(source_name="bob"),
        LogFilter(source_name="a", status="success"),
        LogFilter(action="update", object_type="Group"),
    ):
        monkeypatch.undo()
        whole = (await log.page(operator(), world.tenant.id, wanted, limit=1_000)).entries
        assert await log.count(operator(), world.tenant.id, wanted) == len(whole) > 0
        for scan in (1, 2, 3, 1_000):
            monkeypatch.setattr(log_store, "SCAN", scan)
            seen, after = [], None
            while True:
                page = await log.page(operator(), world.tenant.id, wanted, after=after, limit=2)
                seen += page.entries
                after = page.next
                if after is None:
                    break
            assert seen == whole, (wanted, scan)


async def test_another_tenants_entries_in_between_show_nowhere(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(world)
    ada = world.target.users_by_name()["ada@example.org"]["id"]
    wanted = LogFilter(target_id=ada, object_type="User")
    whole = (await world.services.log.page(operator(), world.tenant.id, wanted)).entries
    assert whole

    async def double(tx: Tx) -> None:
        # Their app may well give out the same ids; and let even the digests be the same.
        columns = "job_id, cycle_id, at, entries, tally, common, heads, body"
        text = f"SELECT no + 1, id, :x, {columns} FROM provisioning_log_block"
        await tx.execute(f"INSERT INTO provisioning_log_block (no, id, tenant_id, {columns}) {text}", {"x": "x"})
        await tx.execute("INSERT INTO provisioning_log_key SELECT key, at, no + 1 FROM provisioning_log_key")

    await database.write(double)
    for scan in (1, 2, 1_000):
        monkeypatch.setattr(log_store, "SCAN", scan)
        seen, after = [], None
        while True:
            page = await world.services.log.page(operator(), world.tenant.id, wanted, after=after, limit=2)
            seen += page.entries
            after = page.next
            if after is None:
                break
        assert seen == whole, scan


async def test_old_entries_go_and_new_ones_stay(world: World, database: Database) -> None:
    await lived(world)
    before = len(await entries(world))
    world.clock.advance(30 * 86_400 - 90)
    gone = await world.services.log.expire(operator())
    assert 0 < gone < before
    assert len(await entries(world)) == before - gone
    world.clock.advance(86_400)
    await world.services.log.expire(operator())
    assert await entries(world) == []
    for table in ("provisioning_log_block", "provisioning_log_key"):
        text = f"SELECT COUNT(*) FROM {table}"
        assert await database.read(lambda tx, text=text: tx.fetch_one(text)) == (0,)


async def test_many_members_of_one_request_are_an_entry_each(world: World, database: Database) -> None:
    team = await world.group("Team")
    people = [await world.person(f"person{n:03}") for n in range(300)]
    await world.assign(*people, team)
    await world.start()
    await world.cycle()
    await world.services.directory.add_members(operator(), world.tenant.id, team.id, [one.id for one in people])
    world.clock.advance(60)
    await world.cycle()
    found = await entries(world, source_id=team.id, action="update")
    assert len(found) == len({entry["id"] for entry in found}) == 300
    ids = {user["id"] for user in world.target.users.values()}
    assert {entry["modifiedProperties"][0]["newValue"] for entry in found} == ids
    assert len(await database.read(lambda tx: tx.fetch_all("SELECT no FROM provisioning_log_block"))) < 10
    log = world.services.log
    assert await log.count(operator(), world.tenant.id, LogFilter(source_id=team.id, action="update")) == 300
    for n in (0, 1, 150, 299):
        assert await log.entry(operator(), world.tenant.id, found[n]["id"]) == found[n]
    seen, after = [], None
    while True:
        page = await log.page(operator(), world.tenant.id, LogFilter(source_id=team.id), after=after, limit=7)
        seen += page.entries
        after = page.next
        if after is None:
            break
    assert seen[:300] == found


async def test_who_may_not_read_it_does_not(world: World) -> None:
    log, home = world.services.log, world.tenant.id
    assert await log.page(Actor(Realm("tenant", home), "reader", rights_of(["Reports Reader"])), home)
    for stranger in (
        Actor(Realm("tenant", "another"), "reader", rights_of(["Reports Reader"])),
        Actor(Realm("tenant", home), "clerk", rights_of(["User Administrator"])),
    ):
        with pytest.raises(Forbidden):
            await log.page(stranger, home)
        with pytest.raises(Forbidden):
            await log.entry(stranger, home, "x")
    with pytest.raises(InvalidInput):
        await log.page(operator(), home, after="nonsense")
    with pytest.raises(InvalidInput):
        await log.page(operator(), home, limit=1_001)


async def test_an_export_in_csv_is_joined_by_the_change_id(world: World, tmp_path: Path) -> None:
    await world.assign(await world.person("eve", jobTitle="=cmd|' /C calc'!A0"))
    await lived(world)
    export = Export(tmp_path / "out", "csv")
    async for page in world.services.log.pages(operator(), world.tenant.id):
        export.write(page)
    export.close()
    found = await entries(world)
    rows = {name: _read(tmp_path / "out" / name) for name in (LOGS, STEPS, PROPERTIES)}
    assert export.written == len(found) == len(rows[LOGS])
    assert [row["Change ID"] for row in rows[LOGS]] == [entry["changeId"] for entry in found]
    assert len(rows[STEPS]) == sum(len(entry["provisioningSteps"]) for entry in found)
    assert len(rows[PROPERTIES]) == sum(len(entry["modifiedProperties"]) for entry in found)
    changes = {row["Change ID"] for row in rows[LOGS]}
    assert {row["Change ID"] for row in [*rows[STEPS], *rows[PROPERTIES]]} <= changes
    [formula] = [row for row in rows[PROPERTIES] if "calc" in row["New value"]]
    assert formula["New value"].startswith("'=")


async def test_an_export_in_json_lines_is_the_entries_themselves(world: World, tmp_path: Path) -> None:
    await lived(world)
    export = Export(tmp_path / "log.jsonl", "jsonl")
    async for page in world.services.log.pages(operator(), world.tenant.id, LogFilter(object_type="User")):
        export.write(page)
    export.close()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    assert lines == await entries(world, object_type="User")
    with pytest.raises(InvalidInput, match=r"log\.jsonl"):
        Export(tmp_path / "log.jsonl", "jsonl")


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
