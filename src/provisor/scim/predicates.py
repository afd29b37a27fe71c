"""Floor 1, search and PATCH: a bound filter as a function over one resource (semantics: ``resolution``)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from provisor.scim.resolution import All, Bound, Compare, Either, Element, Has, Negation, Value
from provisor.scim.schemas import Attribute, AttributeRef, fold
from provisor.scim.values import moment

Predicate = Callable[[Mapping[str, Any]], bool]
_Values = Callable[[Mapping[str, Any]], Iterable[Any]]


def compile_predicate(bound: Bound) -> Predicate:
    """A function that tells whether a resource satisfies the filter.

    The resource is canonical, as the validator leaves it: names in the schema's case, extensions under their URN.
    """
    return _compile(bound, _values_of)


def compile_element_predicate(bound: Bound) -> Predicate:
    """The same for the filter inside a value path: the function is given one element."""
    return _compile(bound, _values_of_element)


def _compile(bound: Bound, values_of: Callable[[AttributeRef], _Values]) -> Predicate:
    match bound:
        case All(terms):
            each = [_compile(term, values_of) for term in terms]
            return lambda resource: all(holds(resource) for holds in each)
        case Either(terms):
            some = [_compile(term, values_of) for term in terms]
            return lambda resource: any(holds(resource) for holds in some)
        case Negation(term):
            inner = _compile(term, values_of)
            return lambda resource: not inner(resource)
        case Element(ref, condition):
            elements = values_of(ref)
            test = _compile(condition, _values_of_element)
            return lambda resource: any(test(element) for element in elements(resource) if isinstance(element, dict))
        case Has(ref):
            present = values_of(ref)
            return lambda resource: any(is_assigned(value) for value in present(resource))
        case Compare(ref, op, wanted):
            return _comparison(values_of(ref), ref.leaf, op, wanted)


def is_assigned(value: Any) -> bool:
    """Whether ``pr`` holds for a value: null, "", [] and {} are the state "unassigned"; false and 0 are values."""
    return value is not None and value != "" and value != [] and value != {}


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "co": operator.contains,
    "sw": str.startswith,
    "ew": str.endswith,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def _comparison(values: _Values, leaf: Attribute, op: str, wanted: Value) -> Predicate:
    if op == "ne":
        equal = _comparison(values, leaf, "eq", wanted)
        return lambda resource: not equal(resource)
    test = _TESTS[op]
    read = _reader(leaf, textual=op in ("co", "sw", "ew"))

    def holds(resource: Mapping[str, Any]) -> bool:
        for value in values(resource):
            found = read(value)
            if found is not None and test(found, wanted):
                return True
        return False

    return holds


def _reader(leaf: Attribute, *, textual: bool) -> Callable[[Any], Any]:
    """How a stored value becomes comparable; None for one of another type, which nothing equals."""
    if leaf.type == "boolean":
        return lambda value: value if isinstance(value, bool) else None
    if leaf.type in ("integer", "decimal"):
        return lambda value: value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if leaf.type == "dateTime" and not textual:
        return lambda value: moment(value) if isinstance(value, str) else None
    if leaf.case_exact:
        return lambda value: value if isinstance(value, str) else None
    return lambda value: fold(value) if isinstance(value, str) else None


def _values_of(ref: AttributeRef) -> _Values:
    """The values that a reference has in a resource: none, one, or one per element."""
    container, name = ref.container, ref.attribute.name
    sub = ref.sub.name if ref.sub else None

    def values(resource: Mapping[str, Any]) -> Iterable[Any]:
        holder = resource if container is None else resource.get(container)
        value = holder.get(name) if holder else None
        if value is None:
            return ()
        elements = value if isinstance(value, list) else (value,)
        if sub is None:
            return elements
        return [element[sub] for element in elements if isinstance(element, dict) and sub in element]

    return values


def _values_of_element(ref: AttributeRef) -> _Values:
    name = ref.leaf.name

    def values(element: Mapping[str, Any]) -> Iterable[Any]:
        value = element.get(name)
        if value is None:
            return ()
        return value if isinstance(value, list) else (value,)

    return values
