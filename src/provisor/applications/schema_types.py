"""Step processing, before it: can a mapping's source give what its target attribute takes? Pure."""

from __future__ import annotations

from provisor.clock import parse_iso
from provisor.expressions.values import parse_int

# What a source of a known type cannot become. A text can be anything, and everything can become a text.
_IMPOSSIBLE = {
    "Boolean": {"Integer", "DateTime"},
    "Integer": {"Boolean", "DateTime"},
    "DateTime": {"Boolean", "Integer"},
    "Reference": set[str](),
    "Binary": {"Boolean", "Integer", "DateTime"},
}


def source_fault(source: str | None, target: str, *, multivalued: bool) -> str | None:
    """Why a source of this type cannot flow to a target of that type, if so. ``source``: null when it is not known.

    ``"Complex"`` are the role functions: several values with parts, for a multi-valued attribute alone.
    """
    if source == "Complex":
        if multivalued and target == "String":
            return None
        return f"it yields complex values, and the target attribute takes {_takes(target, multivalued)}"
    if source is not None and target in _IMPOSSIBLE.get(source, ()):
        return f"it yields values of the type {source}, and the target attribute is of the type {target}"
    return None


def value_fault(text: str, target: str) -> str | None:
    """Why this constant cannot flow to a target of that type, if so."""
    if target == "Boolean" and text.strip().lower() not in ("true", "false"):
        return f"{text!r} is not True or False, which the target attribute takes"
    if target == "Integer" and parse_int(text) is None:
        return f"{text!r} is not a whole number, which the target attribute takes"
    if target == "DateTime":
        try:
            parse_iso(text)
        except ValueError:
            return f"{text!r} is not a date and time in ISO 8601, which the target attribute takes"
    return None


def _takes(target: str, multivalued: bool) -> str:
    return f"several of the type {target}" if multivalued else f"one of the type {target}"
