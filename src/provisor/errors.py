"""Floor 1: the root of every error that a person may see.

    ProvisorError
    ├── InvalidInput      what was given cannot be used            exit 2 where it is the command line's, else 1
    ├── NotFound          no such thing, or not one that you may see
    ├── Conflict          the thing is in a state that forbids this
    ├── Forbidden         the actor lacks a right
    └── Unavailable       something that we need does not answer

A subclass's docstring is its default message. Messages name the thing and the cause; ``hint`` is the next step.
"""

from __future__ import annotations


class ProvisorError(Exception):
    """The operation failed."""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.hint = hint
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class InvalidInput(ProvisorError):
    """What was given cannot be used."""


class NotFound(ProvisorError):
    """There is no such thing."""


class Conflict(ProvisorError):
    """The present state forbids this."""


class Forbidden(ProvisorError):
    """You may not do this."""


class Unavailable(ProvisorError):
    """Something that is needed does not answer."""
