"""Whoever loses access goes first, by the whole table, and waits for nobody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.testing.target_faults import failure, method

if TYPE_CHECKING:
    from conftest import World
    from provisor.connector.transport import Request, Response
    from provisor.directory.model import User


async def linked(world: World, *names: str) -> list[User]:
    people = [await world.person(name) for name in names]
    await world.assign(*people)
    await world.start()
    await world.cycle()
    return people


def account(world: World, name: str) -> dict[str, Any]:
    [found] = [user for user in world.target.users.values() if user["userName"].endswith(f"{name}@example.org")]
    return found


class SlowCreates:
    """A target in which every create takes a while of real time, and which tells what came in between."""

    def __init__(self, world: World, seconds: float) -> None:
        self.creates = 0
        self.others_after: list[tuple[int, str]] = []
        self._send, self._seconds = world.target.send, seconds
        world.target.send = self.send  # type: ignore[method-assign]

    async def send(self, request: Request) -> Response:
        if request.method == "POST":
            self.creates += 1
            await asyncio.sleep(self._seconds)
        elif request.method != "GET":
            self.others_after.append((self.creates, request.method))
        return await self._send(request)


@pytest.mark.parametrize("how", ["disabled", "deleted", "unassigned", "filtered out", "group deleted"])
async def test_a_leaver_goes_out_while_a_long_initial_cycle_runs(world: World, how: str) -> None:
    directory, tenant = world.services.directory, world.tenant.id
    if how == "filtered out":
        await only_department(world, "Sales")
    [ada] = [await world.person("ada", department="Sales")]
    team = await world.group("Team", ada)
    await world.assign(team)
    await world.start()
    await world.cycle()
    await directory.create_users(operator(), tenant, [new(n) for n in range(300)])
    # Everybody comes into scope at once: an initial cycle, 16 at a time, that takes a while.
    await world.services.provisioning.change_settings(operator(), world.job_id, {"scope": "all"})
    if how == "unassigned":
        await world.services.provisioning.change_settings(operator(), world.job_id, {"scope": "assigned"})
        everybody = await directory.users_after(operator(), tenant, None, 1000)
        await world.assign(*[user for user in everybody if user.id != ada.id])
        await world.services.provisioning.restart(operator(), world.job_id)
    slow = SlowCreates(world, 0.1)

    running = asyncio.create_task(run_inline(world.services.engine("test"), world.job_id))
    while slow.creates < 20:
        await asyncio.sleep(0.01)
    match how:
        case "disabled":
            await directory.update_user(operator(), tenant, ada.id, {"accountEnabled": False})
        case "deleted":
            await directory.delete_user(operator(), tenant, ada.id)
        case "unassigned":
            await world.unassign(team)
        case "filtered out":
            await directory.update_user(operator(), tenant, ada.id, {"department": "Research"})
        case _:
            await directory.delete_group(operator(), tenant, team.id)
    cycle_id = await running

    assert cycle_id is not None
    main = await world.ended(cycle_id)
    assert main.state == "Succeeded", main.error
    assert slow.others_after, "nothing left beside the creates"
    created_before, first = slow.others_after[0]
    assert created_before < 100, "the leaver has waited for the cycle"
    assert first == ("DELETE" if how == "group deleted" else "PATCH")
    if how != "group deleted":
        assert account(world, "ada")["active"] is False
    lanes = await world.services.stores.jobs.cycles(world.job_id, 10, lane="leavers")
    assert lanes
    for lane in lanes:
        counted = (await world.ended(lane.id)).counts or {}
        assert counted["considered"] == counted["disabled"] + counted["deleted"]
    assert await world.services.stores.jobs.cycles(world.job_id, 1) == [main]
    world.target.requests.clear()
    for _ in range(4):
        await run_inline(world.services.engine("test"), world.job_id)
    assert [path for sent, path in world.writes() if sent in ("PATCH", "DELETE") and "Users" in path] == []


async def test_a_leaver_whom_the_target_refuses_is_tried_again_and_not_lost(world: World) -> None:
    ada, _ = await linked(world, "ada", "bob")
    world.target.fault(failure(500), when=method("PATCH"), times=2)

    await world.services.directory.delete_user(operator(), world.tenant.id, ada.id)
    for _ in range(6):
        await run_inline(world.services.engine("test"), world.job_id)
        world.clock.advance(60)

    assert account(world, "ada")["active"] is False


# (what happens, settings and switches) -> what the target is sent: nothing, disable or delete.
TABLE = [
    ("unassigned", {}, "", "disable"),
    ("disabled", {}, "", "disable"),
    ("deleted", {}, "", "disable"),
    ("deleted, purged", {}, "", "delete"),
    ("purged at once", {}, "", "delete"),
    ("unassigned, deleted, purged", {}, "", "disable"),
    ("unassigned", {"skip-out-of-scope-deletions": "on"}, "", ""),
    ("unassigned, deleted, purged", {"skip-out-of-scope-deletions": "on"}, "", ""),
    ("disabled", {"skip-out-of-scope-deletions": "on"}, "", "disable"),
    ("unassigned", {}, "Add, Update", "disable"),
    ("deleted, purged", {}, "Add, Update", "disable"),
    ("unassigned", {}, "Add, Delete", ""),
    ("deleted, purged", {}, "Add, Delete", "delete"),
    ("unassigned", {}, "no IsSoftDeleted", ""),
    ("deleted, purged", {}, "no IsSoftDeleted", "delete"),
    ("unassigned", {}, "no soft delete", "delete"),
    ("disabled", {}, "no soft delete", "delete"),
    ("deleted", {}, "no soft delete", "delete"),
    ("deleted, purged", {}, "no hard delete", "disable"),
    ("purged at once", {}, "no hard delete", "disable"),
]


@pytest.mark.parametrize(("what", "settings", "switch", "expected"), TABLE)
async def test_the_table_of_leaving(
    world: World, what: str, settings: dict[str, str], switch: str, expected: str
) -> None:
    directory, tenant = world.services.directory, world.tenant.id
    await world.services.provisioning.change_settings(operator(), world.job_id, settings)
    await switched(world, switch)
    [ada] = await linked(world, "ada")
    await able(world, switch)
    world.target.requests.clear()

    for step in what.split(", "):
        match step:
            case "unassigned":
                await world.unassign(ada)
            case "disabled":
                await directory.update_user(operator(), tenant, ada.id, {"accountEnabled": False})
            case "deleted":
                await directory.delete_user(operator(), tenant, ada.id)
            case "purged":
                await directory.purge_user(operator(), tenant, ada.id)
            case _:
                await directory.delete_user(operator(), tenant, ada.id)
                await directory.purge_user(operator(), tenant, ada.id)
        await world.cycle()

    sent = {method for method, _ in world.writes()}
    disables = [r for r in world.target.sent("PATCH") if any(o.get("path") == "active" for o in r.body["Operations"])]
    # Who is deleted is disabled first, where something is mapped from IsSoftDeleted and updates are allowed.
    first = what == "deleted, purged" and not switch
    assert bool(disables) is (expected == "disable" or first)
    assert ("DELETE" in sent) is (expected == "delete")
    assert (world.target.users == {}) is (expected == "delete")


async def test_what_was_skipped_is_disabled_when_skipping_is_switched_off(world: World) -> None:
    await world.services.provisioning.change_settings(operator(), world.job_id, {"skip-out-of-scope-deletions": "on"})
    ada, bob = await linked(world, "ada", "bob")
    await world.unassign(ada)
    await world.cycle()
    assert account(world, "ada")["active"] is True
    await world.services.provisioning.change_settings(operator(), world.job_id, {"skip-out-of-scope-deletions": "off"})
    await world.cycle()
    assert (account(world, "ada")["active"], account(world, "bob")["active"]) == (False, True)

    await world.assign(ada)
    await world.cycle()
    assert account(world, "ada")["active"] is True
    assert bob.id


@pytest.mark.parametrize(("switch", "stays"), [("", False), ("Add, Update", True), ("no group delete", True)])
async def test_a_group_that_leaves(world: World, switch: str, stays: bool) -> None:
    await switched(world, switch, kind=1)
    team = await world.group("Team", await world.person("ada"))
    await world.assign(team)
    await world.start()
    await world.cycle()
    await able(world, switch)

    await world.unassign(team)
    await world.cycle()
    assert bool(world.target.groups) is stays
    await world.assign(team)
    await world.cycle()
    assert world.target.memberships() == {"Team": {"ada@example.org"}}


async def test_a_source_that_cannot_be_read_deprovisions_nobody(world: World) -> None:
    people = await linked(world, *[f"person{n}" for n in range(10)])
    directory = world.services.directory
    read = directory.users_by_id

    async def half(*arguments: Any) -> dict[str, User]:
        found = await read(*arguments)
        return dict(list(found.items())[::2])

    directory.users_by_id = half  # type: ignore[method-assign]
    try:
        await world.services.provisioning.restart(operator(), world.job_id)
        cycle = await world.cycle()
    finally:
        directory.users_by_id = read  # type: ignore[method-assign]

    assert cycle.counts is not None
    assert (cycle.counts["deleted"], cycle.counts["disabled"], cycle.counts["waiting"]) == (0, 0, 5)
    assert all(user["active"] for user in world.target.users.values())
    world.clock.advance(60)
    await world.cycle()
    assert len(people) == len(world.target.users)
    assert all(user["active"] for user in world.target.users.values())


def new(n: int) -> Any:
    from provisor.directory.model import NewUser

    return NewUser(
        {
            "userPrincipalName": f"p{n:03}@example.org",
            "displayName": f"P {n}",
            "accountEnabled": True,
            "department": "Sales",
        }
    )


async def only_department(world: World, name: str) -> None:
    document = await schema(world)
    clause = {"sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": {"values": [name]}}
    mapping = document["synchronizationRules"][0]["objectMappings"][0]
    mapping["scope"] = {"groups": [{"name": "Only", "clauses": [clause]}]}
    await world.services.applications.set_schema(operator(), world.job_id, document)


async def switched(world: World, switch: str, kind: int = 0) -> None:
    """The actions of the mapping, or the mapping from IsSoftDeleted taken out."""
    document = await schema(world)
    mapping = document["synchronizationRules"][kind]["objectMappings"][0]
    if switch.startswith("Add"):
        mapping["flowTypes"] = switch
    if switch == "no IsSoftDeleted":
        rows = mapping["attributeMappings"]
        rows[:] = [row for row in rows if row["targetAttributeName"] != "active"]
    await world.services.applications.set_schema(operator(), world.job_id, document)


async def able(world: World, switch: str) -> None:
    """What the target is known to offer."""
    from dataclasses import replace

    job = await world.services.applications.job(operator(), world.job_id)
    client = await world.services.targets.client(operator(), job)
    lacks = {"no soft delete": "soft_delete", "no hard delete": "hard_delete", "no group delete": "group_delete"}
    if switch in lacks:
        client.capabilities = replace(client.capabilities, **{lacks[switch]: False})


async def schema(world: World) -> dict[str, Any]:
    import copy

    job = await world.services.applications.job(operator(), world.job_id)
    return copy.deepcopy(dict(job.schema.document))
