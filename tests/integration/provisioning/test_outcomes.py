"""Every count of a cycle is made of objects that can be looked at: as many as it says, each with its entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provisor.errors import Forbidden, InvalidInput
from provisor.security.actor import Actor, Realm, Right, operator

if TYPE_CHECKING:
    from conftest import World

COUNTS = ("created", "updated", "unchanged", "failed", "waiting", "disabled", "deleted", "skipped")


async def every(world: World, cycle_id: str, action: str | None = None) -> list[tuple[str, str, str]]:
    """(source id, action, the entry's action and status) of all pages."""
    found: list[tuple[str, str, str]] = []
    after = ""
    while page := await world.services.outcomes.page(
        operator(), world.job_id, cycle_id, action=action, after=after, limit=2
    ):
        after = page[-1].source_id
        for one in page:
            assert one.entry is not None
            assert one.entry["sourceIdentity"]["id"] == one.source_id
            told = f"{one.entry['provisioningAction']} {one.entry['provisioningStatusInfo']['status']}"
            found.append((one.source_id, one.action, told))
    return found


async def test_each_count_is_as_many_objects(world: World) -> None:
    people = [await world.person(name) for name in ("ada", "bob", "cleo", "dan")]
    team = await world.group("Team", *people[:2])
    await world.assign(*people[:3], team)
    await world.services.provisioning.start(operator(), world.job_id)
    first = await world.cycle()
    await world.services.directory.update_user(operator(), world.tenant.id, people[0].id, {"jobTitle": "Head"})
    await world.unassign(people[2])
    await world.services.directory.add_members(operator(), world.tenant.id, team.id, [people[3].id])
    second = await world.cycle()
    for cycle in (first, second):
        assert cycle.counts is not None
        for name in COUNTS:
            assert len(await every(world, cycle.id, name)) == cycle.counts[name], name
        assert len(await every(world, cycle.id)) == cycle.counts["considered"]
    assert {told for _, _, told in await every(world, first.id, "created")} == {"create success"}
    assert {told for _, _, told in await every(world, second.id, "disabled")} == {"disable success"}


async def test_another_jobs_cycle_has_nothing_here_and_rights_are_asked_for(world: World) -> None:
    await world.assign(await world.person("ada"))
    await world.start()
    cycle = await world.cycle()
    other = await world.services.applications.add(
        operator(), world.tenant.id, "scim", "Other", "https://other.test/scim", "x"
    )
    assert await world.services.outcomes.page(operator(), other.job_id, cycle.id) == []
    assert await world.services.outcomes.page(operator(), world.job_id, "none") == []
    with pytest.raises(InvalidInput):
        await world.services.outcomes.page(operator(), world.job_id, cycle.id, action="vanished")
    with pytest.raises(InvalidInput):
        await world.services.outcomes.page(operator(), world.job_id, cycle.id, limit=0)
    reader = Actor(Realm("tenant", world.tenant.id), "reader", frozenset({Right.SYNCHRONIZATION_READ}))
    with pytest.raises(Forbidden):
        await world.services.outcomes.page(reader, world.job_id, cycle.id)
