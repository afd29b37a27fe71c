"""Floor 1, search and PATCH: the filter language of RFC 7644 section 3.4.2.2, text to tree and back.

Here names are text as written; ``resolution`` binds them to the attributes of a resource type. The tree is in one
normal form, so that ``parse(to_text(tree)) == tree``: ``and`` and ``or`` have two or more terms, none of their kind.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NoReturn, cast

from provisor.scim.dialect import Dialect
from provisor.scim.errors import InvalidFilter

Operator = Literal["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
Literal_ = str | int | float | bool | None

OPERATORS = frozenset(("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"))
MAX_LENGTH = 16_384
MAX_DEPTH = 32
MAX_TERMS = 500


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path op value``. ``raw`` is the value as it stood in the text, for attributes that read it differently."""

    path: str
    op: Operator
    value: Literal_
    raw: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Present:
    """``path pr``"""

    path: str


@dataclass(frozen=True, slots=True)
class ValuePath:
    """``path[filter]``: some one element satisfies all of ``filter``, whose paths are sub-attributes of ``path``."""

    path: str
    filter: Filter


@dataclass(frozen=True, slots=True)
class And:
    """Every term holds. Make it with ``all_of``."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Some term holds. Make it with ``any_of``."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The term does not hold."""

    term: Filter


Filter = Comparison | Present | ValuePath | And | Or | Not


def all_of(terms: Iterable[Filter]) -> Filter:
    """The conjunction of ``terms`` (at least one), in normal form."""
    flat = tuple(inner for term in terms for inner in (term.terms if isinstance(term, And) else (term,)))
    return flat[0] if len(flat) == 1 else And(flat)


def any_of(terms: Iterable[Filter]) -> Filter:
    """The disjunction of ``terms`` (at least one), in normal form."""
    flat = tuple(inner for term in terms for inner in (term.terms if isinstance(term, Or) else (term,)))
    return flat[0] if len(flat) == 1 else Or(flat)


# --- printing ------------------------------------------------------------------------------------------------------


def to_text(tree: Filter) -> str:
    """The filter as RFC 7644 writes it."""
    match tree:
        case Comparison(path, op, value):
            return f"{path} {op} {quote(value)}"
        case Present(path):
            return f"{path} pr"
        case ValuePath(path, inner):
            return f"{path}[{to_text(inner)}]"
        case Not(term):
            return f"not ({to_text(term)})"
        case And(terms):
            return " and ".join(f"({to_text(term)})" if isinstance(term, Or) else to_text(term) for term in terms)
        case Or(terms):
            return " or ".join(to_text(term) for term in terms)


def quote(value: Literal_) -> str:
    """A filter's literal: JSON's spelling (RFC 7644 section 3.4.2.2, ``compValue``)."""
    return json.dumps(value, ensure_ascii=False)


# --- parsing -------------------------------------------------------------------------------------------------------

_PATH = re.compile(r"[A-Za-z$][\w$.:/+%~-]*", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
# A string, a bracket, or a run of anything else; what matches none of it is an unfinished string.
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()\[\]]|[^\s()\[\]"]+)', re.DOTALL)
_SIMPLE = re.compile(r'([A-Za-z$][\w$.:-]*) (eq|ne|co|sw|ew) ("[^"\\\x00-\x1f]*")', re.ASCII)


def parse(text: str, dialect: Dialect) -> Filter:
    """The tree of a filter's text. Raises ``InvalidFilter`` with the position (from 1) of what is wrong."""
    if len(text) > MAX_LENGTH:
        raise InvalidFilter(
            f"The filter has {len(text)} characters; the limit is {MAX_LENGTH}.", hint="Split it into several requests."
        )
    # The one shape of nearly all traffic, without tokens: userName eq "ada@example.com".
    if simple := _SIMPLE.fullmatch(text):
        path, op, literal = simple.groups()
        value = literal[1:-1]
        if value.isascii():
            return Comparison(path, cast("Operator", op), value, literal)
    return _parse_cached(text, dialect) if len(text) <= 512 else _Parser(text, dialect).whole()


@lru_cache(maxsize=2048)
def _parse_cached(text: str, dialect: Dialect) -> Filter:
    return _Parser(text, dialect).whole()


class _Parser:
    """Recursive descent: ``or`` over ``and`` over terms. ``tokens`` ends with an empty one."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self.text = text
        self.dialect = dialect
        self.tokens: list[str] = []
        self.starts: list[int] = []
        self.at = 0
        self.depth = 0
        self.terms = 0
        self.inside = False
        position = 0
        end = len(text.rstrip())
        while position < end:
            found = _TOKEN.match(text, position)
            if found is None:
                self._fail("a string is not closed", len(text[:position]) + 1)
            self.tokens.append(found[1])
            self.starts.append(found.start(1) + 1)
            position = found.end()
        self.tokens.append("")
        self.starts.append(end + 1)

    def whole(self) -> Filter:
        if len(self.tokens) == 1:
            raise InvalidFilter("The filter is empty.", hint='Write for instance: userName eq "ada@example.com".')
        tree = self._either()
        if self.tokens[self.at]:
            self._fail(f"'{self.tokens[self.at]:.40}' is not expected here; 'and', 'or' or the end is")
        return tree

    def _either(self) -> Filter:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._fail(f"it is nested more than {MAX_DEPTH} deep")
        terms = [self._both()]
        while self._word("or"):
            terms.append(self._both())
        self.depth -= 1
        return any_of(terms)

    def _both(self) -> Filter:
        terms = [self._term()]
        while self._word("and"):
            terms.append(self._term())
        return all_of(terms)

    def _term(self) -> Filter:
        self.terms += 1
        if self.terms > MAX_TERMS:
            self._fail(f"it has more than {MAX_TERMS} terms")
        if self.tokens[self.at].lower() == "not" and self.tokens[self.at + 1] == "(":
            self.at += 1
            return Not(self._group(")"))
        if self.tokens[self.at] == "(":
            return self._group(")")
        path = self._path()
        if self.tokens[self.at] == "[":
            return self._value_path(path)
        return self._test(path)

    def _group(self, closing: str) -> Filter:
        self.at += 1
        inner = self._either()
        if self.tokens[self.at] != closing:
            self._fail(f"'{closing}' is missing")
        self.at += 1
        return inner

    def _value_path(self, path: str) -> Filter:
        if self.inside:
            self._fail("a value path cannot hold another one")
        self.inside = True
        inner = self._group("]")
        self.inside = False
        after = self.tokens[self.at]
        if not after.startswith("."):
            return ValuePath(path, inner)
        # emails[type eq "work"].value eq "x" is outside the RFC's grammar, but sent: the same element must hold both.
        if not self.dialect.filter_after_value_path:
            self._fail("a comparison cannot follow a value path (RFC 7644, figure 1); write the test inside [ ]")
        if not _PATH.fullmatch(after[1:]):
            self._fail(f"'{after:.40}' is no sub-attribute")
        self.at += 1
        return ValuePath(path, all_of([inner, self._test(after[1:])]))

    def _path(self) -> str:
        token = self.tokens[self.at]
        if not _PATH.fullmatch(token):
            self._fail(f"an attribute is expected, not '{token:.40}'" if token else "an attribute is expected")
        self.at += 1
        return token

    def _test(self, path: str) -> Filter:
        op = self.tokens[self.at].lower()
        if op == "pr":
            self.at += 1
            return Present(path)
        if op not in OPERATORS:
            self._fail(f"'{self.tokens[self.at]:.40}' after {path} is no operator; one of {_OPERATOR_LIST} is expected")
        self.at += 1
        raw = self.tokens[self.at]
        value = self._literal(raw)
        self.at += 1
        return Comparison(path, cast("Operator", op), value, raw)

    def _literal(self, token: str) -> Literal_:
        if token.startswith('"'):
            return self._string(token)
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        if _NUMBER.fullmatch(token):
            return _number(token)
        if not token or token in _BRACKETS:
            self._fail("a value is missing")
        if token.startswith(("'", "\N{LEFT DOUBLE QUOTATION MARK}")):
            self._fail("a string needs double quotes")
        if not self.dialect.bare_literals or "\0" in token:
            self._fail(f"'{token:.40}' needs double quotes")
        return token

    def _string(self, token: str) -> str:
        try:
            value = json.loads(token)
            value.encode()  # half of a surrogate pair is no text
        except ValueError as error:
            self._fail(f"the string is no JSON string ({error})")
        if "\0" in value:
            self._fail("a string cannot hold the character U+0000")
        return str(value)

    def _word(self, word: str) -> bool:
        if self.tokens[self.at].lower() != word:
            return False
        self.at += 1
        return True

    def _fail(self, what: str, position: int | None = None) -> NoReturn:
        place = position if position is not None else self.starts[self.at]
        raise InvalidFilter(f"The filter is wrong at character {place}: {what}.", hint=f"It was: {self.text:.200}")


_CONSTANTS: dict[str, Literal_] = {"true": True, "false": False, "null": None}
_BRACKETS = frozenset("()[]")
_OPERATOR_LIST = "eq, ne, co, sw, ew, gt, ge, lt, le, pr"


def _number(token: str) -> int | float | str:
    # Python refuses, for good reason, to read integers of thousands of digits; and JSON has no infinity.
    number = float(token)
    if len(token) > 40 or math.isinf(number):
        return token
    return int(token) if token.lstrip("-").isdigit() else number
