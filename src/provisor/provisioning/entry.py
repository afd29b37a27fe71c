"""Step log: one entry of the provisioning log, in the shape of Graph's ``provisioningObjectSummary``.

Fields, step names and sentences: ``reference/entra-provisioning-service.md`` section 21. An initial cycle writes an
entry an object and one a membership, so what all entries of a cycle share is encoded once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from provisor.clock import iso
from provisor.connector.exchange import Exchange
from provisor.connector.messages import AttributeChange
from provisor.ids import new_id
from provisor.provisioning.model import Kind, Source
from provisor.provisioning.recording.store import LogRow

Status = Literal["success", "failure", "skipped", "warning"]

TARGET_TYPES: Mapping[Kind, str] = {
    "User": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "Group": "urn:ietf:params:scim:schemas:core:2.0:Group",
}
_CATEGORIES = {"failure": "failure", "warning": "nonServiceFailure"}
_encode = msgspec.json.Encoder().encode


class Step(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One step of an entry. ``provisioning_step_type``: import, scoping, matching, processing, referenceResolution or
    export."""

    name: str
    provisioning_step_type: str
    status: str
    description: str
    details: Mapping[str, str] = {}


class _Property(msgspec.Struct, frozen=True, rename="camel", gc=False):
    display_name: str
    old_value: str | None
    new_value: str | None


class Writer:
    """Makes the entries of one cycle. Texts are the field's; ids are this program's."""

    def __init__(
        self, tenant_id: str, job_id: str, cycle_id: str, service_principal_id: str, app_name: str, template_id: str
    ) -> None:
        app = {"ServicePrincipalId": service_principal_id, "ServicePrincipalDisplayName": app_name}
        common = {
            "tenantId": tenant_id,
            "jobId": job_id,
            "cycleId": cycle_id,
            "initiatedBy": {"id": "", "displayName": "Provisor Provisioning Service", "initiatorType": "system"},
            "servicePrincipal": {"id": service_principal_id, "displayName": app_name},
            "sourceSystem": {"id": "", "displayName": "Microsoft Entra ID", "details": {}},
            "targetSystem": {"id": "", "displayName": template_id, "details": app},
        }
        # Everything but the closing brace: an entry goes on where this ends.
        self._common = _encode(common)[:-1].decode()

    def row(
        self,
        source: Source,
        *,
        action: str,
        status: Status,
        now: int,
        target_id: str | None = None,
        steps: Sequence[Step] = (),
        changes: Sequence[AttributeChange] = (),
        error_code: str | None = None,
        reason: str | None = None,
        advice: str | None = None,
        exchange: Exchange | None = None,
    ) -> LogRow:
        """One entry; ``error_code`` with every status but success, ``exchange`` of what the target refused."""
        information = None
        if error_code is not None:
            information = {
                "errorCode": error_code,
                "reason": reason,
                "additionalDetails": None,
                "errorCategory": _CATEGORIES.get(status, "success"),
                "recommendedAction": advice,
            }
        entry_id = new_id()
        change_id = new_id()
        own: dict[str, Any] = {
            "id": entry_id,
            "changeId": change_id,
            "activityDateTime": iso(now),
            "provisioningAction": action,
            "durationInMilliseconds": round(exchange.duration_ms) if exchange else 0,
            "sourceIdentity": {
                "id": source.id,
                "displayName": source.name,
                "identityType": source.kind,
                "details": {},
            },
            "targetIdentity": {
                "id": target_id or "",
                "displayName": source.name,
                "identityType": TARGET_TYPES[source.kind],
                "details": {},
            },
            "provisioningStatusInfo": {"status": status, "errorInformation": information},
            "provisioningSteps": steps,
            "modifiedProperties": [_Property(change.path, _text(change.old), _text(change.new)) for change in changes],
        }
        if exchange is not None and status == "failure":
            own["exchange"] = wire(exchange)
        text = f"{self._common},{_encode(own)[1:].decode()}"
        return LogRow(entry_id, change_id, source.id, source.kind, action, status, error_code, text)


def wire(exchange: Exchange) -> dict[str, Any]:
    """The exchange as a person may see it: the secret is blacked out."""
    return {
        "request": exchange.request_line,
        "requestBody": exchange.request_body,
        "status": exchange.status,
        "responseBody": exchange.response_body[:16_384],
    }


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value)
