"""Directory extensions, what everybody else calls: which there are, and whether values fit them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from provisor.clock import Clock
from provisor.directory.attributes import Fault, InvalidAttributes, is_extension
from provisor.directory.extensions.model import DATA_TYPES, TARGETS, ExtensionProperty, data_type
from provisor.directory.extensions.store import ExtensionStore
from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.events.audit import activities
from provisor.events.audit.model import NewEntry, Target
from provisor.ids import new_id
from provisor.security.actor import Actor, Right

_NAME = re.compile(r"[A-Za-z]\w{0,99}", re.ASCII)


class ExtensionExists(Conflict):
    """The application has an extension property of this name already."""


class Extensions:
    """Every method raises ``Forbidden`` when the actor may not do it there."""

    def __init__(self, store: ExtensionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of_app(self, actor: Actor, tenant_id: str, app_id: str) -> list[ExtensionProperty]:
        """Those that an application defined, the oldest first."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        return [one for one in await self._store.all(tenant_id) if one.app_id == app_id]

    async def all(self, actor: Actor, tenant_id: str) -> list[ExtensionProperty]:
        """Those of every application of the tenant."""
        actor.require(Right.DIRECTORY_READ, tenant_id)
        return await self._store.all(tenant_id)

    async def define(
        self,
        actor: Actor,
        tenant_id: str,
        app_id: str,
        name: str,
        kind: str,
        target_objects: Sequence[str],
        *,
        is_multi_valued: bool = False,
    ) -> ExtensionProperty:
        """A new one. ``name``: without its prefix. Raises ``InvalidInput``, ``ExtensionExists``."""
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"name is {name[:100]!r}.", hint="It has letters, digits and _, a letter first.")
        if (found := data_type(kind)) is None:
            raise InvalidInput(f"dataType is {kind[:100]!r}.", hint=f"It is one of {', '.join(DATA_TYPES)}.")
        known = {target.lower(): target for target in TARGETS}
        if not target_objects or any(target.lower() not in known for target in target_objects):
            raise InvalidInput("targetObjects names what has the property.", hint=f"Choose among {', '.join(TARGETS)}.")
        new = ExtensionProperty(
            id=new_id(),
            tenant_id=tenant_id,
            app_id=app_id,
            name=f"extension_{app_id.replace('-', '')}_{name}",
            data_type=found,
            is_multi_valued=is_multi_valued,
            target_objects=tuple(known[target.lower()] for target in target_objects),
            created_at=self._clock.now_ms(),
        )
        if any(one.name.lower() == new.name.lower() for one in await self._store.all(tenant_id)):
            raise ExtensionExists(f"An extension property exists with the name {new.name}.")
        await self._store.insert(new, NewEntry(activities.ADD_EXTENSION, actor, (_target(new),)))
        return new

    async def remove(self, actor: Actor, tenant_id: str, app_id: str, id_: str) -> None:
        """Raises ``NotFound``. Values that users have already stay, until somebody removes them."""
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        for one in await self._store.all(tenant_id):
            if one.id == id_ and one.app_id == app_id:
                entry = NewEntry(activities.REMOVE_EXTENSION, actor, (_target(one),))
                await self._store.delete(tenant_id, id_, entry, self._clock.now_ms())
                return
        raise NotFound(f"The application has no extension property {id_!r}.")

    async def check(self, actor: Actor, tenant_id: str, target: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes with extensions named as they were defined. ``target``: User or Group.

        Raises ``InvalidAttributes`` for an extension that was not defined, or whose value does not fit.
        """
        named = [name for name in attributes if is_extension(name)]
        if not named:
            return dict(attributes)
        actor.require(Right.DIRECTORY_READ, tenant_id)
        known = {one.name.lower(): one for one in await self._store.all(tenant_id) if target in one.target_objects}
        faults: list[Fault] = []
        for name in named:
            defined = known.get(name.lower())
            reason = "is not defined for this type of object" if defined is None else defined.fault(attributes[name])
            if reason is not None:
                faults.append(Fault(name, reason))
        if faults:
            raise InvalidAttributes(faults, hint="Define it with POST /applications/{id}/extensionProperties.")
        return {known[name.lower()].name if name in named else name: value for name, value in attributes.items()}


def _target(found: ExtensionProperty) -> Target:
    return Target("ExtensionProperty", found.id, found.name)
