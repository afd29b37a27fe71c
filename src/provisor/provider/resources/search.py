"""App side, step 2: a bound filter as a condition that the indexes can answer.

A condition is **exact**, or a **superset** of what the filter means: then every resource that it finds is sifted by the
filter's predicate in memory. A filter without any condition is sifted from all resources, up to a stated cap.

The text of a condition depends on the filter's shape only, values are parameters; the drivers' statement caches do the
rest. It is plain SQL that both engines read, but for one function's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from provisor.provider.resources.index import LONGEST, UNIQUE, index_value
from provisor.provider.resources.model import Kind
from provisor.scim.predicates import Predicate, compile_predicate
from provisor.scim.resolution import All, Bound, Compare, Either, Element, Has, Negation
from provisor.scim.schemas import AttributeRef

Engine = Literal["sqlite", "postgresql"]

_SYMBOLS = {"eq": "=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_COLUMNS = {"meta.created": "created_at", "meta.lastmodified": "modified_at"}
_ALWAYS = frozenset(("id", "schemas", "meta", *_COLUMNS, "meta.resourcetype", "meta.version", "meta.location"))
_POSITION = {"sqlite": "instr(value, {0}) > 0", "postgresql": "strpos(value, {0}) > 0"}
_ATTRIBUTES = "resource_attr WHERE company_id = :company_id AND type = :type"
_MEMBERS = "resource_member WHERE company_id = :company_id"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search: ``where`` over the table ``resource`` (null: no index helps) with ``params``.

    ``test`` is null when ``where`` alone is the answer; else it gets a resource with what ``derived`` names
    (``meta``, ``groups``, ``members``) beside its document.
    """

    where: str | None
    params: Mapping[str, Any] = field(default_factory=dict)
    test: Predicate | None = None
    derived: frozenset[str] = frozenset()


ALL = Plan("1 = 1")


def plan(bound: Bound, kind: Kind, engine: Engine, indexed: Mapping[str, str]) -> Plan:
    """The plan of a filter on the resources of a type, of which ``indexed`` says what is (``Indexer.paths``)."""
    builder = _Builder(kind, engine, indexed)
    condition = builder.condition(bound)
    if condition is not None and condition.exact:
        return Plan(condition.sql, builder.params)
    return Plan(
        condition.sql if condition else None,
        builder.params if condition else {},
        compile_predicate(bound),
        frozenset(name for name in ("meta", "groups", "members") if _mentions(bound, name)),
    )


@dataclass(frozen=True, slots=True)
class _Condition:
    sql: str
    exact: bool


class _Builder:
    def __init__(self, kind: Kind, engine: Engine, indexed: Mapping[str, str]) -> None:
        self.kind = kind
        self.engine = engine
        self.params: dict[str, Any] = {}
        self._short = indexed
        # userName is searched in its column; a group's displayName has rows too, as it need not be unique.
        self._column = UNIQUE[kind].lower() if kind == "User" else ""

    def condition(self, bound: Bound) -> _Condition | None:
        match bound:
            case All(terms):
                found = [condition for term in terms if (condition := self.condition(term)) is not None]
                return _joined(" AND ", found, exact=len(found) == len(terms))
            case Either(terms):
                # One term that no index answers would need everything to be looked at anyway.
                some = [self.condition(term) for term in terms]
                return None if None in some else _joined(" OR ", [term for term in some if term], exact=True)
            case Negation(term):
                inner = self.condition(term)
                return _Condition(f"NOT ({inner.sql})", exact=True) if inner and inner.exact else None
            case Element(_, inner_bound):
                return self._element(inner_bound)
            case Has(ref):
                return self._present(ref)
            case Compare():
                if bound.op == "ne":
                    return self.condition(Negation(replace(bound, op="eq")))
                return self._comparison(bound)

    def _element(self, inner: Bound) -> _Condition | None:
        """What some element must satisfy together, some elements must satisfy one by one."""
        match inner:
            case All(terms):
                found = [condition for term in terms if (condition := self._element(term)) is not None]
                return _joined(" AND ", found, exact=False)
            case Compare():
                return self._comparison(inner) if inner.op != "ne" else None
            case _:
                return None

    def _present(self, ref: AttributeRef) -> _Condition | None:
        if ref.key in _ALWAYS or ref.key == self._column:
            return _Condition("1 = 1", exact=True)
        short = self._short.get(ref.key)
        return _Condition(self._rows(short, "value <> ''"), exact=True) if short else None

    def _comparison(self, bound: Compare) -> _Condition | None:
        key, value = bound.ref.key, bound.value
        if isinstance(value, datetime):
            column = _COLUMNS.get(key)
            return (
                _Condition(f"{column} {_SYMBOLS[bound.op]} {self._param(_ms(value))}", exact=True) if column else None
            )
        if not isinstance(value, str):
            return None
        if bound.op == "eq":
            if key == "id":
                return _Condition(f"id = {self._param(value)}", exact=True)
            if key == "members.value" and self.kind == "Group":
                return _Condition(self._memberships("group_id", "member_id", value), exact=True)
            if key == "groups.value" and self.kind == "User":
                return _Condition(self._memberships("member_id", "group_id", value), exact=True)
        short = self._short.get(key)
        if short is None and key != self._column:
            return None
        tested = self._value_test(bound.op, value)
        if tested is None:
            return None
        sql, exact = tested
        return _Condition(self._rows(short, sql) if short else sql.replace("value", "unique_key"), exact)

    def _value_test(self, op: str, value: str) -> tuple[str, bool] | None:
        """A test of an indexed ``value``, and whether it is exact."""
        if op == "eq":
            return f"value = {self._param(index_value(value, case_exact=True))}", True
        if op in ("co", "ew"):
            # Of a long value the index has the beginning only.
            found = _POSITION[self.engine].format(self._param(value))
            return f"({found} OR length(value) > {LONGEST})", False
        if len(value) > LONGEST:
            return None
        if op == "sw":
            low = f"value >= {self._param(value)}"
            after = _successor(value)
            return (f"({low} AND value < {self._param(after)})" if after else f"({low})"), True
        return f"value {_SYMBOLS[op]} {self._param(value)}", True

    def _rows(self, short: str, test: str) -> str:
        path = self._param(short)
        return f"id IN (SELECT resource_id FROM {_ATTRIBUTES} AND path = {path} AND {test})"  # noqa: S608 - fixed names; values are parameters

    def _memberships(self, wanted: str, given: str, value: str) -> str:
        return f"id IN (SELECT {wanted} FROM {_MEMBERS} AND {given} = {self._param(value)})"  # noqa: S608 - the same

    def _param(self, value: str | int | float) -> str:
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f":{name}"


def _joined(word: str, found: list[_Condition], *, exact: bool) -> _Condition | None:
    if not found:
        return None
    sql = found[0].sql if len(found) == 1 else f"({word.join(condition.sql for condition in found)})"
    return _Condition(sql, exact and all(condition.exact for condition in found))


def _successor(prefix: str) -> str | None:
    """The least text above all that begin with ``prefix``, by code points; null when there is none."""
    for at in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[at])
        if code < 0x10FFFF:
            return prefix[:at] + chr(0xE000 if code == 0xD7FF else code + 1)
    return None


def _ms(moment: datetime) -> int | float:
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    return microseconds // 1000 if microseconds % 1000 == 0 else microseconds / 1000


def _mentions(bound: Bound, name: str) -> bool:
    match bound:
        case All(terms) | Either(terms):
            return any(_mentions(term, name) for term in terms)
        case Negation(term):
            return _mentions(term, name)
        case Compare() | Has() | Element():
            ref = bound.ref
            return ref.container is None and ref.attribute.name == name


# How a resource is sorted: a column where there is one, else a function over its dict.
SORT_COLUMNS: Mapping[Kind, Mapping[str, str]] = {
    "User": {"id": "id", "username": "unique_key", **_COLUMNS},
    "Group": {"id": "id", **_COLUMNS},
}
OTHER_SORT_COLUMNS: Mapping[str, str] = {"id": "id", **_COLUMNS}


def sort_key(ref: AttributeRef) -> Callable[[Mapping[str, Any]], tuple[bool, Any]]:
    """The order of RFC 7644 section 3.4.2.3: of a multi-valued attribute the primary element, else the first, counts.

    Resources without the attribute come last. ``key`` of what is not comparable falls back to its text.
    """
    leaf = ref.leaf

    def key(resource: Mapping[str, Any]) -> tuple[bool, Any]:
        holder = resource if ref.container is None else resource.get(ref.container) or {}
        value = holder.get(ref.attribute.name)
        if isinstance(value, list):
            primary = [element for element in value if isinstance(element, dict) and element.get("primary")]
            value = (primary or value or [None])[0]
        if isinstance(value, dict):
            value = value.get(ref.sub.name if ref.sub else "value")
        if value is None:
            return True, ""
        if leaf.type in ("integer", "decimal", "boolean"):
            return False, value
        text = str(value)
        return False, text if leaf.case_exact else text.casefold()

    return key
