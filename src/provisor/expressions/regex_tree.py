"""Processing: what a regular expression is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class One:
    """Exactly one character, as the source of a Python pattern."""

    source: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place without a character, as the source of a Python pattern."""

    source: str


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group; ``index`` counts opening parentheses from 1, as Python does."""

    item: Node
    index: int


@dataclass(frozen=True, slots=True)
class Repeat:
    item: Node
    low: int
    high: int | None
    lazy: bool


@dataclass(frozen=True, slots=True)
class Look:
    """Looks ahead, or behind over ``width`` characters."""

    item: Node
    negative: bool
    width: int | None


@dataclass(frozen=True, slots=True)
class Atomic:
    item: Node


@dataclass(frozen=True, slots=True)
class Backreference:
    index: int
    ignore_case: bool


Node: TypeAlias = "One | Assertion | Sequence | Choice | Group | Repeat | Look | Atomic | Backreference"


def resolved(node: Node, targets: list[int]) -> Node:
    """The tree with each back reference's number in the list (-1, -2, ...) replaced by its group."""
    match node:
        case Backreference(index, ignore_case):
            return Backreference(targets[-index - 1], ignore_case)
        case Sequence(items):
            return Sequence(tuple(resolved(item, targets) for item in items))
        case Choice(items):
            return Choice(tuple(resolved(item, targets) for item in items))
        case Group() | Repeat() | Look() | Atomic():
            return replace(node, item=resolved(node.item, targets))
        case _:
            return node


def width(node: Node) -> int | None:
    """How many characters it matches where that is one number, else None."""
    match node:
        case One():
            return 1
        case Assertion() | Look():
            return 0
        case Group(item) | Atomic(item):
            return width(item)
        case Sequence(items):
            widths = [width(item) for item in items]
            return None if None in widths else sum(each for each in widths if each is not None)
        case Choice(items):
            distinct = {width(item) for item in items}
            return distinct.pop() if len(distinct) == 1 else None
        case Repeat(item, low, high):
            each = width(item)
            return each * low if each is not None and low == high else None
        case _:
            return None


def nullable(node: Node) -> bool:
    """Whether it can match without taking a character."""
    match node:
        case One():
            return False
        case Sequence(items):
            return all(nullable(item) for item in items)
        case Choice(items):
            return any(nullable(item) for item in items)
        case Group(item) | Atomic(item):
            return nullable(item)
        case Repeat(item, low):
            return low == 0 or nullable(item)
        case _:
            return True
