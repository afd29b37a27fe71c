"""Searches: what the database finds is what the filter means, page by page, in every order."""

from __future__ import annotations

import random
from itertools import product

import pytest

from provisor.directory.documents import document
from provisor.directory.model import NewUser
from provisor.directory.searching.model import Position, Query, Sort
from provisor.directory.searching.service import Search
from provisor.directory.searching.store import SearchStore
from provisor.directory.service import Directory
from provisor.directory.store import DirectoryStore
from provisor.odata.evaluate import matches
from provisor.odata.filters import parse_filter
from provisor.security.actor import Actor
from provisor.storage.database import Database

_PEOPLE = [
    ("Ann Berg", "Ops", "E1"),
    ("ann berg", "ops", "E2"),
    ("Änne Öz", "Öps", None),
    ("A\u0308nne Zoe", None, "E4"),
    ("Bo", "Ops", "E5"),
    ("  Cy", "Sales", None),
    ("Straße 7", "SALES", "E7"),
    ("STRASSE 8", None, None),
    ("Dee", "Ops", "E9"),
    ("ann", "Ops", None),
]
_FILTERS = [
    "displayName eq 'ANN BERG'",
    "startswith(displayName,'ann')",
    "startswith(displayName,'Ann ')",
    "startswith(displayName,'ä')",
    "startswith(displayName,'strasse')",
    "startswith(displayName,' ')",
    "startswith(displayName,'  C')",
    "department eq 'OPS'",
    "department eq 'öps' or employeeId eq 'e4'",
    "department in ('ops','sales')",
    "department eq 'ops' and accountEnabled eq false",
    "department eq null",
    "department ne 'ops'",
    "employeeId ge 'E4'",
    "startswith(mail,'p1')",
    "mail eq 'P3@LINDENHOF.example' or userPrincipalName eq 'p4@lindenhof.example'",
    "userPrincipalName in ('p1@lindenhof.example','P2@lindenhof.example','nobody@lindenhof.example')",
    "mailNickname eq 'P7'",
    "not(startswith(displayName,'a'))",
    "endswith(mail,'@lindenhof.example')",
    "otherMails/any(m:startswith(m,'x'))",
    "accountEnabled eq false",
]


@pytest.fixture
def search(database: Database) -> Search:
    return Search(SearchStore(DirectoryStore(database), most_walked=500))


@pytest.fixture
async def people(directory: Directory, actor: Actor, tenant: str) -> None:
    made = [
        NewUser(
            {
                "userPrincipalName": f"p{number}@lindenhof.example",
                "displayName": name,
                "mail": f"P{number}@lindenhof.example" if number % 2 else None,
                "department": department,
                "employeeId": employee_id,
                "accountEnabled": number % 3 != 0,
                "otherMails": ["X@two.example"] if number == 5 else [],
            }
        )
        for number, (name, department, employee_id) in enumerate(_PEOPLE)
    ]
    users = await directory.create_users(actor, tenant, made)
    await directory.delete_user(actor, tenant, users[8].id)


@pytest.mark.usefixtures("people")
async def test_a_search_finds_what_the_filter_means(
    directory: Directory, search: Search, actor: Actor, tenant: str
) -> None:
    everybody = [user for user in await directory.users_after(actor, tenant, None, 100) if user.deleted_at is None]
    sorts: list[Sort | None] = [None, "displayName", "userPrincipalName", "id"]
    for text, sort, descending in product(_FILTERS, sorts, (False, True)):
        node = parse_filter(text)
        wanted = {user.id for user in everybody if matches(node, document(user))}
        query = Query(node, sort=sort, descending=descending)

        found: list[str] = []
        after: Position | None = None
        while True:
            page = await search.users(actor, tenant, query, after, 2)
            found += [user.id for user in page.objects]
            assert len(page.objects) <= 2
            after = page.next
            if after is None:
                break

        assert len(found) == len(set(found)), (text, sort, descending)
        assert set(found) == wanted, (text, sort, descending)
        assert await search.count_users(actor, tenant, query) == len(wanted), text


@pytest.mark.usefixtures("people")
async def test_names_come_in_their_order(search: Search, actor: Actor, tenant: str) -> None:
    page = await search.users(actor, tenant, Query(sort="displayName"), None, 100)

    names = [user.display_name for user in page.objects]
    assert names[:4] == ["ann", "Ann Berg", "ann berg", "Bo"]
    backwards = await search.users(actor, tenant, Query(sort="displayName", descending=True), None, 100)
    assert [user.display_name for user in backwards.objects] == names[::-1]


@pytest.mark.usefixtures("people")
async def test_deleted_people_are_looked_for_by_themselves(search: Search, actor: Actor, tenant: str) -> None:
    page = await search.users(actor, tenant, Query(deleted=True), None, 100)

    assert [user.display_name for user in page.objects] == ["Dee"]
    assert await search.count_users(actor, tenant, Query(deleted=True)) == 1


async def test_a_page_looks_at_a_bounded_number_of_people(
    directory: Directory, search: Search, actor: Actor, tenant: str
) -> None:
    """The one who is looked for is the last of 1,200: the first pages end early, empty, and say where to go on."""
    names = [f"n{number:04}" for number in range(1_200)]
    random.Random(7).shuffle(names)
    await directory.create_users(
        actor,
        tenant,
        [NewUser({"userPrincipalName": f"{name}@lindenhof.example", "displayName": name}) for name in names],
    )
    last = names[-1]
    await directory.update_user(
        actor, tenant, (await directory.find_user(actor, tenant, f"{last}@lindenhof.example")).id, {"city": "Bern"}
    )

    query = Query(parse_filter("city eq 'bern'"))
    first = await search.users(actor, tenant, query, None, 10)
    assert first.objects == []
    assert first.next is not None
    second = await search.users(actor, tenant, query, first.next, 10)
    assert second.next is not None
    third = await search.users(actor, tenant, query, second.next, 10)
    assert [user.display_name for user in (*second.objects, *third.objects)] == [last]
    assert third.next is None


async def test_groups_are_found_by_their_names(directory: Directory, search: Search, actor: Actor, tenant: str) -> None:
    for name in ("Sales", "sales", "Ops"):
        await directory.create_group(actor, tenant, {"displayName": name})

    page = await search.groups(actor, tenant, Query(parse_filter("displayName eq 'SALES'")), None, 10)

    assert {group.display_name for group in page.objects} == {"Sales", "sales"}
    assert await search.count_groups(actor, tenant, Query()) == 3
