"""Looking through users and groups on both engines: order, search, members, sources, and whose they are."""

from __future__ import annotations

import pytest
from tests.integration.provider.conftest import Maker

from provisor.errors import Forbidden, NotFound
from provisor.provider.browsing.service import PAGE, Browsing
from provisor.provider.browsing.store import MOST_FOUND, BrowsingStore
from provisor.provider.model import Principal
from provisor.provider.resources.service import Resources
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.scim.schemas import USER_URN
from provisor.security.actor import Actor, Realm, operator
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock


@pytest.fixture
def browsing(database: Database) -> Browsing:
    return Browsing(BrowsingStore(database))


async def names(browsing: Browsing, text: str = "", kind: str = "User") -> list[str]:
    found = await browsing.lines(operator(), "acme", kind, text)
    return [line.name for line in found.lines]


async def test_a_list_is_by_name_and_goes_on_after_one(browsing: Browsing, user: Maker) -> None:
    for number in reversed(range(PAGE + 3)):
        await user(f"U{number:03}@acme.example")
    first = await browsing.lines(operator(), "acme", "User")
    assert (len(first.lines), first.total, first.lines[0].name) == (PAGE, PAGE + 3, "U000@acme.example")
    assert first.after is not None
    second = await browsing.lines(operator(), "acme", "User", after=first.after)
    assert [line.name for line in second.lines] == [f"U{PAGE + n:03}@acme.example" for n in range(3)]
    assert second.after is None


async def test_a_search_finds_by_any_part_of_a_name_in_any_case(
    browsing: Browsing, user: Maker, other: Principal
) -> None:
    ada = await user("ada@acme.example", displayName="Countess Lovelace", externalId="X-17")
    await user("grace@acme.example", emails=[{"value": "hopper@navy.example"}])
    await user("lovelace@other.example", other)
    assert await names(browsing, "LOVEL") == ["Countess Lovelace"]
    assert await names(browsing, "hopper@") == ["grace@acme.example"]
    assert await names(browsing, "X-17") == ["Countess Lovelace"]
    assert await names(browsing, ada) == ["Countess Lovelace"]
    assert await names(browsing, "acme") == ["Countess Lovelace", "grace@acme.example"]
    assert await names(browsing, "%") == []
    assert await names(browsing, "nobody") == []


async def test_what_is_found_is_paged_as_well(browsing: Browsing, user: Maker) -> None:
    for number in range(PAGE + 1):
        await user(f"u{number:03}")
    first = await browsing.lines(operator(), "acme", "User", "u0")
    assert (len(first.lines), first.total, first.capped) == (PAGE, PAGE + 1, False)
    second = await browsing.lines(operator(), "acme", "User", "u0", first.after or "")
    assert [line.name for line in second.lines] == [f"u{PAGE:03}"]


async def test_of_very_many_some_are_found_and_it_is_said(
    browsing: Browsing, resources: Resources, acme: Principal, sqlite_only: object
) -> None:
    for number in range(MOST_FOUND + 2):
        await resources.create(acme, "User", {"schemas": [USER_URN], "userName": f"u{number}"})
    found = await browsing.lines(operator(), "acme", "User", "u")
    assert found.capped
    assert len(found.lines) == PAGE


async def test_groups_members_and_names(browsing: Browsing, user: Maker, group: Maker) -> None:
    users = [await user(f"u{number:02}") for number in range(PAGE + 2)]
    inner = await group("Inner", users)
    outer = await group("Outer", [inner])
    page = await browsing.members(operator(), "acme", inner)
    assert (page.total, [link.id for link in page.members]) == (PAGE + 2, users[:PAGE])
    rest = await browsing.members(operator(), "acme", inner, page.after or "")
    assert ([link.name for link in rest.members], rest.after) == (["u50", "u51"], None)
    assert [(link.kind, link.name) for link in (await browsing.members(operator(), "acme", outer)).members] == [
        ("Group", "Inner")
    ]
    assert [link.name for link in await browsing.groups_of(operator(), "acme", users[0])] == ["Inner"]
    assert await browsing.member_totals(operator(), "acme", [inner, outer]) == {inner: PAGE + 2, outer: 1}
    assert await browsing.names(operator(), "acme", [users[0], outer, "gone"]) == {users[0]: "u00", outer: "Outer"}


async def test_a_resource_keeps_the_credential_that_it_came_with(
    browsing: Browsing, resources: Resources, database: Database, clock: SettableClock
) -> None:
    companies = Companies(CompanyStore(database), b"pepper", clock)
    company = await companies.create_company(operator(), "Acme", "ada@acme.example")
    key, text = await companies.create_key(operator(), company.id, name="entra", expires="2090-01-01")
    caller = await companies.authenticate(f"Bearer {text}")
    made = await resources.create(caller, "User", {"schemas": [USER_URN], "userName": "grace"})
    line = await browsing.line(operator(), company.id, "User", made.stored.id)
    assert (line.source, line.source_id, line.active, line.email, line.external_id) == ("entra", key.id, True, "", "")
    await companies.close()


async def test_only_who_may_read_a_company_looks_through_it(browsing: Browsing, user: Maker, acme: Principal) -> None:
    ada = await user("ada")
    assert (await browsing.line(acme.actor, "acme", "User", ada)).id == ada
    for company, resource in (("other", ada), ("acme", "nobody"), ("acme", "a" * 36)):
        with pytest.raises(NotFound):
            await browsing.line(operator(), company, "User", resource)
    stranger = Actor(Realm("company", "other"), "eve", acme.actor.rights)
    powerless = Actor(Realm("company", "acme"), "carol", frozenset())
    for actor in (stranger, powerless):
        with pytest.raises(Forbidden):
            await browsing.lines(actor, "acme", "User")
        with pytest.raises(Forbidden):
            await browsing.line(actor, "acme", "User", ada)
        with pytest.raises(Forbidden):
            await browsing.members(actor, "acme", ada)
