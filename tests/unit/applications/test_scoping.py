"""Scoping filters: every operator, nulls, AND and OR, and the reasons. One row per rule of reference section 11."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from provisor.applications.scoping import (
    MEMBER_OF,
    Clause,
    Group,
    Operator,
    Scope,
    evaluate,
    find_membership_operator,
    find_operator,
    operators,
)
from provisor.expressions.errors import EvaluationError


def operator(name: str) -> Operator:
    found = find_operator(name)
    assert found is not None
    return found


def clause(attribute: str, name: str, value: str = "") -> Clause:
    return Clause(attribute, operator(name), value)


def passes(name: str, value: Any, operand: str = "") -> bool:
    scope = Scope((Group("only", (clause("a", name, operand),)),))
    return evaluate(scope, {"a": value}.get).passed


CASES = [
    ("EQUALS", "Sales", "Sales", True),
    ("EQUALS", "sales", "Sales", False),  # case-sensitive
    ("EQUALS", True, "True", True),  # a boolean is the text True
    ("EQUALS", 7, "7", True),
    ("NOT EQUALS", "sales", "Sales", True),
    ("NOT EQUALS", "Sales", "Sales", False),
    ("IS TRUE", True, "", True),
    ("IS TRUE", "true", "", True),
    ("IS TRUE", False, "", False),
    ("IS TRUE", "yes", "", False),
    ("IS FALSE", False, "", True),
    ("IS FALSE", "False", "", True),
    ("IS FALSE", True, "", False),
    ("IS NULL", None, "", True),
    ("IS NULL", "", "", True),
    ("IS NULL", [], "", True),
    ("IS NULL", "x", "", False),
    ("IS NULL", False, "", False),  # false is a value
    ("IS NULL", 0, "", False),
    ("IS NOT NULL", "x", "", True),
    ("IS NOT NULL", False, "", True),
    ("IS NOT NULL", None, "", False),
    ("Greater_Than", "10", "9", True),  # as numbers, not as texts
    ("Greater_Than", 10, "10", False),
    ("Greater_Than", "ten", "9", False),  # both sides must be integers
    ("Greater_Than", True, "0", False),
    ("Greater_Than", "-1", "-2", True),
    ("Greater_Than_OR_EQUALS", "10", "10", True),
    ("Greater_Than_OR_EQUALS", "9", "10", False),
    ("Less_Than", "9", "10", True),
    ("Less_Than", "10", "10", False),
    ("Less_Than_OR_EQUALS", "10", "10", True),
    ("Less_Than_OR_EQUALS", "11", "10", False),
    ("Includes", "Head of Sales", "Sales", True),
    ("Includes", "Head of Sales", "sales", False),
    ("ENDS_WITH", "ada@example.com", "@example.com", True),
    ("ENDS_WITH", "ada@example.org", "@example.com", False),
    ("REGEX MATCH", "1234567", "(1[0-9][0-9][0-9][0-9][0-9][0-9])", True),
    ("REGEX MATCH", "ada@example.com", r".*\@example.com", True),
    ("REGEX MATCH", "room 42", "([1-9][0-9])", True),  # anywhere, not anchored
    ("REGEX MATCH", "Sales", "^sales$", False),
    ("REGEX MATCH", "Sales", "(?i)^(?<team>sales)$", True),  # .NET's own syntax
    ("NOT REGEX MATCH", "Support", "^Sales$", True),
    ("NOT REGEX MATCH", "Sales", "^Sales$", False),
    ("&", "6", "2", True),
    ("&", "6", "3", False),  # every bit must be set
    ("&", "x", "2", False),
    ("!&", "6", "1", True),
    ("!&", "6", "2", False),
    # Several values: one that passes is enough, and what is negated must hold for all.
    ("EQUALS", ["a", "b"], "b", True),
    ("EQUALS", ["a", "b"], "c", False),
    ("NOT EQUALS", ["a", "b"], "c", True),
    ("NOT EQUALS", ["a", "b"], "b", False),
    ("Includes", ["smtp:a@x.org", "SMTP:a@y.org"], "SMTP:", True),
    ("NOT REGEX MATCH", ["a", "b"], "^b$", False),
    ("Greater_Than", ["1", "7"], "5", True),
    ("!&", ["4", "6"], "2", False),
]

DATES = [
    ("EQUALS", "2026-01-31", "2026-01-31T00:00:00Z", True),  # the same moment
    ("EQUALS", "2026-01-31T01:00:00+01:00", "2026-01-31", True),
    ("NOT EQUALS", "2026-01-31", "2026-02-01", True),
    ("NOT EQUALS", "2026-01-31", "2026-01-31T00:00:00.000Z", False),
    ("Greater_Than", "2026-02-01", "2026-01-31", True),
    ("Greater_Than", "2026-01-31", "2026-01-31", False),
    ("Greater_Than_OR_EQUALS", "2026-01-31", "2026-01-31", True),
    ("Less_Than", "2025-12-31T23:59:59Z", "2026-01-01", True),
    ("Less_Than_OR_EQUALS", "2026-01-01", "2026-01-01", True),
    ("Less_Than", "unknown", "2026-01-01", False),
    ("IS NULL", None, "", True),
    ("IS NOT NULL", "2026-01-01", "", True),
]


@pytest.mark.parametrize(("name", "value", "operand", "expected"), DATES)
def test_moments_are_compared_as_moments(name: str, value: Any, operand: str, expected: bool) -> None:
    found = find_operator(name, "DateTime")
    assert found is not None
    assert found.fault(operand) is None
    scope = Scope((Group("only", (Clause("a", found, operand),)),))
    assert evaluate(scope, {"a": value}.get).passed is expected


def test_a_clause_on_a_moment_needs_a_moment() -> None:
    found = find_operator("Greater_Than", "DateTime")
    assert found is not None
    assert "'12' is none" in str(found.fault("12"))


@pytest.mark.parametrize(
    ("name", "groups", "expected"),
    [
        ("EQUALS", ["g1", "g2"], True),
        ("EQUALS", ["g2"], False),
        ("EQUALS", [], False),
        ("NOT EQUALS", ["g2"], True),
        ("NOT EQUALS", ["g1", "g2"], False),
        ("NOT EQUALS", [], True),  # who is in no group is not in this one
        ("IS NULL", [], True),
        ("IS NOT NULL", ["g2"], True),
    ],
)
def test_membership_of_a_group_is_an_operand(name: str, groups: list[str], expected: bool) -> None:
    found = find_membership_operator(name)
    assert found is not None
    scope = Scope((Group("only", (Clause(MEMBER_OF, found, "g1"),)),))
    assert scope.needs_groups
    assert evaluate(scope, {MEMBER_OF: groups}.get).passed is expected


def test_without_an_answer_about_groups_there_is_no_verdict() -> None:
    found = find_membership_operator("EQUALS")
    assert found is not None
    with pytest.raises(EvaluationError, match="which groups"):
        evaluate(Scope((Group("only", (Clause(MEMBER_OF, found, "g1"),)),)), {}.get)


def test_membership_has_no_other_operators() -> None:
    assert find_membership_operator("Includes") is None
    assert find_membership_operator("STARTS_WITH") is None


def test_a_verdict_explains_itself() -> None:
    verdict = evaluate(Scope((Group("Swiss", (clause("country", "EQUALS", "CH"),)),)), {"country": "DE"}.get)
    assert [reason.explanation for reason in verdict.reasons] == ["Swiss country EQUALS CH: 'DE', so not passed"]
    nobody = evaluate(Scope((Group("Swiss", (clause("country", "IS NULL"),)),)), {}.get)
    assert [reason.explanation for reason in nobody.reasons] == ["Swiss country IS NULL: nothing, so passed"]


@pytest.mark.parametrize(("name", "value", "operand", "expected"), CASES)
def test_an_operator_passes_what_it_should(name: str, value: Any, operand: str, expected: bool) -> None:
    assert passes(name, value, operand) is expected


@pytest.mark.parametrize("name", [one.name for one in operators() if one.name != "IS NULL"])
@pytest.mark.parametrize("empty", [None, "", []])
def test_every_clause_on_an_empty_value_fails_but_for_is_null(name: str, empty: Any) -> None:
    assert not passes(name, empty, "1")


def test_every_operator_has_a_row_above() -> None:
    assert {case[0] for case in CASES} == {one.name for one in operators()}


@pytest.mark.parametrize("spelling", ["Greater_Than", "GREATER THAN", "greater_than", " Greater Than "])
def test_operators_are_found_in_any_case_with_spaces_and_underscores_alike(spelling: str) -> None:
    assert operator(spelling).name == "Greater_Than"


def test_an_unknown_operator_is_not_found() -> None:
    assert find_operator("STARTS_WITH") is None


def test_no_filter_lets_everything_pass() -> None:
    verdict = evaluate(None, {}.get)
    assert verdict.passed
    assert verdict.reasons == ()


def test_clauses_of_a_group_are_all_needed_and_groups_are_alternatives() -> None:
    scope = Scope(
        (
            Group("Swiss sales", (clause("department", "EQUALS", "Sales"), clause("country", "EQUALS", "CH"))),
            Group("Board", (clause("jobTitle", "Includes", "Chief"),)),
        )
    )
    assert evaluate(scope, {"department": "Sales", "country": "CH"}.get).passed
    assert not evaluate(scope, {"department": "Sales", "country": "DE"}.get).passed
    assert evaluate(scope, {"department": "HR", "jobTitle": "Chief of HR"}.get).passed


def test_the_verdict_says_of_every_clause_what_was_seen_and_whether_it_passed() -> None:
    scope = Scope(
        (
            Group("Swiss sales", (clause("department", "EQUALS", "Sales"), clause("country", "EQUALS", "CH"))),
            Group("Board", (clause("jobTitle", "IS NOT NULL"),)),
        )
    )
    verdict = evaluate(scope, {"department": "Sales", "country": "DE"}.get)
    assert [(str(reason), reason.value, reason.passed) for reason in verdict.reasons] == [
        ("Swiss sales department EQUALS Sales", "Sales", True),
        ("Swiss sales country EQUALS CH", "DE", False),
        ("Board jobTitle IS NOT NULL", None, False),
    ]


def test_a_filter_knows_the_attributes_that_it_reads() -> None:
    scope = Scope((Group("g", (clause("a", "IS NULL"), clause("b", "IS NULL"))), Group("h", (clause("a", "IS TRUE"),))))
    assert scope.attributes == {"a", "b"}


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.lists(st.text(max_size=3), max_size=2)
)


@pytest.mark.parametrize(
    ("name", "operand", "fault"),
    [
        ("Greater_Than", "nine", "'nine' is none"),
        ("&", "", "whole numbers"),
        ("REGEX MATCH", "(", "never closed"),
        ("NOT REGEX MATCH", "[", "never closed"),
    ],
)
def test_a_value_that_an_operator_cannot_use_is_told_before_anybody_is_evaluated(
    name: str, operand: str, fault: str
) -> None:
    assert fault in str(operator(name).fault(operand))


@settings(max_examples=100)
@given(st.sampled_from(operators()), values, st.text(max_size=8))
def test_evaluation_never_raises_with_a_value_that_the_operator_can_use(
    one: Operator, value: Any, operand: str
) -> None:
    assume(one.fault(operand) is None)
    evaluate(Scope((Group("g", (Clause("a", one, operand),)),)), {"a": value}.get)


@settings(max_examples=60)
@given(values, st.text(max_size=8))
def test_equals_and_not_equals_divide_the_values_that_there_are(value: Any, operand: str) -> None:
    present = passes("IS NOT NULL", value)
    assert passes("EQUALS", value, operand) + passes("NOT EQUALS", value, operand) == present
    assert passes("IS NULL", value) is not present
