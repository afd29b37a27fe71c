"""How long a company's changes are kept, and what whoever comes too late is told, on both engines."""

from __future__ import annotations

import pytest
from tests.integration.events.test_webhooks import SEALER, Receiver, the_hook

from provisor.app.upkeep.store import UpkeepStore
from provisor.events.model import NewOutboxChange, Span
from provisor.events.outbox import Outbox
from provisor.events.store import OutboxExpired, OutboxStore, append_outbox
from provisor.events.webhooks.delivery import WebhookDelivery
from provisor.events.webhooks.model import Reply
from provisor.events.webhooks.service import Webhooks
from provisor.events.webhooks.store import WebhookStore
from provisor.security.actor import operator
from provisor.storage.database import Database, Tx
from provisor.testing.clock import SettableClock

DAY = 86_400
URL = "https://app.example/hook"


class Story:
    """A company ``acme`` whose changes come and go; they are kept for 30 days."""

    def __init__(self, database: Database, clock: SettableClock) -> None:
        self.database, self.clock, self.receiver = database, clock, Receiver()
        self.outbox = Outbox(OutboxStore(database))
        self.hooks = Webhooks(WebhookStore(database), OutboxStore(database), SEALER, clock)
        self.delivery = WebhookDelivery(WebhookStore(database), OutboxStore(database), SEALER, clock, self.receiver)
        self.store = UpkeepStore(database)

    async def change(self, count: int = 1, *, at: int | None = None) -> None:
        moment = self.clock.now_ms() if at is None else at
        entries = [NewOutboxChange("User", f"u{number}", "updated") for number in range(count)]

        async def work(tx: Tx) -> None:
            await append_outbox(tx, "acme", entries, moment)

        await self.database.write(work)

    async def expire(self, limit: int = 100) -> int:
        before = self.clock.now_ms() - 30 * DAY * 1000
        if "acme" not in await self.store.old_outboxes(before):
            return 0
        return await self.store.expire_outbox("acme", before, limit)

    async def kept(self) -> Span:
        return await self.outbox.span(operator(), "acme")

    async def deliver(self) -> int:
        return await self.delivery.run_once(self.clock.now_ms())


@pytest.fixture
def story(database: Database, clock: SettableClock) -> Story:
    return Story(database, clock)


async def test_what_is_old_goes_and_what_is_young_stays(story: Story) -> None:
    await story.change(3)
    story.clock.advance(20 * DAY)
    await story.change(2)
    assert await story.expire() == 0
    story.clock.advance(11 * DAY)
    assert (await story.expire(), await story.expire()) == (3, 0)
    assert await story.kept() == Span(3, 5)
    page = await story.outbox.read(operator(), "acme", 3)
    assert ([change.seq for change in page.changes], page.next, page.head) == ([4, 5], 5, 5)


async def test_it_goes_in_parts_and_the_numbers_go_on_when_nothing_is_left(story: Story) -> None:
    await story.change(5)
    story.clock.advance(31 * DAY)
    assert [await story.expire(2) for _ in range(4)] == [2, 2, 1, 0]
    assert await story.kept() == Span(5, 5)
    assert (await story.outbox.read(operator(), "acme", 5)).changes == []
    await story.change()
    assert [one.seq for one in (await story.outbox.read(operator(), "acme", 5)).changes] == [6]


async def test_a_clock_that_went_back_takes_nothing_out_of_the_middle(story: Story) -> None:
    await story.change()
    now = story.clock.now_ms()
    await story.change(at=now + 5 * DAY * 1000)
    await story.change(at=now)
    story.clock.advance(31 * DAY)
    assert await story.expire() == 1
    assert [one.seq for one in (await story.outbox.read(operator(), "acme", 1)).changes] == [2, 3]


@pytest.mark.parametrize("left", [0, 2])
async def test_a_cursor_before_what_is_kept_is_told_what_to_do(story: Story, left: int) -> None:
    await story.change(4)
    story.clock.advance(31 * DAY)
    if left:
        await story.change(left)
    await story.expire()
    for after in (0, 3):
        with pytest.raises(OutboxExpired, match=r"up to 4 .* read all resources anew") as caught:
            await story.outbox.read(operator(), "acme", after)
        assert caught.value.head == 4 + left
    assert (await story.outbox.read(operator(), "acme", 4)).head == 4 + left


async def test_another_companys_changes_stay(story: Story) -> None:
    await story.change(2)

    async def work(tx: Tx) -> None:
        await append_outbox(tx, "other", [NewOutboxChange("User", "u", "created")], 0)

    await story.database.write(work)
    story.clock.advance(31 * DAY)
    assert await story.expire() == 2
    assert await story.outbox.span(operator(), "other") == Span(0, 1)


async def test_a_webhook_that_works_keeps_what_it_has_not_taken_however_long_nobody_sent(story: Story) -> None:
    await story.hooks.add(operator(), "acme", URL)
    await story.change(2)
    assert await story.deliver() == 1
    await story.change(2)
    # The server was away.
    story.clock.advance(100 * DAY)
    assert await story.expire() == 2
    assert await story.deliver() == 1
    assert story.receiver.numbers == [1, 2, 3, 4]
    assert await story.expire() == 2


async def test_a_webhook_that_failed_lately_keeps_what_it_has_not_taken(story: Story) -> None:
    await story.hooks.add(operator(), "acme", URL)
    await story.change(2)
    story.clock.advance(29 * DAY)
    await story.deliver()
    story.receiver.answers = [Reply(500)]
    await story.change()
    await story.deliver()
    story.clock.advance(29 * DAY)
    await story.change()
    story.clock.advance(DAY // 2)
    # Two are taken; the third is 29 days old and its webhook fails since then.
    assert await story.expire() == 2
    story.clock.advance(DAY)
    assert await story.expire() == 1


async def test_a_webhook_that_fails_for_longer_pauses_and_says_why(story: Story) -> None:
    await story.hooks.add(operator(), "acme", URL)
    await story.change(3)
    story.receiver.answers = [Reply(500)]
    await story.deliver()
    story.clock.advance(31 * DAY)
    await story.change()
    assert await story.expire() == 3
    assert await story.deliver() == 0
    hook = await the_hook(story.hooks)
    assert hook.paused is not None
    assert "Changes up to 3 are no longer kept" in hook.paused
    assert "read all resources anew" in hook.paused
    assert story.receiver.numbers == [1, 2, 3]  # the attempt that failed; nothing is left out in silence
    with pytest.raises(OutboxExpired):
        await story.hooks.replay(operator(), "acme", hook.id)
    assert await story.hooks.replay(operator(), "acme", hook.id, after=4) == 4
    await story.change()
    assert await story.deliver() == 1
    assert story.receiver.numbers[3:] == [5]


async def test_one_that_pauses_for_longer_holds_nothing(story: Story) -> None:
    await story.hooks.add(operator(), "acme", URL)
    await story.change()
    story.receiver.answers = [Reply(410)]
    await story.deliver()
    assert (await the_hook(story.hooks)).paused is not None
    story.clock.advance(31 * DAY)
    assert await story.expire() == 1


async def test_a_webhook_cannot_begin_before_what_is_kept(story: Story) -> None:
    await story.change(2)
    story.clock.advance(31 * DAY)
    await story.expire()
    with pytest.raises(OutboxExpired):
        await story.hooks.add(operator(), "acme", URL, after=1)
    webhook, _ = await story.hooks.add(operator(), "acme", URL, after=2)
    assert webhook.position == 2
