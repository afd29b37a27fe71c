"""Every step: what ends a cycle before its time, because the next object would fail alike or nothing more may be sent.

CycleBroken     the target said something that concerns every object
JobHalted       what the cycle has seen as a whole cannot be right: nobody is harmed for it
Stopped         a person said "stop now"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.connector.errors import TargetError, Throttled


class CycleBroken(Exception):
    """The next object would fail alike: the cycle ends here, and what was not sent stays in the queue."""

    def __init__(self, cause: TargetError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class JobHalted(Exception):
    """The job is quarantined with ``code`` and ``message``; ``exchange`` is one of those that led to it, if any."""

    def __init__(self, code: str, message: str, *, lift: str, exchange: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.lift = lift
        self.exchange = exchange


class Stopped(Exception):
    """No further request is sent for this job."""


def concerns_all(error: TargetError) -> bool:
    """Would the next object fail alike?"""
    return error.target_wide or isinstance(error, Throttled)
