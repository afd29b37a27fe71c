"""App side, step 1: how many requests a second a credential and a company may make. Off unless the operator sets it.

Each limit allows a second's worth at once, and then one request every 1/limit seconds (the generic cell rate algorithm:
one moment per limit says everything). Each process counts for itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from provisor.clock import Clock
from provisor.provider.model import NO_LIMITS, Principal
from provisor.scim.errors import TooManyRequests

_BURST_MS = 1_000.0
_ENTRIES = 10_000


class RateExceeded(TooManyRequests):
    """There were more requests than this credential or company may make."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, hint=f"Wait {retry_after} s, as Retry-After says.")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Admission:
    """What becomes of a request. ``next_ms``: the limit's state after it; ``wait_ms``: 0 where it may pass now."""

    next_ms: float
    wait_ms: float


def admission(now_ms: float, state_ms: float, rate: int) -> Admission:
    """Whether a request at ``now_ms`` passes a limit of ``rate`` requests a second that has come to ``state_ms``."""
    interval = 1_000 / rate
    begins = max(state_ms, now_ms)
    wait = begins - now_ms - (_BURST_MS - interval)
    return Admission(begins + interval, 0.0) if wait <= 0 else Admission(state_ms, wait)


class RateLimiter:
    """The limits' states, in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: dict[str, float] = {}

    def admit(self, caller: Principal) -> None:
        """Count a request, unless it is one too many: then raise ``RateExceeded``, and it does not count."""
        limits = caller.limits
        if limits is NO_LIMITS or limits == NO_LIMITS:
            return
        now = float(self._clock.now_ms())
        passed = {}
        for whose, name, rate in (
            ("credential", caller.key_id, limits.credential),
            ("company", caller.company_id, limits.company),
        ):
            if rate is None:
                continue
            found = admission(now, self._states.get(name, 0.0), rate)
            if found.wait_ms:
                raise RateExceeded(
                    f"The limit of {rate} requests a second for this {whose} is exceeded.",
                    retry_after=math.ceil(found.wait_ms / 1_000),
                )
            passed[name] = found.next_ms
        if len(self._states) >= _ENTRIES:
            self._states = {name: state for name, state in self._states.items() if state > now}
        self._states.update(passed)
