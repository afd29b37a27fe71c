"""App side, step 0: a company's own schemas, extensions and resource types, checked when they are added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provisor.clock import Clock
from provisor.errors import NotFound
from provisor.provider.resources.custom.model import Definition, Ground
from provisor.provider.resources.custom.store import DefinitionStore, definition_of
from provisor.provider.resources.index import Indexer
from provisor.scim.schemas import BrokenSchema, SchemaSet, common_attributes, core
from provisor.security.actor import Actor, Right

_BELIEVED_MS = 1_500  # what a command adds holds in every serving process within 2 s
_MOST = 50
_DERIVED = frozenset(("members", "groups"))


class CustomSchemas:
    """What companies add to the built-in schemas, and the compiled whole of each."""

    def __init__(self, store: DefinitionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._core = {wanted: Ground(core(), Indexer(core(), unique_group_names=wanted)) for wanted in (True, False)}
        # company -> (what is compiled, what it came from, when that was read)
        self._known: dict[str, tuple[Ground, tuple[tuple[str, ...], bool], int]] = {}

    async def ground(self, company_id: str) -> Ground:
        """What the company's resources are checked by: the built-in schemas and its own."""
        now = self._clock.now_ms()
        known = self._known.get(company_id)
        if known is not None and now - known[2] < _BELIEVED_MS:
            return known[0]
        found = await self._store.ground(company_id)
        texts, unique_group_names = found
        if known is not None and known[1] == found:
            ground = known[0]
        elif texts:
            schemas = _compiled([definition_of(text) for text in texts])
            ground = Ground(schemas, Indexer(schemas, unique_group_names=unique_group_names))
        else:
            ground = self._core[unique_group_names]
        self._known[company_id] = (ground, found, now)
        return ground

    async def unique_group_names(self, actor: Actor, company_id: str) -> bool:
        """Is a second group of the same ``displayName`` refused? It is, unless the company wants otherwise."""
        actor.require(Right.COMPANY_READ, company_id)
        return (await self._store.ground(company_id))[1]

    async def set_unique_group_names(self, actor: Actor, company_id: str, wanted: bool) -> bool:
        """Refuse a second group of the same name from now on, or allow it; whether that was a change.

        Entra matches groups by name, so that two of them are an error there. Raises ``GroupNamesTaken``.
        """
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        changed = await self._store.set_unique_group_names(company_id, wanted, actor=actor, at=self._clock.now_ms())
        self._known.pop(company_id, None)
        return changed

    async def definitions(self, actor: Actor, company_id: str) -> list[Definition]:
        """The company's own schemas, in the order in which they came."""
        actor.require(Right.COMPANY_READ, company_id)
        return [definition_of(text) for text in await self._store.texts(company_id)]

    async def add(
        self, actor: Actor, company_id: str, document: Any, *, extends: str | None = None, required: bool = False
    ) -> list[Definition]:
        """Add what a document has: a schema, a resource type, an array of them, or a ``ListResponse`` of them.

        A schema that no resource type of the document uses extends the resource type ``extends``; ``required``: every
        such resource must then have it. A resource type named like one that is there extends that one by its
        ``schemaExtensions``. Raises ``BrokenSchema`` (nothing is added then) and ``Conflict``.
        """
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        present = await self.definitions(actor, company_id)
        added = _read(document, extends, required)
        if len(present) + len(added) > _MOST:
            raise BrokenSchema(f"A company can have {_MOST} schemas of its own.", hint="Remove one first.")
        _compiled([*present, *added])
        await self._store.insert(company_id, added, actor=actor, at=self._clock.now_ms())
        self._known.pop(company_id, None)
        return added

    async def remove(self, actor: Actor, company_id: str, urn: str) -> Definition:
        """Remove a schema by its URN, in any case. Raises ``NotFound``, and ``SchemaInUse`` while resources have it."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        present = await self.definitions(actor, company_id)
        found = next((one for one in present if one.id.lower() == urn.lower()), None)
        if found is None:
            names = ", ".join(one.id for one in present) or "none"
            raise NotFound(f"The company has no schema {urn!r} of its own.", hint=f"It has: {names}.")
        _compiled([one for one in present if one is not found])
        await self._store.delete(company_id, found, actor=actor, at=self._clock.now_ms())
        self._known.pop(company_id, None)
        return found


def _compiled(definitions: Sequence[Definition]) -> SchemaSet:
    extensions: dict[str, dict[str, bool]] = {}
    for one in definitions:
        for kind, required in one.extends.items():
            extensions.setdefault(kind, {})[one.id] = required
    kinds = [one.resource_type for one in definitions if one.resource_type is not None]
    return core().extend([one.schema for one in definitions], extensions, kinds)


def _read(document: Any, extends: str | None, required: bool) -> list[Definition]:
    schemas, kinds = _parts(document)
    if not schemas:
        raise BrokenSchema("The file has no schema.", hint="A schema has an id and a list 'attributes'.")
    used: dict[str, dict[str, bool]] = {}
    bases: dict[str, Mapping[str, Any]] = {}
    for kind in kinds:
        name = str(kind.get("name"))
        listed = kind.get("schemaExtensions") or []
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, Mapping):
                used.setdefault(str(one.get("schema")).lower(), {})[name] = one.get("required") is True
        if name not in core().resource_types:
            bases[str(kind.get("schema")).lower()] = {
                key: kind.get(key) for key in ("name", "endpoint", "description", "schema")
            }
    found = []
    for schema in schemas:
        urn = str(schema.get("id")).lower()
        extended = used.pop(urn, {})
        base = bases.pop(urn, None)
        if base is None and not extended:
            if extends is None:
                raise BrokenSchema(
                    f"It is not said what the schema {schema.get('id')} is for.",
                    hint="Name the resource type that it extends (--extends User), or add one that uses it.",
                )
            extended = {extends: required}
        if base is not None:
            _require_free_names(schema)
        found.append(Definition(schema, extended, base))
    if missing := [*used, *bases]:
        raise BrokenSchema(f"The file has no schema {', '.join(missing)}.", hint="Put it into the same file.")
    return found


def _parts(document: Any) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The schemas and the resource types in a document."""
    if isinstance(document, Mapping):
        listed = document.get("Resources", [document])
    else:
        listed = document
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise BrokenSchema("The file must be a schema, a resource type, or an array of them, in the form of RFC 7643.")
    kinds = [one for one in listed if "endpoint" in one]
    return [one for one in listed if "endpoint" not in one], kinds


def _require_free_names(schema: Mapping[str, Any]) -> None:
    listed = schema.get("attributes")
    names = (
        {str(one.get("name")).lower() for one in listed if isinstance(one, Mapping)}
        if isinstance(listed, list)
        else set()
    )
    if taken := names & (common_attributes().keys() | _DERIVED):
        raise BrokenSchema(
            f"{schema.get('id')}: {', '.join(sorted(taken))} cannot be attributes of a resource type.",
            hint="Every resource has id, externalId, meta and schemas; members and groups are kept by the server.",
        )
