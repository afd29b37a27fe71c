"""App side, step 2: what of a resource is indexed, and its values as they stand in the index.

An index entry is a pair (short path, value); a value is folded unless its attribute is ``caseExact``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from provisor.provider.resources.model import Draft, Kind
from provisor.scim.schemas import ENTERPRISE_USER_URN, AttributeRef, SchemaSet, fold

# By resource type: the path as RFC 7644 writes it, and the short name that stands in the rows instead of it. These are
# the attributes that provisioners match by. userName has a column of its own (unique_key).
INDEXED: Mapping[Kind, Mapping[str, str]] = {
    "User": {
        "externalId": "externalId",
        "displayName": "displayName",
        "emails.value": "email",
        f"{ENTERPRISE_USER_URN}:employeeNumber": "employeeNumber",
        f"{ENTERPRISE_USER_URN}:manager.value": "manager",
    },
    "Group": {"externalId": "externalId", "displayName": "displayName"},
}
UNIQUE: Mapping[Kind, str] = {"User": "userName", "Group": "displayName"}
# What is derived, and therefore never in a stored document.
DERIVED: Mapping[Kind, tuple[str, ...]] = {"User": ("meta", "groups"), "Group": ("meta", "members")}

# PostgreSQL's index entries end at 2,704 bytes, and a character has up to four.
LONGEST = 300


def index_value(text: str, *, case_exact: bool) -> str:
    """A value as the index has it: folded, and of a long one the first characters and a digest."""
    value = text if case_exact else fold(text)
    if len(value) > LONGEST:
        value = f"{value[:LONGEST]}#{hashlib.sha256(value.encode()).hexdigest()}"
    return value


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where an indexed value is in a document."""

    short: str
    container: str | None
    name: str
    sub: str | None
    multi_valued: bool
    case_exact: bool


class Indexer:
    """Drafts of the resources of one schema set."""

    def __init__(self, schemas: SchemaSet, *, unique_group_names: bool = True) -> None:
        self._entries = {
            kind: [_entry(schemas, kind, path, short) for path, short in paths.items()]
            for kind, paths in INDEXED.items()
        }
        self._unique: dict[Kind, str | None] = {
            "User": UNIQUE["User"],
            "Group": UNIQUE["Group"] if unique_group_names else None,
        }

    def draft(self, kind: Kind, document: Mapping[str, Any]) -> Draft:
        """What is stored of a canonical document, which has nothing derived in it."""
        display = document.get("displayName")
        unique = self._unique[kind]
        key = document.get(unique) if unique else None
        rows = frozenset(
            (entry.short, index_value(value, case_exact=entry.case_exact))
            for entry in self._entries[kind]
            for value in _values(document, entry)
        )
        return Draft(
            document=msgspec.json.encode(document).decode(),
            unique_key=index_value(key, case_exact=False) if isinstance(key, str) else None,
            display=display if isinstance(display, str) else None,
            rows=rows,
        )


def _entry(schemas: SchemaSet, kind: Kind, path: str, short: str) -> _Entry:
    ref: AttributeRef | None = schemas.find(kind, path)
    if ref is None:
        raise KeyError(f"{kind} has no attribute {path}")
    return _Entry(
        short,
        ref.container,
        ref.attribute.name,
        ref.sub.name if ref.sub else None,
        ref.attribute.multi_valued,
        ref.leaf.case_exact,
    )


def _values(document: Mapping[str, Any], entry: _Entry) -> Iterator[str]:
    holder = document if entry.container is None else document.get(entry.container)
    found = holder.get(entry.name) if holder else None
    if found is None:
        return
    for element in found if entry.multi_valued else (found,):
        value = element.get(entry.sub) if entry.sub else element
        if isinstance(value, str):
            yield value
