"""A copy made while the database serves, and put back: jobs go on without a duplicate."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.integration.provisioning.conftest import TOKEN, World

from provisor.app.locks import FileLock, present, take_presence
from provisor.app.services import wire
from provisor.app.settings import Settings
from provisor.app.upkeep.copies import backup, restore
from provisor.app.upkeep.store import UpkeepStore
from provisor.errors import Conflict, InvalidInput
from provisor.events.store import FeedExpired
from provisor.provisioning.engine import run_inline
from provisor.security.actor import Realm, operator
from provisor.security.secrets import load_key
from provisor.security.store import check_key
from provisor.storage.database import DiskFull, Tx
from provisor.storage.sqlite import SqliteDatabase
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget

KEY = "11" * 32


def settings_of(store: Store, key: str = KEY) -> Settings:
    return Settings(data_dir=store.data_dir, database_url=store.url, environment={"PROVISOR_SECRET_KEY": key})


@asynccontextmanager
async def opened(store: Store, target: SimulatedTarget, clock: SettableClock) -> AsyncIterator[World]:
    """The world on a database file: made the first time, found afterwards."""
    settings = settings_of(store)
    database = store.database()
    await database.open()
    key = load_key(settings.data_dir, settings.environment)
    await check_key(database, key)
    services = wire(database, key, target, settings, clock)
    me = operator()
    tenants = await services.directory.tenants(me)
    if not tenants:
        tenants = [await services.directory.create_tenant(me, "Example", "example.org")]
        address = "https://target.test/scim/v2"
        await services.applications.add(me, tenants[0].id, "scim", "App", address, secret_token=TOKEN)
    app = await services.applications.find(me, tenants[0].id, "App")
    try:
        yield World(services, target, clock, tenants[0], app)
    finally:
        await database.close()


@pytest.mark.parametrize("refuses_duplicates", [True, False], ids=["a target with 409", "a target that makes two"])
async def test_after_a_restore_nothing_is_there_twice(
    sqlite_only: Store, tmp_path: Path, refuses_duplicates: bool
) -> None:
    clock = SettableClock(skipping=True)
    target = SimulatedTarget(token=TOKEN, refuses_duplicates=refuses_duplicates)
    settings, copy = settings_of(sqlite_only), tmp_path / "copy.db"
    async with opened(sqlite_only, target, clock) as world:
        ada, bob = await world.person("ada"), await world.person("bob")
        await world.assign(ada, bob, await world.group("Team", ada))
        await world.start()
        await world.cycle()
        made = await backup(settings, copy, clock)
        # What only the target knows after the restoration: somebody new, a new member, a change, a disable.
        eve = await world.person("eve")
        await world.assign(eve)
        await world.services.directory.update_user(operator(), world.tenant.id, ada.id, {"displayName": "Ada L"})
        await world.unassign(bob)
        await world.cycle()
        seen = await world.services.directory.head(operator(), world.tenant.id)
    assert made.size > 0
    assert copy.stat().st_mode & 0o077 == 0
    assert len(target.users) == 3

    found, aside = await restore(settings, copy, clock)
    assert (found.made_at, found.key_id) == (made.made_at, made.key_id)
    assert aside is not None
    assert aside.exists()

    async with opened(sqlite_only, target, clock) as world:
        store = UpkeepStore(world.services.database)
        await store.settle_after_restore(found.made_at, actor=operator(), at=clock.now_ms())
        with pytest.raises(FeedExpired):
            await world.services.directory.changes(operator(), world.tenant.id, seen, 10)
        # The same people are made anew, as their source has them.
        await world.assign(await world.person("eve"))
        clock.advance(120)
        cycle = await world.cycle()
        assert cycle.kind == "Initial"
        while not await world.quiet():
            clock.advance(120)
        assert sorted(user["userName"] for user in target.users.values()) == [
            "ada@example.org",
            "bob@example.org",
            "eve@example.org",
        ]
        assert [group["displayName"] for group in target.groups.values()] == ["Team"]
        log = await world.services.audit.page(operator(), Realm("system"))
        assert log.entries[0].activity.name == "Restore backup"
        assert not (await world.services.audit.verify(operator())).findings


async def test_a_copy_is_of_one_moment_while_others_write(sqlite_only: Store, tmp_path: Path) -> None:
    clock, settings = SettableClock(skipping=True), settings_of(sqlite_only)
    async with opened(sqlite_only, SimulatedTarget(token=TOKEN), clock) as world:
        writing = True

        async def write() -> int:
            n = 0
            while writing:
                await world.person(f"person{n}")
                n += 1
            return n

        task = asyncio.create_task(write())
        await asyncio.sleep(0.05)
        copies = [await backup(settings, tmp_path / f"copy{n}.db", clock) for n in range(3)]
        writing = False
        assert await task > 0
    for copy in copies:
        connection = sqlite3.connect(copy.path)
        [(users,)] = connection.execute("SELECT COUNT(*) FROM directory_user").fetchall()
        [(told,)] = connection.execute("SELECT seq FROM feed_head").fetchall() or [(0,)]
        connection.close()
        assert users == told


async def test_what_cannot_be_put_back_is_refused_and_nothing_is_lost(sqlite_only: Store, tmp_path: Path) -> None:
    clock, settings = SettableClock(skipping=True), settings_of(sqlite_only)
    async with opened(sqlite_only, SimulatedTarget(token=TOKEN), clock) as world:
        await world.person("ada")
        copy = await backup(settings, tmp_path / "copy.db", clock)
        with pytest.raises(InvalidInput, match="there already"):
            await backup(settings, tmp_path / "copy.db", clock)
    text = tmp_path / "text.db"
    text.write_text("not a database, whatever its name says" * 100)
    with pytest.raises(InvalidInput, match="not a copy"):
        await restore(settings, text, clock)
    with pytest.raises(InvalidInput, match="not a copy"):
        await restore(settings, tmp_path / "nowhere.db", clock)
    with pytest.raises(InvalidInput, match="sealed with the key"):
        await restore(settings_of(sqlite_only, "22" * 32), copy.path, clock)
    with pytest.raises(InvalidInput, match="There is no key"):
        await restore(Settings(data_dir=tmp_path / "new", environment={"HOME": "/"}), copy.path, clock)
    lock = FileLock.take(settings.lock_dir)
    assert lock is not None
    with pytest.raises(Conflict, match="server or worker"):
        await restore(settings, copy.path, clock)
    await lock.release()
    # Servers without a worker hold the database as well.
    async with present(settings), present(settings):
        with pytest.raises(Conflict, match="server or worker"):
            await restore(settings, copy.path, clock)
    alone = await take_presence(settings, alone=True)
    assert alone is not None
    with pytest.raises(Conflict, match="at this moment"):
        async with present(settings):
            raise AssertionError
    await alone.release()
    async with opened(sqlite_only, SimulatedTarget(token=TOKEN), clock) as world:
        assert (await world.services.directory.counts(operator(), world.tenant.id)).users == 1


async def test_a_full_disk_stops_writing_with_its_cause_and_goes_on_when_there_is_room(sqlite_only: Store) -> None:
    clock, target = SettableClock(skipping=True), SimulatedTarget(token=TOKEN)
    async with opened(sqlite_only, target, clock) as world:
        ada = await world.person("ada")
        await world.assign(ada)
        await world.start()
        database = world.services.database
        assert isinstance(database, SqliteDatabase)

        async def pages(tx: Tx) -> int:
            row = await tx.fetch_one("PRAGMA page_count")
            assert row is not None
            return int(row[0])

        async def room(tx: Tx) -> None:
            await tx.fetch_one(f"PRAGMA max_page_count = {size}")

        # SQLite itself says that the disk is full when a file may not grow.
        size = await database.read(pages)
        await database.write(room)

        async def fill() -> None:
            for n in range(200):
                await world.person(f"filler{n}", jobTitle="x" * 128)

        with pytest.raises(DiskFull, match="nothing is written until there is room"):
            await fill()
        # A cycle meets it somewhere on its way: before the create left, or after it.
        for _ in range(3):
            with contextlib.suppress(DiskFull):
                await run_inline(world.services.engine("test"), world.job_id)
        counts = await world.services.directory.counts(operator(), world.tenant.id)
        assert counts.users >= 1

        size = 1_000_000
        await database.write(room)
        while not await world.quiet():
            clock.advance(120)
        assert [user["userName"] for user in target.users.values()] == ["ada@example.org"]
        assert not (await world.services.audit.verify(operator())).findings
