"""The filter language (RFC 7644 section 3.4.2.2): parsing, printing, limits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidFilter
from provisor.scim.filters import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_TERMS,
    OPERATORS,
    And,
    Comparison,
    Not,
    Or,
    Present,
    ValuePath,
    all_of,
    any_of,
    parse,
    to_text,
)

ENTRA, RFC = dialect("entra"), dialect("rfc")


def test_and_binds_tighter_than_or_and_operators_have_no_case():
    tree = parse('userName EQ "a" OR title Pr aNd active eq true', RFC)
    assert tree == Or((Comparison("userName", "eq", "a"), And((Present("title"), Comparison("active", "eq", True)))))


def test_groups_change_the_order_and_not_needs_one():
    tree = parse('(userName eq "a" or title pr) and not (active eq true)', RFC)
    assert isinstance(tree, And)
    assert isinstance(tree.terms[0], Or)
    assert tree.terms[1] == Not(Comparison("active", "eq", True))
    with pytest.raises(InvalidFilter):
        parse("not active eq true", RFC)


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"a\\"b\\\\c\\u00e4\\n"', 'a"b\\cä\n'),
        ('"ü ( [ and ] )"', "ü ( [ and ] )"),
        ('""', ""),
        ("true", True),
        ("false", False),
        ("null", None),
        ("-12", -12),
        ("1.5e3", 1500.0),
    ],
)
def test_literals_are_those_of_json(literal, value):
    tree = parse(f"x eq {literal}", RFC)
    assert isinstance(tree, Comparison)
    assert tree.value == value
    assert type(tree.value) is type(value)


def test_value_paths_hold_a_filter_of_their_own():
    tree = parse('emails[type eq "work" and (value co "@x" or primary eq true)] and title pr', RFC)
    assert isinstance(tree, And)
    assert isinstance(tree.terms[0], ValuePath)
    assert tree.terms[0].path == "emails"


def test_a_test_after_a_value_path_concerns_the_same_element():
    after = parse('emails[type eq "work"].value eq "a@b"', ENTRA)
    assert after == parse('emails[type eq "work" and value eq "a@b"]', RFC)
    with pytest.raises(InvalidFilter, match="RFC 7644"):
        parse('emails[type eq "work"].value eq "a@b"', RFC)


def test_bare_literals_are_for_the_tolerant_dialect():
    text = "id eq 54D382A4-2050-4C03 and manager eq 2819c223 and externalId eq jyoung"
    tree = parse(text, ENTRA)
    assert to_text(tree) == 'id eq "54D382A4-2050-4C03" and manager eq "2819c223" and externalId eq "jyoung"'
    with pytest.raises(InvalidFilter, match="double quotes"):
        parse(text, RFC)


@pytest.mark.parametrize(
    "path", ["urn:ietf:params:scim:schemas:core:2.0:User:name.familyName", "$ref", "meta.lastModified", "x-y_z"]
)
def test_paths_may_be_qualified(path):
    assert parse(f'{path} eq "a"', RFC) == Comparison(path, "eq", "a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "userName",
        "userName eq",
        'userName is "a"',
        'userName eq "a',
        'userName eq "a" and',
        'and userName eq "a"',
        'userName eq "a" userName eq "b"',
        '(userName eq "a"',
        'userName eq "a")',
        'emails[type eq "a"',
        'emails[type eq "a"] "b"',
        'emails[x[y eq "a"]]',
        "emails[]",
        "not ()",
        'user name eq "a"',
        '"userName" eq "a"',
        "userName eq 'a'",
        'userName eq "\\x"',
        'userName eq "\\u0000"',
        'userName eq "\\ud800"',
        'userName eq "a\nb"',
        "userName eq (",
        "userName pr pr",
    ],
)
@pytest.mark.parametrize("by", [ENTRA, RFC], ids=["entra", "rfc"])
def test_malformed_filters_are_refused(text, by):
    with pytest.raises(InvalidFilter):
        parse(text, by)


def test_an_error_says_where():
    with pytest.raises(InvalidFilter, match="at character 10: 'is' after userName is no operator"):
        parse('userName is "a"', RFC)


def test_limits_of_length_depth_and_terms():
    with pytest.raises(InvalidFilter, match=str(MAX_LENGTH)):
        parse('title eq "' + "a" * MAX_LENGTH + '\\\\"', RFC)
    with pytest.raises(InvalidFilter, match="deep"):
        parse("(" * (MAX_DEPTH + 1) + "title pr" + ")" * (MAX_DEPTH + 1), RFC)
    with pytest.raises(InvalidFilter, match="terms"):
        parse(" or ".join(["title pr"] * (MAX_TERMS + 1)), RFC)
    assert parse(" or ".join(["title pr"] * MAX_TERMS), RFC)


def test_a_number_beyond_reason_is_no_number():
    tree = parse("weight gt 1" + "0" * 5000, ENTRA)
    assert isinstance(tree, Comparison)
    assert isinstance(tree.value, str)


names = st.sampled_from(["userName", "emails.value", "urn:example:2.0:User:a.b", "$ref", "meta.created"])
literals = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
    st.booleans(),
    st.none(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
)
tests = st.one_of(st.builds(Comparison, names, st.sampled_from(sorted(OPERATORS)), literals), st.builds(Present, names))


def combined(inner):
    several = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(several.map(all_of), several.map(any_of), inner.map(Not))


flat = st.recursive(tests, combined, max_leaves=8)
trees = st.recursive(st.one_of(tests, st.builds(ValuePath, names, flat)), combined, max_leaves=8)


@settings(max_examples=150, deadline=None)
@given(trees)
def test_what_is_printed_parses_to_the_same_tree(tree):
    for by in (ENTRA, RFC):
        assert parse(to_text(tree), by) == tree


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='abe "\\()[]._-:$1tru\t', max_size=40))
def test_any_text_is_a_filter_or_invalid_filter(text):
    for by in (ENTRA, RFC):
        try:
            tree = parse(text, by)
        except InvalidFilter:
            continue
        assert parse(to_text(tree), by) == tree
