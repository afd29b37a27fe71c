"""Laws: printing and reading are inverse, and nothing but our own errors ever comes out."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from provisor.expressions.compile import Expression, compile_source
from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import EvaluationError, ExpressionError
from provisor.expressions.functions.all import FUNCTIONS
from provisor.expressions.functions.table import Function as Entry
from provisor.expressions.parser import parse
from provisor.expressions.source import from_source, to_source
from provisor.expressions.tree import Attribute, Condition, Function, Node, Number, Text, Word, to_text
from provisor.expressions.values import Context

CONTEXT = Context(
    now_ms=lambda: 1_600_000_000_000,
    random=random.Random(1),
    uuid=lambda: "00000000-0000-4000-8000-000000000000",
    default_domain="contoso.com",
    is_taken=lambda value: len(value) % 2 == 0,
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)
LEAVES = st.one_of(
    st.builds(Attribute, st.from_regex(r"[a-z][a-z.:]{0,8}", fullmatch=True)),
    st.builds(Text, st.text(max_size=8)),
    st.builds(Number, st.sampled_from(["0", "1", "-5", "007", "&HF7"])),
    st.builds(Word, NAMES),
)
OPERATORS = st.sampled_from(["=", "<>", ">", ">=", "<", "<="])


def functions(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    arguments = st.lists(st.none() | inner, min_size=2, max_size=4).map(tuple)
    one = st.tuples(inner)
    return st.builds(Function, NAMES, st.just(()) | one | arguments)


def with_conditions(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    operands = inner.filter(lambda node: not isinstance(node, Condition))
    return functions(inner | st.builds(Condition, operands, OPERATORS, operands))


TREES: st.SearchStrategy[Node] = st.recursive(LEAVES, with_conditions, max_leaves=8)


@given(TREES)
def test_reading_what_was_printed_gives_the_tree(tree: Node) -> None:
    assert parse(to_text(tree)) == tree


@given(TREES)
def test_the_json_form_gives_the_tree_back(tree: Node) -> None:
    if isinstance(tree, Word | Number):  # alone they are constants in the JSON form
        return
    assert from_source(to_source(tree)) == (to_text(tree), tree)


def compiled(text: str) -> Expression | ExpressionError:
    try:
        return compile_expression(text)
    except ExpressionError as error:
        return error


def evaluated(expression: Expression, attributes: dict[str, Any]) -> Any:
    try:
        return expression.evaluate(attributes.get, CONTEXT)
    except EvaluationError as error:
        return error


@settings(max_examples=300)
@given(st.text('JoinNotab[]"\\,() =<>&H1-\n', max_size=40))
@example("Not(" * 500)
@example("[" * 5000)
@example('"\\')
@example("&")
def test_any_text_is_an_expression_or_refused_with_its_place(text: str) -> None:
    outcome = compiled(text)
    if isinstance(outcome, ExpressionError):
        assert not isinstance(outcome, EvaluationError)
        assert outcome.position is not None
        assert 0 <= outcome.position <= len(text)


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["2020-03-16-07:00", "9999-12-31", "0001-01-01", "True", "-1", "&HF", "(a+", "dddd", "yyyy", "ww", "(?<g>.)"]
    ),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.lists(st.text(max_size=5), max_size=3),
    st.lists(st.dictionaries(st.sampled_from(["value", "displayName", "type"]), st.text(max_size=5)), max_size=2),
)


def calls(entry: Entry, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Calls with any arguments, in numbers that the function takes."""
    fixed = [inner if parameter.required else inner | st.just("") for parameter in entry.parameters[: entry.fixed]]
    repeats = [st.lists(inner, min_size=2 * entry.repeated, max_size=2 * entry.repeated)] if entry.repeated else []
    return st.tuples(st.tuples(*fixed), *repeats).map(
        lambda parts: f"{entry.name}({', '.join(argument for part in parts for argument in part)})"
    )


ARGUMENTS = st.one_of(
    st.sampled_from(
        ["[a]", "[b]", "[c]", "[d]", '"x"', '"-"', '"yyyy"', '"d"', '"(?<g>a+)+"', '"g"', "1", "-3", "&HF", '""']
    ),
    st.sampled_from(['[a] = "x"', "[b] > [c]", "[a] <> 1"]),
)
EXPRESSIONS = st.recursive(
    ARGUMENTS,
    lambda inner: st.sampled_from(sorted(FUNCTIONS)).flatmap(lambda name: calls(FUNCTIONS[name], inner)),
    max_leaves=10,
)


@settings(max_examples=800, deadline=None)
@given(EXPRESSIONS, st.fixed_dictionaries(dict.fromkeys("abcd", VALUES)))
def test_an_evaluation_gives_a_value_or_an_evaluation_error(text: str, attributes: dict[str, Any]) -> None:
    expression = compiled(text)
    if isinstance(expression, ExpressionError):
        assert not isinstance(expression, EvaluationError)
        return
    outcome = evaluated(expression, attributes)
    assert not isinstance(outcome, EvaluationError) or outcome.message
    again = compile_source(expression.to_source())
    assert (again.text, again.tree) == (expression.text, expression.tree)
    assert isinstance(expression.explain(attributes.get, CONTEXT), list)
