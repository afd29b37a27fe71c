"""Initial and incremental cycles: what reaches the target, and that nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provisor.security.actor import operator

if TYPE_CHECKING:
    from conftest import World


async def test_an_initial_cycle_creates_assigned_people_groups_managers_and_members(world: World) -> None:
    grace = await world.person("grace")
    ada = await world.person("ada", jobTitle="Engineer")
    await world.services.directory.set_manager(operator(), world.tenant.id, ada.id, grace.id)
    team = await world.group("Team", ada, grace)
    await world.person("stranger")
    await world.assign(team, ada)
    await world.start()

    cycle = await world.cycle()

    assert cycle.kind == "Initial"
    assert cycle.state == "Succeeded"
    users = world.target.users_by_name()
    assert set(users) == {"ada@example.org", "grace@example.org"}
    assert users["ada@example.org"]["title"] == "Engineer"
    assert users["ada@example.org"]["active"] is True
    assert world.target.managers() == {"ada@example.org": "grace@example.org"}
    assert world.target.memberships() == {"Team": {"ada@example.org", "grace@example.org"}}
    assert cycle.counts is not None
    assert cycle.counts["created"] == 3


async def test_nothing_changed_means_nothing_is_sent_and_no_cycle_is_due(world: World) -> None:
    await world.assign(await world.group("Team", await world.person("ada")))
    await world.start()
    await world.cycle()
    sent = len(world.target.requests)

    assert await world.quiet()

    world.clock.advance(40 * 60)
    cycle = await world.cycle()
    assert cycle.kind == "Incremental"
    assert cycle.counts is not None
    assert cycle.counts["considered"] == 0
    assert len(world.target.requests) == sent


async def test_an_incremental_cycle_carries_just_the_changes(world: World) -> None:
    ada, bob, cyd = [await world.person(name) for name in ("ada", "bob", "cyd")]
    team = await world.group("Team", ada)
    await world.assign(team, ada, bob, cyd)
    await world.start()
    await world.cycle()
    directory, tenant = world.services.directory, world.tenant.id
    world.target.requests.clear()

    await directory.update_user(operator(), tenant, ada.id, {"displayName": "Ada Lovelace"})
    await world.unassign(bob)
    await directory.add_members(operator(), tenant, team.id, [cyd.id])
    cycle = await world.cycle()

    assert cycle.counts is not None
    assert (cycle.counts["updated"], cycle.counts["disabled"]) == (2, 1)
    users = world.target.users_by_name()
    assert users["ada@example.org"]["displayName"] == "Ada Lovelace"
    assert users["bob@example.org"]["active"] is False
    assert users["cyd@example.org"]["active"] is True
    assert world.target.memberships() == {"Team": {"ada@example.org", "cyd@example.org"}}
    assert len(world.target.requests) == 3
    assert {method for method, _ in world.writes()} == {"PATCH"}


async def test_a_value_that_becomes_empty_is_removed_from_the_target(world: World) -> None:
    ada = await world.person("ada", jobTitle="Engineer")
    await world.assign(ada)
    await world.start()
    await world.cycle()

    await world.services.directory.update_user(operator(), world.tenant.id, ada.id, {"jobTitle": None})
    await world.cycle()

    assert "title" not in world.target.users_by_name()["ada@example.org"]


async def test_an_account_that_exists_is_linked_and_only_what_it_lacks_is_sent(world: World) -> None:
    ada = await world.person("ada", jobTitle="Engineer")
    await world.assign(ada)
    world.target.users["there"] = {
        "id": "there",
        "userName": "ada@example.org",
        "displayName": "Ada",
        "nickName": "Countess",
        "active": True,
    }
    await world.start()

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert (cycle.counts["created"], cycle.counts["updated"]) == (0, 1)
    assert list(world.target.users) == ["there"]
    assert world.target.users["there"]["title"] == "Engineer"
    assert world.target.users["there"]["nickName"] == "Countess"


async def test_two_accounts_with_the_matching_value_are_for_a_person_to_decide(world: World) -> None:
    await world.assign(await world.person("ada"))
    for n in ("1", "2"):
        world.target.users[n] = {"id": n, "userName": "ada@example.org", "active": True}
    await world.start()

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["failedByCode"] == {"DuplicateTargetEntries": 1}
    assert world.writes() == []


async def test_a_leaver_is_disabled_when_deleted_and_removed_when_purged(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    directory, tenant = world.services.directory, world.tenant.id

    await directory.delete_user(operator(), tenant, ada.id)
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["disabled"] == 1
    [account] = world.target.users.values()
    assert account["active"] is False

    await directory.purge_user(operator(), tenant, ada.id)
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["deleted"] == 1
    assert world.target.users == {}


async def test_a_returner_is_enabled_again_under_the_same_account(world: World) -> None:
    ada = await world.person("ada")
    team = await world.group("Team", ada)
    await world.assign(team, ada)
    await world.start()
    await world.cycle()
    before = set(world.target.users)
    await world.services.directory.delete_user(operator(), world.tenant.id, ada.id)
    await world.cycle()

    await world.services.directory.restore_user(operator(), world.tenant.id, ada.id)
    await world.cycle()

    assert set(world.target.users) == before
    account = world.target.users_by_name()["ada@example.org"]
    assert account["active"] is True
    assert world.target.memberships() == {"Team": {"ada@example.org"}}


async def test_an_unassigned_person_who_is_later_purged_is_left_alone(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    await world.unassign(ada)
    await world.cycle()
    world.target.requests.clear()

    await world.services.directory.delete_user(operator(), world.tenant.id, ada.id)
    await world.services.directory.purge_user(operator(), world.tenant.id, ada.id)
    await world.cycle()

    assert world.writes() == []
    assert [user["active"] for user in world.target.users.values()] == [False]


async def test_a_group_leaves_the_target_with_its_assignment_and_comes_back(world: World) -> None:
    ada = await world.person("ada")
    team = await world.group("Team", ada)
    await world.assign(team, ada)
    await world.start()
    await world.cycle()

    await world.unassign(team)
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["deleted"] == 1
    assert world.target.groups == {}

    await world.assign(team)
    await world.cycle()
    assert world.target.memberships() == {"Team": {"ada@example.org"}}


async def test_losing_a_group_means_losing_what_it_entitled_to(world: World) -> None:
    ada = await world.person("ada")
    team = await world.group("Team", ada)
    await world.assign(team)
    await world.start()
    await world.cycle()

    await world.services.directory.remove_members(operator(), world.tenant.id, team.id, [ada.id])
    await world.cycle()

    assert world.target.users_by_name()["ada@example.org"]["active"] is False
    assert world.target.memberships() == {"Team": set()}


async def test_a_manager_who_comes_later_is_written_then(world: World) -> None:
    ada, grace = await world.person("ada"), await world.person("grace")
    await world.services.directory.set_manager(operator(), world.tenant.id, ada.id, grace.id)
    await world.assign(ada)
    await world.start()
    await world.cycle()
    assert world.target.managers() == {}

    await world.assign(grace)
    await world.cycle()
    assert world.target.managers() == {"ada@example.org": "grace@example.org"}

    await world.services.directory.set_manager(operator(), world.tenant.id, ada.id, None)
    await world.cycle()
    assert world.target.managers() == {}


async def test_a_member_who_comes_later_is_added_then(world: World) -> None:
    ada = await world.person("ada", accountEnabled=False)
    team = await world.group("Team", ada)
    await world.assign(team)
    await world.start()
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["skippedByReason"] == {"NotEffectivelyEntitled": 1}
    assert world.target.memberships() == {"Team": set()}

    await world.services.directory.update_user(operator(), world.tenant.id, ada.id, {"accountEnabled": True})
    await world.cycle()

    assert world.target.memberships() == {"Team": {"ada@example.org"}}


async def test_scope_all_takes_everybody_in(world: World) -> None:
    await world.person("ada")
    await world.group("Team", await world.person("bob"))
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    await world.start()

    await world.cycle()

    assert set(world.target.users_by_name()) == {"ada@example.org", "bob@example.org"}
    assert world.target.memberships() == {"Team": {"bob@example.org"}}


async def test_more_objects_than_a_batch_all_arrive_exactly_once(world: World) -> None:
    people = [await world.person(f"person{n}") for n in range(450)]
    await world.assign(await world.group("Everybody", *people))
    await world.start()

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["created"] == 451
    assert len(world.target.users) == 450
    assert len(world.target.memberships()["Everybody"]) == 450


async def test_the_log_tells_each_step_with_old_and_new_values(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    await world.services.directory.update_user(operator(), world.tenant.id, ada.id, {"displayName": "Ada L"})
    await world.cycle()

    update, create = await world.log()

    assert create["provisioningAction"] == "create"
    assert create["provisioningStatusInfo"]["status"] == "success"
    assert create["targetIdentity"]["id"] == next(iter(world.target.users))
    assert [(step["name"], step["provisioningStepType"]) for step in create["provisioningSteps"]] == [
        ("EntryImportAdd", "import"),
        ("EntrySynchronizationScoping", "scoping"),
        ("EntryImport", "matching"),
        ("EntrySynchronizationAdd", "matching"),
        ("EntryExportAdd", "export"),
    ]
    assert update["modifiedProperties"] == [{"displayName": "displayName", "oldValue": "Ada", "newValue": "Ada L"}]


@pytest.mark.parametrize("seen", ["nothing", "deleted", "purged"])
async def test_a_person_created_anew_under_the_old_name_takes_the_account_over(world: World, seen: str) -> None:
    directory, tenant = world.services.directory, world.tenant.id
    ada = await world.person("ada")
    team, crew = await world.group("Team", ada), await world.group("Crew")
    await world.assign(team, crew, ada)
    await world.start()
    await world.cycle()
    [account] = world.target.users
    await directory.delete_user(operator(), tenant, ada.id)
    if seen != "nothing":
        await world.cycle()
    if seen == "purged":
        # What a purge does is not awaited: the rehire comes first.
        await directory.purge_user(operator(), tenant, ada.id)

    again = await world.person("ada", displayName="Ada Again")
    await directory.add_members(operator(), tenant, crew.id, [again.id])
    await world.assign(again)
    await world.cycle()

    assert list(world.target.users) == [account]
    shown = world.target.users[account]
    assert (shown["userName"], shown["displayName"], shown["active"]) == ("ada@example.org", "Ada Again", True)
    assert world.target.memberships() == {"Team": set(), "Crew": {"ada@example.org"}}

    if seen != "purged":
        await directory.purge_user(operator(), tenant, ada.id)
        await world.cycle()
    assert list(world.target.users) == [account]
    assert world.target.users[account]["active"] is True
