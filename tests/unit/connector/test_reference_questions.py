"""Entra asks whether a reference is there already before it sends it: reference entra-scim-wire.md sections 2 and 6."""

from __future__ import annotations

import pytest

from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.client import ScimClient
from provisor.connector.dialect import load_dialect
from provisor.connector.errors import ServerFailed
from provisor.connector.messages import reference_query
from provisor.connector.paths import ENTERPRISE
from provisor.testing.clock import SettableClock
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import Fault, Recorded

MANAGER = f"{ENTERPRISE}:manager"
ENTRAS = ["entra", "entra-aadOptscim062020"]


def client_of(target: SimulatedTarget, dialect: str) -> ScimClient:
    return ScimClient(
        target,
        base_address="https://target.test/scim/v2",
        token="secret-token",
        dialect=load_dialect(dialect),
        capabilities=CapabilityProfile(),
        clock=SettableClock(skipping=True),
    )


def is_question(request: Recorded) -> bool:
    return " and " in request.query.get("filter", "")


def questions(target: SimulatedTarget) -> list[tuple[str, dict[str, str]]]:
    return [(request.path, dict(request.query)) for request in target.requests if is_question(request)]


async def two_people(client: ScimClient) -> tuple[str, str]:
    ada = await client.create("User", {"userName": "ada"})
    bob = await client.create("User", {"userName": "bob"})
    return ada.id, bob.id


@pytest.mark.parametrize("dialect", ENTRAS)
async def test_a_manager_is_asked_for_and_sent_only_when_it_is_not_there(dialect: str) -> None:
    target = SimulatedTarget()
    client = client_of(target, dialect)
    ada, bob = await two_people(client)

    await client.set_reference("User", bob, MANAGER, None, ada)
    await client.set_reference("User", bob, MANAGER, None, ada)

    asked = ("/Users", {"filter": f'id eq "{bob}" and manager eq "{ada}"', "attributes": "id"})
    assert questions(target) == [asked, asked]
    assert len(target.sent("PATCH")) == 1
    assert target.managers() == {"bob": "ada"}


@pytest.mark.parametrize("dialect", ENTRAS)
async def test_another_manager_than_the_one_there_is_sent(dialect: str) -> None:
    target = SimulatedTarget()
    client = client_of(target, dialect)
    ada, bob = await two_people(client)
    cleo = (await client.create("User", {"userName": "cleo"})).id

    await client.set_reference("User", bob, MANAGER, None, ada)
    await client.set_reference("User", bob, MANAGER, ada, cleo)

    assert target.managers() == {"bob": "cleo"}


@pytest.mark.parametrize("dialect", ENTRAS)
async def test_of_members_only_those_are_sent_that_are_not_there(dialect: str) -> None:
    target = SimulatedTarget()
    client = client_of(target, dialect)
    ada, bob = await two_people(client)
    group = (await client.create("Group", {"displayName": "Sales"})).id
    await client.change_members(group, [ada], [])
    target.requests.clear()

    await client.change_members(group, [ada, bob], [])

    asked = [
        ("/Groups", {"filter": f'id eq "{group}" and members eq "{one}"', "attributes": "id"}) for one in (ada, bob)
    ]
    assert sorted(questions(target), key=str) == sorted(asked, key=str)
    assert len(target.sent("PATCH")) == 1
    assert target.memberships() == {"Sales": {"ada", "bob"}}


@pytest.mark.parametrize("dialect", ENTRAS)
async def test_what_is_taken_away_is_not_asked_for(dialect: str) -> None:
    target = SimulatedTarget()
    client = client_of(target, dialect)
    ada, bob = await two_people(client)
    group = (await client.create("Group", {"displayName": "Sales"})).id
    await client.change_members(group, [ada], [])
    await client.set_reference("User", bob, MANAGER, None, ada)
    target.requests.clear()

    await client.change_members(group, [], [ada])
    await client.set_reference("User", bob, MANAGER, ada, None)

    assert questions(target) == []
    assert (target.managers(), target.memberships()) == ({}, {"Sales": set()})


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
async def test_who_refuses_the_question_gets_the_patch_all_the_same_unless_it_failed(status: int) -> None:
    target = SimulatedTarget()
    client = client_of(target, "entra")
    ada, bob = await two_people(client)
    group = (await client.create("Group", {"displayName": "Sales"})).id
    target.fault(Fault(applied="no", reply="error", status=status), when=is_question, times=None)

    if status >= 500:
        with pytest.raises(ServerFailed):
            await client.set_reference("User", bob, MANAGER, None, ada)
        assert target.sent("PATCH") == []
        return
    await client.set_reference("User", bob, MANAGER, None, ada)
    await client.change_members(group, [bob], [])

    assert (target.managers(), target.memberships()) == ({"bob": "ada"}, {"Sales": {"bob"}})


@pytest.mark.parametrize(
    "answer",
    [
        {"totalResults": 1, "Resources": [{"id": "somebody-else"}]},
        {"totalResults": 2, "Resources": [{"id": "BOB"}, {"id": "somebody-else"}]},
        {"totalResults": 0, "Resources": []},
        {"nothing": "that SCIM knows"},
    ],
)
async def test_only_exactly_that_object_is_a_yes(answer: dict[str, object]) -> None:
    target = SimulatedTarget()
    client = client_of(target, "entra")
    ada, bob = await two_people(client)
    document = {
        **answer,
        "Resources": [
            {"id": bob} if one["id"] == "BOB" else one
            for one in answer.get("Resources", [])  # type: ignore[attr-defined]
        ],
    }
    target.fault(Fault(applied="no", reply="document", status=200, document=document), when=is_question)

    await client.set_reference("User", bob, MANAGER, None, ada)

    assert target.managers() == {"bob": "ada"}


async def test_the_default_dialect_asks_nothing() -> None:
    target = SimulatedTarget()
    client = client_of(target, "provisor")
    ada, bob = await two_people(client)
    group = (await client.create("Group", {"displayName": "Sales"})).id

    await client.set_reference("User", bob, MANAGER, None, ada)
    await client.change_members(group, [bob], [])

    assert questions(target) == []


def test_the_question_is_encoded_as_the_dialect_encodes_and_cannot_be_broken_out_of() -> None:
    query = reference_query('a"b', MANAGER, "c d", load_dialect("entra"))
    assert query == "filter=id+eq+%22a%5C%22b%22+and+manager+eq+%22c+d%22&attributes=id"
