"""The log of SCIM requests over both engines: what is found in it, for whom, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from provisor.errors import Forbidden, InvalidInput, NotFound
from provisor.provider.model import Principal
from provisor.provider.requestlog import service
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


async def test_a_page_goes_on_where_the_one_before_ended_and_has_no_bodies(log: RequestLog, acme: Principal) -> None:
    for number in range(5):
        note(log, acme, f"/scim/Users/{number}", request=b"{}")
        await log.flush()
    first = await log.page(operator(), "acme", Wanted(), limit=3)
    assert [entry.path[-1] for entry in first.entries] == ["4", "3", "2"]
    assert first.entries[0].request is None
    second = await log.page(operator(), "acme", Wanted(before=first.before), limit=3)
    assert [entry.path[-1] for entry in second.entries] == ["1", "0"]
    assert second.before is None
    assert (await log.page(operator(), "other", Wanted())).entries == []


async def test_of_a_long_log_a_page_looks_through_a_part_and_says_where_to_go_on(
    log: RequestLog, acme: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_WINDOW", 4)
    for number in range(10):
        note(log, acme, f"/scim/Users/{number}", status=500 if number == 1 else 200)
        await log.flush()
    seen, before, pages = [], None, 0
    while True:
        page = await log.page(operator(), "acme", Wanted(failed=True, before=before))
        seen += [entry.path[-1] for entry in page.entries]
        pages += 1
        if page.before is None:
            break
        before = page.before
    assert (seen, pages) == (["1"], 3)


async def test_what_a_request_was_about_is_known(log: RequestLog, acme: Principal) -> None:
    user = "01a20e14-52e1-7bdd-97ab-b8a82fa85a65"
    note(log, acme, "/scim/Users", method="POST", status=201, answer=b'{"schemas":[],"id":"%b"}' % user.encode())
    note(log, acme, f"/scim/v2/Users/{user}?x=1", method="PATCH")
    note(log, acme, "/scim/Users", method="POST", status=201, answer=b"not JSON")
    note(log, acme, "/scim/Users?filter=x")
    await log.flush()
    found = await log.about(operator(), "acme", user)
    assert [entry.method for entry in found] == ["PATCH", "POST"]
    entry = await log.entry(operator(), "acme", found[0].id)
    assert entry.resource_id == user
    for company, entry_id in (("other", entry.id), ("acme", "nothing")):
        with pytest.raises(NotFound):
            await log.entry(operator(), company, entry_id)
    stranger = Actor(Realm("company", "other"), "eve", rights_of(["Company Administrator"]))
    with pytest.raises(Forbidden):
        await log.entry(stranger, "acme", entry.id)
    with pytest.raises(Forbidden):
        await log.about(stranger, "acme", user)
    with pytest.raises(Forbidden):
        await log.activity(stranger, "acme")


async def test_the_last_day_is_told_hour_by_hour(log: RequestLog, acme: Principal, clock: SettableClock) -> None:
    note(log, acme)
    clock.advance(23.5 * 3600)
    note(log, acme, status=400)
    note(log, acme)
    await log.flush()
    day = await log.activity(operator(), "acme")
    assert (day.total, day.failed, day.capped, len(day.hours)) == (3, 1, False, 24)
    assert (day.hours[0][1:], day.hours[-1][1:]) == ((1, 0), (2, 1))
    clock.advance(3600)
    assert (await log.activity(operator(), "acme")).total == 2
    assert (await log.activity(operator(), "other")).total == 0
