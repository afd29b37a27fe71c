"""A target that renames no group: the new name is skipped and told, or a new group takes the place of the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from provisor.directory.model import Group
from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.testing.target_faults import Fault, failure, lost_reply, reset_after_applying

if TYPE_CHECKING:
    from conftest import World


async def team_of(world: World, n: int, setting: str = "replace") -> Group:
    provisioning = world.services.provisioning
    _, warnings = await provisioning.change_settings(operator(), world.job_id, {"group-rename": setting})
    assert bool(warnings) is (setting == "replace")
    team = await world.group("Team", *[await world.person(f"person{i}") for i in range(n)])
    await world.assign(team)
    await world.start()
    await world.cycle()
    return team


async def rename(world: World, team: Group, name: str) -> None:
    await world.services.directory.update_group(operator(), world.tenant.id, team.id, {"displayName": name})


def everybody(world: World) -> set[str]:
    return set(world.target.users_by_name())


class Watching:
    """After every request: who is in neither the old nor the new group?"""

    def __init__(self, world: World) -> None:
        self.without: list[str] = []
        self._world = world
        self._send = world.target.send
        world.target.send = self.send  # type: ignore[method-assign]

    async def send(self, request: Any) -> Any:
        try:
            return await self._send(request)
        finally:
            inside: set[str] = set().union(*self._world.target.memberships().values())
            self.without += sorted(everybody(self._world) - inside)


async def test_by_default_the_new_name_is_skipped_and_told(dialpad: World) -> None:
    team = await team_of(dialpad, 2, "skip")
    dialpad.target.requests.clear()
    await rename(dialpad, team, "Crew")
    await dialpad.cycle()
    assert dialpad.writes() == []
    [entry, *_] = await dialpad.log(source_id=team.id)
    information = entry["provisioningStatusInfo"]["errorInformation"]
    assert (entry["provisioningStatusInfo"]["status"], "displayName" in information["reason"]) == ("skipped", True)


async def test_a_new_group_takes_the_place_and_nobody_is_without_it_at_any_moment(dialpad: World) -> None:
    team = await team_of(dialpad, 5)
    [old] = dialpad.target.groups
    watching = Watching(dialpad)

    await rename(dialpad, team, "Crew")
    cycle = await dialpad.cycle()

    assert cycle.counts is not None
    assert cycle.counts["updated"] == 1
    assert old not in dialpad.target.groups
    assert dialpad.target.memberships() == {"Crew": everybody(dialpad)}
    assert watching.without == []
    [entry] = await dialpad.log(source_id=team.id, action="update", limit=1)
    assert "was replaced by" in entry["provisioningSteps"][-1]["description"]

    await dialpad.services.directory.add_members(
        operator(), dialpad.tenant.id, team.id, [(await dialpad.person("late")).id]
    )
    await dialpad.cycle()
    assert dialpad.target.memberships() == {"Crew": everybody(dialpad)}
    assert await dialpad.quiet()


async def test_it_is_refused_when_the_group_holds_members_of_the_targets_own(dialpad: World) -> None:
    team = await team_of(dialpad, 2)
    [old] = dialpad.target.groups
    dialpad.target.users["own"] = {"id": "own", "userName": "own@dialpad.example", "active": True}
    dialpad.target.groups[old]["members"].append({"value": "own"})
    before = dialpad.target.memberships()

    await rename(dialpad, team, "Crew")
    cycle = await dialpad.cycle()

    assert cycle.counts is not None
    assert cycle.counts["failedByCode"] == {"NotPermitted": 1}
    assert dialpad.target.memberships() == before
    [entry] = await dialpad.log(status="failure")
    assert "own" in entry["provisioningStatusInfo"]["errorInformation"]["reason"]


async def test_it_is_refused_when_the_new_name_is_taken_in_the_target(dialpad: World) -> None:
    team = await team_of(dialpad, 2)
    dialpad.target.groups["crew"] = {"id": "crew", "displayName": "Crew"}
    await rename(dialpad, team, "Crew")
    cycle = await dialpad.cycle()
    assert cycle.counts is not None
    assert cycle.counts["failedByCode"] == {"EntryConflict": 1}
    assert set(dialpad.target.groups_by_name()) == {"Team", "Crew"}


@pytest.mark.parametrize("fault", [failure(500), lost_reply(), reset_after_applying()])
@pytest.mark.parametrize("at", ["POST", "PATCH", "DELETE"])
async def test_whatever_breaks_it_off_it_goes_on_where_it_was(dialpad: World, at: str, fault: Fault) -> None:
    team = await team_of(dialpad, 3)
    watching = Watching(dialpad)
    await rename(dialpad, team, "Crew")
    dialpad.target.fault(fault, when=lambda r: r.method == at and r.path.startswith("/Groups"))

    for _ in range(20):
        await run_inline(dialpad.services.engine("test"), dialpad.job_id)
        dialpad.clock.advance(60)

    assert dialpad.target.memberships() == {"Crew": everybody(dialpad)}
    assert watching.without == []


async def test_a_change_of_mind_in_between_leaves_no_second_group(dialpad: World) -> None:
    team = await team_of(dialpad, 3)
    await rename(dialpad, team, "Crew")
    dialpad.target.fault(failure(500), when=lambda r: r.method == "DELETE", times=1)
    await dialpad.cycle()
    assert set(dialpad.target.groups_by_name()) == {"Team", "Crew"}

    await rename(dialpad, team, "Team")
    for _ in range(5):
        await run_inline(dialpad.services.engine("test"), dialpad.job_id)
        dialpad.clock.advance(60)

    assert dialpad.target.memberships() == {"Team": everybody(dialpad)}
