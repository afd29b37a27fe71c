"""Step log: the steps of an entry, in the order in which the object went through them.

Names and sentences: ``reference/entra-provisioning-service.md`` section 21.2. A step that was not reached is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from provisor.connector.answers import TargetObject
from provisor.provisioning.entry import Story
from provisor.provisioning.model import Delete, Entitlement, Link, Match, Plan, Source, Update

_EXPORTS = {"create": "EntryExportAdd", "delete": "EntryExportDelete"}
_DONE = {"create": "created", "update": "updated", "disable": "disabled", "delete": "deleted"}
_VERBS = {"create": "create", "update": "update", "disable": "disable", "delete": "delete"}

# One step as Graph's provisioningStep.
Step = dict[str, Any]


class Travelled(Protocol):
    """What is known of an object that went through the steps."""

    source: Source
    entitlement: Entitlement
    link: Link | None
    plan: Plan | None
    found: list[TargetObject]


def story_of(item: Travelled) -> Story:
    """What its steps are told from."""
    source, plan = item.source, item.plan
    if not source.exists or source.deleted:
        received = "Delete"
    else:
        received = "Add" if item.link is None else "Update"
    details = item.entitlement.details
    match plan:
        case Match():
            return Story(received, details, [one.id for one in item.found], "link" if item.found else "create")
        case Update(changes=changes, disables=disables):
            paths = [change.path for change in changes]
            return Story(received, details, None, "disable" if disables else "update", paths)
        case Delete():
            return Story(received, details, None, "delete")
    return Story(received, details)


def steps_of(
    story: Story, kind: str, name: str, app: str, action: str, status: str, code: str | None, reason: str | None
) -> list[Step]:
    """The steps of one entry. ``code``: the error code, or the skip reason."""
    who = f"{kind} '{name}'"
    received = f"Received {who} change of type ({story.received}) from the directory"
    scoping = f"Determine if {kind} in scope by evaluating against each scoping filter"
    steps = [
        _step(f"EntryImport{story.received}", "import", "success", received),
        _step("EntrySynchronizationScoping", "scoping", "success", scoping, story.scoping),
    ]
    if story.found is not None:
        steps.append(_matched(story.found, who, app))
    if status == "skipped":
        return [
            *steps,
            _step("EntrySynchronizationSkip", "processing", "skipped", reason or "", {"SkipReason": code or ""}),
        ]
    if story.decided is not None:
        steps.append(_decided(story, who, kind, app))
    if status == "success":
        text = reason or f"{who} was {_DONE.get(action, 'processed')} in {app}"
    elif status == "failure":
        text = f"Failed to {_VERBS.get(action, 'process')} {who} in {app}"
    else:
        text = reason or ""
    details = {"ReportableIdentifier": name}
    if code is not None:
        details["ErrorCode"] = code
    return [*steps, _step(_EXPORTS.get(action, "EntryExportUpdate"), "export", status, text, details)]


def reference_steps(
    kind: str, name: str, app: str, *, status: str, reference: str, text: str, details: Mapping[str, str]
) -> list[Step]:
    """Of a manager or a member: what it is, and what became of it."""
    who = f"{kind} '{name}'"
    received = f"Received {who} change of type (Update) from the directory"
    resolved = f"The reference {reference} of {who} was resolved to objects that {app} has"
    return [
        _step("EntryImportUpdate", "import", "success", received),
        _step("EntrySynchronizationUpdate", "referenceResolution", "success", resolved, details),
        _step("EntryExportUpdate", "export", status, text, {"ReportableIdentifier": name}),
    ]


def _matched(found: Sequence[str], who: str, app: str) -> Step:
    if not found:
        return _step("EntryImport", "matching", "success", f"No object that matches {who} was found in {app}")
    return _step("EntryImport", "matching", "success", f"Retrieved {who} from {app}", {"Found": ", ".join(found)})


def _decided(story: Story, who: str, kind: str, app: str) -> Step:
    match story.decided:
        case "link":
            why = f"a matching {kind} was found in {app}"
            text = f"{who} will be linked in {app} ({kind} is active and assigned in the directory, and {why})"
            return _step("EntrySynchronizationUpdate", "matching", "success", text)
        case "create":
            why = f"no matching {kind} was found in {app}"
            text = f"{who} will be created in {app} ({kind} is active and assigned in the directory, but {why})"
            return _step("EntrySynchronizationAdd", "matching", "success", text)
        case "delete":
            text = f"{who} will be deleted in {app} ({kind} is gone from the directory)"
            return _step("EntrySynchronizationDelete", "processing", "success", text)
        case _:
            verb = "disabled" if story.decided == "disable" else "updated"
            text = f"{who} will be {verb} in {app} (differs in {', '.join(story.paths)})"
            return _step("EntrySynchronizationUpdate", "processing", "success", text)


def _step(name: str, type_: str, status: str, description: str, details: Mapping[str, str] | None = None) -> Step:
    return {
        "name": name,
        "provisioningStepType": type_,
        "status": status,
        "description": description,
        "details": dict(details or {}),
    }
