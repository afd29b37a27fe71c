"""The cases that destroy accounts elsewhere: rehires, two for one, vanished objects, swapped names, lists that lie."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from provisor.provisioning.engine import run_inline
from provisor.provisioning.run import BATCH
from provisor.security.actor import operator
from provisor.testing.target_faults import answered, failure, lost_reply, method

if TYPE_CHECKING:
    from conftest import World
    from provisor.directory.model import User

DAY = 86_400


async def people(world: World, n: int) -> list[User]:
    # What the guards would hold is another test's.
    await world.services.applications.change_settings(operator(), world.job_id, {"guard": {"enabled": False}})
    members = [await world.person(f"person{i:03}") for i in range(n)]
    await world.assign(await world.group("Everybody", *members))
    await world.start()
    await world.cycle()
    return members


async def update(world: World, user: User, **changes: Any) -> None:
    await world.services.directory.update_user(operator(), world.tenant.id, user.id, changes)


async def until_quiet(world: World) -> None:
    for _ in range(40):
        if await run_inline(world.services.engine("test"), world.job_id) is None:
            if not await world.services.stores.jobs.waiting(world.job_id):
                return
            world.clock.advance(60)
    pytest.fail("it never came to rest")


async def test_a_rehire_keeps_the_account_and_the_purge_after_thirty_days_sends_nothing(world: World) -> None:
    directory, tenant = world.services.directory, world.tenant.id
    ada = await world.person("ada")
    team = await world.group("Team", ada)
    await world.assign(team)
    await world.start()
    await world.cycle()
    [account] = world.target.users
    await directory.delete_user(operator(), tenant, ada.id)
    await world.cycle()

    again = await world.person("ada", jobTitle="Director")
    await directory.add_members(operator(), tenant, team.id, [again.id])
    await world.cycle()
    assert world.target.users[account]["active"] is True
    assert world.target.users[account]["title"] == "Director"
    assert world.target.memberships() == {"Team": {"ada@example.org"}}
    world.target.requests.clear()

    world.clock.advance(31 * DAY)
    assert await directory.purge_expired(operator(), tenant) == 1
    await until_quiet(world)

    assert world.writes() == []
    assert list(world.target.users) == [account]
    assert world.target.users[account]["active"] is True


async def test_two_live_people_for_one_account_the_second_is_refused_and_both_are_named(world: World) -> None:
    await match_by_mail(world)
    ada = await world.person("ada", mail="shared@mail.example.org")
    await world.assign(ada)
    await world.start()
    await world.cycle()

    bob = await world.person("bob", mail="shared@mail.example.org")
    await world.assign(bob)
    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["failedByCode"] == {"DuplicateSourceEntries": 1}
    [entry] = await world.log(status="failure")
    reason = entry["provisioningStatusInfo"]["errorInformation"]["reason"]
    assert "ada@example.org" in reason
    assert "bob@example.org" in reason
    assert [user["userName"] for user in world.target.users.values()] == ["ada@example.org"]


async def test_two_people_for_one_account_in_one_batch_are_not_two_accounts(world: World) -> None:
    await match_by_mail(world)
    await world.assign(*[await world.person(name, mail="shared@mail.example.org") for name in ("ada", "bob")])
    await world.start()

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert (cycle.counts["created"], cycle.counts["failedByCode"]) == (1, {"DuplicateSourceEntries": 1})
    assert len(world.target.users) == 1


async def test_two_people_for_one_account_in_two_batches_of_the_first_cycle_are_not_two_accounts(world: World) -> None:
    # The target does not keep addresses apart: only we know that the account was made a moment ago.
    await match_by_mail(world)
    first = await world.person("ada", mail="shared@mail.example.org")
    others = [await world.person(f"p{n}", mail=f"p{n}@mail.example.org") for n in range(BATCH)]
    second = await world.person("bob", mail="Shared@mail.example.org")
    await world.assign(first, *others, second)
    await world.start()

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert (cycle.counts["created"], cycle.counts["failedByCode"]) == (BATCH + 1, {"DuplicateSourceEntries": 1})
    assert "bob@example.org" not in world.target.users_by_name()
    searches = world.target.sent("GET", "/Users")
    assert len(searches) <= 3  # the list, what proves the search, and the one who was made


async def test_who_leaves_under_a_name_that_somebody_keeps_goes_and_is_no_failure_for_ever(world: World) -> None:
    await world.services.applications.change_settings(operator(), world.job_id, {"guard": {"enabled": False}})
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    world.target.users["stranger"] = {"id": "stranger", "userName": "taken@example.org", "active": True}

    await world.unassign(ada)
    await update(world, ada, userPrincipalName="taken@example.org")
    await until_quiet(world)

    accounts = {user["userName"]: user["active"] for user in world.target.users.values()}
    assert accounts == {"ada@example.org": False, "taken@example.org": True}
    assert not await world.log(status="failure")
    [last] = await world.log(source_id=ada.id, limit=1)
    assert "the account keeps ada@example.org" in last["provisioningStatusInfo"]["errorInformation"]["reason"]


@pytest.mark.parametrize("together", [True, False])
async def test_two_groups_of_one_name_are_one_group_and_an_error(world: World, together: bool) -> None:
    first, second = await world.group("Team", await world.person("ada")), await world.group("team")
    await world.assign(first)
    await world.start()
    if not together:
        await world.cycle()
    await world.assign(second)
    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["failedByCode"] == {"DuplicateSourceEntries": 1}
    [entry] = await world.log(status="failure")
    reason = entry["provisioningStatusInfo"]["errorInformation"]["reason"]
    assert first.id in reason
    assert second.id in reason
    assert len(world.target.groups) == 1


async def test_an_account_that_vanished_is_matched_once_more_made_anew_and_told_why(world: World) -> None:
    ada, bob = await people(world, 2)
    lost = world.target.users_by_name()[ada.user_principal_name]["id"]
    moved = world.target.users_by_name()[bob.user_principal_name]
    world.target.users.pop(lost)
    world.target.users.pop(moved["id"])
    world.target.users["elsewhere"] = {**moved, "id": "elsewhere"}

    await update(world, ada, jobTitle="Countess")
    await update(world, bob, jobTitle="Count")
    cycle = await world.cycle()

    assert cycle.counts is not None
    # The group gets its new members.
    assert (cycle.counts["created"], cycle.counts["updated"]) == (1, 2)
    users = world.target.users_by_name()
    assert users[ada.user_principal_name]["title"] == "Countess"
    assert users[bob.user_principal_name] == {**moved, "id": "elsewhere", "title": "Count"}
    [created] = await world.log(action="create", source_id=ada.id, limit=1)
    assert f"no longer had {lost} (404)" in created["provisioningSteps"][-1]["description"]
    told = [entry["provisioningStatusInfo"]["errorInformation"] for entry in await world.log(status="warning")]
    assert [information["errorCode"] for information in told] == ["InvalidAnchor"] * 2
    await until_quiet(world)
    # The target of this test keeps members who are not there any more.
    assert set(users) <= world.target.memberships()["Everybody"]


@pytest.mark.parametrize(("gone", "halts"), [(5, False), (6, True)])
async def test_more_than_one_in_twenty_vanished_stops_the_job_and_makes_nothing_anew(
    world: World, gone: int, halts: bool
) -> None:
    # With the group, 99 people are 100 objects.
    everybody = await people(world, 99)
    for user in everybody[:gone]:
        world.target.users.pop(world.target.users_by_name()[user.user_principal_name]["id"])
    before = dict(world.target.users)
    for user in everybody:
        await update(world, user, jobTitle="New")
    await world.services.provisioning.restart(operator(), world.job_id)

    cycle = await (world.broken_cycle() if halts else world.cycle())

    assert (set(world.target.users) == set(before)) is halts
    if not halts:
        assert len(world.target.users_by_name()) == 99
        return
    assert cycle.error is not None
    assert cycle.error["code"] == "InvalidAnchor"
    assert "6 of 100" in cycle.error["message"]
    status = (await world.services.provisioning.status(operator(), world.job_id))["status"]
    assert status["code"] == "Quarantine"
    assert status["quarantine"]["exchange"]["status"] == 404
    assert "reset scope Full" in status["quarantine"]["lift"]
    assert await world.services.stores.jobs.link_counts(world.job_id) == {"User": 99, "Group": 1}

    await world.start()
    await world.broken_cycle()
    assert set(world.target.users) == set(before)

    await world.services.provisioning.restart(operator(), world.job_id, "Full")
    await world.cycle()
    assert len(world.target.users_by_name()) == 99


async def test_another_companys_key_disables_and_deletes_nobody_and_forgets_nobody(world: World) -> None:
    everybody = await people(world, 20)
    ours, world.target.users, world.target.groups = dict(world.target.users), {}, {}

    for user in everybody[:10]:
        await world.services.directory.delete_user(operator(), world.tenant.id, user.id)
    await world.broken_cycle()
    assert world.target.users == {}

    world.target.users = ours
    await world.start()
    await until_quiet(world)
    gone = [user for user in world.target.users.values() if not user["active"]]
    assert len(gone) == 10


@pytest.mark.parametrize("size", [2, 3, 5])
async def test_names_that_go_round_between_people_all_arrive_and_nobody_is_lost(world: World, size: int) -> None:
    everybody = await people(world, size)
    accounts = {user.id: world.target.users_by_name()[user.user_principal_name]["id"] for user in everybody}
    names = [user.user_principal_name for user in everybody]
    await update(world, everybody[0], userPrincipalName="nobody@example.org")
    for user, name in zip(everybody[1:], names, strict=False):
        await update(world, user, userPrincipalName=name)
    await update(world, everybody[0], userPrincipalName=names[-1])

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["failed"] == 0
    for user, name in zip(everybody, [names[-1], *names[:-1]], strict=True):
        assert world.target.users[accounts[user.id]]["userName"] == name
    assert len(world.target.users_by_name()) == size
    assert await world.quiet()


async def test_names_that_move_on_in_a_row_need_no_temporary_name(world: World) -> None:
    everybody = await people(world, 4)
    await update(world, everybody[3], userPrincipalName="free@example.org")
    for user, name in reversed(list(pairwise(everybody))):
        await update(world, user, userPrincipalName=name.user_principal_name)

    await world.cycle()

    sent = [op["value"] for request in world.target.sent("PATCH", "/Users") for op in request.body["Operations"]]
    names = {"free@example.org", *(user.user_principal_name for user in everybody[1:])}
    assert {value for value in sent if "@" in str(value)} == names
    assert set(world.target.users_by_name()) == names


async def test_a_swap_that_is_cut_off_leaves_no_temporary_name(world: World) -> None:
    ada, bob = await people(world, 2)
    a, b = ada.user_principal_name, bob.user_principal_name
    await update(world, ada, userPrincipalName="nobody@example.org")
    await update(world, bob, userPrincipalName=a)
    await update(world, ada, userPrincipalName=b)
    # The temporary name arrives, and then nothing more does for a while.
    temporary: list[str] = []

    def after_it(request: Any) -> bool:
        if request.method == "PATCH" and "person000." in str(request.body) and not temporary:
            temporary.append(str(request.body))
            return False
        return bool(temporary) and request.method == "PATCH"

    world.target.fault(failure(400, "Not now."), when=after_it, times=None)
    await world.cycle()
    world.target.heal()
    # They change their minds: whatever the target has by now, their old names are theirs again.
    await update(world, ada, userPrincipalName="nobody@example.org")
    await update(world, bob, userPrincipalName=b)
    await update(world, ada, userPrincipalName=a)
    await until_quiet(world)

    assert set(world.target.users_by_name()) == {a, b}


async def test_a_name_that_somebody_keeps_is_a_conflict_and_told(world: World) -> None:
    ada, _ = await people(world, 2)
    world.target.users["stranger"] = {"id": "stranger", "userName": "taken@example.org", "active": True}

    await update(world, ada, userPrincipalName="taken@example.org")
    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["failedByCode"] == {"EntryConflict": 1}
    assert world.target.users["stranger"]["userName"] == "taken@example.org"


@pytest.mark.parametrize("refuses", [True, False])
async def test_a_target_that_answers_an_empty_list_for_everything_doubles_nobody(world: World, refuses: bool) -> None:
    world.target.refuses_duplicates = refuses
    everybody = [await world.person(f"person{i:03}") for i in range(20)]
    for user in everybody[1:]:
        id_ = f"there{user.id}"
        world.target.users[id_] = {"id": id_, "userName": user.user_principal_name, "active": True}
    await world.assign(*everybody)
    await world.start()
    empty = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 0, "Resources": []}
    world.target.fault(answered(empty), when=method("GET"), times=None)

    cycle = await world.broken_cycle()

    assert cycle.error is not None
    assert "does not find" in cycle.error["message"]
    assert len(world.target.users) <= 20
    status = (await world.services.provisioning.status(operator(), world.job_id))["status"]
    assert status["code"] == "Quarantine"

    world.target.heal()
    await world.start()
    await world.cycle()
    assert set(world.target.users_by_name()) == {user.user_principal_name for user in everybody}


async def test_after_a_restart_in_full_an_empty_list_doubles_nobody_either(world: World) -> None:
    await people(world, 20)
    world.target.refuses_duplicates = False
    await world.services.provisioning.restart(operator(), world.job_id, "Full")
    empty = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 0, "Resources": []}
    world.target.fault(answered(empty), when=method("GET"), times=None)

    await world.broken_cycle()

    assert len(world.target.users) <= 21


# What was sent and its answer lost, and then the source went back to what it was: the target follows.
@pytest.mark.parametrize("change", ["title", "access", "manager", "member"])
async def test_a_lost_answer_and_a_change_of_mind_leave_the_target_as_the_source_is(world: World, change: str) -> None:
    directory, tenant = world.services.directory, world.tenant.id
    ada, bob = await people(world, 2)
    world.target.fault(lost_reply(), when=method("PATCH"))
    team = await world.group("Team")
    if change == "member":
        await world.assign(team)
        await world.cycle()
        await directory.add_members(operator(), tenant, team.id, [ada.id])
    elif change == "manager":
        await directory.set_manager(operator(), tenant, ada.id, bob.id)
    else:
        await update(world, ada, **({"jobTitle": "Boss"} if change == "title" else {"accountEnabled": False}))
    await world.cycle()
    before = {**world.target.users_by_name()[ada.user_principal_name]}

    if change == "member":
        assert world.target.memberships()["Team"] == {ada.user_principal_name}
        await directory.remove_members(operator(), tenant, team.id, [ada.id])
    elif change == "manager":
        assert world.target.managers() == {ada.user_principal_name: bob.user_principal_name}
        await directory.set_manager(operator(), tenant, ada.id, None)
    else:
        assert (before.get("title") == "Boss") or before["active"] is False
        await update(world, ada, **({"jobTitle": None} if change == "title" else {"accountEnabled": True}))
    await until_quiet(world)

    after = world.target.users_by_name()[ada.user_principal_name]
    assert (after.get("title"), after["active"], world.target.managers()) == (None, True, {})
    assert world.target.memberships().get("Team", set()) == set()


async def match_by_mail(world: World) -> None:
    """The mail address comes first, then the name."""
    job = await world.services.applications.job(operator(), world.job_id)
    document = dict(job.schema.document)
    rows = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    for row in rows:
        if row["targetAttributeName"] == 'emails[type eq "work"].value':
            row["matchingPriority"] = 1
        elif row["targetAttributeName"] == "userName":
            row["matchingPriority"] = 2
    await world.services.applications.set_schema(operator(), world.job_id, document)
