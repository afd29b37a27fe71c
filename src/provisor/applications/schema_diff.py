"""Step processing, beside it: what differs between two synchronization schema documents, by mapping. Pure.

Lists in these documents are tables: their rows are told apart by a name, so that an inserted mapping is one change and
not a change of every mapping after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# By these a row of a list is told from the others: the first that every row has, and no two alike.
_NAMES = ("targetAttributeName", "name", "key", "id", "sourceOperandName", "referencedObjectName")


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One difference. ``where`` is the way to it; ``before`` null: it was not there; ``after`` null: it is gone.

    What is null in one document and missing in the other is no difference: Graph does either.
    """

    where: tuple[str, ...]
    before: Any
    after: Any

    def __str__(self) -> str:
        return ", ".join(self.where)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[SchemaChange, ...]:
    """Every change from one document to the other; the order of rows counts as a change of its own."""
    return tuple(_values((), before, after))


def _values(where: tuple[str, ...], before: Any, after: Any) -> Iterator[SchemaChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _values((*where, key), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and (name := _name(before, after)):
        yield from _rows(where, {row[name]: row for row in before}, {row[name]: row for row in after})
    elif type(before) is not type(after) or before != after:
        yield SchemaChange(where, before, after)


def _rows(where: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[SchemaChange]:
    # A row's name says where it is; the list's own name would say nothing more.
    inside = where[:-1]
    for name in dict.fromkeys((*before, *after)):
        yield from _values((*inside, name), before.get(name), after.get(name))
    kept_before = [name for name in before if name in after]
    kept_after = [name for name in after if name in before]
    if kept_before != kept_after:
        yield SchemaChange((*where, "order"), kept_before, kept_after)


def _name(before: list[Any], after: list[Any]) -> str | None:
    for name in _NAMES:
        if all(_named(rows, name) for rows in (before, after)):
            return name
    return None


def _named(rows: list[Any], name: str) -> bool:
    found = [row.get(name) if isinstance(row, Mapping) else None for row in rows]
    return all(isinstance(one, str) for one in found) and len(set(found)) == len(found)
