"""Floor 1, before every step: which attributes a resource type has, and what the text of a path names.

Schemas are data (``data/*.json``, in the form of RFC 7643 section 7); a company's own schemas come in the same form.
A ``SchemaSet`` is immutable: everything that is compiled from one (validators, patchers, filters) is cached with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from provisor.errors import InvalidInput

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_USER_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

Type = Literal["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"]
MutabilityOf = Literal["readOnly", "readWrite", "immutable", "writeOnly"]
Returned = Literal["always", "never", "default", "request"]
UniquenessOf = Literal["none", "server", "global"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "type": ("string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"),
    "mutability": ("readOnly", "readWrite", "immutable", "writeOnly"),
    "returned": ("always", "never", "default", "request"),
    "uniqueness": ("none", "server", "global"),
}
_NAME = re.compile(r"\$?[A-Za-z][\w-]*", re.ASCII)
_ENDPOINT = re.compile(r"/[A-Za-z][\w-]*", re.ASCII)
_RESERVED = frozenset(("/me", "/bulk", "/schemas", "/resourcetypes", "/serviceproviderconfig", "/v2"))
_URN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-Z\\^-~_]+", re.ASCII)  # printable, without spaces and brackets


class BrokenSchema(InvalidInput):
    """The schema cannot be used."""


def fold(text: str) -> str:
    """The form in which values of attributes without case are compared, here and in the store's indexes."""
    return text.casefold()


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute with its characteristics (RFC 7643 section 2.2). ``sub`` is by lower-cased name.

    Compared by identity: a schema set is parsed once.
    """

    name: str
    type: Type
    multi_valued: bool = False
    description: str = ""
    required: bool = False
    case_exact: bool = False
    mutability: MutabilityOf = "readWrite"
    returned: Returned = "default"
    uniqueness: UniquenessOf = "none"
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema: its URN as ``id``, a name, and attributes by lower-cased name."""

    id: str
    name: str
    description: str
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Extension:
    """A schema that extends a resource type; ``required`` ones must be in every resource."""

    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type (RFC 7643 section 6). ``endpoint`` begins with a slash."""

    name: str
    endpoint: str
    description: str
    schema: Schema
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributeRef:
    """What the text of a path names: an attribute, or one of its sub-attributes.

    ``container`` is the URN under which a resource holds the attribute's extension object, None for what lies at the
    top. ``key`` is the one lower-cased spelling of the path (``emails.value``, ``externalid``,
    ``urn:…:enterprise:2.0:user:manager.value``): what indexes are named by. ``text`` is the same in the schema's case.
    """

    container: str | None
    attribute: Attribute
    sub: Attribute | None = None
    text: str = field(init=False, compare=False)
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        name = f"{self.attribute.name}.{self.sub.name}" if self.sub else self.attribute.name
        text = f"{self.container}:{name}" if self.container else name
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "key", text.lower())

    @property
    def leaf(self) -> Attribute:
        """The attribute whose type counts."""
        return self.sub or self.attribute

    def within(self, sub: Attribute) -> AttributeRef:
        """The reference to a sub-attribute of this one."""
        return AttributeRef(self.container, self.attribute, sub)


@dataclass(frozen=True, slots=True)
class _Names:
    """Every lower-cased path of a resource type; ``bare`` has those of extensions without their URN."""

    full: dict[str, AttributeRef]
    bare: dict[str, AttributeRef]
    extensions: dict[str, Extension]


class SchemaSet:
    """The schemas and resource types of one company. Immutable; compare by identity."""

    def __init__(self, schemas: Iterable[Schema], resource_types: Iterable[ResourceType]) -> None:
        self.schemas: Mapping[str, Schema] = {schema.id.lower(): schema for schema in schemas}
        self.resource_types: Mapping[str, ResourceType] = {kind.name: kind for kind in resource_types}
        self._names = {kind.name: _names(kind) for kind in self.resource_types.values()}

    def resource_type(self, name: str) -> ResourceType:
        """The resource type of this exact name. Raises ``KeyError``."""
        return self.resource_types[name]

    def schema(self, urn: str) -> Schema | None:
        """The schema of this URN, in any case."""
        return self.schemas.get(urn.lower())

    def find(self, resource_type: str, path: str, *, bare: bool = False) -> AttributeRef | None:
        """What ``path`` names in a resource of this type, None if nothing.

        Any case. An extension's attributes are found by ``URN:name``, also ``URN.name`` as an old Entra job writes
        it; with ``bare`` also by their name alone, where no attribute at the top and no second extension has it.
        """
        names = self._names[resource_type]
        lower = path.lower()
        found = names.full.get(lower)
        if found is None and bare:
            return names.bare.get(lower)
        return found

    def find_extension(self, resource_type: str, urn: str) -> Extension | None:
        """The extension of this resource type with this URN, in any case."""
        return self._names[resource_type].extensions.get(urn.lower())

    def extend(
        self,
        schemas: Iterable[Mapping[str, Any]],
        extensions: Mapping[str, Mapping[str, bool]] | None = None,
        resource_types: Iterable[Mapping[str, Any]] = (),
    ) -> SchemaSet:
        """A new set with more ``schemas`` (RFC 7643 section 7 JSON), extensions, ``resource_types`` (section 6 JSON).

        ``extensions``: resource type name -> URN -> whether it is required. Raises ``BrokenSchema``.
        """
        known = dict(self.schemas)
        for raw in schemas:
            schema = parse_schema(raw)
            if schema.id.lower() in known:
                raise BrokenSchema(f"The schema {schema.id} is built in or there already.", hint="Choose another URN.")
            known[schema.id.lower()] = schema
        kinds = dict(self.resource_types)
        for raw in resource_types:
            kind = _parse_resource_type(raw, known)
            if any(kind.name.lower() == other.lower() for other in kinds):
                raise BrokenSchema(f"There is a resource type {kind.name} already.", hint="Choose another name.")
            if any(kind.endpoint.lower() == other.endpoint.lower() for other in kinds.values()):
                raise BrokenSchema(f"The endpoint {kind.endpoint} is taken.", hint="Choose another endpoint.")
            kinds[kind.name] = kind
        for name, urns in (extensions or {}).items():
            if name not in kinds:
                raise BrokenSchema(f"There is no resource type {name}.", hint=f"There are {', '.join(kinds)}.")
            kinds[name] = _extended(kinds[name], urns, known)
        return SchemaSet(known.values(), kinds.values())


@cache
def core() -> SchemaSet:
    """User, Group and the enterprise extension, as RFC 7643 section 4 has them."""
    schemas = [parse_schema(_data(name)) for name in ("user", "group", "enterprise_user")]
    by_urn = {schema.id: schema for schema in schemas}
    kinds = [
        ResourceType(
            name=raw["name"],
            endpoint=raw["endpoint"],
            description=raw["description"],
            schema=by_urn[raw["schema"]],
            extensions=tuple(
                Extension(by_urn[entry["schema"]], entry["required"]) for entry in raw.get("schemaExtensions", ())
            ),
        )
        for raw in _data("resource_types")
    ]
    return SchemaSet(schemas, kinds)


@cache
def common_attributes() -> Mapping[str, Attribute]:
    """``schemas``, ``id``, ``externalId`` and ``meta``, which every resource has (RFC 7643 section 3.1)."""
    return parse_schema(_data("common")).attributes


def parse_schema(raw: Mapping[str, Any]) -> Schema:
    """A schema from its RFC 7643 section 7 JSON. Raises ``BrokenSchema`` naming the schema and the attribute."""
    urn = raw.get("id")
    if not isinstance(urn, str) or not _URN.fullmatch(urn):
        raise BrokenSchema(f"A schema's id must be a URN, not {urn!r}.", hint="For instance urn:example:2.0:User.")
    listed = raw.get("attributes")
    if not isinstance(listed, list) or not listed:
        raise BrokenSchema(f"The schema {urn} has no attributes.", hint="Give it a list 'attributes'.")
    return Schema(
        id=urn,
        name=str(raw.get("name") or urn.rpartition(":")[2]),
        description=str(raw.get("description") or ""),
        attributes=_parse_attributes(listed, urn, nested=False),
    )


def _parse_attributes(listed: Iterable[Any], where: str, *, nested: bool) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {}
    for raw in listed:
        attribute = _parse_attribute(raw, where, nested=nested)
        if attribute.name.lower() in found:
            raise BrokenSchema(f"{where} has two attributes named {attribute.name}.", hint="Names have no case.")
        found[attribute.name.lower()] = attribute
    return found


def _parse_attribute(raw: object, where: str, *, nested: bool) -> Attribute:
    name = raw.get("name") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BrokenSchema(f"{where}: an attribute's name must be letters, digits, - and _, not {name!r}.")
    here = f"{where}:{name}" if not nested else f"{where}.{name}"
    for key, choices in _CHOICES.items():
        if raw.get(key, choices[0]) not in choices:
            raise BrokenSchema(f"{here}: {key} must be one of {', '.join(choices)}, not {raw[key]!r}.")
    for key in ("multiValued", "required", "caseExact"):
        if not isinstance(raw.get(key, False), bool):
            raise BrokenSchema(f"{here}: {key} must be true or false, not {raw[key]!r}.")
    kind: Type = raw.get("type", "string")
    subs = raw.get("subAttributes") or []
    if (kind == "complex") != bool(subs) or not isinstance(subs, list):
        raise BrokenSchema(f"{here}: an attribute has sub-attributes exactly if its type is complex.")
    if nested and kind == "complex":
        raise BrokenSchema(f"{here}: a sub-attribute cannot be complex (RFC 7643, section 2.3.8).")
    return Attribute(
        name=name,
        type=kind,
        multi_valued=raw.get("multiValued", False),
        description=str(raw.get("description") or ""),
        required=raw.get("required", False),
        case_exact=raw.get("caseExact", kind in ("reference", "binary")),
        mutability=raw.get("mutability", "readWrite"),
        returned=raw.get("returned", "default"),
        uniqueness=raw.get("uniqueness", "none"),
        canonical_values=_strings(raw, "canonicalValues", here),
        reference_types=_strings(raw, "referenceTypes", here),
        sub=_parse_attributes(subs, here, nested=True),
    )


def _strings(raw: Mapping[str, Any], key: str, here: str) -> tuple[str, ...]:
    values = raw.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BrokenSchema(f"{here}: {key} must be a list of strings.")
    return tuple(values)


def _parse_resource_type(raw: Mapping[str, Any], known: Mapping[str, Schema]) -> ResourceType:
    name, endpoint, urn = (raw.get(key) for key in ("name", "endpoint", "schema"))
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.startswith("$"):
        raise BrokenSchema(f"A resource type's name must be letters, digits, - and _, not {name!r}.")
    if not isinstance(endpoint, str) or not _ENDPOINT.fullmatch(endpoint) or endpoint.lower() in _RESERVED:
        raise BrokenSchema(f"{name}: the endpoint must be one free segment such as /Devices, not {endpoint!r}.")
    schema = known.get(urn.lower()) if isinstance(urn, str) else None
    if schema is None:
        raise BrokenSchema(f"{name}: there is no schema {urn!r}.", hint="Put the schema into the same file.")
    kind = ResourceType(name, endpoint, str(raw.get("description") or ""), schema)
    listed = raw.get("schemaExtensions") or []
    if not isinstance(listed, list) or not all(
        isinstance(one, dict) and isinstance(one.get("schema"), str) for one in listed
    ):
        raise BrokenSchema(f"{name}: schemaExtensions must be a list of objects with 'schema' and 'required'.")
    return _extended(kind, {one["schema"]: one.get("required") is True for one in listed}, known)


def _extended(kind: ResourceType, urns: Mapping[str, bool], known: Mapping[str, Schema]) -> ResourceType:
    added = {extension.schema.id.lower(): extension for extension in kind.extensions}
    for urn, required in urns.items():
        schema = known.get(urn.lower())
        if schema is None:
            raise BrokenSchema(f"{kind.name} cannot be extended by {urn}: there is no such schema.")
        added[urn.lower()] = Extension(schema, required)
    return ResourceType(kind.name, kind.endpoint, kind.description, kind.schema, tuple(added.values()))


def _names(kind: ResourceType) -> _Names:
    full: dict[str, AttributeRef] = {}
    seen_bare: dict[str, list[AttributeRef]] = {}
    for attribute in (*common_attributes().values(), *kind.schema.attributes.values()):
        for ref in _with_subs(AttributeRef(None, attribute)):
            full[ref.key] = ref
            full[f"{kind.schema.id.lower()}:{ref.key}"] = ref
    for extension in kind.extensions:
        urn = extension.schema.id
        for attribute in extension.schema.attributes.values():
            for ref in _with_subs(AttributeRef(urn, attribute)):
                local = ref.key[len(urn) + 1 :]
                full[ref.key] = ref
                full[f"{urn.lower()}.{local}"] = ref
                seen_bare.setdefault(local, []).append(ref)
    bare = {local: refs[0] for local, refs in seen_bare.items() if len(refs) == 1 and local not in full}
    return _Names(full, bare, {extension.schema.id.lower(): extension for extension in kind.extensions})


def _with_subs(ref: AttributeRef) -> list[AttributeRef]:
    return [ref, *(ref.within(sub) for sub in ref.attribute.sub.values())]


def _data(name: str) -> Any:
    return msgspec.json.decode(files("provisor.scim").joinpath("data", f"{name}.json").read_bytes())
