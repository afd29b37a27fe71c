"""A job as Graph shows it: ``reference/graph-synchronization-api.md`` sections 5.2 and 5.6. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.applications.model import Job
from provisor.clock import iso
from provisor.provisioning.credentials import CredentialsState
from provisor.provisioning.model import Cycle, JobState, Landmarks
from provisor.provisioning.settings import duration

NEVER = "0001-01-01T00:00:00Z"


def job_document(
    job: Job,
    state: JobState,
    landmarks: Landmarks,
    counts: Mapping[str, int],
    *,
    credentials: CredentialsState,
    waiting: int,
    undecided: int,
    now: int,
) -> dict[str, Any]:
    """``counts``: linked objects by type; ``waiting``: of the running cycle.

    Beyond Graph: what tripped a quarantine on the wire and what lifts it, the credentials' state, when a cycle that was
    broken off is tried again, and what waits for a person's decision.
    """
    newest = landmarks.newest
    running = newest if newest is not None and newest.state == "Running" else None
    return {
        "id": job.id,
        "templateId": job.template_id,
        "schedule": {
            "expiration": None,
            "interval": duration(job.settings.interval_seconds),
            "state": _schedule(state),
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
            "progress": [_units(running, waiting, now)] if running else [],
            "synchronizedEntryCountByType": [{"key": kind, "value": n} for kind, n in sorted(counts.items())],
            "troubleshootingUrl": None,
            "credentials": {
                "state": credentials.state,
                "cause": credentials.cause,
                "message": credentials.message,
                "testedDateTime": None if credentials.at is None else iso(credentials.at),
            },
            "nextAttempt": None if state.not_before is None or state.not_before <= now else iso(state.not_before),
            "undecided": undecided,
        },
        "synchronizationJobSettings": [
            {
                "name": "QuarantineTooManyDeletesThreshold",
                "value": str(job.settings.notification.delete_threshold_value),
            }
        ],
    }


def _schedule(state: JobState) -> str:
    if state.code == "Paused":
        return "Paused"
    disabled = state.quarantine is not None and state.quarantine.get("disabled", False)
    return "Active" if state.code in ("NotRun", "Active", "Quarantine") and not disabled else "Disabled"


def _units(cycle: Cycle, waiting: int, now: int) -> dict[str, Any]:
    return {
        "completedUnits": cycle.considered,
        "totalUnits": cycle.considered + waiting,
        "units": "objects",
        "progressObservationDateTime": iso(now),
    }


def _ended(cycle: Cycle | None) -> str:
    return NEVER if cycle is None or cycle.ended_at is None else iso(cycle.ended_at)


def _execution(cycle: Cycle | None) -> dict[str, Any] | None:
    if cycle is None:
        return None
    counts = cycle.counts or {}
    return {
        "activityIdentifier": cycle.id,
        "state": "EntryLevelErrors" if cycle.state == "Succeeded" and counts.get("failed") else cycle.state,
        "timeBegan": iso(cycle.began_at),
        "timeEnded": _ended(cycle),
        "countEntitled": counts.get("inScope", 0),
        "countEntitledForProvisioning": counts.get("inScope", 0),
        "countEscrowed": counts.get("failed", 0),
        "countEscrowedRaw": counts.get("failed", 0),
        "countExported": _exports(cycle),
        "countExports": _exports(cycle),
        "countImported": counts.get("considered", 0),
        "countImportedDeltas": counts.get("considered", 0) if cycle.kind == "Incremental" else 0,
        "countImportedReferenceDeltas": 0,
        "error": _tenant_error(cycle.error),
    }


def _exports(cycle: Cycle) -> int:
    counts = cycle.counts or {}
    return sum(counts.get(name, 0) for name in ("created", "updated", "disabled", "deleted"))


def _tenant_error(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {"code": error["code"], "message": error["message"], "tenantActionable": True} if error else None


def _quarantine(story: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if story is None:
        return None
    names = ("currentBegan", "reason", "seriesBegan", "seriesCount", "error")
    return {
        **{name: story[name] for name in names},
        "nextAttempt": story["nextAttempt"] or NEVER,
        "exchange": story.get("exchange"),
        "lift": story.get("lift"),
    }
