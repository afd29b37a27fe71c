"""Batches in a row: gathered, sent and written down beside one another, and yet each object as if it were alone."""

from __future__ import annotations

import itertools
from itertools import pairwise
from typing import TYPE_CHECKING

from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.storage.queries import Query
from provisor.testing.target_faults import unauthorized

if TYPE_CHECKING:
    from conftest import World

BATCH = 3


async def cycle(world: World) -> dict[str, int]:
    """The counts of the cycle that is due, in small batches."""
    cycle_id = await run_inline(world.services.engine("test", batch=BATCH), world.job_id)
    assert cycle_id is not None, "no cycle was due"
    ended = await world.ended(cycle_id)
    assert ended.state == "Succeeded", ended.error
    return {name: n for name, n in (ended.counts or {}).items() if isinstance(n, int) and n}


async def test_many_batches_of_people_managers_and_members_arrive_once_each(world: World) -> None:
    people = [await world.person(f"p{n:02}") for n in range(40)]
    for boss, report in pairwise(people):
        await world.services.directory.set_manager(operator(), world.tenant.id, report.id, boss.id)
    # More memberships than a batch has, and groups that are cut by its end.
    teams = [await world.group(f"t{n}", *people[n : n + 25]) for n in range(4)]
    await world.assign(*people, *teams)
    await world.start()

    counts = await cycle(world)

    assert counts["created"] == 44
    names = [f"p{n:02}@example.org" for n in range(40)]
    assert sorted(world.target.users_by_name()) == names
    assert world.target.managers() == dict(zip(names[1:], names, strict=False))
    assert world.target.memberships() == {f"t{n}": set(names[n : n + 25]) for n in range(4)}
    creates = [path for method, path in world.writes() if method == "POST"]
    assert len(creates) == 44
    assert await in_journal(world) == 0
    assert await world.quiet()


async def test_who_leaves_in_the_middle_of_a_row_is_disabled_and_the_others_are_changed(world: World) -> None:
    people = [await world.person(f"p{n:02}") for n in range(20)]
    await world.assign(*people)
    await world.unguarded()
    await world.start()
    await cycle(world)

    for n, person in enumerate(people):
        change = {"accountEnabled": False} if n % 7 == 3 else {"displayName": f"Number {n}"}
        await world.services.directory.update_user(operator(), world.tenant.id, person.id, change)
    counts = await cycle(world)

    assert (counts["updated"], counts["disabled"]) == (17, 3)
    accounts = world.target.users_by_name()
    for n in range(20):
        account = accounts[f"p{n:02}@example.org"]
        assert account["active"] is (n % 7 != 3)
        assert n % 7 == 3 or account["displayName"] == f"Number {n}"


async def test_an_heir_in_the_row_takes_over_the_account_of_who_is_gone(world: World) -> None:
    people = [await world.person(f"p{n:02}") for n in range(12)]
    await world.assign(*people)
    await world.unguarded()
    await world.start()
    await cycle(world)
    before = {account["userName"]: account["id"] for account in world.target.users.values()}

    heirs = []
    for n in (2, 5, 9):
        await world.services.directory.delete_user(operator(), world.tenant.id, people[n].id)
        heirs.append(await world.person(f"p{n:02}", jobTitle="Back again"))
    newcomers = [await world.person(f"q{n:02}") for n in range(10)]
    await world.assign(*heirs, *newcomers)
    await cycle(world)

    accounts = world.target.users_by_name()
    assert len(world.target.users) == 22
    for n in (2, 5, 9):
        account = accounts[f"p{n:02}@example.org"]
        assert (account["id"], account["active"], account["title"]) == (
            before[f"p{n:02}@example.org"],
            True,
            "Back again",
        )


async def test_of_what_was_written_down_ahead_and_never_sent_nothing_is_left(world: World) -> None:
    people = [await world.person(f"p{n:02}") for n in range(30)]
    await world.assign(*people)
    await world.start()
    # The credential ends in the middle: requests are under way, and the next batch is decided about.
    posts = itertools.count()
    world.target.fault(unauthorized(), when=lambda sent: sent.method == "POST" and next(posts) >= 10, times=None)
    broken = await run_inline(world.services.engine("test", batch=BATCH), world.job_id)
    assert broken is not None
    assert (await world.ended(broken)).state != "Succeeded"
    made = len(world.target.users)
    assert 0 < made < 30

    world.target.heal()
    await world.services.provisioning.start(operator(), world.job_id)
    counts = await cycle(world)

    assert counts["created"] == 30 - made
    assert sorted(world.target.users_by_name()) == [f"p{n:02}@example.org" for n in range(30)]
    assert await in_journal(world) == 0


async def test_a_create_that_was_entered_ahead_and_is_refused_is_taken_out_of_the_journal(world: World) -> None:
    # Of two groups with one name, in a batch that is decided about beside the one before, the second is refused.
    names = [f"t{n:02}" for n in range(12)]
    names[8] = names[7]
    groups = [await world.group(name) for name in names]
    await world.assign(*groups)
    await world.start()

    counts = await cycle(world)

    assert (counts["created"], counts["failed"]) == (11, 1)
    assert await in_journal(world) == 0


async def in_journal(world: World) -> int:
    """How many creates are thought to be under way."""
    count = Query("SELECT count(*) FROM intent WHERE job_id = :job_id")
    rows = await world.services.database.read(lambda tx: tx.fetch_all(count, {"job_id": world.job_id}))
    return int(rows[0][0])
