"""Step log, on the way out: entries as JSON lines, or as three CSV files that are joined by the change id.

The three are those of Entra's download: the entries, their steps, and their modified properties. Everything is written
as it comes, so an export of any size needs the memory of one page.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from provisor.directory.files.formulas import guarded
from provisor.errors import InvalidInput
from provisor.provisioning.log.model import Entry

Format = Literal["csv", "jsonl"]

LOGS, STEPS, PROPERTIES = "provisioning_logs.csv", "provisioning_steps.csv", "modified_properties.csv"

_Cell = Callable[[Entry], Any]


def _at(*path: str) -> _Cell:
    def find(entry: Entry) -> Any:
        found: Any = entry
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    return find


_COLUMNS: Mapping[str, _Cell] = {
    "Change ID": _at("changeId"),
    "ID": _at("id"),
    "Date (UTC)": _at("activityDateTime"),
    "Tenant ID": _at("tenantId"),
    "Job ID": _at("jobId"),
    "Cycle ID": _at("cycleId"),
    "Action": _at("provisioningAction"),
    "Status": _at("provisioningStatusInfo", "status"),
    "Error code": _at("provisioningStatusInfo", "errorInformation", "errorCode"),
    "Reason": _at("provisioningStatusInfo", "errorInformation", "reason"),
    "Error category": _at("provisioningStatusInfo", "errorInformation", "errorCategory"),
    "Recommended action": _at("provisioningStatusInfo", "errorInformation", "recommendedAction"),
    "Duration (ms)": _at("durationInMilliseconds"),
    "Initiated by": _at("initiatedBy", "displayName"),
    "Service principal ID": _at("servicePrincipal", "id"),
    "Service principal": _at("servicePrincipal", "displayName"),
    "Source ID": _at("sourceIdentity", "id"),
    "Source": _at("sourceIdentity", "displayName"),
    "Source type": _at("sourceIdentity", "identityType"),
    "Target ID": _at("targetIdentity", "id"),
    "Target": _at("targetIdentity", "displayName"),
    "Target type": _at("targetIdentity", "identityType"),
    "Request": _at("exchange", "request"),
    "Answer status": _at("exchange", "status"),
}
_STEP_COLUMNS = ("Change ID", "Index", "Name", "Type", "Status", "Description", "Details")
_PROPERTY_COLUMNS = ("Change ID", "Property", "Old value", "New value")


class Export:
    """Writes entries to files. ``write`` page after page; ``close`` at the end.

    ``csv`` makes three files in the folder ``where``; ``jsonl`` the file ``where``, an entry a line, or
    ``provisioning_logs.jsonl`` where it is a folder. Nothing that is there is overwritten: raises ``InvalidInput``.
    """

    def __init__(self, where: Path, form: Format) -> None:
        self.written = 0
        self.files: list[Path] = []
        self._stack = ExitStack()
        try:
            if form == "csv":
                self._write = self._csv(where)
            else:
                self._write = self._lines(where / "provisioning_logs.jsonl" if where.is_dir() else where)
        except OSError as error:
            self._stack.close()
            raise InvalidInput(
                f"{where} cannot be written: {error.strerror}.", hint="Name a new file, or a folder for CSV."
            ) from error

    def write(self, entries: Sequence[Entry]) -> None:
        """Add these entries."""
        self._write(entries)
        self.written += len(entries)

    def close(self) -> None:
        """Everything is in the files."""
        self._stack.close()

    def _open(self, path: Path) -> IO[str]:
        file = self._stack.enter_context(path.open("x", encoding="utf-8", newline=""))
        self.files.append(path)
        return file

    def _lines(self, path: Path) -> Callable[[Sequence[Entry]], None]:
        file, encode = self._open(path), msgspec.json.Encoder().encode

        def write(entries: Sequence[Entry]) -> None:
            file.writelines(f"{encode(entry).decode()}\n" for entry in entries)

        return write

    def _csv(self, folder: Path) -> Callable[[Sequence[Entry]], None]:
        folder.mkdir(parents=True, exist_ok=True)
        logs, steps, properties = (csv.writer(self._open(folder / name)) for name in (LOGS, STEPS, PROPERTIES))
        logs.writerow(_COLUMNS)
        steps.writerow(_STEP_COLUMNS)
        properties.writerow(_PROPERTY_COLUMNS)

        def write(entries: Sequence[Entry]) -> None:
            logs.writerows([_cell(column(entry)) for column in _COLUMNS.values()] for entry in entries)
            steps.writerows(row for entry in entries for row in _steps(entry))
            properties.writerows(row for entry in entries for row in _properties(entry))

        return write


def _steps(entry: Entry) -> Iterable[list[str]]:
    for index, step in enumerate(entry["provisioningSteps"]):
        details = msgspec.json.encode(step.get("details") or {}).decode()
        cells = (step["name"], step["provisioningStepType"], step["status"], step["description"], details)
        yield [entry["changeId"], str(index), *map(_cell, cells)]


def _properties(entry: Entry) -> Iterable[list[str]]:
    for one in entry["modifiedProperties"]:
        yield [entry["changeId"], *(_cell(one[name]) for name in ("displayName", "oldValue", "newValue"))]


def _cell(value: Any) -> str:
    return "" if value is None else guarded(str(value))
