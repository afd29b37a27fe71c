"""A job as Graph shows it: ``synchronizationJob`` with its status. Pure.

``reference/graph-synchronization-api.md`` sections 5.2, 5.6 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.applications.model import Job
from provisor.clock import iso
from provisor.provisioning.model import Cycle, JobState, Landmarks

NEVER = "0001-01-01T00:00:00Z"
_EXPORTED = ("created", "updated", "disabled", "deleted")


def job_resource(
    job: Job, state: JobState, landmarks: Landmarks, counts: Mapping[str, int], *, waiting: int, now: int
) -> dict[str, Any]:
    """The resource. ``counts``: linked objects by type; ``waiting``: what the running cycle has still to look at."""
    return {
        "id": job.id,
        "templateId": job.template_id,
        "schedule": {
            "expiration": None,
            "interval": duration(job.settings.interval_seconds),
            "state": _SCHEDULE.get(state.code, "Active"),
        },
        "status": {
            "code": state.code,
            "countSuccessiveCompleteFailures": landmarks.failures,
            "escrowsPruned": False,
            "lastExecution": _execution(landmarks.last),
            "lastSuccessfulExecution": _execution(landmarks.last_good),
            "lastSuccessfulExecutionWithExports": _execution(landmarks.last_with_exports),
            "steadyStateFirstAchievedTime": _ended(landmarks.first_good),
            "steadyStateLastAchievedTime": _ended(landmarks.last_good),
            "quarantine": _quarantine(state.quarantine),
            "progress": _progress(landmarks.newest, waiting, now),
            "synchronizedEntryCountByType": [{"key": kind, "value": n} for kind, n in sorted(counts.items())],
            "troubleshootingUrl": None,
        },
        "synchronizationJobSettings": [
            {
                "name": "QuarantineTooManyDeletesThreshold",
                "value": str(job.settings.notification.delete_threshold_value),
            }
        ],
    }


_SCHEDULE = {"NotConfigured": "Disabled", "Paused": "Paused"}


def duration(seconds: int) -> str:
    """Seconds as an ISO 8601 duration: ``PT40M``, ``PT90S``."""
    return f"PT{seconds // 60}M" if seconds % 60 == 0 else f"PT{seconds}S"


def _execution(cycle: Cycle | None) -> dict[str, Any] | None:
    if cycle is None:
        return None
    counts = cycle.counts or {}
    failed, considered = counts.get("failed", 0), counts.get("considered", 0)
    state = "EntryLevelErrors" if cycle.state == "Succeeded" and failed else cycle.state
    exported = sum(counts.get(name, 0) for name in _EXPORTED)
    return {
        "activityIdentifier": cycle.id,
        "state": state,
        "timeBegan": iso(cycle.began_at),
        "timeEnded": _ended(cycle),
        "countEntitled": counts.get("inScope", 0),
        "countEntitledForProvisioning": counts.get("inScope", 0),
        "countEscrowed": failed,
        "countEscrowedRaw": failed + counts.get("waiting", 0),
        "countExported": exported,
        "countExports": exported + failed,
        "countImported": considered,
        "countImportedDeltas": considered if cycle.kind == "Incremental" else 0,
        "countImportedReferenceDeltas": 0,
        "error": _error(cycle.error),
    }


def _ended(cycle: Cycle | None) -> str:
    return NEVER if cycle is None or cycle.ended_at is None else iso(cycle.ended_at)


def _progress(newest: Cycle | None, waiting: int, now: int) -> list[dict[str, Any]]:
    if newest is None or newest.state != "Running":
        return []
    return [
        {
            "completedUnits": newest.considered,
            "totalUnits": newest.considered + waiting,
            "units": "objects",
            "progressObservationDateTime": iso(now),
        }
    ]


def _error(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {"code": error["code"], "message": error["message"], "tenantActionable": True} if error else None


def _quarantine(story: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if story is None:
        return None
    names = ("currentBegan", "nextAttempt", "reason", "seriesBegan", "seriesCount")
    told = {name: story[name] for name in names}
    return {**told, "error": _error(story["error"]) if story.get("error") else None}
