"""Step log: one entry of the provisioning log, in the shape of Graph's ``provisioningObjectSummary``.

Fields, step names and sentences: ``reference/entra-provisioning-service.md`` section 21. An initial cycle writes an
entry an object and one a membership, so what all entries of a cycle share is encoded once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from provisor.clock import iso
from provisor.connector.exchange import Exchange
from provisor.connector.messages import AttributeChange
from provisor.events.correlation import correlation_id
from provisor.expressions.compile import REDACTED
from provisor.ids import new_id
from provisor.provisioning.model import Kind, Source
from provisor.provisioning.recording.store import LogRow

Status = Literal["success", "failure", "skipped", "warning"]

TARGET_TYPES: Mapping[Kind, str] = {
    "User": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "Group": "urn:ietf:params:scim:schemas:core:2.0:Group",
}
_CATEGORIES = {"failure": "failure", "warning": "nonServiceFailure"}
# So much of each body is kept: a failure is looked at, a success rarely.
_MOST_OF_FAILURE, _MOST_OF_SUCCESS = 16_384, 4_096
# Where a value can stand in an entry beside the modified properties: what the target said, and what was sent.
_TEXTS = frozenset(
    {"exchange", "request", "requestBody", "responseBody", "provisioningStatusInfo", "errorInformation", "reason"}
)
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


class _Identity(msgspec.Struct, frozen=True, rename="camel", gc=False):
    id: str
    display_name: str
    identity_type: str
    details: Mapping[str, str] = {}


class _Error(msgspec.Struct, frozen=True, rename="camel", gc=False):
    error_code: str
    reason: str | None
    error_category: str
    recommended_action: str | None
    additional_details: None = None


class _StatusInfo(msgspec.Struct, frozen=True, rename="camel", gc=False):
    status: str
    error_information: _Error | None


class _Own(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """What an entry has for itself, beside what all of its cycle share."""

    id: str
    change_id: str
    correlation_id: str
    activity_date_time: str
    provisioning_action: str
    duration_in_milliseconds: int
    source_identity: _Identity
    target_identity: _Identity
    provisioning_status_info: _StatusInfo
    provisioning_steps: Sequence[Step]
    modified_properties: Sequence[_Property]
    exchange: Mapping[str, Any] | msgspec.Raw | None = None


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
        self._common = _encode(common)[:-1] + b","
        # What follows one another is often of the same moment, and of one request about many members.
        self._last_moment = (0, iso(0))
        self._last_wire: tuple[Exchange | None, int, msgspec.Raw] = (None, 0, msgspec.Raw())

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
        redacted: Collection[str] = (),
        most: int | None = None,
        correlation: str | None = None,
    ) -> LogRow:
        """One entry; ``error_code`` with every status but success, ``exchange``: what went over the wire for it.

        ``redacted``: target attributes whose values nobody is to read here (the mapping function ``Redact``).
        ``most``: so many characters are kept of each body, the usual number when null.
        """
        information = None
        if error_code is not None:
            information = _Error(error_code, reason, _CATEGORIES.get(status, "success"), advice)
        kept = most or (_MOST_OF_FAILURE if status == "failure" else _MOST_OF_SUCCESS)
        hide = _hidden(changes, redacted)
        entry_id, change_id = new_id(), new_id()
        own: Any = _Own(
            entry_id,
            change_id,
            correlation or correlation_id(),
            self._moment(now),
            action,
            round(exchange.duration_ms) if exchange else 0,
            _Identity(source.id, source.name, source.kind),
            _Identity(target_id or "", source.name, TARGET_TYPES[source.kind]),
            _StatusInfo(status, information),
            steps,
            _properties(changes, redacted),
            None if exchange is None else wire(exchange, most=kept) if hide else self._wire(exchange, kept),
        )
        if hide:
            own = _without(msgspec.to_builtins(own), hide)
        text = (self._common + _encode(own)[1:]).decode()
        return LogRow(
            entry_id,
            change_id,
            source.id,
            source.kind,
            action,
            status,
            error_code,
            text,
            target_id=target_id or None,
            source_name=source.name,
        )

    def _wire(self, exchange: Exchange, most: int) -> msgspec.Raw:
        if self._last_wire[0] is not exchange or self._last_wire[1] != most:
            self._last_wire = (exchange, most, msgspec.Raw(_encode(wire(exchange, most=most))))
        return self._last_wire[2]

    def _moment(self, now: int) -> str:
        if self._last_moment[0] != now:
            self._last_moment = (now, iso(now))
        return self._last_moment[1]


def wire(exchange: Exchange, *, most: int = _MOST_OF_FAILURE) -> dict[str, Any]:
    """The exchange as a person may see it: the secret is blacked out. ``most`` characters of each body."""
    return {
        "request": exchange.request_line,
        "requestBody": exchange.request_body[:most],
        "status": exchange.status,
        "responseBody": exchange.response_body[:most],
    }


def _properties(changes: Sequence[AttributeChange], redacted: Collection[str]) -> list[_Property]:
    shown = [_Property(change.path, _text(change.old), _text(change.new)) for change in changes]
    if not redacted:
        return shown
    return [
        _Property(one.display_name, _black(one.old_value), _black(one.new_value))
        if one.display_name in redacted
        else one
        for one in shown
    ]


def _black(text: str | None) -> str | None:
    return None if text is None else REDACTED


def _hidden(changes: Sequence[AttributeChange], redacted: Collection[str]) -> list[str]:
    """The texts that must not show anywhere in the entry, the longest first, so that none is left of another's part."""
    if not redacted:
        return []
    found = {
        text
        for change in changes
        if change.path in redacted
        for value in (change.old, change.new)
        if value is not None and (text := _text(value))
    }
    return sorted(found, key=len, reverse=True)


def _without(value: Any, hide: Sequence[str]) -> Any:
    """The same document, in whose texts none of these is left, as it is or as it stands inside JSON."""
    if isinstance(value, str):
        for text in hide:
            value = value.replace(_encode(text)[1:-1].decode(), REDACTED).replace(text, REDACTED)
        return value
    if isinstance(value, Mapping):
        return {key: _without(one, hide) if key in _TEXTS else one for key, one in value.items()}
    return value


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
