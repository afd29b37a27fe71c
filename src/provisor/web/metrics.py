"""Operation: what Prometheus reads at ``/metrics``. Label values are from fixed sets, never from a request's text."""

from __future__ import annotations

from functools import cache

from prometheus_client import REGISTRY, Counter, Histogram, generate_latest

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"))
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_requests = Counter("provisor_scim_requests_total", "SCIM requests answered.", ("endpoint", "method", "status"))
_seconds = Histogram("provisor_scim_request_seconds", "Time to answer a SCIM request.", ("endpoint",), buckets=_BUCKETS)
_graph_requests = Counter(
    "provisor_graph_requests_total", "Requests of the Graph-compatible API answered.", ("endpoint", "method", "status")
)
_graph_seconds = Histogram(
    "provisor_graph_request_seconds",
    "Time to answer a request of the Graph-compatible API.",
    ("endpoint",),
    buckets=_BUCKETS,
)


@cache
def _pair(endpoint: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return _requests.labels(endpoint or "root", method, str(status)), _seconds.labels(endpoint or "root")


def scim_request(endpoint: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. ``endpoint`` must be one of the face's own names."""
    count, duration = _pair(endpoint, method if method in _METHODS else "other", status)
    count.inc()
    duration.observe(seconds)


def graph_request(endpoint: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. ``endpoint`` must be the first name of a declared path, or ``other``."""
    _graph_requests.labels(endpoint, method if method in _METHODS else "other", str(status)).inc()
    _graph_seconds.labels(endpoint).observe(seconds)


def exposition() -> bytes:
    """All metrics of this process in Prometheus's text format."""
    return generate_latest(REGISTRY)
