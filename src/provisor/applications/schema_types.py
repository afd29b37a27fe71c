"""Step processing, before it: can a mapping's source give what its target attribute takes? Pure."""

from __future__ import annotations

import re

from provisor.expressions.dotnet_dates import format_date, parse_date
from provisor.expressions.errors import EvaluationError
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
            date_time(text)
        except EvaluationError:
            return f"{text!r} is not a date and time, which the target attribute takes"
    return None


_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def date_time(text: str) -> str:
    """A moment as SCIM writes it (RFC 7643 section 2.3.5), from any form that the date functions read.

    Raises ``EvaluationError`` for a text that is no moment.
    """
    ticks = parse_date(text)
    return text if _DATE_TIME.fullmatch(text) else format_date(ticks, "yyyy-MM-dd'T'HH:mm:ss'Z'")


def _takes(target: str, multivalued: bool) -> str:
    return f"several of the type {target}" if multivalued else f"one of the type {target}"
