"""What a person may do with a job: on, off, stop now, start again, scope, settings, credentials, the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from provisor.clock import iso
from provisor.errors import InvalidInput
from provisor.provisioning.credentials import CredentialsRefused
from provisor.provisioning.engine import run_inline
from provisor.provisioning.watch import REQUEST_MS
from provisor.security.actor import operator
from provisor.testing.target_faults import too_many_requests

if TYPE_CHECKING:
    from conftest import World
    from provisor.connector.transport import Request, Response


async def people(world: World, n: int) -> None:
    members = [await world.person(f"person{i:03}") for i in range(n)]
    await world.assign(await world.group("Everybody", *members))
    await world.start()


async def state(world: World) -> Any:
    return await world.services.provisioning.state(operator(), world.job_id)


class StoppingTarget:
    """Lets ``after`` requests pass; then a person says "stop now" while further ones are under way."""

    def __init__(self, world: World, after: int, *, starts_again: bool = False) -> None:
        self.world, self.after, self.starts_again = world, after, starts_again
        self.asked = 0
        self.since_stop = 0
        self._send = world.target.send
        world.target.send = self.send  # type: ignore[method-assign]

    async def send(self, request: Request) -> Response:
        self.asked += 1
        if self.asked == self.after:
            await self.world.services.provisioning.stop(operator(), self.world.job_id)
            # What was sent before has its answer now; who looks twice a second has looked.
            await asyncio.sleep(1.2)
            self.since_stop = self.asked
            if self.starts_again:
                await self.world.start()
        elif self.asked > self.after:
            await asyncio.sleep(1.2)
        return await self._send(request)


async def test_stop_now_ends_the_cycle_and_start_goes_on_where_it_was(world: World) -> None:
    await people(world, 60)
    target = StoppingTarget(world, after=20)

    cycle_id = await run_inline(world.services.engine("test"), world.job_id)

    assert cycle_id is not None
    assert target.asked == target.since_stop, "a request left after the stop was seen"
    stopped = await world.ended(cycle_id)
    assert stopped.state == "Stopped"
    assert stopped.counts is not None
    assert 0 < stopped.counts["created"] < 60
    assert (await state(world)).code == "Paused"
    world.clock.advance(3600)
    assert await run_inline(world.services.engine("test"), world.job_id) is None

    target.after = 10**9
    await world.start()
    cycle = await world.cycle()
    assert cycle.id == stopped.id
    assert cycle.counts is not None
    assert (cycle.counts["created"], cycle.counts["considered"]) == (61, 61)
    assert len(world.target.users_by_name()) == 60
    created = [request for request in world.target.sent("POST") if request.status == 201]
    assert len(created) == 61


async def test_a_start_before_the_stop_was_carried_out_holds(world: World) -> None:
    await people(world, 60)
    target = StoppingTarget(world, after=20, starts_again=True)

    cycle_id = await run_inline(world.services.engine("test"), world.job_id)

    assert cycle_id is not None
    target.after = 10**9
    if (await state(world)).running_cycle_id is not None:
        assert (await world.cycle()).id == cycle_id
    assert len(world.target.users_by_name()) == 60
    assert (await world.ended(cycle_id)).state == "Succeeded"
    created = [request for request in world.target.sent("POST") if request.status == 201]
    assert len(created) == 61


async def test_stop_now_does_not_wait_for_those_that_wait_for_their_turn(world: World) -> None:
    await people(world, 30)
    world.clock.skipping = False
    world.target.fault(too_many_requests(200), when=lambda request: request.method == "POST", times=None)

    running = asyncio.create_task(run_inline(world.services.engine("test"), world.job_id))
    while not world.clock.sleepers:
        await asyncio.sleep(0.01)
    await world.services.provisioning.stop(operator(), world.job_id)
    # Whoever was told to come back later sleeps: that was an answer, and nothing is waited for.
    began = asyncio.get_running_loop().time()
    cycle_id = await asyncio.wait_for(running, 60)

    assert asyncio.get_running_loop().time() - began < REQUEST_MS / 1000
    assert cycle_id is not None
    assert (await world.ended(cycle_id)).state == "Stopped"
    world.clock.skipping = True
    world.target.heal()
    await world.start()
    assert (await world.cycle()).counts["created"] == 31  # type: ignore[index]


async def test_a_job_that_nobody_works_on_is_stopped_too_and_goes_on(world: World) -> None:
    await people(world, 230)
    engine = world.services.engine("dead")
    cycle_id = await engine.begin(world.job_id)
    assert cycle_id is not None
    await engine.advance(world.job_id, cycle_id)
    await engine.advance(world.job_id, cycle_id)
    world.clock.advance(60)

    await world.services.provisioning.stop(operator(), world.job_id)

    assert (await world.ended_or_not(cycle_id)).state == "Stopped"
    assert await run_inline(world.services.engine("test"), world.job_id) is None
    await world.start()
    assert (await world.cycle()).id == cycle_id


async def test_off_lets_the_running_cycle_come_to_its_end_also_when_its_worker_dies(world: World) -> None:
    await people(world, 230)
    dead = world.services.engine("dead")
    cycle_id = await dead.begin(world.job_id)
    assert cycle_id is not None
    await dead.advance(world.job_id, cycle_id)
    await world.services.provisioning.pause(operator(), world.job_id)
    world.clock.advance(60)

    assert await world.services.stores.jobs.jobs_behind(world.clock.now_ms(), free=True) == [world.job_id]
    cycle = await world.cycle()

    assert cycle.id == cycle_id
    assert (await state(world)).code == "Paused"
    assert len(world.target.users) == 230
    await world.person("late")
    assert await world.quiet()


async def test_a_restart_of_a_stopped_job_looks_at_everybody_anew(world: World) -> None:
    await people(world, 60)
    target = StoppingTarget(world, after=20)
    stopped = await run_inline(world.services.engine("test"), world.job_id)
    target.after = 10**9

    await world.services.provisioning.restart(operator(), world.job_id)
    cycle = await world.cycle()

    assert cycle.id != stopped
    assert cycle.kind == "Initial"
    assert len(world.target.users_by_name()) == 60


async def test_the_scope_changes_at_once_and_back_and_forth_harms_nobody_who_is_still_in_it(world: World) -> None:
    ada, _bob = await world.person("ada"), await world.person("bob")
    await world.assign(await world.group("Team", ada))
    provisioning = world.services.provisioning
    await world.start()
    await world.cycle()
    assert set(world.target.users_by_name()) == {"ada@example.org"}

    await provisioning.change_settings(operator(), world.job_id, {"scope": "all"})
    await world.cycle()
    assert set(world.target.users_by_name()) == {"ada@example.org", "bob@example.org"}

    world.target.requests.clear()
    await provisioning.change_settings(operator(), world.job_id, {"scope": "assigned"})
    await provisioning.change_settings(operator(), world.job_id, {"scope": "all"})
    await world.cycle()
    assert world.writes() == []

    await provisioning.change_settings(operator(), world.job_id, {"scope": "assigned"})
    await world.cycle()
    users = world.target.users_by_name()
    assert (users["ada@example.org"]["active"], users["bob@example.org"]["active"]) == (True, False)
    assert world.target.memberships() == {"Team": {"ada@example.org"}}

    await provisioning.change_settings(operator(), world.job_id, {"scope": "all"})
    await world.cycle()
    users = world.target.users_by_name()
    assert (users["ada@example.org"]["active"], users["bob@example.org"]["active"]) == (True, True)
    touched = [request for request in world.target.requests if request.method != "GET" and "ada" in str(request.body)]
    assert touched == []
    assert await world.quiet()


async def test_an_interval_of_its_own_counts_from_now_on(world: World) -> None:
    await people(world, 1)
    await world.cycle()
    world.clock.advance(5 * 60)
    assert await world.quiet()

    await world.services.provisioning.change_settings(operator(), world.job_id, {"interval": "2m"})
    assert await world.quiet()
    world.clock.advance(2 * 60)
    await world.cycle()
    status = await world.services.provisioning.status(operator(), world.job_id)
    assert status["schedule"]["interval"] == "PT2M"
    world.clock.advance(119)
    assert await world.quiet()


async def test_settings_are_read_by_name_and_a_wrong_one_changes_nothing(world: World) -> None:
    provisioning = world.services.provisioning
    before = await provisioning.settings(operator(), world.job_id)
    for wrong in ({"scope": "some"}, {"interval": "1s"}, {"colour": "red"}, {"scope": "all", "dialect": "x"}):
        with pytest.raises(InvalidInput):
            await provisioning.change_settings(operator(), world.job_id, wrong)
    assert await provisioning.settings(operator(), world.job_id) == before

    _, warnings = await provisioning.change_settings(operator(), world.job_id, {"group-rename": "replace"})
    assert "rights" in warnings[0]
    assert (await provisioning.settings(operator(), world.job_id))["group-rename"] == "replace"


async def test_credentials_that_fail_are_saved_only_as_such_and_the_job_does_not_start_on_them(world: World) -> None:
    provisioning = world.services.provisioning
    await people(world, 1)
    await world.cycle()

    with pytest.raises(CredentialsRefused, match="401"):
        await provisioning.save_credentials(operator(), world.job_id, secret_token="wrong")
    credentials = await world.services.applications.credentials(operator(), world.job_id)
    assert credentials.secret_token == "let-me-in"
    assert (await provisioning.credentials_state(operator(), world.job_id)).state == "verified"

    await provisioning.save_credentials(operator(), world.job_id, secret_token="wrong", unverified=True)
    assert (await provisioning.credentials_state(operator(), world.job_id)).state == "unverified"
    with pytest.raises(CredentialsRefused, match="401"):
        await world.start()

    world.target.token = "wrong"
    assert (await provisioning.test(operator(), world.job_id)).ok
    assert (await provisioning.credentials_state(operator(), world.job_id)).state == "verified"
    await world.start()
    world.target.requests.clear()
    await world.cycle()
    assert world.target.requests == []


async def test_a_start_tests_what_nobody_has_tested_and_a_silent_target_is_no_refusal(world: World) -> None:
    await world.services.applications.set_credentials(operator(), world.job_id, secret_token="unknown")
    with pytest.raises(CredentialsRefused, match="was not started"):
        await world.start()
    assert (await state(world)).code == "NotConfigured"

    await world.services.applications.set_credentials(operator(), world.job_id, secret_token="other")
    world.target.fault(too_many_requests(600), times=None)
    await world.start()
    assert (await state(world)).code == "NotRun"


async def test_a_key_that_is_refused_in_a_cycle_is_named_by_the_next_start(world: World) -> None:
    await people(world, 3)
    world.target.token = "another"
    await world.broken_cycle()

    with pytest.raises(CredentialsRefused, match="401"):
        await world.start()

    world.target.token = "let-me-in"
    await world.start()
    assert (await world.cycle()).counts["created"] == 4  # type: ignore[index]


async def test_a_cycle_that_was_broken_off_says_when_it_is_tried_again(world: World) -> None:
    async def next_attempt() -> str | None:
        document = await world.services.provisioning.status(operator(), world.job_id)
        told: str | None = document["status"]["nextAttempt"]
        return told

    await people(world, 3)
    assert await next_attempt() is None
    world.target.fault(too_many_requests(600), times=None)
    await world.broken_cycle()
    told = await next_attempt()
    assert told is not None
    assert told > iso(world.clock.now_ms())
    await world.start()
    assert await next_attempt() is None
    await world.broken_cycle()
    world.clock.advance(24 * 3600)
    assert await next_attempt() is None
    world.target.heal()
    await world.cycle()


@pytest.mark.parametrize(
    "scope", ["None", "ConnectorDataStore", "Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes", ""]
)
async def test_every_reset_scope_is_understood_and_leaves_the_target_as_it_is(world: World, scope: str) -> None:
    await people(world, 2)
    await world.cycle()
    world.target.requests.clear()

    await world.services.provisioning.restart(operator(), world.job_id, scope)
    await world.cycle()

    # Without its links a job knows of no membership: it says them again, which changes nothing.
    assert {method for method, _ in world.writes()} <= ({"PATCH"} if scope in ("ConnectorDataStore", "Full") else set())
    assert len(world.target.users) == 2
    assert world.target.memberships() == {"Everybody": set(world.target.users_by_name())}


async def test_a_deleted_job_is_as_new_and_matches_everybody_anew(world: World) -> None:
    await people(world, 2)
    await world.services.provisioning.change_settings(operator(), world.job_id, {"interval": "1h"})
    await world.cycle()

    await world.services.provisioning.delete(operator(), world.job_id)

    assert (await state(world)).code == "NotConfigured"
    assert (await world.services.provisioning.settings(operator(), world.job_id))["interval"] == "PT40M"
    assert await world.services.provisioning.cycles(operator(), world.job_id) == []
    assert await world.quiet()
    await world.services.applications.set_credentials(
        operator(), world.job_id, "https://target.test/scim/v2", "let-me-in"
    )
    world.target.requests.clear()
    await world.start()
    await world.cycle()
    assert [method for method, _ in world.writes() if method == "POST"] == []
    assert len(world.target.users) == 2
