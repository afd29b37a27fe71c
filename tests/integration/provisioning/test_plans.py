"""Stored plans: right about what would happen, without a write; and exactly that is applied, or left out by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.provisioning.test_mappings import change

from provisor.provisioning.planning.model import PlanEntry, StoredPlan
from provisor.provisioning.planning.service import PlanNotReady, PlanRefused
from provisor.security.actor import operator
from provisor.testing.target_faults import failure, unauthorized

if TYPE_CHECKING:
    from conftest import World


async def planned(world: World) -> tuple[StoredPlan, dict[str, PlanEntry]]:
    plans = world.services.plans
    plan = await plans.make(operator(), world.job_id)
    entries = await plans.entries(operator(), world.job_id, plan.id, limit=1000)
    return plan, {entry.name: entry for entry in entries}


async def apply(world: World, plan: StoredPlan) -> StoredPlan:
    await world.services.plans.approve(operator(), world.job_id, plan.id)
    return await world.services.plans.apply(operator(), world.job_id, plan.id)


async def everybody(world: World) -> None:
    await world.services.applications.set_sync_all(operator(), world.job_id, True)


async def test_the_first_plan_is_right_about_accounts_that_exist_and_writes_nothing(world: World) -> None:
    for name in ("new", "same", "other", "twice"):
        await world.person(name, jobTitle="Engineer")
    await world.group("Team", await world.person("member"))
    await everybody(world)
    account = {"active": True, "displayName": "Same", "title": "Engineer"}
    mail = {"type": "work", "value": "same@mail.example.org", "primary": True}
    world.target.users = {
        "1": {"id": "1", "userName": "same@example.org", "emails": [mail], **account},
        "2": {"id": "2", "userName": "other@example.org", **account, "title": "Pirate"},
        "3": {"id": "3", "userName": "twice@example.org", **account},
        "4": {"id": "4", "userName": "twice@example.org", **account},
    }

    plan, entries = await planned(world)

    assert world.writes() == []
    assert plan.state == "Ready"
    actions = {name: entry.action for name, entry in entries.items()}
    assert actions == {
        "new@example.org": "create",
        "same@example.org": "link",
        "other@example.org": "link",
        "twice@example.org": "ambiguous",
        "member@example.org": "create",
        "Team": "create",
    }
    assert entries["other@example.org"].target_id == "2"
    changes = {change.path: (change.old, change.new) for change in entries["other@example.org"].changes}
    assert changes["title"] == ("Pirate", "Engineer")
    assert changes["displayName"] == ("Same", "Other")
    assert entries["Team"].joins == 1
    assert plan.counts is not None
    assert (plan.counts["create"], plan.counts["link"], plan.counts["ambiguous"]) == (3, 2, 1)
    assert (plan.counts["considered"], plan.counts["membersAdded"]) == (6, 1)

    result = (await apply(world, plan)).result
    assert result is not None
    assert (result["created"], result["leftOut"]) == (3, 0)
    users = {user["id"]: user for user in world.target.users.values()}
    assert users["2"]["title"] == "Engineer"
    assert "title" in users["3"]
    assert world.target.memberships()["Team"] == {"member@example.org"}
    # The job is still off, and has nothing left to do but the ambiguous one.
    assert await world.quiet()
    again, left = await planned(world)
    assert list(left) == ["twice@example.org"]
    assert again.comparison is not None
    assert (again.comparison["gone"], again.comparison["new"]) == (5, 0)


async def test_updates_show_old_and_new_and_removals(world: World) -> None:
    ada = await world.person("ada", jobTitle="Engineer", department="R&D")
    await everybody(world)
    await world.start()
    await world.cycle()
    await world.services.provisioning.pause(operator(), world.job_id)
    changes = {"jobTitle": None, "displayName": "Ada Lovelace"}
    await world.services.directory.update_user(operator(), world.tenant.id, ada.id, changes)

    plan, entries = await planned(world)
    told = {change.path: (change.old, change.new) for change in entries["ada@example.org"].changes}
    assert told == {"title": ("Engineer", None), "displayName": ("Ada", "Ada Lovelace")}

    await apply(world, plan)
    [account] = world.target.users.values()
    assert "title" not in account
    assert account["displayName"] == "Ada Lovelace"
    state = await world.services.provisioning.state(operator(), world.job_id)
    assert state.code == "Paused"


async def test_managers_and_members_are_planned_and_applied(world: World) -> None:
    ada, boss, bob = [await world.person(name) for name in ("ada", "boss", "bob")]
    team = await world.group("Team", ada, bob)
    await everybody(world)
    plan, _ = await planned(world)
    await apply(world, plan)
    assert world.target.memberships()["Team"] == {"ada@example.org", "bob@example.org"}

    directory, tenant = world.services.directory, world.tenant.id
    await directory.set_manager(operator(), tenant, ada.id, boss.id)
    await directory.remove_members(operator(), tenant, team.id, [bob.id])
    await directory.add_members(operator(), tenant, team.id, [boss.id])
    plan, entries = await planned(world)
    assert (entries["Team"].action, entries["Team"].joins, entries["Team"].leaves) == ("update", 1, 1)
    assert entries["ada@example.org"].manager_id == boss.id
    members = await world.services.plans.members(operator(), world.job_id, plan.id, team.id)
    assert {(member.name, member.joins) for member in members} == {("Bob", False), ("Boss", True)}

    await apply(world, plan)
    assert world.target.managers() == {"ada@example.org": "boss@example.org"}
    assert world.target.memberships()["Team"] == {"ada@example.org", "boss@example.org"}
    assert (await planned(world))[1] == {}


async def test_what_has_changed_meanwhile_is_left_out_and_named(world: World) -> None:
    people = [await world.person(f"p{i}") for i in range(4)]
    await everybody(world)
    plan, _ = await planned(world)
    directory, tenant = world.services.directory, world.tenant.id
    await directory.update_user(operator(), tenant, people[0].id, {"jobTitle": "Boss"})
    await directory.delete_user(operator(), tenant, people[1].id)
    world.target.users["there"] = {"id": "there", "userName": "p2@example.org", "active": True}
    await world.person("late")

    done = await apply(world, plan)

    assert set(world.target.users_by_name()) == {"p2@example.org", "p3@example.org"}
    assert world.target.users["there"] == {"id": "there", "userName": "p2@example.org", "active": True}
    left = await world.services.plans.entries(operator(), world.job_id, plan.id, left_out_only=True)
    why = {entry.source_id: entry.left_out for entry in left}
    assert why == {
        people[0].id: "It has changed in the directory since.",
        people[1].id: "It has changed in the directory since.",
        people[2].id: "It would now be another action: link.",
    }
    assert done.state == "Applied"
    assert done.result is not None
    assert (done.result["created"], done.result["leftOut"]) == (1, 3)


async def test_the_whole_plan_is_refused_when_its_ground_has_moved(world: World) -> None:
    await world.person("ada")
    await everybody(world)
    services = world.services

    plan, _ = await planned(world)
    await change(world, title={"defaultValue": "Staff"})
    with pytest.raises(PlanRefused, match="mappings or scoping filters changed"):
        await apply(world, plan)

    plan, _ = await planned(world)
    await services.applications.set_sync_all(operator(), world.job_id, False)
    with pytest.raises(PlanRefused, match="the scope or the settings of deprovisioning changed"):
        await apply(world, plan)

    plan, _ = await planned(world)
    await services.applications.set_credentials(operator(), world.job_id, secret_token="another")
    with pytest.raises(PlanRefused, match="secret token"):
        await apply(world, plan)
    assert world.writes() == []
    assert (await services.plans.plan(operator(), world.job_id, plan.id)).state == "Refused"


async def test_more_deprovisioning_than_was_approved_refuses_it_all(world: World) -> None:
    people = [await world.person(f"p{i}") for i in range(4)]
    await everybody(world)
    await apply(world, (await planned(world))[0])
    directory, tenant = world.services.directory, world.tenant.id
    await directory.update_users(operator(), tenant, {user.id: {"jobTitle": "Boss"} for user in people})
    await directory.update_user(operator(), tenant, people[0].id, {"accountEnabled": False})
    plan, entries = await planned(world)
    assert entries["p0@example.org"].action == "disable"
    world.target.requests.clear()

    await directory.update_user(operator(), tenant, people[1].id, {"accountEnabled": False})
    with pytest.raises(PlanRefused, match="2 objects would be disabled or deleted now, and 1 were approved"):
        await apply(world, plan)
    assert world.writes() == []


async def test_an_application_that_is_cut_off_goes_on(world: World) -> None:
    for i in range(4):
        await world.person(f"p{i}")
    await everybody(world)
    plan, _ = await planned(world)
    seen = 0

    def third(request: object) -> bool:
        nonlocal seen
        seen += getattr(request, "method", "") == "POST"
        return seen == 3 and getattr(request, "method", "") == "POST"

    world.target.fault(unauthorized(), when=third, times=None)
    await world.services.plans.approve(operator(), world.job_id, plan.id)
    with pytest.raises(PlanRefused, match="cut off"):
        await world.services.plans.apply(operator(), world.job_id, plan.id)
    world.target.heal()
    done = await world.services.plans.apply(operator(), world.job_id, plan.id)
    assert done.state == "Applied"
    assert len(world.target.users_by_name()) == 4
    assert done.result is not None
    assert done.result["created"] == 4


async def test_a_plan_must_be_approved_once_and_is_applied_once(world: World) -> None:
    await world.person("ada")
    await everybody(world)
    plan, _ = await planned(world)
    plans = world.services.plans
    with pytest.raises(PlanNotReady, match="only one that was approved"):
        await plans.apply(operator(), world.job_id, plan.id)
    await apply(world, plan)
    with pytest.raises(PlanNotReady, match="Applied"):
        await plans.apply(operator(), world.job_id, plan.id)


async def test_a_target_that_refuses_one_object_fails_that_one_only(world: World) -> None:
    for name in ("ada", "bob"):
        await world.person(name)
    await everybody(world)
    plan, _ = await planned(world)
    world.target.fault(failure(400, "Not today."), when=lambda r: r.method == "POST" and "ada" in str(r.body))
    done = await apply(world, plan)
    assert done.result is not None
    assert (done.result["created"], done.result["failed"]) == (1, 1)


async def test_a_wrong_key_makes_no_plan_and_says_so(world: World) -> None:
    await world.person("ada")
    await everybody(world)
    world.target.fault(unauthorized(), times=None)
    with pytest.raises(PlanRefused, match="No plan could be made"):
        await world.services.plans.make(operator(), world.job_id)
    [plan] = await world.services.plans.plans(operator(), world.job_id)
    assert plan.state == "Failed"


async def test_the_plan_is_what_the_next_cycle_does(world: World) -> None:
    people = [await world.person(f"p{i}", jobTitle="Clerk") for i in range(12)]
    team = await world.group("Team", *people[:6])
    await everybody(world)
    plan, _ = await planned(world)
    await world.start()
    cycle = await world.cycle()
    assert plan.counts is not None
    assert cycle.counts is not None
    assert plan.counts["create"] == cycle.counts["created"] == 13

    directory, tenant = world.services.directory, world.tenant.id
    await directory.update_users(operator(), tenant, {user.id: {"jobTitle": "Boss"} for user in people[:2]})
    await directory.delete_user(operator(), tenant, people[3].id)
    await directory.remove_members(operator(), tenant, team.id, [people[5].id])
    plan, _ = await planned(world)
    cycle = await world.cycle()
    assert plan.counts is not None
    assert cycle.counts is not None
    assert (plan.counts["update"], plan.counts["disable"]) == (3, 1)
    assert (cycle.counts["updated"], cycle.counts["disabled"]) == (3, 1)


async def test_the_verdict_of_the_guards_is_told(world: World) -> None:
    people = [await world.person(f"p{i}") for i in range(10)]
    await everybody(world)
    await apply(world, (await planned(world))[0])
    changes = {user.id: {"accountEnabled": False} for user in people}
    await world.services.directory.update_users(operator(), world.tenant.id, changes)
    plan, _ = await planned(world)
    assert plan.counts is not None
    assert plan.counts["guard"]["deletions"] == {"wanted": 10, "done": 0, "most": 4, "holds": True}


async def test_an_account_under_an_older_address_is_found_by_a_plan_as_by_the_first_cycle(world: World) -> None:
    await world.person("ada", mail="ada.byron@example.org")
    await everybody(world)
    world.target.users["1"] = {"id": "1", "userName": "ada.byron@example.org", "active": True}
    plan, entries = await planned(world)
    assert (entries["ada@example.org"].action, entries["ada@example.org"].target_id) == ("link", "1")
    await apply(world, plan)
    assert list(world.target.users) == ["1"]


async def test_a_manager_who_comes_with_the_plan_is_planned_for_whoever_is_there_already(world: World) -> None:
    ada, boss = await world.person("ada"), await world.person("boss")
    await world.assign(ada)
    await world.services.directory.set_manager(operator(), world.tenant.id, ada.id, boss.id)
    await apply(world, (await planned(world))[0])
    assert world.target.managers() == {}
    await world.assign(boss)
    plan, entries = await planned(world)
    assert {name: entry.action for name, entry in entries.items()} == {
        "boss@example.org": "create",
        "ada@example.org": "update",
    }
    assert plan.counts is not None
    assert plan.counts["managers"] == 1
    await apply(world, plan)
    assert world.target.managers() == {"ada@example.org": "boss@example.org"}
