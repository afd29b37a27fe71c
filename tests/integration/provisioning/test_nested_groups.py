"""Who is entitled: nested groups, Default Access, guests, disabled people, groups that are no security groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisor.security.actor import operator

if TYPE_CHECKING:
    from conftest import World
    from provisor.directory.model import Group, User


async def nested(world: World, on: str = "on") -> None:
    await world.services.provisioning.change_settings(operator(), world.job_id, {"nested-groups": on})


async def join(world: World, group: Group, *members: User | Group) -> None:
    ids = [member.id for member in members]
    await world.services.directory.add_members(operator(), world.tenant.id, group.id, ids)


async def leave(world: World, group: Group, *members: User | Group) -> None:
    ids = [member.id for member in members]
    await world.services.directory.remove_members(operator(), world.tenant.id, group.id, ids)


def active(world: World) -> set[str]:
    return {user["userName"].partition("@")[0] for user in world.target.users.values() if user["active"]}


def team(world: World, name: str = "Outer") -> set[str]:
    return {user.partition("@")[0] for user in world.target.memberships()[name]}


async def test_groups_inside_groups_count_only_where_the_job_says_so(world: World) -> None:
    ada, bob, cyd = [await world.person(name) for name in ("ada", "bob", "cyd")]
    inner = await world.group("Inner", bob, await world.group("Innermost", cyd))
    outer = await world.group("Outer", ada, inner)
    await world.assign(outer)
    await world.start()
    await world.cycle()
    assert (active(world), team(world)) == ({"ada"}, {"ada"})

    await nested(world)
    await world.cycle()
    assert active(world) == team(world) == {"ada", "bob", "cyd"}
    assert set(world.target.groups_by_name()) == {"Outer"}

    await nested(world, "off")
    await world.cycle()
    assert active(world) == {"ada"}
    assert team(world) & active(world) == {"ada"}


async def test_groups_that_contain_each_other_end(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    first, second = await world.group("Outer", ada), await world.group("Second", bob)
    await join(world, first, second)
    await join(world, second, first)
    await nested(world)
    await world.assign(first, second)
    await world.start()
    await world.cycle()
    assert team(world) == team(world, "Second") == {"ada", "bob"}


async def test_changes_deep_inside_reach_the_target(world: World) -> None:
    ada, bob, cyd = [await world.person(name) for name in ("ada", "bob", "cyd")]
    innermost = await world.group("Innermost", cyd)
    inner = await world.group("Inner", bob, innermost)
    outer = await world.group("Outer", ada, inner)
    await nested(world)
    await world.assign(outer)
    await world.start()
    await world.cycle()

    dan = await world.person("dan")
    await join(world, innermost, dan)
    await world.cycle()
    assert active(world) == team(world) == {"ada", "bob", "cyd", "dan"}

    await leave(world, innermost, cyd)
    await world.cycle()
    assert active(world) == {"ada", "bob", "dan"}
    assert team(world) & active(world) == {"ada", "bob", "dan"}

    # A group leaves together with somebody inside it, in one page of the feed.
    await leave(world, inner, innermost)
    await leave(world, innermost, dan)
    await world.cycle()
    assert active(world) == {"ada", "bob"}

    await join(world, outer, innermost)
    await join(world, innermost, dan)
    await world.cycle()
    assert active(world) == team(world) & active(world) == {"ada", "bob", "dan"}

    await world.services.directory.delete_group(operator(), world.tenant.id, inner.id)
    await world.cycle()
    assert active(world) == {"ada", "dan"}
    await world.services.directory.restore_group(operator(), world.tenant.id, inner.id)
    await world.cycle()
    assert active(world) == team(world) & active(world) == {"ada", "bob", "dan"}
    assert await world.quiet()


async def test_whoever_is_inside_twice_stays_until_the_last_way_is_gone(world: World) -> None:
    ada = await world.person("ada")
    left, right = await world.group("Left", ada), await world.group("Right", ada)
    outer = await world.group("Outer", left, right)
    await nested(world)
    await world.assign(outer)
    await world.start()
    await world.cycle()
    world.target.requests.clear()

    await leave(world, left, ada)
    await world.cycle()
    assert world.writes() == []

    await leave(world, right, ada)
    await world.cycle()
    assert active(world) == set()


async def test_default_access_counts_unless_the_job_says_otherwise(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    await world.assign(ada)
    [role] = world.app.service_principal.app_roles
    await world.services.applications.assign(
        operator(), world.tenant.id, world.app.service_principal.id, bob.id, "User", role.id
    )
    await world.start()
    await world.cycle()
    assert active(world) == {"ada", "bob"}

    await world.services.provisioning.change_settings(operator(), world.job_id, {"default-access": "off"})
    await world.cycle()
    assert active(world) == {"bob"}
    await world.services.provisioning.change_settings(operator(), world.job_id, {"default-access": "on"})
    await world.cycle()
    assert active(world) == {"ada", "bob"}


async def test_a_guest_goes_out_under_the_name_at_home(world: World) -> None:
    guest = await world.person("ada_home.example#EXT#")
    assert guest.user_principal_name == "ada_home.example#EXT#@example.org"
    world.target.users["there"] = {"id": "there", "userName": "ada@home.example", "active": True}
    await world.assign(guest)
    await world.start()

    await world.cycle()

    [account] = world.target.users.values()
    assert (account["id"], account["userName"]) == ("there", "ada@home.example")


async def test_only_security_groups_entitle_and_only_active_people_are_created(world: World) -> None:
    ada = await world.person("ada")
    off = await world.person("off", accountEnabled=False)
    outer = await world.group("Outer", ada, off)
    await world.assign(outer)
    await world.start()
    await world.cycle()
    assert active(world) == {"ada"}
    assert len(world.target.users) == 1

    directory, tenant = world.services.directory, world.tenant.id
    mail = {"securityEnabled": False, "mailEnabled": True, "groupTypes": ["Unified"]}
    await directory.update_group(operator(), tenant, outer.id, mail)
    await world.cycle()
    assert active(world) == set()
    assert world.target.groups == {}

    await directory.update_group(operator(), tenant, outer.id, {"securityEnabled": True})
    await world.cycle()
    assert active(world) == team(world) == {"ada"}
