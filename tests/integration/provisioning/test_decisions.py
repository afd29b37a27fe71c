"""Who could be several accounts is for a person to decide; and the first contact with a messy target."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from provisor.directory.model import NewUser
from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.testing.target_faults import lost_reply, method

if TYPE_CHECKING:
    from conftest import World
    from provisor.provisioning.decisions.model import Decision


async def two_for_ada(world: World) -> str:
    """Ada, and two accounts with her name. Her source id."""
    ada = await world.person("ada", jobTitle="Countess")
    await world.assign(ada)
    for n in ("one", "two"):
        world.target.users[n] = {"id": n, "userName": "ada@example.org", "active": True}
    world.target.refuses_duplicates = False
    await world.start()
    await world.cycle()
    return ada.id


async def pending(world: World, **options: Any) -> list[Decision]:
    return await world.services.decisions.pending(operator(), world.job_id, **options)


async def decide(world: World, *words: str) -> None:
    await world.services.decisions.decide(operator(), world.job_id, *words)


async def test_ambiguity_is_a_state_and_not_an_endless_error(world: World) -> None:
    ada = await two_for_ada(world)

    [decision] = await pending(world)
    assert (decision.source_id, decision.display_name) == (ada, "ada@example.org")
    assert (decision.attribute, decision.value) == ("userName", "ada@example.org")
    assert decision.candidate_ids == {"one", "two"}
    assert (await world.services.provisioning.status(operator(), world.job_id))["status"]["undecided"] == 1
    assert len(await world.log(status="failure")) == 1
    world.clock.advance(30 * 86_400)
    await world.cycle()
    assert await world.quiet()

    await world.services.provisioning.restart(operator(), world.job_id)
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert (cycle.counts["failed"], cycle.counts["waiting"]) == (0, 1)
    assert len(await world.log(status="failure")) == 1
    assert world.writes() == []


async def test_linking_takes_the_chosen_account_and_nothing_else(world: World) -> None:
    await two_for_ada(world)
    await decide(world, "ADA@example.org", "link", "two")

    cycle = await world.cycle()

    assert cycle.counts is not None
    assert cycle.counts["updated"] == 1
    assert world.target.users["two"]["title"] == "Countess"
    assert "title" not in world.target.users["one"]
    assert await pending(world, decided=True) == []


async def test_creating_makes_one_more_also_when_the_answer_is_lost(world: World) -> None:
    ada = await two_for_ada(world)
    await decide(world, ada, "create")
    world.target.fault(lost_reply(), when=method("POST"))

    for _ in range(10):
        await run_inline(world.services.engine("test"), world.job_id)
        world.clock.advance(60)

    assert len(world.target.users) == 3
    assert len(world.target.sent("POST")) == 1
    assert await pending(world, decided=True) == []


async def test_ignoring_holds_until_somebody_decides_otherwise(world: World) -> None:
    ada = await two_for_ada(world)
    await decide(world, ada, "ignore")
    await world.cycle()
    await world.services.directory.update_user(operator(), world.tenant.id, ada, {"jobTitle": "Lady"})
    cycle = await world.cycle()
    assert cycle.counts is not None
    assert cycle.counts["skipped"] == 1
    assert world.writes() == []
    assert await pending(world) == []
    assert [one.choice for one in await pending(world, decided=True)] == ["ignore"]

    await decide(world, ada, "link", "one")
    await world.cycle()
    assert world.target.users["one"]["title"] == "Lady"


async def test_wrong_decisions_are_refused(world: World) -> None:
    ada = await two_for_ada(world)
    bob = await world.person("bob")
    await world.assign(bob)
    await world.cycle()
    with pytest.raises(NotFound):
        await decide(world, "bob@example.org", "ignore")
    with pytest.raises(InvalidInput):
        await decide(world, ada, "perhaps")
    with pytest.raises(InvalidInput):
        await decide(world, ada, "link", "three")
    with pytest.raises(InvalidInput):
        await decide(world, ada, "create", "one")
    await world.services.stores.jobs.mark(world.job_id, bob.id, "User", world.clock.now_ms())
    world.target.users.pop("one")
    with pytest.raises((Conflict, InvalidInput)):
        await decide(world, ada, "link", next(id_ for id_ in world.target.users if id_ != "two"))


async def test_first_contact_with_a_messy_target(world: World) -> None:
    """500 people, 300 accounts: other case, aliases, old addresses, disabled ones, strangers, and people with two."""
    rng = random.Random(7)
    directory = world.services.directory
    await world.services.applications.change_settings(operator(), world.job_id, {"guard": {"enabled": False}})
    made = await directory.create_users(
        operator(),
        world.tenant.id,
        [
            NewUser(
                {
                    "userPrincipalName": f"person{n:03}@example.org",
                    "displayName": f"Person {n}",
                    "accountEnabled": True,
                    "mail": f"p{n:03}@mail.example.org",
                    "employeeId": f"E{n:04}",
                    "otherMails": [f"maiden{n:03}@example.org", f"alias.{n:03}@example.org"],
                }
            )
            for n in range(500)
        ],
    )
    # Somebody has by now the address that person 499 had before: that account is not person 499's.
    now = {"userPrincipalName": "maiden499@example.org"}
    await directory.update_user(operator(), world.tenant.id, made[498].id, now)
    await match_by(world, "userName", 'emails[type eq "work"].value', "externalId")

    right: dict[str, str] = {}
    doubled: set[str] = set()
    for at, n in enumerate(rng.sample(range(480), 288)):
        upn = f"person{n:03}@example.org"
        account: dict[str, Any] = {"id": f"a{n}", "active": at % 7 != 0, "displayName": f"{n}, Person"}
        match at % 6:
            case 0:
                account["userName"] = upn.upper()
            case 1:
                account["userName"] = f"old-{n}"
                account["emails"] = [{"type": "work", "value": f"P{n:03}@Mail.Example.org"}]
            case 2:
                account["userName"] = f"maiden{n:03}@example.org"
            case 3:
                account["userName"] = f"Alias.{n:03}@example.org"
            case 4:
                account["userName"] = upn
            case _:
                account["userName"] = f"legacy-{n}"
                account["externalId"] = f"person{n:03}"
        world.target.users[account["id"]] = account
        right[made[n].id] = account["id"]
        if at % 40 == 0:
            world.target.users[f"b{n}"] = {**account, "id": f"b{n}"}
            doubled.add(made[n].id)
    world.target.users["maiden"] = {"id": "maiden", "userName": "maiden499@example.org", "active": True}
    right[made[498].id] = "maiden"
    for n in range(300 - len(world.target.users)):
        world.target.users[f"s{n}"] = {"id": f"s{n}", "userName": f"stranger{n}@elsewhere.example", "active": True}
    before = len(world.target.users)
    strangers = {id_: dict(user) for id_, user in world.target.users.items() if id_.startswith("s")}
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    await world.start()

    cycle = await world.cycle()

    links = await world.services.stores.jobs.links(world.job_id, [user.id for user in made])
    wrong = [id_ for id_, link in links.items() if link.target_id != right.get(id_, link.target_id)]
    assert wrong == []
    stolen = {link.target_id: id_ for id_, link in links.items() if not link.target_id.startswith("u")}
    assert all(right.get(id_) == target_id for target_id, id_ in stolen.items())
    findable = right.keys() - doubled
    found = [id_ for id_ in findable if id_ in links and links[id_].target_id == right[id_]]
    assert len(found) >= 0.99 * len(findable)
    assert {one.source_id for one in await pending(world)} == doubled
    assert {id_: user for id_, user in world.target.users.items() if id_ in strangers} == strangers
    assert cycle.counts is not None
    assert cycle.counts["considered"] == 500
    assert cycle.counts["failedByCode"] == {"DuplicateTargetEntries": len(doubled)}
    assert cycle.counts["created"] == 500 - len(right)
    assert len(world.target.users) == before + cycle.counts["created"]


async def match_by(world: World, *targets: str) -> None:
    job = await world.services.applications.job(operator(), world.job_id)
    document = dict(job.schema.document)
    rows = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    for row in rows:
        name = row["targetAttributeName"]
        row["matchingPriority"] = targets.index(name) + 1 if name in targets else 0
    await world.services.applications.set_schema(operator(), world.job_id, document)
