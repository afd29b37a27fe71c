"""Floor 1, search and PATCH: a parsed filter bound to the attributes of a resource type, and its values typed.

What comes out is what both evaluations work from: ``predicates`` in memory and the store's SQL. They agree on this:

* ``ne`` is exactly ``not (… eq …)``: it holds for a resource without the attribute, and of a multi-valued attribute
  only if *no* element is equal (RFC 7644 leaves both open; this reading makes eq and ne opposites);
* any other operator on a multi-valued attribute holds if it holds for some element;
* ``eq null`` means unassigned and ``ne null`` assigned (RFC 7643 section 2.5 makes null, [] and absence one state);
* an attribute with sub-attributes compares by its ``value`` (RFC 7644 section 3.4.2.2: ``emails co "example.com"``);
* strings compare under ``schemas.fold`` unless the attribute is caseExact; dateTimes as moments; numbers as numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from provisor.scim.dialect import Dialect
from provisor.scim.errors import InvalidFilter
from provisor.scim.filters import And, Comparison, Filter, Not, Operator, Or, Present, ValuePath, parse, quote
from provisor.scim.schemas import AttributeRef, SchemaSet, fold
from provisor.scim.values import as_boolean, as_number, moment

Value = str | int | float | bool | datetime


@dataclass(frozen=True, slots=True)
class Compare:
    """``ref op value``. ``ref.leaf`` is never complex.

    ``value`` has the attribute's type: str (already folded unless the leaf is caseExact), bool, int or float, or an
    aware datetime in UTC (a str for ``co``, ``sw``, ``ew`` on a dateTime). ``given`` is the same as it would be stored.
    """

    ref: AttributeRef
    op: Operator
    value: Value
    given: Any = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Has:
    """``ref pr``: assigned, to something else than an empty string or an empty list."""

    ref: AttributeRef


@dataclass(frozen=True, slots=True)
class Element:
    """``ref[inner]``: one element of ``ref`` satisfies ``inner``, whose references all have ``sub`` set.

    ``ref.sub`` is None; ``ref.attribute`` is complex, and may be single-valued (``manager[value eq "x"]``).
    """

    ref: AttributeRef
    inner: Bound


@dataclass(frozen=True, slots=True)
class All:
    """Every term holds."""

    terms: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Some term holds."""

    terms: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The term does not hold."""

    term: Bound


Bound = Compare | Has | Element | All | Either | Negation

_EQUALITY = frozenset(("eq", "ne"))
_ORDER = _EQUALITY | {"gt", "ge", "lt", "le"}
_TEXT = frozenset(("co", "sw", "ew"))
_OPERATORS = {
    "boolean": _EQUALITY,
    "binary": _EQUALITY,
    "integer": _ORDER,
    "decimal": _ORDER,
    "dateTime": _ORDER | _TEXT,
    "string": _ORDER | _TEXT,
    "reference": _ORDER | _TEXT,
}


def resolve_text(text: str, schemas: SchemaSet, resource_type: str, dialect: Dialect) -> Bound:
    """``parse`` and ``resolve`` in one; short texts are cached. Raises ``InvalidFilter``."""
    if len(text) <= 256:
        return _resolve_cached(text, schemas, resource_type, dialect)
    return resolve(parse(text, dialect), schemas, resource_type, dialect)


@lru_cache(maxsize=1024)
def _resolve_cached(text: str, schemas: SchemaSet, resource_type: str, dialect: Dialect) -> Bound:
    return resolve(parse(text, dialect), schemas, resource_type, dialect)


def resolve(tree: Filter, schemas: SchemaSet, resource_type: str, dialect: Dialect) -> Bound:
    """The filter bound to a resource type's attributes.

    Raises ``InvalidFilter`` for an attribute that the type lacks (never "everything", never "nothing"), for one that is
    never returned (a filter must not be a way to guess a password), and for comparisons that its type does not have.
    """

    def find(path: str) -> AttributeRef:
        ref = schemas.find(resource_type, path, bare=dialect.bare_extension_names)
        if ref is None:
            raise InvalidFilter(
                f"{resource_type} has no attribute '{path:.100}'.", hint="/Schemas lists the attributes there are."
            )
        return _filterable(ref)

    def bind(node: Filter) -> Bound:
        match node:
            case And(terms):
                return All(tuple(map(bind, terms)))
            case Or(terms):
                return Either(tuple(map(bind, terms)))
            case Not(term):
                return Negation(bind(term))
            case ValuePath(path, inner):
                ref = find(path)
                return Element(ref, resolve_within(inner, ref, dialect))
            case Present(path):
                return Has(find(path))
            case Comparison(path):
                return _comparison(find(path), node, dialect)

    return bind(tree)


def resolve_within(tree: Filter, outer: AttributeRef, dialect: Dialect) -> Bound:
    """The filter inside the brackets of a value path, bound to the sub-attributes of ``outer``."""
    if outer.sub is not None or not outer.attribute.sub:
        raise InvalidFilter(f"'{outer.text}' has no sub-attributes that [ ] could test.")
    names = _subs(outer)

    def bind(node: Filter) -> Bound:
        match node:
            case And(terms):
                return All(tuple(map(bind, terms)))
            case Or(terms):
                return Either(tuple(map(bind, terms)))
            case Not(term):
                return Negation(bind(term))
            case ValuePath():
                raise InvalidFilter("A value path cannot hold another one.")
            case Present(path):
                return Has(_named(names, outer, path))
            case Comparison(path):
                return _comparison(_named(names, outer, path), node, dialect)

    return bind(tree)


@lru_cache(maxsize=1024)
def _subs(outer: AttributeRef) -> dict[str, AttributeRef]:
    return {name: outer.within(attribute) for name, attribute in outer.attribute.sub.items()}


def _named(names: dict[str, AttributeRef], outer: AttributeRef, path: str) -> AttributeRef:
    # Value path filters name sub-attributes; some clients repeat the attribute: emails[emails.type eq "work"].
    ref = names.get(path.lower().removeprefix(f"{outer.attribute.name.lower()}."))
    if ref is None:
        raise InvalidFilter(
            f"{outer.text} has no sub-attribute '{path:.100}'.",
            hint=f"It has {', '.join(sub.name for sub in outer.attribute.sub.values())}.",
        )
    return _filterable(ref)


def _filterable(ref: AttributeRef) -> AttributeRef:
    if "never" in (ref.attribute.returned, ref.leaf.returned) or ref.leaf.mutability == "writeOnly":
        raise InvalidFilter(f"'{ref.text}' is never returned, so nothing can be searched by it.")
    return ref


def _comparison(ref: AttributeRef, test: Comparison, dialect: Dialect) -> Bound:
    if ref.sub is None and ref.attribute.sub:
        value = ref.attribute.sub.get("value")
        if value is None:
            raise InvalidFilter(
                f"'{ref.text}' has no value of its own to compare.",
                hint=f"Compare one of {', '.join(sub.name for sub in ref.attribute.sub.values())}.",
            )
        ref = ref.within(value)
    if test.value is None:
        if test.op not in _EQUALITY:
            raise InvalidFilter(f"null can be compared with eq and ne only, not with {test.op}.")
        return Negation(Has(ref)) if test.op == "eq" else Has(ref)
    if test.op not in _OPERATORS[ref.leaf.type]:
        raise InvalidFilter(f"'{ref.text}' is a {ref.leaf.type} attribute, for which there is no {test.op}.")
    return _typed(ref, test, dialect)


def _typed(ref: AttributeRef, test: Comparison, dialect: Dialect) -> Compare:
    value = test.value
    leaf = ref.leaf
    if leaf.type == "boolean":
        if isinstance(value, str) and dialect.string_booleans:
            value = as_boolean(value)
        if isinstance(value, bool):
            return Compare(ref, test.op, value, value)
    elif leaf.type in ("integer", "decimal"):
        if isinstance(value, str) and dialect.numbers_as_text:
            value = as_number(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return Compare(ref, test.op, value, value)
    elif leaf.type == "dateTime" and test.op not in _TEXT:
        if isinstance(value, str) and (found := moment(value, date_only=dialect.date_only)) is not None:
            return Compare(ref, test.op, found, value)
    else:
        if not isinstance(value, str) and dialect.bare_literals:
            value = test.raw or quote(value)
        if isinstance(value, str):
            return Compare(ref, test.op, value if leaf.case_exact else fold(value), value)
    raise InvalidFilter(f"'{ref.text}' is a {leaf.type} attribute and cannot be compared with {quote(test.value):.60}.")
