"""Processing: the values that flow through an expression, and what an evaluation may ask of the world.

Entra's language is one of strings: a boolean is the text ``True`` or ``False``, a number its digits, an absent
attribute is null. Values stay what they are until a function needs a text (`to_text`) or a number (`to_int`).
Rules: reference entra-expressions.md §1, "Types" and "Null".
"""

from __future__ import annotations

import enum
import random as random_module
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from provisor.expressions.errors import EvaluationError

Value: TypeAlias = "str | bool | int | float | list[Any] | dict[str, Any] | None"
"""None = absent. A list holds the values of a multi-valued attribute (texts, or complex values as dicts), in order."""


class NoFlow(enum.Enum):
    """The type of `NO_FLOW`, so that ``result is NO_FLOW`` narrows."""

    NO_FLOW = "no flow"


NO_FLOW: Final = NoFlow.NO_FLOW
"""The result of an expression that says: leave this attribute out, its default value too."""

Result: TypeAlias = "Value | NoFlow"
Get: TypeAlias = Callable[[str], Value]
"""Gives the value of the attribute of that name, None where it is absent."""

MAX_LENGTH = 1_000_000
"""Characters (for several values: of all together) that one function may yield. Nested functions could double a text
at each step; past this, the evaluation fails rather than the process."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an evaluation may ask of the world; whoever evaluates answers, so an expression has no side effects."""

    now_ms: Callable[[], int]
    """This moment, in milliseconds since 1970 UTC: for ``Now``."""
    random: random_module.Random
    """For ``RandomString``: `random.SystemRandom()` where passwords are made, a seeded one in tests."""
    uuid: Callable[[], str]
    """A new random GUID, lower case with dashes: for ``Guid``."""
    default_domain: str | None = None
    """The tenant's default domain name: for ``DefaultDomain``."""
    is_taken: Callable[[str], bool] | None = None
    """Whether the target already has this value: for ``SelectUniqueValue``. An engine that can only ask
    asynchronously evaluates once with an answer of True that notes the candidates, looks them up, evaluates again."""


class Evaluator(Protocol):
    """A compiled sub-expression."""

    def __call__(self, get: Get, context: Context, /) -> Value: ...


def is_empty(value: Value) -> bool:
    """Whether a value is null or empty: absent, ``""``, or a list without values."""
    return value is None or value == "" or value == []


def to_text(value: Value) -> str:
    """The text of one value; null is ``""``. A list of one value is that value.

    Raises `EvaluationError` for several values or a complex one.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        if len(value) <= 1:
            return to_text(value[0]) if value else ""
        raise EvaluationError(
            f"there are {len(value)} values where one is needed.",
            hint="Take one with Item(..., 1), or make one text of them with Join.",
        )
    raise EvaluationError(
        "a complex value cannot be made into a text.", hint="Map a role function alone, without another around it."
    )


def to_texts(value: Value) -> list[str]:
    """The texts of all values; null is no text at all."""
    if value is None:
        return []
    return [to_text(item) for item in value] if isinstance(value, list) else [to_text(value)]


def boolean(value: bool) -> str:
    """A truth value as the language writes it."""
    return "True" if value else "False"


_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,300})\s*", re.ASCII)
_HEXADECIMAL = re.compile(r"\s*&[Hh]([0-9A-Fa-f]{1,200})\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*[+-]?([0-9]{1,300}(\.[0-9]{0,300})?|\.[0-9]{1,300})\s*", re.ASCII)


def parse_int(text: str) -> int | None:
    """A whole number in decimal or as ``&H`` and hexadecimal digits; None where the text is not one."""
    if match := _INTEGER.fullmatch(text):
        return int(match[1])
    if match := _HEXADECIMAL.fullmatch(text):
        return int(match[1], 16)
    return None


def to_int(value: Value, what: str) -> int:
    """The whole number in a value. Raises `EvaluationError`, which names ``what`` is not a number."""
    if isinstance(value, int):
        return int(value)
    number = parse_int(to_text(value))
    if number is None:
        raise EvaluationError(f"{what} is {shown(value)}, which is not a whole number.")
    return number


def to_number(value: Value) -> int | float | None:
    """The number in a value, for comparisons; None where it is not one (a boolean is none)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    number = parse_int(value)
    return number if number is not None else float(value) if _DECIMAL.fullmatch(value) else None


def shown(value: Value) -> str:
    """A value in a message, shortened."""
    if value is None:
        return "null"
    text = value if isinstance(value, str) else repr(value)
    return f'"{text}"' if len(text) <= 40 else f'"{text[:37]}..."'


def bounded(text: str) -> str:
    """The text, unless it is longer than `MAX_LENGTH`."""
    if len(text) > MAX_LENGTH:
        too_long(len(text))
    return text


def too_long(length: int) -> None:
    """Raises the `EvaluationError` for a result of this many characters."""
    raise EvaluationError(
        f"the result would have {length:,} characters; at most {MAX_LENGTH:,} are allowed.",
        hint="Look for nested functions that repeat a text.",
    )
