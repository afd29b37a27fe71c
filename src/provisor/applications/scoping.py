"""Step scoping: does an object pass the scoping filter, and why (not). Pure.

Groups are alternatives (OR), the clauses of a group must all pass (AND), no filter lets everything pass; every clause
on an empty value fails, but for IS NULL: reference entra-provisioning-service.md section 11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from provisor.expressions.dotnet_regex import RegexError, compile_pattern

Get = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Operator:
    """One comparison. ``name`` is spelt as the portal and Graph's ``filterOperators`` spell it."""

    name: str
    arity: Literal["Binary", "Unary"]
    types: tuple[str, ...]  # attribute types that it can compare
    test: Callable[[Any, str], bool]  # (the attribute's value, the clause's), never called with an empty value
    fault: Callable[[str], str | None] = lambda operand: None  # why the clause's value cannot be used, if so
    on_empty: bool = False  # the verdict on an empty value


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition. ``value`` is empty for a unary operator."""

    attribute: str
    operator: Operator
    value: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """One alternative, which the portal calls a scoping filter; ``name`` is its title."""

    name: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The whole filter. ``groups`` is never empty: no filter at all is ``None`` in its place."""

    groups: tuple[Group, ...]

    @property
    def attributes(self) -> frozenset[str]:
        """The source attributes that the verdict depends on."""
        return frozenset(clause.attribute for group in self.groups for clause in group.clauses)


class ClauseVerdict(NamedTuple):
    """One clause, the value that was seen, and whether it passed."""

    group: str
    clause: Clause
    value: Any
    passed: bool

    def __str__(self) -> str:
        parts = (self.group, self.clause.attribute, self.clause.operator.name, self.clause.value)
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class ScopeVerdict:
    """Did the object pass, and what every clause said: all of them, for the explanation."""

    passed: bool
    reasons: tuple[ClauseVerdict, ...] = ()


def evaluate(scope: Scope | None, get: Get) -> ScopeVerdict:
    """The verdict on the object whose attributes ``get`` tells.

    Raises ``EvaluationError`` when a regular expression takes too long on a value: no verdict is better than a wrong
    one, which would take somebody's access away.
    """
    if scope is None:
        return ScopeVerdict(passed=True)
    reasons: list[ClauseVerdict] = []
    passed = False
    for group in scope.groups:
        verdicts = [_verdict(group, clause, get(clause.attribute)) for clause in group.clauses]
        passed = passed or all(verdict.passed for verdict in verdicts)
        reasons += verdicts
    return ScopeVerdict(passed, tuple(reasons))


def find_operator(name: str) -> Operator | None:
    """The operator of this name, in any case, with spaces and underscores alike; ``None`` when there is none."""
    return _OPERATORS.get(_fold(name))


def operators() -> tuple[Operator, ...]:
    """All that can be evaluated, in the portal's order."""
    return tuple(_OPERATORS.values())


def whole_number(value: Any) -> int | None:
    """The integer that a value is or spells; ``None`` when it is none, so also of ``True``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    try:
        return int(value) if isinstance(value, str) and "_" not in value else None
    except ValueError:
        return None


def _verdict(group: Group, clause: Clause, value: Any) -> ClauseVerdict:
    operator = clause.operator
    empty = value is None or value in ("", [])
    return ClauseVerdict(group.name, clause, value, operator.on_empty if empty else operator.test(value, clause.value))


def _text(value: Any) -> str:
    # A boolean is the string True or False to mappings and filters alike.
    return value if isinstance(value, str) else str(value)


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(_text(value).casefold())


def _numbers(compare: Callable[[int, int], bool]) -> Callable[[Any, str], bool]:
    """A test of two whole numbers that fails where one side is none."""

    def test(value: Any, operand: str) -> bool:
        left, right = whole_number(value), whole_number(operand)
        return left is not None and right is not None and compare(left, right)

    return test


def _not_a_number(operand: str) -> str | None:
    return f"it compares whole numbers, and {operand!r} is none" if whole_number(operand) is None else None


def _matches(value: Any, pattern: str) -> bool:
    # Anywhere in the value, as .NET's Regex.IsMatch: anchors are the pattern's business.
    return compile_pattern(pattern).is_match(_text(value))


def _not_a_pattern(operand: str) -> str | None:
    try:
        compile_pattern(operand)
    except RegexError as error:
        return f"{error.message} {error.hint}" if error.hint else error.message
    return None


_TEXTS = ("String", "Integer", "Boolean")
_NUMBERS = ("String", "Integer")
_ANY = (*_TEXTS, "DateTime", "Binary")


def _fold(name: str) -> str:
    return name.replace("_", " ").strip().upper()


# The two bit tests are documented in one obscure line. Decided: "&" passes when every bit of the clause's value is set
# in the attribute's, as the bit-and rule of LDAP filters has it, and "!&" when that is not so.
_OPERATORS: Mapping[str, Operator] = {
    _fold(operator.name): operator
    for operator in (
        Operator("EQUALS", "Binary", _TEXTS, lambda value, operand: _text(value) == operand),
        Operator("NOT EQUALS", "Binary", _TEXTS, lambda value, operand: _text(value) != operand),
        Operator("IS TRUE", "Unary", ("Boolean", "String"), lambda value, _: _truth(value) is True),
        Operator("IS FALSE", "Unary", ("Boolean", "String"), lambda value, _: _truth(value) is False),
        Operator("IS NULL", "Unary", _ANY, lambda value, _: False, on_empty=True),
        Operator("IS NOT NULL", "Unary", _ANY, lambda value, _: True),
        Operator("REGEX MATCH", "Binary", _TEXTS, _matches, _not_a_pattern),
        Operator(
            "NOT REGEX MATCH", "Binary", _TEXTS, lambda value, operand: not _matches(value, operand), _not_a_pattern
        ),
        Operator("Greater_Than", "Binary", _NUMBERS, _numbers(lambda a, b: a > b), _not_a_number),
        Operator("Greater_Than_OR_EQUALS", "Binary", _NUMBERS, _numbers(lambda a, b: a >= b), _not_a_number),
        Operator("Includes", "Binary", ("String",), lambda value, operand: operand in _text(value)),
        Operator("ENDS_WITH", "Binary", ("String",), lambda value, operand: _text(value).endswith(operand)),
        Operator("&", "Binary", _NUMBERS, _numbers(lambda a, b: a & b == b), _not_a_number),
        Operator("!&", "Binary", _NUMBERS, _numbers(lambda a, b: a & b != b), _not_a_number),
    )
}
