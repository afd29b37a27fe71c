"""Processing: a .NET pattern's tree as a pattern of Python's `re`, and how much work that could be at worst."""

from __future__ import annotations

import math

from provisor.expressions.regex_tree import (
    Assertion,
    Atomic,
    Backreference,
    Choice,
    Group,
    Look,
    Node,
    One,
    Repeat,
    Sequence,
    nullable,
)

BUDGET = 2_000_000
"""Steps that `re` may take for one search at worst: some tens of milliseconds."""


def to_python(node: Node) -> str:
    """The source of the equal Python pattern."""
    match node:
        case One(source) | Assertion(source):
            return source
        case Sequence(items):
            return "".join(f"(?:{to_python(item)})" if isinstance(item, Choice) else to_python(item) for item in items)
        case Choice(items):
            return "|".join(to_python(item) for item in items)
        case Group(item):
            return f"({to_python(item)})"
        case Repeat(item, low, high, lazy):
            bounds = f"{{{low},{'' if high is None else high}}}"
            return f"(?:{to_python(item)}){bounds}{'?' if lazy else ''}"
        case Look(item, negative, width):
            return f"(?{'' if width is None else '<'}{'!' if negative else '='}{to_python(item)})"
        case Atomic(item):
            return f"(?>{to_python(item)})"
        case Backreference(index, ignore_case):
            return f"(?i:\\{index})" if ignore_case else f"(?:\\{index})"


def safe_length(root: Node) -> int:
    """The longest text that `re` can search within `BUDGET` steps, whatever is in it. -1: none can be vouched for.

    Counted is every path through the pattern, as if each alternative and each length of every repetition had to be
    tried from each place of the text. Nested repetitions make that infinite.
    """
    low, high = -1, 1
    while high <= BUDGET and _total(root, high) <= BUDGET:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if _total(root, middle) <= BUDGET:
            low = middle
        else:
            high = middle
    return low


def _total(root: Node, length: int) -> float:
    return (length + 1) * _cost(root, length)[1]


def _cost(node: Node, length: int) -> tuple[float, float]:
    """In how many ways the node can match from one place of a text of this length, and the steps to try them all."""
    match node:
        case One() | Assertion():
            return 1, 1
        case Sequence(items):
            ways, steps = 1.0, 1.0
            for item in items:
                more, cost = _cost(item, length)
                steps += ways * cost
                ways *= more
            return ways, steps
        case Choice(items):
            costs = [_cost(item, length) for item in items]
            return sum(ways for ways, _ in costs), sum(steps for _, steps in costs) + 1
        case Group(item):
            return _cost(item, length)
        case Repeat(item, low, high):
            return _repeated(*_cost(item, length), low, high, 0 if nullable(item) else length)
        case Look(item) | Atomic(item):
            return 1, _cost(item, length)[1] + 1
        case Backreference():
            return 1, length + 1


def _repeated(ways: float, steps: float, low: int, high: int | None, length: int) -> tuple[float, float]:
    if ways > 1 or length == 0:
        if high is None:
            return math.inf, math.inf
        tries = [ways**count for count in range(high + 1)] if high * math.log(max(ways, 1)) < 600 else [math.inf]
        return sum(tries[low:]) if len(tries) > 1 or high == 0 else math.inf, sum(tries) * steps
    most = length if high is None else min(high, length)
    return max(most - low, 0) + 1, (most + 1) * (steps + 1)
