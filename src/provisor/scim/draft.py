"""Floor 1, PATCH: a document while operations change it; the old one is never touched.

Only what is written to is copied, once: the top, an extension object, and below them whole attribute values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provisor.scim.members import MemberChange
from provisor.scim.schemas import AttributeRef


class Draft:
    """The state of one PATCH between its operations."""

    __slots__ = ("_base", "_extensions", "_owned", "_touched", "data", "ignored", "member_changes", "write_only")

    def __init__(self, base: Mapping[str, Any]) -> None:
        self.data: dict[str, Any] = dict(base)
        self.ignored: list[str] = []
        self.member_changes: list[MemberChange] = []
        self.write_only: dict[str, Any] = {}
        self._base = base
        self._extensions: set[str] = set()
        self._owned: set[tuple[str | None, str]] = set()
        self._touched: dict[tuple[str | None, str], AttributeRef] = {}

    def get(self, ref: AttributeRef) -> Any:
        """The attribute's value (not the sub-attribute's), None if unassigned. Not to be changed in place."""
        holder = self.data if ref.container is None else self.data.get(ref.container)
        return holder.get(ref.attribute.name) if holder else None

    def old(self, ref: AttributeRef) -> Any:
        """The same before the first operation."""
        holder = self._base if ref.container is None else self._base.get(ref.container)
        return holder.get(ref.attribute.name) if holder else None

    def put(self, ref: AttributeRef, value: Any) -> None:
        """Set the attribute; None unsets it. An extension object comes and goes with its attributes."""
        name = ref.attribute.name
        self._touched[ref.container, name] = ref
        holder = self.data if ref.container is None else self._extension(ref.container)
        if value is None:
            holder.pop(name, None)
        else:
            holder[name] = value
        if ref.container is not None and not holder:
            del self.data[ref.container]
            self._extensions.discard(ref.container)

    def own(self, ref: AttributeRef) -> Any:
        """The attribute's value as a copy that may be changed in place; None if unassigned."""
        value = self.get(ref)
        if value is None:
            return None
        place = (ref.container, ref.attribute.name)
        if place not in self._owned:
            value = _copied(value)
            self._owned.add(place)
        self.put(ref, value)
        return value

    def touched(self) -> Iterator[AttributeRef]:
        """The attributes that operations wrote to."""
        return iter(tuple(self._touched.values()))

    def _extension(self, urn: str) -> dict[str, Any]:
        if urn not in self._extensions:
            self.data[urn] = dict(self.data.get(urn, {}))
            self._extensions.add(urn)
        held: dict[str, Any] = self.data[urn]
        return held


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [dict(item) if isinstance(item, dict) else item for item in value]
    return dict(value) if isinstance(value, dict) else value
