"""Floor 1, PATCH: elements of multi-valued attributes: what a filter builds, what a value names, which is primary."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from provisor.scim.coercion import identity
from provisor.scim.predicates import Predicate, compile_element_predicate
from provisor.scim.resolution import All, Bound, Compare
from provisor.scim.schemas import Attribute, fold

# What only labels an element: without anything else, it says nothing.
_LABELS = frozenset(("type", "primary", "display"))


@lru_cache(maxsize=2048)
def selector(condition: Bound) -> Predicate:
    """The function that selects elements by the filter of a path."""
    return compile_element_predicate(condition)


def implied(condition: Bound | None) -> dict[str, Any] | None:
    """The sub-attributes that an element must have to match: those of a filter made of ``eq`` and ``and`` alone.

    None for any other filter: it does not say what to create.
    """
    if condition is None:
        return {}
    if isinstance(condition, Compare) and condition.op == "eq" and condition.ref.sub is not None:
        return {condition.ref.sub.name: condition.given}
    if isinstance(condition, All):
        parts = [implied(term) for term in condition.terms]
        if all(part is not None for part in parts):
            return {name: value for part in parts if part for name, value in part.items()}
    return None


def is_label_only(element: dict[str, Any], condition: Bound | None) -> bool:
    """Whether nothing is left of an element but what it was selected by and labels."""
    return not (element.keys() - _LABELS - (implied(condition) or {}).keys())


def make_primary(elements: list[Any], chosen: dict[str, Any]) -> None:
    """``chosen`` has become primary, so no other one is (RFC 7644 section 3.5.2)."""
    for element in elements:
        if element is not chosen and element.get("primary") is True:
            element["primary"] = False


def is_named(attribute: Attribute, element: Any, named: Any) -> bool:
    """Whether a value in a ``remove`` names this element: by value (and type, if given), else by all that it says."""
    if not isinstance(element, dict) or not isinstance(named, dict):
        return bool(identity(attribute, element) == identity(attribute, named))
    wanted = {name: value for name, value in named.items() if value is not None}
    if "value" in wanted:
        wanted = {name: wanted[name] for name in ("value", "type") if name in wanted}
    return bool(wanted) and all(
        _comparable(attribute, name, element.get(name)) == _comparable(attribute, name, value)
        for name, value in wanted.items()
    )


def _comparable(attribute: Attribute, name: str, value: Any) -> Any:
    exact = attribute.sub[name.lower()].case_exact
    return fold(value) if isinstance(value, str) and not exact else value
