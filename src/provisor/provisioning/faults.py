"""Every step: which failures end a cycle, because the next object would fail alike."""

from __future__ import annotations

from provisor.connector.errors import TargetError, Throttled


class CycleBroken(Exception):
    """The next object would fail alike: the cycle ends here, and what was not sent stays in the queue."""

    def __init__(self, cause: TargetError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def concerns_all(error: TargetError) -> bool:
    """Would the next object fail alike?"""
    return error.target_wide or isinstance(error, Throttled)
