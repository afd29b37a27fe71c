"""A tenant with a directory, and the applications' service, on both engines."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from provisor.applications.service import Applications
from provisor.applications.store import ApplicationStore
from provisor.directory.model import Tenant
from provisor.directory.service import Directory
from provisor.directory.store import DirectoryStore
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.security.secrets import MasterKey, Sealer
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock

KEY = MasterKey(bytes(range(32)), "PROVISOR_SECRET_KEY")


@dataclass
class Laboratory:
    """Everything that a test needs; the operator does what the test does not say who does."""

    database: Database
    clock: SettableClock
    directory: Directory
    applications: Applications
    tenant: Tenant
    operator: Actor

    def holder(self, *roles: str, tenant_id: str | None = None) -> Actor:
        """A person with these directory roles."""
        return Actor(Realm("tenant", tenant_id or self.tenant.id), "ada", rights_of(roles))

    async def user(self, name: str) -> str:
        """A new user's id."""
        attributes = {"userPrincipalName": f"{name}@example.com", "displayName": name.title(), "mailNickname": name}
        made = await self.directory.create_user(self.operator, self.tenant.id, {**attributes, "accountEnabled": True})
        return made.id

    async def group(self, name: str, *members: str, security: bool = True) -> str:
        """A new group's id."""
        attributes = {"displayName": name, "mailNickname": name, "mailEnabled": False, "securityEnabled": security}
        made = await self.directory.create_group(self.operator, self.tenant.id, attributes)
        if members:
            await self.directory.add_members(self.operator, self.tenant.id, made.id, members)
        return made.id


@pytest.fixture
async def lab(database: Database, clock: SettableClock) -> Laboratory:
    directory = Directory(DirectoryStore(database), clock)
    applications = Applications(ApplicationStore(database), Sealer(KEY), clock)
    tenant = await directory.create_tenant(operator(), "Example", "example.com")
    return Laboratory(database, clock, directory, applications, tenant, operator())
