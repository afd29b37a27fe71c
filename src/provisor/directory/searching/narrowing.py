"""Searching, which part of a filter an index can answer. Pure.

The SQL finds at least what the filter means, and the filter itself is evaluated on what was found. So an index serves
where there is one, and what a filter means is defined in one place (``odata.evaluate``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisor.directory.names import name_key
from provisor.directory.searching.model import Sort
from provisor.odata.text import fold
from provisor.odata.tree import And, Call, Compare, In, Node, Or, Value

# The greatest character: behind every text that begins with what stands before it.
_LAST = "\U0010ffff"
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "user": {
        "id": "id",
        "userPrincipalName": "upn_key",
        "displayName": "name_key",
        "mail": "mail_key",
        "mailNickname": "nickname_key",
        "employeeId": "employee_id_key",
        "department": "department_key",
    },
    "group": {"id": "id", "displayName": "name_key"},
}
# The order of an index's range, and of what it has under one key.
_RANGES: Mapping[str, Sort] = {"name_key": "displayName", "upn_key": "userPrincipalName"}
_BY_ID = frozenset(("mail_key", "nickname_key", "employee_id_key", "department_key"))


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A condition on the row ``o`` with its parameters. ``sort``: the order in which its index has what it finds, where
    pages may have that order."""

    sql: str
    params: dict[str, Any] = field(default_factory=dict)
    sort: Sort | None = None


def narrowing(kind: str, node: Node | None) -> Narrowing | None:
    """What an index can find of it; null: nothing, so every object has to be looked at."""
    return None if node is None else _Narrower(kind).narrowed(node)


class _Narrower:
    def __init__(self, kind: str) -> None:
        self._table = f"directory_{kind}"
        self._columns = _COLUMNS[kind]
        self._count = 0

    def narrowed(self, node: Node) -> Narrowing | None:
        match node:
            case Compare("eq", (name,), str(value)):
                return self._equal(name, [value])
            case In((name,), values):
                return self._equal(name, values)
            case Call("startswith", (name,), text):
                return self._begins(name, text)
            case And(nodes):
                found = [one for node in nodes if (one := self.narrowed(node)) is not None]
                return _all_of(found) if len(found) > 1 else found[0] if found else None
            case Or(nodes):
                each = [self.narrowed(node) for node in nodes]
                known = [one for one in each if one is not None]
                return self._any_of(known) if len(known) == len(each) else None
            case _:
                return None

    def _equal(self, name: str, values: tuple[Value, ...] | list[str]) -> Narrowing | None:
        column = self._columns.get(name)
        texts = [value for value in values if isinstance(value, str)]
        if column is None or len(texts) != len(values):
            return None
        names = [self._name() for _ in texts]
        placeholders = ", ".join(f":{name}" for name in names)
        condition = f"= {placeholders}" if len(names) == 1 else f"IN ({placeholders})"
        keys = dict(zip(names, (_key(column, text) for text in texts), strict=True))
        return Narrowing(f"o.{column} {condition}", keys, "id" if len(names) == 1 and column in _BY_ID else None)

    def _begins(self, name: str, text: str) -> Narrowing | None:
        column = self._columns.get(name)
        if column is None or not text.strip():
            return None
        # Keys of names have no spaces before and behind; what the text ends with may stand inside one.
        prefix = fold(text).lstrip() if column == "name_key" else _key(column, text)
        low, high = self._name(), self._name()
        return Narrowing(
            f"o.{column} >= :{low} AND o.{column} < :{high}", {low: prefix, high: prefix + _LAST}, _RANGES.get(column)
        )

    def _any_of(self, parts: list[Narrowing]) -> Narrowing:
        """Each by its own index: of an OR over several columns, SQLite would walk the tenant instead."""
        each = f"SELECT o.id FROM {self._table} o WHERE o.tenant_id = :tenant_id AND "  # noqa: S608 - fixed names
        union = " UNION ALL ".join(f"{each}({part.sql})" for part in parts)
        return Narrowing(f"o.id IN ({union})", _params(parts))

    def _name(self) -> str:
        self._count += 1
        return f"p{self._count}"


def _all_of(parts: list[Narrowing]) -> Narrowing:
    return Narrowing(" AND ".join(f"({part.sql})" for part in parts), _params(parts))


def _params(parts: list[Narrowing]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.params.items()}


def _key(column: str, text: str) -> str:
    match column:
        case "id" | "upn_key":
            return text.lower()
        case "name_key":
            return name_key(text)
        case _:
            return fold(text)
