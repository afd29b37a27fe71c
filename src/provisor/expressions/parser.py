"""Processing: from an expression's text to its tree.

Grammar (reference entra-expressions.md §1): functions with positional arguments that may be left empty, attributes
in brackets, quoted texts in which only ``\\\\`` and ``\\"`` are escapes, numbers, bare words, comparisons as arguments.
What a function is called and takes is not looked at here, but where the tree is compiled.
"""

from __future__ import annotations

import re

from provisor.expressions.errors import ExpressionError
from provisor.expressions.tree import Attribute, Condition, Function, Node, Number, Operand, Text, Word

MAX_TEXT = 10_000
"""Characters of an expression: Entra's limit."""
MAX_DEPTH = 100
"""Functions inside each other. Entra names no limit; this one keeps well clear of the interpreter's stack."""

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"-?[0-9]+(?![A-Za-z0-9_.])|&[Hh][0-9A-Fa-f]+(?![A-Za-z0-9_.])")
_OPERATOR = re.compile(r"<>|>=|<=|=|>|<")
_ARGUMENT = 'a function, an attribute such as [mail], a text in quotes such as "x", or a number'


def parse(text: str) -> Node:
    """The tree of ``text``. Raises `ExpressionError`, which says what was expected and where."""
    if len(text) > MAX_TEXT:
        raise ExpressionError(
            f"The expression has {len(text):,} characters; at most {MAX_TEXT:,} are allowed.",
            hint="Split it over two attributes, or shorten its texts.",
        )
    parser = _Parser(text)
    parser.space()
    if parser.at == len(text):
        raise parser.error("the expression is empty.", hint=f"Write {_ARGUMENT}.")
    node = parser.operand(0)
    parser.space()
    if parser.at < len(text):
        raise parser.trailing(node)
    return node


class _Parser:
    """A recursive descent with one character of look-ahead; ``at`` is the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def error(self, message: str, *, at: int | None = None, hint: str | None = None) -> ExpressionError:
        return ExpressionError(message, hint=hint, text=self.text, at=self.at if at is None else at)

    def space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def found(self) -> str:
        return f"found '{self.peek()}'" if self.peek() else "the expression ends here"

    def argument(self, depth: int) -> Node:
        left = self.operand(depth)
        self.space()
        match = _OPERATOR.match(self.text, self.at)
        if match is None:
            return left
        self.at = match.end()
        self.space()
        right = self.operand(depth)
        self.space()
        if _OPERATOR.match(self.text, self.at):
            raise self.error(
                "a condition compares two things only.",
                hint="For AND nest them: IIF(a, IIF(b, x, y), y); for OR: IIF(a, x, IIF(b, x, y)).",
            )
        return Condition(left, match[0], right, left.at)

    def operand(self, depth: int) -> Operand:
        start, character = self.at, self.peek()
        if character == "[":
            return self.attribute()
        if character == '"':
            return self.string()
        if match := _NUMBER.match(self.text, start):
            self.at = match.end()
            return Number(match[0], start)
        if match := _NAME.match(self.text, start):
            self.at = match.end()
            self.space()
            if self.peek() != "(":
                return Word(match[0], start)
            return self.function(match[0], start, depth + 1)
        raise self.unexpected(character)

    def unexpected(self, character: str) -> ExpressionError:
        hint = None
        if character in ("'", "“", "”", "„", "’", "‘"):
            hint = 'Texts stand in straight double quotes: "x".'
        elif character.isdigit() or character == "-":
            hint = 'Numbers are whole; write any other as a text: "1.5".'
        elif character == "(":
            hint = "Parentheses only follow a function's name."
        return self.error(f"expected {_ARGUMENT}; {self.found()}.", hint=hint)

    def attribute(self) -> Attribute:
        # A name may hold a filter in brackets of its own: [...User:emails[type eq "work"].value]
        start, level = self.at, 0
        for index in range(start, len(self.text)):
            character = self.text[index]
            if character == "[":
                level += 1
            elif character == "]":
                level -= 1
                if level == 0:
                    self.at = index + 1
                    name = self.text[start + 1 : index].strip()
                    if not name:
                        raise self.error("expected an attribute's name between the brackets.", at=start + 1)
                    return Attribute(name, start)
        raise self.error("expected ']' after the attribute's name; it is never closed.", at=start)

    def string(self) -> Text:
        start = self.at
        parts: list[str] = []
        index = start + 1
        while index < len(self.text):
            character = self.text[index]
            if character == '"':
                self.at = index + 1
                return Text("".join(parts), start)
            if character == "\\" and self.text[index + 1 : index + 2] in ("\\", '"') and index + 1 < len(self.text):
                parts.append(self.text[index + 1])
                index += 2
                continue
            parts.append(character)
            index += 1
        raise self.error(
            "expected a closing quote; this text is never closed.",
            at=start,
            hint='Inside a text write \\" for a quote and \\\\ for a backslash.',
        )

    def function(self, name: str, start: int, depth: int) -> Function:
        if depth > MAX_DEPTH:
            raise self.error(
                f"more than {MAX_DEPTH} functions are inside each other.", at=start, hint="Use a Switch instead."
            )
        opening = self.at
        self.at += 1
        self.space()
        if self.peek() == ")":
            self.at += 1
            return Function(name, (), start)
        arguments: list[Node | None] = []
        while True:
            self.space()
            arguments.append(None if self.peek() in (",", ")") and self.peek() else self.argument(depth))
            self.space()
            if self.peek() == ",":
                self.at += 1
                continue
            if self.peek() == ")":
                self.at += 1
                return Function(name, tuple(arguments), start)
            raise self.unclosed(name, opening)

    def unclosed(self, name: str, opening: int) -> ExpressionError:
        if not self.peek():
            return self.error(f"expected ')' to close {name}(; the expression ends.", at=opening)
        hint = None
        if self.peek() == "&":
            hint = "There is no '&': put texts together with Join or Append."
        elif _NAME.match(self.text, self.at):
            hint = "There is no AND or OR: nest one IIF in another; separate arguments with a comma."
        return self.error(f"expected ',' or ')' in the arguments of {name}; {self.found()}.", hint=hint)

    def trailing(self, node: Operand) -> ExpressionError:
        if isinstance(node, Word):
            return self.error(f"expected '(' after {node.name}; {self.found()}.")
        if _OPERATOR.match(self.text, self.at):
            return self.error(
                f"expected the end of the expression; {self.found()}.",
                hint="A condition stands inside a function: IIF([a] = [b], ..., ...) or CBool([a] = [b]).",
            )
        hint = "There is no '&': put texts together with Join or Append." if self.peek() == "&" else None
        return self.error(f"expected the end of the expression; {self.found()}.", hint=hint)
