"""Source of every flow, files: records to users and members, each value checked, every fault told. Pure.

A file is read as often as needed, one row at a time, so that a large one is never in memory as objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from provisor.directory.attributes import USER, InvalidAttributes
from provisor.directory.files.columns import VERSION, Column, Kind, recognise
from provisor.directory.files.encoding import decode
from provisor.directory.files.formulas import bared
from provisor.directory.files.records import Record, records
from provisor.directory.files.report import FileFault, InputFile
from provisor.directory.names import canonical_guid, upn_key

_EXAMPLE = "Example:"


class UserRow(msgspec.Struct, frozen=True):
    """A user as a file describes them: ``attributes`` are checked and hold only what the file says."""

    line: int
    upn: str
    id: str | None
    attributes: dict[str, Any]
    password: bool


class MemberRow(msgspec.Struct, frozen=True):
    """A member: an object id (lower-case GUID) or a user principal name."""

    line: int
    ref: str


class _CellError(Exception):
    """The message is what is wrong with a cell."""


class RowFile:
    """One file: what it is (``kind``), what is wrong with it as a whole (``faults``), and its rows."""

    def __init__(self, source: InputFile) -> None:
        self.name = source.name
        self.group = source.group
        self._text = decode(source.name, source.data)
        self.faults: list[FileFault] = list(self._text.faults)
        self.kind: Kind | None = None
        self.columns: list[Column] = []
        self._header_line = 0
        # Names, lower-cased, that faulty lines may have meant to give to users.
        self.faulty: set[str] = set()
        self._read_header()

    @property
    def columns_ignored(self) -> list[str]:
        return [column.name for column in self.columns if column.role == "ignored"]

    def users(self, faults: list[FileFault]) -> Iterator[UserRow]:
        """The rows of a users' file that have no fault; the faults of the others are added to ``faults``."""
        for record in self._body(faults):
            row = self._user(record, faults)
            if row is not None:
                yield row

    def members(self, faults: list[FileFault]) -> Iterator[MemberRow]:
        """The rows of a members file, likewise."""
        for record in self._body(faults):
            ref = record.cells[0].strip()
            if "@" not in ref and canonical_guid(ref) is None:
                message = f"{ref!r} is neither an object ID nor a user principal name."
                faults.append(FileFault(self.name, record.line, self.columns[0].name, message))
            else:
                yield MemberRow(record.line, canonical_guid(ref) or ref)

    def _read_header(self) -> None:
        found = iter(records(self._text.text))
        first = next(found, None)
        versioned = first is not None and bool(first.cells) and first.cells[0].strip().lower().startswith("version:")
        header = next(found, None) if versioned else first
        if first is None or header is None or header.broken:
            if not self.faults:
                message = header.broken if header and header.broken else "The file has no header line."
                self._fault(header.line if header else 0, None, message)
            return
        if versioned and first.cells[0].strip().lower() != VERSION:
            self._fault(first.line, None, f"{first.cells[0].strip()!r} is not known here; {VERSION} is.")
        layout = recognise(header.cells, versioned=versioned)
        for column, message in layout.faults:
            self._fault(header.line, column, message)
        self._header_line = header.last_line
        if not layout.faults:
            self.kind, self.columns = layout.kind, layout.columns

    def _body(self, faults: list[FileFault]) -> Iterator[Record]:
        """The records below the header that have a cell for every column; nothing when the header is wrong."""
        if self.kind is None:
            return
        width = len(self.columns)
        for record in records(self._text.text):
            if record.line <= self._header_line or record.line in self._text.damaged:
                continue
            if record.broken is not None:
                faults.append(FileFault(self.name, record.line, None, record.broken))
            elif len(record.cells) < width:
                message = f"This line has {len(record.cells)} of {width} columns; a part of it is missing."
                faults.append(FileFault(self.name, record.line, None, message))
            elif any(record.cells[width:]):
                message = f"This line has {len(record.cells)} columns, the header {width}: a comma may lack its quotes."
                faults.append(FileFault(self.name, record.line, None, message))
            elif not self._is_example(record):
                yield record

    def _is_example(self, record: Record) -> bool:
        """Whether this is the row of examples that Entra's templates come with."""
        return self.kind != "download-users" and any(c.lstrip().startswith(_EXAMPLE) for c in record.cells[:2])

    def _user(self, record: Record, faults: list[FileFault]) -> UserRow | None:
        attributes: dict[str, Any] = {}
        found: list[tuple[str, str]] = []
        user_id: str | None = None
        password = False
        for column, cell in zip(self.columns, record.cells, strict=False):
            if not cell or cell.isspace():
                if column.required:
                    found.append((column.name, f"{column.name} is required and empty here."))
                continue
            try:
                match column.role:
                    case "attribute":
                        self._put(attributes, column, cell)
                    case "blocked":
                        attributes["accountEnabled"] = not _one_of(cell, "No", "Yes")
                    case "id":
                        user_id = _guid(cell)
                    case "password":
                        password = True
            except _CellError as error:
                found.append((column.name, f"{column.name} {error}."))
        try:
            attributes = USER.checked(attributes)
        except InvalidAttributes as invalid:
            found += [
                (self._name_of(fault.attribute), f"{fault.attribute} {fault.reason}.") for fault in invalid.faults
            ]
        if found:
            self.faulty.update(upn_key(cell.strip()) for cell in record.cells if "@" in cell)
            faults += [FileFault(self.name, record.line, column_name, message) for column_name, message in found]
            return None
        return UserRow(record.line, attributes["userPrincipalName"], user_id, attributes, password)

    def _put(self, attributes: dict[str, Any], column: Column, cell: str) -> None:
        text = bared(cell) if self.kind == "download-users" else cell
        kind = column.attribute.type if column.attribute else "text"
        if kind == "record":
            attributes.setdefault(column.key, {})[column.part] = text
        elif kind == "texts":
            several = column.attribute is not None and column.attribute.items != 1
            attributes[column.key] = [part.strip() for part in text.split(";")] if several else [text]
        elif kind == "flag":
            attributes[column.key] = _one_of(cell, "False", "True")
        else:
            attributes[column.key] = text.strip() if kind == "upn" else text

    def _name_of(self, attribute: str) -> str:
        return next((column.name for column in self.columns if column.key == attribute), attribute)

    def _fault(self, line: int, column: str | None, message: str) -> None:
        self.faults.append(FileFault(self.name, line, column, message))


def _one_of(cell: str, no: str, yes: str) -> bool:
    """Whether the cell says ``yes``. Raises ``_CellError`` when it says neither."""
    word = cell.strip().lower()
    if word not in (no.lower(), yes.lower()):
        raise _CellError(f"is {yes} or {no}, not {cell.strip()!r}")
    return word == yes.lower()


def _guid(cell: str) -> str:
    guid = canonical_guid(cell.strip())
    if guid is None:
        raise _CellError(f"is an object ID (a GUID), not {cell.strip()!r}")
    return guid
