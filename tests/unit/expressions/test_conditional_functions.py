"""Conditions, choices and nulls, one table per function (entra-expressions.md §3.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.conditional import CONDITIONAL
from provisor.expressions.values import NO_FLOW, Context

STATES = (
    'Switch([state], "Australia/Sydney", "NSW","Australia/Sydney","QLD","Australia/Brisbane","SA","Australia/Adelaide")'
)
NAMES = {"f": "Hiroshi", "l": "Tanaka"}
# Now is in September 2020
BY_COUNTRY = 'Switch([country], Join(" ",[f],[l]), "JP", Join(",",[l],[f]))'
HIRED = 'Switch([Active], , "1", IIF(DateDiff("d", Now(), CDate([hired])) > 5, "False", "True"), "0", "False")'
PREFIX = 'IgnoreFlowIfNullOrEmpty(Switch([prefix], "", "3443","Dr.","3444","Prof.","3445","Prof. Dr."))'

VECTORS: dict[str, list[tuple[str, Any, dict[str, Any]]]] = {
    "CBool": [
        ("CBool([a] = [b])", "True", {"a": "x", "b": "x"}),
        ("CBool([a] = [b])", "False", {"a": "x", "b": "X"}),
        ("CBool([a])", "True", {"a": "true"}),
        ("CBool([a])", "False", {"a": "0"}),
        ("CBool([a])", "True", {"a": -1}),
        ("CBool([a])", "False", {"a": "yes"}),
        ("CBool([a])", "False", {}),
        ("CBool([a])", "True", {"a": True}),
        ("CBool([a])", "False", {"a": "0.0"}),
    ],
    "Coalesce": [
        ("Coalesce([mail],[userPrincipalName])", "John.Doe@contoso.com", {"userPrincipalName": "John.Doe@contoso.com"}),
        ("Coalesce([a], [b])", "x", {"a": "x", "b": "y"}),
        ("Coalesce([a], [b])", None, {}),
        ('Coalesce([a], "")', "", {}),
        ('Coalesce([a], "d")', "", {"a": ""}),  # empty is not null
        ('Coalesce([a], "d")', "d", {"a": []}),
        ('Coalesce([a], "d")', False, {"a": False}),
        ("Coalesce([a])", "x", {"a": "x"}),
        ('Coalesce(, [a], Error("unreached"))', "x", {"a": "x"}),
    ],
    "Error": [
        ('Error("no")', EvaluationError, {}),
        ('IIF(IsPresent([a]),[a],Error("a is required"))', "x", {"a": "x"}),
        ('IIF(IsPresent([a]),[a],Error("a is required"))', EvaluationError, {}),
        ("Error([none])", EvaluationError, {}),
        ('Coalesce([a], Error("none"))', EvaluationError, {}),
    ],
    "IgnoreFlowIfNullOrEmpty": [
        (PREFIX, "Prof.", {"prefix": "3444"}),
        (PREFIX, NO_FLOW, {"prefix": "9"}),
        ("IgnoreFlowIfNullOrEmpty([a])", NO_FLOW, {}),
        ("IgnoreFlowIfNullOrEmpty([a])", NO_FLOW, {"a": []}),
        ("IgnoreFlowIfNullOrEmpty([a])", "False", {"a": "False"}),
        ("IgnoreFlowIfNullOrEmpty([a])", 0, {"a": 0}),
        ('Append("x", IgnoreFlowIfNullOrEmpty([a]))', NO_FLOW, {}),  # wherever it stands, the mapping is left out
    ],
    "IIF": [
        ('IIF([country]="USA",[country],[department])', "USA", {"country": "USA", "department": "Sales"}),
        ('IIF([country]="USA",[country],[department])', "Sales", {"country": "usa", "department": "Sales"}),
        ('IIF([c]="","Other",[c])', "Other", {}),
        ('IIF(IsNullOrEmpty([StatusHireDate]), "9999-01-01", [StatusHireDate])', "9999-01-01", {}),
        ('IIF([StatusRehire]=1, "a", "b")', "a", {"StatusRehire": "1"}),
        ('IIF([StatusRehire]=1, "a", "b")', "b", {"StatusRehire": "x"}),
        ('IIF([id]="007", "a", "b")', "b", {"id": "7"}),  # two texts are texts
        ('IIF([n] > "9", "a", "b")', "a", {"n": "10"}),
        ('IIF([n] > "9", "a", "b")', "b", {}),
        ('IIF([n] < "9", "a", "b")', "b", {}),  # null is neither more nor less
        ('IIF([n] <> "9", "a", "b")', "a", {}),
        ('IIF([n] >= "b", "a", "b")', "a", {"n": "c"}),
        ('IIF([n] <= "2.5", "a", "b")', "a", {"n": 2}),
        ('IIF([a]="x",IIF([b]="y","both","no"),"no")', "both", {"a": "x", "b": "y"}),
        ('IIF([n] > "2.5", "a", "b")', "a", {"n": "10"}),
        ('IIF([n] > 2, "a", "b")', "a", {"n": 2.5}),
        ('IIF([n] = 2, "a", "b")', "b", {"n": True}),
        ('IIF([flag], "a", "b")', "a", {"flag": True}),
        ('IIF([flag] = "True", "a", "b")', "a", {"flag": True}),
        ('IIF("False", Error("not taken"), "b")', "b", {}),
    ],
    "IsNull": [
        ("IsNull([a])", "True", {}),
        ("IsNull([a])", "False", {"a": ""}),
        ("IsNull([a])", "True", {"a": []}),
        ("IsNull([a])", "False", {"a": False}),
        ('IsNull(Switch([a], , "x", "y"))', "True", {}),
    ],
    "IsNullOrEmpty": [
        ("IsNullOrEmpty([a])", "True", {}),
        ("IsNullOrEmpty([a])", "True", {"a": ""}),
        ("IsNullOrEmpty([a])", "True", {"a": []}),
        ("IsNullOrEmpty([a])", "False", {"a": " "}),
        ("IsNullOrEmpty([a])", "False", {"a": 0}),
    ],
    "IsPresent": [
        ("IsPresent([a])", "False", {}),
        ("IsPresent([a])", "False", {"a": ""}),
        ("IsPresent([a])", "True", {"a": "x"}),
        ("IsPresent([a])", "True", {"a": False}),
        ("IsPresent([a])", "True", {"a": ["x"]}),
        ('Switch(IsPresent([a]), "none", "True", [a])', "x", {"a": "x"}),
    ],
    "IsString": [
        ("IsString([a])", "True", {"a": ""}),
        ("IsString([a])", "True", {"a": 5}),
        ("IsString([a])", "False", {}),
        ("IsString([a])", "False", {"a": ["x", "y"]}),
        ("IsString([a])", "True", {"a": ["x"]}),
        ("IsString([a])", "False", {"a": {"value": "x"}}),
        ("IsString([a])", "False", {"a": [{"value": "x"}]}),
    ],
    "Not": [
        ("Not([IsSoftDeleted])", "False", {"IsSoftDeleted": "True"}),
        ("Not([IsSoftDeleted])", "False", {"IsSoftDeleted": True}),
        ("Not([IsSoftDeleted])", "True", {"IsSoftDeleted": False}),
        ("Not([IsSoftDeleted])", "True", {}),
        ("Not([a])", "True", {"a": "true"}),  # exactly "True"
        ("Not([a])", "True", {"a": ""}),
        ("Not(Not([a]))", "True", {"a": True}),
    ],
    "Switch": [
        (STATES, "Australia/Brisbane", {"state": "QLD"}),
        (STATES, "Australia/Sydney", {"state": "qld"}),  # case counts
        (STATES, "Australia/Sydney", {}),
        ('Switch(ToLower([statusFlag]), "0", "true","1","false","0")', "1", {"statusFlag": "TRUE"}),
        ('Switch([IsSoftDeleted], , "False", "True", "True", "False")', "True", {"IsSoftDeleted": "False"}),
        ('Switch([IsSoftDeleted], , "False", "True", "True", "False")', "False", {"IsSoftDeleted": True}),
        (BY_COUNTRY, "Tanaka,Hiroshi", {"country": "JP", **NAMES}),
        (BY_COUNTRY, "Hiroshi Tanaka", {"country": "DE", **NAMES}),
        ('Switch([statusFlag], "Default", "true", "1", "", "0")', "0", {}),
        ('Switch([statusFlag], "Default", "true", "1", "", "0")', "0", {"statusFlag": ""}),
        ('Switch([a], , "x", "1")', None, {"a": "y"}),
        ('Switch([a], , "x", "1", "x", "2")', "1", {"a": "x"}),  # the first match counts
        ('Switch([c],[c],"","Other")', "Other", {}),
        ('Switch([c],[c],"","Other")', "DE", {"c": "DE"}),
        ('Switch([a], "d", [b], "1", "z", "2")', "1", {"a": "k", "b": "k"}),
        ('Switch([a], "d", [b], "1", "z", "2")', "2", {"a": "z", "b": "k"}),
        ('Switch([a], "d", [b], "1", "z", "2")', "d", {"a": "q", "b": "k"}),
        ('Switch([n], , 1, "one", 2, "two")', "two", {"n": 2}),
        ('Switch([a], , "x", Error("no"), "y", "ok")', "ok", {"a": "y"}),
        ('Switch([a], , "x", "1")', EvaluationError, {"a": ["x", "y"]}),
        (HIRED, "True", {"Active": "1", "hired": "2020-09-18"}),
        (HIRED, "False", {"Active": "1", "hired": "2020-09-30"}),
        (HIRED, "False", {"Active": "0"}),
        (HIRED, None, {}),
    ],
}
CASES = [case for cases in VECTORS.values() for case in cases]


@pytest.mark.parametrize(("text", "expected", "attributes"), CASES)
def test_a_conditional_function_gives_the_documented_value(
    text: str, expected: Any, attributes: dict[str, Any], evaluate: Callable[..., Any]
) -> None:
    if expected is EvaluationError:
        with pytest.raises(EvaluationError):
            evaluate(text, attributes)
    else:
        assert evaluate(text, attributes) == expected


def test_every_conditional_function_has_vectors() -> None:
    assert set(VECTORS) == {entry.name for entry in CONDITIONAL}
    assert min(len(cases) for cases in VECTORS.values()) >= 5


def test_error_says_the_mappings_own_words(evaluate: Callable[..., Any]) -> None:
    with pytest.raises(EvaluationError, match="AccountName is required"):
        evaluate('Coalesce([a], Error("AccountName is required"))')


def test_the_log_shows_a_redacted_value_as_such_and_the_value_flows(context: Context) -> None:
    expression = compile_expression('Join("-", [a], Redact([b]))')
    value = expression.evaluate({"a": "x", "b": "secret"}.get, context)
    assert value == "x-secret"
    assert expression.for_log(value) == "[Redact]"
    assert expression.for_log(None) is None
    assert compile_expression("[a]").for_log("x") == "x"


def test_a_mapping_that_does_not_flow_shows_no_value_in_the_log(context: Context) -> None:
    expression = compile_expression("IgnoreFlowIfNullOrEmpty(Redact([a]))")
    assert expression.for_log(expression.evaluate({}.get, context)) is NO_FLOW
