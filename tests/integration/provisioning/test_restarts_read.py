"""A restart reads every linked object in the target, and sets right what somebody changed there; a cycle does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisor.security.actor import operator

if TYPE_CHECKING:
    from conftest import World


async def provisioned(world: World) -> None:
    people = [await world.person(name, jobTitle="Engineer") for name in ("ada", "bob", "cyd", "dot", "eve")]
    await world.services.directory.set_manager(operator(), world.tenant.id, people[0].id, people[1].id)
    await world.group("Team", *people[:3])
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    await world.start()
    await world.cycle()
    world.target.requests.clear()


def tampered(world: World) -> None:
    users = world.target.users_by_name()
    users["ada@example.org"]["title"] = "Pirate"
    users["ada@example.org"]["nickName"] = "theirs"
    users["cyd@example.org"]["active"] = False
    [team] = world.target.groups.values()
    team["members"] = [m for m in team["members"] if m["value"] != users["bob@example.org"]["id"]]
    team["members"] += [{"value": users["dot@example.org"]["id"]}, {"value": "stranger"}]


async def test_a_restart_shows_and_repairs_what_was_changed_by_hand(world: World) -> None:
    await provisioned(world)
    tampered(world)

    await world.services.provisioning.restart(operator(), world.job_id)
    await world.cycle()

    users = world.target.users_by_name()
    assert (users["ada@example.org"]["title"], users["ada@example.org"]["nickName"]) == ("Engineer", "theirs")
    assert users["cyd@example.org"]["active"] is True
    members = {"ada@example.org", "bob@example.org", "cyd@example.org", "stranger"}
    assert world.target.memberships()["Team"] == members
    told = [
        (change["displayName"], change["oldValue"], change["newValue"])
        for entry in await world.log(action="update")
        for change in entry["modifiedProperties"]
    ]
    assert ("title", "Pirate", "Engineer") in told
    assert ("active", "False", "True") in told
    # Once: the next cycle neither reads nor writes.
    world.target.requests.clear()
    world.clock.advance(3600)
    await world.cycle()
    assert world.target.requests == []


async def test_a_restart_without_any_change_writes_nothing(world: World) -> None:
    await provisioned(world)
    await world.services.provisioning.restart(operator(), world.job_id)
    await world.cycle()
    assert world.writes() == []
    assert [request.path for request in world.target.sent("GET", "/Users")] == ["/Users"]  # one page of the list


async def test_an_ordinary_cycle_over_everybody_does_not_read(world: World) -> None:
    await provisioned(world)
    document = (await world.services.applications.job(operator(), world.job_id)).schema.document
    await world.services.applications.set_schema(operator(), world.job_id, document)
    cycle = await world.cycle()
    assert cycle.kind == "Initial"
    assert world.target.requests == []
