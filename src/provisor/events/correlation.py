"""Every flow: one id from the change to the wire. Whoever begins something sets it; logs and entries carry it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

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
        with structlog.contextvars.bound_contextvars(correlation_id=given):
            yield given
    finally:
        _current.reset(token)
