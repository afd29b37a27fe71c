"""The simulated target itself: what it can be told to do, and that it notices what a test must not miss."""

from __future__ import annotations

import msgspec
import pytest

from provisor.connector.transport import ConnectionLost, Request, Response, TimedOut
from provisor.testing.clock import SettableClock
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import failure, method, names, reset, silence, slow, too_many_requests, unauthorized

ADA = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}


async def call(target: SimulatedTarget, verb: str, path: str, body: object = None) -> Response:
    raw = msgspec.json.encode(body) if body is not None else None
    return await target.send(Request(verb, target.base_address + path, {"Authorization": "Bearer x"}, raw, 5.0))


def patch(*operations: dict[str, object]) -> dict[str, object]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


async def test_a_taken_name_is_refused_unless_the_target_allows_duplicates() -> None:
    strict, lax = SimulatedTarget(), SimulatedTarget(refuses_duplicates=False)

    assert [(await call(strict, "POST", "/Users", ADA)).status for _ in range(2)] == [201, 409]
    assert [(await call(lax, "POST", "/Users", ADA)).status for _ in range(2)] == [201, 201]
    assert list(strict.users_by_name()) == ["ada"]
    with pytest.raises(AssertionError, match="same userName"):
        lax.users_by_name()


async def test_groups_can_be_made_not_to_be_renamed() -> None:
    target = SimulatedTarget(renames_groups=False)
    await call(target, "POST", "/Groups", {"displayName": "Sales"})

    rename = patch({"op": "replace", "path": "displayName", "value": "Sales EU"})
    add = patch({"op": "add", "path": "members", "value": [{"value": "u1"}]})

    assert (await call(target, "PATCH", "/Groups/g1", rename)).status == 400
    assert (await call(target, "PATCH", "/Groups/g1", add)).status == 204
    assert target.memberships() == {"Sales": {"u1"}}


async def test_a_patch_is_all_or_nothing() -> None:
    target = SimulatedTarget(strict=True)
    await call(target, "POST", "/Users", ADA)

    reply = await call(
        target,
        "PATCH",
        "/Users/u1",
        patch({"op": "add", "path": "title", "value": "x"}, {"op": "remove", "path": 'emails[type eq "work"]'}),
    )

    assert reply.status == 400
    assert "title" not in target.users["u1"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Replace", "path": "title", "value": "x"},
        {"op": "replace", "path": "active", "value": "False"},
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "x"},
        {"op": "remove", "path": "members", "value": [{"value": "u1"}]},
        {"op": "add", "path": "urn:x:2.0:User:manager", "value": "u1"},
    ],
)
async def test_entras_ways_are_refused_by_a_strict_target_only(operation: dict[str, object]) -> None:
    statuses = []
    for strict in (True, False):
        target = SimulatedTarget(strict=strict)
        await call(target, "POST", "/Users", ADA)
        statuses.append((await call(target, "PATCH", "/Users/u1", patch(operation))).status)

    assert statuses == [400, 200]


async def test_faults_meet_the_requests_they_are_meant_for_as_often_as_told_and_in_order() -> None:
    target = SimulatedTarget()
    target.fault(failure(500), when=method("POST"), times=2)
    target.fault(unauthorized(), when=names("bob"), times=None)
    target.fault(too_many_requests(3), when=method("POST"))
    bob = {**ADA, "userName": "bob"}

    statuses = [(await call(target, "POST", "/Users", body)).status for body in (ADA, bob, bob, ADA, bob, ADA)]

    assert statuses == [500, 500, 401, 429, 401, 201]
    target.heal()
    assert (await call(target, "POST", "/Users", bob)).status == 201
    assert [request.status for request in target.sent("POST", "/Users")] == [*statuses, 201]


async def test_silence_lasts_as_long_as_the_client_waits_and_a_reset_comes_at_once() -> None:
    clock = SettableClock(skipping=True)
    target = SimulatedTarget(clock=clock)
    began = clock.now_ms()
    for fault in (slow(2), reset(), silence()):
        target.fault(fault)

    assert (await call(target, "GET", "/Users")).status == 200
    assert clock.now_ms() - began == 2_000
    with pytest.raises(ConnectionLost):
        await call(target, "GET", "/Users")
    with pytest.raises(TimedOut):
        await call(target, "GET", "/Users")
    assert clock.now_ms() - began == 7_000
    assert [request.status for request in target.requests] == [200, None, None]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("GET", "/Users?filter=userName%20eq%20%22ADA%22%20and%20active%20eq%20true", None, 200),
        ("GET", "/Users?filter=userName%20co%20%22a%22", None, 400),
        ("GET", "/Users?filter=a%20eq%201%20or%20b%20eq%202", None, 400),
        ("GET", "/Nothing", None, 404),
        ("GET", "/Users/u99", None, 404),
        ("PUT", "/Users/u1", {}, 405),
        ("PUT", "/Users", {}, 405),
        ("POST", "/Users", {"displayName": "no name"}, 400),
        ("DELETE", "/Users/u1", None, 204),
    ],
)
async def test_requests_get_the_status_of_a_scim_service(verb: str, path: str, body: object, status: int) -> None:
    target = SimulatedTarget()
    await call(target, "POST", "/Users", ADA)

    assert (await call(target, verb, path, body)).status == status


async def test_a_deleted_person_leaves_the_groups() -> None:
    target = SimulatedTarget()
    await call(target, "POST", "/Users", ADA)
    await call(target, "POST", "/Groups", {"displayName": "Sales", "members": [{"value": "u1"}]})
    assert target.memberships() == {"Sales": {"ada"}}

    await call(target, "DELETE", "/Users/u1")

    assert target.memberships() == {"Sales": set()}
    assert list(target.groups_by_name()) == ["Sales"]
