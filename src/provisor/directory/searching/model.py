"""Searching, its nouns: what is looked for, and where a page ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import msgspec

from provisor.directory.model import Group, User
from provisor.odata.evaluate import matches
from provisor.odata.search import Search
from provisor.odata.tree import Node

Sort = Literal["id", "displayName", "userPrincipalName"]
T = TypeVar("T", User, Group)


class Position(msgspec.Struct, frozen=True, array_like=True):
    """After which object a page begins: its id, and its key in the order when that is not the id."""

    id: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. ``sort`` null: whatever order is cheapest, the same on every page. ``deleted``: among the
    deleted objects instead of the live ones."""

    filter: Node | None = None
    search: Search | None = None
    sort: Sort | None = None
    descending: bool = False
    deleted: bool = False

    @property
    def is_open(self) -> bool:
        """Whether every object satisfies it."""
        return self.filter is None and self.search is None

    def holds(self, document: dict[str, Any]) -> bool:
        """Whether this object is one of those that are looked for."""
        return (self.filter is None or matches(self.filter, document)) and (
            self.search is None or self.search.found_in(document)
        )


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Objects in order. ``next``: where the next page begins; null at the end. A page may be shorter than asked for,
    even empty, and not be the last: then much had to be looked at for it."""

    objects: list[T] = field(default_factory=list)
    next: Position | None = None
