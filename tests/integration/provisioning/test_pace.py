"""A target that allows five writes a second is paced; failures by the thousand mean quarantine."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from provisor.connector.transport import Response
from provisor.directory.model import NewUser
from provisor.provisioning import quarantine
from provisor.provisioning.engine import run_inline
from provisor.provisioning.log.model import LogFilter
from provisor.security.actor import operator
from provisor.testing.target_faults import failure, method
from provisor.testing.transport import error_reply

if TYPE_CHECKING:
    import pytest

    from conftest import World
    from provisor.connector.transport import Request

PER_SECOND = 5


class Limited:
    """Allows so many writes in each second of the clock, and answers 429 to all others."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._send = world.target.send
        self._second, self._used = 0, 0
        self.refused = 0
        world.target.send = self.send  # type: ignore[method-assign]

    async def send(self, request: Request) -> Response:
        second = self._world.clock.now_ms() // 1000
        if second != self._second:
            self._second, self._used = second, 0
        if request.method != "GET":
            if self._used >= PER_SECOND:
                self.refused += 1
                return error_reply(429, "Slower.", headers={"Retry-After": "1"})
            self._used += 1
        return await self._send(request)


async def everybody(world: World, n: int) -> None:
    await world.services.applications.change_settings(operator(), world.job_id, {"guard": {"enabled": False}})
    new = [
        NewUser({"userPrincipalName": f"p{i:04}@example.org", "displayName": f"P {i}", "accountEnabled": True})
        for i in range(n)
    ]
    for at in range(0, n, 500):
        await world.services.directory.create_users(operator(), world.tenant.id, new[at : at + 500])
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    await world.start()


async def test_at_a_slow_target_batches_are_smaller_so_that_a_leaver_waits_less(world: World) -> None:
    await everybody(world, 300)
    Limited(world)
    await world.cycle()
    found = await world.services.log.latest(operator(), world.tenant.id, LogFilter(action="create"), 1_000)
    assert len(found) == 300
    # What is written down together was one batch: an entry's id ends with its place there.
    batches = Counter(entry["id"][:-4] for entry in found)
    sizes = sorted(batches.values(), reverse=True)
    assert sum(sizes[:2]) == 200  # the first, in the two blocks that so many entries need
    assert max(sizes[2:]) <= 20


async def test_three_thousand_people_at_five_writes_a_second(world: World) -> None:
    await everybody(world, 3000)
    Limited(world)
    began = world.clock.now_ms()

    cycle = await world.cycle()

    took = (world.clock.now_ms() - began) / 1000
    assert cycle.counts is not None
    assert (cycle.counts["created"], cycle.counts["failed"]) == (3000, 0)
    assert await world.log(status="failure") == []
    assert (await world.services.provisioning.state(operator(), world.job_id)).code == "Active"
    assert took <= 3000 / PER_SECOND / 0.9, f"{3000 / took / PER_SECOND:.0%} of the rate was used"


async def test_failures_above_a_threshold_quarantine_the_job_and_a_successful_retry_lifts_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The thresholds are a table of their own (unit tests); here, what happens once one is passed.
    monkeypatch.setattr(quarantine, "BASE", 20)
    await everybody(world, 30)
    world.target.fault(failure(400, "No office."), when=method("POST"), times=25)

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert (cycle.counts["failed"], cycle.counts["created"]) == (25, 5)
    story = await told(world)
    assert story["reason"] == "EncounteredEscrowProportionThreshold"
    assert "25 of 30" in story["error"]["message"]
    assert story["exchange"]["status"] == 400
    assert story["exchange"]["request"].startswith("POST")
    assert "lifts it" in story["lift"]
    assert await world.quiet()

    # The escrow is tried after six hours, the job before that: still nothing is better.
    world.clock.advance(5 * 60)
    await world.cycle()
    assert (await told(world))["seriesCount"] == 2

    world.clock.advance(6 * 3600)
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["created"] == 25
    state = await world.services.provisioning.state(operator(), world.job_id)
    assert (state.code, state.quarantine) == ("Active", None)


async def test_starting_a_job_that_is_quarantined_for_failures_tries_them_all_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "BASE", 20)
    await everybody(world, 30)
    world.target.fault(failure(400, "No office."), when=method("POST"), times=None)
    await world.cycle()
    assert (await world.services.provisioning.state(operator(), world.job_id)).code == "Quarantine"

    world.target.heal()
    await world.start()
    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["created"] == 30


async def test_a_quarantine_of_four_weeks_disables_the_job_until_it_is_started(world: World) -> None:
    await everybody(world, 3)
    world.target.token = "another"
    for _ in range(40):
        await run_inline(world.services.engine("test"), world.job_id)
        world.clock.advance(86_400)

    status = await world.services.provisioning.status(operator(), world.job_id)
    assert status["schedule"]["state"] == "Disabled"
    assert status["status"]["quarantine"]["nextAttempt"].startswith("0001")
    requests = len(world.target.requests)
    world.clock.advance(90 * 86_400)
    assert await world.quiet()
    assert len(world.target.requests) == requests

    world.target.token = "let-me-in"
    await world.start()
    await world.cycle()
    assert len(world.target.users) == 3


async def test_what_fails_is_listed_with_its_next_attempt(world: World) -> None:
    await everybody(world, 2)
    world.target.fault(failure(400, "No office."), when=lambda r: r.method == "POST" and "p0001" in str(r.body))
    await world.cycle()

    [one] = await world.services.provisioning.escrows(operator(), world.job_id)

    assert (one.kind, one.stage, one.attempts, one.code) == ("User", "object", 1, "WebExceptionProtocolError")
    assert one.due_at - world.clock.now_ms() == 6 * 3_600_000
    assert one.message is not None
    assert "No office." in one.message


async def told(world: World) -> dict[str, Any]:
    status = await world.services.provisioning.status(operator(), world.job_id)
    assert status["status"]["code"] == "Quarantine"
    story: dict[str, Any] = status["status"]["quarantine"]
    return story
