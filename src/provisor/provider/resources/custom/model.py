"""App side, step 0: what a company adds to the built-in schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisor.errors import Conflict
from provisor.provider.resources.index import Indexer
from provisor.scim.schemas import SchemaSet


@dataclass(frozen=True, slots=True)
class Definition:
    """One schema of a company.

    ``schema`` is JSON as of RFC 7643 section 7; ``extends`` the resource types that it extends, each with whether every
    resource must have it; ``resource_type`` is JSON as of section 6 when the schema is the base of a type, else null.
    """

    schema: Mapping[str, Any]
    extends: Mapping[str, bool]
    resource_type: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        """The schema's URN as it is written."""
        return str(self.schema["id"])


@dataclass(frozen=True, slots=True)
class Ground:
    """What a company's resources are checked by and found by."""

    schemas: SchemaSet
    indexer: Indexer


class GroupNamesTaken(Conflict):
    """Several groups have the same name."""


class SchemaInUse(Conflict):
    """There are resources with values of this schema."""
