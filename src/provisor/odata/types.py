"""OData, the types: which properties an entity has, so that a name that it does not have is an error that names it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Literal

from provisor.odata.errors import UnknownProperty, Unsupported

Kind = Literal["text", "flag", "number", "moment", "texts", "record", "records", "any"]


@dataclass(frozen=True, slots=True)
class Property:
    """``kind``: moment is an ISO 8601 text, texts a list, record an object, records a list of them. ``parts``: the
    properties inside a record; without any it is open. ``shown``: whether it is there without ``$select``.
    ``filterable``: whether a filter may name it."""

    kind: Kind = "text"
    parts: Mapping[str, Property] = field(default_factory=dict)
    shown: bool = True
    filterable: bool = True


@dataclass(frozen=True)
class EntityType:
    """``name``: as in ``#microsoft.graph.user``. ``links``: navigation property -> name of the type behind it.
    ``open_names``: a pattern of further names that are properties, as of directory extensions."""

    name: str
    properties: Mapping[str, Property]
    links: Mapping[str, str] = field(default_factory=dict)
    open_names: re.Pattern[str] | None = None

    @cached_property
    def default(self) -> tuple[str, ...]:
        """What is shown without ``$select``."""
        return tuple(name for name, found in self.properties.items() if found.shown)

    def canonical(self, name: str) -> str:
        """The property or link of this name, which may be written in any case. Raises ``UnknownProperty``."""
        if name in self.properties or name in self.links:
            return name
        found = self._folded.get(name.lower())
        if found is not None:
            return found
        if self.open_names is not None and self.open_names.fullmatch(name):
            return name
        raise UnknownProperty(
            f"Could not find a property named '{name[:200]}' on type 'microsoft.graph.{self.name}'.",
            hint=suggestion(name, self._folded),
        )

    def path(self, steps: Iterable[str]) -> tuple[str, ...]:
        """The canonical names of a path such as ``status/errorCode``, for filters and orders.

        Raises ``UnknownProperty``, and ``Unsupported`` for what cannot be filtered by.
        """
        first, *rest = steps
        name = self.canonical(first)
        made = [name]
        found = self.properties.get(name)
        if name in self.links or (found is not None and not found.filterable):
            raise Unsupported(f"'{name}' of 'microsoft.graph.{self.name}' cannot be filtered or ordered by.")
        for step in rest:
            if step == "$count":
                made.append(step)
                continue
            if found is None or (found.kind not in ("record", "any")):
                whole = "/".join(made)
                raise UnknownProperty(f"'{whole}' of 'microsoft.graph.{self.name}' has no part '{step[:200]}'.")
            name, found = part_of(found, step, "/".join(made))
            made.append(name)
        return tuple(made)

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {name.lower(): name for name in (*self.properties, *self.links)}


_ANY = Property("any")


def part_of(record: Property, step: str, where: str) -> tuple[str, Property]:
    """A property inside a record, and its name. Raises ``UnknownProperty``; an open record has every part."""
    if not record.parts:
        return step, _ANY
    for name, found in record.parts.items():
        if name.lower() == step.lower():
            return name, found
    raise UnknownProperty(
        f"Could not find a property named '{step[:200]}' in '{where}'.",
        hint=suggestion(step, {name.lower(): name for name in record.parts}),
    )


def suggestion(name: str, folded: Mapping[str, str]) -> str | None:
    """``Did you mean …?`` with the name that is nearest, or null. ``folded``: lower-cased name -> name."""
    near = get_close_matches(name.lower(), folded, n=1)
    return f"Did you mean '{folded[near[0]]}'?" if near else None


def properties(
    *,
    texts: str = "",
    flags: str = "",
    numbers: str = "",
    moments: str = "",
    lists: str = "",
    records: Mapping[str, Mapping[str, Property]] | None = None,
    record_lists: Mapping[str, Mapping[str, Property]] | None = None,
) -> dict[str, Property]:
    """Properties by kind, their names parted by spaces. A name that begins with ``-`` is shown only when selected."""
    made: dict[str, Property] = {}
    plain: tuple[tuple[str, Kind], ...] = (
        (texts, "text"),
        (flags, "flag"),
        (numbers, "number"),
        (moments, "moment"),
        (lists, "texts"),
    )
    for names, kind in plain:
        for name in names.split():
            made[name.removeprefix("-")] = Property(kind, shown=not name.startswith("-"))
    nested: tuple[tuple[Mapping[str, Any], Kind], ...] = ((records or {}, "record"), (record_lists or {}, "records"))
    for table, kind in nested:
        for name, parts in table.items():
            made[name.removeprefix("-")] = Property(kind, parts, shown=not name.startswith("-"))
    return made
