"""Synchronization, its door: templates, jobs, credentials and schema below a service principal, as Graph has them.

An application has at most one job. Before there is one, credentials can be given already: they wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from provisor.applications import gallery
from provisor.applications.address import same_origin
from provisor.applications.errors import JobNotFound, TemplateNotFound
from provisor.applications.gallery import Template
from provisor.applications.model import Job, JobSettings, Removed, ServicePrincipal
from provisor.applications.service import ANY_APP, Applications, job_id_of
from provisor.applications.store import ApplicationStore, NewJob, Waiting
from provisor.applications.synchronization import documents, keys
from provisor.applications.synchronization.keys import MASK, InvalidSecrets, is_secret
from provisor.clock import Clock
from provisor.security.actor import Actor, Right
from provisor.security.secrets import SealBroken, SealedElsewhere, Sealer

Values = dict[str, str]


class Synchronization:
    """Provisioning configurations. Methods check the actor's rights in the service principal's tenant."""

    def __init__(self, store: ApplicationStore, applications: Applications, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._applications = applications
        self._sealer = sealer
        self._clock = clock

    def templates(self, actor: Actor, sp: ServicePrincipal) -> list[Template]:
        """What a job of this application can be made of, the recommended one first."""
        actor.require(Right.SYNCHRONIZATION_READ, sp.tenant_id)
        own = gallery.template(sp.template_id or ANY_APP)
        return [own, *(gallery.template(alias) for alias in own.aliases)]

    def template(self, actor: Actor, sp: ServicePrincipal, template_id: str) -> Template:
        """One of them. Raises ``TemplateNotFound``."""
        offered = self.templates(actor, sp)
        for template in offered:
            if template_id in (template.id, template.graph_id):
                return template
        raise TemplateNotFound(
            f"{sp.display_name} has no synchronization template {template_id!r}.",
            hint=f"It has: {', '.join(template.id for template in offered)}.",
        )

    # Jobs

    async def jobs(self, actor: Actor, sp: ServicePrincipal) -> list[Job]:
        """The application's job, if it has one."""
        actor.require(Right.SYNCHRONIZATION_READ, sp.tenant_id)
        row = await self._store.job_of(sp.id)
        return [await self._applications.job(actor, row.id)] if row else []

    async def job(self, actor: Actor, sp: ServicePrincipal, job_id: str) -> Job:
        """This job of this application. Raises ``JobNotFound``."""
        job = await self._applications.job(actor, job_id)
        if job.service_principal_id != sp.id:
            raise JobNotFound(f"{sp.display_name} has no job {job_id}.")
        return job

    async def create_job(self, actor: Actor, sp: ServicePrincipal, template_id: str) -> Job:
        """A job with the template's schema, and with the credentials and settings that waited for it.

        Raises ``TemplateNotFound``, ``JobExists``.
        """
        actor.require(Right.SYNCHRONIZATION_WRITE, sp.tenant_id)
        template = self.template(actor, sp, template_id)
        waiting, job_id = self._waiting(sp), job_id_of(sp, template.id)
        values = self._opened(waiting.id, sp.tenant_id, await self._store.secrets(waiting.id))
        if keys.BASE_ADDRESS not in values and template.tenant_url:
            values[keys.BASE_ADDRESS] = template.tenant_url
        settings = _changed(JobSettings(), keys.settings_of(values, JobSettings()))
        secrets = {key: value for key, value in values.items() if key not in keys.SETTINGS}
        await self._store.insert_job(
            NewJob(
                id=job_id,
                tenant_id=sp.tenant_id,
                service_principal_id=sp.id,
                template_id=template.id,
                created_at=self._clock.now_ms(),
                schema=msgspec.json.encode(template.default_schema(job_id)),
                settings=settings,
                secrets={key: self._seal(job_id, sp.tenant_id, key, value) for key, value in secrets.items()},
                actor=actor,
            ),
            waiting.id,
        )
        return await self._applications.job(actor, job_id)

    async def delete_job(self, actor: Actor, sp: ServicePrincipal, job_id: str) -> Removed:
        """Remove a job with its credentials; the accounts in the target stay. Raises ``JobNotFound``.

        What the engine keeps of it is the engine's to remove: see ``Removed.job_ids``.
        """
        actor.require(Right.SYNCHRONIZATION_WRITE, sp.tenant_id)
        await self.job(actor, sp, job_id)
        row = await self._store.job(job_id)
        if row is not None:
            await self._store.delete_job(row, actor=actor, at=self._clock.now_ms())
        return Removed(sp, (job_id,))

    # Credentials and settings

    async def secrets(self, actor: Actor, sp: ServicePrincipal) -> list[tuple[str, str]]:
        """Every key that is stored, with its value, or with ``*`` where that is secret; and the settings."""
        actor.require(Right.SYNCHRONIZATION_READ, sp.tenant_id)
        row = await self._store.job_of(sp.id)
        job_id = row.id if row else self._waiting(sp).id
        sealed = await self._store.secrets(job_id)
        plain = self._opened(job_id, sp.tenant_id, {key: one for key, one in sealed.items() if not is_secret(key)})
        values = {key: MASK if is_secret(key) else plain[key] for key in sealed}
        settings = row.settings if row else _changed(JobSettings(), keys.settings_of(values, JobSettings()))
        known = [(key, values[key]) for key in keys.KEYS if key in values and key not in keys.SETTINGS]
        return [*known, *keys.shown(settings)]

    async def set_secrets(
        self, actor: Actor, sp: ServicePrincipal, pairs: Sequence[tuple[str, str]], *, replace: bool
    ) -> None:
        """Store credentials and settings. An empty value forgets a key, ``*`` keeps the stored secret.

        ``replace``: credentials that are not named are forgotten. Settings that are not named stay in any case: who
        enters a new token does not mean to change who is in scope. Raises ``InvalidSecrets``, ``InvalidTenantUrl``,
        ``InvalidSecretToken``, and then nothing is stored.
        """
        actor.require(Right.SYNCHRONIZATION_WRITE, sp.tenant_id)
        given = keys.checked(pairs)
        row = await self._store.job_of(sp.id)
        before = row.settings if row else JobSettings()
        settings = keys.settings_of(given, before)
        _changed(before, settings)
        place = row or self._waiting(sp)
        if row is not None:
            given = {key: value for key, value in given.items() if key not in keys.SETTINGS}
        change = self._change(place.id, sp, given, replace=replace)
        await self._store.change_secrets(place, change, actor=actor, at=self._clock.now_ms())
        if row is not None and settings:
            await self._applications.change_settings(actor, row.id, settings)

    async def completed(self, actor: Actor, sp: ServicePrincipal, pairs: Sequence[tuple[str, str]]) -> Values:
        """These credentials, with the stored one for ``*``: to be tried, not stored. Raises ``InvalidSecrets``."""
        actor.require(Right.SYNCHRONIZATION_WRITE, sp.tenant_id)
        given = keys.checked(pairs)
        row = await self._store.job_of(sp.id)
        job_id = row.id if row else self._waiting(sp).id
        sealed = await self._store.secrets(job_id)
        kept = {key for key, value in given.items() if value == MASK}
        stored = self._opened(job_id, sp.tenant_id, {key: one for key, one in sealed.items() if key in kept})
        if kept:
            address = self._opened(job_id, sp.tenant_id, _only(sealed, keys.BASE_ADDRESS)).get(keys.BASE_ADDRESS)
            _require_same(given, stored, address)
        return {key: stored.get(key, "") if key in kept else value for key, value in given.items()}

    async def saved(self, actor: Actor, sp: ServicePrincipal) -> Values:
        """The stored credentials in the clear, for the connector."""
        actor.require(Right.SYNCHRONIZATION_WRITE, sp.tenant_id)
        row = await self._store.job_of(sp.id)
        job_id = row.id if row else self._waiting(sp).id
        return self._opened(job_id, sp.tenant_id, await self._store.secrets(job_id))

    # Schema

    async def schema(self, actor: Actor, sp: ServicePrincipal, job_id: str) -> Mapping[str, Any]:
        """The job's schema as it is given out. Raises ``JobNotFound``."""
        job = await self.job(actor, sp, job_id)
        return documents.outgoing(job.schema.document, job.schema_version)

    async def set_schema(self, actor: Actor, sp: ServicePrincipal, job_id: str, document: Mapping[str, Any]) -> Job:
        """Replace the schema; directories that are not given stay. Raises ``InvalidSchema``, ``JobNotFound``."""
        job = await self.job(actor, sp, job_id)
        whole = documents.incoming(document, job.schema.document)
        return await self._applications.set_schema(actor, job.id, whole)

    async def restore_schema(self, actor: Actor, sp: ServicePrincipal, job_id: str) -> Job:
        """Put the template's schema in its place. Raises ``JobNotFound``."""
        job = await self.job(actor, sp, job_id)
        return await self._applications.restore_default_schema(actor, job.id)

    def _change(
        self, job_id: str, sp: ServicePrincipal, given: Values, *, replace: bool
    ) -> Callable[[dict[str, bytes]], dict[str, bytes | None]]:
        def change(sealed: dict[str, bytes]) -> dict[str, bytes | None]:
            kept = {key for key, value in given.items() if value == MASK}
            others = {key for key in sealed if key not in given and key not in keys.SETTINGS}
            staying = kept if replace else kept | {key for key in others if is_secret(key)}
            try:
                address = self._opened(job_id, sp.tenant_id, _only(sealed, keys.BASE_ADDRESS)).get(keys.BASE_ADDRESS)
            except (SealBroken, SealedElsewhere):
                if staying or keys.BASE_ADDRESS not in given:
                    raise
                address = None  # entering everything again is the way out, so its loss must not stand in that way
            _require_same(given, {key: "" for key in sealed if key in staying}, address)
            changes: dict[str, bytes | None] = dict.fromkeys(others) if replace else {}
            for key, value in given.items():
                if key in kept:
                    continue
                if value:
                    changes[key] = self._seal(job_id, sp.tenant_id, key, value)
                elif key in sealed:
                    changes[key] = None
            return changes

        return change

    def _waiting(self, sp: ServicePrincipal) -> Waiting:
        return Waiting(job_id_of(sp), sp.tenant_id, sp.id, sp.display_name)

    def _seal(self, job_id: str, tenant_id: str, key: str, value: str) -> bytes:
        return self._sealer.seal(value.encode(), f"{tenant_id}/{job_id}/{key}")

    def _opened(self, job_id: str, tenant_id: str, sealed: Mapping[str, bytes]) -> Values:
        return {key: self._sealer.open(one, f"{tenant_id}/{job_id}/{key}").decode() for key, one in sealed.items()}


def _require_same(given: Values, stored: Mapping[str, str], address: str | None) -> None:
    """A stored secret goes to the server that it was entered for, and to no other. Raises ``InvalidSecrets``."""
    for key, value in given.items():
        if value == MASK and key not in stored:
            raise InvalidSecrets(f"There is no stored {key} that {MASK!r} could stand for.", hint="Enter it.")
    moved = given.get(keys.BASE_ADDRESS)
    if moved and address and stored and not same_origin(moved, address):
        raise InvalidSecrets(
            f"The {keys.BASE_ADDRESS} is another server's than the one that the stored secrets were entered for.",
            hint=f"Enter them again: {', '.join(sorted(stored))}.",
        )


def _only(sealed: Mapping[str, bytes], key: str) -> dict[str, bytes]:
    return {key: sealed[key]} if key in sealed else {}


def _changed(before: JobSettings, changes: Mapping[str, Any]) -> JobSettings:
    return msgspec.convert({**msgspec.to_builtins(before), **changes}, JobSettings)
