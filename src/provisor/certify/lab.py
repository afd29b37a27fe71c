"""The identity side of a certification: an embedded directory, the real engine on it, and a clock of its own.

Nothing here imitates the engine: a story changes the directory, and cycles run as they would in production, with the
profile's dialect. Every story has a tenant, an app and a job of its own, so that none stumbles over another's faults.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from provisor.app.services import AppServices
from provisor.app.settings import Settings
from provisor.applications.model import Credentials, Job
from provisor.clock import SystemClock
from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.check import connected
from provisor.connector.client import ScimClient
from provisor.connector.dialect import Dialect
from provisor.connector.messages import Kind
from provisor.connector.transport import Transport
from provisor.directory.model import Group, User
from provisor.provisioning.credentials import CredentialsState, learnt
from provisor.provisioning.engine import run_inline
from provisor.provisioning.log.model import LogFilter
from provisor.provisioning.watch import REQUEST_MS, check_before_send, tell_before_wait
from provisor.security.actor import Actor, operator
from provisor.security.secrets import KEY_BYTES, MasterKey
from provisor.storage.migrations import migrate
from provisor.storage.sqlite import MEMORY, SqliteDatabase

if TYPE_CHECKING:
    from provisor.app.targets import TargetClients

DAY = 24 * 3600
# A cycle whose objects wait for each other may be followed by another at once; more than this is a loop.
_MOST_CYCLES = 6
_WORDS = Actor(operator().realm, "Provisor certification", operator().rights)


class LabClock:
    """Real time, moved on by what a story lets pass. The endpoint's own pace is waited for in earnest."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._ahead_ms = 0

    def now_ms(self) -> int:
        return self._real.now_ms() + self._ahead_ms

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def pass_time(self, seconds: float) -> None:
        self._ahead_ms += round(seconds * 1000)


class _Targets:
    """One client for all jobs, with the profile's dialect and what was found out about the endpoint."""

    def __init__(self, client: ScimClient) -> None:
        self._client = client

    async def client(self, actor: Actor, job: Job) -> ScimClient:
        return self._client

    def trial(self, job: Job, credentials: Credentials) -> ScimClient:
        return self._client


class _Services(AppServices):
    """The program's own services, but for the target: that is the endpoint under test."""

    client: ScimClient

    @cached_property
    def targets(self) -> TargetClients:
        return _Targets(self.client)  # type: ignore[return-value]  # the engine asks for no more than ``client``


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint as the engine is to see it."""

    transport: Transport
    address: str
    token: str | None
    dialect: Dialect
    capabilities: CapabilityProfile


@asynccontextmanager
async def open_lab(target: Target, clock: LabClock) -> AsyncIterator[Lab]:
    """An empty directory in memory, gone with the block."""
    database = SqliteDatabase(MEMORY)
    await database.open()
    try:
        await migrate(database)
        key = MasterKey(secrets.token_bytes(KEY_BYTES), "this certification")
        services = _Services(database, key, lambda: target.transport, Settings(), clock)
        yield Lab(services, target, clock)
    finally:
        await database.close()


class Lab:
    """The directory's side of all stories. ``run``: a few letters that no other run has."""

    def __init__(self, services: _Services, target: Target, clock: LabClock) -> None:
        self.clock = clock
        self.run = secrets.token_hex(3)
        self.target = target
        self._services = services
        services.client = self.client_for(target.token)

    def client_for(self, token: str | None) -> ScimClient:
        """A client as the engine has it, with this token."""
        return ScimClient(
            self.target.transport,
            base_address=self.target.address,
            token=token,
            dialect=self.target.dialect,
            capabilities=self.target.capabilities,
            clock=self.clock,
            timeout=REQUEST_MS / 1000,
            before_send=check_before_send,
            before_wait=tell_before_wait,
        )

    def allow(self, capabilities: CapabilityProfile) -> None:
        """From here on the engine knows this of the endpoint."""
        self.target = replace(self.target, capabilities=capabilities)
        self._services.client = self.client_for(self.target.token)

    async def world(self, story: str, domain: str) -> World:
        """A tenant, an app and a started job for one story. ``domain``: what its people's names end in."""
        services = self._services
        tenant = await services.directory.create_tenant(_WORDS, story, f"{story}-{self.run}.certify.example")
        app = await services.applications.add(
            _WORDS, tenant.id, "scim", story, self.target.address, self.target.token or None
        )
        await services.applications.change_settings(_WORDS, app.job_id, {"dialect": self.target.dialect.name})
        # A job does not start on a target that fails its test. What the test finds, the first story tells; the others
        # are to be told all the same.
        version = await services.applications.credentials_version(_WORDS, app.job_id)
        now = self.clock.now_ms()
        passed = learnt(connected(None), version, CredentialsState("untested"), now)
        if passed is not None:
            await services.stores.jobs.save_credentials_state(app.job_id, passed, now)
        return World(services, self, tenant.id, app.service_principal.id, app.job_id, f"{story}-{self.run}", domain)


class World:
    """One story's tenant: its people and groups, who is assigned, and its cycles."""

    def __init__(
        self, services: _Services, lab: Lab, tenant_id: str, app_id: str, job_id: str, suffix: str, domain: str
    ) -> None:
        self._services = services
        self._lab = lab
        self._tenant_id = tenant_id
        self._app_id = app_id
        self._suffix = suffix
        self._domain = domain
        self._engine = services.engine("certification")
        self.job_id = job_id

    def address(self, name: str) -> str:
        """``ada`` -> a user principal name that only this run has."""
        return f"{name.lower()}.{self._suffix}@{self._domain}"

    def title(self, name: str) -> str:
        """``Sales`` -> a group's name that only this run has."""
        return f"{name} {self._suffix}"

    # The directory

    async def person(self, name: str, *, assigned: bool = True, **attributes: Any) -> User:
        """Somebody new, with a first name, a last name and a work address unless ``attributes`` say otherwise."""
        upn = attributes.pop("userPrincipalName", self.address(name))
        given = {
            "userPrincipalName": upn,
            "displayName": f"{name} Certify",
            "givenName": name,
            "surname": "Certify",
            "mail": upn,
            "mailNickname": upn.partition("@")[0],
            **attributes,
        }
        user = await self._services.directory.create_user(_WORDS, self._tenant_id, given)
        if assigned:
            await self.assign(user.id, "User")
        return user

    async def change(self, user: User, **changes: Any) -> User:
        return await self._services.directory.update_user(_WORDS, self._tenant_id, user.id, changes)

    async def set_manager(self, user: User, manager: User | None) -> None:
        await self._services.directory.set_manager(_WORDS, self._tenant_id, user.id, manager.id if manager else None)

    async def delete(self, user: User) -> None:
        """Into the recycle bin: the directory puts the user's id before the name, as Entra does."""
        await self._services.directory.delete_user(_WORDS, self._tenant_id, user.id)

    async def restore(self, user: User) -> None:
        await self._services.directory.restore_user(_WORDS, self._tenant_id, user.id)

    async def purge_after_30_days(self) -> None:
        """Thirty days pass, and the directory empties its recycle bin."""
        self._lab.clock.pass_time(31 * DAY)
        await self._services.directory.purge_expired(_WORDS, self._tenant_id)

    async def group(self, name: str, members: Sequence[User] = (), *, assigned: bool = True) -> Group:
        group = await self._services.directory.create_group(
            _WORDS, self._tenant_id, {"displayName": self.title(name), "securityEnabled": True}
        )
        if members:
            await self.join(group, members)
        if assigned:
            await self.assign(group.id, "Group")
        return group

    async def rename_group(self, group: Group, name: str) -> None:
        await self._services.directory.update_group(
            _WORDS, self._tenant_id, group.id, {"displayName": self.title(name)}
        )

    async def delete_group(self, group: Group) -> None:
        await self._services.directory.delete_group(_WORDS, self._tenant_id, group.id)

    async def join(self, group: Group, members: Sequence[User]) -> None:
        ids = [member.id for member in members]
        await self._services.directory.add_members(_WORDS, self._tenant_id, group.id, ids)

    async def leave(self, group: Group, members: Sequence[User]) -> None:
        ids = [member.id for member in members]
        await self._services.directory.remove_members(_WORDS, self._tenant_id, group.id, ids)

    async def assign(self, principal_id: str, kind: Kind) -> None:
        await self._services.applications.assign(_WORDS, self._tenant_id, self._app_id, principal_id, kind)

    async def unassign(self, principal_id: str) -> None:
        await self._services.applications.unassign(_WORDS, self._tenant_id, self._app_id, principal_id)

    # Provisioning

    async def cycle(self) -> None:
        """What is due is done: a cycle, and what follows from it at once."""
        await self._services.provisioning.start(_WORDS, self.job_id)
        for _ in range(_MOST_CYCLES):
            if await run_inline(self._engine, self.job_id) is None:
                return

    async def look_again(self) -> None:
        """The portal's Restart: everybody is evaluated anew."""
        await self._services.provisioning.restart(_WORDS, self.job_id)
        await self.cycle()

    async def retry(self) -> None:
        """A day passes, and what had failed is tried once more."""
        self._lab.clock.pass_time(DAY)
        await self.cycle()

    async def target_id(self, source_id: str) -> str | None:
        """The endpoint's id that the engine has linked to this user or group; null where there is none."""
        links = await self._services.stores.jobs.links(self.job_id, [source_id])
        return links[source_id].target_id if source_id in links else None

    async def troubles(self, source_id: str) -> list[str]:
        """What the provisioning log says went wrong with this object, the latest first."""
        entries = await self._services.provisioning.log(_WORDS, self.job_id, LogFilter(source_id=source_id), limit=20)
        found = []
        for entry in entries:
            info = (entry.get("provisioningStatusInfo") or {}).get("errorInformation")
            if (entry.get("provisioningStatusInfo") or {}).get("status") == "failure" and info:
                found.append(f"{info.get('errorCode')}: {info.get('reason')}")
        return found

    async def quarantine(self) -> str | None:
        """Why the job is in quarantine; null where it is not."""
        status = await self._services.provisioning.status(_WORDS, self.job_id)
        story = status["status"]["quarantine"]
        return None if story is None else str((story.get("error") or {}).get("message") or story.get("reason"))
