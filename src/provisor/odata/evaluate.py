"""OData, ``$filter`` on a document: whether an entity as it would be answered satisfies a tree.

Texts are compared without case, as the directory and enumerations are, unless ``exact`` says otherwise for a path.
What is not there is null; a comparison with null other than ``eq`` and ``ne`` is false, and so is one between kinds.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable, Mapping
from typing import Any

from provisor.clock import parse_iso
from provisor.odata.text import fold
from provisor.odata.tree import And, Call, Compare, In, Lambda, Moment, Node, Not, Or, Path, Value

Exact = Callable[[Path], bool]
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": python.gt,
    "ge": python.ge,
    "lt": python.lt,
    "le": python.le,
}


def nowhere(_: Path) -> bool:
    """No text is compared exactly."""
    return False


def matches(node: Node, document: Any, exact: Exact = nowhere) -> bool:
    """Whether ``document`` satisfies ``node``. ``exact``: of which paths case counts."""
    match node:
        case And(nodes):
            return all(matches(one, document, exact) for one in nodes)
        case Or(nodes):
            return any(matches(one, document, exact) for one in nodes)
        case Not(inner):
            return not matches(inner, document, exact)
        case Compare(op, path, value):
            return _compare(op, value_at(document, path), value, exact(path))
        case In(path, values):
            found = value_at(document, path)
            return any(_compare("eq", found, value, exact(path)) for value in values)
        case Call(function, path, text):
            return _call(function, value_at(document, path), text, exact(path))
        case Lambda(kind, path, body):
            found = value_at(document, path)
            elements = found if isinstance(found, (list, tuple)) else []
            if body is None:
                return bool(elements)
            inner_exact = (lambda _: True) if exact(path) else exact
            test = any if kind == "any" else all
            return test(matches(body, element, inner_exact) for element in elements)


def value_at(document: Any, path: Path) -> Any:
    """The value behind a path, null where there is none; ``$count`` is a list's length."""
    found = document
    for step in path:
        if step == "$count":
            found = len(found) if isinstance(found, (list, tuple)) else 0
        elif isinstance(found, Mapping):
            found = found.get(step)
        else:
            return None
    return found


def _compare(op: str, found: Any, value: Value, exact: bool) -> bool:
    if op in ("eq", "ne"):
        return _equal(found, value, exact) == (op == "eq")
    if isinstance(value, Moment):
        moment = _moment(found)
        return moment is not None and _ORDERS[op](moment, value.ms)
    if isinstance(found, str) and isinstance(value, str):
        return _ORDERS[op](found, value) if exact else _ORDERS[op](fold(found), fold(value))
    if _is_number(found) and _is_number(value):
        return _ORDERS[op](found, value)
    return False


def _equal(found: Any, value: Value, exact: bool) -> bool:
    if isinstance(value, Moment):
        return _moment(found) == value.ms
    if isinstance(found, str) and isinstance(value, str):
        return found == value if exact else fold(found) == fold(value)
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    if isinstance(found, (list, tuple)):
        return value is None and not found
    return bool(found == value)


def _call(function: str, found: Any, text: str, exact: bool) -> bool:
    if not isinstance(found, str):
        return False
    whole: str = found if exact else fold(found)
    sought = text if exact else fold(text)
    match function:
        case "startswith":
            return whole.startswith(sought)
        case "endswith":
            return whole.endswith(sought)
        case _:
            return sought in whole


def _moment(found: Any) -> int | None:
    if not isinstance(found, str):
        return None
    try:
        return parse_iso(found)
    except ValueError:
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
