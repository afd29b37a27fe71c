"""A compiled expression: what it says of itself, the what-if, and errors of an evaluation."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.expressions.compile import Step
from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import EvaluationError
from provisor.expressions.values import NO_FLOW, Context


def test_an_expression_names_what_it_reads_and_calls() -> None:
    expression = compile_expression('IIF([a] = "x", Join(" ", [b], [a]), ToLower([urn:x.y]))')
    assert expression.attributes == {"a", "b", "urn:x.y"}
    assert expression.functions == {"IIF", "Join", "ToLower"}


@pytest.mark.parametrize(
    ("text", "returns"),
    [
        ("Count([a])", "Integer"),
        ("Not([a])", "Boolean"),
        ('Append([a], "x")', "String"),
        ("Now()", "DateTime"),
        ("AppRoleAssignmentsComplex([appRoleAssignments])", "Complex"),
        ("[a]", None),
        ('Switch([a], , "x", "y")', None),
        ('"x"', "String"),
    ],
)
def test_an_expression_says_which_type_it_gives(text: str, returns: str | None) -> None:
    assert compile_expression(text).returns == returns


EXPLANATIONS: list[tuple[str, dict[str, Any], list[Step]]] = [
    (
        'Join(" ", ToUpper([a]), [b])',
        {"a": "x", "b": "y"},
        [Step("[a]", "x"), Step("ToUpper([a])", "X"), Step("[b]", "y"), Step('Join(" ", ToUpper([a]), [b])', "X y")],
    ),
    (  # only the branch that was taken
        'IIF([a] = "x", [b], [c])',
        {"a": "x", "b": "y"},
        [Step("[a]", "x"), Step('[a] = "x"', "True"), Step("[b]", "y"), Step('IIF([a] = "x", [b], [c])', "y")],
    ),
    ('"UTC"', {}, [Step('"UTC"', "UTC")]),
    (
        "IgnoreFlowIfNullOrEmpty([a])",
        {},
        [Step("[a]", None), Step("IgnoreFlowIfNullOrEmpty([a])", NO_FLOW)],
    ),
    (  # what is redacted is not told, nor what is made of it
        'Append(Redact([a]), "x")',
        {"a": "secret"},
        [Step("[a]", "[Redact]"), Step("Redact([a])", "[Redact]"), Step('Append(Redact([a]), "x")', "[Redact]")],
    ),
]


@pytest.mark.parametrize(("text", "attributes", "steps"), EXPLANATIONS)
def test_the_what_if_tells_the_value_of_every_part(
    text: str, attributes: dict[str, Any], steps: list[Step], context: Context
) -> None:
    assert compile_expression(text).explain(attributes.get, context) == steps


def test_the_what_if_tells_where_it_failed(context: Context) -> None:
    steps = compile_expression('Append(Item([a], 3), "x")').explain({"a": ["y"]}.get, context)
    assert [step.text for step in steps] == ["[a]", "Item([a], 3)", 'Append(Item([a], 3), "x")']
    assert steps[0].value == ["y"]
    assert all("there is no value 3; there is 1" in (step.error or "") for step in steps[1:])


def test_an_evaluation_error_names_the_innermost_call(context: Context) -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_expression('Append(Item([a], 3), "x")').evaluate({"a": ["y"]}.get, context)
    assert caught.value.message == "Item([a], 3): there is no value 3; there is 1, counted from 1."
    assert caught.value.expression == "Item([a], 3)"
    assert caught.value.hint


def test_an_error_of_whoever_gives_the_attributes_is_not_swallowed(context: Context) -> None:
    def get(name: str) -> Any:
        raise LookupError(name)

    with pytest.raises(LookupError):
        compile_expression('Join(" ", [a])').evaluate(get, context)


def test_evaluating_twice_gives_the_same(context: Context) -> None:
    expression = compile_expression('Switch([a], , "1", Split([b], ","))')
    get = {"a": "1", "b": "x,y"}.get
    assert expression.evaluate(get, context) == expression.evaluate(get, context) == ["x", "y"]
