"""Processing: conditions, choices and nulls (reference entra-expressions.md §3.2). Only what is chosen is evaluated."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.table import Call, Example, Function, Parameter, strict
from provisor.expressions.values import (
    Context,
    Evaluator,
    Get,
    Value,
    boolean,
    is_empty,
    to_number,
    to_text,
)

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class NoFlowSignal(Exception):
    """Raised by IgnoreFlowIfNullOrEmpty, to carry NO_FLOW past the functions around it: the mapping is left out."""


def build_condition(symbol: str, left: Evaluator, right: Evaluator) -> Evaluator:
    """A comparison, which gives ``True`` or ``False``.

    ``=`` and ``<>`` compare numbers where one side is a number by type (written without quotes, or counted by a
    function) and the other can be read as one; else texts, case-sensitively, where null is as "". The others compare
    numbers where both sides can be read as such; they are False with a null.
    """
    compare = _ORDER[symbol]
    equality = symbol in ("=", "<>")

    def evaluate(get: Get, context: Context) -> Value:
        a, b = left(get, context), right(get, context)
        if equality:
            numeric = _is_number(a) or _is_number(b)
        else:
            if a is None or b is None:
                return "False"
            numeric = True
        if numeric:
            x, y = to_number(a), to_number(b)
            if x is not None and y is not None:
                return boolean(compare(x, y))
        return boolean(compare(to_text(a), to_text(b)))

    return evaluate


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def truth(value: Value) -> bool:
    """Whether a value counts as true: ``True`` in any case, or a number other than 0."""
    if isinstance(value, bool):
        return value
    number = to_number(value)
    if number is not None:
        return number != 0
    return to_text(value).lower() == "true"


def _build_iif(call: Call) -> Evaluator:
    condition, chosen, other = call.arguments

    def evaluate(get: Get, context: Context) -> Value:
        branch = chosen if condition is not None and truth(condition(get, context)) else other
        return None if branch is None else branch(get, context)

    return evaluate


def build_switch(call: Call) -> Evaluator:
    """Keys that are constants are looked up in a dict, as long as all of them are."""
    source, default = call.arguments[0], call.arguments[1]
    if source is None:
        raise call.refusal("Switch needs 'source'.", 0)
    rest = call.arguments[2:]
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    keys = [call.constant(index) for index in range(2, len(call.arguments), 2)]
    fixed: dict[str, Evaluator | None] = {}
    for key, (_, value) in zip(keys, pairs, strict=True):
        if key is not None:
            fixed.setdefault(key, value)

    def evaluate_fixed(get: Get, context: Context) -> Value:
        value = source(get, context)
        chosen = fixed.get(value if type(value) is str else to_text(value), default)
        return None if chosen is None else chosen(get, context)

    def evaluate(get: Get, context: Context) -> Value:
        wanted = to_text(source(get, context))
        for key, value in pairs:
            if wanted == (to_text(key(get, context)) if key is not None else ""):
                return None if value is None else value(get, context)
        return None if default is None else default(get, context)

    return evaluate_fixed if None not in keys else evaluate


def _build_coalesce(call: Call) -> Evaluator:
    sources = [source for source in call.arguments if source is not None]

    def evaluate(get: Get, context: Context) -> Value:
        for source in sources:
            value = source(get, context)
            if value is not None and value != []:
                return value
        return None

    return evaluate


def _is_null(value: Value) -> str:
    return boolean(value is None or value == [])


def _is_string(value: Value) -> str:
    single = value[0] if isinstance(value, list) and len(value) == 1 else value
    return boolean(isinstance(single, str | bool | int | float))


def _ignore_flow(value: Value) -> Value:
    if is_empty(value):
        raise NoFlowSignal
    return value


def _not(value: Value) -> str:
    return boolean(not (value is True or value == "True"))


def _error(message: Value) -> Value:
    raise EvaluationError(to_text(message) or "The mapping says that this is an error.")


_EXPRESSION = Parameter("expression", nullable=True)

CONDITIONAL: tuple[Function, ...] = (
    Function(
        "CBool",
        (Parameter("expression", nullable=True, type="Boolean"),),
        "True for a number other than 0, for the text True (in any case) and for a condition that holds; else False.",
        strict(lambda value: boolean(truth(value)), when_null="False"),
        (
            Example("CBool([a] = [b])", "True", {"a": "x", "b": "x"}),
            Example('CBool("0")', "False"),
            Example('CBool(InStr([mail], "@") > 0)', "True", {"mail": "jo@contoso.com"}),
        ),
        returns="Boolean",
    ),
    Function(
        "Coalesce",
        (Parameter("source", repeating=True, nullable=True, doc="The last one serves as the default."),),
        'The first source that is not null ("" is not null).',
        _build_coalesce,
        (
            Example("Coalesce([mail], [userPrincipalName])", "jo@contoso.com", {"userPrincipalName": "jo@contoso.com"}),
            Example('Coalesce([mail], "")', ""),
            Example("Coalesce([mail], [otherMail])", None),
        ),
        returns=None,
    ),
    Function(
        "Error",
        (Parameter("message", nullable=True),),
        "Fails with this message: the object gets no value, and its log entry says why.",
        strict(_error),
        (
            Example(
                'IIF(IsPresent([accountName]), [accountName], Error("AccountName is required"))', EvaluationError, {}
            ),
        ),
        returns=None,
    ),
    Function(
        "IgnoreFlowIfNullOrEmpty",
        (_EXPRESSION,),
        "The value; where it is null or empty, the mapping is left out altogether, with its default value.",
        strict(_ignore_flow),
        (
            Example(
                'IgnoreFlowIfNullOrEmpty(Switch([prefix], "", "3443", "Dr.", "3444", "Prof."))',
                "Dr.",
                {"prefix": "3443"},
            ),
        ),
        returns=None,
    ),
    Function(
        "IIF",
        (
            Parameter(
                "condition", nullable=True, type="Boolean", doc="A comparison with = <> > >= < <=, or True/False."
            ),
            Parameter("valueIfTrue", nullable=True),
            Parameter("valueIfFalse", nullable=True),
        ),
        "One of two values. There is no AND or OR: nest one IIF in another.",
        _build_iif,
        (
            Example(
                'IIF([country] = "USA", [country], [department])', "Sales", {"country": "DE", "department": "Sales"}
            ),
            Example('IIF([country] = "", "Other", [country])', "Other"),
            Example('IIF([level] > "9", "senior", "junior")', "senior", {"level": "10"}),
        ),
        returns=None,
    ),
    Function(
        "IsNull",
        (_EXPRESSION,),
        "True where the value is null: an attribute that is absent, or has no values.",
        strict(_is_null, when_null="True"),
        (Example("IsNull([displayName])", "True"), Example('IsNull("")', "False")),
        returns="Boolean",
    ),
    Function(
        "IsNullOrEmpty",
        (_EXPRESSION,),
        'True where the value is null or "".',
        strict(lambda value: boolean(is_empty(value)), when_null="True"),
        (Example("IsNullOrEmpty([displayName])", "True", {"displayName": ""}),),
        returns="Boolean",
    ),
    Function(
        "IsPresent",
        (_EXPRESSION,),
        "The opposite of IsNullOrEmpty.",
        strict(lambda value: boolean(not is_empty(value)), when_null="False"),
        (Example("IsPresent([displayName])", "True", {"displayName": "Jo"}),),
        returns="Boolean",
    ),
    Function(
        "IsString",
        (_EXPRESSION,),
        "True where CStr would give a text: one text, number or boolean; not null, not several values.",
        strict(_is_string, when_null="False"),
        (
            Example("IsString([a])", "True", {"a": "x"}),
            Example("IsString([a])", "False", {"a": ["x", "y"]}),
        ),
        returns="Boolean",
    ),
    Function(
        "Not",
        (Parameter("source", nullable=True, type="Boolean"),),
        '"False" for "True"; "True" for everything else.',
        strict(_not, when_null="True"),
        (
            Example("Not([IsSoftDeleted])", "False", {"IsSoftDeleted": True}),
            Example("Not([IsSoftDeleted])", "True", {"IsSoftDeleted": "False"}),
            Example("Not([IsSoftDeleted])", "True"),
        ),
        returns="Boolean",
    ),
    Function(
        "Switch",
        (
            Parameter("source", nullable=True),
            Parameter("defaultValue", required=False, doc="For a source that is none of the keys; null without it."),
            Parameter("key", repeating=True, nullable=True),
            Parameter("value", repeating=True, nullable=True),
        ),
        'The value behind the first key that equals the source, case-sensitively. The key "" stands for null too.',
        build_switch,
        (
            Example('Switch([IsSoftDeleted], , "False", "True", "True", "False")', "True", {"IsSoftDeleted": "False"}),
            Example(
                'Switch([state], "Australia/Sydney", "NSW", "Australia/Sydney", "QLD", "Australia/Brisbane")',
                "Australia/Brisbane",
                {"state": "QLD"},
            ),
            Example('Switch([statusFlag], "Default", "true", "1", "", "0")', "0"),
        ),
        returns=None,
    ),
)
