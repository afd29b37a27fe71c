"""App side: a company's own schemas in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from provisor.errors import Conflict
from provisor.events.audit import activities
from provisor.events.audit.model import NewEntry, Target, differences
from provisor.events.audit.store import company as company_realm
from provisor.events.audit.store import record
from provisor.provider.resources.custom.model import Definition, GroupNamesTaken, SchemaInUse
from provisor.provider.resources.index import index_value
from provisor.security.actor import Actor
from provisor.storage.database import Database, Tx, UniqueViolation
from provisor.storage.queries import named_queries

_CHUNK = 500
_SQL = named_queries("provisor.provider.resources.custom")


class DefinitionStore:
    """Persistence of ``provisor.provider.resources.custom.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def texts(self, company_id: str) -> tuple[str, ...]:
        """The definitions as JSON, in the order in which they came."""
        return (await self.ground(company_id))[0]

    async def ground(self, company_id: str) -> tuple[tuple[str, ...], bool]:
        """The definitions as JSON, and whether group names are unique: cheap to compare with what is known."""

        async def work(tx: Tx) -> tuple[tuple[str, ...], bool]:
            key = {"company_id": company_id}
            texts = tuple(row[0] for row in await tx.fetch_all(_SQL["definitions"], key))
            row = await tx.fetch_one(_SQL["unique_group_names"], key)
            return texts, row is None or bool(row[0])

        return await self._database.read(work)

    async def set_unique_group_names(self, company_id: str, wanted: bool, *, actor: Actor, at: int) -> bool:
        """Whether that was a change. Raises ``GroupNamesTaken`` where groups share a name that is to be unique."""

        async def work(tx: Tx) -> bool:
            key = {"company_id": company_id}
            row = await tx.fetch_one(_SQL["unique_group_names"], key)
            if row is None or bool(row[0]) == wanted:
                return False
            await tx.execute(_SQL["set_unique_group_names"], {**key, "wanted": wanted})
            if wanted:
                await _make_unique(tx, company_id)
            else:
                await tx.execute(_SQL["forget_unique_keys"], key)
            changed = differences({"uniqueGroupNames": not wanted}, {"uniqueGroupNames": wanted})
            entry = NewEntry(activities.SET_GROUP_NAMES, actor, (Target("Company", company_id, "", changed),))
            await record(tx, company_realm(company_id), [entry], at=at)
            return True

        return await self._database.write(work)

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


async def _make_unique(tx: Tx, company_id: str) -> None:
    holders: dict[str, str] = {}
    after = ""
    while rows := await tx.fetch_all(
        _SQL["group_names_after"], {"company_id": company_id, "after": after, "count": _CHUNK}
    ):
        for group_id, display in rows:
            if display is None:
                continue
            folded = index_value(display, case_exact=False)
            if (other := holders.setdefault(folded, group_id)) != group_id:
                raise GroupNamesTaken(
                    f"The groups {other} and {group_id} are both called {display!r}.",
                    hint="Rename or delete one of them, then make the names unique.",
                )
            row = {"company_id": company_id, "id": group_id, "unique_key": folded}
            await tx.execute(_SQL["set_unique_key"], row)
        after = rows[-1][0]


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
