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
from provisor.scim.schemas import (
    ENTERPRISE_USER_URN,
    GROUP_URN,
    USER_URN,
    Attribute,
    AttributeRef,
    Schema,
    SchemaSet,
    fold,
)

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
_BUILT_IN = frozenset((USER_URN, GROUP_URN, ENTERPRISE_USER_URN))

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
    """Drafts of the resources of one schema set.

    Of the built-in schemas, ``INDEXED`` says what is indexed; of a company's own ones it is every string that can be
    searched, under its whole path. An attribute whose ``uniqueness`` is not ``none`` is unique within its type.
    """

    def __init__(self, schemas: SchemaSet, *, unique_group_names: bool = True) -> None:
        self._entries: dict[Kind, list[_Entry]] = {}
        self._paths: dict[Kind, dict[str, str]] = {}
        self._further: dict[Kind, list[_Entry]] = {}
        for kind in schemas.resource_types:
            listed = INDEXED.get(kind, {"externalId": "externalId"})
            found = {path.lower(): _entry(_found(schemas, kind, path), short) for path, short in listed.items()}
            own = list(_own(schemas, kind))
            found |= {ref.key: _entry(ref, ref.key) for ref in own if _is_indexed(ref)}
            self._entries[kind] = list(found.values())
            self._paths[kind] = {key: entry.short for key, entry in found.items()}
            self._further[kind] = [_entry(ref, ref.key) for ref in own if ref.leaf.uniqueness != "none"]
        self._unique: dict[Kind, str | None] = {
            "User": UNIQUE["User"],
            "Group": UNIQUE["Group"] if unique_group_names else None,
        }

    def paths(self, kind: Kind) -> Mapping[str, str]:
        """What is indexed of a type: the attribute's key -> the short name in the rows."""
        return self._paths[kind]

    def draft(self, kind: Kind, document: Mapping[str, Any]) -> Draft:
        """What is stored of a canonical document, which has nothing derived in it."""
        display = document.get("displayName")
        unique = self._unique.get(kind)
        key = document.get(unique) if unique else None
        rows = frozenset(
            (entry.short, index_value(value, case_exact=entry.case_exact))
            for entry in self._entries[kind]
            for value in _values(document, entry)
            if isinstance(value, str)
        )
        return Draft(
            document=msgspec.json.encode(document).decode(),
            unique_key=index_value(key, case_exact=False) if isinstance(key, str) else None,
            display=display if isinstance(display, str) else None,
            rows=rows,
            unique_rows=frozenset(
                (entry.short, index_value(str(value), case_exact=entry.case_exact))
                for entry in self._further[kind]
                for value in _values(document, entry)
            ),
        )


def _found(schemas: SchemaSet, kind: Kind, path: str) -> AttributeRef:
    ref = schemas.find(kind, path)
    if ref is None:
        raise KeyError(f"{kind} has no attribute {path}")
    return ref


def _own(schemas: SchemaSet, kind: Kind) -> Iterator[AttributeRef]:
    """The attributes, and sub-attributes, of a company's own schemas that a resource type has."""
    found = schemas.resource_type(kind)
    holders: list[tuple[str | None, Schema]] = [(None, found.schema)]
    holders += [(extension.schema.id, extension.schema) for extension in found.extensions]
    for container, schema in holders:
        if schema.id in _BUILT_IN:
            continue
        for attribute in schema.attributes.values():
            ref = AttributeRef(container, attribute)
            yield from (ref.within(sub) for sub in attribute.sub.values()) if attribute.sub else (ref,)


def _is_indexed(ref: AttributeRef) -> bool:
    return ref.leaf.type in ("string", "reference") and _is_readable(ref.attribute) and _is_readable(ref.leaf)


def _is_readable(attribute: Attribute) -> bool:
    return attribute.returned != "never" and attribute.mutability != "writeOnly"


def _entry(ref: AttributeRef, short: str) -> _Entry:
    return _Entry(
        short,
        ref.container,
        ref.attribute.name,
        ref.sub.name if ref.sub else None,
        ref.attribute.multi_valued,
        ref.leaf.case_exact,
    )


def _values(document: Mapping[str, Any], entry: _Entry) -> Iterator[Any]:
    holder = document if entry.container is None else document.get(entry.container)
    found = holder.get(entry.name) if holder else None
    if found is None:
        return
    for element in found if entry.multi_valued else (found,):
        value = element.get(entry.sub) if entry.sub else element
        if value is not None:
            yield value
