"""A company's outbox, read by cursor and sent to webhooks, over both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from provisor.app.webhooks import delivering
from provisor.errors import Forbidden, InvalidInput, NotFound, Unavailable
from provisor.events.model import NewOutboxChange
from provisor.events.outbox import Outbox
from provisor.events.store import OutboxStore, append_outbox
from provisor.events.webhooks.delivery import BATCH, WebhookDelivery
from provisor.events.webhooks.model import Reply, Webhook
from provisor.events.webhooks.service import Webhooks
from provisor.events.webhooks.store import WebhookStore
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.security.secrets import MasterKey, Sealer
from provisor.storage.database import Database, Tx
from provisor.testing.clock import SettableClock

URL = "https://app.example/hook"
SEALER = Sealer(MasterKey(b"k" * 32, "test"))


@dataclass
class Receiver:
    """Takes deliveries and answers as it is told: with a status, or by raising."""

    answers: list[Reply | Unavailable] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    before_answer: asyncio.Event | None = None

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Reply:
        self.bodies.append(msgspec.json.decode(body))
        if self.before_answer is not None:
            await self.before_answer.wait()
        answer = self.answers.pop(0) if self.answers else Reply(204)
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    @property
    def numbers(self) -> list[int]:
        """The numbers of all changes that came, in their order."""
        return [change["seq"] for body in self.bodies for change in body["changes"]]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def hooks(database: Database, clock: SettableClock) -> Webhooks:
    return Webhooks(WebhookStore(database), OutboxStore(database), SEALER, clock)


@pytest.fixture
def delivery(database: Database, clock: SettableClock, receiver: Receiver) -> WebhookDelivery:
    return WebhookDelivery(WebhookStore(database), OutboxStore(database), SEALER, clock, receiver)


async def change(database: Database, count: int = 1, company: str = "acme") -> None:
    entries = [NewOutboxChange("User", f"u{number}", "created") for number in range(count)]

    async def work(tx: Tx) -> None:
        await append_outbox(tx, company, entries, 0)

    await database.write(work)


async def the_hook(hooks: Webhooks) -> Webhook:
    [found] = await hooks.webhooks(operator(), "acme")
    return found


# By cursor -----------------------------------------------------------------------------------------------------------


async def test_pages_by_cursor_have_every_change_once_and_end_at_the_head(database: Database) -> None:
    await change(database, 7)
    outbox = Outbox(OutboxStore(database))
    seen, after = [], 0
    while True:
        page = await outbox.read(operator(), "acme", after, 3)
        seen += [one.seq for one in page.changes]
        after = page.next
        if len(page.changes) < 3:
            break
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert (page.next, page.head) == (7, 7)
    assert (await outbox.read(operator(), "acme", 7)).next == 7


async def test_a_cursor_from_the_future_tells_of_a_restored_database(database: Database) -> None:
    await change(database, 2)
    with pytest.raises(InvalidInput, match="earlier state"):
        await Outbox(OutboxStore(database)).read(operator(), "acme", 3)


@pytest.mark.parametrize(("after", "limit"), [(-1, 10), (0, 0), (0, 1001)])
async def test_numbers_out_of_range_are_refused(database: Database, after: int, limit: int) -> None:
    with pytest.raises(InvalidInput):
        await Outbox(OutboxStore(database)).read(operator(), "acme", after, limit)


async def test_another_companys_changes_are_not_read(database: Database) -> None:
    stranger = Actor(Realm("company", "other"), "key", rights_of(["Company Administrator"]))
    with pytest.raises(Forbidden):
        await Outbox(OutboxStore(database)).read(stranger, "acme", 0)


# By webhook ----------------------------------------------------------------------------------------------------------


async def test_changes_arrive_in_order_in_batches_and_once(
    database: Database, hooks: Webhooks, delivery: WebhookDelivery, receiver: Receiver, clock: SettableClock
) -> None:
    await change(database)
    await hooks.add(operator(), "acme", URL)
    await change(database, BATCH + 5)
    await change(database, 3, "other")
    batches = 0
    while taken := await delivery.run_once(clock.now_ms()):
        batches += taken
    assert batches == 2
    assert receiver.numbers == list(range(2, BATCH + 7))
    assert {body["company"] for body in receiver.bodies} == {"acme"}
    found = await the_hook(hooks)
    assert (found.position, found.last_answer, found.delivered_at) == (BATCH + 6, "204", clock.now_ms())


@pytest.mark.parametrize("answer", [Reply(500), Unavailable("app.example refused the connection.")])
async def test_what_failed_is_sent_again_after_a_pause_and_nothing_overtakes_it(
    database: Database,
    hooks: Webhooks,
    delivery: WebhookDelivery,
    receiver: Receiver,
    clock: SettableClock,
    answer: Reply | Unavailable,
) -> None:
    await hooks.add(operator(), "acme", URL)
    await change(database)
    receiver.answers = [answer]
    assert await delivery.run_once(clock.now_ms()) == 0
    assert (await the_hook(hooks)).failures == 1
    await change(database)
    clock.advance(4.9)
    assert await delivery.run_once(clock.now_ms()) == 0
    clock.advance(0.1)
    assert await delivery.run_once(clock.now_ms()) == 1
    assert receiver.numbers == [1, 1, 2]
    assert (await the_hook(hooks)).failures == 0


async def test_a_webhook_that_is_gone_is_paused_until_somebody_replays(
    database: Database, hooks: Webhooks, delivery: WebhookDelivery, receiver: Receiver, clock: SettableClock
) -> None:
    made, _ = await hooks.add(operator(), "acme", URL)
    await change(database, 3)
    receiver.answers = [Reply(410)]
    await delivery.run_once(clock.now_ms())
    assert "410" in ((await the_hook(hooks)).paused or "")
    clock.advance(10 * 86_400)
    assert await delivery.run_once(clock.now_ms()) == 0
    assert await hooks.replay(operator(), "acme", made.id) == 0
    assert await delivery.run_once(clock.now_ms()) == 1
    assert receiver.numbers == [1, 2, 3, 1, 2, 3]


async def test_changes_are_replayed_from_any_point(
    database: Database, hooks: Webhooks, delivery: WebhookDelivery, receiver: Receiver, clock: SettableClock
) -> None:
    await change(database, 5)
    made, _ = await hooks.add(operator(), "acme", URL, after=3)
    await delivery.run_once(clock.now_ms())
    await hooks.replay(operator(), "acme", made.id, after=1)
    await delivery.run_once(clock.now_ms())
    assert receiver.numbers == [4, 5, 2, 3, 4, 5]
    with pytest.raises(InvalidInput, match="0 to 5"):
        await hooks.replay(operator(), "acme", made.id, after=6)


async def test_a_replay_during_a_delivery_holds(
    database: Database, hooks: Webhooks, delivery: WebhookDelivery, receiver: Receiver, clock: SettableClock
) -> None:
    made, _ = await hooks.add(operator(), "acme", URL)
    await change(database, 2)
    receiver.before_answer = asyncio.Event()
    running = asyncio.create_task(delivery.run_once(clock.now_ms()))
    while not receiver.bodies:
        await asyncio.sleep(0)
    await hooks.replay(operator(), "acme", made.id, after=0)
    receiver.before_answer.set()
    await running
    assert (await the_hook(hooks)).position == 0
    assert await delivery.run_once(clock.now_ms()) == 1
    assert receiver.numbers == [1, 2, 1, 2]


async def test_two_senders_do_not_send_the_same_at_once_and_a_dead_ones_claim_ends(
    database: Database, hooks: Webhooks, delivery: WebhookDelivery, receiver: Receiver, clock: SettableClock
) -> None:
    await hooks.add(operator(), "acme", URL)
    await change(database)
    receiver.before_answer = asyncio.Event()
    running = asyncio.create_task(delivery.run_once(clock.now_ms()))
    while not receiver.bodies:
        await asyncio.sleep(0)
    assert await delivery.run_once(clock.now_ms()) == 0
    assert len(receiver.bodies) == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    receiver.before_answer = None
    clock.advance(60)
    assert await delivery.run_once(clock.now_ms()) == 1


async def test_changes_leave_by_themselves_while_somebody_delivers(
    database: Database, hooks: Webhooks, delivery: WebhookDelivery, receiver: Receiver, clock: SettableClock
) -> None:
    await hooks.add(operator(), "acme", URL)
    async with delivering(delivery, clock):
        await change(database, 2 * BATCH + 1)
        while len(receiver.numbers) < 2 * BATCH + 1:
            clock.advance(0.5)
            await asyncio.sleep(0.01)
    assert receiver.numbers == list(range(1, 2 * BATCH + 2))


async def test_a_removed_webhook_gets_nothing(
    database: Database, hooks: Webhooks, delivery: WebhookDelivery, receiver: Receiver, clock: SettableClock
) -> None:
    made, _ = await hooks.add(operator(), "acme", URL)
    await change(database)
    await hooks.remove(operator(), "acme", made.id)
    assert await delivery.run_once(clock.now_ms()) == 0
    assert receiver.bodies == []
    with pytest.raises(NotFound):
        await hooks.remove(operator(), "acme", made.id)


async def test_a_secret_is_stored_sealed(database: Database, hooks: Webhooks, clock: SettableClock) -> None:
    _, text = await hooks.add(operator(), "acme", URL, after=0)
    await change(database)
    [due] = await WebhookStore(database).due(clock.now_ms(), 10)
    assert text.removeprefix("whsec_").encode() not in due.sealed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example",
        "ftp://app.example",
        "https://",
        "https://user:pw@app.example",
        "https://a.example/#x",
        "https://a.example:99999",
        "https://a b.example",
    ],
)
async def test_an_address_that_cannot_be_called_is_refused(hooks: Webhooks, url: str) -> None:
    with pytest.raises(InvalidInput):
        await hooks.add(operator(), "acme", url)


async def test_only_an_administrator_of_the_company_has_webhooks(hooks: Webhooks) -> None:
    for actor in (
        Actor(Realm("company", "other"), "x", rights_of(["Company Administrator"])),
        Actor(Realm("company", "acme"), "x", rights_of(["Company Member"])),
    ):
        with pytest.raises(Forbidden):
            await hooks.add(actor, "acme", URL)
