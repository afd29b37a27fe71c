"""Floor 1, PATCH: the path of an operation, ``[URN ":"] attr ["[" filter "]"] ["." sub]`` (RFC 7644 section 3.5.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from provisor.scim.dialect import Dialect
from provisor.scim.errors import InvalidPath
from provisor.scim.filters import parse
from provisor.scim.resolution import Bound, resolve_within
from provisor.scim.schemas import AttributeRef, Extension, SchemaSet

MAX_LENGTH = 4_096

_PATH = re.compile(r"([A-Za-z$][\w$.:/+%~-]*)(?:\[(.*)\](?:\.([A-Za-z$][\w$-]*))?)?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: ``ref`` (with its ``sub`` where one is named), and which elements of it ``condition`` selects.

    ``condition`` is None without brackets. With brackets, ``ref.attribute`` is complex.
    """

    ref: AttributeRef
    condition: Bound | None = None


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A well-formed path whose name no schema has: ignored or refused, as the dialect says."""

    text: str


Place = Target | Extension | UnknownName


def lookup(schemas: SchemaSet, resource_type: str, path: str, dialect: Dialect) -> AttributeRef | Extension | None:
    """What a path without brackets names: an attribute, a whole extension object (by its URN), or nothing."""
    lower = path.lower()
    for alias, urn in dialect.urn_aliases.items():
        if lower.startswith(alias):
            path = urn + path[len(alias) :]
    found = schemas.find(resource_type, path, bare=dialect.bare_extension_names)
    return found or schemas.find_extension(resource_type, path)


def parse_path(text: str, schemas: SchemaSet, resource_type: str, dialect: Dialect) -> Place:
    """What ``text`` names in a resource of this type.

    Names have any case. Since URNs contain dots and colons, the known names decide where the URN ends. Raises
    ``InvalidPath`` for a malformed path, ``InvalidFilter`` for a filter that does not fit the attribute.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidPath(f"The path has {len(text)} characters; the limit is {MAX_LENGTH}.")
    if len(text) <= 256:
        return _parse_cached(text, schemas, resource_type, dialect)
    return _parse(text, schemas, resource_type, dialect)


@lru_cache(maxsize=2048)
def _parse_cached(text: str, schemas: SchemaSet, resource_type: str, dialect: Dialect) -> Place:
    return _parse(text, schemas, resource_type, dialect)


def _parse(text: str, schemas: SchemaSet, resource_type: str, dialect: Dialect) -> Place:
    found = _PATH.fullmatch(text.strip())
    if found is None:
        raise InvalidPath(
            f"The path '{text:.200}' is malformed.",
            hint='A path looks like name.givenName or emails[type eq "work"].value.',
        )
    name, condition, sub = found.groups()
    place = lookup(schemas, resource_type, name, dialect)
    if place is None:
        return UnknownName(text)
    if condition is None:
        return place if isinstance(place, Extension) else Target(place)
    if isinstance(place, Extension) or place.sub is not None or not place.attribute.sub:
        raise InvalidPath(f"'{name}' has no elements that [ ] could select.", hint="Leave out the brackets.")
    bound = resolve_within(parse(condition, dialect), place, dialect)
    if sub is None:
        return Target(place, bound)
    attribute = place.attribute.sub.get(sub.lower())
    if attribute is None:
        return UnknownName(text)
    return Target(place.within(attribute), bound)
