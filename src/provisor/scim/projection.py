"""Floor 1, answers: ``attributes`` and ``excludedAttributes`` (RFC 7644 section 3.9), and what is returned at all.

``returned`` decides (RFC 7643 section 7): ``always`` survives everything, ``never`` is never returned, ``request`` only
when it is named, ``default`` unless others are named or it is excluded. Names have any case; unknown ones name nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from provisor.scim.dialect import Dialect
from provisor.scim.errors import InvalidValue
from provisor.scim.messages import name_list
from provisor.scim.paths import lookup
from provisor.scim.schemas import Attribute, AttributeRef, Extension, Schema, SchemaSet, common_attributes

# What to do with an attribute: hand it on whole, or only these of its sub-attributes (canonical names).
_Keep = bool | frozenset[str]
_NamedHere = dict[str, set[str] | None]
_Named = dict[str | None, _NamedHere]

# Attributes that an answer gets from elsewhere than the stored document.
DERIVED = frozenset(("members", "groups"))


@dataclass(frozen=True, slots=True)
class Projection:
    """What of a resource is answered.

    ``identity`` is True when a stored document can be sent as it is. ``wants_members`` and ``wants_groups`` say whether
    the answer may hold ``members`` or ``groups``, which are not in the document: when False, they need not be read.
    ``named`` is True when the request has ``attributes``: a PATCH of a large group then answers 200 with them.
    """

    identity: bool
    wants_members: bool
    wants_groups: bool
    named: bool
    _top: Mapping[str, _Keep]
    _extensions: Mapping[str, Mapping[str, _Keep]]

    def apply(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """The part of a canonical resource that is answered. What no schema knows is not."""
        out: dict[str, Any] = {}
        for name, value in resource.items():
            inner = self._extensions.get(name)
            kept = _project(value, inner) if inner is not None else _kept(value, self._top.get(name, False))
            if kept is not None:
                out[name] = kept
        return out


def project(
    resource: Mapping[str, Any],
    schemas: SchemaSet,
    resource_type: str,
    dialect: Dialect,
    *,
    attributes: str | list[str] | None = None,
    excluded: str | list[str] | None = None,
) -> dict[str, Any]:
    """``parse_projection`` and ``apply`` in one."""
    return parse_projection(schemas, resource_type, dialect, attributes=attributes, excluded=excluded).apply(resource)


def parse_projection(
    schemas: SchemaSet,
    resource_type: str,
    dialect: Dialect,
    *,
    attributes: str | list[str] | tuple[str, ...] | None = None,
    excluded: str | list[str] | tuple[str, ...] | None = None,
) -> Projection:
    """The projection that a request asks for: comma lists or arrays of names, None where a parameter is absent.

    A name is an attribute, a sub-attribute, either of them with its URN, or the URN of an extension. Raises
    ``InvalidValue`` when both parameters name something and the dialect allows only one; else both hold.
    """
    wanted = name_list(attributes, "attributes")
    unwanted = name_list(excluded, "excludedAttributes")
    if wanted and unwanted and not dialect.attributes_with_excluded:
        raise InvalidValue("'attributes' and 'excludedAttributes' exclude each other.", hint="Send one of them.")
    return _projection(schemas, resource_type, dialect, wanted, unwanted)


@lru_cache(maxsize=1024)
def _projection(
    schemas: SchemaSet,
    resource_type: str,
    dialect: Dialect,
    wanted: tuple[str, ...] | None,
    unwanted: tuple[str, ...] | None,
) -> Projection:
    kind = schemas.resource_type(resource_type)
    top = {**common_attributes(), **kind.schema.attributes}
    places: dict[str | None, Mapping[str, Attribute]] = {None: top}
    places |= {extension.schema.id: extension.schema.attributes for extension in kind.extensions}
    names = None if wanted is None else _places_of(wanted, schemas, resource_type, dialect)
    without = _places_of(unwanted or (), schemas, resource_type, dialect)
    kept = {
        urn: {
            attribute.name: _keep(attribute, None if names is None else names.get(urn, {}), without.get(urn, {}))
            for attribute in attributes.values()
        }
        for urn, attributes in places.items()
    }
    stored = [
        kept[urn][attribute.name]
        for urn, attributes in places.items()
        for attribute in attributes.values()
        if attribute.mutability != "writeOnly" and not (urn is None and attribute.name in DERIVED)
    ]
    return Projection(
        identity=all(keep is True for keep in stored),
        wants_members=bool(kept[None].get("members")),
        wants_groups=bool(kept[None].get("groups")),
        named=wanted is not None,
        _top=kept[None],
        _extensions={urn: table for urn, table in kept.items() if urn is not None},
    )


def _places_of(names: Iterable[str], schemas: SchemaSet, resource_type: str, dialect: Dialect) -> _Named:
    """What a list of names names: container -> attribute -> its named sub-attributes, None for the whole of it."""
    found: _Named = {}
    kind = schemas.resource_type(resource_type)
    for name in names:
        place = lookup(schemas, resource_type, name, dialect)
        if isinstance(place, Extension):
            found.setdefault(place.schema.id, {}).update(dict.fromkeys(_all_names(place.schema)))
        elif isinstance(place, AttributeRef):
            subs = found.setdefault(place.container, {}).setdefault(place.attribute.name, set())
            if place.sub is None:
                found[place.container][place.attribute.name] = None
            elif subs is not None:
                subs.add(place.sub.name)
        elif name.lower() == kind.schema.id.lower():
            found.setdefault(None, {}).update(dict.fromkeys(_all_names(kind.schema)))
    return found


def _all_names(schema: Schema) -> Iterable[str]:
    return (attribute.name for attribute in schema.attributes.values())


def _keep(attribute: Attribute, named: _NamedHere | None, excluded: _NamedHere) -> _Keep:
    if attribute.returned == "never" or attribute.mutability == "writeOnly":
        return False
    always = attribute.returned == "always"
    wanted_subs: set[str] | None = None
    if named is None:
        if attribute.returned == "request":
            return False
    elif attribute.name in named:
        wanted_subs = named[attribute.name]
    elif not always:
        return False
    if attribute.name in excluded and excluded[attribute.name] is None and not always:
        return False
    if not attribute.sub:
        return True
    asked = named is not None and attribute.name in named
    dropped = excluded.get(attribute.name) or set()
    subs = {
        sub.name
        for sub in attribute.sub.values()
        if _keeps_sub(sub, wanted_subs, asked=asked) and (sub.name not in dropped or sub.returned == "always")
    }
    return True if len(subs) == len(attribute.sub) else frozenset(subs)


def _keeps_sub(sub: Attribute, wanted: set[str] | None, *, asked: bool) -> bool:
    if sub.returned in ("never", "always"):
        return sub.returned == "always"
    if asked and wanted is not None:
        return sub.name in wanted
    return sub.returned == "default"


def _project(value: Any, kept: Mapping[str, _Keep]) -> dict[str, Any] | None:
    """The answered part of an extension object, None if nothing is left."""
    out = {name: inner for name, item in value.items() if (inner := _kept(item, kept.get(name, False))) is not None}
    return out or None


def _kept(value: Any, keep: _Keep) -> Any:
    """The answered part of an attribute's value, None if nothing is left."""
    if isinstance(keep, bool):
        return value if keep else None
    if isinstance(value, list):
        parts = [part for item in value if (part := _kept(item, keep)) is not None]
        return parts or None
    if not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if name in keep} or None
