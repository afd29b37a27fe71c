"""Processing: from an expression's text, or its JSON form, to closures that give values.

Everything that can be known to be wrong is refused here, when a mapping is saved: names, numbers of arguments,
constants that a function cannot use. The closures are made once per schema version and hold no state.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from provisor.expressions.errors import EvaluationError, ExpressionError
from provisor.expressions.functions.all import FUNCTIONS
from provisor.expressions.functions.conditional import NoFlowSignal, build_condition
from provisor.expressions.functions.table import Call
from provisor.expressions.functions.table import Function as Entry
from provisor.expressions.parser import parse
from provisor.expressions.source import from_source, to_source
from provisor.expressions.tree import Attribute, Condition, Function, Node, Number, Text, Word, to_text, walk
from provisor.expressions.values import NO_FLOW, Context, Evaluator, Get, Result, Value, parse_int

REDACTED = "[Redact]"
"""What the provisioning log shows instead of a redacted value."""


class Step(NamedTuple):
    """One sub-expression of a what-if: its text, the value it gave, and why it gave none."""

    text: str
    value: Result
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. Immutable; may be shared by threads."""

    text: str
    """As it was written; `tree.to_text(expression.tree)` is the normal form."""
    tree: Node
    attributes: frozenset[str]
    """The names of the attributes that it reads."""
    functions: frozenset[str]
    """The names of the functions that it calls."""
    redacts: bool
    """Whether the provisioning log must show `REDACTED` instead of the value: it has a Redact somewhere in it."""
    returns: str | None
    """Graph's attributeType of every value it can give (``"Complex"`` for roles); None where that cannot be known."""
    evaluate: Callable[[Get, Context], Result]
    """``evaluate(get, context)``: the value, null (None) included, or `NO_FLOW`.

    Raises `EvaluationError`, and nothing else but what ``get`` and the context's functions themselves raise.
    """

    def for_log(self, value: Result) -> Result:
        """What the log may show of a value of this expression."""
        return REDACTED if self.redacts and value is not None and value is not NO_FLOW else value

    def to_source(self) -> dict[str, Any]:
        """The attributeMappingSource of the synchronization schema."""
        return to_source(self.tree, self.text)

    def explain(self, get: Get, context: Context) -> list[Step]:
        """The what-if: every sub-expression that was evaluated, in order of evaluation, the whole last.

        Constants are not listed, nor branches that were not taken; a step that failed carries its error and is the
        last one but for those around it. What stands inside a Redact is listed as `REDACTED`.
        """
        steps: list[Step] = []
        evaluate = _finished(_Compiler(self.text, _recorder(steps)).evaluator(self.tree), self.functions)
        try:
            result = evaluate(get, context)
        except EvaluationError:
            return steps
        if isinstance(self.tree, Text):
            steps.append(Step(to_text(self.tree), result))
        return steps


def compile(text: str) -> Expression:  # noqa: A001 - the word for it; callers import the module or this name, not *
    """The expression that ``text`` says; a number alone is the constant of that text.

    Raises `ExpressionError` with the place, what was expected and a next step.
    """
    # Not stripped before it is parsed, so that the places of errors are those of the text as it was given
    tree = parse(text)
    return constant(tree.text) if isinstance(tree, Number) else _expression(text, tree)


def compile_source(source: object) -> Expression:
    """The expression of an attributeMappingSource (decoded JSON). Raises `ExpressionError`."""
    text, tree = from_source(source)
    return _expression(text, tree)


def attribute(name: str) -> Expression:
    """The source of a Direct mapping. Raises `ExpressionError` where it is no attribute's name."""
    return compile(f"[{name}]")


def constant(value: str) -> Expression:
    """The source of a Constant mapping: this text, whatever is in it."""
    tree = Text(value)
    return _expression(to_text(tree), tree)


def _expression(text: str, tree: Node) -> Expression:
    nodes = list(walk(tree))
    functions = frozenset(node.name for node in nodes if isinstance(node, Function))
    evaluate = _Compiler(text, None).evaluator(tree)
    return Expression(
        text=text.strip(),
        tree=tree,
        attributes=frozenset(node.name for node in nodes if isinstance(node, Attribute)),
        functions=functions,
        redacts="Redact" in functions,
        returns=_returns(tree),
        evaluate=_finished(evaluate, functions),
    )


def _finished(evaluate: Evaluator, functions: frozenset[str]) -> Callable[[Get, Context], Result]:
    if "IgnoreFlowIfNullOrEmpty" not in functions:
        return evaluate

    def with_no_flow(get: Get, context: Context) -> Result:
        try:
            return evaluate(get, context)
        except NoFlowSignal:
            return NO_FLOW

    return with_no_flow


def _returns(node: Node) -> str | None:
    if isinstance(node, Function):
        return FUNCTIONS[node.name].returns
    return None if isinstance(node, Attribute) else "String"


Wrap: TypeAlias = Callable[[Node, Evaluator], Evaluator]


def _recorder(steps: list[Step]) -> Wrap:
    hidden = 0

    def wrap(node: Node, evaluate: Evaluator) -> Evaluator:
        text = to_text(node)
        redacts = isinstance(node, Function) and node.name == "Redact"
        holds = any(isinstance(inner, Function) and inner.name == "Redact" for inner in walk(node))

        def recorded(get: Get, context: Context) -> Value:
            nonlocal hidden
            hidden += redacts
            try:
                value = evaluate(get, context)
            except EvaluationError as error:
                steps.append(Step(text, None, error.message))
                raise
            except NoFlowSignal:
                steps.append(Step(text, NO_FLOW))
                raise
            else:
                steps.append(Step(text, REDACTED if (hidden or holds) and value is not None else value))
                return value
            finally:
                hidden -= redacts

        return recorded

    return wrap


class _Compiler:
    def __init__(self, text: str, wrap: Wrap | None) -> None:
        self.text = text
        self.wrap = wrap

    def evaluator(self, node: Node, *, top: bool = True) -> Evaluator:
        """The closure for a node; ``top`` for the whole expression."""
        match node:
            case Text(value):
                return _constant(value)
            case Number(digits):
                return _constant(_number(digits))
            case Word(name):
                raise ExpressionError(
                    f"a bare word, {name}, means nothing here.",
                    hint=f'An attribute stands in brackets, [{name}]; a text in quotes, "{name}".',
                    text=self.text,
                    at=node.at,
                )
            case Attribute(name):
                evaluate = _attribute(name)
            case Condition(left, symbol, right):
                evaluate = build_condition(symbol, self.evaluator(left, top=False), self.evaluator(right, top=False))
            case Function():
                evaluate = self.function(node, top)
        return self.wrap(node, evaluate) if self.wrap else evaluate

    def function(self, node: Function, top: bool) -> Evaluator:
        entry = FUNCTIONS.get(node.name)
        if entry is None:
            raise ExpressionError(
                f"there is no function {node.name}.", hint=_nearest(node.name), text=self.text, at=node.at
            )
        if entry.top_level_only and not top:
            raise ExpressionError(
                f"{entry.name} may not stand inside another function.",
                hint="Make it the whole expression.",
                text=self.text,
                at=node.at,
            )
        nodes = self.bind(entry, node)
        arguments = [self.argument(entry, index, item) for index, item in enumerate(nodes)]
        return _located(entry.build(Call(entry, node, self.text, nodes, arguments)), to_text(node))

    def bind(self, entry: Entry, node: Function) -> list[Node | None]:
        """The arguments in the order of the parameters, padded. Refuses too many, too few and incomplete ones."""
        given = list(node.arguments)
        if entry.short and len(given) == len(entry.short):
            places = dict(zip(entry.short, given, strict=True))
            given = [places.get(parameter.name) for parameter in entry.parameters]
        fixed, repeated = entry.fixed, entry.repeated
        if not repeated and len(given) > fixed:
            raise self.refusal(
                f"{entry.name} takes at most {fixed} argument{'s' * (fixed != 1)}; here are {len(given)}.", entry, node
            )
        given += [None] * (fixed - len(given))
        extra = len(given) - fixed
        if repeated and (extra < repeated or extra % repeated):
            names = " and ".join(parameter.name for parameter in entry.parameters if parameter.repeating)
            missing = "at least one" if extra < repeated else "another"
            raise self.refusal(f"{entry.name} needs {missing} {names}{' pair' * (repeated > 1)}.", entry, node)
        for parameter, argument in zip(entry.parameters, given, strict=False):
            if parameter.required and argument is None and not parameter.repeating:
                raise self.refusal(f"{entry.name} needs '{parameter.name}'.", entry, node)
        return given

    def refusal(self, message: str, entry: Entry, node: Function) -> ExpressionError:
        return ExpressionError(message, hint=f"It is {entry.signature}.", text=self.text, at=node.at)

    def argument(self, entry: Entry, index: int, node: Node | None) -> Evaluator | None:
        if node is None:
            return None
        parameter = entry.parameters[index] if index < entry.fixed else entry.parameters[-1]
        if isinstance(node, Word) and parameter.words:
            if node.name not in parameter.words:
                raise ExpressionError(
                    f"{entry.name}: '{parameter.name}' cannot be {node.name}.",
                    hint=f"Write {' or '.join(parameter.words)}.",
                    text=self.text,
                    at=node.at,
                )
            return _constant(node.name)
        if parameter.type == "Integer" and isinstance(node, Text) and parse_int(node.value) is None:
            raise ExpressionError(
                f"{entry.name}: '{parameter.name}' must be a whole number.", text=self.text, at=node.at
            )
        return self.evaluator(node, top=False)


def _attribute(name: str) -> Evaluator:
    return lambda get, context: get(name)


def _constant(value: Value) -> Evaluator:
    return lambda get, context: value


def _number(digits: str) -> int | str:
    """A number by type, but as the text where digits would be lost (``007``)."""
    number = parse_int(digits)
    return digits if number is None or (not digits.startswith("&") and str(number) != digits) else number


def _located(evaluate: Evaluator, text: str) -> Evaluator:
    def located(get: Get, context: Context) -> Value:
        try:
            return evaluate(get, context)
        except EvaluationError as error:
            error.locate(text)
            raise

    return located


def _nearest(name: str) -> str:
    by_lower = {known.lower(): known for known in FUNCTIONS}
    near = by_lower.get(name.lower())
    if near is None:
        close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
        near = by_lower[close[0]] if close else None
    if near is None:
        return "The reference of the mapping language lists them all."
    return (
        f"Did you mean {near}? Names are case-sensitive." if near.lower() == name.lower() else f"Did you mean {near}?"
    )
