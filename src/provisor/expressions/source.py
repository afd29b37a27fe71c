"""Processing: the JSON form of an expression, the attributeMappingSource of the synchronization schema.

    {"type": "Attribute" | "Constant" | "Function", "name": ..., "expression": text, "parameters": [{"key", "value"}]}

``name`` says what an attribute or a constant is, ``expression`` what a function call is; a call without ``expression``
is put together from its parameters. Reference entra-expressions.md §1, graph-synchronization-api.md §6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from provisor.expressions.errors import ExpressionError
from provisor.expressions.functions.all import FUNCTIONS
from provisor.expressions.parser import parse
from provisor.expressions.tree import Attribute, Condition, Function, Node, Number, Text, Word, quote, to_text

OPERATORS = ("=", "<>", ">", ">=", "<", "<=")
_OPERANDS = ("left", "right")


def to_source(node: Node, text: str | None = None) -> dict[str, Any]:
    """The JSON form; ``text`` is the expression as it was written, by default its normal form."""
    expression = to_text(node) if text is None else text
    match node:
        case Attribute(name):
            return _source("Attribute", name, expression)
        case Text(value):
            return _source("Constant", value, expression)
        case Number(digits):
            return _source("Constant", digits, quote(digits))
        case Word(name):
            return _source("Constant", name, expression)
        case Condition(left, operator, right):
            return _source("Function", operator, expression, list(zip(_OPERANDS, (left, right), strict=True)))
        case Function(name, arguments):
            keys = _keys(name, len(arguments))
            return _source("Function", name, expression, list(zip(keys, arguments, strict=True)))


def _source(
    type_: str, name: str, expression: str, arguments: Sequence[tuple[str, Node | None]] = ()
) -> dict[str, Any]:
    parameters = [{"key": key, "value": to_source(value)} for key, value in arguments if value is not None]
    return {"expression": expression, "name": name, "type": type_, "parameters": parameters}


def _keys(name: str, count: int) -> list[str]:
    """The parameter keys of a call with that many arguments; the repeating ones are numbered from 1."""
    entry = FUNCTIONS.get(name)
    if entry is None:
        return [f"parameter{number}" for number in range(1, count + 1)]
    named = {parameter.name: parameter.key or parameter.name for parameter in entry.parameters}
    if entry.short and count == len(entry.short):
        return [named[parameter] for parameter in entry.short]
    keys = [named[parameter.name] for parameter in entry.parameters if not parameter.repeating]
    repeating = [named[parameter.name] for parameter in entry.parameters if parameter.repeating]
    for number in range(1, count + 1):
        keys += [f"{key}{number}" for key in repeating]
    return keys[:count] + [f"parameter{number}" for number in range(len(keys) + 1, count + 1)]


def from_source(source: object) -> tuple[str, Node]:
    """The text and the tree of a JSON form. Raises `ExpressionError`."""
    if not isinstance(source, Mapping):
        raise ExpressionError("A mapping's source is a JSON object with 'type', 'name' and 'expression'.")
    type_ = source.get("type", "Attribute")
    name, expression = _string(source, "name"), _string(source, "expression")
    if type_ == "Attribute":
        return _attribute(name, expression)
    if type_ == "Constant":
        return _constant(name, expression)
    if type_ != "Function":
        raise ExpressionError(
            f"A mapping's source has the type {type_!r}.", hint="Use Attribute, Constant or Function."
        )
    if expression is not None and expression.strip():
        text = expression.strip()
        return text, parse(text)
    node = _from_parameters(name, source.get("parameters"))
    text = to_text(node)
    return text, parse(text)


def _string(source: Mapping[str, Any], key: str) -> str | None:
    value = source.get(key)
    if value is not None and not isinstance(value, str):
        raise ExpressionError(f"A mapping's source has {key} {value!r}, which is not a text.")
    return value


def _attribute(name: str | None, expression: str | None) -> tuple[str, Node]:
    text = f"[{name}]" if name else (expression or "").strip()
    node = parse(text) if text else None
    if not isinstance(node, Attribute):
        _nameless("Attribute", "the attribute's")
    return text, node


def _constant(name: str | None, expression: str | None) -> tuple[str, Node]:
    text = (expression or "").strip()
    node: Node | None = None
    if text[:1] == '"' or name is None:
        try:
            node = parse(text)
        except ExpressionError:
            node = None
    if isinstance(node, Text) and (name is None or node.value == name):
        return text, node
    if isinstance(node, Number) and name is None:
        return text, node
    if name is None:
        _nameless("Constant", "the constant as its")
    if text == name and _is_option(name):
        return name, Word(name)
    return quote(name), Text(name)


def _is_option(name: str) -> bool:
    return any(name in parameter.words for entry in FUNCTIONS.values() for parameter in entry.parameters)


def _nameless(type_: str, whose: str) -> NoReturn:
    raise ExpressionError(f"A mapping's source of the type {type_} has no usable name.", hint=f"Give {whose} name.")


def _from_parameters(name: str | None, parameters: object) -> Node:
    if not name:
        _nameless("Function", "the function's")
    return _call(name, _given(name, parameters))


def _given(name: str, parameters: object) -> dict[str, Node]:
    if parameters is None:
        parameters = []
    if not isinstance(parameters, Sequence) or isinstance(parameters, str):
        raise ExpressionError(f"The parameters of {name} are not a list.")
    given: dict[str, Node] = {}
    for parameter in parameters:
        if not isinstance(parameter, Mapping) or not isinstance(parameter.get("key"), str):
            raise ExpressionError(f"A parameter of {name} is not a 'key' with a 'value'.")
        given[parameter["key"]] = _parameter_node(parameter.get("value"))
    return given


def _parameter_node(source: object) -> Node:
    name = source.get("name") if isinstance(source, Mapping) else None
    if isinstance(source, Mapping) and source.get("type") == "Function" and name in OPERATORS:
        return _condition(source, str(name))
    return from_source(source)[1]


def _condition(source: Mapping[str, Any], operator: str) -> Node:
    expression = _string(source, "expression")
    if expression is not None and expression.strip():
        # A condition is only an argument, so it is read as one
        holder = parse(f"CBool({expression})")
        if isinstance(holder, Function) and len(holder.arguments) == 1 and isinstance(holder.arguments[0], Condition):
            return holder.arguments[0]
        raise ExpressionError(f"The condition {expression!r} is not one.")
    given = _given(operator, source.get("parameters"))
    left, right = given.get("left"), given.get("right")
    if left is None or right is None or isinstance(left, Condition) or isinstance(right, Condition):
        raise ExpressionError(f"The condition {operator} needs the parameters 'left' and 'right'.")
    return Condition(left, operator, right)


def _call(name: str, given: dict[str, Node]) -> Node:
    """The call with its arguments in the places that their keys name."""
    if name not in FUNCTIONS:
        return Function(name, tuple(given.values()))
    for count in range(len(given) * 2 + len(FUNCTIONS[name].parameters) + 1):
        keys = _keys(name, count)
        if all(key in keys for key in given):
            return Function(name, tuple(given.get(key) for key in keys))
    known = ", ".join(_keys(name, len(FUNCTIONS[name].parameters)))
    wrong = next(key for key in given if key not in known.split(", "))
    raise ExpressionError(f"{name} has no parameter '{wrong}'.", hint=f"It has {known}.")
