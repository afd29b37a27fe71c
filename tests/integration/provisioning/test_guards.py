"""Guards: what is too much waits for a person, and nothing else waits with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.provisioning.test_crashes import torn_away
from tests.integration.provisioning.test_mappings import change

from provisor.applications.model import Job
from provisor.directory.files.importing import import_files
from provisor.directory.files.report import InputFile
from provisor.directory.model import User
from provisor.errors import NotFound
from provisor.provisioning.engine import Engine, run_inline
from provisor.provisioning.guarding.model import NobodyWatches, Wave
from provisor.security.actor import operator

if TYPE_CHECKING:
    from conftest import World
    from provisor.testing.crash import CrashingDatabase


async def provisioned(world: World, n: int) -> list[User]:
    """``n`` people, all in the target."""
    people = [await world.person(f"p{i:02}") for i in range(n)]
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    await world.start()
    await world.cycle()
    world.target.requests.clear()
    return people


async def disable(world: World, people: list[User], enabled: bool = False) -> None:
    changes = {user.id: {"accountEnabled": enabled} for user in people}
    await world.services.directory.update_users(operator(), world.tenant.id, changes)


def active(world: World) -> int:
    return sum(1 for user in world.target.users.values() if user["active"])


async def held(world: World) -> list[str]:
    return [row.name for row in await world.services.guards.held(operator(), world.job_id)]


async def test_a_bad_import_that_would_empty_the_directory_reaches_nobody(world: World) -> None:
    people = await provisioned(world, 30)
    lines = [f"{user.id},p{i:02}@example.org,P{i:02},False" for i, user in enumerate(people)]
    text = "id,userPrincipalName,displayName,accountEnabled\n" + "\n".join(lines) + "\n"
    report = await import_files(
        world.services.directory, operator(), world.tenant.id, [InputFile("bad.csv", text.encode())]
    )
    assert not report.errors, report.errors

    cycle = await world.cycle()
    assert world.target.requests == []
    assert cycle.counts is not None
    assert (cycle.counts["waiting"], cycle.counts["disabled"], cycle.counts["considered"]) == (30, 0, 30)
    staged = await world.log(action="stagedDelete")
    assert len(staged) == 30
    assert (
        "30 of 30 linked objects would be deleted or disabled"
        in (staged[0]["provisioningStatusInfo"]["errorInformation"]["reason"])
    )

    assert len(await world.services.guards.reject(operator(), world.job_id, None)) == 30
    await disable(world, people, enabled=True)
    await world.cycle()

    assert world.target.requests == []
    assert active(world) == 30
    overview = await world.services.guards.overview(operator(), world.job_id)
    assert (overview.held, overview.rejected) == ({}, {})
    assert await world.quiet()


async def test_what_is_held_stops_nothing_else(world: World) -> None:
    people = await provisioned(world, 20)
    await disable(world, people[:10])
    await world.cycle()
    assert active(world) == 20

    newcomer = await world.person("zoe")
    await world.services.directory.update_user(operator(), world.tenant.id, people[15].id, {"jobTitle": "Boss"})
    await disable(world, [people[16]])
    await world.cycle()

    users = world.target.users_by_name()
    assert newcomer.user_principal_name in users
    assert users["p15@example.org"]["title"] == "Boss"
    assert users["p16@example.org"]["active"] is False
    assert len(await held(world)) == 10


async def test_approved_objects_go_and_the_others_stay(world: World) -> None:
    people = await provisioned(world, 20)
    await disable(world, people[:10])
    await world.cycle()

    await world.services.guards.approve(operator(), world.job_id, ["P03@example.org", people[4].id])
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["disabled"] == 2
    assert active(world) == 18
    assert len(await held(world)) == 8

    await world.services.guards.approve(operator(), world.job_id, None)
    await world.cycle()
    assert active(world) == 10
    assert await held(world) == []
    assert await world.quiet()


async def test_a_held_object_that_comes_back_is_no_longer_held(world: World) -> None:
    people = await provisioned(world, 20)
    await disable(world, people[:10])
    await world.cycle()

    await disable(world, people[:1], enabled=True)
    await world.cycle()

    assert "p00@example.org" not in await held(world)
    assert len(await held(world)) == 9
    assert world.target.requests == []


async def test_a_rejection_holds_through_a_restart(world: World) -> None:
    people = await provisioned(world, 20)
    await disable(world, people[:10])
    await world.cycle()
    await world.services.guards.reject(operator(), world.job_id, None)

    await world.services.provisioning.restart(operator(), world.job_id)
    cycle = await world.cycle()

    assert world.writes() == []
    assert cycle.counts is not None
    assert cycle.counts["skippedByReason"]["EntrySynchronizationSkipped"] == 10
    # Who named one after all takes the rejection of it back.
    await world.services.guards.approve(operator(), world.job_id, ["p00@example.org"])
    await world.cycle()
    assert active(world) == 19


async def test_a_few_are_never_held_and_the_window_slides(world: World) -> None:
    people = await provisioned(world, 20)
    for user in people[:4]:
        await disable(world, [user])
        await world.cycle()
    assert active(world) == 16

    await disable(world, [people[4]])
    await world.cycle()
    assert await held(world) == ["p04@example.org"]

    world.clock.advance(24 * 3600 + 1)
    await disable(world, [people[5]])
    await world.cycle()
    assert active(world) == 15
    assert await held(world) == ["p04@example.org"]


async def test_who_was_taken_out_counts_as_linked_once_also_when_they_are_back(world: World) -> None:
    people = await provisioned(world, 20)
    await disable(world, people[:2])
    await world.cycle()
    overview = await world.services.guards.overview(operator(), world.job_id)
    assert (overview.linked, overview.executed) == (20, 2)
    await disable(world, people[:1], enabled=True)
    await world.cycle()
    overview = await world.services.guards.overview(operator(), world.job_id)
    assert (overview.linked, overview.executed) == (20, 2)


async def test_a_mapping_that_would_change_most_is_held_and_leaves_no_trace_when_it_is_taken_back(world: World) -> None:
    await provisioned(world, 20)
    document = (await world.services.applications.job(operator(), world.job_id)).schema.document
    source = {"type": "Attribute", "expression": "[userPrincipalName]", "name": "userPrincipalName", "parameters": []}
    await change(world, displayName={"source": source})

    cycle = await world.cycle()
    assert world.writes() == []
    assert cycle.counts is not None
    assert cycle.counts["waiting"] == 20
    [row, *_] = await world.services.guards.held(operator(), world.job_id, limit=1)
    assert row.action == "update"
    assert row.changes == [{"displayName": "displayName", "oldValue": "P00", "newValue": "p00@example.org"}]

    await world.services.applications.set_schema(operator(), world.job_id, document)
    await world.cycle()
    assert world.writes() == []
    assert await held(world) == []


async def test_a_first_cycle_and_one_that_only_creates_are_no_mass_change(world: World) -> None:
    await provisioned(world, 10)
    for i in range(30):
        await world.person(f"new{i}")
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["created"] == 30


async def test_a_mass_change_within_its_limit_goes_after_it_was_counted(world: World) -> None:
    people = await provisioned(world, 40)
    changes = {user.id: {"jobTitle": "Boss"} for user in people[:10]}
    await world.services.directory.update_users(operator(), world.tenant.id, changes)
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["updated"] == 10


async def test_managers_that_change_for_most_are_held_as_well(world: World) -> None:
    people = await provisioned(world, 20)
    managers = {user.id: people[0].id for user in people[1:]}
    await world.services.directory.set_managers(operator(), world.tenant.id, managers)
    await world.cycle()
    assert world.writes() == []
    assert len(await held(world)) == 19

    await world.services.guards.approve(operator(), world.job_id, None)
    await world.cycle()
    assert len(world.target.managers()) == 19


async def test_whoever_is_held_leaves_no_group_either(world: World) -> None:
    people = await provisioned(world, 20)
    await world.group("Team", *people)
    await world.cycle()
    directory, tenant = world.services.directory, world.tenant.id
    for user in people[:10]:
        await directory.delete_user(operator(), tenant, user.id)
        await directory.purge_user(operator(), tenant, user.id)
    world.target.requests.clear()
    await world.cycle()
    assert world.writes() == []
    assert len(world.target.memberships()["Team"]) == 20

    await world.services.guards.approve(operator(), world.job_id, None)
    await world.cycle()
    assert len(world.target.memberships()["Team"]) == 10
    assert len(world.target.users) == 10
    assert await world.quiet()


async def test_entras_threshold_quarantines_and_force_deletes_lets_them_go(world: World) -> None:
    people = await provisioned(world, 20)
    await world.services.applications.change_settings(
        operator(),
        world.job_id,
        {"notification": {"delete_threshold_enabled": True, "delete_threshold_value": 3}, "guard": {"enabled": False}},
    )
    await disable(world, people[:4])
    await world.cycle()
    assert world.writes() == []
    status = (await world.services.provisioning.status(operator(), world.job_id))["status"]
    assert status["code"] == "Quarantine"
    assert status["quarantine"]["reason"] == "TooManyDeletes"
    assert len(await world.log(action="stagedDelete")) == 4

    await world.services.provisioning.restart(operator(), world.job_id, "ForceDeletes")
    await world.cycle()
    assert active(world) == 16
    status = (await world.services.provisioning.status(operator(), world.job_id))["status"]
    assert (status["code"], status["quarantine"]) == ("Active", None)


async def test_the_watcher_is_told_once_a_wave(world: World) -> None:
    told: list[Wave] = []

    class Watcher(NobodyWatches):
        async def held(self, job: Job, wave: Wave) -> None:
            told.append(wave)

    people = await provisioned(world, 20)
    await disable(world, people)
    services = world.services
    engine = Engine(
        services.stores,
        services.directory,
        services.applications,
        services.targets,
        world.clock,
        holder="test",
        watcher=Watcher(),
    )
    await run_inline(engine, world.job_id)
    assert [(wave.kind, wave.rule, wave.wanted, wave.most) for wave in told] == [("deletions", "percent", 20, 4)]


async def test_a_crash_anywhere_holds_everybody_all_the_same(crashing: tuple[World, CrashingDatabase]) -> None:
    world, database = crashing
    people = await provisioned(world, 12)
    at, reached, enabled = 0, True, True
    while reached:
        at += 1
        enabled = not enabled
        await disable(world, people, enabled=enabled)
        reached = await torn_away(world, database, at)
        for _ in range(5):
            if await run_inline(world.services.engine(f"second{at}"), world.job_id) is None:
                break
            world.clock.advance(60)
        assert world.writes() == [], f"torn away at write {at}"
        assert len(await held(world)) == (0 if enabled else 12), f"torn away at write {at}"
    assert at > 8


async def test_nothing_held_says_so(world: World) -> None:
    await provisioned(world, 1)
    with pytest.raises(NotFound, match="Nothing of App is held"):
        await world.services.guards.approve(operator(), world.job_id, None)
    with pytest.raises(NotFound, match="Nothing of 'nobody' is held"):
        await world.services.guards.reject(operator(), world.job_id, ["nobody"])


async def among_the_users(world: World) -> tuple[Engine, str]:
    """A cycle over everybody, begun, with all of its objects still ahead."""
    await world.services.provisioning.restart(operator(), world.job_id)
    engine = world.services.engine("test")
    cycle_id = await engine.begin(world.job_id)
    assert cycle_id is not None
    while (await world.services.provisioning.cycle(operator(), world.job_id, cycle_id)).phase != "users":  # type: ignore[union-attr]
        assert not (await engine.advance(world.job_id, cycle_id)).done
    return engine, cycle_id


async def test_one_leaver_does_not_wait_for_the_end_of_a_large_cycle(world: World) -> None:
    people = await provisioned(world, 20)
    engine, cycle_id = await among_the_users(world)
    await disable(world, people[:1])
    assert not (await engine.advance(world.job_id, cycle_id)).done
    assert active(world) == 19


async def test_a_wave_that_comes_in_the_middle_of_a_cycle_is_counted_as_a_whole(world: World) -> None:
    people = await provisioned(world, 20)
    engine, cycle_id = await among_the_users(world)
    await disable(world, people[:10])
    while not (await engine.advance(world.job_id, cycle_id)).done:
        pass
    while await run_inline(engine, world.job_id) is not None:
        pass
    assert active(world) == 20
    assert len(await held(world)) == 10
