"""Source of every flow, files: what a file is, and what each of its columns means. Pure; the names are data."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Literal

import msgspec

from provisor.directory.attributes import EXTENSION_ATTRIBUTES, USER, Attribute, is_extension

Kind = Literal["bulk-create", "download-users", "members"]
Role = Literal["attribute", "id", "password", "blocked", "member", "ignored"]

VERSION = "version:v1.0"
_BRACKETS = re.compile(r"\[\s*([^\[\]]*?)\s*\]")


class Column(msgspec.Struct, frozen=True):
    """A column: its name, what its cells are, and of an ``attribute`` which one (with ``part``: that part of a record).

    ``blocked`` is bulk-create's question whether to block sign-in. ``attribute`` is null of a directory extension.
    """

    name: str
    role: Role
    key: str = ""
    part: str | None = None
    attribute: Attribute | None = None
    required: bool = False


class Layout(msgspec.Struct, frozen=True):
    """A file's kind and columns, or what is wrong with its header (column, message)."""

    kind: Kind
    columns: list[Column]
    faults: list[tuple[str | None, str]]


def recognise(header: Sequence[str], *, versioned: bool) -> Layout:
    """What a file with this header is. ``versioned``: a ``version:v1.0`` line stands before it."""
    names = [_name_of(cell) for cell in header]
    while names and not names[-1]:
        names.pop()
    kind = _kind_of(names, versioned=versioned or any(_BRACKETS.search(cell) for cell in header))
    if len(names) == 1 and re.search(r"[;\t]", header[0]):
        message = "The columns are not separated by commas: save the file as comma-separated CSV."
        return Layout(kind, [], [(None, message)])
    columns: list[Column] = []
    faults: list[tuple[str | None, str]] = []
    for position, name in enumerate(names, start=1):
        column = _column_of(name, kind) if name else None
        if column is None:
            faults.append((name or None, _unknown(name, kind) if name else f"Column {position} has no name."))
        elif column.role != "ignored" and any((c.key, c.part) == (column.key, column.part) for c in columns):
            faults.append((name, f"The column {name} is there twice."))
        else:
            columns.append(column)
    present = {column.key for column in columns}
    missing = [name for name in _FORMATS[kind]["required"] if name not in present]
    faults += [(name, f"The required column {name} is missing.") for name in missing]
    return Layout(kind, columns, faults)


def attribute_column(name: str) -> Column | None:
    """The column of a user's attribute by its name in a file; null when there is none or it is not for files."""
    key, _, part = _CANONICAL.get(name.lower(), name).partition(".")
    attribute = USER.attributes.get(key)
    if attribute is None:
        return Column(name, "attribute", name) if is_extension(name) else None
    if attribute.computed:
        return Column(name, "ignored", key)
    if (attribute.type == "record") != bool(part):
        return None
    return Column(name, "attribute", key, part or None, attribute)


def _name_of(cell: str) -> str:
    bracketed = _BRACKETS.search(cell)
    return bracketed[1] if bracketed else cell.strip()


def _kind_of(names: Sequence[str], *, versioned: bool) -> Kind:
    folded = {name.lower() for name in names}
    if "memberobjectidorupn" in folded:
        return "members"
    return "bulk-create" if versioned or "passwordprofile" in folded else "download-users"


def _column_of(name: str, kind: Kind) -> Column | None:
    folded = name.lower()
    if kind == "members":
        key = "memberObjectIdOrUpn"
        return Column(key, "member", key, required=True) if folded == key.lower() else None
    required = {needed.lower() for needed in _FORMATS[kind]["required"]}
    if folded in _IGNORED:
        return Column(name, "ignored", name)
    if folded in ("objectid", "id"):
        return Column(name, "id", "id")
    if kind == "bulk-create" and folded == "passwordprofile":
        return Column(name, "password", "passwordProfile", required=True)
    if kind == "bulk-create" and folded == "accountenabled":
        return Column(name, "blocked", "accountEnabled", required=True)
    column = attribute_column(name)
    return None if column is None else msgspec.structs.replace(column, required=folded in required)


def _unknown(name: str, kind: Kind) -> str:
    candidates = {"memberobjectidorupn": "memberObjectIdOrUpn"} if kind == "members" else _SPELLINGS
    near = get_close_matches(name.lower(), candidates, n=1)
    return f"There is no column {name[:80]!r}{f'; did you mean {candidates[near[0]]}?' if near else '.'}"


_FORMATS: dict[str, dict[str, Any]] = tomllib.loads(
    files("provisor.directory.files").joinpath("columns.toml").read_text("utf-8")
)
DOWNLOAD_HEADER: list[str] = _FORMATS["download-users"]["header"]
MEMBERS_HEADER: str = _FORMATS["members"]["header"]

_IGNORED = {name.lower() for name in _FORMATS["ignored"]["names"]}
# Lower-cased name in a file -> attribute, or record.part.
_CANONICAL: dict[str, str] = {
    **{name.lower(): name for name in USER.attributes},
    **{part.lower(): f"onPremisesExtensionAttributes.{part}" for part in EXTENSION_ATTRIBUTES},
    **{name.lower(): target for name, target in _FORMATS["aliases"].items()},
}
# Lower-cased name -> the name as it is written, for suggestions.
_SPELLINGS: dict[str, str] = {
    name.lower(): name
    for name in (*USER.attributes, *EXTENSION_ATTRIBUTES, *_FORMATS["aliases"], *DOWNLOAD_HEADER, "passwordProfile")
}
