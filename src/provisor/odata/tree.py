"""OData, a ``$filter`` as a tree. Paths begin at the entity; inside a lambda, at an element of its collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operator = Literal["eq", "ne", "gt", "ge", "lt", "le"]
Function = Literal["startswith", "endswith", "contains"]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or date-time: milliseconds since 1970 UTC."""

    ms: int


Value = str | int | float | bool | Moment | None


@dataclass(frozen=True, slots=True)
class Compare:
    """``path operator value``. A path that ends in ``$count`` is the number of a collection's elements."""

    operator: Operator
    path: Path
    value: Value


@dataclass(frozen=True, slots=True)
class In:
    """``path in (values)``."""

    path: Path
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """``startswith(path, 'text')`` and the like."""

    function: Function
    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Lambda:
    """``path/any(x:body)``; without a body: the collection is not empty."""

    kind: Literal["any", "all"]
    path: Path
    body: Node | None


@dataclass(frozen=True, slots=True)
class Not:
    node: Node


@dataclass(frozen=True, slots=True)
class And:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    nodes: tuple[Node, ...]


Node = Compare | In | Call | Lambda | Not | And | Or


def is_advanced(node: Node) -> bool:
    """Whether Graph takes it with ``ConsistencyLevel: eventual`` only (reference section 11.5)."""
    match node:
        case Compare(operator="ne"):
            return True
        case Compare(path=path):
            return path[-1:] == ("$count",)
        case Call(function="endswith" | "contains") | Not():
            return True
        case And(nodes) | Or(nodes):
            return any(is_advanced(one) for one in nodes)
        case Lambda(body=body):
            return body is not None and is_advanced(body)
        case _:
            return False
