"""Step scoping, its door: enterprise applications, assignments and provisioning jobs, for all who call."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from provisor.applications import gallery, schema_diff
from provisor.applications.address import checked_address, checked_token, same_origin
from provisor.applications.errors import (
    AmbiguousApp,
    AppNotFound,
    InvalidSettings,
    InvalidTenantUrl,
    JobNotFound,
    NotAssigned,
    SchemaChangedMeanwhile,
    SchemaVersionNotFound,
)
from provisor.applications.gallery import Template
from provisor.applications.model import (
    DEFAULT_ACCESS,
    App,
    Assignment,
    Credentials,
    CredentialsChange,
    Job,
    JobSettings,
    OAuthClient,
    PrincipalType,
    Removed,
    SchemaDiff,
    SchemaVersion,
    ServicePrincipal,
)
from provisor.applications.registrations.making import from_template
from provisor.applications.schema import Finding, InvalidSchema, SyncSchema
from provisor.applications.schema_editing import Edit
from provisor.applications.schema_reader import read_schema
from provisor.applications.store import ApplicationStore, JobRow, NewJob
from provisor.clock import Clock
from provisor.errors import Forbidden
from provisor.events.audit.model import Modified
from provisor.ids import new_id
from provisor.security.actor import Actor, Right
from provisor.security.secrets import SealBroken, SealedElsewhere, Sealer

BASE_ADDRESS = "BaseAddress"
SECRET_TOKEN = "SecretToken"  # noqa: S105 - the name of a field, not a secret
CONNECTION_KEYS = frozenset(
    (
        BASE_ADDRESS,
        SECRET_TOKEN,
        "AuthenticationType",
        "Oauth2TokenExchangeUri",
        "Oauth2ClientId",
        "Oauth2ClientSecret",
        "ClientIdentifier",
        "ClientSecret",
    )
)
ANY_APP = "scim"  # the template of an app that is none of the gallery's
_COMPILED_SCHEMAS = 256


class Applications:
    """Everything about enterprise applications. Methods check the actor's rights in the tenant concerned."""

    def __init__(self, store: ApplicationStore, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        # (job id, schema version) -> compiled; the oldest goes first.
        self._schemas: dict[tuple[str, int], SyncSchema] = {}

    def templates(self) -> list[Template]:
        """The gallery, which is everybody's to see."""
        return list(gallery.templates().values())

    def template(self, template_id: str) -> Template:
        """One app of the gallery. Raises ``TemplateNotFound``."""
        return gallery.template(template_id)

    async def add(
        self,
        actor: Actor,
        tenant_id: str,
        template_id: str,
        name: str | None = None,
        tenant_url: str | None = None,
        secret_token: str | None = None,
    ) -> App:
        """Add an app from the gallery: service principal, roles, job with the default schema, sealed credentials.

        ``name``: the template's display name when null. ``tenant_url``: the template's address when null; raises
        ``InvalidTenantUrl`` where it has none. Also ``TemplateNotFound``, ``TenantNotFound``, ``NameTaken``.
        """
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        actor.require(Right.SYNCHRONIZATION_WRITE, tenant_id)
        template = gallery.template(template_id)
        address = checked_address(template.tenant_url if tenant_url is None else tenant_url)
        token = None if secret_token is None else checked_token(secret_token)
        called = template.display_name if name is None else name
        application, service_principal = from_template(template, tenant_id, called, self._clock.now_ms())
        job_id = job_id_of(service_principal)
        secrets = {BASE_ADDRESS: address} | ({} if token is None else {SECRET_TOKEN: token})
        job = NewJob(
            id=job_id,
            tenant_id=tenant_id,
            service_principal_id=service_principal.id,
            template_id=template.id,
            created_at=service_principal.created_at,
            schema=msgspec.json.encode(template.default_schema(job_id)),
            settings=JobSettings(),
            actor=actor,
            secrets={key: self._seal(tenant_id, job_id, key, value) for key, value in secrets.items()},
        )
        await self._store.insert_app(application, service_principal, job)
        return App(service_principal, job_id, await self.job(actor, job_id))

    async def apps(self, actor: Actor, tenant_id: str) -> list[App]:
        """The tenant's applications, by name; see ``App.has_job``."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        found = await self._store.apps(tenant_id)
        jobs = await self._configurations(actor, tenant_id)
        return [_app(service_principal, job_id, jobs.get(job_id or "")) for service_principal, job_id in found]

    async def find(self, actor: Actor, tenant_id: str, ref: str) -> App:
        """The app with this app id, service principal id, job id or name (in any case; the exact one first).

        Raises ``AppNotFound`` and ``AmbiguousApp``.
        """
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        service_principal, job_id = _pick(await self._store.apps(tenant_id), ref.strip())
        may = job_id is not None and _may_read_jobs(actor, tenant_id)
        return _app(service_principal, job_id, await self.job(actor, job_id) if may and job_id else None)

    async def remove(self, actor: Actor, tenant_id: str, ref: str) -> Removed:
        """Remove an app with its roles, assignments, job and credentials. Accounts in the target stay as they are.

        What the engine keeps of the job is the engine's to remove: see ``Removed.job_ids``.
        """
        actor.require(Right.APPLICATIONS_WRITE, tenant_id)
        service_principal, job_id = _pick(await self._store.apps(tenant_id), ref.strip())
        await self._store.delete_app(service_principal, job_id, actor=actor, at=self._clock.now_ms())
        return Removed(service_principal, () if job_id is None else (job_id,))

    async def assign(
        self,
        actor: Actor,
        tenant_id: str,
        service_principal_id: str,
        principal_id: str,
        principal_type: PrincipalType,
        role_id: str = DEFAULT_ACCESS,
    ) -> Assignment:
        """Assign a user or a security group, which counts for the group's direct members.

        Raises ``AppNotFound``, ``PrincipalNotFound``, ``NotSecurityEnabled``, ``RoleNotFound``, ``RoleDisabled``,
        ``AlreadyAssigned``.
        """
        actor.require(Right.ASSIGNMENTS_WRITE, tenant_id)
        assignment = Assignment(
            id=new_id(),
            tenant_id=tenant_id,
            service_principal_id=service_principal_id,
            principal_id=principal_id,
            principal_type=principal_type,
            principal_display_name="",
            app_role_id=role_id,
            created_at=self._clock.now_ms(),
        )
        return await self._store.insert_assignment(assignment, actor)

    async def unassign(
        self, actor: Actor, tenant_id: str, service_principal_id: str, principal_id: str, role_id: str | None = None
    ) -> int:
        """Take away one principal's assignment of a role, or of every role; how many. Raises ``NotAssigned``."""
        actor.require(Right.ASSIGNMENTS_WRITE, tenant_id)
        gone = await self._store.delete_assignments(
            tenant_id, service_principal_id, principal_id, role_id, actor=actor, at=self._clock.now_ms()
        )
        if not gone:
            raise NotAssigned(
                f"{principal_id} is not assigned to this app itself.",
                hint="Who has access through a group loses it by leaving that group.",
            )
        return gone

    async def assignments(self, actor: Actor, tenant_id: str, service_principal_id: str) -> list[Assignment]:
        """An app's own assignments (groups are not expanded), the oldest first. Raises ``AppNotFound``."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        return await self._store.assignments(tenant_id, service_principal_id)

    async def job(self, actor: Actor, job_id: str) -> Job:
        """One job. Raises ``JobNotFound``, also for another tenant's."""
        return await self._compiled(await self._row(actor, Right.SYNCHRONIZATION_READ, job_id))

    async def jobs(self, actor: Actor) -> list[Job]:
        """All jobs that the actor may see, the oldest first: a tenant's, or for the operator everybody's."""
        actor.require(Right.SYNCHRONIZATION_READ, actor.realm.id)
        rows = await self._store.jobs(None if actor.realm.kind == "system" else actor.realm.id)
        return [await self._compiled(row) for row in rows]

    async def set_schema(self, actor: Actor, job_id: str, document: Mapping[str, Any]) -> Job:
        """Replace the synchronization schema by this one, unknown properties included.

        Raises ``InvalidSchema`` with every fault, and then nothing is saved. The next cycle is an initial one.
        """
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        read_schema(document)
        return await self._replace_schema(actor, row, document)

    async def edit_schema(self, actor: Actor, job_id: str, version: int, edit: Edit) -> Job:
        """Save what ``edit`` makes of the schema ``version``, the one that its maker looked at.

        Raises ``SchemaChangedMeanwhile`` when it is another one by now, ``InvalidSchema``, and what ``edit`` raises.
        """
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        if row.schema_version != version:
            raise SchemaChangedMeanwhile(
                f"The mappings of {row.display_name} were changed meanwhile (version {row.schema_version}).",
                hint="Look at them as they are now, then make your change again.",
            )
        document = edit(await self._version(row, version))
        read_schema(document)
        return await self._replace_schema(actor, row, document, expected=version)

    async def restore_default_schema(self, actor: Actor, job_id: str) -> Job:
        """Put the template's mappings in the place of the job's; scoping filters go. Raises ``TemplateNotFound``."""
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        return await self._replace_schema(actor, row, gallery.template(row.template_id).default_schema(job_id))

    async def schema_versions(self, actor: Actor, job_id: str) -> list[SchemaVersion]:
        """Every schema that the job has or had, the newest first: who saved it, and when."""
        row = await self._row(actor, Right.SYNCHRONIZATION_READ, job_id)
        return await self._store.schema_versions(row.id)

    async def schema_diff(
        self, actor: Actor, job_id: str, before: int | None = None, after: int | None = None
    ) -> SchemaDiff:
        """What differs between two versions. ``after``: the present one when null; ``before``: the one before it.

        Raises ``SchemaVersionNotFound``. A job's first version differs in nothing from itself.
        """
        row = await self._row(actor, Right.SYNCHRONIZATION_READ, job_id)
        newest = row.schema_version if after is None else after
        oldest = max(newest - 1, 1) if before is None else before
        documents = [await self._version(row, version) for version in (oldest, newest)]
        return SchemaDiff(oldest, newest, schema_diff.difference(*documents))

    async def restore_schema_version(self, actor: Actor, job_id: str, version: int) -> Job:
        """Save an earlier schema again, as a new version. Raises ``SchemaVersionNotFound``, ``InvalidSchema``."""
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        document = await self._version(row, version)
        read_schema(document)
        return await self._replace_schema(actor, row, document)

    async def change_settings(self, actor: Actor, job_id: str, changes: Mapping[str, object]) -> Job:
        """Change some settings, named as ``JobSettings`` names them, ``notification`` as a whole.

        Raises ``InvalidSettings``, and then nothing is changed.
        """
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        await self._store.change_settings(row, _changed(changes), actor=actor, at=self._clock.now_ms())
        return await self._reread(job_id)

    async def reset_job(self, actor: Actor, job_id: str) -> Job:
        """The job as the template makes it: default schema, default settings, no credentials. Part of its deletion."""
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        now = self._clock.now_ms()
        await self._store.change_settings(row, lambda _: JobSettings(), actor=actor, at=now)
        await self._store.change_secrets(row, lambda present: dict.fromkeys(present), actor=actor, at=now)
        return await self._replace_schema(actor, row, gallery.template(row.template_id).default_schema(job_id))

    async def set_sync_all(self, actor: Actor, job_id: str, sync_all: bool) -> Job:
        """Scope: all users and groups, or only assigned ones."""
        return await self.change_settings(actor, job_id, {"sync_all": sync_all})

    async def set_credentials(
        self, actor: Actor, job_id: str, base_address: str | None = None, secret_token: str | None = None
    ) -> CredentialsChange:
        """Store what is given and leave the rest. Raises ``InvalidTenantUrl``, ``InvalidSecretToken``.

        A token must not follow the address to another server: when scheme, host or port change and no token comes
        along, the stored one is forgotten.
        """
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        address = None if base_address is None else checked_address(base_address)
        token = None if secret_token is None else checked_token(secret_token)
        outcome = CredentialsChange("", has_secret=False, secret_cleared=False)

        def change(sealed: dict[str, bytes]) -> dict[str, bytes | None]:
            nonlocal outcome
            try:
                before = self._open(row, BASE_ADDRESS, sealed) or ""
            except (SealBroken, SealedElsewhere):
                if address is None:
                    raise
                before = ""  # entering it again is the way out, so its loss must not stand in that way
            had = SECRET_TOKEN in sealed
            moved = address is not None and not same_origin(address, before)
            changes: dict[str, bytes | None] = {}
            if address is not None:
                changes[BASE_ADDRESS] = self._seal(row.tenant_id, row.id, BASE_ADDRESS, address)
            if token is not None:
                changes[SECRET_TOKEN] = self._seal(row.tenant_id, row.id, SECRET_TOKEN, token)
            elif moved and had:
                changes[SECRET_TOKEN] = None
            cleared = moved and had and token is None
            outcome = CredentialsChange(address or before, token is not None or (had and not moved), cleared)
            return changes

        await self._store.change_secrets(row, change, actor=actor, at=self._clock.now_ms())
        return outcome

    async def credentials(self, actor: Actor, job_id: str) -> Credentials:
        """Address and token in the clear, for the connector. Raises ``InvalidTenantUrl`` when no address is stored."""
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        sealed = await self._store.secrets(row.id)
        address = self._open(row, BASE_ADDRESS, sealed)
        if address is None:
            raise InvalidTenantUrl(f"The app {row.display_name} has no Tenant URL.", hint="Enter its SCIM address.")
        wanted = {key: self._open(row, key, sealed) or "" for key in sealed if key in CONNECTION_KEYS}
        return Credentials(address, wanted.get(SECRET_TOKEN) or None, _version(sealed), oauth_client(wanted))

    async def credentials_version(self, actor: Actor, job_id: str) -> str:
        """Another one whenever credentials were saved; also of a job that has none."""
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        return _version(await self._store.secrets(row.id))

    async def candidate_credentials(
        self, actor: Actor, job_id: str, base_address: str | None = None, secret_token: str | None = None
    ) -> Credentials:
        """What ``set_credentials`` would make of them, to be tried first. Raises as both do."""
        row = await self._row(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        sealed = await self._store.secrets(row.id)
        before = None
        if base_address is None or secret_token is None:
            try:
                before = await self.credentials(actor, job_id)
            except (SealBroken, SealedElsewhere, InvalidTenantUrl):
                if base_address is None:
                    raise
        address = checked_address(base_address) if base_address is not None else before.base_address if before else ""
        if secret_token is not None:
            return Credentials(address, checked_token(secret_token))
        stays = before is not None and SECRET_TOKEN in sealed and same_origin(address, before.base_address)
        return Credentials(address, before.secret_token if before is not None and stays else None)

    async def entitled(self, actor: Actor, job: Job, user_ids: Sequence[str]) -> dict[str, list[Assignment]]:
        """What entitles each of these users: direct assignments, and those of groups of which they are direct members
        (with the job's setting ``nested_groups``: members at any depth).

        Users without any are left out. Default Access is among them: whether it counts is a setting of the job, and
        so is the scope "all users and groups".
        """
        actor.require(Right.APPLICATIONS_READ, job.tenant_id)
        nested = job.settings.nested_groups
        return await self._store.entitled(job.tenant_id, job.service_principal_id, user_ids, nested=nested)

    async def assigned_groups(self, actor: Actor, job: Job, group_ids: Iterable[str]) -> set[str]:
        """Those of these groups that are assigned themselves, live and security-enabled."""
        actor.require(Right.APPLICATIONS_READ, job.tenant_id)
        return await self._store.assigned_groups(job.tenant_id, job.service_principal_id, group_ids)

    async def members_of_assigned(
        self, actor: Actor, job: Job, group_id: str, after_id: str | None = None, limit: int = 1000
    ) -> list[str]:
        """A page of the users whom a change of this group's assignment concerns, by id: its direct user members.

        The group need not be assigned any more; the page after the last is empty.
        """
        actor.require(Right.APPLICATIONS_READ, job.tenant_id)
        return await self._store.members_of_assigned(job.tenant_id, group_id, after_id, limit)

    async def _row(self, actor: Actor, right: Right, job_id: str) -> JobRow:
        actor.require(right, actor.realm.id)
        row = await self._store.job(job_id)
        if row is None or (actor.realm.kind != "system" and actor.realm.id != row.tenant_id):
            raise JobNotFound(f"There is no job {job_id}.", hint="List the apps to see their jobs.")
        return row

    async def _replace_schema(
        self, actor: Actor, row: JobRow, document: Mapping[str, Any], expected: int | None = None
    ) -> Job:
        at, encoded = self._clock.now_ms(), _encoded(document)
        changes = schema_diff.difference(await self._version(row, row.schema_version), document)
        changed = tuple(Modified(str(change), change.before, change.after) for change in changes)
        if not await self._store.replace_schema(row, encoded, changed, actor=actor, at=at, expected=expected):
            await self._reread(row.id)
            raise SchemaChangedMeanwhile(hint="Look at them as they are now, then make your change again.")
        return await self._reread(row.id)

    async def _version(self, row: JobRow, version: int) -> Mapping[str, Any]:
        text = await self._store.schema_version(row.id, version)
        if text is None:
            raise SchemaVersionNotFound(
                f"{row.display_name} has no schema version {version}.",
                hint=f"Its versions are 1 to {row.schema_version}.",
            )
        found: Mapping[str, Any] = msgspec.json.decode(text)
        return found

    async def _reread(self, job_id: str) -> Job:
        row = await self._store.job(job_id)
        if row is None:
            raise JobNotFound(f"The job {job_id} was removed meanwhile.")
        return await self._compiled(row)

    async def _configurations(self, actor: Actor, tenant_id: str) -> dict[str, Job]:
        if not _may_read_jobs(actor, tenant_id):
            return {}
        return {row.id: await self._compiled(row) for row in await self._store.jobs(tenant_id)}

    async def _compiled(self, row: JobRow) -> Job:
        version = row.schema_version
        schema = self._schemas.get((row.id, version))
        if schema is None:
            stored = await self._store.schema(row.id)
            if stored is None:
                raise JobNotFound(f"The job {row.id} was removed meanwhile.")
            text, version = stored
            schema = self._schemas[row.id, version] = read_schema(msgspec.json.decode(text))
            if len(self._schemas) > _COMPILED_SCHEMAS:
                del self._schemas[next(iter(self._schemas))]
        return Job(
            id=row.id,
            tenant_id=row.tenant_id,
            service_principal_id=row.service_principal_id,
            template_id=row.template_id,
            display_name=row.display_name,
            created_at=row.created_at,
            schema=schema,
            schema_version=version,
            settings=row.settings,
            scope_version=row.scope_version,
        )

    def _seal(self, tenant_id: str, job_id: str, key: str, value: str) -> bytes:
        return self._sealer.seal(value.encode(), f"{tenant_id}/{job_id}/{key}")

    def _open(self, row: JobRow, key: str, sealed: Mapping[str, bytes]) -> str | None:
        if key not in sealed:
            return None
        return self._sealer.open(sealed[key], f"{row.tenant_id}/{row.id}/{key}").decode()


def _version(sealed: Mapping[str, bytes]) -> str:
    """A seal is another one each time, so its digest tells apart what was saved, and nothing else."""
    return hashlib.sha256(b"".join(sealed[key] for key in sorted(sealed))).hexdigest()[:16]


def _may_read_jobs(actor: Actor, tenant_id: str) -> bool:
    try:
        actor.require(Right.SYNCHRONIZATION_READ, tenant_id)
    except Forbidden:
        return False
    return True


def oauth_client(values: Mapping[str, str]) -> OAuthClient | None:
    """Who asks for access tokens, where the credentials say that somebody does; null with a fixed token.

    ``AuthenticationType`` decides; without it, a token address and a client do, when there is no fixed token.
    """
    kind = values.get("AuthenticationType", "").casefold()
    client_id = values.get("Oauth2ClientId") or values.get("ClientIdentifier") or ""
    secret = values.get("Oauth2ClientSecret") or values.get("ClientSecret") or ""
    url = values.get("Oauth2TokenExchangeUri", "")
    wanted = kind.startswith("oauth2clientcredentials") or (not kind and not values.get(SECRET_TOKEN))
    return OAuthClient(url, client_id, secret) if wanted and url and client_id and secret else None


def job_id_of(service_principal: ServicePrincipal, template_id: str = "") -> str:
    """The id of an app's job, also before there is one. ``template_id``: empty for the app's own, or ``scim``."""
    template = template_id or service_principal.template_id or ANY_APP
    return f"{template}.{service_principal.tenant_id.replace('-', '')}.{service_principal.app_id}"


def _app(service_principal: ServicePrincipal, job_id: str | None, configuration: Job | None) -> App:
    return App(service_principal, job_id or job_id_of(service_principal), configuration, has_job=job_id is not None)


def _pick(apps: list[tuple[ServicePrincipal, str | None]], ref: str) -> tuple[ServicePrincipal, str | None]:
    """The app that ``ref`` means: an id, else the exact name, else the one name that differs in case only."""
    for app in apps:
        if ref in (app[0].app_id, app[0].id, app[1] or job_id_of(app[0])):
            return app
    named = [app for app in apps if app[0].display_name.casefold() == ref.casefold()]
    exact = [app for app in named if app[0].display_name == ref]
    found = exact or named
    if len(found) > 1:
        raise AmbiguousApp(
            f"{ref!r} can be {' or '.join(f'{app.display_name} ({app.id})' for app, _ in found)}.",
            hint="Name it exactly, or by its id.",
        )
    if not found:
        names = ", ".join(app.display_name for app, _ in apps[:20])
        raise AppNotFound(
            f"This tenant has no app {ref!r}.", hint=f"It has: {names}." if names else "Add one from the gallery."
        )
    return found[0]


def _encoded(document: Mapping[str, Any]) -> bytes:
    """The document's JSON, from which exactly this document comes back. Raises ``InvalidSchema`` where none does."""
    try:
        encoded = msgspec.json.encode(document)
    except (UnicodeEncodeError, RecursionError) as error:
        raise InvalidSchema((Finding("$", f"this cannot be stored as JSON: {error}"),)) from error
    if msgspec.json.decode(encoded) != document:
        problem = "it holds a number that cannot be stored as JSON (NaN or an infinity)"
        raise InvalidSchema((Finding("$", problem),))
    return encoded


def _changed(changes: Mapping[str, object]) -> Callable[[JobSettings], JobSettings]:
    """A function that makes these changes. What is wrong with them is raised when it is called."""

    def change(settings: JobSettings) -> JobSettings:
        try:
            return msgspec.convert({**msgspec.to_builtins(settings), **changes}, JobSettings)
        except msgspec.ValidationError as error:
            raise InvalidSettings(f"The settings cannot be used: {error}.") from error

    return change
