"""Processing: what can be wrong with an expression, and where.

InvalidInput
└── ExpressionError        the text cannot be used: said when a mapping is saved
    └── EvaluationError    the text is right, this object's values are not: said in the object's log entry
"""

from __future__ import annotations

from provisor.errors import InvalidInput

_WINDOW = 70
"""How many characters of a long line are shown on either side of the place."""


class ExpressionError(InvalidInput):
    """The mapping expression cannot be used."""

    def __init__(
        self, message: str | None = None, *, hint: str | None = None, text: str | None = None, at: int | None = None
    ) -> None:
        """``text`` is the whole expression and ``at`` an offset into it; both or neither.

        ``reason`` is the message without the place. ``position`` (from 0), ``line`` and ``column`` (from 1) and
        ``excerpt`` (the line with a caret below the place) are None where the place is not known.
        """
        self.reason: str = message or type(self).__doc__ or ""
        self.position: int | None = None
        self.line: int | None = None
        self.column: int | None = None
        self.excerpt: str | None = None
        if text is not None and at is not None:
            self.position = at
            self.line = text.count("\n", 0, at) + 1
            start = text.rfind("\n", 0, at) + 1
            self.column = at - start + 1
            self.excerpt = _excerpt(text, start, at)
            message = f"Line {self.line}, column {self.column}: {self.reason}"
        super().__init__(message, hint=hint)

    def __str__(self) -> str:
        """The message, the next step and, on lines of their own, the place."""
        return f"{super().__str__()}\n{self.excerpt}" if self.excerpt else super().__str__()


class EvaluationError(ExpressionError):
    """The expression gives no value for this object."""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        self.expression: str | None = None
        super().__init__(message, hint=hint)

    def locate(self, expression: str) -> None:
        """Names the function call that failed; the innermost one calls first, and stays."""
        if self.expression is None:
            self.expression = expression
            shown = expression if len(expression) <= 100 else f"{expression[:97]}..."
            self.message = f"{shown}: {self.message}"


def _excerpt(text: str, start: int, at: int) -> str:
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    left, right = max(start, at - _WINDOW), min(end, at + _WINDOW)
    head, tail = ("..." if left > start else ""), ("..." if right < end else "")
    shown = text[left:right].replace("\t", " ").rstrip("\r")
    return f"  {head}{shown}{tail}\n  {' ' * (len(head) + at - left)}^"
