"""Provision on demand: the steps as they are told, and the result that they end in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from provisor.connector.answers import TargetObject
from provisor.connector.errors import TargetError
from provisor.ids import new_id
from provisor.provisioning.log.model import Entry
from provisor.provisioning.log.reading import entries_of_lines
from provisor.provisioning.mapping import SOFT_DELETED, Mappings
from provisor.provisioning.model import Kind, Link, Match
from provisor.provisioning.notes import Item
from provisor.provisioning.ondemand.members import MemberWork
from provisor.provisioning.ondemand.model import (
    ActionName,
    Drift,
    OnDemandResult,
    OnDemandStep,
    Property,
    Result,
    StepType,
)
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.run import Run
from provisor.provisioning.seen import Difference, shown_value, text

_RESULTS: Mapping[str, Result] = {
    "success": "Success",
    "skipped": "Skipped",
    "failure": "Failure",
    "warning": "Warning",
}
_ACTIONS: Mapping[str, ActionName] = {
    "create": "Create",
    "update": "Update",
    "disable": "Disable",
    "delete": "Delete",
    "other": "Other",
}
_SECRET = frozenset({"password"})


class Story:
    """Collects what happened to one object."""

    def __init__(self, run: Run, kind: Kind, item: Item, mappings: Mappings) -> None:
        self._run = run
        self._kind = kind
        self._item = item
        self._mappings = mappings
        self._began = run.clock.now_ms()
        self._steps: list[OnDemandStep] = []
        self._entries: list[Entry] = []
        self._drift: list[Drift] = []
        self._members: dict[str, int] = {}
        self._target: TargetObject | None = None
        self._gone: Link | None = None
        self._imported()
        self._scoped()

    # Steps

    def _imported(self) -> None:
        source = self._item.source
        details = {"objectId": source.id}
        names = sorted({*self._mappings.mapping.source_attributes, "displayName"})
        for name in names:
            value = "False" if name == SOFT_DELETED and source.active else source.get(name)
            if name == SOFT_DELETED and not source.active:
                value = "True"
            if value not in (None, "", []) and name not in _SECRET:
                details[name] = _detail(value)
        known = f"'{source.name}'" if source.name else source.id
        told = f"Retrieved {self._kind} {known} from Microsoft Entra ID"
        if not source.exists:
            told = f"{self._kind} {known} was deleted for good in Microsoft Entra ID"
        self._step("EntryImport", "Import", "Success", told, details)

    def _scoped(self) -> None:
        entitlement = self._item.entitlement
        details = {**entitlement.details, "IsInProvisioningScopeDisplayName": str(entitlement.in_scope)}
        self._step(
            "EntrySynchronizationScoping",
            "Scoping",
            "Success",
            f"Determine if {self._kind} in scope by evaluating against each scoping filter",
            details,
        )

    def gone(self, link: Link) -> None:
        """What it was linked to is not there any more."""
        self._gone = link
        self._drift.append(Drift("id", link.target_id, None))

    def seen(self, target: TargetObject, differences: Sequence[Difference]) -> None:
        """The target object of the link."""
        self._target = target
        self._drift += [Drift(one.path, text(one.acknowledged), text(one.found)) for one in differences]

    def matched(self, item: Item) -> None:
        """What the target has, before anything was sent."""
        app = self._run.job.display_name
        name = item.source.name or item.source.id
        if self._target is not None:
            self._matching(f"Retrieved {self._kind} '{name}' from {app}", self._shown(self._target))
            return
        lost = f"The linked object {self._gone.target_id} is no longer in {app}. " if self._gone else ""
        if not isinstance(item.plan, Match):
            if lost:
                self._matching(lost.strip(), {})
            return
        asked = {f"searched {attribute}": value for attribute, value in item.keys}
        match item.found:
            case []:
                self._matching(f"{lost}No {self._kind} was found in {app}", asked)
            case [one]:
                self._matching(f"{lost}Retrieved {self._kind} '{name}' from {app}", {**asked, **self._shown(one)})
            case several:
                ids = ", ".join(one.id for one in several)
                self._matching(f"{len(several)} {self._kind}s in {app} match: {ids}", asked, "Failure")

    def done(self, batch: Batch, item: Item) -> None:
        """What came of it, told by its log entry."""
        self._entries += entries_of_lines(self._run.writer.common, batch.log)

    def references(self, batch: Batch) -> None:
        """The manager was written."""
        self._entries += entries_of_lines(self._run.writer.common, batch.log)

    def waits(self, why: str) -> None:
        """A reference cannot be written yet."""
        details = {"ErrorCode": "UnableToResolveReferenceAttributeValue"}
        self._step("EntrySynchronizationUpdate", "Export", "Warning", why, details)

    def members(self, work: MemberWork, batch: Batch) -> None:
        """A group's members were compared and written."""
        self._drift += work.drift
        self._entries += entries_of_lines(self._run.writer.common, batch.log)
        self._members = {
            "added": len(batch.joined),
            "removed": len(batch.left),
            "unchanged": work.kept,
            "waiting": len(work.waiting),
            "others": work.strangers,
        }
        for id_ in work.waiting[:5]:
            why = f"We were unable to assign {id_} as the members of {self._item.source.name}: not in the target yet."
            self.waits(why)

    def not_connected(self, error: TargetError) -> OnDemandResult:
        """The target said something that concerns every object: the first step, Test connection, has failed."""
        failed = OnDemandStep("TestConnection", "TestConnection", "Failure", error.message, self._now, {})
        self._steps.insert(0, failed)
        return self._ended("Failure", error.code, error.message, error.hint, "Other", [], self._link_id(None))

    def result(self, link: Link | None) -> OnDemandResult:
        """All of it."""
        entries = [entry for entry in self._entries if not _nothing(entry)] or self._entries
        worst = min(entries, key=lambda entry: _ORDER[entry["provisioningStatusInfo"]["status"]], default=None)
        if worst is None:
            return self._ended("Skipped", "RedundantExport", None, None, "Other", [], self._link_id(link))
        status = worst["provisioningStatusInfo"]
        told = status["errorInformation"] or {}
        modified = [
            Property(change["displayName"], change["oldValue"], change["newValue"])
            for entry in entries
            for change in entry["modifiedProperties"]
        ]
        first = entries[0]
        for entry in entries:
            self._exported(entry)
        return self._ended(
            _RESULTS[status["status"]],
            told.get("errorCode"),
            told.get("reason"),
            told.get("recommendedAction"),
            _ACTIONS.get(first["provisioningAction"], "Other"),
            modified,
            self._link_id(link) or worst["targetIdentity"]["id"],
            change_id=first["changeId"],
        )

    def _exported(self, entry: Mapping[str, Any]) -> None:
        last = entry["provisioningSteps"][-1]
        status = _RESULTS[entry["provisioningStatusInfo"]["status"]]
        details = {str(name): str(value) for name, value in last["details"].items()}
        for change in entry["modifiedProperties"]:
            details.setdefault(change["displayName"], _detail(change["newValue"]))
        self._step(last["name"], "Export", status, last["description"], details)

    def _matching(self, description: str, details: Mapping[str, str], status: Result = "Success") -> None:
        self._step("EntryImport", "Matching", status, description, details)

    def _shown(self, target: TargetObject) -> dict[str, str]:
        details = {"id": target.id}
        manager = self._mappings.reference("manager")
        for row in self._mappings.mapping.attribute_mappings:
            if row.source_text == "members" or row.target == "members":
                continue
            value = shown_value(target, row.target, reference=row.target == manager)
            if value is not None and row.target not in _SECRET:
                details[row.target] = _detail(value)
        return details

    def _step(self, name: str, type_: StepType, status: Result, description: str, details: Mapping[str, str]) -> None:
        self._steps.append(OnDemandStep(name, type_, status, description, self._now, details))

    def _link_id(self, link: Link | None) -> str | None:
        found = link or self._item.link
        return found.target_id if found else None

    @property
    def _now(self) -> int:
        return self._run.clock.now_ms()

    def _ended(
        self,
        result: Result,
        code: str | None,
        message: str | None,
        advice: str | None,
        action: ActionName,
        modified: Sequence[Property],
        target_id: str | None,
        *,
        change_id: str | None = None,
    ) -> OnDemandResult:
        item = self._item
        return OnDemandResult(
            result=result,
            error_code=code,
            error_message=message,
            recommended_action=advice,
            action=action,
            change_id=change_id or new_id(),
            started_at=self._began,
            ended_at=self._now,
            source_id=item.source.id,
            kind=self._kind,
            name=item.source.name or item.source.id,
            target_id=target_id,
            app_name=self._run.job.display_name,
            steps=sorted(self._steps, key=lambda step: _STEPS[step.type]),
            modified=modified,
            drift=self._drift,
            members=self._members,
        )


_ORDER = {"failure": 0, "warning": 1, "success": 2, "skipped": 3}
# Graph's sample has matching before scoping; the portal's five steps, and the truth, have it after.
_STEPS: Mapping[StepType, int] = {"TestConnection": 0, "Import": 1, "Scoping": 2, "Matching": 3, "Export": 4}


def _nothing(entry: Mapping[str, Any]) -> bool:
    """Nothing needed to be changed: not worth telling beside what was."""
    status = entry["provisioningStatusInfo"]
    return bool(status["errorInformation"] and status["errorInformation"]["errorCode"] == "RedundantExport")


def _detail(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    return str(value)
