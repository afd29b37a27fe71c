"""Synchronization, discovery: a target's ``/Schemas`` into attributes of its directory. Only ever adds. Pure.

Names are as mappings write them: ``name.givenName``, ``emails[type eq "work"].value``, and with the schema's URN before
it an extension's attribute (RFC 7643 section 7; reference entra-provisioning-service.md sections 6 and 8.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from provisor.applications.directories import GROUP, USER, Attribute
from provisor.clock import iso

_CORE = {"urn:ietf:params:scim:schemas:core:2.0:user": USER, "urn:ietf:params:scim:schemas:core:2.0:group": GROUP}
_TYPES = {
    "string": "String",
    "boolean": "Boolean",
    "integer": "Integer",
    "decimal": "String",
    "datetime": "DateTime",
    "binary": "Binary",
    "reference": "String",
    "complex": "String",
}
_MUTABILITY = {"readonly": "ReadOnly", "immutable": "Immutable", "writeonly": "WriteOnly"}
# What the server keeps, or what no mapping may write.
_LEFT_OUT = frozenset(("id", "meta", "schemas", "password", "members", "groups"))


def discovered(
    document: Mapping[str, Any], directory_id: str, schemas: Sequence[Any], at: int
) -> dict[str, Any] | None:
    """The document with what the schemas have and the directory has not; null when there is nothing new.

    ``at``: the moment of the discovery, in ms UTC.
    """
    after: dict[str, Any] = deepcopy(dict(document))
    target = next(one for one in after["directories"] if one.get("id") == directory_id)
    added = 0
    for kind in target.get("objects") or []:
        known = {str(one.get("name", "")).casefold() for one in kind.get("attributes") or []}
        for attribute in _attributes(schemas, str(kind.get("name", ""))):
            if attribute.name.casefold() not in known:
                known.add(attribute.name.casefold())
                kind.setdefault("attributes", []).append(attribute.definition())
                added += 1
    if not added:
        return None
    target["discoveryDateTime"] = iso(at)
    target["version"] = iso(at)
    return after


def _attributes(schemas: Sequence[Any], kind: str) -> Iterator[Attribute]:
    for schema in schemas:
        if not isinstance(schema, Mapping) or not isinstance(schema.get("id"), str):
            continue
        urn = schema["id"]
        of = _CORE.get(urn.casefold())
        # An extension's URN ends with the kind of resource that it extends, by every known convention.
        extends = of is None and urn.casefold().rpartition(":")[2] == kind.casefold().rpartition(":")[2]
        if of != kind and not extends:
            continue
        for attribute in schema.get("attributes") or []:
            if isinstance(attribute, Mapping) and isinstance(attribute.get("name"), str):
                yield from _named(attribute, "" if of == kind else f"{urn}:")


def _named(attribute: Mapping[str, Any], prefix: str) -> Iterator[Attribute]:
    name = attribute["name"]
    if not prefix and name.casefold() in _LEFT_OUT:
        return
    if _folded(attribute, "type") != "complex":
        yield _made(attribute, f"{prefix}{name}", multivalued=bool(attribute.get("multiValued")))
        return
    parts = [one for one in attribute.get("subAttributes") or [] if isinstance(one, Mapping) and "name" in one]
    if not attribute.get("multiValued"):
        for part in parts:
            yield _made(part, f"{prefix}{name}.{part['name']}")
        return
    kinds = next((one.get("canonicalValues") or [] for one in parts if one["name"] == "type"), [])
    for value in kinds:
        if isinstance(value, str) and value.isprintable() and '"' not in value:
            for part in parts:
                if part["name"] not in ("type", "primary", "$ref"):
                    yield _made(part, f'{prefix}{name}[type eq "{value}"].{part["name"]}')
    if not kinds:
        yield _made(attribute, f"{prefix}{name}", multivalued=True)


def _made(attribute: Mapping[str, Any], name: str, *, multivalued: bool = False) -> Attribute:
    return Attribute(
        name=name,
        type=_TYPES.get(_folded(attribute, "type"), "String"),  # type: ignore[arg-type] # the table has its words only
        multivalued=multivalued,
        case_exact=attribute.get("caseExact") is True,
        mutability=_MUTABILITY.get(_folded(attribute, "mutability"), "ReadWrite"),  # type: ignore[arg-type] # likewise
    )


def _folded(attribute: Mapping[str, Any], name: str) -> str:
    found = attribute.get(name)
    return found.casefold() if isinstance(found, str) else ""
