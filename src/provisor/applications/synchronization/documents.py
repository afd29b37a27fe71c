"""Synchronization, the schema document on its way in and out: Graph's tolerance, and what its clients rely on. Pure.

In: enumerations in any case; ``directories`` may be missing, then they stay. Out: a version that every save changes,
and no null where a name, an expression or a type belongs (reference sections 1, 6 and 18).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, get_args

from provisor.applications.directories import AttributeType, Mutability
from provisor.applications.schema import FlowBehavior, FlowType
from provisor.expressions.compile import compile_source
from provisor.expressions.errors import ExpressionError

Json = dict[str, Any]
_FLAGS = ("Add", "Update", "Delete", "None")
_SOURCES = ("Attribute", "Constant", "Function")


def incoming(given: Mapping[str, Any], stored: Mapping[str, Any]) -> Json:
    """The document to check and store: what was given, completed by what was there."""
    document: Json = deepcopy(dict(given))
    for name in ("synchronizationRules", "directories"):
        if document.get(name) is None:
            document[name] = stored.get(name)
    document["id"] = stored.get("id")
    for mapping in _object_mappings(document):
        if isinstance(mapping.get("flowTypes"), str):
            mapping["flowTypes"] = _flags(mapping["flowTypes"])
        for row in _records(mapping.get("attributeMappings")):
            _put(row, "flowType", tuple(FlowType))
            _put(row, "flowBehavior", tuple(FlowBehavior))
            _source_type(row.get("source"))
    for attribute in _attributes(document):
        _put(attribute, "type", get_args(AttributeType))
        _put(attribute, "mutability", get_args(Mutability))
    return document


def outgoing(stored: Mapping[str, Any], version: int) -> Json:
    """The document as it is given out."""
    document: Json = deepcopy(dict(stored))
    document["version"] = f"{version}.0"
    for mapping in _object_mappings(document):
        for row in _records(mapping.get("attributeMappings")):
            source = row.get("source")
            if isinstance(source, dict):
                row["source"] = _complete(source)
    return document


def directory(document: Mapping[str, Any], ref: str) -> Json | None:
    """The directory definition of this id, or of this name."""
    found: Sequence[Json] = _records(document.get("directories"))
    return next((one for one in found if one.get("id") == ref), None) or next(
        (one for one in found if one.get("name") == ref), None
    )


def _complete(source: Json) -> Json:
    if all(isinstance(source.get(name), str) for name in ("name", "expression", "type")):
        parameters = [
            {**one, "value": _complete(one["value"])} if isinstance(one.get("value"), dict) else one
            for one in _records(source.get("parameters"))
        ]
        return {**source, "parameters": parameters}
    try:
        made = compile_source(source).to_source()
    except ExpressionError:  # what was saved was read; an unused parameter may be anything
        return source
    return {**source, **made}


def _source_type(source: object) -> None:
    if not isinstance(source, dict):
        return
    _put(source, "type", _SOURCES)
    for parameter in _records(source.get("parameters")):
        _source_type(parameter.get("value"))


def _put(record: Json, name: str, known: Sequence[str]) -> None:
    """The spelling of an enumeration's value, where it is one of them."""
    given = record.get(name)
    if isinstance(given, str):
        record[name] = next((str(one) for one in known if one.casefold() == given.casefold()), given)


def _flags(text: str) -> str:
    known = {flag.casefold(): flag for flag in _FLAGS}
    parts = [part.strip() for part in text.split(",")]
    return ", ".join(known.get(part.casefold(), part) for part in parts if part)


def _object_mappings(document: Mapping[str, Any]) -> list[Json]:
    rules = _records(document.get("synchronizationRules"))
    return [mapping for rule in rules for mapping in _records(rule.get("objectMappings"))]


def _attributes(document: Mapping[str, Any]) -> list[Json]:
    kinds = [kind for one in _records(document.get("directories")) for kind in _records(one.get("objects"))]
    return [attribute for kind in kinds for attribute in _records(kind.get("attributes"))]


def _records(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
