"""Processing: what an expression is made of, and its normal form as text.

The nodes carry where they began in the text (``at``, an offset), which is no part of their equality:
``parse(to_text(tree)) == tree`` for every tree. Grammar: reference entra-expressions.md §1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Attribute:
    """``[name]``: the source object's attribute."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """``"text"``: a constant."""

    value: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """``1``, ``-5``, ``&HF7``: a constant without quotes, as it was written."""

    text: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Word:
    """``vbTextCompare``: a bare word, which some functions take as an option."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """``left operator right``; the operators are ``= <> > >= < <=``."""

    left: Operand
    operator: str
    right: Operand
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Function:
    """``Name(argument, , argument)``; an argument left empty is None."""

    name: str
    arguments: tuple[Node | None, ...]
    at: int = field(default=0, compare=False)


Operand: TypeAlias = "Attribute | Text | Number | Word | Function"
Node: TypeAlias = "Operand | Condition"


def to_text(node: Node) -> str:
    """The normal form: one space after each comma, nothing for an omitted argument, escapes where they are needed."""
    match node:
        case Attribute(name):
            return f"[{name}]"
        case Text(value):
            return quote(value)
        case Number(text) | Word(text):
            return text
        case Condition(left, operator, right):
            return f"{to_text(left)} {operator} {to_text(right)}"
        case Function(name, arguments):
            inner = ", ".join("" if argument is None else to_text(argument) for argument in arguments)
            return f"{name}({inner})"


def quote(value: str) -> str:
    """A text as a constant of the language."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    if isinstance(node, Function):
        for argument in node.arguments:
            if argument is not None:
                yield from walk(argument)
    elif isinstance(node, Condition):
        yield from walk(node.left)
        yield from walk(node.right)
