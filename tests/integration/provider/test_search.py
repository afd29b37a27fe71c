"""Searching: the indexes answer what the filter means, on both engines; pages are complete; costs are bounded."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisor.provider.model import Principal
from provisor.provider.resources import document
from provisor.provider.resources.index import Indexer
from provisor.provider.resources.model import Kind
from provisor.provider.resources.search import plan
from provisor.provider.resources.service import Resources
from provisor.provider.resources.store import ResourceStore
from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidFilter, TooMany
from provisor.scim.messages import SearchRequest
from provisor.scim.predicates import compile_predicate
from provisor.scim.resolution import resolve_text
from provisor.scim.schemas import ENTERPRISE_USER_URN, core
from provisor.storage.database import Database, Tx
from provisor.testing.clock import SettableClock

LONG = "x" * 299
WORDS = (
    *(
        "ada",
        "Ada",
        "ADA@b.example",
        "ad",
        "straße",
        "STRASSE",
        "ß",
        "a%_b",
        "a\\b",
        'say "hi"',
        "Ж",
        "ж",
        "\U0001f600",
    ),
    *("\ud7ff", "\U0010ffff", "e\u0301", "é", "İ", LONG, LONG + "x", LONG + "xy", LONG + "xz", "0", "x y"),
)
PATHS = (
    *("userName", "externalId", "displayName", "emails.value", "emails", "title", "name.familyName"),
    *("employeeNumber", "manager", "emails.type", "nickName"),
)


def people() -> list[dict[str, Any]]:
    """Users with every word somewhere, indexed and not, and many gaps."""
    found = []
    words = itertools.cycle(WORDS)
    for number in range(60):
        body: dict[str, Any] = {"userName": f"{next(words)}{number}", "active": number % 3 != 0}
        if number % 2:
            body["externalId"] = next(words)
        if number % 3:
            body["displayName"] = next(words)
            body["title"] = next(words)
        if number % 4:
            body["emails"] = [
                {"value": next(words), "type": ("work", "home", "other")[index], "primary": not index}
                for index in range(number % 4)
            ]
        if number % 5:
            body["name"] = {"familyName": next(words)}
            body[ENTERPRISE_USER_URN] = {"employeeNumber": next(words), "manager": {"value": next(words)}}
        found.append(body)
    return found


def quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


WORD = st.sampled_from([*WORDS, "", *(word[:-1] for word in WORDS), *(f"{word}{n}" for n, word in enumerate(WORDS))])
TEXT_TEST = st.builds(
    lambda path, op, word: f"{path} {op} {quoted(word)}",
    st.sampled_from(PATHS),
    st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]),
    WORD,
)
INNER = st.builds(
    lambda sub, op, word: f"{sub} {op} {quoted(word)}",
    st.sampled_from(["value", "type"]),
    st.sampled_from(["eq", "ne", "co", "sw"]),
    st.one_of(WORD, st.sampled_from(["work", "home"])),
)
ELEMENT = st.builds(
    lambda one, word, two, negated: f"emails[{'not (' if negated else ''}{one} {word} {two}{')' if negated else ''}]",
    INNER,
    st.sampled_from(["and", "or"]),
    INNER,
    st.booleans(),
)
LEAF = st.one_of(
    TEXT_TEST,
    INNER.map(lambda inner: f"emails[{inner}]"),
    ELEMENT,
    st.sampled_from([*(f"{path} pr" for path in PATHS), "active eq true", "active ne true", "id pr", "groups pr"]),
    st.sampled_from(['meta.created ge "2026-01-01T00:00:30Z"', 'meta.lastModified lt "2026-01-01T00:00:20.0005Z"']),
)
FILTER = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.builds(lambda one, word, two: f"({one} {word} {two})", inner, st.sampled_from(["and", "or"]), inner),
        inner.map(lambda one: f"not ({one})"),
    ),
    max_leaves=4,
)


@pytest.fixture
async def everybody(resources: Resources, acme: Principal, clock: SettableClock) -> list[dict[str, Any]]:
    """The population, stored; as dicts."""
    found = []
    for body in people():
        found.append(document.as_dict(await resources.create(acme, "User", body), "https://x/scim"))
        clock.advance(1)
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=FILTER)
async def test_the_database_finds_what_the_filter_means(
    text: str, resources: Resources, acme: Principal, everybody: list[dict[str, Any]]
) -> None:
    holds = compile_predicate(resolve_text(text, core(), "User", dialect("entra")))
    expected = [resource["id"] for resource in everybody if holds(resource)]
    page = await resources.search(acme, "User", SearchRequest(filter=text, count=1000))
    assert [served.stored.id for served in page.resources] == expected
    assert page.total == len(expected)
    part = await resources.search(acme, "User", SearchRequest(filter=text, start_index=2, count=3))
    assert [served.stored.id for served in part.resources] == expected[1:4]
    assert part.total == len(expected)


async def test_a_sorted_list_has_everybody_once_in_order(
    resources: Resources, acme: Principal, everybody: list[dict[str, Any]]
) -> None:
    names = {resource["id"]: resource["userName"].casefold()[:300] for resource in everybody}
    for path, descending in itertools.product(
        ("userName", "title", "emails.value", "meta.created", "id", "active", "name.familyName"), (False, True)
    ):
        found: list[str] = []
        for start in range(1, 62, 20):
            request = SearchRequest(sort_by=path, descending=descending, start_index=start, count=20)
            page = await resources.search(acme, "User", request)
            assert page.total == 60
            found += [served.stored.id for served in page.resources]
        assert sorted(found) == sorted(names)
        if path == "userName":
            assert [names[one] for one in found] == sorted(names.values(), reverse=descending)
        if path in ("id", "meta.created"):
            assert found == sorted(names, reverse=descending)


async def test_pages_are_disjoint_complete_and_stable_however_they_are_walked(
    resources: Resources, acme: Principal, everybody: list[dict[str, Any]]
) -> None:
    everyone = [resource["id"] for resource in everybody]

    async def page(start: int) -> list[str]:
        found = await resources.search(acme, "User", SearchRequest(start_index=start, count=7))
        assert (found.total, found.start) == (60, start)
        return [served.stored.id for served in found.resources]

    assert [one for start in range(1, 61, 7) for one in await page(start)] == everyone
    for start in (50, 3, 57, 1, 61, 99):
        assert await page(start) == everyone[start - 1 : start + 6]


async def test_a_walk_meets_who_is_there_throughout_although_others_are_deleted(
    resources: Resources, acme: Principal, everybody: list[dict[str, Any]]
) -> None:
    everyone = [resource["id"] for resource in everybody]
    first = await resources.search(acme, "User", SearchRequest(count=20))
    await resources.delete(acme, "User", everyone[3])
    second = await resources.search(acme, "User", SearchRequest(start_index=21, count=20))
    found = [served.stored.id for served in (*first.resources, *second.resources)]
    assert found == everyone[:40]
    assert second.total == 59


async def test_a_search_without_an_index_gives_up_at_the_stated_cap(
    database: Database, clock: SettableClock, acme: Principal, everybody: list[dict[str, Any]]
) -> None:
    capped = Resources(ResourceStore(database), clock, scan_cap=50)
    with pytest.raises(TooMany, match="50"):
        await capped.search(acme, "User", SearchRequest(filter='title eq "x"'))
    found = await capped.search(acme, "User", SearchRequest(filter='title eq "x" and userName sw "ada1"'))
    assert found.total == 0


async def test_an_unknown_attribute_is_an_error_and_never_everybody(
    resources: Resources, acme: Principal, everybody: list[dict[str, Any]]
) -> None:
    for text in ('shoeSize eq "43"', 'emails[shoeSize eq "43"]', "members pr"):
        with pytest.raises(InvalidFilter):
            await resources.search(acme, "User", SearchRequest(filter=text))


@pytest.mark.parametrize(
    ("kind", "text", "index"),
    [
        ("User", 'userName eq "ada1"', "ux_resource_unique (company_id=? AND type=? AND unique_key=?)"),
        ("User", 'externalId eq "ada"', "(company_id=? AND type=? AND path=? AND value=?)"),
        ("User", 'emails[type eq "work"].value eq "ada"', "(company_id=? AND type=? AND path=? AND value=?)"),
        ("User", 'userName sw "ada"', "ux_resource_unique (company_id=? AND type=? AND unique_key>? AND unique_key<?)"),
        ("User", 'id eq "x" and manager eq "y"', "(company_id=? AND type=? AND id=?)"),
        ("Group", 'displayName eq "sales"', "(company_id=? AND type=? AND path=? AND value=?)"),
        ("Group", 'id eq "x" and members eq "y"', "(company_id=? AND type=? AND id=?)"),
        ("Group", 'members eq "y"', "ix_resource_member_member (company_id=? AND member_id=?)"),
    ],
)
async def test_hot_filters_use_their_index_on_sqlite(
    memory_database: Database, kind: Kind, text: str, index: str
) -> None:
    found = plan(resolve_text(text, core(), kind, dialect("entra")), kind, "sqlite", Indexer(core()).paths(kind))
    params = {**found.params, "company_id": "c", "type": kind}
    query = f"SELECT id, document FROM resource WHERE company_id = :company_id AND type = :type AND {found.where}"

    async def explain(tx: Tx) -> str:
        rows = await tx.fetch_all(f"EXPLAIN QUERY PLAN {query} ORDER BY id LIMIT 100 OFFSET 0", params)
        return "\n".join(row[3] for row in rows)

    steps = await memory_database.read(explain)
    assert index in steps
    assert "SCAN resource" not in steps
