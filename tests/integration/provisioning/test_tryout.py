"""Trying an expression or a scoping filter before it is saved: verdicts as those of a cycle, and nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provisor.applications.errors import JobNotFound
from provisor.applications.model import Job
from provisor.applications.schema import InvalidSchema
from provisor.applications.schema_editing import ClauseEdit, FilterEdit, set_scope
from provisor.errors import Forbidden, InvalidInput
from provisor.expressions.errors import ExpressionError
from provisor.provisioning.tryout import ScopePage
from provisor.security.actor import Actor, Realm, Right, operator

if TYPE_CHECKING:
    from conftest import World

SALES = [FilterEdit("Sales", (ClauseEdit("department", "EQUALS", "Sales"),))]


async def job_of(world: World) -> Job:
    return await world.services.applications.job(operator(), world.job_id)


async def everybody(world: World, filters: list[FilterEdit], limit: int = 2) -> list[ScopePage]:
    pages: list[ScopePage] = []
    job = await job_of(world)
    while not pages or pages[-1].after is not None:
        after = pages[-1].after if pages else None
        pages.append(await world.services.tryout.scope(operator(), job, "User", filters, after, limit))
    return pages


async def test_an_expression_gives_its_value_and_every_step(world: World) -> None:
    await world.person("ada", givenName="Ada", surname="Lovelace")
    job = await job_of(world)
    tried = await world.services.tryout.expression(
        operator(), job, "User", 'ToUpper(Join(" ", [givenName], [surname]))', "ada@example.org"
    )
    assert (tried.name, tried.value, tried.error) == ("ada@example.org", "ADA LOVELACE", None)
    assert [step.value for step in tried.steps[-2:]] == ["Ada Lovelace", "ADA LOVELACE"]
    assert world.target.requests == []


async def test_what_depends_on_the_job_is_known_to_an_expression(world: World) -> None:
    ada = await world.person("ada")
    for expected in ("True", "False"):
        tried = await world.services.tryout.expression(
            operator(), await job_of(world), "User", "[IsSoftDeleted]", "ada"
        )
        assert tried.value == expected
        if expected == "True":
            await world.assign(ada)


async def test_an_expression_of_a_group(world: World) -> None:
    await world.group("Sales")
    tried = await world.services.tryout.expression(
        operator(), await job_of(world), "Group", 'Append("g-", [displayName])', "Sales"
    )
    assert tried.value == "g-Sales"


async def test_wrong_expressions_say_what_is_wrong(world: World) -> None:
    await world.person("ada")
    job = await job_of(world)
    with pytest.raises(ExpressionError, match="no function Jion"):
        await world.services.tryout.expression(operator(), job, "User", 'Jion("x")', "ada")
    with pytest.raises(InvalidInput, match=r"no attribute \[givenname\]"):
        await world.services.tryout.expression(operator(), job, "User", "[givenname]", "ada")
    tried = await world.services.tryout.expression(operator(), job, "User", 'CDate("yesterday")', "ada")
    assert tried.value is None
    assert tried.error


async def test_a_filter_is_counted_over_the_whole_directory_page_by_page(world: World) -> None:
    for number in range(5):
        person = await world.person(f"p{number}", department="Sales" if number % 2 else "Law")
        if number in (0, 1):
            await world.assign(person)
    gone = await world.person("gone", department="Sales")
    await world.services.directory.delete_user(operator(), world.tenant.id, gone.id)
    pages = await everybody(world, SALES)
    assert sum(page.looked_at for page in pages) == 5
    assert sum(page.passed for page in pages) == 2
    assert sum(page.in_scope for page in pages) == 1
    assert sorted(one.name for page in pages for one in page.passing) == ["p1@example.org", "p3@example.org"]
    [reason] = pages[0].failing[0].verdict.reasons if pages[0].failing else pages[1].failing[0].verdict.reasons
    assert reason.explanation == "Sales department EQUALS Sales: 'Law', so not passed"


async def test_the_tried_verdicts_are_those_of_the_cycle_after_saving(world: World) -> None:
    for name, department in (("ada", "Sales"), ("bob", "Law"), ("cleo", "Sales")):
        await world.assign(await world.person(name, department=department))
    [page] = await everybody(world, SALES, 10)
    job = await job_of(world)
    await world.services.applications.set_schema(operator(), job.id, set_scope(job.schema.document, "User", SALES))
    await world.start()
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert page.in_scope == cycle.counts["created"] == 2


async def test_groups_and_membership_and_the_scope_all(world: World) -> None:
    ada = await world.person("ada")
    group = await world.group("Sales", ada)
    await world.group("Law")
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    member = [FilterEdit("In Sales", (ClauseEdit("memberOf", "EQUALS", group.id),))]
    [page] = await everybody(world, member, 10)
    assert (page.looked_at, page.passed, page.in_scope) == (1, 1, 1)
    named = [FilterEdit("L", (ClauseEdit("displayName", "EQUALS", "Law"),))]
    of_groups = await world.services.tryout.scope(operator(), await job_of(world), "Group", named, None, 10)
    assert (of_groups.looked_at, of_groups.passed) == (2, 1)


async def test_a_filter_that_cannot_be_used_and_an_actor_who_may_not_ask(world: World) -> None:
    job = await job_of(world)
    wrong = [FilterEdit("x", (ClauseEdit("departement", "EQUALS", "Sales"),))]
    with pytest.raises(InvalidSchema, match="departement"):
        await world.services.tryout.scope(operator(), job, "User", wrong, None, 10)
    reader = Actor(Realm("tenant", world.tenant.id), "reader", frozenset({Right.DIRECTORY_READ}))
    with pytest.raises(Forbidden):
        await world.services.tryout.scope(reader, job, "User", SALES, None, 10)
    stranger = Actor(Realm("tenant", "another"), "stranger", frozenset(Right))
    with pytest.raises(JobNotFound):
        await world.services.applications.job(stranger, job.id)
