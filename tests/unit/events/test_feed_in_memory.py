from provisor.events.correlation import correlated
from provisor.events.model import Change, NewChange, NewOutboxChange, OutboxChange
from provisor.events.store import FeedStore, OutboxStore, append, append_outbox
from provisor.storage.database import Tx
from provisor.storage.sqlite import SqliteDatabase


async def test_a_feed_numbers_each_tenants_changes_from_one(memory_database: SqliteDatabase) -> None:
    feed = FeedStore(memory_database)
    assert await feed.head("t1") == 0
    entries = [NewChange("User", "u1", "created"), NewChange("Member", "g1", "added", "u1")]
    with correlated("c1"):
        assert await memory_database.write(lambda tx: append(tx, "t1", entries, actor="someone", at=5)) == 2
        assert await memory_database.write(lambda tx: append(tx, "t2", entries[:1], actor="someone", at=6)) == 1
    with correlated("c2"):
        assert await memory_database.write(lambda tx: append(tx, "t1", entries[:1], actor="other", at=7)) == 3
    assert await feed.read("t1", 0, 10) == [
        Change(1, "User", "u1", None, "created", "someone", 5, "c1"),
        Change(2, "Member", "g1", "u1", "added", "someone", 5, "c1"),
        Change(3, "User", "u1", None, "created", "other", 7, "c2"),
    ]
    assert [await feed.head(tenant) for tenant in ("t1", "t2")] == [3, 1]


async def test_a_feed_is_read_in_pages(memory_database: SqliteDatabase) -> None:
    entries = [NewChange("User", f"u{number}", "created") for number in range(5)]
    await memory_database.write(lambda tx: append(tx, "t", entries, actor="a", at=0))
    feed = FeedStore(memory_database)
    assert [[change.seq for change in await feed.read("t", after, 2)] for after in (0, 2, 4, 5)] == [
        [1, 2],
        [3, 4],
        [5],
        [],
    ]


async def test_appending_nothing_takes_no_number(memory_database: SqliteDatabase) -> None:
    async def work(tx: Tx) -> tuple[int, int]:
        return await append(tx, "t", [], actor="a", at=0), await append_outbox(tx, "c", [], at=0)

    assert await memory_database.write(work) == (0, 0)


async def test_an_outbox_numbers_each_companys_changes_from_one(memory_database: SqliteDatabase) -> None:
    outbox = OutboxStore(memory_database)
    entries = [NewOutboxChange("User", "u1", "created"), NewOutboxChange("User", "u1", "updated")]
    assert await memory_database.write(lambda tx: append_outbox(tx, "c1", entries, at=5)) == 2
    assert await memory_database.write(lambda tx: append_outbox(tx, "c2", entries[1:], at=6)) == 1
    assert await outbox.read("c1", 1, 10) == [OutboxChange(2, "User", "u1", "updated", 5)]
    assert [await outbox.head(company) for company in ("c1", "c2", "c3")] == [2, 1, 0]
