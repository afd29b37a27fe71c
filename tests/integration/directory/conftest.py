"""A directory in a fresh database of each engine, with one tenant."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from provisor.directory.model import User
from provisor.directory.service import Directory
from provisor.directory.store import DirectoryStore
from provisor.security.actor import Actor, operator
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock

MakeUser = Callable[..., Awaitable[User]]


@pytest.fixture
def actor() -> Actor:
    return operator()


@pytest.fixture
def directory(database: Database, clock: SettableClock) -> Directory:
    return Directory(DirectoryStore(database), clock)


@pytest.fixture
async def tenant(directory: Directory, actor: Actor) -> str:
    """The id of a tenant."""
    return (await directory.create_tenant(actor, "Lindenhof", "lindenhof.example")).id


@pytest.fixture
def make_user(directory: Directory, actor: Actor, tenant: str) -> MakeUser:
    """``await make_user("anna")`` makes anna@lindenhof.example."""

    async def make(name: str, **attributes: object) -> User:
        upn = f"{name}@lindenhof.example"
        return await directory.create_user(
            actor, tenant, {"displayName": name.title(), "userPrincipalName": upn, **attributes}
        )

    return make


@pytest.fixture
def shared_data() -> Path:
    """The sample data beside the repository; a test that wants it is left out without it, but never in CI."""
    folder = Path(__file__).parents[4] / "shared" / "data"
    if not folder.is_dir() and not os.environ.get("CI"):
        pytest.skip("../shared is not there")
    return folder
