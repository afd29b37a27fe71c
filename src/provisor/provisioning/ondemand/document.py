"""Provision on demand, as Graph answers it: a pair of strings that are JSON documents. Pure.

``reference/graph-synchronization-api.md`` section 7. Every detail is a text there ("True"), words begin upper case.
"""

from __future__ import annotations

from typing import Any

import msgspec

from provisor.clock import iso
from provisor.provisioning.log.reading import TARGET_TYPES
from provisor.provisioning.ondemand.model import OnDemandResult

SOURCE_SYSTEM = "Microsoft Entra ID"


def key_document(result: OnDemandResult) -> dict[str, Any]:
    """``key``: how it ended."""
    if result.error_code is None:
        return {"result": result.result, "details": {}}
    return {
        "result": result.result,
        "details": {"errorCode": result.error_code, "errorMessage": result.error_message or ""},
    }


def value_document(result: OnDemandResult) -> dict[str, Any]:
    """``value``: the whole story. ``drift`` and ``members`` are ours."""
    failed = result.result in ("Failure", "Warning")
    return {
        "action": result.action,
        "changeId": result.change_id,
        "startTime": iso(result.started_at),
        "endTime": iso(result.ended_at),
        "reportableIdentifier": result.name,
        "modifiedProperties": [
            {"displayName": one.name, "oldValue": one.old, "newValue": one.new} for one in result.modified
        ],
        "provisioningSteps": [
            {
                "name": step.name,
                "type": step.type,
                "status": step.status,
                "description": step.description,
                "timestamp": iso(step.at),
                "details": dict(step.details),
            }
            for step in result.steps
        ],
        "statusInfo": {
            "status": result.result,
            "errorCode": result.error_code,
            "reason": result.error_message,
            "additionalDetails": None,
            "errorCategory": "Failure" if failed else None,
            "recommendedAction": result.recommended_action,
        },
        "sourceIdentity": {
            "id": result.source_id,
            "type": result.kind,
            "displayName": result.name,
            "details": None,
        },
        "sourceSystem": {"id": None, "name": SOURCE_SYSTEM, "details": None},
        "targetIdentity": {
            "id": result.target_id or "",
            "type": TARGET_TYPES[result.kind],
            "displayName": result.name,
            "details": None,
        },
        "targetSystem": {"id": None, "name": result.app_name, "details": None},
        "drift": [
            {"displayName": one.attribute, "acknowledged": one.acknowledged, "found": one.found} for one in result.drift
        ],
        "members": dict(result.members),
    }


def key_value_pair(result: OnDemandResult) -> dict[str, str]:
    """Graph's ``stringKeyStringValuePair``: both documents as texts."""
    return {
        "key": msgspec.json.encode(key_document(result)).decode(),
        "value": msgspec.json.encode(value_document(result)).decode(),
    }
