"""Every flow: one id from the change to the wire. Whoever begins something sets it; logs and entries carry it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from structlog.typing import EventDict, WrappedLogger

from provisor.ids import new_id

_current: ContextVar[str | None] = ContextVar("provisor_correlation_id", default=None)


def correlation_id() -> str:
    """The id of what is going on, or a new one where nobody has begun anything."""
    return _current.get() or new_id()


@contextmanager
def correlated(id_: str | None = None) -> Iterator[str]:
    """Everything inside is one thing; ``id_``: its id, a new one when null. Every log line inside has it."""
    given = id_ or new_id()
    token = _current.set(given)
    try:
        yield given
    finally:
        _current.reset(token)


def with_correlation(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """For structlog: a line of the log carries the id, which costs what is never logged nothing."""
    current = _current.get()
    if current is not None:
        event.setdefault("correlation_id", current)
    return event
