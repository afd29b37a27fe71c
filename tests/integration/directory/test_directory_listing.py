"""Lists for people: everybody exactly once, in the order of names, and what was looked for is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from provisor.directory.listing.model import DirectorySize
from provisor.directory.listing.service import Listed, Listing
from provisor.directory.listing.store import ListingStore
from provisor.directory.model import User
from provisor.directory.service import Directory
from provisor.errors import Forbidden, InvalidInput
from provisor.security.actor import Actor, Realm, Right
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock

MakeUser = Callable[..., Awaitable[User]]


@pytest.fixture
def listing(database: Database) -> Listing:
    return Listing(ListingStore(database))


async def every(page: Callable[[str | None], Awaitable[Listed[Any]]]) -> list[Any]:
    found = await page(None)
    rows = list(found.rows)
    while found.after is not None:
        found = await page(found.after)
        assert found.rows
        rows += found.rows
    return rows


async def test_everybody_comes_once_in_the_order_of_names(
    listing: Listing, directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    names = ["Zoë", "anna", "Anna", "ANNA", "Émile", "Ben", "ben"]
    for number, name in enumerate(names):
        await make_user(f"u{number}", displayName=name)
    gone = await make_user("gone", displayName="Anna")
    await directory.delete_user(actor, tenant, gone.id)
    for size in (1, 2, 3, 7, 8):
        rows = await every(lambda after, size=size: listing.users(actor, tenant, after=after, limit=size))
        assert [user.display_name.casefold() for user in rows] == sorted(name.casefold() for name in names)
        assert len({user.id for user in rows}) == len(names)
        assert gone.id not in {user.id for user in rows}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("smith", ["Ann Smith", "Smithers"]),
        ("SMITH", ["Ann Smith", "Smithers"]),
        ("boss@", ["Zed"]),
        ("100%", ["100%_er!"]),
        ("%", ["100%_er!"]),
        ("_", ["100%_er!"]),
        ("!", ["100%_er!"]),
        ("\\", []),
        ("' OR 1=1 --", []),
        ("", ["100%_er!", "Ann Smith", "Smithers", "Zed"]),
    ],
)
async def test_what_names_contain_is_found(
    listing: Listing, actor: Actor, tenant: str, make_user: MakeUser, search: str, found: list[str]
) -> None:
    for upn, name in (("a", "Ann Smith"), ("b", "Smithers"), ("boss", "Zed"), ("d", "100%_er!")):
        await make_user(upn, displayName=name)
    assert [user.display_name for user in (await listing.users(actor, tenant, search)).rows] == found


async def test_managers_and_states(
    listing: Listing, directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    boss = await make_user("boss")
    worker = await make_user("worker", accountEnabled=False)
    await directory.set_manager(actor, tenant, worker.id, boss.id)
    [disabled] = (await listing.users(actor, tenant, enabled=False)).rows
    assert (disabled.id, disabled.manager_id) == (worker.id, boss.id)
    [enabled] = (await listing.users(actor, tenant, enabled=True)).rows
    assert enabled.id == boss.id


async def test_groups_and_the_deleted(
    listing: Listing, directory: Directory, actor: Actor, tenant: str, make_user: MakeUser, clock: SettableClock
) -> None:
    for name in ("Sales", "Law", "Sales"):
        await directory.create_group(actor, tenant, {"displayName": name, "securityEnabled": True})
    groups = await every(lambda after: listing.groups(actor, tenant, after=after, limit=1))
    assert [group.display_name for group in groups] == ["Law", "Sales", "Sales"]
    assert [group.display_name for group in (await listing.groups(actor, tenant, "aLE")).rows] == ["Sales", "Sales"]
    gone = []
    for number in range(5):
        user = await make_user(f"u{number}")
        await directory.delete_user(actor, tenant, user.id)
        gone.append(user.id)
        if number % 2:
            clock.advance(seconds=60)
    deleted = await every(lambda after: listing.deleted_users(actor, tenant, after=after, limit=2))
    assert {user.id for user in deleted} == set(gone)
    assert len(deleted) == 5
    moments = [user.deleted_at for user in deleted]
    assert moments == sorted(moments, reverse=True)
    await directory.delete_group(actor, tenant, groups[0].id)
    [law] = (await listing.deleted_groups(actor, tenant)).rows
    assert law.display_name == "Law"
    assert await listing.size(actor, tenant) == DirectorySize(0, 2, 5, 1)


@pytest.mark.parametrize("mark", ["x", "e30x", "bnVsbA", "eyJrZXkiOjF9", "ä"])
async def test_marks_that_no_page_gave(listing: Listing, actor: Actor, tenant: str, mark: str) -> None:
    with pytest.raises(InvalidInput):
        await listing.users(actor, tenant, after=mark)
    with pytest.raises(InvalidInput):
        await listing.deleted_users(actor, tenant, after=mark)


async def test_who_may_not_read_the_directory_reads_no_list(listing: Listing, tenant: str) -> None:
    for stranger in (
        Actor(Realm("tenant", "another"), "x", frozenset(Right)),
        Actor(Realm("tenant", tenant), "x", frozenset()),
    ):
        for call in (listing.users, listing.groups, listing.deleted_users, listing.deleted_groups, listing.size):
            with pytest.raises(Forbidden):
                await call(stranger, tenant)
