"""OData, ``$search``: ``"displayName:ali" OR "mail:ali"``, as Graph has it for directory objects.

Of ``displayName`` and ``description`` each word of the clause begins one of the text's words; any other property begins
with the clause's text. Without a property a clause means the type's first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisor.odata.errors import BadQuery
from provisor.odata.text import fold
from provisor.odata.types import EntityType

_TOKEN = re.compile(r'\s*(?:"(?P<clause>(?:[^"\\]|\\.)*)"|(?P<word>AND|OR|and|or)(?!\w)|(?P<mark>[()]))')
_WORD = re.compile(r"[^\W_]+")
_TOKENISED = frozenset(("displayName", "description"))
_MOST_CLAUSES = 50


@dataclass(frozen=True, slots=True)
class Clause:
    """One property and the text that is looked for in it."""

    property: str
    text: str

    def found_in(self, document: Mapping[str, Any]) -> bool:
        value = document.get(self.property)
        values = value if isinstance(value, list) else [value]
        return any(self._in_text(one) for one in values if isinstance(one, str))

    def _in_text(self, value: str) -> bool:
        text = fold(self.text)
        if self.property not in _TOKENISED:
            return fold(value).startswith(text)
        words = _WORD.findall(fold(value))
        return all(any(word.startswith(sought) for word in words) for sought in _WORD.findall(text))


@dataclass(frozen=True, slots=True)
class Search:
    """Alternatives, of each of which all clauses must hold."""

    alternatives: tuple[tuple[Clause, ...], ...]

    def found_in(self, document: Mapping[str, Any]) -> bool:
        """Whether the document is one of those that are looked for."""
        return any(all(clause.found_in(document) for clause in clauses) for clauses in self.alternatives)


def parse_search(text: str, entity: EntityType, default: str = "displayName") -> Search:
    """The search. AND binds closer than OR; parentheses are not taken. Raises ``BadQuery``, ``UnknownProperty``."""
    alternatives: list[list[Clause]] = [[]]
    at, end, expects_clause, count = 0, len(text.rstrip()), True, 0
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None or token["mark"] or (token["clause"] is not None) != expects_clause:
            raise BadQuery(
                f"Syntax error at position {at} in the search '{text[:200]}'.",
                hint='Write it as "displayName:ali" OR "mail:ali", each clause in double quotes.',
            )
        at = token.end()
        if token["clause"] is not None:
            count += 1
            alternatives[-1].append(_clause(token["clause"], entity, default))
        elif token["word"].lower() == "or":
            alternatives.append([])
        expects_clause = not expects_clause
    if expects_clause or count > _MOST_CLAUSES:
        raise BadQuery(f"The search '{text[:200]}' is empty, ends in AND or OR, or has over {_MOST_CLAUSES} clauses.")
    return Search(tuple(tuple(clauses) for clauses in alternatives))


def _clause(text: str, entity: EntityType, default: str) -> Clause:
    name, colon, sought = re.sub(r"\\(.)", r"\1", text).partition(":")
    if not colon:
        name, sought = default, name
    if not sought.strip():
        raise BadQuery(f"The search clause '{text[:100]}' looks for nothing.")
    return Clause(entity.canonical(name.strip()), sought.strip())
