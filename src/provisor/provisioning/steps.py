"""Step log: the steps of an entry, in the order in which the object went through them.

Names and sentences: ``reference/entra-provisioning-service.md`` section 21.2. A step that was not reached is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from provisor.connector.answers import TargetObject
from provisor.provisioning.entry import Status, Step
from provisor.provisioning.model import Delete, Entitlement, Kind, Link, Match, Plan, Source, Update

_EXPORTS = {"create": "EntryExportAdd", "delete": "EntryExportDelete"}
_DONE = {"create": "created", "update": "updated", "disable": "disabled", "delete": "deleted"}
_VERBS = {"create": "create", "update": "update", "disable": "disable", "delete": "delete"}


class Travelled(Protocol):
    """What is known of an object that went through the steps."""

    source: Source
    entitlement: Entitlement
    link: Link | None
    plan: Plan | None
    found: list[TargetObject]


def steps_of(
    item: Travelled, kind: Kind, app: str, action: str, status: Status, code: str | None, reason: str | None
) -> list[Step]:
    """The steps of one entry. ``code``: the error code, or the skip reason."""
    name = item.source.name or item.source.id
    who = f"{kind} '{name}'"
    steps = [
        _imported(item, who),
        Step(
            "EntrySynchronizationScoping",
            "scoping",
            "success",
            f"Determine if {kind} in scope by evaluating against each scoping filter",
            item.entitlement.details,
        ),
    ]
    if isinstance(item.plan, Match):
        steps.append(_matched(item.found, who, app))
    if status == "skipped":
        details = {"SkipReason": code or ""}
        return [*steps, Step("EntrySynchronizationSkip", "processing", "skipped", reason or "", details)]
    decided = _decided(item, who, kind, app)
    if decided is not None:
        steps.append(decided)
    if status == "success":
        text = reason or f"{who} was {_DONE.get(action, 'processed')} in {app}"
    elif status == "failure":
        text = f"Failed to {_VERBS.get(action, 'process')} {who} in {app}"
    else:
        text = reason or ""
    details = {"ReportableIdentifier": name}
    if code is not None:
        details["ErrorCode"] = code
    return [*steps, Step(_EXPORTS.get(action, "EntryExportUpdate"), "export", status, text, details)]


def reference_steps(
    kind: Kind, name: str, app: str, *, status: Status, reference: str, text: str, details: Mapping[str, str]
) -> Sequence[Step]:
    """Of a manager or a member: what it is, and what became of it."""
    who = f"{kind} '{name}'"
    return (
        Step("EntryImportUpdate", "import", "success", f"Received {who} change of type (Update) from the directory"),
        Step(
            "EntrySynchronizationUpdate",
            "referenceResolution",
            "success",
            f"The reference {reference} of {who} was resolved to objects that {app} has",
            details,
        ),
        Step("EntryExportUpdate", "export", status, text, {"ReportableIdentifier": name}),
    )


def _imported(item: Travelled, who: str) -> Step:
    if not item.source.exists or item.source.deleted:
        change = "Delete"
    else:
        change = "Add" if item.link is None else "Update"
    text = f"Received {who} change of type ({change}) from the directory"
    return Step(f"EntryImport{change}", "import", "success", text)


def _matched(found: Sequence[TargetObject], who: str, app: str) -> Step:
    if not found:
        return Step("EntryImport", "matching", "success", f"No object that matches {who} was found in {app}")
    ids = ", ".join(target.id for target in found)
    return Step("EntryImport", "matching", "success", f"Retrieved {who} from {app}", {"Found": ids})


def _decided(item: Travelled, who: str, kind: Kind, app: str) -> Step | None:
    match item.plan:
        case Match() if item.found:
            why = f"a matching {kind} was found in {app}"
            text = f"{who} will be linked in {app} ({kind} is active and assigned in the directory, and {why})"
            return Step("EntrySynchronizationUpdate", "matching", "success", text)
        case Match():
            why = f"no matching {kind} was found in {app}"
            text = f"{who} will be created in {app} ({kind} is active and assigned in the directory, but {why})"
            return Step("EntrySynchronizationAdd", "matching", "success", text)
        case Update(changes=changes, disables=disables):
            verb = "disabled" if disables else "updated"
            text = f"{who} will be {verb} in {app} (differs in {', '.join(change.path for change in changes)})"
            return Step("EntrySynchronizationUpdate", "processing", "success", text)
        case Delete():
            text = f"{who} will be deleted in {app} ({kind} is gone from the directory)"
            return Step("EntrySynchronizationDelete", "processing", "success", text)
    return None
