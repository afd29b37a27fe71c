"""Numbers to watch that the database knows: whoever is asked, whichever process did the work, the answer is the same.

Gauges of this moment, and of what ended within the last hour. Counting is not free, so an answer is kept for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from provisor.clock import Clock
from provisor.provisioning.log.store import entries_by_status
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.app.upkeep")
_HOUR_MS = 3_600_000
_KEPT_MS = 10_000
_OUTCOMES = ("created", "updated", "unchanged", "failed", "waiting", "disabled", "deleted", "skipped")
_JOB = ["job", "app"]


class Meters:
    """The database's numbers in Prometheus's text format."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: tuple[int, bytes] | None = None

    async def exposition(self) -> bytes:
        """As of now, or of at most ten seconds ago."""
        now = self._clock.now_ms()
        if self._known is None or not 0 <= now - self._known[0] < _KEPT_MS:
            families = await self._database.read(lambda tx: _read(tx, now), long=True)
            registry = CollectorRegistry(auto_describe=False)
            registry.register(_Given(families))
            self._known = (now, generate_latest(registry))
        return self._known[1]


class _Given(Collector):
    def __init__(self, families: Sequence[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families


async def _read(tx: Tx, now: int) -> list[GaugeMetricFamily]:
    jobs = await tx.fetch_all(_SQL["meter_jobs"])
    cycles = await tx.fetch_all(_SQL["meter_cycles"], {"since": now - _HOUR_MS})
    running = await tx.fetch_one(_SQL["meter_running"])
    leases = await tx.fetch_all(_SQL["meter_leases"], {"now": now})
    mail = await tx.fetch_all(_SQL["meter_mail"])
    log: Counter[str] = Counter()
    for (tenant_id,) in await tx.fetch_all(_SQL["tenants"]):
        log.update(await entries_by_status(tx, tenant_id, now - _HOUR_MS))
    return [
        *_jobs(jobs, now),
        *_cycles(cycles),
        _gauge("provisor_cycles_running", "Cycles that run now.", [], {(): running[0] if running else 0}),
        _gauge("provisor_leases", "Jobs that an executor holds now.", ["holder"], {(one,): n for one, n in leases}),
        _gauge("provisor_mail_messages", "Messages by what became of them.", ["state"], {(one,): n for one, n in mail}),
        _gauge(
            "provisor_log_entries_last_hour",
            "Entries of the provisioning log within the last hour.",
            ["status"],
            {(one,): n for one, n in log.items()},
        ),
    ]


def _jobs(rows: Sequence[Row], now: int) -> list[GaugeMetricFamily]:
    states = Counter(row[2] for row in rows)
    per_job: list[tuple[str, str, int]] = [
        ("provisor_job_feed_lag", "Changes of the directory that the job has not read yet.", 4),
        ("provisor_queue_objects", "Objects that wait to be looked at, failing ones included.", 5),
        ("provisor_queue_memberships", "Memberships that wait to be looked at.", 6),
        ("provisor_queue_failing", "Objects that fail and are tried again.", 7),
        ("provisor_links", "Objects that are linked with one of the target.", 9),
    ]
    oldest = {(row[0], row[1]): max(now - row[8], 0) / 1000 for row in rows if row[8] is not None and row[8] <= now}
    return [
        _gauge("provisor_jobs", "Jobs by state.", ["state"], {(state,): n for state, n in states.items()}),
        _gauge(
            "provisor_job_quarantine",
            "1 for a job in quarantine.",
            [*_JOB, "reason"],
            {(row[0], row[1], str(msgspec.json.decode(row[3])["reason"])): 1 for row in rows if row[3]},
        ),
        _gauge("provisor_oldest_pending_seconds", "How long the oldest due object has waited.", _JOB, oldest),
        *(_gauge(name, text, _JOB, {(row[0], row[1]): row[column] for row in rows}) for name, text, column in per_job),
    ]


def _cycles(rows: Sequence[Row]) -> list[GaugeMetricFamily]:
    ended = Counter((kind, state) for kind, state, _, _ in rows)
    objects: Counter[str] = Counter()
    for _, _, counts, _ in rows:
        found: dict[str, Any] = msgspec.json.decode(counts) if counts else {}
        objects.update({name: found.get(name, 0) for name in _OUTCOMES})
    slowest = max((row[3] for row in rows), default=0)
    return [
        _gauge("provisor_cycles_last_hour", "Cycles that ended within the last hour.", ["kind", "state"], ended),
        _gauge(
            "provisor_objects_last_hour",
            "Objects of those cycles by outcome.",
            ["outcome"],
            {(name,): objects[name] for name in _OUTCOMES},
        ),
        _gauge("provisor_cycle_slowest_seconds", "The slowest of those cycles.", [], {(): slowest / 1000}),
    ]


def _gauge(name: str, text: str, labels: Sequence[str], values: Any) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=list(labels))
    for key, value in values.items():
        family.add_metric(list(key), float(value))
    return family
