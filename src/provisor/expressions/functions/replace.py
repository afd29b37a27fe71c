"""Processing: Replace, whose five modes are told apart by which arguments are given (entra-expressions.md §3.1)."""

from __future__ import annotations

from collections.abc import Callable

from provisor.expressions.dotnet_regex import Pattern, RegexError, compile_pattern
from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.table import Call, Example, Function, Parameter
from provisor.expressions.values import (
    MAX_LENGTH,
    Context,
    Evaluator,
    Get,
    Value,
    is_empty,
    to_text,
    too_long,
)

_SOURCE, _OLD, _PATTERN, _GROUP, _NEW, _ATTRIBUTE, _TEMPLATE = range(7)
_MODES = frozenset(
    [
        (_OLD, _NEW),
        (_OLD, _TEMPLATE),
        (_PATTERN, _NEW),
        (_PATTERN, _GROUP, _NEW),
        (_PATTERN, _GROUP, _ATTRIBUTE),
    ]
)
_HINT = (
    "Give one of: oldValue and replacementValue; oldValue and template; regexPattern and replacementValue; "
    "regexPattern, regexGroupName and replacementValue; regexPattern, regexGroupName and replacementAttributeName."
)


def build_replace(call: Call) -> Evaluator:
    """Picks the mode; constant patterns are compiled here, once."""
    given = tuple(index for index in range(1, 7) if call.arguments[index] is not None)
    source = call.arguments[_SOURCE]
    if given not in _MODES or source is None:
        raise call.refusal("this combination of Replace's arguments has no meaning.", hint=_HINT)
    if _OLD in given and call.constant(_OLD) == "":
        raise call.refusal("Replace: oldValue is empty.", _OLD, hint="Name the text that is to be replaced.")
    if _OLD in given:
        return _plain(call, source, into_template=_TEMPLATE in given)
    return _with_regex(call, source, given)


def _plain(call: Call, source: Evaluator, *, into_template: bool) -> Evaluator:
    old = _argument(call, _OLD)
    other = _argument(call, _TEMPLATE if into_template else _NEW)

    def evaluate(get: Get, context: Context) -> Value:
        value = source(get, context)
        if value is None:
            return None
        wanted, text = to_text(old(get, context)), to_text(other(get, context))
        if into_template:
            return _each(value, lambda one: _substituted(text, wanted, one))
        return _each(value, lambda one: _substituted(one, wanted, text))

    return evaluate


def _each(value: Value, function: Callable[[str], str]) -> Value:
    if isinstance(value, list):
        return [function(to_text(item)) for item in value]
    return function(to_text(value))


def _substituted(text: str, old: str, new: str) -> str:
    if not old:
        raise EvaluationError("oldValue is empty.", hint="Name the text that is to be replaced.")
    length = len(text) + text.count(old) * (len(new) - len(old))
    if length > MAX_LENGTH:
        too_long(length)
    return text.replace(old, new)


def _argument(call: Call, index: int) -> Evaluator:
    argument = call.arguments[index]
    if argument is None:
        raise call.refusal("this combination of Replace's arguments has no meaning.", hint=_HINT)
    return argument


def _with_regex(call: Call, source: Evaluator, given: tuple[int, ...]) -> Evaluator:
    pattern = _pattern(call)
    if _GROUP not in given:
        new = _argument(call, _NEW)
        return lambda get, context: _in_source(
            source, get, context, lambda one: pattern(get, context).replace(one, to_text(new(get, context)))
        )
    group = _argument(call, _GROUP)
    if _ATTRIBUTE in given:
        return _captured(source, pattern, group, _argument(call, _ATTRIBUTE))
    new = _argument(call, _NEW)
    return lambda get, context: _in_source(
        source,
        get,
        context,
        lambda one: pattern(get, context).replace_group(one, to_text(group(get, context)), to_text(new(get, context))),
    )


def _in_source(source: Evaluator, get: Get, context: Context, function: Callable[[str], str]) -> Value:
    value = source(get, context)
    return None if value is None else _each(value, function)


def _captured(
    source: Evaluator, pattern: Callable[[Get, Context], Pattern], group: Evaluator, other: Evaluator
) -> Evaluator:
    """The source, or where it has no value, what the group captures in the other attribute."""

    def evaluate(get: Get, context: Context) -> Value:
        value = source(get, context)
        if not is_empty(value):
            return value
        text = to_text(other(get, context))
        found = pattern(get, context)
        spans = found.search(text)
        place = None if spans is None else found.group(spans, to_text(group(get, context)))
        return None if place is None else text[place[0] : place[1]]

    return evaluate


def _pattern(call: Call) -> Callable[[Get, Context], Pattern]:
    constant = call.constant(_PATTERN)
    if constant is None:
        argument = _argument(call, _PATTERN)
        return lambda get, context: _compiled(to_text(argument(get, context)))
    try:
        compiled = compile_pattern(constant)
    except RegexError as error:
        place = f", at its character {error.position + 1}" if error.position is not None else ""
        raise call.refusal(f"in the regular expression{place}: {error.reason}", _PATTERN, hint=error.hint) from None
    name = call.constant(_GROUP) if call.arguments[_GROUP] is not None else None
    if name is not None and name not in compiled.names:
        known = ", ".join(sorted(compiled.names)) or "none; write (?<name>...)"
        raise call.refusal(f"the regular expression has no group '{name}'.", _GROUP, hint=f"It has: {known}.")
    return lambda get, context: compiled


def _compiled(pattern: str) -> Pattern:
    try:
        return compile_pattern(pattern)
    except RegexError as error:
        raise EvaluationError(f"the regular expression cannot be used: {error.reason}", hint=error.hint) from None


_PHONE = "\\\\+(?<isdCode>\\\\d* )(?<phoneNumber>\\\\d{10})"

REPLACE = Function(
    "Replace",
    (
        Parameter("source", doc="A text; of a multi-valued attribute, each value by itself."),
        Parameter("oldValue", required=False, key="Find", doc="The text to be replaced, case-sensitively."),
        Parameter("regexPattern", required=False, doc="A .NET regular expression."),
        Parameter("regexGroupName", required=False, doc="A group of it, (?<name>...)."),
        Parameter(
            "replacementValue",
            required=False,
            key="Replacement",
            doc="What takes its place; ${name} and $1 stand for groups of the pattern.",
        ),
        Parameter("replacementAttributeName", required=False, doc="An attribute to take the group's text from."),
        Parameter("template", required=False, doc="A text in which oldValue is replaced by the source."),
    ),
    "Replaces texts. The arguments given decide what is done: "
    "oldValue and replacementValue: every oldValue in the source is replaced. "
    "oldValue and template: every oldValue in the template is replaced by the source. "
    "regexPattern and replacementValue: every match is replaced. "
    "regexPattern, regexGroupName and replacementValue: in every match, what the group captured is replaced. "
    "regexPattern, regexGroupName and replacementAttributeName: the source, or where it has no value, what the group "
    "captures in the other attribute. Where nothing matches, the source is the result.",
    build_replace,
    (
        Example(
            'Replace([title], "Product Developer", , , "Software Engineer", , )',
            "Software Engineer",
            {"title": "Product Developer"},
        ),
        Example(
            'Replace([UserID], "<username>", , , , , "<username>@contoso.com")',
            "jsmith@contoso.com",
            {"UserID": "jsmith"},
        ),
        Example(f'Replace([tel], , "{_PHONE}", , "${{phoneNumber}}", , )', "9998887777", {"tel": "+91 9998887777"}),
        Example(
            'Replace([AddressLineData], , "(?<streetNumber>^\\\\d*)", "streetNumber", "888", , )',
            "888 Tremont Street",
            {"AddressLineData": "545 Tremont Street"},
        ),
        Example(
            f'Replace([tel], , "{_PHONE}", "phoneNumber", , [mobile], )',
            "8887779999",
            {"tel": "", "mobile": "+91 8887779999"},
        ),
        Example('Replace([mobile], , "[()\\\\s-]+", , "", , )', "+19998887777", {"mobile": "+1 (999) 888-7777"}),
    ),
)
