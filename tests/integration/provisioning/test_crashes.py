"""The process is torn away at every single write of a cycle, one after the other: nobody twice, nothing lost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.testing.crash import Crash

if TYPE_CHECKING:
    from conftest import World
    from provisor.testing.crash import CrashingDatabase


async def go_on(world: World, holder: str) -> None:
    """A new process takes over and works until nothing is due."""
    for _ in range(20):
        if await run_inline(world.services.engine(holder), world.job_id) is None:
            if not await world.services.stores.jobs.waiting(world.job_id):
                return
            world.clock.advance(60)
    raise AssertionError("it never came to rest")


async def torn_away(world: World, database: CrashingDatabase, at: int) -> bool:
    """Run what is due, torn away at the ``at``-th write. Whether it came to that."""
    database.crash_at(at)
    try:
        with contextlib.suppress(BaseExceptionGroup):
            await run_inline(world.services.engine("first", batch=2), world.job_id)
            return False
    except Crash:
        pass
    finally:
        database.recover()
    # The dead one's lease has run out.
    world.clock.advance(30)
    return True


async def test_a_crash_at_any_write_of_an_initial_cycle_doubles_and_loses_nothing(
    crashing: tuple[World, CrashingDatabase],
) -> None:
    world, database = crashing
    ada, bob, cyd = [await world.person(name) for name in ("ada", "bob", "cyd")]
    await world.services.directory.set_manager(operator(), world.tenant.id, bob.id, ada.id)
    await world.assign(await world.group("Team", ada, bob), ada, bob, cyd)

    at = 0
    reached = True
    while reached:
        at += 1
        world.target.users.clear()
        world.target.groups.clear()
        world.target.requests.clear()
        await world.services.provisioning.restart(operator(), world.job_id, "Full")
        await world.start()
        reached = await torn_away(world, database, at)
        await go_on(world, f"second{at}")

        assert sorted(u["userName"] for u in world.target.users.values()) == [
            "ada@example.org",
            "bob@example.org",
            "cyd@example.org",
        ], f"torn away at write {at}"
        assert [group["displayName"] for group in world.target.groups.values()] == ["Team"]
        assert world.target.memberships() == {"Team": {"ada@example.org", "bob@example.org"}}
        assert world.target.managers() == {"bob@example.org": "ada@example.org"}
    assert at > 10


async def test_a_crash_at_any_write_of_an_incremental_cycle_carries_the_change_all_the_same(
    crashing: tuple[World, CrashingDatabase],
) -> None:
    world, database = crashing
    await world.unguarded()
    ada, bob = await world.person("ada"), await world.person("bob")
    team = await world.group("Team", ada)
    await world.assign(team, ada, bob)
    await world.start()
    await world.cycle()
    directory, tenant = world.services.directory, world.tenant.id

    at = 0
    reached = True
    while reached:
        at += 1
        joins = at % 2 == 1
        await directory.update_user(operator(), tenant, ada.id, {"displayName": f"Ada {at}", "accountEnabled": True})
        change = directory.add_members if joins else directory.remove_members
        await change(operator(), tenant, team.id, [bob.id])
        await directory.update_user(operator(), tenant, bob.id, {"accountEnabled": not joins or at < 3})
        reached = await torn_away(world, database, at)
        await go_on(world, f"second{at}")

        users = world.target.users_by_name()
        assert users["ada@example.org"]["displayName"] == f"Ada {at}", f"torn away at write {at}"
        assert users["bob@example.org"]["active"] is (not joins or at < 3)
    assert at > 5


async def test_an_account_whose_create_was_lost_is_found_although_its_person_was_renamed_since(
    crashing: tuple[World, CrashingDatabase],
) -> None:
    world, database = crashing
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    at = 1
    while not world.target.users:
        await torn_away(world, database, at)
        at += 1

    new = {"userPrincipalName": "lovelace@example.org", "displayName": "Ada Lovelace"}
    await world.services.directory.update_user(operator(), world.tenant.id, ada.id, new)
    await go_on(world, "second")

    assert [user["userName"] for user in world.target.users.values()] == ["lovelace@example.org"]
