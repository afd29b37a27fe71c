"""Step log: what is kept of one entry of the provisioning log. Told is it in the shape of Graph's
``provisioningObjectSummary`` (``log/reading.py``), and only when somebody reads it.

Fields: ``reference/entra-provisioning-service.md`` section 21. An initial cycle writes an entry an object and one a
membership, so what all entries of a cycle share is kept once, and so is what those of one request share.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from provisor.connector.exchange import Exchange
from provisor.connector.messages import AttributeChange
from provisor.events.correlation import correlation_id
from provisor.expressions.compile import REDACTED
from provisor.provisioning.log.blocks import Line
from provisor.provisioning.model import Source

Status = Literal["success", "failure", "skipped", "warning"]

# So much of each body is kept: a failure is looked at, a success rarely. One request has many members, and each of
# their entries shows it.
_MOST_OF_FAILURE, _MOST_OF_SUCCESS, _MOST_OF_MEMBERS = 16_384, 4_096, 1_024
_encode = msgspec.json.Encoder().encode


class Wire(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One exchange as a person may see it: the secret is blacked out. ``status`` is null where no answer came."""

    request: str
    request_body: str
    status: int | None
    response_body: str


class Story(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The way of an object, from which its steps are told.

    ``received``: Add, Update or Delete; ``scoping``: the clauses and what they came to; ``found``: ids of those who
    match, null when nobody was looked for; ``decided``: link, create, update, disable or delete; ``paths``: what
    differs; ``reference``: of a manager or a member only, which it is.
    """

    received: str
    scoping: Mapping[str, str] = {}
    found: Sequence[str] | None = None
    decided: str | None = None
    paths: Sequence[str] = ()
    reference: str | None = None


class Facts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an entry has for itself, beside its head and what all of its cycle share. ``at``: ms UTC."""

    correlation_id: str
    at: int
    duration_ms: int
    name: str
    reason: str | None
    advice: str | None
    story: Story | None
    changes: Sequence[tuple[str, Any, Any]]
    wire: Wire | None


class Members(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The members of a group that one request has added or removed: an entry each. ``at``: ms UTC.

    ``members``: of each the name, and the target's id before and after.
    """

    correlation_id: str
    at: int
    duration_ms: int
    name: str
    members: Sequence[tuple[str, str | None, str | None]]
    wire: Wire | None


class Writer:
    """Makes the entries of one cycle. ``common``: what all of them share."""

    def __init__(
        self, tenant_id: str, job_id: str, cycle_id: str, service_principal_id: str, app_name: str, template_id: str
    ) -> None:
        app = {"ServicePrincipalId": service_principal_id, "ServicePrincipalDisplayName": app_name}
        self.common: Mapping[str, Any] = {
            "tenantId": tenant_id,
            "jobId": job_id,
            "cycleId": cycle_id,
            "initiatedBy": {"id": "", "displayName": "Provisor Provisioning Service", "initiatorType": "system"},
            "servicePrincipal": {"id": service_principal_id, "displayName": app_name},
            "sourceSystem": {"id": "", "displayName": "Microsoft Entra ID", "details": {}},
            "targetSystem": {"id": "", "displayName": template_id, "details": app},
        }

    def row(
        self,
        source: Source,
        *,
        action: str,
        status: Status,
        now: int,
        target_id: str | None = None,
        story: Story | None = None,
        changes: Sequence[AttributeChange] = (),
        error_code: str | None = None,
        reason: str | None = None,
        advice: str | None = None,
        exchange: Exchange | None = None,
        redacted: Collection[str] = (),
        correlation: str | None = None,
    ) -> Line:
        """One entry; ``error_code`` with every status but success, ``exchange``: what went over the wire for it.

        ``redacted``: target attributes whose values nobody is to read here (the mapping function ``Redact``).
        """
        most = _MOST_OF_FAILURE if status == "failure" else _MOST_OF_SUCCESS
        shown: Sequence[tuple[str, Any, Any]] = changes
        sent = None if exchange is None else _wire(exchange, most=most)
        if redacted:
            hide = _hidden(changes, redacted)
            shown = [one if one[0] not in redacted else (one[0], _black(one[1]), _black(one[2])) for one in shown]
            sent = None if sent is None else _wire_without(sent, hide)
            reason = None if reason is None else _without(reason, hide)
        facts = Facts(
            correlation or correlation_id(),
            now,
            round(exchange.duration_ms) if exchange else 0,
            source.name,
            reason,
            advice,
            story,
            shown,
            sent,
        )
        body = _encode(facts)
        name = source.name.lower()
        return Line(source.id, source.kind, action, status, error_code, body, target_id or None, name)

    def members(
        self,
        group: Source,
        target_id: str,
        members: Sequence[tuple[str, str | None, str | None]],
        *,
        now: int,
        exchange: Exchange | None,
    ) -> Line:
        """What one request has done to a group's members: an entry each. ``members``: of each its name, and the
        target's id of it before and after."""
        sent = None if exchange is None else _wire(exchange, most=_MOST_OF_MEMBERS)
        took = round(exchange.duration_ms) if exchange else 0
        body = _encode(Members(correlation_id(), now, took, group.name, members, sent))
        name = group.name.lower()
        return Line(group.id, "Group", "update", "success", None, body, target_id or None, name, len(members))


def wire(exchange: Exchange) -> dict[str, Any]:
    """The exchange as a person may see it: ``Wire`` as it is told."""
    return dict(msgspec.to_builtins(_wire(exchange, most=_MOST_OF_FAILURE)))


def _wire(exchange: Exchange, *, most: int) -> Wire:
    return Wire(exchange.request_line, exchange.request_body[:most], exchange.status, exchange.response_body[:most])


def text(value: Any) -> str | None:
    """A value of an attribute as an entry has it."""
    return value if value is None or isinstance(value, str) else str(value)


def _black(value: Any) -> str | None:
    return None if value is None else REDACTED


def _hidden(changes: Sequence[AttributeChange], redacted: Collection[str]) -> list[str]:
    """The texts that must not show anywhere in the entry, the longest first, so that none is left of another's part."""
    found = {
        shown
        for change in changes
        if change.path in redacted
        for value in (change.old, change.new)
        if value is not None and (shown := text(value))
    }
    return sorted(found, key=len, reverse=True)


def _wire_without(sent: Wire, hide: Sequence[str]) -> Wire:
    return Wire(
        _without(sent.request, hide),
        _without(sent.request_body, hide),
        sent.status,
        _without(sent.response_body, hide),
    )


def _without(shown: str, hide: Sequence[str]) -> str:
    """The same text, in which none of these is left, as it is or as it stands inside JSON."""
    for one in hide:
        shown = shown.replace(_encode(one)[1:-1].decode(), REDACTED).replace(one, REDACTED)
    return shown
