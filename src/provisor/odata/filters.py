"""OData, ``$filter``: the text into a tree (OData 4.01 URL conventions, section 5.1.1; what Graph documents of it).

    or  <  and  <  not  <  comparison, in, function call, lambda, (…)

A name on the left, a literal on the right; the other way round is turned. Names are checked against the type where one
is given. Depth and size are bounded, so that no query is dearer than its length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from provisor.clock import parse_iso
from provisor.odata.errors import BadQuery, Unsupported
from provisor.odata.tree import (
    And,
    Call,
    Compare,
    Function,
    In,
    Lambda,
    Moment,
    Node,
    Not,
    Operator,
    Or,
    Path,
    Value,
)
from provisor.odata.types import EntityType

MOST_CHARACTERS = 16_384
MOST_TERMS = 500
_DEEPEST = 50

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>   '(?:[^']|'')*' )
    | (?P<prefixed> [A-Za-z_][\w.]*'(?:[^']|'')*' )            # duration'PT1H', an enumeration's value
    | (?P<guid>     [0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![\w-]) )
    | (?P<moment>   -?\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:[Zz]|[+-]\d\d:\d\d)?)?(?![\w-]) )
    | (?P<number>   [+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]) )
    | (?P<name>     [A-Za-z_$][\w.]*(?:/[A-Za-z_$][\w.]*)* )
    | (?P<mark>     [(),:] )
    )""",
    re.VERBOSE,
)
_OPERATORS = frozenset(("eq", "ne", "gt", "ge", "lt", "le"))
_FUNCTIONS = frozenset(("startswith", "endswith", "contains"))
_WORDS = frozenset(("and", "or", "not", "in", *_OPERATORS))
_FLIPPED: dict[str, Operator] = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}


def parse_filter(text: str, entity: EntityType | None = None) -> Node:
    """The filter's tree. Raises ``BadQuery``, ``UnknownProperty`` for a name that ``entity`` does not have."""
    if len(text) > MOST_CHARACTERS:
        raise BadQuery(f"The filter has {len(text)} characters; {MOST_CHARACTERS} are allowed.")
    return _Parser(text, entity).whole()


class _Parser:
    def __init__(self, text: str, entity: EntityType | None) -> None:
        self._text = text
        self._entity = entity
        self._tokens = _tokens(text)
        self._at = 0
        self._terms = 0
        self._depth = 0
        self._variables: list[str] = []

    def whole(self) -> Node:
        if not self._tokens:
            raise BadQuery("The filter is empty.")
        node = self._or()
        if self._at < len(self._tokens):
            raise self._wrong("and, or, or the end")
        return node

    def _or(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadQuery(f"The filter is nested more than {_DEEPEST} deep.")
        nodes = self._chain("or", lambda: self._chain("and", self._unary, And), Or)
        self._depth -= 1
        return nodes

    def _chain(self, word: str, part: Callable[[], Node], make: type[And] | type[Or]) -> Node:
        nodes = [part()]
        while self._takes(word):
            nodes.append(part())
        return nodes[0] if len(nodes) == 1 else make(tuple(nodes))

    def _unary(self) -> Node:
        negations = 0
        while self._takes("not"):
            negations += 1
        node = self._primary()
        return Not(node) if negations % 2 else node

    def _primary(self) -> Node:
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise BadQuery(f"The filter has more than {MOST_TERMS} conditions.")
        if self._mark("("):
            node = self._or()
            self._needs(")")
            return self._is_true(node)
        kind, text = self._peek()
        if kind == "name" and text.lower() in _FUNCTIONS and self._follows("("):
            return self._is_true(self._call(text.lower()))
        if kind == "name" and text.rpartition("/")[2].lower() in ("any", "all") and self._follows("("):
            return self._lambda(text)
        if kind == "name" and self._follows("("):
            raise Unsupported(f"The function '{text}' is not supported in a filter.")
        return self._comparison()

    def _comparison(self) -> Node:
        kind, text = self._peek()
        if kind == "name" and text.lower() not in ("true", "false", "null"):
            path = self._path()
            word = self._word()
            if word == "in":
                self._at += 1
                return In(path, self._list())
            if word in _OPERATORS:
                self._at += 1
                return Compare(cast("Operator", word), path, self._literal())
            if self._at >= len(self._tokens) or word in ("and", "or") or self._tokens[self._at] == ("mark", ")"):
                return Compare("eq", path, True)
            raise self._wrong("an operator")
        value = self._literal()
        word = self._word()
        if word not in _OPERATORS:
            raise self._wrong("an operator")
        self._at += 1
        return Compare(_FLIPPED[word], self._path(), value)

    def _is_true(self, node: Node) -> Node:
        """``… eq true`` after a condition, as some clients write it."""
        word = self._word()
        if word not in ("eq", "ne"):
            return node
        self._at += 1
        value = self._literal()
        if not isinstance(value, bool):
            raise BadQuery("A condition can be compared with true or false only.")
        return node if value == (word == "eq") else Not(node)

    def _call(self, function: str) -> Node:
        self._at += 1
        self._needs("(")
        path = self._path()
        self._needs(",")
        text = self._literal()
        if not isinstance(text, str):
            raise BadQuery(f"The second argument of {function} is a text in single quotes.")
        self._needs(")")
        return Call(cast("Function", function), path, text)

    def _lambda(self, text: str) -> Node:
        collection, _, kind = text.rpartition("/")
        if not collection:
            raise BadQuery(f"'{text}' needs a collection before it, as in otherMails/any(m:m eq 'a@b.example').")
        path = self._checked(collection)
        self._at += 1
        self._needs("(")
        body: Node | None = None
        if not self._mark(")"):
            found, variable = self._next("name")
            if not found or "/" in variable:
                raise self._wrong("a variable's name")
            self._needs(":")
            self._variables.append(variable)
            body = self._or()
            self._variables.pop()
            self._needs(")")
        elif kind.lower() == "all":
            raise BadQuery("all() needs a condition.")
        return Lambda("any" if kind.lower() == "any" else "all", path, body)

    def _list(self) -> tuple[Value, ...]:
        self._needs("(")
        values = [self._literal()]
        while self._mark(","):
            values.append(self._literal())
        self._needs(")")
        if len(values) > MOST_TERMS:
            raise BadQuery(f"The list after 'in' has {len(values)} values; {MOST_TERMS} are allowed.")
        return tuple(values)

    def _path(self) -> Path:
        kind, text = self._peek()
        if kind != "name" or text.lower() in _WORDS:
            raise self._wrong("a property's name")
        self._at += 1
        return self._checked(text)

    def _checked(self, text: str) -> Path:
        steps = tuple(text.split("/"))
        if self._variables:
            if steps[0] != self._variables[-1]:
                raise Unsupported(f"Inside any() and all() a name begins with its variable; '{text}' does not.")
            return steps[1:]
        return steps if self._entity is None else self._entity.path(steps)

    def _literal(self) -> Value:
        kind, text = self._peek()
        self._at += 1
        match kind:
            case "string":
                return text[1:-1].replace("''", "'")
            case "prefixed":
                return text[text.index("'") + 1 : -1].replace("''", "'")
            case "guid":
                return text.lower()
            case "number":
                return int(text) if text.lstrip("+-").isdigit() else float(text)
            case "moment":
                return _moment(text)
            case "name" if text.lower() in ("true", "false", "null"):
                return {"true": True, "false": False, "null": None}[text.lower()]
        self._at -= 1
        raise self._wrong("a value")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _word(self) -> str:
        kind, text = self._peek()
        return text.lower() if kind == "name" else ""

    def _follows(self, mark: str) -> bool:
        return self._tokens[self._at + 1 : self._at + 2] == [("mark", mark)]

    def _next(self, kind: str) -> tuple[bool, str]:
        found, text = self._peek()
        if found != kind:
            return False, text
        self._at += 1
        return True, text

    def _takes(self, word: str) -> bool:
        if self._word() != word:
            return False
        self._at += 1
        return True

    def _mark(self, mark: str) -> bool:
        if self._peek() != ("mark", mark):
            return False
        self._at += 1
        return True

    def _needs(self, mark: str) -> None:
        if not self._mark(mark):
            raise self._wrong(f"'{mark}'")

    def _wrong(self, wanted: str) -> BadQuery:
        _, text = self._peek()
        found = f"'{text[:100]}'" if text else "the end"
        return BadQuery(f"Invalid filter clause: {wanted} is expected where {found} is, in '{self._text[:500]}'.")


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            raise BadQuery(f"Invalid filter clause: a syntax error at position {at} in '{text[:500]}'.")
        found.append((token.lastgroup or "", token[token.lastgroup or 0]))
        at = token.end()
    return found


def _moment(text: str) -> Moment:
    # More than six digits of a second are Graph's; Python's limit is six.
    short = re.sub(r"(\.\d{6})\d+", r"\1", text.upper())
    try:
        return Moment(parse_iso(short))
    except (ValueError, OverflowError) as error:
        raise BadQuery(f"'{text}' is no date.") from error
