"""Explanations: the right reason for every way of (not) being in the target, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.provisioning.test_mappings import change

from provisor.errors import InvalidInput, NotFound
from provisor.provisioning.explaining.document import document
from provisor.provisioning.explaining.model import Explanation, MappingLine
from provisor.security.actor import operator
from provisor.testing.target_faults import failure, unauthorized

if TYPE_CHECKING:
    from conftest import World


async def explain(world: World, ref: str, **more: object) -> Explanation:
    return await world.services.explanations.explain(operator(), world.job_id, ref, **more)  # type: ignore[arg-type]


def mapping(told: Explanation, target: str) -> MappingLine:
    return next(line for line in told.mappings if line.target == target)


async def test_not_assigned(world: World) -> None:
    await world.person("ada")
    told = await explain(world, "ada@example.org")
    assert told.answer == "The user is not in App: it is not assigned to the app, and the scope is what is assigned."
    assert any(line.startswith("Assign it to the app") for line in told.would_change)
    assert (told.in_scope, told.grounds, told.target_found) == (False, [], False)


async def test_only_through_a_nested_group(world: World) -> None:
    inner = await world.group("Inner", await world.person("ada"))
    await world.assign(await world.group("Outer", inner))
    told = await explain(world, "ada@example.org")
    [ground] = told.grounds
    assert (ground.through, ground.counts) == ("below the assigned group Outer", False)
    assert "nested groups" in (ground.why or "")


async def test_in_order_through_two_assignments(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada, await world.group("Team", ada))
    await world.start()
    await world.cycle()
    sent = len(world.writes())
    told = await explain(world, "ada@example.org")
    [account] = world.target.users
    assert told.answer == f"The user is in App as {account}, and in order."
    assert {ground.through for ground in told.grounds} == {"assigned itself", "member of the assigned group Team"}
    assert told.would_change == []
    line = mapping(told, "displayName")
    assert (line.desired, line.acknowledged, line.shown) == ("Ada", "Ada", "Ada")
    assert line.verdict == "The target has confirmed it."
    assert told.events[0].action == "create"
    assert len(world.writes()) == sent
    assert document(told)["targetId"] == account


async def test_a_filter_clause_by_clause(world: World) -> None:
    clause = {"sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": {"values": ["IT"]}}
    await change(world, scope=[clause])
    await world.assign(await world.person("ada", department="Sales"))
    told = await explain(world, "ada@example.org")
    [clause] = told.clauses
    assert (clause.clause, clause.seen, clause.passed) == ("department EQUALS IT", "Sales", False)
    assert "it does not pass the scoping filter" in told.answer
    assert any("department EQUALS IT (it is Sales)" in line for line in told.would_change)


async def test_disabled_deleted_and_purged(world: World) -> None:
    ada = await world.person("ada", accountEnabled=False)
    await world.assign(ada)
    assert "is disabled in the directory" in (await explain(world, ada.id)).answer
    directory, tenant = world.services.directory, world.tenant.id
    await directory.update_user(operator(), tenant, ada.id, {"accountEnabled": True})
    await world.start()
    await world.cycle()
    await directory.delete_user(operator(), tenant, ada.id)
    await world.cycle()
    told = await explain(world, ada.id)
    assert told.link_state == "disabled"
    assert "its access was taken away because its source is disabled or in the recycle bin" in told.answer
    assert "Restore it from the recycle bin of the directory." in told.would_change
    await world.services.provisioning.pause(operator(), world.job_id)
    await directory.purge_user(operator(), tenant, ada.id)
    told = await explain(world, ada.id)
    assert told.source_state == "deleted for good"
    assert told.next_action == "delete it"


async def test_what_the_target_refuses_with_its_last_words(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada)
    world.target.fault(failure(400, "No such domain."), when=lambda r: r.method == "POST", times=None)
    await world.start()
    await world.cycle()
    told = await explain(world, ada.id)
    assert "the target refused it" in told.answer
    assert "in escrow after 1 failures" in (told.queue or "")
    assert told.events[0].exchange is not None
    assert "No such domain." in str(told.events[0].exchange["responseBody"])


async def test_ambiguous_matching_attribute_by_attribute(world: World) -> None:
    await world.assign(await world.person("ada"))
    for n in ("1", "2"):
        world.target.users[n] = {"id": n, "userName": "ada@example.org", "active": True}
    told = await explain(world, "ada@example.org")
    assert list(told.matching[0].found or ()) == ["1", "2"]
    assert told.next_action.startswith("nothing: somebody has to decide")


async def test_what_was_changed_by_hand_and_an_attribute_step_by_step(world: World) -> None:
    ada = await world.person("ada", jobTitle="Engineer")
    await world.assign(ada)
    source = {
        "type": "Function",
        "expression": "ToUpper([jobTitle])",
        "name": "ToUpper",
        "parameters": [
            {
                "key": "source",
                "value": {"type": "Attribute", "expression": "[jobTitle]", "name": "jobTitle", "parameters": []},
            }
        ],
    }
    await change(world, title={"source": source})
    await world.start()
    await world.cycle()
    world.target.users_by_name()["ada@example.org"]["title"] = "Pirate"

    told = await explain(world, ada.id, attribute="TITLE")

    [line] = told.mappings
    assert (line.desired, line.acknowledged, line.shown) == ("ENGINEER", "ENGINEER", "Pirate")
    assert "Somebody changed it in the target" in line.verdict
    assert line.values == {"jobTitle": "Engineer"}
    assert line.steps[-1][1] == "ENGINEER"
    with pytest.raises(InvalidInput, match="No mapping writes shoeSize"):
        await explain(world, ada.id, attribute="shoeSize")


async def test_references_and_who_waits_for_whom(world: World) -> None:
    ada, boss = await world.person("ada"), await world.person("boss")
    team = await world.group("Team", ada, boss)
    await world.assign(ada)
    await world.services.directory.set_manager(operator(), world.tenant.id, ada.id, boss.id)
    await world.start()
    await world.cycle()
    told = await explain(world, ada.id)
    assert [(line.other_name, line.state.partition(":")[0]) for line in told.references] == [("Boss", "waits")]
    await world.services.applications.assign(
        operator(), world.tenant.id, world.app.service_principal.id, team.id, "Group"
    )
    await world.services.provisioning.pause(operator(), world.job_id)
    told = await explain(world, "Team")
    assert told.kind == "Group"
    assert "the job is paused" in told.answer


async def test_what_a_guard_holds(world: World) -> None:
    people = [await world.person(f"p{i}") for i in range(10)]
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    await world.start()
    await world.cycle()
    changes = {user.id: {"accountEnabled": False} for user in people}
    await world.services.directory.update_users(operator(), world.tenant.id, changes)
    await world.cycle()
    told = await explain(world, "p0@example.org")
    assert told.held == "held: disable"
    assert told.queue == "waits for a person: a guard holds it"
    assert any("provisor job approve" in line for line in told.would_change)
    assert told.next_action == "nothing: a guard holds its disabling until somebody approves or rejects it"
    assert told.answer.endswith(f"the next cycle would do {told.next_action}.")
    await world.services.guards.reject(operator(), world.job_id, None)
    told = await explain(world, "p0@example.org")
    assert told.held == "rejected: disable"
    assert told.next_action.startswith("nothing: its disabling was rejected by ")
    assert told.answer.endswith(f"the next cycle would do {told.next_action}.")
    [active] = [line for line in told.mappings if line.target == "active"]
    assert "is not sent: its disabling was rejected by " in active.verdict


async def test_a_target_that_does_not_answer_spoils_nothing_else(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    world.target.fault(unauthorized(), times=None)
    told = await explain(world, ada.id)
    assert "secret token" in (told.target_error or "")
    assert told.grounds[0].through == "assigned itself"
    assert mapping(told, "displayName").acknowledged == "Ada"


async def test_nobody(world: World) -> None:
    with pytest.raises(NotFound):
        await explain(world, "nobody@example.org")
