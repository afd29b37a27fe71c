"""Nothing leaves for an object that was not made here, and every exchange is kept."""

from __future__ import annotations

import pytest

from provisor.certify.recorder import ForeignObject, Recorder
from provisor.connector.transport import ConnectionLost, Request
from provisor.testing.clock import SettableClock
from provisor.testing.transport import MemoryTransport, json_reply

ROOT = "https://app.test/scim"


def request(method: str, path: str) -> Request:
    return Request(method, ROOT + path, {"Authorization": "Bearer s3cret"}, b"{}", 5.0)


def recorder() -> tuple[Recorder, MemoryTransport]:
    inner = MemoryTransport(lambda sent: json_reply({"id": "u1"}, 201 if sent.method == "POST" else 200))
    return Recorder(inner, ROOT, "s3cret", SettableClock()), inner


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_a_change_of_somebody_elses_object_is_held_back(method: str) -> None:
    held, inner = recorder()
    with pytest.raises(ForeignObject, match="/Users/theirs was held back"):
        await held.send(request(method, "/Users/theirs"))
    assert inner.requests == []


async def test_what_was_made_here_may_be_changed_and_is_left_until_it_is_deleted() -> None:
    held, inner = recorder()
    await held.send(request("POST", "/Users"))
    await held.send(request("PATCH", "/Users/u1"))
    assert held.left("Users") == ["u1"]
    await held.send(request("DELETE", "/Users/u1"))
    assert held.left("Users") == []
    assert len(inner.requests) == 3


async def test_the_token_is_nowhere_in_the_record() -> None:
    held, _ = recorder()
    await held.send(request("GET", "/Users?startIndex=1"))
    assert "s3cret" not in repr([exchange.headers for exchange in held.exchanges])


async def test_a_lost_reply_has_been_seen_by_the_endpoint() -> None:
    held, inner = recorder()
    held.lose_reply(lambda sent: sent.method == "POST")
    with pytest.raises(ConnectionLost) as lost:
        await held.send(request("POST", "/Users"))
    assert lost.value.may_have_arrived
    assert (len(inner.requests), held.left("Users")) == (1, ["u1"])
    await held.send(request("POST", "/Users"))
