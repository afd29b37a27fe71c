"""Processing: the syntax of .NET's regular expressions, read into a tree.

Constructs without an equal in Python are refused with their place: balancing groups, conditional alternation, ``\\G``,
look-behind of variable length. .NET reference: "Regular expression language - quick reference".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from provisor.expressions.errors import ExpressionError
from provisor.expressions.regex_classes import WORD, code, property_ranges
from provisor.expressions.regex_tree import (
    Assertion,
    Atomic,
    Backreference,
    Choice,
    Group,
    Look,
    Node,
    One,
    Repeat,
    Sequence,
    resolved,
    width,
)

MAX_PATTERN = 2_000
"""Characters of a pattern."""
MAX_NESTING = 50
"""Groups inside each other."""
MAX_REPEAT = 1_000
"""The largest number in ``{n,m}``."""


class RegexError(ExpressionError):
    """The regular expression cannot be used."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """A parsed pattern. ``numbers`` and ``names`` give Python's group indexes for .NET's numbers and names; a name that
    occurs several times has several."""

    root: Node
    count: int
    numbers: dict[int, int]
    names: dict[str, tuple[int, ...]]
    has_backreference: bool


@dataclass(frozen=True, slots=True)
class _Options:
    ignore_case: bool = False
    multiline: bool = False
    singleline: bool = False
    explicit: bool = False
    spaced: bool = False


_OPTION_FIELDS = {"i": "ignore_case", "m": "multiline", "s": "singleline", "n": "explicit", "x": "spaced"}
_OPTIONS = re.compile(r"([imnsx]*)(?:-([imnsx]*))?([:)])")
_NAMED = re.compile(r"<([^>'!=]*)>|'([^']*)'")
_NAME = re.compile(r"[^\W\d]\w*|[1-9][0-9]{0,2}")
_QUANTIFIER = re.compile(r"\{([0-9]{1,9})(,([0-9]{0,9}))?\}")
_SHORTHAND = {"d": r"\d", "D": r"\D", "s": r"\s", "S": r"\S"}
_CONTROL = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "a": 7, "e": 27}
_CLASS_END = "the class is never closed with ']'."


def parse_pattern(pattern: str) -> Syntax:
    """The tree of a .NET pattern. Raises `RegexError` with the place in the pattern."""
    if len(pattern) > MAX_PATTERN:
        raise RegexError(
            f"The regular expression has {len(pattern):,} characters; at most {MAX_PATTERN:,} are allowed."
        )
    parser = _Parser(pattern)
    root = parser.choice(_Options(), 0)
    if parser.at < len(pattern):
        raise parser.error("this ')' closes nothing.")
    return parser.finish(root)


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.count = 0
        self.unnamed: list[int] = []
        self.names: dict[str, list[int]] = {}
        self.references: list[tuple[str, bool, int]] = []

    def error(self, message: str, *, at: int | None = None, hint: str | None = None) -> RegexError:
        return RegexError(message, text=self.pattern, at=self.at if at is None else at, hint=hint)

    def peek(self, count: int = 1) -> str:
        return self.pattern[self.at : self.at + count]

    def take(self, what: str) -> str:
        """The next character, or an error that says what is missing."""
        if self.at >= len(self.pattern):
            raise self.error(what)
        self.at += 1
        return self.pattern[self.at - 1]

    # --- structure

    def choice(self, options: _Options, depth: int) -> Node:
        if depth > MAX_NESTING:
            raise self.error(f"more than {MAX_NESTING} groups are inside each other.")
        branches: list[Node] = []
        while True:
            branch, options = self.sequence(options, depth)
            branches.append(branch)
            if self.peek() != "|":
                return branches[0] if len(branches) == 1 else Choice(tuple(branches))
            self.at += 1

    def sequence(self, options: _Options, depth: int) -> tuple[Node, _Options]:
        """Up to ``|``, ``)`` or the end; an inline option such as ``(?i)`` holds to the end of the group."""
        items: list[Node] = []
        while self.at < len(self.pattern) and self.peek() not in "|)":
            if options.spaced and self.skip_spacing():
                continue
            if self.peek(3) == "(?#":
                self.comment()
                continue
            changed = self.inline_options(options)
            if changed is not None:
                options = changed
                continue
            items.append(self.quantified(self.atom(options, depth), options))
        return (items[0] if len(items) == 1 else Sequence(tuple(items))), options

    def skip_spacing(self) -> bool:
        start = self.at
        while self.peek() and self.peek() in " \t\n\r\f\v":
            self.at += 1
        if self.peek() == "#":
            end = self.pattern.find("\n", self.at)
            self.at = len(self.pattern) if end < 0 else end + 1
        return self.at > start

    def comment(self) -> None:
        end = self.pattern.find(")", self.at)
        if end < 0:
            raise self.error("the comment is never closed with ')'.")
        self.at = end + 1

    def inline_options(self, options: _Options) -> _Options | None:
        if self.peek(2) != "(?":
            return None
        match = _OPTIONS.match(self.pattern, self.at + 2)
        if match is None or match[3] != ")":
            return None
        self.at = match.end()
        return _changed(options, match)

    def quantified(self, item: Node, options: _Options) -> Node:
        while options.spaced and self.skip_spacing():
            pass
        bounds = self.quantifier()
        if bounds is None:
            return item
        lazy = self.peek() == "?"
        self.at += lazy
        start = self.at
        if self.quantifier() is not None:
            raise self.error("a quantifier follows a quantifier.", at=start, hint="Group it: (?:a+)+ is two of them.")
        low, high = bounds
        return Repeat(item, low, high, lazy)

    def quantifier(self) -> tuple[int, int | None] | None:
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.peek())
        if simple is not None:
            self.at += 1
            return simple
        match = _QUANTIFIER.match(self.pattern, self.at)
        if match is None:
            return None
        low = int(match[1])
        high = low if match[2] is None else int(match[3]) if match[3] else None
        if high is not None and high < low:
            raise self.error("the quantifier's second number is smaller than its first.")
        if max(low, high or 0) > MAX_REPEAT:
            raise self.error(f"a quantifier may say at most {MAX_REPEAT}.")
        self.at = match.end()
        return low, high

    # --- one thing

    def atom(self, options: _Options, depth: int) -> Node:
        start = self.at
        if self.quantifier() is not None:
            raise self.error("a quantifier has nothing before it to repeat.", at=start)
        character = self.take("expected something to match.")
        if character == "(":
            return self.group(options, depth)
        if character == "[":
            return self.one(self.character_class(options), options)
        if character == ".":
            return One(r"[\s\S]" if options.singleline else r"[^\n]")
        if character == "^":
            return Assertion("(?m:^)" if options.multiline else "^")
        if character == "$":
            return Assertion("(?m:$)" if options.multiline else "$")
        if character == "\\":
            return self.escape(options)
        return self.one(code(character), options)

    def one(self, source: str, options: _Options) -> One:
        return One(f"(?i:{source})" if options.ignore_case else source)

    def group(self, options: _Options, depth: int) -> Node:
        start = self.at - 1
        if self.peek() != "?":
            if options.explicit:
                return self.closed(self.choice(options, depth + 1), start)
            index = self.opened()
            self.unnamed.append(index)
            return self.closed(Group(self.choice(options, depth + 1), index), start)
        self.at += 1
        for mark, negative in (("=", False), ("!", True)):
            if self.peek() == mark:
                self.at += 1
                return self.closed(Look(self.choice(options, depth + 1), negative, None), start)
            if self.peek(2) == f"<{mark}":
                self.at += 2
                return self.behind(self.choice(options, depth + 1), negative, start)
        if self.peek() == ">":
            self.at += 1
            return self.closed(Atomic(self.choice(options, depth + 1)), start)
        if match := _OPTIONS.match(self.pattern, self.at):
            self.at = match.end()
            return self.closed(self.choice(_changed(options, match), depth + 1), start)
        return self.named_group(options, depth, start)

    def named_group(self, options: _Options, depth: int, start: int) -> Node:
        if self.peek() == "(":
            raise self.error("conditional alternation, (?(...)yes|no), is not supported.", at=start)
        match = _NAMED.match(self.pattern, self.at)
        if match is None:
            hint = "In .NET a named group is (?<name>...)." if self.peek() == "P" else None
            raise self.error("this is no group that .NET knows.", at=start, hint=hint)
        name = match[1] if match[1] is not None else match[2]
        if "-" in name:
            raise self.error("balancing groups, (?<a-b>...), are not supported.", at=start)
        if not _NAME.fullmatch(name):
            raise self.error(f"'{name}' is no name for a group.", at=start)
        self.at = match.end()
        index = self.opened()
        self.names.setdefault(name, []).append(index)
        return self.closed(Group(self.choice(options, depth + 1), index), start)

    def opened(self) -> int:
        self.count += 1
        return self.count

    def closed(self, node: Node, start: int) -> Node:
        if self.peek() != ")":
            raise self.error("this group is never closed with ')'.", at=start)
        self.at += 1
        return node

    def behind(self, item: Node, negative: bool, start: int) -> Node:
        characters = width(item)
        if characters is None:
            raise self.error(
                "look-behind of variable length is not supported.",
                at=start,
                hint="Capture what stands before in a group of its own.",
            )
        return self.closed(Look(item, negative, characters), start)

    # --- escapes and classes

    def escape(self, options: _Options) -> Node:
        start = self.at - 1
        character = self.take("a backslash ends the pattern.")
        if character in _SHORTHAND:
            return One(_SHORTHAND[character])
        if character in "wW":
            return One(f"[{'^' if character == 'W' else ''}{WORD}]")
        if character in "pP":
            return self.one(f"[{'^' if character == 'P' else ''}{self.property(start)}]", options)
        anchor = {"b": r"\b", "B": r"\B", "A": r"\A", "z": r"\Z", "Z": r"(?=\n?\Z)"}.get(character)
        if anchor is not None:
            return Assertion(anchor)
        if character == "G":
            raise self.error(r"\G is not supported.", at=start)
        if character == "k" or character in "123456789":
            return self.reference(character, options, start)
        return self.one(code(self.escaped_code(character, start)), options)

    def reference(self, character: str, options: _Options, start: int) -> Node:
        if character == "k":
            match = _NAMED.match(self.pattern, self.at)
            if match is None:
                raise self.error(r"expected \k<name>.", at=start)
            name = match[1] if match[1] is not None else match[2]
            self.at = match.end()
        else:
            digits = re.compile("[0-9]*").match(self.pattern, self.at - 1)
            name = digits[0][:3] if digits else character
            self.at += len(name) - 1
        self.references.append((name, options.ignore_case, start))
        return Backreference(-len(self.references), options.ignore_case)

    def property(self, start: int) -> str:
        match = re.compile(r"\{([A-Za-z0-9-]{1,40})\}").match(self.pattern, self.at)
        if match is None:
            raise self.error(r"expected \p{name}.", at=start)
        ranges = property_ranges(match[1])
        if ranges is None:
            raise self.error(
                f"there is no Unicode category or block '{match[1]}' here.",
                at=start,
                hint=r"Categories such as \p{L}, \p{Lu}, \p{Nd}, \p{P} and blocks such as \p{IsCyrillic} are known.",
            )
        self.at = match.end()
        return ranges

    def escaped_code(self, character: str, start: int) -> int:
        """The number of the character that an escape stands for; ``character`` follows the backslash."""
        if character in _CONTROL:
            return _CONTROL[character]
        if character in "xu":
            digits = self.peek(2 if character == "x" else 4)
            if not re.fullmatch("[0-9A-Fa-f]{2}" if character == "x" else "[0-9A-Fa-f]{4}", digits):
                raise self.error(f"expected {2 if character == 'x' else 4} hexadecimal digits.", at=start)
            self.at += len(digits)
            return int(digits, 16)
        if character == "c":
            letter = self.take(r"expected a letter after \c.").upper()
            if not "@" <= letter <= "_":
                raise self.error(r"expected a letter after \c.", at=start)
            return ord(letter) - 64
        if character == "0":
            digits = (re.compile("[0-7]{0,2}").match(self.pattern, self.at) or [""])[0]
            self.at += len(digits)
            return int(digits or "0", 8)
        if character == "_" or (character.isascii() and character.isalnum()):
            raise self.error(f"\\{character} is no escape that .NET knows.", at=start)
        return ord(character)

    def character_class(self, options: _Options) -> str:
        """The class after its ``[``. A subtraction becomes a look ahead: still one character."""
        negated = self.peek() == "^"
        self.at += negated
        parts: list[str] = []
        first = True
        while True:
            if self.peek() == "]" and not first:
                self.at += 1
                break
            if self.peek(2) == "-[" and not first:
                self.at += 2
                minus = self.character_class(options)
                if self.take(_CLASS_END) != "]":
                    raise self.error("a subtraction, -[...], must end its class.", at=self.at - 1)
                return f"(?!{minus})[{'^' if negated else ''}{''.join(parts)}]"
            first = False
            parts.append(self.class_item())
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def class_item(self) -> str:
        start = self.at
        low = self.class_character()
        if isinstance(low, str):
            return low
        if self.peek() != "-" or self.peek(2) in ("-]", "-["):
            return code(low)
        self.at += 1
        high = self.class_character()
        if isinstance(high, str):
            raise self.error("a class such as \\d cannot end a range.", at=start)
        if high < low:
            raise self.error("the range's end comes before its start.", at=start)
        return f"{code(low)}-{code(high)}"

    def class_character(self) -> int | str:
        """One character's number, or what stands in a class for a whole class."""
        start = self.at
        character = self.take(_CLASS_END)
        if character != "\\":
            return ord(character)
        character = self.take(_CLASS_END)
        if character in _SHORTHAND:
            return _SHORTHAND[character]
        if character == "w":
            return WORD
        if character == "W":
            return r"\W"
        if character == "p":
            return self.property(start)
        if character == "P":
            raise self.error(r"\P{...} inside a class is not supported.", at=start, hint=r"Use [^\p{...}].")
        if character == "b":
            return 8
        if character in "123456789":
            raise self.error(f"\\{character} means nothing inside a class.", at=start)
        return self.escaped_code(character, start)

    # --- numbers and names

    def finish(self, root: Node) -> Syntax:
        """.NET numbers the unnamed groups first, then the named ones in the order of their first appearance."""
        numbers = dict(enumerate(self.unnamed, start=1))
        number = len(self.unnamed)
        for name, indexes in self.names.items():
            if name.isdigit():
                numbers[int(name)] = indexes[-1]
                continue
            number += 1
            numbers[number] = indexes[-1]
        names = {name: tuple(indexes) for name, indexes in self.names.items()}
        if self.references:
            root = resolved(root, [self.target(reference, numbers) for reference in self.references])
        return Syntax(root, self.count, numbers, names, bool(self.references))

    def target(self, reference: tuple[str, bool, int], numbers: dict[int, int]) -> int:
        name, _, start = reference
        indexes = self.names.get(name, [])
        if len(indexes) > 1:
            raise self.error(f"the name '{name}' belongs to several groups; it cannot be referred to.", at=start)
        index = indexes[0] if indexes else numbers.get(int(name)) if name.isdecimal() else None
        if index is None:
            raise self.error(f"there is no group '{name}'.", at=start)
        return index


def _changed(options: _Options, match: re.Match[str]) -> _Options:
    for letter in match[1]:
        options = replace(options, **{_OPTION_FIELDS[letter]: True})
    for letter in match[2] or "":
        options = replace(options, **{_OPTION_FIELDS[letter]: False})
    return options
