"""Signing in on a fresh database of each engine: everything wired, with one tenant and one company."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.directory.model import User
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey
from provisor.signin.people import PersonKey
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.transport import replies

BASE = "https://id.example"
KEY = MasterKey(b"k" * 32, "a test")


@pytest.fixture
async def services(database: Database, clock: SettableClock) -> AsyncIterator[AppServices]:
    services = wire(database, KEY, replies(), Settings(public_url=BASE), clock)
    yield services
    await services.close()


@pytest.fixture
async def tenant(services: AppServices) -> str:
    """The id of a tenant."""
    return (await services.directory.create_tenant(operator(), "Lindenhof", "lindenhof.example")).id


@pytest.fixture
async def ada(services: AppServices, tenant: str) -> User:
    """A person of the tenant, without a role."""
    return await make_user(services, tenant, "ada")


async def make_user(services: AppServices, tenant: str, name: str) -> User:
    upn = f"{name}@lindenhof.example"
    return await services.directory.create_user(
        operator(), tenant, {"displayName": name.title(), "userPrincipalName": upn, "accountEnabled": True}
    )


def person(user: User) -> PersonKey:
    return PersonKey("tenant", user.tenant_id, user.id)
