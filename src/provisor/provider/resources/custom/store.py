"""App side: a company's own schemas in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from provisor.errors import Conflict
from provisor.events.audit import activities
from provisor.events.audit.model import NewEntry, Target
from provisor.events.audit.store import company as company_realm
from provisor.events.audit.store import record
from provisor.provider.resources.custom.model import Definition, SchemaInUse
from provisor.security.actor import Actor
from provisor.storage.database import Database, Tx, UniqueViolation
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provider.resources.custom")


class DefinitionStore:
    """Persistence of ``provisor.provider.resources.custom.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def texts(self, company_id: str) -> tuple[str, ...]:
        """The definitions as JSON, in the order in which they came: cheap to compare with what is known."""

        async def work(tx: Tx) -> tuple[str, ...]:
            return tuple(row[0] for row in await tx.fetch_all(_SQL["definitions"], {"company_id": company_id}))

        return await self._database.read(work)

    async def insert(self, company_id: str, definitions: Sequence[Definition], *, actor: Actor, at: int) -> None:
        """Store them, all or none. Raises ``Conflict`` when one of these URNs is there."""

        async def work(tx: Tx) -> None:
            for definition in definitions:
                row = {"company_id": company_id, "id": definition.id.lower(), "at": at, "definition": _text(definition)}
                try:
                    await tx.execute(_SQL["insert_definition"], row)
                except UniqueViolation:
                    raise Conflict(f"The company has a schema {definition.id} already.") from None
            added = [NewEntry(activities.ADD_SCHEMA, actor, (_target(one),)) for one in definitions]
            await record(tx, company_realm(company_id), added, at=at)

        await self._database.write(work)

    async def delete(self, company_id: str, definition: Definition, *, actor: Actor, at: int) -> None:
        """Remove one. Raises ``SchemaInUse`` while a resource has values of it."""

        async def work(tx: Tx) -> None:
            key = {"company_id": company_id}
            used: Any = None
            if definition.resource_type is not None:
                name = definition.resource_type["name"]
                used = await tx.fetch_one(_SQL["resource_of_type"], {**key, "type": name})
            for kind in definition.extends:
                text = f'"{definition.id}":{{'
                used = used or await tx.fetch_one(_SQL["resource_with"], {**key, "type": kind, "text": text})
            if used is not None:
                raise SchemaInUse(
                    f"The schema {definition.id} is in use, for instance by the resource {used[0]}.",
                    hint="Remove these values, or the resources, first.",
                )
            await tx.execute(_SQL["delete_definition"], {**key, "id": definition.id.lower()})
            entry = NewEntry(activities.REMOVE_SCHEMA, actor, (_target(definition),))
            await record(tx, company_realm(company_id), [entry], at=at)

        await self._database.write(work)


def _target(definition: Definition) -> Target:
    return Target("Schema", definition.id, str(definition.schema.get("name", "")))


def _text(definition: Definition) -> str:
    return msgspec.json.encode(
        {
            "schema": definition.schema,
            "extends": definition.extends,
            "resourceType": definition.resource_type,
        }
    ).decode()


def definition_of(text: str) -> Definition:
    """A definition as it was stored."""
    raw: dict[str, Any] = msgspec.json.decode(text)
    return Definition(raw["schema"], raw["extends"], raw["resourceType"])
