"""The other query options: what is read, and that what is unknown is named."""

from __future__ import annotations

import pytest

from provisor.odata.errors import BadQuery, UnknownProperty, Unsupported
from provisor.odata.options import Expand, Options, Order, parse_options, split_options
from provisor.odata.search import parse_search
from provisor.odata.types import EntityType, properties

THING = EntityType("thing", properties(texts="id displayName -mail"), links={"parts": "part"})
PART = EntityType("part", properties(texts="id name"))
ALL = frozenset(("$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$count", "$search"))


def read(advanced: bool = False, **given: str) -> Options:
    options = {f"${name}": value for name, value in given.items()}
    return parse_options(options, THING, {"part": PART}.__getitem__, advanced=advanced)


def test_the_options_are_read() -> None:
    assert read(select="id,DisplayName,id").select == ("id", "displayName")
    assert read(select="*").select is None
    assert read(expand="parts($select=id,name),parts").expand == (Expand("parts", ("id", "name")), Expand("parts"))
    assert read(orderby="displayName desc,id").orderby == (Order(("displayName",), True), Order(("id",)))
    assert read(top="5", skip="2", count="TRUE") == Options(top=5, skip=2, count=True)


def test_the_dollar_may_be_missing() -> None:
    assert split_options([("top", "5"), ("$Select", "id")], ALL) == {"$top": "5", "$select": "id"}


@pytest.mark.parametrize(
    ("pairs", "kind", "says"),
    [
        ([("$nonsense", "1")], BadQuery, r"\$nonsense"),
        ([("api-version", "1")], BadQuery, "api-version"),
        ([("$deltatoken", "x")], Unsupported, r"\$deltatoken"),
        ([("$top", "1"), ("top", "2")], BadQuery, "more than once"),
        ([("$format", "atom")], BadQuery, "JSON"),
    ],
)
def test_what_is_no_option_is_named(pairs: list[tuple[str, str]], kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        split_options(pairs, ALL)


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"select": "id,nme"}, UnknownProperty, "'nme'"),
        ({"select": ","}, BadQuery, "empty"),
        ({"expand": "displayName"}, BadQuery, "not a link"),
        ({"expand": "parts($select=nme)"}, UnknownProperty, "'nme'"),
        ({"expand": "parts($top=3)"}, Unsupported, r"\$top=3"),
        ({"expand": "parts($select=id"}, BadQuery, "parenthesis"),
        ({"orderby": "displayName up"}, BadQuery, "orderby"),
        ({"orderby": "nme"}, UnknownProperty, "'nme'"),
        ({"top": "0"}, BadQuery, "from 1 to 999"),
        ({"top": "1000"}, BadQuery, "from 1 to 999"),
        ({"top": "٣"}, BadQuery, "whole number"),
        ({"count": "maybe"}, BadQuery, "true or false"),
        ({"search": "displayName:x"}, BadQuery, "double quotes"),
        ({"search": '"nme:x"'}, UnknownProperty, "'nme'"),
    ],
)
def test_what_is_wrong_with_an_option_is_said(given: dict[str, str], kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        read(**given)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"filter": "displayName eq 'x'"}, True),
        ({"filter": "startswith(displayName,'x')"}, True),
        ({"filter": "displayName ne 'x'"}, False),
        ({"filter": "not(displayName eq 'x')"}, False),
        ({"filter": "endswith(displayName,'x')"}, False),
        ({"filter": "displayName eq 'x'", "orderby": "displayName"}, False),
        ({"orderby": "displayName"}, True),
        ({"search": '"x"'}, False),
    ],
)
def test_advanced_queries_ask_for_their_header(given: dict[str, str], allowed: bool) -> None:
    read(advanced=True, **given, count="true").require_advanced()
    if allowed:
        read(**given).require_advanced()
    else:
        with pytest.raises(Unsupported, match="ConsistencyLevel"):
            read(**given).require_advanced()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"displayName:lin ann"', True),
        ('"displayName:nn"', False),
        ('"mail:ann"', True),
        ('"mail:linden"', False),
        ('"ann"', True),
        ('"mail:x" OR "displayName:ann"', True),
        ('"mail:ann" AND "displayName:x"', False),
    ],
)
def test_a_search_finds_beginnings_of_words(text: str, found: bool) -> None:
    person = {"displayName": "Ann-Marie Lindt", "mail": "ann.lindt@lindenhof.example"}

    assert parse_search(text, THING).found_in(person) is found
