"""The feeds never skip: architecture, section 5.1."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from provisor.events.model import NewChange, NewOutboxChange
from provisor.events.store import FeedStore, OutboxStore, append, append_outbox
from provisor.storage.database import Database, Tx
from provisor.storage.postgresql import PostgresDatabase
from provisor.testing.database import Store

Append = Callable[[Tx, int], Awaitable[int]]


async def append_to_feed(tx: Tx, count: int) -> int:
    entries = [NewChange("User", "u", "updated") for _ in range(count)]
    return await append(tx, "t", entries, actor="someone", at=0)


async def append_to_outbox(tx: Tx, count: int) -> int:
    return await append_outbox(tx, "c", [NewOutboxChange("User", "u", "updated") for _ in range(count)], at=0)


class Feed:
    """Either feed, for tests that say the same of both."""

    def __init__(self, database: Database, kind: str) -> None:
        self.append: Append = append_to_feed if kind == "feed" else append_to_outbox
        self._store = FeedStore(database) if kind == "feed" else OutboxStore(database)
        self._key = "t" if kind == "feed" else "c"

    async def numbers(self, after: int) -> list[int]:
        return [change.seq for change in await self._store.read(self._key, after, 7)]

    async def head(self) -> int:
        return await self._store.head(self._key)


both_feeds = pytest.mark.parametrize("kind", ["feed", "outbox"])


@both_feeds
async def test_a_number_cannot_be_seen_before_those_below_it(postgresql_only: Store, kind: str) -> None:
    assert postgresql_only.url is not None
    database = PostgresDatabase(postgresql_only.url)
    await database.open()
    feed = Feed(database, kind)
    appended, release = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx) -> int:
        last = await feed.append(tx, 1)
        appended.set()
        await release.wait()
        return last

    first = asyncio.create_task(database.write(slow))
    await appended.wait()
    second = asyncio.create_task(database.write(lambda tx: feed.append(tx, 1)))
    # The second began later and would commit first: it has to wait, and a reader sees neither.
    done, _ = await asyncio.wait([second], timeout=0.3)
    assert not done
    assert await feed.numbers(0) == []
    assert await feed.head() == 0
    release.set()
    assert (await first, await second) == (1, 2)
    assert await feed.numbers(0) == [1, 2]
    await database.close()


@both_feeds
async def test_a_reader_beside_many_writers_sees_each_number_once_and_in_order(store: Store, kind: str) -> None:
    writers, reader = [store.database() for _ in range(2)], store.database()
    for database in (*writers, reader):
        await database.open()
    choice = random.Random(1)

    async def write(database: Database) -> int:
        total = 0
        for _ in range(15):
            count, fails, pause = choice.randint(1, 3), choice.random() < 0.2, choice.random() / 200

            async def work(tx: Tx, count: int = count, fails: bool = fails, pause: float = pause) -> None:
                await feed.append(tx, count)
                if tx.dialect == "postgresql":
                    await tx.fetch_one("SELECT pg_sleep(:pause)", {"pause": pause})
                if fails:
                    raise LookupError("on purpose")

            try:
                await database.write(work)
            except LookupError:
                continue
            total += count
        return total

    feed = Feed(reader, kind)
    tasks = [asyncio.create_task(write(database)) for database in writers * 4]
    seen: list[int] = []
    while not all(task.done() for task in tasks) or await feed.head() > len(seen):
        seen.extend(await feed.numbers(len(seen)))
        await asyncio.sleep(0)
    total = sum([await task for task in tasks])
    assert seen == list(range(1, total + 1))
    for database in (*writers, reader):
        await database.close()
