""".NET's regular expressions: what they mean, what is refused, and that none can hang (architecture: bad luck)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisor.expressions.dotnet_regex import Pattern, compile_pattern
from provisor.expressions.errors import EvaluationError
from provisor.expressions.regex_machine import MAX_STEPS, Budget
from provisor.expressions.regex_syntax import RegexError


def by_the_machine(source: str) -> Pattern:
    """The pattern, with every text sent to the bounded matcher."""
    pattern = Pattern(source)
    pattern.safe_length = -1
    return pattern


def by_re(source: str) -> Pattern:
    """The pattern, with every text sent to `re`."""
    pattern = Pattern(source)
    pattern.safe_length = 1_000_000
    return pattern


REPLACEMENTS = [
    # pattern, text, replacement, result
    (r"x*", "baac", "-", "-b-a-a-c-"),
    (r"a*", "baac", "-", "-b--c-"),
    (r"|a", "a", "-", "-a-"),  # after an empty match one character is passed over
    (r"(\d+)-(\d+)", "10-20", "$2-$1", "20-10"),
    (r"(?<a>x)(y)", "xy", "$1$2", "yx"),  # unnamed groups are numbered first
    (r"(?'q'x)", "x", "[${q}]", "[x]"),
    (r"(?<2>x)(y)", "xy", "$2$1", "xy"),
    (r"(?<n>a)|(?<n>b)", "cab", "<${n}>", "c<a><b>"),  # one name for two groups
    (r"b", "abc", "[$`|$&|$'|$_]", "a[a|b|c|abc]c"),
    (r"(a)(b)?", "a", "[$+$2]", "[]"),
    (r"a", "a", "$$1 ${none} $7 $", "$1 ${none} $7 $"),
    (r"(a*)*", "b", "[$1]", "[]b[]"),
    (r"(a?)+?b", "ab", "<$1>", "<a>"),
    (r"(?:a|ab)(?:c|bcd)(d*)", "abcd", "[$1]", "[]"),  # the first way that works, not the longest
    (r"(?>a|ab)c", "abc", "-", "abc"),
    (r"a(?=b)", "abac", "-", "-bac"),
    (r"a(?!b)", "abac", "-", "ab-c"),
    (r"(?<=a)b", "abcb", "-", "a-cb"),
    (r"(?<!a)b", "abcb", "-", "abc-"),
    (r"(\w)\1", "hello", "<$1>", "he<l>o"),
    (r"(?<c>\w)\k<c>", "hello", "<${c}>", "he<l>o"),
    (r"(?i)(a)\1", "aA", "-", "-"),
    (r"(?i:a)b", "AbaB", "-", "-aB"),
    (r"a(?i)b|c", "aBC", "-", "--"),
    (r"a(?-i)b", "ab", "-", "-"),
    (r"(?x) a b # both", "ab", "-", "-"),
    (r"(?n)(a)(?<b>b)", "ab", "$1", "b"),
    (r"(?m)^a$", "a\na", "-", "-\n-"),
    (r"^a$", "a\n", "-", "-\n"),
    (r"a\z", "a\n", "-", "a\n"),
    (r"a\Z", "a\n", "-", "-\n"),
    (r"(?s)a.b", "a\nb", "-", "-"),
    (r"a.b", "a\nb", "-", "a\nb"),
    (r"[a-z-[aeiou]]+", "hello", "-", "-e-o"),
    (r"[a-c-[b]]", "abd", "-", "-bd"),
    (r"[]a]", "]ab", "-", "--b"),
    (r"[a\-z\]]", "a-z]b", "-", "----b"),
    (r"[\d\s]", "1 a", "-", "--a"),
    (r"[\p{L}-[a-z]]", "aÉ1", "-", "a-1"),
    (r"\p{Lu}\P{Lu}", "aBc", "-", "a-"),
    (r"\p{IsCyrillic}+", "да yes", "-", "- yes"),
    (r"\x41\u0042\03", "AB\x03", "-", "-"),
    (r"\t\n\e\cA", "\t\n\x1b\x01", "-", "-"),
    (r"\w+", "e\u0301a!", "-", "-!"),  # a combining mark belongs to the word
    (r"a{2}b{1,2}c{0,}", "aabbcc", "-", "-"),
    (r"a{,2}", "a{,2}", "-", "-"),  # no quantifier, as in .NET
    (r"a+?", "aa", "-", "--"),
    (r"x(?#a remark)y", "xy", "-", "-"),
    (r"(?<=ab|cd)e", "abe cde ee", "-", "ab- cd- ee"),
    (r"(?<=a{2}(?=b))b", "aab ab", "-", "aa- ab"),
    (r"(?<=\b(?>x)(y))z", "xyz", "$1", "xyy"),
    (r"(a|b)(?:c|\1)+", "acaa", "$1", "a"),
    (r"(a)(?=\1)(?>\1)", "aa", "$0$1", "aaa"),
    (r"(?<x>a)\1", "aa", "-", "-"),
    (r"[\x41-\u0043]+", "ABCD", "-", "-D"),
    (r"[\w-]+", "a-b c", "-", "- -"),
    (r"[^\W\d]+", "ab1", "-", "-1"),
    (r"[\b\t]", "\b\t", "-", "--"),
    (r"[a-]+", "a-b", "-", "-b"),
    (r"(a)|(b)", "ab", "[$2]", "[][b]"),
    (r"(?<n>a)|b", "b", "[${n}]", "[]"),
    (r"(?i)[a-c]É", "Bé", "-", "-"),
]


@pytest.mark.parametrize(("pattern", "text", "replacement", "expected"), REPLACEMENTS)
@pytest.mark.parametrize("engine", [by_re, by_the_machine])
def test_a_pattern_means_what_it_means_in_dotnet(
    engine: type[Pattern], pattern: str, text: str, replacement: str, expected: str
) -> None:
    assert engine(pattern).replace(text, replacement) == expected


@pytest.mark.parametrize(
    ("pattern", "position", "message"),
    [
        ("(?<a-b>x)", 0, "balancing groups"),
        ("x(?(1)a|b)", 1, "conditional alternation"),
        (r"a\G", 1, r"\G is not supported"),
        ("(?<=a+)b", 0, "look-behind of variable length"),
        ("(a", 0, "never closed"),
        ("a)", 1, "closes nothing"),
        ("[a", 2, "never closed"),
        ("a**", 2, "a quantifier follows a quantifier"),
        ("a{2}{3}", 4, "a quantifier follows a quantifier"),
        ("*a", 0, "nothing before it"),
        ("a|+", 2, "nothing before it"),
        (r"\q", 0, "no escape that .NET knows"),
        (r"a\p{Foo}", 1, "no Unicode category or block 'Foo'"),
        ("(?P<n>a)", 0, "In .NET a named group is (?<name>...)"),
        ("[z-a]", 1, "range's end comes before its start"),
        (r"\k<x>", 0, "no group 'x'"),
        (r"(a)\2", 3, "no group '2'"),
        ("a{3,2}", 1, "smaller than its first"),
        ("a{5000}", 1, "at most 1000"),
        (r"[\P{L}]", 1, "Use [^"),
        (r"[a-\d]", 1, "cannot end a range"),
        ("(?<1a>x)", 0, "no name for a group"),
        ("a\\", 2, "a backslash ends the pattern"),
        (r"\xg1", 0, "hexadecimal digits"),
        ("(?#x", 0, "the comment is never closed"),
        (r"\ka", 0, r"expected \k<name>"),
        (r"\p{", 0, r"expected \p{name}"),
        (r"\c1", 0, r"expected a letter after \c"),
        (r"[\1]", 1, "means nothing inside a class"),
        (r"(?<n>a)(?<n>b)\k<n>", 14, "belongs to several groups"),
        ("[a-[b]c]", 6, "must end its class"),
        ("(" * 60 + ")" * 60, 51, "more than 50 groups"),
    ],
)
def test_what_python_cannot_do_is_refused_with_its_place(pattern: str, position: int, message: str) -> None:
    with pytest.raises(RegexError) as caught:
        compile_pattern(pattern)
    assert message in str(caught.value)
    assert caught.value.position == position


@pytest.mark.parametrize("pattern", ["x" * 2001, "(?:a{1000}){1000}"])
def test_a_pattern_that_is_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(RegexError):
        compile_pattern(pattern)


# Each of these takes Python's `re` (and .NET) years
HANGING = [
    (r"(a+)+$", "a" * 5_000 + "b"),
    (r"(x+x+)+y", "x" * 5_000),
    (r"^(\w+\s?)*$", "word " * 1_000 + "!"),
    (r"(a|a)*b", "a" * 5_000),
    (r"(a|aa)+$", "a" * 5_000 + "b"),
    (r"(.*)*,", "x" * 5_000),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 3_000),
    (r"(.*)_(.*)_(.*)[0-9]", "_" * 3_000),
    (r".*.*.*.*=", "x" * 5_000),
    (r"(?:a?){100}a{100}b", "a" * 500),
]


@pytest.mark.parametrize(("pattern", "text"), HANGING)
def test_catastrophic_backtracking_ends_after_a_bounded_number_of_steps(pattern: str, text: str) -> None:
    budget = Budget()
    assert compile_pattern(pattern).search(text, 0, budget) is None
    # The proof is the count: re was never asked, and of the steps allowed some are left
    assert len(text) > compile_pattern(pattern).safe_length
    assert 0 < MAX_STEPS - budget.left < MAX_STEPS


@pytest.mark.parametrize(("pattern", "text"), [(r"(a+)+\1b", "a" * 100), (r"(?>(?:a+)+)b", "a" * 5_000)])
def test_what_cannot_be_remembered_ends_with_an_error_for_this_text(pattern: str, text: str) -> None:
    with pytest.raises(EvaluationError, match="takes too long on this text"):
        compile_pattern(pattern).is_match(text)


def test_one_replacement_has_one_budget_over_all_its_matches() -> None:
    with pytest.raises(EvaluationError, match="takes too long"):
        by_the_machine(r"a.*?b|a").replace("a" * 3_000, "-")


@pytest.mark.parametrize(("pattern", "text"), [(r"[()\s-]+", "+1 (999) 888-7777"), (r"^\d*", "545 Tremont Street")])
def test_an_ordinary_pattern_on_an_ordinary_text_is_left_to_re(pattern: str, text: str) -> None:
    assert compile_pattern(pattern).safe_length >= 500 > len(text)


LETTERS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\b", "^", "$"])
PATTERNS = st.recursive(
    LETTERS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: f"(?:{'|'.join(items)})"),
        inner.map(lambda item: f"({item})"),
        inner.map(lambda item: f"(?={item})"),
        inner.map(lambda item: f"(?!{item})"),
        inner.map(lambda item: f"(?>{item})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{1,2}", "{2}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(PATTERNS, st.text("ab\n ", max_size=7))
def test_the_bounded_matcher_finds_what_re_finds(source: str, text: str) -> None:
    expected = re.search(by_re(source)._re.pattern, text)
    found = by_the_machine(source).search(text)
    assert (found and found[0]) == (expected and expected.span())


@settings(max_examples=300)
@given(st.text(r"ab01(|)[]{}*+?.^$\<>!=:-#, dwpkx'", max_size=20), st.text("ab01 ", max_size=10))
def test_any_text_is_a_pattern_or_refused(source: str, text: str) -> None:
    try:
        pattern = compile_pattern(source)
    except RegexError:
        return
    assert isinstance(pattern.replace(text, "$1"), str)
