"""Targets that differ: capability profiles, dialects, and lists that may or may not be believed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from provisor.provisioning.log.model import LogFilter
from provisor.security.actor import operator

if TYPE_CHECKING:
    from conftest import World
    from provisor.connector.client import ScimClient


async def client(world: World) -> ScimClient:
    job = await world.services.applications.job(operator(), world.job_id)
    return await world.services.targets.client(operator(), job)


async def test_a_group_rename_that_the_target_is_known_to_refuse_is_not_sent_and_told(dialpad: World) -> None:
    world = dialpad
    team = await world.group("Team", await world.person("ada"))
    await world.assign(team)
    await world.start()
    await world.cycle()
    world.target.requests.clear()

    await world.services.directory.update_group(operator(), world.tenant.id, team.id, {"displayName": "Crew"})
    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["failed"] == 0
    assert world.writes() == []
    [entry, *_] = await world.log(source_id=team.id)
    assert entry["provisioningStatusInfo"]["status"] == "skipped"
    assert "displayName" in entry["provisioningStatusInfo"]["errorInformation"]["reason"]


async def test_a_target_that_renames_groups_gets_the_new_name(world: World) -> None:
    team = await world.group("Team", await world.person("ada"))
    await world.assign(team)
    await world.start()
    await world.cycle()

    await world.services.directory.update_group(operator(), world.tenant.id, team.id, {"displayName": "Crew"})
    await world.cycle()

    assert world.target.memberships() == {"Crew": {"ada@example.org"}}


async def test_an_empty_target_is_asked_once_and_not_for_each_person(world: World) -> None:
    people = [await world.person(f"person{n}") for n in range(30)]
    await world.assign(*people)
    await world.start()

    await world.cycle()

    assert len([request for request in world.target.requests if request.method == "GET"]) <= 2


async def test_a_list_that_does_not_show_the_matching_attribute_is_not_believed(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada, await world.person("bob"), await world.person("cyd"))
    world.target.users["nameless"] = {"id": "nameless", "userName": "", "active": True}
    world.target.users["there"] = {"id": "there", "userName": "ada@example.org", "active": True}
    await world.start()

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert (cycle.counts["created"], cycle.counts["updated"]) == (2, 1)
    searches = [r.query.get("filter", "") for r in world.target.sent("GET", "/Users")]
    assert len([search for search in searches if "@example.org" in search]) == 3


@pytest.mark.parametrize("dialect", ["entra", "entra-aadOptscim062020"])
async def test_the_entra_dialects_bring_the_same_people_in_their_own_way(world: World, dialect: str) -> None:
    await world.services.applications.change_settings(operator(), world.job_id, {"dialect": dialect})
    grace, ada = await world.person("grace"), await world.person("ada", jobTitle="Engineer")
    await world.services.directory.set_manager(operator(), world.tenant.id, ada.id, grace.id)
    team = await world.group("Team", ada, grace)
    await world.assign(team)
    await world.start()
    await world.cycle()
    assert world.target.managers() == {"ada@example.org": "grace@example.org"}
    assert world.target.memberships() == {"Team": {"ada@example.org", "grace@example.org"}}
    assert all("members" not in request.body for request in world.target.sent("POST", "/Groups"))
    assert all(len(op["value"]) == 1 for r in world.target.sent("PATCH", "/Groups") for op in r.body["Operations"])

    await world.unassign(team)
    await world.cycle()

    assert {user["active"] for user in world.target.users.values()} == {False}
    ops = [op for request in world.target.sent("PATCH", "/Users") for op in request.body["Operations"]]
    disables = [op for op in ops if op.get("path") == "active"]
    if dialect == "entra":
        assert {(op["op"], op["value"]) for op in disables} == {("Replace", "False")}
    else:
        assert {(op["op"], op["value"]) for op in disables} == {("replace", False)}


async def test_a_target_without_disabling_loses_the_account_instead(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    connector = await client(world)
    connector.capabilities = replace(connector.capabilities, soft_delete=False)

    await world.unassign(ada)
    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["deleted"] == 1
    assert world.target.users == {}


async def test_restart_looks_at_everybody_and_sends_nothing_that_is_in_order(world: World) -> None:
    await world.assign(await world.group("Team", await world.person("ada")))
    await world.start()
    await world.cycle()
    world.target.requests.clear()

    await world.services.provisioning.restart(operator(), world.job_id)
    cycle = await world.cycle()

    assert cycle.kind == "Initial"
    assert cycle.counts is not None
    assert cycle.counts["unchanged"] == 2
    assert world.writes() == []


async def test_a_restart_in_full_matches_everybody_anew(world: World) -> None:
    await world.assign(await world.group("Team", await world.person("ada")))
    await world.start()
    await world.cycle()
    world.target.requests.clear()

    await world.services.provisioning.restart(operator(), world.job_id, "Full")
    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["created"] == 0
    assert len(world.target.users) == len(world.target.groups) == 1
    assert [method for method, path in world.writes() if method == "POST"] == []


async def test_a_changed_mapping_begins_an_initial_cycle(world: World) -> None:
    ada = await world.person("ada", jobTitle="Engineer")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    job = await world.services.applications.job(operator(), world.job_id)
    document = dict(job.schema.document)
    rows = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    rows[:] = [row for row in rows if row["targetAttributeName"] != "title"]
    await world.services.applications.set_schema(operator(), world.job_id, document)

    cycle = await world.cycle()

    assert cycle.kind == "Initial"
    assert world.target.users_by_name()["ada@example.org"]["title"] == "Engineer"


async def test_the_connection_test_names_a_wrong_key(world: World) -> None:
    assert (await world.services.provisioning.test(operator(), world.job_id)).ok
    world.target.token = "another"

    result = await world.services.provisioning.test(operator(), world.job_id)

    assert (result.ok, result.cause) == (False, "unauthorized")
    assert result.hint


async def test_a_removed_app_leaves_nothing_of_its_job_and_its_accounts_alone(world: World) -> None:
    await world.assign(await world.group("Team", await world.person("ada")))
    await world.start()
    await world.cycle()
    requests = len(world.target.requests)

    removed = await world.services.applications.remove(operator(), world.tenant.id, "App")
    await world.services.provisioning.forget(operator(), removed)

    jobs = world.services.stores.jobs
    assert await jobs.link_counts(world.job_id) == {}
    assert await jobs.cycles(world.job_id, 10) == []
    assert await jobs.log(world.job_id, LogFilter(), 10) == []
    assert await jobs.jobs_behind(world.clock.now_ms() + 10**9) == []
    assert len(world.target.requests) == requests
    assert len(world.target.users) == 1
