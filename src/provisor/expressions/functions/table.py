"""Processing: what an entry of the function table is, and the helpers with which entries are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from provisor.expressions.errors import EvaluationError, ExpressionError
from provisor.expressions.tree import Function as FunctionNode
from provisor.expressions.tree import Node, Number, Text, Word
from provisor.expressions.values import Context, Evaluator, Get, Value


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, as Graph's ``schema/functions`` lists it."""

    name: str
    required: bool = True
    type: str = "String"
    """Graph's attributeType: String, Integer, Boolean, DateTime, Reference."""
    repeating: bool = False
    """Repeating parameters come last, and repeat together: ``key1, value1, key2, value2``."""
    key: str | None = None
    """Its key in the JSON form, where that is not its name."""
    nullable: bool = False
    """Whether the function makes something of a null here; else a null in a required argument gives null."""
    words: tuple[str, ...] = ()
    """The bare words that may stand for it."""
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """An expression, the attributes it is given, and its value: printed in the documentation and run as a test."""

    text: str
    result: Any
    """The value; an exception type where it fails; a callable where only a property of the value is known."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


class Call:
    """One call while it is compiled: its arguments in the order of the parameters."""

    def __init__(
        self,
        entry: Function,
        node: FunctionNode,
        text: str,
        nodes: Sequence[Node | None],
        arguments: Sequence[Evaluator | None],
    ) -> None:
        self.entry = entry
        self.node = node
        self.text = text
        self.nodes = nodes
        self.arguments = arguments
        """One place per parameter; the repeating ones follow one another. None = left empty."""

    def constant(self, index: int) -> str | None:
        """The text of the argument where it is a constant, else None."""
        node = self.nodes[index] if index < len(self.nodes) else None
        if isinstance(node, Text):
            return node.value
        if isinstance(node, Number):
            return node.text
        return node.name if isinstance(node, Word) else None

    def required(self) -> list[bool]:
        """Per argument of a function without repeating parameters, whether a null in it gives null."""
        return [parameter.required and not parameter.nullable for parameter in self.entry.parameters]

    def repeats(self) -> Sequence[Evaluator | None]:
        """The arguments of the repeating parameters."""
        return self.arguments[self.entry.fixed :]

    def refusal(self, message: str, index: int | None = None, *, hint: str | None = None) -> ExpressionError:
        """An error that points at an argument, or at the call. To be raised by the caller."""
        node = self.nodes[index] if index is not None else None
        return ExpressionError(message, hint=hint, text=self.text, at=(node or self.node).at)


Build: TypeAlias = Callable[[Call], Evaluator]


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language."""

    name: str
    parameters: tuple[Parameter, ...]
    doc: str
    build: Build
    examples: tuple[Example, ...]
    returns: str | None = "String"
    """Graph's attributeType of the result, ``"Complex"`` for role objects; None where it is that of an argument."""
    multivalued: bool = False
    """Whether the result is a list whatever the arguments are."""
    top_level_only: bool = False
    short: tuple[str, ...] = ()
    """The parameters of an older, shorter form of the call, told apart by the number of arguments."""

    @property
    def fixed(self) -> int:
        """How many parameters do not repeat."""
        return sum(not parameter.repeating for parameter in self.parameters)

    @property
    def repeated(self) -> int:
        """How many parameters repeat together."""
        return len(self.parameters) - self.fixed

    @property
    def signature(self) -> str:
        """``Join(separator, source1, ..., sourceN)``; optional parameters in brackets."""
        parts = [
            parameter.name if parameter.required else f"[{parameter.name}]"
            for parameter in self.parameters
            if not parameter.repeating
        ]
        repeating = [parameter.name for parameter in self.parameters if parameter.repeating]
        if repeating:
            parts += [f"{name}1" for name in repeating]
            parts.append("...")
        return f"{self.name}({', '.join(parts)})"


def strict(function: Callable[..., Value], *, each: bool = False, when_null: Value = None) -> Build:
    """Compiles calls of a plain function of values.

    A null in the first argument gives ``when_null``, one in another required argument gives null; where a parameter is
    nullable, the function is given the null (unless there is a ``when_null``). ``each``: the first
    argument is a text, and where it has several values the function is applied to each of them.
    """

    def apply(value: Value, *others: Value) -> Value:
        if isinstance(value, list):
            return [function(item, *others) for item in value]
        return function(value, *others)

    called = apply if each else function

    def build(call: Call) -> Evaluator:
        needs_first = call.required()[0] or when_null is not None
        if len(call.arguments) == 1 and call.arguments[0] is not None:
            only = call.arguments[0]

            def one(get: Get, context: Context) -> Value:
                value = only(get, context)
                return when_null if value is None and needs_first else called(value)

            return one
        pairs = list(zip(call.arguments, [needs_first, *call.required()[1:]], strict=True))

        def several(get: Get, context: Context) -> Value:
            values: list[Value] = []
            for argument, needed in pairs:
                value = argument(get, context) if argument is not None else None
                if value is None and needed:
                    return None if values else when_null
                values.append(value)
            return called(*values)

        return several

    return build


def with_context(function: Callable[..., Value]) -> Build:
    """As `strict`, for a function whose first argument is the `Context`."""

    def build(call: Call) -> Evaluator:
        pairs = list(zip(call.arguments, call.required(), strict=True))

        def evaluate(get: Get, context: Context) -> Value:
            values: list[Value] = []
            for argument, needed in pairs:
                value = argument(get, context) if argument is not None else None
                if value is None and needed:
                    return None
                values.append(value)
            return function(context, *values)

        return evaluate

    return build


def checked(build: Build, index: int, check: Callable[[str], object]) -> Build:
    """``build``, after a constant argument at ``index`` was found good: ``check`` raises `EvaluationError` or not.

    So what can be known when a mapping is saved is not first said when a user happens to need it.
    """

    def with_check(call: Call) -> Evaluator:
        text = call.constant(index)
        if text is not None:
            try:
                check(text)
            except EvaluationError as error:
                raise call.refusal(f"{call.entry.name}: {error.message}", index, hint=error.hint) from None
        return build(call)

    return with_check
