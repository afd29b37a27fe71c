"""Role assignments, their rows, in pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from provisor.applications.errors import AlreadyAssigned
from provisor.applications.model import Assignment, PrincipalType
from provisor.events.audit import activities
from provisor.events.audit.model import Modified, NewEntry, Target
from provisor.events.audit.store import record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx, UniqueViolation
from provisor.storage.queries import named_queries

_QUERIES = named_queries("provisor.applications.assignments")


@dataclass(frozen=True, slots=True)
class Assigned:
    """An assignment with the name of what it is to; null of an application that has no row (the API itself)."""

    assignment: Assignment
    resource_name: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list of who is assigned goes on: after this principal's assignment of this role."""

    principal_id: str = ""
    role_id: str = ""


class AssignmentStore:
    """Reads and writes them. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, side: Literal["of_resource", "of_principal"], tenant_id: str, id_: str, after: str, limit: int
    ) -> list[Assigned]:
        """The next assignments after the one of the id ``after`` (empty: from the start)."""
        params = {"tenant_id": tenant_id, "id": id_, "after": after, "limit": limit}

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES[side], params)

        return [_assigned(row) for row in await self._database.read(work, long=True)]

    async def people(
        self, tenant_id: str, sp_id: str, pattern: str | None, kind: PrincipalType | None, after: Place, limit: int
    ) -> list[Assignment]:
        """The next people and groups after that place; ``pattern``: those whose name is like it."""
        wanted = {"tenant_id": tenant_id, "id": sp_id, "pattern": pattern, "kind": kind}
        params = {**wanted, "principal": after.principal_id, "role": after.role_id, "limit": limit}

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["people" if pattern is None else "people_named"], params)

        return [Assignment(*row) for row in await self._database.read(work, long=True)]

    async def how_many_people(self, tenant_id: str, sp_id: str, most: int) -> int:
        """How many there are; ``most`` when there are more."""
        params = {"tenant_id": tenant_id, "id": sp_id, "most": most}

        async def work(tx: Tx) -> int:
            row = await tx.fetch_one(_QUERIES["how_many_people"], params)
            return row[0] if row else 0

        return await self._database.read(work)

    async def one(self, tenant_id: str, id_: str) -> Assigned | None:
        """One assignment."""

        async def work(tx: Tx) -> Row | None:
            return await tx.fetch_one(_QUERIES["one"], {"tenant_id": tenant_id, "id": id_})

        row = await self._database.read(work)
        return _assigned(row) if row else None

    async def principal(self, tenant_id: str, id_: str) -> tuple[str, str] | None:
        """What sort of thing has this id, and its name."""

        async def work(tx: Tx) -> Row | None:
            return await tx.fetch_one(_QUERIES["principal"], {"tenant_id": tenant_id, "id": id_})

        row = await self._database.read(work)
        return (row[0], row[1]) if row else None

    async def insert(self, assignment: Assignment, resource_name: str, *, actor: Actor) -> None:
        """Write an application's assignment to another one. Raises ``AlreadyAssigned``."""

        async def work(tx: Tx) -> None:
            await tx.execute(
                _QUERIES["insert"],
                {
                    "tenant_id": assignment.tenant_id,
                    "id": assignment.id,
                    "service_principal_id": assignment.service_principal_id,
                    "principal_id": assignment.principal_id,
                    "principal_type": assignment.principal_type,
                    "app_role_id": assignment.app_role_id,
                    "created_at": assignment.created_at,
                },
            )
            await _told(tx, Assigned(assignment, resource_name), actor, assignment.created_at, added=True)

        try:
            await self._database.write(work)
        except UniqueViolation as error:
            raise AlreadyAssigned from error

    async def delete(self, assigned: Assigned, *, actor: Actor, at: int) -> None:
        """Remove an application's assignment to another one."""
        params = {"tenant_id": assigned.assignment.tenant_id, "id": assigned.assignment.id}

        async def work(tx: Tx) -> None:
            if await tx.execute(_QUERIES["delete"], params):
                await _told(tx, assigned, actor, at, added=False)

        await self._database.write(work)

    async def roles_of(self, resource_id: str, principal_id: str) -> list[str]:
        """The ids of the roles that a principal has of an application."""
        params = {"service_principal_id": resource_id, "principal_id": principal_id}

        async def work(tx: Tx) -> list[str]:
            return [row[0] for row in await tx.fetch_all(_QUERIES["roles_of"], params)]

        return await self._database.read(work)


async def _told(tx: Tx, assigned: Assigned, actor: Actor, at: int, *, added: bool) -> None:
    """Tell the audit log."""
    one = assigned.assignment
    role = one.app_role_id
    changed = (Modified("AppRole.Id", None if added else role, role if added else None),)
    app = Target("ServicePrincipal", one.service_principal_id, assigned.resource_name or "", changed)
    principal = Target(one.principal_type, one.principal_id, one.principal_display_name)
    activity = (activities.ASSIGN if added else activities.UNASSIGN)[one.principal_type]
    await record(tx, tenant_realm(one.tenant_id), [NewEntry(activity, actor, (app, principal))], at=at)


def _assigned(row: Row) -> Assigned:
    return Assigned(Assignment(*row[:-1]), row[-1])
