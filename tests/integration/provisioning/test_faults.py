"""Bad luck at the target: lost replies, conflicts, throttling, wrong credentials. Nothing doubled, nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.testing.target_faults import (
    failure,
    failure_after_applying,
    lands_later,
    lost_reply,
    method,
    reset_after_applying,
    silence,
    too_many_requests,
    unauthorized,
)

if TYPE_CHECKING:
    from conftest import World
    from provisor.testing.target_faults import Fault


async def people(world: World, n: int) -> None:
    members = [await world.person(f"person{i:03}") for i in range(n)]
    await world.assign(await world.group("Everybody", *members))
    await world.start()


async def until_quiet(world: World) -> None:
    """Run what is due, and let time pass until nothing waits any more."""
    for _ in range(40):
        if await run_inline(world.services.engine("test"), world.job_id) is None:
            state = await world.services.provisioning.state(operator(), world.job_id)
            if not await world.services.stores.jobs.waiting(world.job_id) and state.running_cycle_id is None:
                return
            world.clock.advance(60)
    pytest.fail("it never came to rest")


async def test_a_wrong_key_stops_the_cycle_at_once_and_marks_nothing_as_done(world: World) -> None:
    await people(world, 50)
    world.target.token = "another"

    cycle = await world.broken_cycle()

    assert cycle.error is not None
    assert cycle.error["code"] == "Unauthorized"
    assert "401" in cycle.error["message"]
    assert "Secret Token" in cycle.error["message"] or "secret token" in cycle.error["message"]
    assert "let-me-in" not in str(cycle.error)
    assert cycle.counts is not None
    assert cycle.counts["considered"] == 0
    assert len(world.target.requests) <= 16
    state = await world.services.provisioning.state(operator(), world.job_id)
    assert state.code == "Quarantine"

    world.target.token = "let-me-in"
    await world.start()
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["created"] == 51


async def test_a_key_that_expires_in_the_middle_loses_nothing(world: World) -> None:
    await people(world, 60)
    world.target.fault(unauthorized(), when=_after(world, 30), times=None)

    await world.broken_cycle()
    created = len(world.target.users)
    assert 0 < created < 60

    world.target.heal()
    await world.start()
    await until_quiet(world)
    assert len(world.target.users) == len(world.target.users_by_name()) == 60
    assert len([1 for request in world.target.sent("POST", "/Users") if request.status == 201]) == 60


@pytest.mark.parametrize("fault", [lost_reply(), reset_after_applying(), failure_after_applying(500)])
async def test_a_lost_reply_to_a_create_makes_no_second_account(world: World, fault: Fault) -> None:
    await world.assign(await world.person("ada"))
    await world.start()
    world.target.fault(fault, when=method("POST"))

    await until_quiet(world)

    assert len(world.target.users) == 1
    assert len(world.target.sent("POST", "/Users")) == 1


async def test_a_create_that_lands_after_the_look_up_makes_no_second_account_even_without_409(world: World) -> None:
    world.target.refuses_duplicates = False
    await _without_409(world)
    await world.assign(await world.person("ada"))
    await world.start()
    world.target.fault(lands_later(), when=method("POST"))
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["waiting"] == 1

    world.target.land()
    await until_quiet(world)

    assert len(world.target.users) == 1


async def test_a_create_that_never_arrived_is_sent_again(world: World) -> None:
    await world.assign(await world.person("ada"))
    await world.start()
    world.target.fault(silence(), when=method("POST"))

    await until_quiet(world)

    assert list(world.target.users_by_name()) == ["ada@example.org"]


async def test_throttling_is_pacing_and_never_a_failure(world: World) -> None:
    await people(world, 30)
    world.target.fault(too_many_requests(3), times=25)

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["failed"] == 0
    assert len(world.target.users) == 30
    assert await world.log(status="failure") == []


async def test_one_bad_object_does_not_hold_up_the_others(world: World) -> None:
    await people(world, 20)
    world.target.fault(failure(400, "No such office."), when=_names("person007"), times=None)

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert (cycle.counts["created"], cycle.counts["failed"]) == (20, 1)
    [entry] = await world.log(status="failure")
    assert entry["sourceIdentity"]["displayName"] == "person007@example.org"
    assert "No such office." in entry["provisioningStatusInfo"]["errorInformation"]["reason"]
    assert entry["exchange"]["status"] == 400

    world.target.heal()
    world.clock.advance(6 * 3600 + 1)
    await world.cycle()
    assert len(world.target.users) == 20
    assert len(world.target.memberships()["Everybody"]) == 20


async def test_a_server_error_is_tried_again_soon(world: World) -> None:
    await people(world, 5)
    world.target.fault(failure(500), when=method("POST"), times=3)

    await until_quiet(world)

    assert len(world.target.users) == 5
    assert len(world.target.memberships()["Everybody"]) == 5


async def test_an_unreachable_target_stops_the_cycle_and_puts_nothing_into_escrow(world: World) -> None:
    await people(world, 30)
    world.target.fault(failure(404, "<html>not here</html>"), times=None)

    cycle = await world.broken_cycle()
    assert cycle.counts is not None
    assert cycle.counts["considered"] == 0

    world.target.heal()
    await world.start()
    await until_quiet(world)
    assert len(world.target.users) == 30


async def test_an_account_that_vanished_from_the_target_is_made_anew(world: World) -> None:
    ada = await world.person("ada")
    team = await world.group("Team", ada)
    await world.assign(team)
    await world.start()
    await world.cycle()
    world.target.users.clear()
    world.target.groups.clear()

    await world.services.directory.update_user(operator(), world.tenant.id, ada.id, {"displayName": "Ada L"})
    bob = await world.person("bob")
    await world.services.directory.add_members(operator(), world.tenant.id, team.id, [bob.id])
    await until_quiet(world)

    assert world.target.users_by_name()["ada@example.org"]["displayName"] == "Ada L"
    assert world.target.memberships() == {"Team": {"ada@example.org", "bob@example.org"}}


async def test_a_bad_member_does_not_keep_the_others_out(world: World) -> None:
    await people(world, 6)
    await world.cycle()
    team = await world.group("Team", *(await _persons(world)))
    victim = world.target.users_by_name()["person003@example.org"]["id"]
    world.target.fault(failure(400, "No such member."), when=_names(victim), times=None)
    await world.assign(team)

    await world.cycle()

    assert len(world.target.memberships()["Team"]) == 5


async def test_a_cycle_cut_off_after_any_step_goes_on_where_it_was(world: World) -> None:
    await people(world, 230)
    engine = world.services.engine("test")
    cycle_id = await engine.begin(world.job_id)
    assert cycle_id is not None

    for _ in range(50):
        # A new engine for every step: nothing is remembered outside the database.
        if (await world.services.engine("test").advance(world.job_id, cycle_id)).done:
            break

    cycle = await world.ended(cycle_id)
    assert cycle.counts is not None
    assert cycle.counts["created"] == 231
    assert len(world.target.sent("POST", "/Users")) == 230


async def test_another_holder_cannot_work_on_a_leased_job(world: World) -> None:
    await people(world, 5)
    first, second = world.services.engine("first"), world.services.engine("second")
    cycle_id = await first.begin(world.job_id)
    assert cycle_id is not None

    assert await second.begin(world.job_id) is None
    assert (await second.advance(world.job_id, cycle_id)).done

    world.clock.advance(60)
    assert await second.begin(world.job_id) == cycle_id
    assert (await first.advance(world.job_id, cycle_id)).done
    assert not (await second.advance(world.job_id, cycle_id)).done


def _after(world: World, n: int) -> object:
    return lambda _request: len(world.target.requests) > n


def _names(text: str) -> object:
    return lambda request: request.method != "GET" and text in str(request.body)


async def _persons(world: World) -> list[object]:
    return list(await world.services.directory.users_after(operator(), world.tenant.id, None, 100))


async def _without_409(world: World) -> None:
    """Make the job's client believe what is true of this target."""
    from dataclasses import replace

    job = await world.services.applications.job(operator(), world.job_id)
    client = await world.services.targets.client(operator(), job)
    client.capabilities = replace(client.capabilities, refuses_duplicates=False)
