"""Provision on demand: one object through all steps, at any time, with what the target shows."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from provisor.errors import NotFound
from provisor.provisioning.engine import run_inline
from provisor.provisioning.ondemand.document import key_value_pair
from provisor.provisioning.ondemand.model import Drift, OnDemandResult, Property
from provisor.security.actor import operator
from provisor.testing.target_faults import failure, unauthorized

if TYPE_CHECKING:
    from conftest import World


async def demand(world: World, ref: str, **more: object) -> OnDemandResult:
    return await world.services.on_demand.provision(operator(), world.job_id, ref, **more)  # type: ignore[arg-type]


async def test_a_user_is_created_while_the_job_was_never_started(world: World) -> None:
    ada = await world.person("ada", jobTitle="Engineer")
    await world.assign(ada)

    result = await demand(world, "ada@example.org")

    assert (result.result, result.action) == ("Success", "Create")
    assert world.target.users_by_name()["ada@example.org"]["title"] == "Engineer"
    assert [step.type for step in result.steps] == ["Import", "Scoping", "Matching", "Export"]
    imported, scoped, matched, exported = result.steps
    assert imported.details["jobTitle"] == "Engineer"
    assert imported.details["objectId"] == ada.id
    assert scoped.details["Assigned"] == "True"
    assert matched.details == {"searched userName": "ada@example.org"}
    assert exported.status == "Success"
    assert Property("title", None, "Engineer") in result.modified
    # The job did not begin to run for it, and its first cycle has nothing to do.
    assert await world.quiet()
    await world.start()
    world.target.requests.clear()
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["unchanged"] == 1
    assert world.writes() == []


async def test_the_document_is_graphs(world: World) -> None:
    await world.assign(await world.person("ada"))
    pair = key_value_pair(await demand(world, "ada@example.org"))
    assert json.loads(pair["key"]) == {"result": "Success", "details": {}}
    value = json.loads(pair["value"])
    assert value["action"] == "Create"
    assert value["reportableIdentifier"] == "ada@example.org"
    assert value["sourceIdentity"]["type"] == "User"
    assert value["targetIdentity"]["type"] == "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert {step["name"] for step in value["provisioningSteps"]} >= {
        "EntryImport",
        "EntrySynchronizationScoping",
        "EntryExportAdd",
    }
    assert all(isinstance(text, str) for step in value["provisioningSteps"] for text in step["details"].values())
    skipped = json.loads(key_value_pair(await demand(world, "ada@example.org"))["key"])
    assert skipped["result"] == "Skipped"
    assert skipped["details"]["errorCode"] == "RedundantExport"


async def test_what_was_changed_in_the_target_by_hand_is_shown_and_repaired(world: World) -> None:
    ada = await world.person("ada", jobTitle="Engineer")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    [account] = world.target.users.values()
    account["title"] = "Pirate"
    del account["displayName"]
    account["nickName"] = "theirs"

    result = await demand(world, ada.id)

    assert set(result.drift) == {Drift("title", "Engineer", "Pirate"), Drift("displayName", "Ada", None)}
    [account] = world.target.users.values()
    assert (account["title"], account["displayName"], account["nickName"]) == ("Engineer", "Ada", "theirs")
    assert result.action == "Update"
    assert set(result.modified) == {
        Property("title", "Pirate", "Engineer"),
        Property("displayName", None, "Ada"),
    }


async def test_an_account_that_was_deleted_by_hand_is_made_again(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    [lost] = world.target.users
    world.target.users.clear()

    result = await demand(world, "ada@example.org")

    assert Drift("id", lost, None) in result.drift
    assert result.action == "Create"
    assert list(world.target.users_by_name()) == ["ada@example.org"]
    assert lost not in world.target.users
    assert await world.quiet()


async def test_an_unassigned_person_is_disabled_and_says_why(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    await world.services.provisioning.pause(operator(), world.job_id)
    await world.unassign(ada)

    result = await demand(world, "ada@example.org")

    assert result.action == "Disable"
    assert world.target.users_by_name()["ada@example.org"]["active"] is False
    assert result.steps[1].details["Assigned"] == "False"


async def test_who_is_out_of_scope_is_skipped_with_the_reason(world: World) -> None:
    await world.person("ada")
    result = await demand(world, "ada@example.org")
    assert (result.result, result.error_code) == ("Skipped", "NotEffectivelyEntitled")
    assert world.writes() == []


async def test_a_refusal_and_a_wrong_key_come_back_in_the_result(world: World) -> None:
    await world.assign(await world.person("ada"))
    world.target.fault(failure(400, "Not like this."), when=lambda request: request.method == "POST")
    result = await demand(world, "ada@example.org")
    assert result.result == "Failure"
    assert "Not like this." in (result.error_message or "")
    world.target.fault(unauthorized(), times=None)
    result = await demand(world, "ada@example.org")
    assert result.steps[0].type == "TestConnection"
    assert result.result == "Failure"


async def test_the_manager_comes_along(world: World) -> None:
    ada, boss = await world.person("ada"), await world.person("boss")
    await world.assign(ada, boss)
    await world.services.directory.set_manager(operator(), world.tenant.id, ada.id, boss.id)
    result = await demand(world, "ada@example.org")
    assert any("waits" in step.description for step in result.steps)
    await demand(world, "boss@example.org")
    await demand(world, "ada@example.org")
    assert world.target.managers() == {"ada@example.org": "boss@example.org"}


async def test_a_group_of_any_size_with_what_was_changed_by_hand(world: World) -> None:
    people = [await world.person(f"p{i}") for i in range(8)]
    team = await world.group("Team", *people)
    await world.assign(team)
    for user in people[:7]:
        await demand(world, user.id)

    result = await demand(world, "Team")
    assert result.kind == "Group"
    assert result.members == {"added": 7, "removed": 0, "unchanged": 0, "waiting": 1, "others": 0}
    assert len(world.target.memberships()["Team"]) == 7

    outsider = await world.person("outsider")
    await world.assign(outsider)
    await demand(world, outsider.id)
    [group] = world.target.groups.values()
    ids = {user["userName"]: user["id"] for user in world.target.users.values()}
    group["members"] = [m for m in group["members"] if m["value"] != ids["p0@example.org"]]
    group["members"] += [{"value": ids["outsider@example.org"]}, {"value": "stranger"}]
    await world.services.directory.remove_members(operator(), world.tenant.id, team.id, [people[1].id])

    result = await demand(world, "Team")
    assert result.members == {"added": 1, "removed": 2, "unchanged": 5, "waiting": 1, "others": 1}
    assert Drift("members p0@example.org", ids["p0@example.org"], None) in result.drift
    assert Drift("members outsider@example.org", None, ids["outsider@example.org"]) in result.drift
    names = {f"p{i}@example.org" for i in (0, 2, 3, 4, 5, 6)}
    assert world.target.memberships()["Team"] == {*names, "stranger"}
    assert await world.quiet()


async def test_only_some_members_of_a_group(world: World) -> None:
    people = [await world.person(f"p{i}") for i in range(3)]
    team = await world.group("Team", *people)
    await world.assign(team)
    for user in people:
        await demand(world, user.id)
    await demand(world, team.id, kind="Group", member_ids=[people[0].id])
    assert world.target.memberships()["Team"] == {"p0@example.org"}


async def test_a_running_cycle_gives_way_and_goes_on(world: World) -> None:
    for i in range(3):
        await world.person(f"p{i}")
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    await world.start()
    engine = world.services.engine("worker")
    cycle_id = await engine.begin(world.job_id)
    assert cycle_id is not None
    assert not (await engine.advance(world.job_id, cycle_id)).done

    asked = asyncio.create_task(demand(world, "p1@example.org"))
    await asyncio.sleep(0.3)
    assert (await engine.advance(world.job_id, cycle_id)).done
    assert (await asked).action == "Create"

    assert await run_inline(world.services.engine("worker"), world.job_id) == cycle_id
    assert len(world.target.users_by_name()) == 3
    assert len(world.target.sent("POST", "/Users")) == 3


async def test_what_a_guard_holds_can_be_carried_out_one_by_one(world: World) -> None:
    people = [await world.person(f"p{i:02}") for i in range(10)]
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    await world.start()
    await world.cycle()
    changes = {user.id: {"accountEnabled": False} for user in people}
    await world.services.directory.update_users(operator(), world.tenant.id, changes)
    await world.cycle()
    assert len(await world.services.guards.held(operator(), world.job_id)) == 10

    assert (await demand(world, "p03@example.org")).action == "Disable"

    assert len(await world.services.guards.held(operator(), world.job_id)) == 9
    overview = await world.services.guards.overview(operator(), world.job_id)
    assert overview.executed == 1


async def test_nobody_of_that_name(world: World) -> None:
    with pytest.raises(NotFound, match="There is no user or group 'nobody'"):
        await demand(world, "nobody")
