"""What a target refuses against its profile is learnt, and said."""

from __future__ import annotations

import pytest
from tests.integration.provisioning.conftest import TOKEN, World, make_world

from provisor.security.actor import operator
from provisor.storage.database import Database
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import failure


@pytest.fixture
async def fixed_names(database: Database) -> World:
    """A target that renames no group, behind the app of which nothing is known."""
    return await make_world(database, SimulatedTarget(token=TOKEN, renames_groups=False))


async def test_a_refused_rename_is_learnt(fixed_names: World) -> None:
    world = fixed_names
    team = await world.group("Team", await world.person("ada"))
    await world.assign(team)
    await world.start()
    await world.cycle()
    assert (await world.services.learning.of(operator(), world.job_id)).refused == []
    for name in ("Crew", "Gang"):
        change = {"displayName": name}
        await world.services.directory.update_group(operator(), world.tenant.id, team.id, change)
        await world.cycle()
    [seen] = (await world.services.learning.of(operator(), world.job_id)).refused
    assert (seen.capability, seen.value, seen.times) == ("groups.rename", "false", 2)
    assert seen.detail
    removed = await world.services.applications.remove(operator(), world.tenant.id, "App")
    await world.services.provisioning.forget(operator(), removed)


async def test_a_failure_that_passes_teaches_nothing(world: World) -> None:
    await world.assign(await world.person("ada"))
    world.target.fault(failure(503), when=lambda request: request.method == "POST", times=1)
    world.target.fault(failure(400, "This one not."), when=lambda request: request.method == "POST", times=1)
    await world.start()
    for _ in range(2):
        await world.cycle()
        world.clock.advance(86_400)
    assert (await world.services.learning.of(operator(), world.job_id)).refused == []


async def test_the_profile_and_the_notes_of_the_gallery_are_told(dialpad: World) -> None:
    known = await dialpad.services.learning.of(operator(), dialpad.job_id)
    assert known.profile == {"group_rename": False}
    assert any("renames" in note for note in known.notes)
