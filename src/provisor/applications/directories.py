"""Step import, as data: which attributes the two ends have. ``directories.toml`` beside this file holds them.

A new job's synchronization schema gets its ``directories`` from here: Graph's ``directoryDefinition``, reference
graph-synchronization-api.md section 10.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

AttributeType = Literal["String", "Integer", "Reference", "Binary", "Boolean", "DateTime"]
Mutability = Literal["ReadWrite", "ReadOnly", "Immutable", "WriteOnly"]

# What a SCIM target's /Schemas tell.
DISCOVERABLE = "AttributeNames, AttributeDataTypes, AttributeReadOnly"
USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


class Attribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attribute of one kind of object. ``references`` names the object that a ``Reference`` points to."""

    name: str
    type: AttributeType = "String"
    multivalued: bool = False
    case_exact: bool = False
    required: bool = False
    anchor: bool = False
    mutability: Mutability = "ReadWrite"
    references: str | None = None

    def definition(self) -> dict[str, Any]:
        """Graph's ``attributeDefinition``, complete."""
        references = [{"referencedObjectName": self.references, "referencedProperty": None}] if self.references else []
        return {
            "anchor": self.anchor,
            "apiExpressions": [],
            "caseExact": self.case_exact,
            "defaultValue": None,
            "flowNullValues": False,
            "metadata": [],
            "multivalued": self.multivalued,
            "mutability": self.mutability,
            "name": self.name,
            "referencedObjects": references,
            "required": self.required,
            "type": self.type,
        }


class ObjectType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of object of a directory: ``User``, ``Group``, or a SCIM schema's URN."""

    name: str
    attributes: tuple[Attribute, ...]
    metadata: dict[str, str] = {}

    def definition(self, extra: Sequence[Attribute] = ()) -> dict[str, Any]:
        """Graph's ``objectDefinition``, with attributes that only one app has."""
        return {
            "name": self.name,
            "supportedApis": [],
            "metadata": [{"key": key, "value": value} for key, value in self.metadata.items()],
            "attributes": [attribute.definition() for attribute in (*self.attributes, *extra)],
        }


class Directory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One end. The target's name is its template's id, so it has none here."""

    objects: tuple[ObjectType, ...]
    name: str = ""

    def definition(self, id_: str, name: str, extra: Mapping[str, Sequence[Attribute]] | None = None) -> dict[str, Any]:
        """Graph's ``directoryDefinition``; ``extra``: object name -> attributes that only one app has, null of the
        source, whose attributes are known."""
        return {
            "id": id_,
            "name": name,
            "readOnly": False,
            "version": None,
            "discoveryDateTime": None,
            "discoverabilities": "None" if extra is None else DISCOVERABLE,
            "objects": [kind.definition((extra or {}).get(kind.name, ())) for kind in self.objects],
        }


class Directories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The two ends."""

    source: Directory
    target: Directory


@cache
def directories() -> Directories:
    """The shipped definitions of both ends."""
    text = files("provisor.applications").joinpath("directories.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Directories)
