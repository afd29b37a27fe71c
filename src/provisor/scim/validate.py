"""Floor 1, POST and PUT: a whole body becomes a canonical document (RFC 7644 sections 3.3, 3.5.1).

The validator is compiled once per schema set, resource type and dialect, and cached. What it enforces, it reads from
the schema: there is no check of a single attribute here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from provisor.scim.coercion import Check, compile_attribute, unknown
from provisor.scim.dialect import Dialect
from provisor.scim.errors import InvalidSyntax, InvalidValue, Mutability
from provisor.scim.members import MemberRef, member_attribute, parse_members
from provisor.scim.messages import json_kind
from provisor.scim.paths import lookup
from provisor.scim.schemas import Attribute, AttributeRef, SchemaSet, common_attributes


@dataclass(slots=True)
class Checked:
    """A body that passed.

    * ``resource``: the document, attribute names in the schema's case, without what is unassigned; ``schemas`` computed
      from what is there; ``id``, ``meta`` and other readOnly attributes only as far as ``current`` had them;
    * ``ignored``: paths that were sent and are not stored, since no schema has them;
    * ``members``: of a group, what the body says about them; None when it says nothing. Never inside ``resource``;
    * ``write_only``: values of writeOnly attributes by path (``password``); never inside ``resource``.
    """

    resource: dict[str, Any]
    ignored: list[str] = field(default_factory=list)
    members: tuple[MemberRef, ...] | None = None
    write_only: dict[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=512)
def compile_validator(schemas: SchemaSet, resource_type: str, dialect: Dialect) -> Validator:
    """The validator of a resource type. Raises ``KeyError`` for a type that the set lacks."""
    return Validator(schemas, resource_type, dialect)


class Validator:
    """Checks whole bodies of one resource type under one dialect. Make it with ``compile_validator``."""

    def __init__(self, schemas: SchemaSet, resource_type: str, dialect: Dialect) -> None:
        kind = schemas.resource_type(resource_type)
        self._schemas = schemas
        self._type = resource_type
        self._dialect = dialect
        self._urn = kind.schema.id
        self._members = member_attribute(kind)
        attributes = {**common_attributes(), **kind.schema.attributes}
        self._top = _Table(attributes, dialect, None, skip=self._members)
        self._extensions = {
            extension.schema.id: (extension, _Table(extension.schema.attributes, dialect, extension.schema.id))
            for extension in kind.extensions
        }
        # What a key at the top of a body says, for the spellings that are neither an attribute's nor canonical.
        self._urns = {urn.lower(): urn for urn in self._extensions}
        self._urns |= {alias: urn for alias, urn in dialect.urn_aliases.items() if urn in self._extensions}

    def create(self, body: Any) -> Checked:
        """Check the body of a POST.

        Raises ``InvalidSyntax`` (no object, unknown attribute under a strict dialect) and ``InvalidValue`` (wrong type,
        required attribute missing).
        """
        return self._check(body)

    def replace(self, current: Mapping[str, Any], body: Any) -> Checked:
        """Check the body of a PUT against the document that it replaces (RFC 7644 section 3.5.1).

        What the body does not name is gone, but for readOnly attributes, which stay as in ``current``, and immutable
        ones with a value: those stay, and a different value raises ``Mutability``. ``write_only``: only what was sent.
        """
        checked = self._check(body)
        resource = checked.resource
        self._top.keep_unchangeable(current, resource)
        for urn, (_, table) in self._extensions.items():
            if held := current.get(urn):
                extension = resource.get(urn, {})
                table.keep_unchangeable(held, extension)
                if extension:
                    resource[urn] = extension
        resource["schemas"] = self._schemas_of(resource)
        return checked

    def _check(self, body: Any) -> Checked:
        if body.__class__ is not dict:
            raise InvalidSyntax(f"The body must be a JSON object, not {json_kind(body)}.")
        resource: dict[str, Any] = {"schemas": None}
        ignored: list[str] = []
        checked = Checked(resource, ignored)
        if self._dialect.schemas_checked:
            self._check_schemas(body)
        paths = [key for key in self._top.fill(body, resource, checked) if not self._special(key, body[key], checked)]
        if paths:
            self._unflatten(paths, body, checked)
        self._top.require(resource)
        for urn, (extension, table) in self._extensions.items():
            if urn in resource:
                table.require(resource[urn])
            elif extension.required:
                raise InvalidValue(f"The extension {urn} is required.")
        resource["schemas"] = self._schemas_of(resource)
        return checked

    def _special(self, key: str, value: Any, checked: Checked) -> bool:
        """Take a key that is no attribute of the core schema: members or an extension. False if it is neither."""
        lower = key.lower()
        if self._members is not None and lower == self._members.name.lower():
            checked.members = parse_members(value, self._dialect)
        elif urn := self._urns.get(lower):
            self._extension(urn, value, checked)
        else:
            return False
        return True

    def _extension(self, urn: str, value: Any, checked: Checked) -> None:
        if value is None or (value == "" and self._dialect.empty_string_unsets):
            return
        if not isinstance(value, dict):
            raise InvalidValue(f"'{urn}' must be an object, not {json_kind(value)}.")
        _, table = self._extensions[urn]
        held = checked.resource.get(urn, {})
        for key in table.fill(value, held, checked):
            unknown(f"{urn}:{key}", checked.ignored, self._dialect)
        if held:
            checked.resource[urn] = held

    def _unflatten(self, keys: list[str], body: dict[str, Any], checked: Checked) -> None:
        """Take keys that are paths ("name.givenName", "urn:…:User:department"), where the dialect knows such."""
        nested: dict[str | None, dict[str, Any]] = {}
        for key in keys:
            ref = lookup(self._schemas, self._type, key, self._dialect) if self._dialect.path_keys else None
            if not isinstance(ref, AttributeRef):
                unknown(key, checked.ignored, self._dialect)
            elif ref.attribute is self._members:
                checked.members = parse_members(body[key], self._dialect)
            else:
                held = checked.resource.get(ref.container, {}) if ref.container else checked.resource
                _nest(ref, body[key], held.get(ref.attribute.name), nested.setdefault(ref.container, {}))
        for urn, values in nested.items():
            if urn is None:
                self._top.fill(values, checked.resource, checked)
            else:
                self._extension(urn, values, checked)

    def _check_schemas(self, body: dict[str, Any]) -> None:
        given = next((value for key, value in body.items() if key.lower() == "schemas"), None)
        if not isinstance(given, list) or not all(isinstance(urn, str) for urn in given):
            raise InvalidSyntax("'schemas' is required: an array of the URIs of the schemas that the body uses.")
        listed = {urn.lower() for urn in given}
        if self._urn.lower() not in listed:
            raise InvalidSyntax(f"'schemas' must contain {self._urn}.")
        if odd := listed - {self._urn.lower()} - self._urns.keys():
            raise InvalidValue(f"'schemas' names {', '.join(sorted(odd)):.200}, which {self._type} does not have.")
        for key in body:
            if key.lower() in self._urns and key.lower() not in listed:
                raise InvalidValue(f"The body has {key}, which 'schemas' does not name.")

    def _schemas_of(self, resource: Mapping[str, Any]) -> list[str]:
        return [self._urn, *(urn for urn in self._extensions if urn in resource)]


def _nest(ref: AttributeRef, value: Any, held: Any, into: dict[str, Any]) -> None:
    """Put a path's value into a body as its nested form, beside what is there already."""
    name = ref.attribute.name
    before = into.get(name, held)
    if ref.sub is None:
        into[name] = value
    elif ref.attribute.multi_valued:
        into[name] = [*(before if isinstance(before, list) else ()), {ref.sub.name: value}]
    else:
        into[name] = {**(before if isinstance(before, dict) else {}), ref.sub.name: value}


class _Table:
    """The attributes of one container (a resource's top, or one extension object), ready to be looked up by key."""

    def __init__(
        self, attributes: Mapping[str, Attribute], dialect: Dialect, urn: str | None, skip: Attribute | None = None
    ) -> None:
        # key (canonical and lower-cased) -> canonical name, check or None for what a client's value is dropped from,
        # path under which a writeOnly value is handed on or None
        self._entries: dict[str, tuple[str, Check | None, str | None]] = {}
        self._required: list[tuple[str, str]] = []
        self._read_only: list[str] = []
        self._immutable: list[tuple[str, str, tuple[str, ...]]] = []
        for key, attribute in attributes.items():
            if attribute is skip:
                continue
            path = f"{urn}:{attribute.name}" if urn else attribute.name
            read_only = attribute.mutability == "readOnly"
            check = None if read_only else compile_attribute(attribute, dialect, path)
            write_only = path if attribute.mutability == "writeOnly" else None
            self._entries[key] = self._entries[attribute.name] = (attribute.name, check, write_only)
            if read_only:
                self._read_only.append(attribute.name)
            elif attribute.required and not write_only:
                self._required.append((attribute.name, path))
            frozen = tuple(sub.name for sub in attribute.sub.values() if sub.mutability == "immutable")
            if attribute.mutability == "immutable" or (frozen and not attribute.multi_valued):
                self._immutable.append((attribute.name, path, () if attribute.mutability == "immutable" else frozen))

    def fill(self, given: dict[str, Any], into: dict[str, Any], checked: Checked) -> list[str]:
        """Check what ``given`` has of this container's attributes into ``into``; the keys that are none of them."""
        entries, ignored = self._entries, checked.ignored
        others = []
        for key, value in given.items():
            entry = entries.get(key) or entries.get(key.lower())
            if entry is None:
                others.append(key)
                continue
            name, check, write_only = entry
            if check is None:
                continue
            value = check(value, ignored)
            if value is None:
                continue
            if write_only is None:
                into[name] = value
            else:
                checked.write_only[write_only] = value
        return others

    def require(self, held: Mapping[str, Any]) -> None:
        for name, path in self._required:
            if name not in held:
                raise InvalidValue(f"'{path}' is required.")

    def keep_unchangeable(self, current: Mapping[str, Any], held: dict[str, Any]) -> None:
        """Carry over what a PUT cannot change."""
        for name in self._read_only:
            if name in current and name != "schemas":
                held[name] = current[name]
        for name, path, subs in self._immutable:
            if name in current:
                held[name] = _unchanged(current[name], held.get(name), path, subs)


def _unchanged(old: Any, new: Any, path: str, subs: tuple[str, ...]) -> Any:
    """The new value of an immutable attribute, or of a complex one with immutable ``subs``.

    A value once set stays, also when the request leaves it out. Raises ``Mutability`` for a different one.
    """
    if not subs:
        if new is not None and new != old:
            raise Mutability(f"'{path}' is immutable: it has a value, which cannot be changed.")
        return old
    kept = {sub: old[sub] for sub in subs if sub in old}
    for sub, value in kept.items():
        if new is not None and new.get(sub, value) != value:
            raise Mutability(f"'{path}.{sub}' is immutable: it has a value, which cannot be changed.")
    return {**(new or {}), **kept} or new
