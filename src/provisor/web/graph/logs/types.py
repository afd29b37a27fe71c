"""Graph face, the types of the logs, and which of their values are enumerations."""

from __future__ import annotations

from provisor.odata.tree import Path
from provisor.odata.types import EntityType, Property, properties

_IDENTITY = {"id": Property(), "displayName": Property(), "identityType": Property(), "details": Property("record")}
_SYSTEM = {"id": Property(), "displayName": Property(), "details": Property("record")}
_ERROR = {
    name: Property() for name in ("errorCode", "reason", "additionalDetails", "errorCategory", "recommendedAction")
}
_STEP = {
    **{name: Property() for name in ("name", "provisioningStepType", "status", "description")},
    "details": Property("record"),
}
_MODIFIED = {"displayName": Property(), "oldValue": Property(), "newValue": Property()}

PROVISIONING = EntityType(
    "provisioningObjectSummary",
    properties(
        texts="id tenantId jobId cycleId changeId provisioningAction -action",
        numbers="durationInMilliseconds",
        moments="activityDateTime",
        records={
            "initiatedBy": {"id": Property(), "displayName": Property(), "initiatorType": Property()},
            "provisioningStatusInfo": {"status": Property(), "errorInformation": Property("record", _ERROR)},
            # The older names of beta: shown when they are selected.
            "-statusInfo": {"status": Property(), "errorInformation": Property("record", _ERROR)},
            "servicePrincipal": {"id": Property(), "displayName": Property()},
            "sourceIdentity": _IDENTITY,
            "sourceSystem": _SYSTEM,
            "targetIdentity": _IDENTITY,
            "targetSystem": _SYSTEM,
        },
        record_lists={"modifiedProperties": _MODIFIED, "provisioningSteps": _STEP},
    ),
)
_USER = {name: Property() for name in ("id", "displayName", "userPrincipalName", "ipAddress")}
_APP = {name: Property() for name in ("appId", "displayName", "servicePrincipalId", "servicePrincipalName")}
_TARGET = {
    **{name: Property() for name in ("id", "displayName", "type", "userPrincipalName", "groupType")},
    "modifiedProperties": Property("records", _MODIFIED),
}
DIRECTORY_AUDIT = EntityType(
    "directoryAudit",
    properties(
        texts="id activityDisplayName category correlationId loggedByService operationType result resultReason",
        moments="activityDateTime",
        records={"initiatedBy": {"user": Property("record", _USER), "app": Property("record", _APP)}},
        record_lists={
            "additionalDetails": {"key": Property(), "value": Property()},
            "targetResources": _TARGET,
        },
    ),
)
TYPES = {kind.name: kind for kind in (PROVISIONING, DIRECTORY_AUDIT)}

_ENUMERATIONS = frozenset(
    ("provisioningAction", "action", "status", "errorCategory", "initiatorType", "provisioningStepType", "result")
)
# Lists in whose elements there are enumerations: inside any(), each path is looked at by itself.
_WITH_ENUMERATIONS = frozenset(("provisioningSteps",))


def is_exact(path: Path) -> bool:
    """Texts are compared with case, enumerations without: Microsoft's own clients send them in any."""
    return bool(path) and path[-1] not in _ENUMERATIONS and path[0] not in _WITH_ENUMERATIONS
