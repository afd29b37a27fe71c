"""``$filter``: what is read, what is refused, and what it means on a document."""

from __future__ import annotations

import pytest

from provisor.odata.errors import BadQuery, UnknownProperty, Unsupported
from provisor.odata.evaluate import matches
from provisor.odata.filters import parse_filter
from provisor.odata.tree import And, Call, Compare, In, Lambda, Moment, Not, Or
from provisor.odata.types import EntityType, Property, properties

THING = EntityType(
    "thing",
    properties(
        texts="id displayName mail",
        flags="accountEnabled",
        numbers="size",
        moments="createdDateTime",
        lists="otherMails",
        records={"status": {"code": Property()}},
        record_lists={"steps": {"name": Property()}},
    ),
)
ANN = {
    "id": "0f3c4d10-0000-0000-0000-000000000001",
    "displayName": "Ann O'Hara",
    "mail": "ann@lindenhof.example",
    "accountEnabled": True,
    "size": 7,
    "createdDateTime": "2026-01-02T03:04:05.000Z",
    "otherMails": ["a@one.example", "B@two.example"],
    "status": {"code": "failure"},
    "steps": [{"name": "import"}, {"name": "export"}],
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("displayName eq 'Ann O''Hara'", Compare("eq", ("displayName",), "Ann O'Hara")),
        ("DISPLAYNAME eq 'x'", Compare("eq", ("displayName",), "x")),
        ("'x' lt displayName", Compare("gt", ("displayName",), "x")),
        ("accountEnabled", Compare("eq", ("accountEnabled",), True)),
        ("not accountEnabled", Not(Compare("eq", ("accountEnabled",), True))),
        ("startswith(displayName,'A')", Call("startswith", ("displayName",), "A")),
        ("startsWith(displayName, 'A') eq true", Call("startswith", ("displayName",), "A")),
        ("startswith(displayName,'A') eq false", Not(Call("startswith", ("displayName",), "A"))),
        ("id in ('a', 'b')", In(("id",), ("a", "b"))),
        ("mail eq null", Compare("eq", ("mail",), None)),
        ("id eq 0F3C4D10-0000-0000-0000-000000000001", Compare("eq", ("id",), "0f3c4d10-0000-0000-0000-000000000001")),
        ("createdDateTime gt 1970-01-01T00:00:01Z", Compare("gt", ("createdDateTime",), Moment(1000))),
        ("createdDateTime ge 1970-01-02", Compare("ge", ("createdDateTime",), Moment(86_400_000))),
        ("createdDateTime le 1970-01-01T00:00:00.1234567Z", Compare("le", ("createdDateTime",), Moment(123))),
        ("status/code eq 'x'", Compare("eq", ("status", "code"), "x")),
        ("otherMails/any(m:m eq 'x')", Lambda("any", ("otherMails",), Compare("eq", (), "x"))),
        ("steps/any(s:s/name eq 'x')", Lambda("any", ("steps",), Compare("eq", ("name",), "x"))),
        ("otherMails/any()", Lambda("any", ("otherMails",), None)),
        ("otherMails/$count eq 0", Compare("eq", ("otherMails", "$count"), 0)),
        (
            "id eq 'a' or id eq 'b' and not(id eq 'c')",
            Or(
                (
                    Compare("eq", ("id",), "a"),
                    And((Compare("eq", ("id",), "b"), Not(Compare("eq", ("id",), "c")))),
                )
            ),
        ),
    ],
)
def test_a_filter_is_read(text: str, tree: object) -> None:
    assert parse_filter(text, THING) == tree


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("displayNam eq 'x'", UnknownProperty, "'displayNam'"),
        ("status/reason eq 'x'", UnknownProperty, "'reason'"),
        ("mail/part eq 'x'", UnknownProperty, "'part'"),
        ("", BadQuery, "empty"),
        ("displayName eq", BadQuery, "a value"),
        ("displayName eq 'x", BadQuery, "position"),
        ("displayName 'x'", BadQuery, "an operator"),
        ("(displayName eq 'x'", BadQuery, "')'"),
        ("displayName eq 'x' displayName", BadQuery, "the end"),
        ("tolower(displayName) eq 'x'", Unsupported, "tolower"),
        ("otherMails/any(m:displayName eq 'x')", Unsupported, "variable"),
        ("id in ()", BadQuery, "a value"),
        ("createdDateTime gt 2026-13-01", BadQuery, "date"),
        ("(" * 60 + "accountEnabled" + ")" * 60, BadQuery, "deep"),
        (" or ".join(["accountEnabled"] * 501), BadQuery, "500"),
        ("displayName eq '" + "x" * 17_000 + "'", BadQuery, "characters"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_reason(text: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match="(?s).*" + says.replace("(", r"\(").replace(")", r"\)").replace("'", "'")):
        parse_filter(text, THING)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("displayName eq 'ANN O''HARA'", True),
        ("displayName ne 'ann o''hara'", False),
        ("mail ne null", True),
        ("status/code eq 'FAILURE'", True),
        ("size gt 6 and size le 7", True),
        ("size gt 7", False),
        ("size eq '7'", False),
        ("displayName gt 5", False),
        ("createdDateTime gt 2026-01-02T03:04:04Z", True),
        ("createdDateTime lt 2026-01-02T03:04:05Z", False),
        ("createdDateTime eq 2026-01-02T03:04:05Z", True),
        ("startswith(displayName,'ann')", True),
        ("endswith(mail,'@LINDENHOF.example')", True),
        ("contains(mail,'linden')", True),
        ("contains(size,'7')", False),
        ("id in ('x', '0F3C4D10-0000-0000-0000-000000000001')", True),
        ("otherMails/any(m:m eq 'b@two.example')", True),
        ("otherMails/any(m:startswith(m,'c'))", False),
        ("otherMails/all(m:endswith(m,'.example'))", True),
        ("otherMails/any()", True),
        ("otherMails/$count eq 2", True),
        ("steps/any(s:s/name eq 'Export')", True),
        ("steps/any(s:s/name eq 'scoping')", False),
        ("accountEnabled eq false or not(accountEnabled eq false)", True),
        ("nothing eq null", True),
        ("nothing gt 5", False),
        ("missing/part eq null", True),
    ],
)
def test_a_filter_holds_or_not(text: str, holds: bool) -> None:
    assert matches(parse_filter(text), ANN) is holds


def test_case_counts_where_it_is_said_to() -> None:
    tree = parse_filter("displayName eq 'ann o''hara'")

    assert not matches(tree, ANN, lambda path: path == ("displayName",))
    assert matches(tree, ANN, lambda path: path == ("mail",))
