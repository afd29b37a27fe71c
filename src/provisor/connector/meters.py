"""Step export, counted: requests by target and status, their time, and the pauses that targets asked for.

Of this process; what the database knows is counted from its tables (``app.meters``). A target is named by its host.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from prometheus_client import Counter, Histogram

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_requests = Counter(
    "provisor_target_requests_total", "Requests that were sent to targets.", ("target", "method", "status")
)
_seconds = Histogram(
    "provisor_target_request_seconds", "Time that targets took to answer.", ("target",), buckets=_BUCKETS
)
_pauses = Counter("provisor_target_pauses_total", "Answers that asked for a pause (429, or 503 with it).", ("target",))
_paused = Counter("provisor_target_paused_seconds_total", "Seconds for which targets asked to wait.", ("target",))


class TargetMeter:
    """What one client counts."""

    def __init__(self, root: str) -> None:
        self._target = urlsplit(root).netloc
        self._time = _seconds.labels(self._target)
        # Looked up once: to find the counter of its labels costs as much as to count.
        self._answers: dict[tuple[str, int | None], Counter] = {}

    def answered(self, method: str, status: int | None, milliseconds: float) -> None:
        """One request; ``status`` null: no answer came."""
        counter = self._answers.get((method, status))
        if counter is None:
            counter = _requests.labels(self._target, method, "none" if status is None else str(status))
            self._answers[method, status] = counter
        counter.inc()
        self._time.observe(milliseconds / 1000)

    def paused(self, seconds: float) -> None:
        """The target asked to wait."""
        _pauses.labels(self._target).inc()
        _paused.labels(self._target).inc(seconds)
