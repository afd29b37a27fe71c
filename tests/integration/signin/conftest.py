"""Signing in on a fresh database of each engine: everything wired, with one tenant and one company."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pyotp
import pytest
from tests.integration.signin.browser import BASE, Browser

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.cli.faces import make_app
from provisor.directory.model import User
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey
from provisor.signin.people import PersonKey
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.transport import replies
from provisor.web.asgi import Front

PASSWORD = "correct horse battery"
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


@pytest.fixture
def app(services: AppServices) -> Front:
    """The application that a server would run."""
    return make_app(services)


@pytest.fixture
async def browser(app: Front) -> AsyncIterator[Browser]:
    browser = Browser(app)
    yield browser
    await browser.close()


async def with_password(services: AppServices, key: PersonKey, password: str = PASSWORD) -> None:
    """Give a person a password, by the way that everybody gets one."""
    link = await services.links.for_person(operator(), key)
    await services.joining.accept(link.path.removeprefix("/welcome/"), password)


async def with_second_factor(services: AppServices, key: PersonKey, clock: SettableClock) -> tuple[str, list[str]]:
    enrolment = await services.accounts.begin_second_factor(key)
    codes = await services.accounts.confirm_second_factor(key, code_of(enrolment.secret, clock))
    return enrolment.secret, codes


def code_of(secret: str, clock: SettableClock, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now_ms() // 1000 + 30 * steps)
