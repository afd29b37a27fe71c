"""Users, groups and memberships on both engines: concurrency, isolation, references, versions."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from provisor.errors import Forbidden
from provisor.events.store import OutboxStore
from provisor.provider.model import Principal
from provisor.provider.resources import document
from provisor.provider.resources.model import Counts, Kind
from provisor.provider.resources.service import Resources
from provisor.scim.errors import InvalidValue, NotFound404, PreconditionFailed, Uniqueness
from provisor.scim.messages import SearchRequest
from provisor.scim.schemas import ENTERPRISE_USER_URN, USER_URN
from provisor.security.actor import Actor, Realm, Right, operator
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock

MEMBERS = frozenset(("members",))
GROUPS = frozenset(("groups",))


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def add(*ids: str) -> dict[str, Any]:
    return patch({"op": "Add", "path": "members", "value": [{"value": member} for member in ids]})


def remove(member: str) -> dict[str, Any]:
    return patch({"op": "Remove", "path": "members", "value": [{"value": member}]})


async def members_of(resources: Resources, caller: Principal, group_id: str) -> set[str]:
    found = await resources.read(caller, "Group", group_id, derived=MEMBERS)
    return {member for member, _ in found.members or ()}


async def ids(resources: Resources, caller: Principal, kind: Kind, text: str | None = None) -> list[str]:
    page = await resources.search(caller, kind, SearchRequest(filter=text, count=1000))
    assert page.total == len(page.resources)
    return [served.stored.id for served in page.resources]


async def test_fifty_concurrent_member_patches_lose_nothing(
    resources: Resources, acme: Principal, user: Any, group: Any
) -> None:
    people = [await user(f"user{number}") for number in range(50)]
    group_id = await group("Sales")
    await asyncio.gather(*(resources.patch(acme, "Group", group_id, add(person)) for person in people))
    assert await members_of(resources, acme, group_id) == set(people)
    assert (await resources.read(acme, "Group", group_id)).stored.version == 51


async def test_concurrent_adds_removes_and_a_rename_all_take_effect(
    resources: Resources, acme: Principal, user: Any, group: Any
) -> None:
    people = [await user(f"user{number}") for number in range(30)]
    group_id = await group("Sales", people[:15])
    rename = patch({"op": "Replace", "path": "displayName", "value": "Sales EU"})
    changes = [add(person) for person in people[15:]] + [remove(person) for person in people[:10]] + [rename]
    await asyncio.gather(*(resources.patch(acme, "Group", group_id, change) for change in changes))
    assert await members_of(resources, acme, group_id) == set(people[10:])
    found = await resources.read(acme, "Group", group_id)
    assert msgspec.json.decode(found.stored.document)["displayName"] == "Sales EU"


async def test_concurrent_changes_of_one_user_lose_nothing(resources: Resources, acme: Principal, user: Any) -> None:
    person = await user("ada")
    names = ("nickName", "title", "displayName", "locale", "timezone", "userType", "preferredLanguage")
    await asyncio.gather(
        *(resources.patch(acme, "User", person, patch({"op": "Add", "path": name, "value": name})) for name in names)
    )
    found = msgspec.json.decode((await resources.read(acme, "User", person)).stored.document)
    assert {name: found.get(name) for name in names} == {name: name for name in names}


async def test_of_concurrent_identical_creates_exactly_one_succeeds(
    resources: Resources, acme: Principal, user: Any
) -> None:
    results = await asyncio.gather(*(user(name) for name in ["Ada", "ada", "ADA", "aDa"] * 2), return_exceptions=True)
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, Uniqueness) for result in results) == 7
    assert len(await ids(resources, acme, "User")) == 1


async def test_a_deletion_beside_an_addition_leaves_no_ghost_member(
    resources: Resources, acme: Principal, user: Any, group: Any
) -> None:
    group_id = await group("Sales")
    for number in range(10):
        person = await user(f"user{number}")
        await asyncio.gather(
            resources.patch(acme, "Group", group_id, add(person)),
            resources.delete(acme, "User", person),
            return_exceptions=True,
        )
    assert await members_of(resources, acme, group_id) == set()


async def test_a_group_inside_a_group_is_a_member_of_its_own_kind(
    resources: Resources, acme: Principal, user: Any, group: Any
) -> None:
    inner = await group("Inner", [await user("ada")])
    outer = await group("Outer", [inner])
    found = await resources.read(acme, "Group", outer, derived=MEMBERS)
    assert list(found.members or ()) == [(inner, "Group")]
    await resources.delete(acme, "Group", inner)
    assert await members_of(resources, acme, outer) == set()


async def test_adding_somebody_twice_changes_neither_version_nor_outbox(
    resources: Resources, acme: Principal, user: Any, group: Any, database: Database
) -> None:
    person = await user("ada")
    group_id = await group("Sales", [person])
    head = await OutboxStore(database).head("acme")
    found = await resources.patch(acme, "Group", group_id, add(person))
    assert found.stored.version == 1
    assert await OutboxStore(database).head("acme") == head


async def test_a_failed_patch_changes_nothing_not_even_its_first_operation(
    resources: Resources, acme: Principal, user: Any, group: Any
) -> None:
    one, two = await user("one"), await user("two")
    group_id = await group("Sales", [one])
    operations = [
        {"op": "replace", "path": "displayName", "value": "Other"},
        {"op": "add", "path": "members", "value": [{"value": two}]},
        {"op": "add", "path": "members", "value": [{"value": "nobody"}]},
    ]
    with pytest.raises(InvalidValue, match="nobody"):
        await resources.patch(acme, "Group", group_id, patch(*operations))
    found = await resources.read(acme, "Group", group_id, derived=MEMBERS)
    assert found.stored.version == 1
    assert [member for member, _ in found.members or ()] == [one]


async def test_a_deleted_user_leaves_groups_and_is_nobodys_manager(
    resources: Resources, acme: Principal, user: Any, group: Any
) -> None:
    boss = await user("boss")
    report = await user("report", **{ENTERPRISE_USER_URN: {"manager": {"value": boss}, "department": "R&D"}})
    group_id = await group("Sales", [boss, report])
    assert await ids(resources, acme, "User", f'manager eq "{boss}"') == [report]
    await resources.delete(acme, "User", boss)
    assert await members_of(resources, acme, group_id) == {report}
    found = msgspec.json.decode((await resources.read(acme, "User", report)).stored.document)
    assert found[ENTERPRISE_USER_URN] == {"department": "R&D"}
    assert await ids(resources, acme, "User", f'manager eq "{boss}"') == []


async def test_a_put_removes_what_it_does_not_name(resources: Resources, acme: Principal, user: Any) -> None:
    person = await user("ada", title="CTO", externalId="7")
    await resources.replace(acme, "User", person, {"schemas": [USER_URN], "userName": "ada", "nickName": "Ad"})
    found = msgspec.json.decode((await resources.read(acme, "User", person)).stored.document)
    assert found == {"schemas": [USER_URN], "id": person, "userName": "ada", "nickName": "Ad"}
    assert await ids(resources, acme, "User", 'externalId eq "7"') == []


async def test_a_stale_version_is_refused_inside_the_transaction(
    resources: Resources, acme: Principal, user: Any
) -> None:
    person = await user("ada")
    change = patch({"op": "replace", "path": "title", "value": "CTO"})
    await resources.patch(acme, "User", person, change, if_match='W/"1"')
    for attempt in (
        resources.patch(acme, "User", person, change, if_match='W/"1"'),
        resources.replace(acme, "User", person, {"userName": "ada"}, if_match='W/"1"'),
        resources.delete(acme, "User", person, if_match='W/"1"'),
    ):
        with pytest.raises(PreconditionFailed):
            await attempt
    await resources.delete(acme, "User", person, if_match='W/"2"')


async def test_what_changes_nothing_keeps_version_and_time(
    resources: Resources, acme: Principal, user: Any, clock: SettableClock
) -> None:
    person = await user("ada", title="CTO")
    before = await resources.read(acme, "User", person)
    clock.advance(60)
    await resources.patch(acme, "User", person, patch({"op": "replace", "path": "title", "value": "CTO"}))
    assert (await resources.read(acme, "User", person)).stored == before.stored
    await resources.patch(acme, "User", person, patch({"op": "replace", "path": "title", "value": "CEO"}))
    after = (await resources.read(acme, "User", person)).stored
    assert (after.version, after.created_at) == (2, before.stored.created_at)
    assert after.modified_at == before.stored.modified_at + 60_000


async def test_every_change_enters_the_outbox_in_order(
    resources: Resources, acme: Principal, user: Any, group: Any, database: Database
) -> None:
    person = await user("ada")
    group_id = await group("Sales")
    await resources.patch(acme, "Group", group_id, add(person))
    await resources.delete(acme, "User", person)
    found = await OutboxStore(database).read("acme", 0, 100)
    assert [(entry.seq, entry.resource_id, entry.change) for entry in found] == [
        (1, person, "created"),
        (2, group_id, "created"),
        (3, group_id, "updated"),
        (4, person, "deleted"),
        (5, group_id, "updated"),
    ]


async def test_one_company_sees_and_touches_nothing_of_another(
    resources: Resources, acme: Principal, other: Principal, user: Any, group: Any
) -> None:
    person = await user("ada")
    group_id = await group("Sales", [person])
    own = await group("Own", caller=other)
    change = patch({"op": "replace", "path": "displayName", "value": "stolen"})
    for kind, resource_id in (("User", person), ("Group", group_id)):
        for attempt in (
            resources.read(other, kind, resource_id),  # type: ignore[arg-type]  # a literal in a tuple
            resources.patch(other, kind, resource_id, change),  # type: ignore[arg-type]  # the same
            resources.replace(other, kind, resource_id, {"userName": "x", "displayName": "x"}),  # type: ignore[arg-type]  # the same
            resources.delete(other, kind, resource_id),  # type: ignore[arg-type]  # the same
        ):
            with pytest.raises(NotFound404):
                await attempt
    with pytest.raises(InvalidValue):
        await resources.patch(other, "Group", own, add(person))
    for text in (
        None,
        'userName eq "ada"',
        f'id eq "{person}"',
        'userName sw "a"',
        "active pr",
        f'groups eq "{group_id}"',
    ):
        assert await ids(resources, other, "User", text) == []
    assert await ids(resources, other, "Group", f'members eq "{person}"') == []
    await user("ada", caller=other)
    assert await members_of(resources, acme, group_id) == {person}


async def test_counts_are_a_companys_own(resources: Resources, user: Any, group: Any, other: Principal) -> None:
    await group("Sales", [await user("ada"), await user("bea")])
    await user("ada", caller=other)
    assert await resources.counts(operator(), "acme") == Counts(users=2, groups=1, memberships=2)
    with pytest.raises(Forbidden):
        await resources.counts(other.actor, "acme")


async def test_an_id_that_no_database_can_hold_is_just_not_there(resources: Resources, acme: Principal) -> None:
    for odd in ("\0", "x" * 10_000, "' OR 1=1 --", "\ud800"):
        with pytest.raises(NotFound404):
            await resources.read(acme, "User", odd)
        with pytest.raises(NotFound404):
            await resources.delete(acme, "User", odd)


async def test_a_reader_may_not_write(resources: Resources, acme: Principal, user: Any) -> None:
    person = await user("ada")
    reader = Principal("acme", Actor(Realm("company", "acme"), "r", frozenset({Right.SCIM_READ})), "r", "entra")
    assert (await resources.read(reader, "User", person)).stored.id == person
    for attempt in (
        resources.create(reader, "User", {"userName": "x"}),
        resources.patch(reader, "User", person, patch({"op": "remove", "path": "title"})),
        resources.replace(reader, "User", person, {"userName": "x"}),
        resources.delete(reader, "User", person),
    ):
        with pytest.raises(Forbidden):
            await attempt


async def test_a_large_group_answers_a_patch_without_members_unless_they_are_asked_for(
    resources: Resources, acme: Principal, user: Any, group: Any
) -> None:
    people = [await user(f"user{number}") for number in range(202)]
    group_id = await group("Sales", people[:199])
    assert len((await resources.patch(acme, "Group", group_id, add(people[199]))).members or ()) == 200
    assert (await resources.patch(acme, "Group", group_id, add(people[200]))).members is None
    found = await resources.patch(acme, "Group", group_id, add(people[201]), all_members=True)
    assert len(found.members or ()) == 202


async def test_a_users_groups_are_derived_and_named(
    resources: Resources, acme: Principal, user: Any, group: Any
) -> None:
    person = await user("ada")
    sales, odd = await group("Sales", [person]), await group('O"Brien\\', [person])
    found = document.as_dict(await resources.read(acme, "User", person, derived=GROUPS), "https://x/scim")
    assert [(entry["value"], entry["display"]) for entry in found["groups"]] == [(sales, "Sales"), (odd, 'O"Brien\\')]
    page = await resources.search(acme, "User", SearchRequest(), derived=GROUPS)
    assert list(page.resources[0].groups or ()) == [(sales, "Sales"), (odd, 'O"Brien\\')]
