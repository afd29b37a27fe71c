"""What the endpoint says of itself."""

from __future__ import annotations

from typing import Any

from provisor.certify.endpoint import Json, json_of, listed, read_raw
from provisor.certify.telling import Telling, said
from provisor.connector.paths import ENTERPRISE, USER

_TYPES = frozenset({"string", "boolean", "decimal", "integer", "datetime", "reference", "complex", "binary"})
# Of the generic app's default mappings those that every endpoint is asked for.
MAPPED = {
    USER: ("userName", "active", "displayName", "name.givenName", "name.familyName", "emails.value", "emails.type"),
}


async def discovery(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say("When the app is set up, the attributes that the endpoint has are read from /Schemas.")
    exchange = await endpoint.ask("GET", "/Schemas")
    schemas = listed(exchange)
    if schemas is None and exchange.status == 200:
        came = "the answer was no ListResponse"
    else:
        came = f"the answer was {said(exchange)}" if schemas is None else "there was no User schema in the list"
    by_id = {str(schema.get("id", "")).lower(): schema for schema in schemas or []}
    if tell.expect("schemas", USER.lower() in by_id, came, exchange):
        names = attribute_names(by_id[USER.lower()])
        missing = [name for name in MAPPED[USER] if name.lower() not in names]
        tell.expect("mapped", not missing, f"it lacks {', '.join(missing)}", exchange)
        faults = [fault for schema in by_id.values() for fault in _faults(schema)]
        tell.expect("types", not faults, "; ".join(faults[:3]), exchange)
    exchange = await endpoint.ask("GET", "/ServiceProviderConfig")
    patch = read_raw(json_of(exchange), "patch")
    supported = isinstance(patch, dict) and patch.get("supported") is True
    came = "it says that PATCH is not supported" if exchange.status == 200 else f"the answer was {said(exchange)}"
    tell.expect("configuration", exchange.status == 200 and supported, came, exchange)
    exchange = await endpoint.ask("GET", "/ResourceTypes")
    tell.expect("resource-types", bool(listed(exchange)), f"the answer was {said(exchange)}", exchange)


def attribute_names(schema: Json) -> set[str]:
    """Lower-cased names of a schema's attributes and, after a dot, of their sub-attributes."""
    names: set[str] = set()
    for attribute in _attributes(schema, "attributes"):
        name = str(attribute.get("name", "")).lower()
        names.add(name)
        names |= {f"{name}.{str(sub.get('name', '')).lower()}" for sub in _attributes(attribute, "subAttributes")}
    return names


def has_manager(schemas: list[Json]) -> bool:
    """Does the enterprise extension, as it is described, have a manager?"""
    return any(
        str(schema.get("id", "")).lower() == ENTERPRISE.lower() and "manager" in attribute_names(schema)
        for schema in schemas
    )


def _attributes(holder: Any, name: str) -> list[Json]:
    found = read_raw(holder, name) if isinstance(holder, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _faults(schema: Json) -> list[str]:
    found = []
    for attribute in _attributes(schema, "attributes"):
        for one in (attribute, *_attributes(attribute, "subAttributes")):
            kind = str(one.get("type", "string")).lower()
            if kind not in _TYPES:
                found.append(f"{one.get('name')} has the type {one.get('type')!r}")
            nulls = [key for key, value in one.items() if value is None]
            if nulls:
                found.append(f"{one.get('name')} has null for {', '.join(nulls)}")
    return found
