"""Step scoping, its rows: enterprise applications, jobs, sealed credentials and assignments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from provisor.applications.errors import (
    AlreadyAssigned,
    AppNotFound,
    JobExists,
    JobNotFound,
    NameTaken,
    NotSecurityEnabled,
    PrincipalNotFound,
    RoleDisabled,
    RoleNotFound,
    TenantNotFound,
)
from provisor.applications.model import (
    DEFAULT_ACCESS,
    SCOPE_SETTINGS,
    Assignment,
    JobSettings,
    SchemaVersion,
    ServicePrincipal,
)
from provisor.applications.registrations.model import Application
from provisor.applications.registrations.store import (
    delete_app,
    insert_application,
    insert_service_principal,
    service_principals,
)
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target, differences, hidden
from provisor.events.audit.store import record
from provisor.events.audit.store import tenant as tenant_realm
from provisor.events.model import NewChange
from provisor.events.store import append
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx, UniqueViolation
from provisor.storage.queries import id_list, named_queries

_QUERIES = named_queries("provisor.applications")


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job without its schema, which is read apart."""

    id: str
    tenant_id: str
    service_principal_id: str
    template_id: str
    display_name: str
    created_at: int
    schema_version: int
    scope_version: int
    settings: JobSettings


@dataclass(frozen=True, slots=True)
class Waiting:
    """An app without a job, whose credentials wait for one under the id that the job will have."""

    id: str
    tenant_id: str
    service_principal_id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is written when a job is made. ``schema`` is JSON, ``secrets`` are sealed already."""

    id: str
    tenant_id: str
    service_principal_id: str
    template_id: str
    created_at: int
    schema: bytes
    settings: JobSettings
    secrets: dict[str, bytes]
    actor: Actor


class ApplicationStore:
    """Reads and writes them. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert_app(self, application: Application, sp: ServicePrincipal, job: NewJob) -> None:
        """Write an application, its instance with its roles, and its job with credentials.

        Raises ``TenantNotFound``, ``NameTaken``.
        """

        async def work(tx: Tx) -> None:
            # Held, so that of two who give the same name at once, the second is told.
            if await tx.fetch_one(_QUERIES["lock_tenant"], {"tenant_id": sp.tenant_id}) is None:
                raise TenantNotFound(f"There is no tenant {sp.tenant_id}.")
            named = {"tenant_id": sp.tenant_id, "display_name": sp.display_name}
            if await tx.fetch_one(_QUERIES["named"], named) is not None:
                raise NameTaken(
                    f"This tenant has an app named {sp.display_name!r} already.",
                    hint="Give another name, or use that app.",
                )
            await insert_application(tx, application)
            await insert_service_principal(tx, sp)
            await _insert_job(tx, job)
            facts = (Modified("templateId", None, sp.template_id), *hidden(job.secrets))
            targets = (Target("ServicePrincipal", sp.id, sp.display_name, facts), _job_target(job.id, sp))
            entry = NewEntry(activities.ADD_APP, job.actor, targets)
            await record(tx, tenant_realm(sp.tenant_id), [entry], at=sp.created_at)

        await self._database.write(work)

    async def insert_job(self, job: NewJob, waiting_id: str) -> None:
        """Write a job of an app that has none; its credentials take the place of those that waited for it under
        ``waiting_id``. Raises ``JobExists``."""

        async def work(tx: Tx) -> None:
            await tx.fetch_one(_QUERIES["lock_tenant"], {"tenant_id": job.tenant_id})
            found = await tx.fetch_one(_QUERIES["job_of"], {"service_principal_id": job.service_principal_id})
            if found is not None:
                raise JobExists(
                    f"The application has the synchronization job {found[0]} already.",
                    hint="Use that one, or delete it first.",
                )
            await tx.execute(_QUERIES["delete_secrets"], {"job_id": waiting_id})
            await _insert_job(tx, job)
            made = await tx.fetch_one(_QUERIES["job"], {"job_id": job.id})
            if made is not None:
                facts = (Modified("templateId", None, job.template_id), *hidden(job.secrets))
                await _record(tx, _job(made), activities.ADD_JOB, facts, job.actor, job.created_at)

        await self._database.write(work)

    async def delete_job(self, job: JobRow, *, actor: Actor, at: int) -> None:
        """Remove a job with its credentials and schemas; its application stays."""

        async def work(tx: Tx) -> None:
            for name in ("delete_secrets", "delete_schema_versions"):
                await tx.execute(_QUERIES[name], {"job_id": job.id})
            if await tx.execute(_QUERIES["delete_job"], {"job_id": job.id}):
                await _record(tx, job, activities.REMOVE_JOB, (), actor, at)

        await self._database.write(work)

    async def delete_app(self, sp: ServicePrincipal, job_id: str | None, *, actor: Actor, at: int) -> None:
        """Remove an app: its registration, where that is this tenant's own, and everything of its instance."""

        async def work(tx: Tx) -> None:
            if await delete_app(tx, sp.tenant_id, sp.id, sp.app_id):
                targets = [Target("ServicePrincipal", sp.id, sp.display_name)]
                targets += [_job_target(job_id, sp)] if job_id else []
                entry = NewEntry(activities.REMOVE_APP, actor, tuple(targets))
                await record(tx, tenant_realm(sp.tenant_id), [entry], at=at)

        await self._database.write(work)

    async def apps(self, tenant_id: str) -> list[tuple[ServicePrincipal, str | None]]:
        """A tenant's applications, by name, each with its job's id; null: it has no job."""

        async def work(tx: Tx) -> list[tuple[ServicePrincipal, str | None]]:
            jobs: dict[str, str] = dict(await tx.fetch_all(_QUERIES["job_ids"], {"tenant_id": tenant_id}))
            return [(sp, jobs.get(sp.id)) for sp in await service_principals(tx, tenant_id)]

        return await self._database.read(work)

    async def job_of(self, service_principal_id: str) -> JobRow | None:
        """The job of an app, ``None`` when it has none."""

        async def work(tx: Tx) -> Row | None:
            found = await tx.fetch_one(_QUERIES["job_of"], {"service_principal_id": service_principal_id})
            return await tx.fetch_one(_QUERIES["job"], {"job_id": found[0]}) if found else None

        row = await self._database.read(work)
        return _job(row) if row else None

    async def job(self, job_id: str) -> JobRow | None:
        """One job, ``None`` when there is none."""

        async def work(tx: Tx) -> Row | None:
            return await tx.fetch_one(_QUERIES["job"], {"job_id": job_id})

        row = await self._database.read(work)
        return _job(row) if row else None

    async def jobs(self, tenant_id: str | None) -> list[JobRow]:
        """A tenant's jobs, or with ``None`` all, the oldest first."""

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["jobs"], {"tenant_id": tenant_id})

        return [_job(row) for row in await self._database.read(work)]

    async def schema(self, job_id: str) -> tuple[str, int] | None:
        """A job's schema as JSON and its version; ``None`` when the job is gone."""

        async def work(tx: Tx) -> Row | None:
            return await tx.fetch_one(_QUERIES["schema"], {"job_id": job_id})

        row = await self._database.read(work)
        return (row[0], row[1]) if row else None

    async def replace_schema(
        self,
        row: JobRow,
        schema: bytes,
        changed: tuple[Modified, ...],
        *,
        actor: Actor,
        at: int,
        expected: int | None = None,
    ) -> bool:
        """Put another schema in its place and keep it as a version; the job's version rises. ``changed``: what differs
        from the one before, for the audit log. False, and nothing is written, when the job's version is not the
        ``expected`` one."""

        async def work(tx: Tx) -> bool:
            params = {"job_id": row.id, "schema": schema.decode(), "expected": expected}
            if await tx.execute(_QUERIES["update_schema"], params) == 0:
                return False
            await _keep_schema(tx, row.id, actor.subject, at)
            await _record(tx, row, activities.MAPPINGS, changed, actor, at)
            return True

        return await self._database.write(work)

    async def schema_versions(self, job_id: str) -> list[SchemaVersion]:
        """A job's versions, the newest first."""

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["schema_versions"], {"job_id": job_id})

        return [SchemaVersion(*row) for row in await self._database.read(work)]

    async def schema_version(self, job_id: str, version: int) -> str | None:
        """One version as JSON; ``None`` when the job has no such version."""

        async def work(tx: Tx) -> Row | None:
            return await tx.fetch_one(_QUERIES["schema_version"], {"job_id": job_id, "version": version})

        row = await self._database.read(work)
        return str(row[0]) if row else None

    async def change_settings(
        self, job: JobRow, change: Callable[[JobSettings], JobSettings], *, actor: Actor, at: int
    ) -> None:
        """Change a job's settings, not losing another writer's change. Raises ``JobNotFound``."""

        async def work(tx: Tx) -> None:
            row = await tx.fetch_one(_QUERIES["lock_job"], {"job_id": job.id})
            if row is None:
                raise JobNotFound(f"There is no job {job.id}.")
            before = msgspec.json.decode(row[0], type=JobSettings)
            settings = change(before)
            scope = any(getattr(before, name) != getattr(settings, name) for name in SCOPE_SETTINGS)
            text = msgspec.json.encode(settings).decode()
            await tx.execute(_QUERIES["update_settings"], {"job_id": job.id, "settings": text, "scope": int(scope)})
            changed = differences(msgspec.to_builtins(before), msgspec.to_builtins(settings))
            if changed:
                await _record(tx, job, activities.SETTINGS, changed, actor, at)

        await self._database.write(work)

    async def secrets(self, job_id: str) -> dict[str, bytes]:
        """A job's sealed credentials by key, or those that wait for it."""

        async def work(tx: Tx) -> dict[str, bytes]:
            return await _secrets(tx, job_id)

        return await self._database.read(work)

    async def change_secrets(
        self,
        job: JobRow | Waiting,
        change: Callable[[dict[str, bytes]], dict[str, bytes | None]],
        *,
        actor: Actor,
        at: int,
    ) -> None:
        """Change a job's sealed credentials, or those that wait for one. ``change`` is given those there are and
        answers what to put (``None``: to forget); it may run again. What it raises leaves everything as it was. Raises
        ``JobNotFound``."""

        async def work(tx: Tx) -> None:
            held = await tx.fetch_one(_QUERIES["lock_job"], {"job_id": job.id})
            if held is None and isinstance(job, JobRow):
                raise JobNotFound(f"There is no job {job.id}.")
            before = await _secrets(tx, job.id)
            changes = change(before)
            for key, sealed in changes.items():
                if sealed is None:
                    await tx.execute(_QUERIES["delete_secret"], {"job_id": job.id, "key": key})
            await _put_secrets(tx, job.id, {key: sealed for key, sealed in changes.items() if sealed is not None}, at)
            changed = [hidden([key], was=key in before, now=sealed is not None)[0] for key, sealed in changes.items()]
            if changed:
                await _record(tx, job, activities.SETTINGS, tuple(changed), actor, at)

        await self._database.write(work)

    async def insert_assignment(self, assignment: Assignment, actor: Actor) -> Assignment:
        """Write an assignment and its entry in the feed. Answers it with the principal's name.

        Raises ``AppNotFound``, ``PrincipalNotFound``, ``NotSecurityEnabled``, ``RoleNotFound``, ``RoleDisabled`` and
        ``AlreadyAssigned``.
        """

        async def work(tx: Tx) -> str:
            name = await _check_assignable(tx, assignment)
            await tx.execute(
                _QUERIES["insert_assignment"],
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
            principal = Target(assignment.principal_type, assignment.principal_id, name)
            await _record_assignment(tx, assignment, principal, actor, assignment.created_at, added=True)
            entry = NewChange("Assignment", assignment.principal_id, "added", assignment.service_principal_id)
            await append(tx, assignment.tenant_id, [entry], actor=actor.subject, at=assignment.created_at)
            return name

        try:
            return replace(assignment, principal_display_name=await self._database.write(work))
        except UniqueViolation as error:
            raise AlreadyAssigned(
                f"The {assignment.principal_type.lower()} {assignment.principal_id} has this role already.",
                hint="There is nothing to do.",
            ) from error

    async def delete_assignments(
        self, tenant_id: str, sp_id: str, principal_id: str, role_id: str | None, *, actor: Actor, at: int
    ) -> int:
        """Remove one principal's assignments, of one role or (``None``) of all; how many. One entry in the feed.

        Raises ``AppNotFound``.
        """

        async def work(tx: Tx) -> int:
            await _check_app(tx, tenant_id, sp_id)
            params = {"service_principal_id": sp_id, "principal_id": principal_id, "app_role_id": role_id}
            rows = await tx.fetch_all(_QUERIES["assignments_of"], params)
            gone = await tx.execute(_QUERIES["delete_assignment"], params)
            for row in rows:
                assignment = Assignment(*row)
                principal = Target(assignment.principal_type, principal_id, assignment.principal_display_name)
                await _record_assignment(tx, assignment, principal, actor, at, added=False)
            if gone:
                entry = NewChange("Assignment", principal_id, "removed", sp_id)
                await append(tx, tenant_id, [entry], actor=actor.subject, at=at)
            return gone

        return await self._database.write(work)

    async def assignments(self, tenant_id: str, sp_id: str) -> list[Assignment]:
        """An application's assignments, the oldest first, without those of deleted users and groups.

        Raises ``AppNotFound``.
        """

        async def work(tx: Tx) -> list[Row]:
            await _check_app(tx, tenant_id, sp_id)
            return await tx.fetch_all(_QUERIES["assignments"], {"service_principal_id": sp_id})

        return [Assignment(*row) for row in await self._database.read(work, long=True)]

    async def entitled(
        self, tenant_id: str, sp_id: str, user_ids: Sequence[str], *, nested: bool = False
    ) -> dict[str, list[Assignment]]:
        """The assignments that count for each of these users; users without any are left out.

        ``nested``: also those of groups that hold a group of theirs, at any depth.
        """
        params = {"tenant_id": tenant_id, "service_principal_id": sp_id, "user_ids": id_list(user_ids)}

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["entitled_nested" if nested else "entitled"], params)

        found: dict[str, list[Assignment]] = {}
        for user_id, *row in await self._database.read(work, long=True):
            found.setdefault(user_id, []).append(Assignment(*row))
        return found

    async def assigned_groups(self, tenant_id: str, sp_id: str, group_ids: Iterable[str]) -> set[str]:
        """Those of these groups that are assigned themselves, live and security-enabled."""
        params = {"tenant_id": tenant_id, "service_principal_id": sp_id, "group_ids": id_list(group_ids)}

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(_QUERIES["assigned_groups"], params)

        return {row[0] for row in await self._database.read(work)}

    async def members_of_assigned(self, tenant_id: str, group_id: str, after_id: str | None, limit: int) -> list[str]:
        """The next direct user members of a group, by id."""
        params: dict[str, Any] = {
            "tenant_id": tenant_id,
            "group_id": group_id,
            "after_id": after_id or "",
            "limit": limit,
        }

        async def work(tx: Tx) -> list[str]:
            return [row[0] for row in await tx.fetch_all(_QUERIES["members_of_assigned"], params)]

        return await self._database.read(work)


def _job_target(job_id: str, sp: ServicePrincipal) -> Target:
    return Target("Job", job_id, sp.display_name)


async def _record(
    tx: Tx, job: JobRow | Waiting, activity: Activity, changed: tuple[Modified, ...], actor: Actor, at: int
) -> None:
    """Tell the audit log of a change of a job's configuration."""
    targets = (
        Target("Job", job.id, job.display_name, changed),
        Target("ServicePrincipal", job.service_principal_id, job.display_name),
    )
    await record(tx, tenant_realm(job.tenant_id), [NewEntry(activity, actor, targets)], at=at)


async def _record_assignment(
    tx: Tx, assignment: Assignment, principal: Target, actor: Actor, at: int, *, added: bool
) -> None:
    role, name = (
        assignment.app_role_id,
        await tx.fetch_one(
            _QUERIES["service_principal"], {"tenant_id": assignment.tenant_id, "id": assignment.service_principal_id}
        ),
    )
    changed = (Modified("AppRole.Id", None if added else role, role if added else None),)
    app = Target("ServicePrincipal", assignment.service_principal_id, str(name[0]) if name else "", changed)
    activity = (activities.ASSIGN if added else activities.UNASSIGN)[assignment.principal_type]
    await record(tx, tenant_realm(assignment.tenant_id), [NewEntry(activity, actor, (app, principal))], at=at)


def _job(row: Row) -> JobRow:
    return replace(JobRow(*row), settings=msgspec.json.decode(row[-1], type=JobSettings))


async def _insert_job(tx: Tx, job: NewJob) -> None:
    await tx.execute(
        _QUERIES["insert_job"],
        {
            "id": job.id,
            "tenant_id": job.tenant_id,
            "service_principal_id": job.service_principal_id,
            "template_id": job.template_id,
            "created_at": job.created_at,
            "schema": job.schema.decode(),
            "settings": msgspec.json.encode(job.settings).decode(),
        },
    )
    await _keep_schema(tx, job.id, job.actor.subject, job.created_at)
    await _put_secrets(tx, job.id, job.secrets, job.created_at)


async def _secrets(tx: Tx, job_id: str) -> dict[str, bytes]:
    return {key: bytes(sealed) for key, sealed in await tx.fetch_all(_QUERIES["secrets"], {"job_id": job_id})}


async def _keep_schema(tx: Tx, job_id: str, actor: str, at: int) -> None:
    await tx.execute(_QUERIES["keep_schema"], {"job_id": job_id, "actor": actor, "at": at})


async def _put_secrets(tx: Tx, job_id: str, secrets: dict[str, bytes], at: int) -> None:
    for key, sealed in secrets.items():
        params = {"job_id": job_id, "key": key, "sealed": sealed, "updated_at": at}
        await tx.execute(_QUERIES["put_secret"], params)


async def _check_app(tx: Tx, tenant_id: str, sp_id: str) -> None:
    if await tx.fetch_one(_QUERIES["service_principal"], {"tenant_id": tenant_id, "id": sp_id}) is None:
        raise AppNotFound(f"This tenant has no app with the service principal {sp_id}.")


async def _check_assignable(tx: Tx, assignment: Assignment) -> str:
    """The principal's name."""
    await _check_app(tx, assignment.tenant_id, assignment.service_principal_id)
    kind, id_ = assignment.principal_type, assignment.principal_id
    query = _QUERIES["assignable_user" if kind == "User" else "assignable_group"]
    principal = await tx.fetch_one(query, {"tenant_id": assignment.tenant_id, "id": id_})
    if principal is None:
        raise PrincipalNotFound(
            f"This tenant has no {kind.lower()} {id_}.", hint="A deleted one has to be restored before."
        )
    if kind == "Group" and not principal[1]:
        raise NotSecurityEnabled(
            f"The group {principal[0]} is not a security group, and only those can be assigned.",
            hint="Set securityEnabled on it, or assign its members.",
        )
    if assignment.app_role_id != DEFAULT_ACCESS:
        await _check_role(tx, assignment)
    return str(principal[0])


async def _check_role(tx: Tx, assignment: Assignment) -> None:
    role = await tx.fetch_one(
        _QUERIES["app_role"],
        {"service_principal_id": assignment.service_principal_id, "id": assignment.app_role_id},
    )
    if role is None:
        raise RoleNotFound(f"The app has no role {assignment.app_role_id}.", hint="Choose one of the app's own roles.")
    if not role[1]:
        raise RoleDisabled(f"The app's role {role[0]} is disabled.", hint="Choose another of the app's roles.")
