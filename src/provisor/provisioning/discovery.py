"""Discovery: what a job's target says of its attributes, added to the job's schema. Graph's ``discover``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.applications.model import Job
from provisor.applications.service import Applications
from provisor.applications.synchronization.discovery import discovered
from provisor.applications.synchronization.documents import directory
from provisor.clock import Clock
from provisor.errors import Conflict, NotFound
from provisor.provisioning.engine import Targets
from provisor.security.actor import Actor, Right


class DirectoryNotFound(NotFound):
    """The schema has no such directory."""


class NothingToDiscover(Conflict):
    """The attributes of this directory are known."""


class Discovery:
    """Reads a target's ``/Schemas``."""

    def __init__(self, applications: Applications, targets: Targets, clock: Clock) -> None:
        self._applications = applications
        self._targets = targets
        self._clock = clock

    async def discover(self, actor: Actor, job: Job, directory_id: str) -> Mapping[str, Any]:
        """The directory's definition afterwards. Attributes that are there already stay as they are.

        Something new is a change of the schema, so the next cycle is an initial one. Raises ``DirectoryNotFound``,
        ``NothingToDiscover``, and ``TargetError`` when the target does not tell.
        """
        actor.require(Right.SYNCHRONIZATION_WRITE, job.tenant_id)
        document = job.schema.document
        found = directory(document, directory_id)
        if found is None:
            raise DirectoryNotFound(f"The schema of {job.display_name} has no directory {directory_id!r}.")
        targets = {rule.get("targetDirectoryName") for rule in document.get("synchronizationRules") or []}
        if found.get("name") not in targets:
            raise NothingToDiscover(f"The attributes of the directory {found.get('name')} are known.")
        schemas = await (await self._targets.client(actor, job)).schemas()
        after = discovered(document, str(found["id"]), schemas, self._clock.now_ms())
        if after is None:
            return found
        await self._applications.set_schema(actor, job.id, after)
        return directory(after, str(found["id"])) or found
