"""A company's resources over a real database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from provisor.provider.model import Principal
from provisor.provider.resources.service import Resources
from provisor.provider.resources.store import ResourceStore
from provisor.scim.schemas import GROUP_URN, USER_URN
from provisor.security.actor import Actor, Realm, rights_of
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock

Maker = Callable[..., Awaitable[str]]


def principal(company: str = "acme", dialect: str = "entra") -> Principal:
    actor = Actor(Realm("company", company), "key", rights_of(["Company Administrator"]))
    return Principal(company, actor, "key", dialect)


@pytest.fixture
def acme() -> Principal:
    return principal()


@pytest.fixture
def other() -> Principal:
    return principal("other")


@pytest.fixture
def resources(database: Database, clock: SettableClock) -> Resources:
    return Resources(ResourceStore(database), clock, scan_cap=2_000)


@pytest.fixture
def user(resources: Resources, acme: Principal) -> Maker:
    """Makes a user of Acme; its id."""

    async def make(name: str, caller: Principal = acme, **more: Any) -> str:
        body = {"schemas": [USER_URN], "userName": name, **more}
        return (await resources.create(caller, "User", body)).stored.id

    return make


@pytest.fixture
def group(resources: Resources, acme: Principal) -> Maker:
    """Makes a group of Acme; its id."""

    async def make(name: str, members: list[str] | None = None, caller: Principal = acme) -> str:
        listed = [{"value": member} for member in members or []]
        body = {"schemas": [GROUP_URN], "displayName": name, "members": listed}
        return (await resources.create(caller, "Group", body)).stored.id

    return make
