r"""Processing: regular expressions as .NET writes them, for Replace and for the scoping filters' REGEX MATCH.

    pattern = compile_pattern(r"\+(?<isdCode>\d* )(?<phoneNumber>\d{10})")
    pattern.replace("+91 9998887777", "${phoneNumber}")        # "9998887777"

A pattern becomes one of Python's `re`. No pattern can hang: `re` is used for a text only where a bound on its steps,
computed from the pattern's structure and the text's length, is small (`regex_python.safe_length`); every other text
goes to a matcher whose work grows with the product of the two and whose steps are counted (`regex_machine`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from provisor.expressions.regex_machine import Budget, Machine, Spans
from provisor.expressions.regex_python import safe_length, to_python
from provisor.expressions.regex_syntax import RegexError, Syntax, parse_pattern
from provisor.expressions.values import MAX_LENGTH, too_long

_BEFORE, _AFTER, _WHOLE, _LAST = -1, -2, -3, -4
_SPECIAL = {"&": 0, "`": _BEFORE, "'": _AFTER, "_": _WHOLE, "+": _LAST}
_REFERENCE = re.compile(r"\$(?:([0-9]{1,3})|\{([^}]{1,100})\}|([$&`'_+]))")


class Pattern:
    """A compiled pattern; immutable to its users, and may be shared by threads."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.syntax: Syntax = parse_pattern(source)
        self.safe_length = safe_length(self.syntax.root)
        """Up to this length of text `re` is asked, past it the machine."""
        self._machine = Machine(self.syntax)
        self._re = re.compile(to_python(self.syntax.root))

    @property
    def names(self) -> frozenset[str]:
        """The names of its groups."""
        return frozenset(self.syntax.names)

    def is_match(self, text: str) -> bool:
        """Whether it matches anywhere in the text. Raises `EvaluationError` where that takes too long."""
        return self.search(text) is not None

    def search(self, text: str, start: int = 0, budget: Budget | None = None) -> Spans | None:
        """The first match at or after ``start``: where it and each of its groups begin and end, else None.

        Raises `EvaluationError` where that takes too long.
        """
        if len(text) <= self.safe_length:
            match = self._re.search(text, start)
            return None if match is None else match.regs
        return self._machine.search(text, start, budget or Budget())

    def matches(self, text: str) -> Iterator[Spans]:
        """All matches from left to right; after an empty one the search goes on one character further, as .NET does."""
        budget = Budget()
        start = 0
        while start <= len(text) and (spans := self.search(text, start, budget)) is not None:
            yield spans
            begin, end = spans[0]
            start = end + 1 if end == begin else end

    def group(self, spans: Spans, name: str) -> tuple[int, int] | None:
        """Where the group of that name (or number) is in a match, None where it took no part or is not there."""
        for index in reversed(self._indexes(name)):
            if spans[index][0] >= 0:
                return spans[index]
        return None

    def _indexes(self, name: str) -> tuple[int, ...]:
        if name in self.syntax.names:
            return self.syntax.names[name]
        if name == "0":
            return (0,)
        index = self.syntax.numbers.get(int(name)) if name.isdecimal() and len(name) < 4 else None
        return () if index is None else (index,)

    def parse_replacement(self, replacement: str) -> tuple[str | tuple[int, ...], ...]:
        """.NET's replacement pattern in parts: texts, and group indexes of which the last one that took part counts.

        ``$1 ${name} $& $` $' $+ $_ $$`` are known; what refers to no group is a text, as in .NET.
        """
        parts: list[str | tuple[int, ...]] = []
        end = 0
        for match in _REFERENCE.finditer(replacement):
            part = self._part(match)
            if part is not None:
                parts += [replacement[end : match.start()], part]
                end = match.end()
        parts.append(replacement[end:])
        return tuple(part for part in parts if part != "")

    def _part(self, match: re.Match[str]) -> str | tuple[int, ...] | None:
        digits, name, special = match.groups()
        if special == "$":
            return "$"
        if special is not None:
            return (_SPECIAL[special],)
        return self._indexes(digits or name) or None

    def replace(self, text: str, replacement: str) -> str:
        """The text with every match replaced; unchanged where there is none. Raises `EvaluationError`."""
        parts = self.parse_replacement(replacement)
        return self._replaced(text, lambda spans: [(*spans[0], self._filled(parts, text, spans))])

    def replace_group(self, text: str, name: str, replacement: str) -> str:
        """The text with only what the group captured replaced, in every match. Raises `EvaluationError`."""

        def edit(spans: Spans) -> list[tuple[int, int, str]]:
            place = self.group(spans, name)
            return [] if place is None else [(*place, replacement)]

        return self._replaced(text, edit)

    def _replaced(self, text: str, edit: Callable[[Spans], list[tuple[int, int, str]]]) -> str:
        pieces: list[str] = []
        done = length = 0
        for spans in self.matches(text):
            for begin, end, new in edit(spans):
                if begin < done:  # a group inside a look-ahead may lie in an earlier match's reach
                    continue
                pieces += [text[done:begin], new]
                length += begin - done + len(new)
                done = end
            if length > MAX_LENGTH:
                too_long(length)
        pieces.append(text[done:])
        return "".join(pieces)

    def _filled(self, parts: tuple[str | tuple[int, ...], ...], text: str, spans: Spans) -> str:
        return "".join(part if isinstance(part, str) else _captured(part, text, spans) for part in parts)


def _captured(indexes: tuple[int, ...], text: str, spans: Spans) -> str:
    begin, end = spans[0]
    for index in reversed(indexes):
        if index == _BEFORE:
            return text[:begin]
        if index == _AFTER:
            return text[end:]
        if index == _WHOLE:
            return text
        place = spans[len(spans) - 1] if index == _LAST else spans[index]
        if place[0] >= 0:
            return text[place[0] : place[1]]
    return ""


@lru_cache(maxsize=512)
def compile_pattern(source: str) -> Pattern:
    """The compiled pattern. Raises `RegexError` with the place in the pattern."""
    return Pattern(source)


__all__ = ["Pattern", "RegexError", "compile_pattern"]
