"""The log of SCIM requests over both engines: what is found in it, for whom, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from provisor.errors import Forbidden, InvalidInput
from provisor.provider.model import Principal
from provisor.provider.requestlog.model import Wanted
from provisor.provider.requestlog.service import RequestLog
from provisor.provider.requestlog.store import RequestStore
from provisor.provider.resources.service import Resources
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock

DAY = 24 * 3600


@pytest.fixture
def log(database: Database, resources: Resources, clock: SettableClock) -> RequestLog:
    return RequestLog(RequestStore(database), resources, clock, days=7)


def note(log: RequestLog, caller: Principal, path: str = "/scim/Users", **more: Any) -> None:
    values = {"method": "GET", "status": 200, "seconds": 0.0015, **more}
    log.note(caller, values.pop("method"), path, values.pop("status"), values.pop("seconds"), **values)


async def paths(log: RequestLog, company: str = "acme", **wanted: Any) -> list[str]:
    return [entry.path for entry in await log.entries(operator(), company, Wanted(**wanted))]


async def test_an_entry_says_who_what_how_it_ended_and_what_was_not_stored(
    log: RequestLog, acme: Principal, clock: SettableClock
) -> None:
    body = b'{"userName":"ada","password":"hunter2","shoeSize":39}'
    note(log, acme, method="POST", status=201, request=body, answer=b'{"id":"1"}', ignored=["shoeSize"])
    await log.flush()
    [entry] = await log.entries(operator(), "acme")
    assert (entry.at, entry.credential, entry.method, entry.path) == (clock.now_ms(), "key", "POST", "/scim/Users")
    assert (entry.status, entry.duration_us, entry.ignored) == (201, 1500, ["shoeSize"])
    assert entry.request is not None
    assert "ada" in entry.request
    assert "hunter2" not in entry.request
    assert entry.answer == '{"id":"1"}'


async def test_entries_are_found_newest_first_and_by_each_condition(
    log: RequestLog, acme: Principal, clock: SettableClock
) -> None:
    note(log, acme, "/scim/Users/1")
    clock.advance(10)
    note(log, acme, "/scim/Users/2", method="PATCH", status=404)
    clock.advance(10)
    note(log, acme, "/scim/Groups/100%_", status=500)
    await log.flush()
    newest = ["/scim/Groups/100%_", "/scim/Users/2", "/scim/Users/1"]
    assert await paths(log) == newest
    assert await paths(log, status=404) == ["/scim/Users/2"]
    assert await paths(log, failed=True) == newest[:2]
    assert await paths(log, method="PATCH") == ["/scim/Users/2"]
    assert await paths(log, path="USERS/") == newest[1:]
    assert await paths(log, path="0%_") == newest[:1]
    assert await paths(log, path="_") == newest[:1]
    assert await paths(log, credential="another") == []
    assert await paths(log, since=clock.now_ms() - 10_000) == newest[:2]
    assert await paths(log, until=clock.now_ms() - 10_000) == newest[2:]
    first = (await log.entries(operator(), "acme", limit=1))[0]
    assert await paths(log, before=first.id) == newest[1:]


async def test_a_company_sees_its_own_requests_only(log: RequestLog, acme: Principal, other: Principal) -> None:
    note(log, acme, "/scim/Users/acme")
    note(log, other, "/scim/Users/other")
    await log.flush()
    assert await paths(log) == ["/scim/Users/acme"]
    assert await paths(log, "other") == ["/scim/Users/other"]
    with pytest.raises(Forbidden):
        await log.entries(acme.actor, "other")
    member = Actor(Realm("company", "acme"), "member", rights_of(["Company Member"]))
    with pytest.raises(Forbidden):
        await log.entries(member, "acme")


async def test_entries_are_written_by_themselves_a_moment_later(
    log: RequestLog, acme: Principal, clock: SettableClock
) -> None:
    import asyncio

    for number in range(600):
        note(log, acme, f"/scim/Users/{number}")
    assert await paths(log) == []
    while not clock.sleepers:
        await asyncio.sleep(0)
    clock.advance(0.5)
    while len(await log.entries(operator(), "acme", limit=1000)) < 600:
        await asyncio.sleep(0.01)
    await log.close()


async def test_what_waits_is_written_when_the_log_is_closed(log: RequestLog, acme: Principal) -> None:
    note(log, acme)
    await log.close()
    assert await paths(log) == ["/scim/Users"]


async def test_entries_are_kept_for_as_many_days_as_the_setting_says(
    log: RequestLog, acme: Principal, clock: SettableClock
) -> None:
    note(log, acme, "/old")
    await log.flush()
    clock.advance(5 * DAY)
    note(log, acme, "/new")
    await log.flush()
    assert await log.tidy() == 0
    clock.advance(3 * DAY)
    assert await log.tidy() == 1
    assert await paths(log) == ["/new"]


async def test_with_no_days_nothing_is_kept(
    database: Database, resources: Resources, clock: SettableClock, acme: Principal
) -> None:
    log = RequestLog(RequestStore(database), resources, clock, days=0)
    note(log, acme)
    await log.close()
    assert await paths(log) == []


async def test_more_than_memory_may_hold_is_left_out_and_counted(log: RequestLog, acme: Principal) -> None:
    big = b"x" * (40 * 1024 * 1024)
    note(log, acme, "/kept", answer=big)
    note(log, acme, "/left-out", answer=big)
    with structlog.testing.capture_logs() as logs:
        await log.close()
    assert await paths(log) == ["/kept"]
    assert [(entry["event"], entry["count"]) for entry in logs] == [("scim_requests_not_logged", 1)]


@pytest.mark.parametrize("limit", [0, 1001])
async def test_a_limit_out_of_range_is_refused(log: RequestLog, limit: int) -> None:
    with pytest.raises(InvalidInput, match=str(limit)):
        await log.entries(operator(), "acme", limit=limit)
