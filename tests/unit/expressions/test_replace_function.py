"""Replace: its five modes, the reference's table (entra-expressions.md §3.1), and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import EvaluationError, ExpressionError

PHONE = "\\\\+(?<isdCode>\\\\d* )(?<phoneNumber>\\\\d{10})"
NESTED = (
    'Replace(Replace([tel], , "\\\\+(?<isdCode>\\\\d* )(?<phoneNumber>.* )[x](?<extension>.*)", , '
    '"${phoneNumber}", , ), '
    ',"[()\\\\s-]+", ,"", , )'
)
CASES: list[tuple[str, Any, dict[str, Any]]] = [
    (
        'Replace([BusinessTitle],"Product Developer", , , "Software Engineer", , )',
        "Software Engineer",
        {"BusinessTitle": "Product Developer"},
    ),
    (
        'Replace([UserID],"<username>", , , , , "<username>@contoso.com")',
        "jsmith@contoso.com",
        {"UserID": "jsmith"},
    ),
    (f'Replace([tel], , "{PHONE}", , "${{phoneNumber}}", , )', "9998887777", {"tel": "+91 9998887777"}),
    ('Replace([mobile], , "[()\\\\s-]+", , "", , )', "+19998887777", {"mobile": "+1 (999) 888-7777"}),
    (
        'Replace([AddressLineData], ,"(?<streetNumber>^\\\\d*)","streetNumber", "888", , )',
        "888 Tremont Street",
        {"AddressLineData": "545 Tremont Street"},
    ),
    ('Replace([upn], , "(?<Suffix>@(.)*)", "Suffix", "", , )', "jsmith", {"upn": "jsmith@contoso.com"}),
    (
        f'Replace([tel], , "{PHONE}", "phoneNumber" , , [mobile], )',
        "8887779999",
        {"tel": "", "mobile": "+91 8887779999"},
    ),
    ('Replace([mailNickname], , "[a-zA-Z_]*", , "", , )', "72", {"mailNickname": "john_doe72"}),
    ('Replace([mail], "@contoso.com", , ,"", ,)', "john.doe", {"mail": "john.doe@contoso.com"}),
    ('Replace([preferredLanguage], "-", , , "_", , )', "EN_US", {"preferredLanguage": "EN-US"}),
    (
        'Replace([n], , "(?<firstName>[a-zA-Z]+ )(?<lastName>[a-zA-Z]+)", ,"${lastName}", ,)',
        "Smith",
        {"n": "John Smith"},
    ),
    (
        'Replace([WorkerID], , "(?<leadingZeros>^0+)(?<actualValue>[a-zA-Z0-9]+)", , "${actualValue}", ,)',
        "12345",
        {"WorkerID": "00012345"},
    ),
    (
        'Replace([s], ,"(?<CountryISOCode>.*)_(?<suffix1>.*)_(?<suffix2>.*)[0-9]", ,"${suffix1} ${suffix2}", , )',
        "Van der",
        {"s": "NLD_Van_der3"},
    ),
    (NESTED, "2062918163", {"tel": "+1 (206) 291-8163 x8125"}),
    # our own
    ('Replace([a], "x", , , "y", , )', None, {}),
    ('Replace([a], "x", , , "y", , )', "", {"a": ""}),
    ('Replace([a], "X", , , "y", , )', "x", {"a": "x"}),  # case counts
    ('Replace([a], "x", , , [none], , )', "b", {"a": "xbx"}),  # null is nothing to put there
    ('Replace([a], "x", , , "y", , )', ["y1", "y2"], {"a": ["x1", "x2"]}),
    ('Replace([a], "x", , , "xx", , )', "xxxx", {"a": "xx"}),  # what was put in is not looked at again
    ('Replace([a], "%", , , , , "%/%")', "me/me", {"a": "me"}),
    ('Replace([a], "%", , , , , "%/%")', None, {}),
    ('Replace([a], , "(\\\\w+) (\\\\w+)", , "$2, $1 $$ $9", , )', "Doe, Jo $ $9", {"a": "Jo Doe"}),
    ('Replace([a], , "(?<d>[0-9])", "d", "#", , )', "a#b#", {"a": "a1b2"}),
    ('Replace([a], , "zzz", , "y", , )', "abc", {"a": "abc"}),
    ('Replace([a], , [p], , "-", , )', "a-c", {"a": "abc", "p": "b"}),
    ('Replace([a], , [p], , "-", , )', EvaluationError, {"a": "abc", "p": "("}),
    ('Replace([a], [o], , , "-", , )', EvaluationError, {"a": "abc", "o": ""}),
    ('Replace([a], , "(?<g>x)", "g", , [b], )', "kept", {"a": "kept", "b": "x"}),
    ('Replace([a], , "(?<g>x)", "g", , [b], )', None, {"b": "nothing here"}),
    ('Replace([a], , "\\+", , "00", , )', "0049", {"a": "+49"}),  # one backslash is kept as it is
]


@pytest.mark.parametrize(("text", "expected", "attributes"), CASES)
def test_replace_gives_the_documented_value(
    text: str, expected: Any, attributes: dict[str, Any], evaluate: Callable[..., Any]
) -> None:
    if expected is EvaluationError:
        with pytest.raises(EvaluationError):
            evaluate(text, attributes)
    else:
        assert evaluate(text, attributes) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Replace([a])", "this combination of Replace's arguments has no meaning"),
        ('Replace([a], "x", "y", , "z", , )', "this combination of Replace's arguments has no meaning"),
        ('Replace([a], "", , , "z", , )', "oldValue is empty"),
        (
            'Replace([a], , "(x", , "z", , )',
            "in the regular expression, at its character 1: this group is never closed",
        ),
        ('Replace([a], , "(?<g>x)", "h", "z", , )', "the regular expression has no group 'h'. It has: g."),
        ('Replace([a], , "x", "h", "z", , )', "It has: none; write (?<name>...)"),
        ('Replace([a], , "(?<a-b>x)", , "z", , )', "balancing groups, (?<a-b>...), are not supported"),
    ],
)
def test_what_replace_cannot_use_is_refused_when_the_mapping_is_saved(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert message in str(caught.value)
    assert caught.value.position is not None


def test_nested_replacements_cannot_fill_the_memory(evaluate: Callable[..., Any]) -> None:
    text = "[a]"
    for _ in range(60):
        text = f'Replace({text}, "x", , , "xx", , )'
    with pytest.raises(EvaluationError, match="at most 1,000,000 are allowed"):
        evaluate(text, {"a": "x"})


def test_a_regular_expression_cannot_fill_the_memory(evaluate: Callable[..., Any]) -> None:
    with pytest.raises(EvaluationError, match="at most 1,000,000 are allowed"):
        evaluate('Replace([a], , "x", , "$_$_$_", , )', {"a": "x" * 999})
