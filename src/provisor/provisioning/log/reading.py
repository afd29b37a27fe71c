"""Step log: from what is kept to the entries that are told, in the shape of Graph's ``provisioningObjectSummary``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from provisor.clock import iso
from provisor.provisioning.entry import Facts, Members, text
from provisor.provisioning.log.blocks import Head, Lines, Spot, entry_id
from provisor.provisioning.log.model import Entry
from provisor.provisioning.model import Kind
from provisor.provisioning.steps import Step, reference_steps, steps_of

TARGET_TYPES: Mapping[Kind | str, str] = {
    "User": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "Group": "urn:ietf:params:scim:schemas:core:2.0:Group",
}
_CATEGORIES = {"failure": "failure", "warning": "nonServiceFailure"}
_facts = msgspec.json.Decoder(Facts).decode
_members = msgspec.json.Decoder(Members).decode
# Of an entry that was written before facts were kept: it stands there as it is told.
_TOLD = b"{"


def entries_of(
    common: Mapping[str, Any], block_id: str, spot: Spot, body: bytes, wanted: Sequence[int] | None = None
) -> list[Entry]:
    """The entries of one line, oldest first; of those with the numbers ``wanted`` (in their block), if given."""
    app = str(common["servicePrincipal"]["displayName"])
    if not spot.head.members:
        own = msgspec.json.decode(body) if body.startswith(_TOLD) else _object(spot.head, _facts(body), app)
        return [_entry(common, block_id, spot.first, own)]
    line = _members(body)
    numbers = range(spot.first, spot.first + spot.head.count) if wanted is None else wanted
    return [_entry(common, block_id, n, _member(spot.head, line, app, *line.members[n - spot.first])) for n in numbers]


def entries_of_lines(common: Mapping[str, Any], lines: Lines) -> list[Entry]:
    """What a batch has put in the log, as it will be read there."""
    found: list[Entry] = []
    for block in lines.blocks:
        first = 0
        for line in block.lines:
            head = Head.of(line)
            found += entries_of(common, block.id, Spot(head, first, 0, head.length), line.body)
            first += head.count
    return found


def _entry(common: Mapping[str, Any], block_id: str, n: int, own: Mapping[str, Any]) -> Entry:
    # An entry tells one change, so that is its id, too.
    id_ = entry_id(block_id, n)
    return {**common, "id": id_, "changeId": id_, **own}


def _object(head: Head, facts: Facts, app: str) -> dict[str, Any]:
    story = facts.story
    steps: Sequence[Step] = ()
    if story is None:
        pass
    elif story.reference is not None:
        [(_, old, new)] = facts.changes
        steps = _reference(head, facts.name, app, story.reference, old, new, facts.reason)
    else:
        name = facts.name or head.source_id
        steps = steps_of(story, head.object_type, name, app, head.action, head.status, head.error_code, facts.reason)
    information = None
    if head.error_code is not None:
        information = {
            "errorCode": head.error_code,
            "reason": facts.reason,
            "errorCategory": _CATEGORIES.get(head.status, "success"),
            "recommendedAction": facts.advice,
            "additionalDetails": None,
        }
    return _own(head, facts, steps, information, facts.changes)


def _member(head: Head, line: Members, app: str, name: str, old: str | None, new: str | None) -> dict[str, Any]:
    reference = f"members ({name})" if name else "members"
    steps = _reference(head, line.name, app, reference, old, new, None)
    return _own(head, line, steps, None, [("members", old, new)])


def _reference(
    head: Head, name: str, app: str, reference: str, old: Any, new: Any, reason: str | None
) -> Sequence[Step]:
    return reference_steps(
        head.object_type,
        name,
        app,
        status=head.status,
        reference=reference,
        text=reason or f"The reference {reference} of {name} was written",
        details={key: str(value) for key, value in (("Old", old), ("New", new)) if value is not None},
    )


def _own(
    head: Head,
    kept: Facts | Members,
    steps: Sequence[Step],
    information: Mapping[str, Any] | None,
    changes: Sequence[tuple[str, Any, Any]],
) -> dict[str, Any]:
    kind = head.object_type
    who = {"displayName": kept.name, "details": {}}
    own = {
        "correlationId": kept.correlation_id,
        "activityDateTime": iso(kept.at),
        "provisioningAction": head.action,
        "durationInMilliseconds": kept.duration_ms,
        "sourceIdentity": {"id": head.source_id, "identityType": kind, **who},
        "targetIdentity": {"id": head.target_id or "", "identityType": TARGET_TYPES[kind], **who},
        "provisioningStatusInfo": {"status": head.status, "errorInformation": information},
        "provisioningSteps": steps,
        "modifiedProperties": [
            {"displayName": path, "oldValue": text(old), "newValue": text(new)} for path, old, new in changes
        ],
    }
    return own if kept.wire is None else {**own, "exchange": msgspec.to_builtins(kept.wire)}
