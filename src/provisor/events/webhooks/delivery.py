"""Last step of the flow: changes leave for the webhooks, in order, each batch at least once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from provisor.clock import Clock
from provisor.errors import Unavailable
from provisor.events.model import OutboxChange
from provisor.events.store import OutboxExpired, OutboxStore
from provisor.events.webhooks.message import message
from provisor.events.webhooks.model import DueWebhook, Reply, Send, Webhook
from provisor.events.webhooks.retry import decide
from provisor.events.webhooks.service import associated
from provisor.events.webhooks.store import WebhookStore
from provisor.security.secrets import Sealer

BATCH = 100
_TIMEOUT_S = 15.0
# Longer than any delivery takes: after it, a sender that has said nothing is dead.
_CLAIM_MS = 60_000
_AT_ONCE = 16

_log = structlog.get_logger(__name__)


class WebhookDelivery:
    """Sends what is due. Any number of processes may do it: one webhook has one sender at a time."""

    def __init__(self, store: WebhookStore, outbox: OutboxStore, sealer: Sealer, clock: Clock, send: Send) -> None:
        self._store = store
        self._outbox = outbox
        self._sealer = sealer
        self._clock = clock
        self._send = send

    async def run_once(self, now: int) -> int:
        """Send one batch to each webhook that is due at ``now`` (ms UTC); how many batches were taken.

        Call it again at once while it returns more than 0, else after a short while.
        """
        due = await self._store.due(now, _AT_ONCE)
        return sum(await asyncio.gather(*(self._deliver(one, now) for one in due)))

    async def _deliver(self, due: DueWebhook, now: int) -> bool:
        webhook, claimed = due.webhook, now + _CLAIM_MS
        if not await self._store.claim(webhook, now, claimed):
            return False
        try:
            changes = await self._outbox.read(webhook.company_id, webhook.position, BATCH)
        except OutboxExpired as error:
            # It failed for longer than changes are kept: nothing is left out in silence, so a person has to say.
            gone = replace(webhook, paused=str(error))
            _tell(gone)
            await self._store.settle(gone, claimed)
            return False
        if not changes:
            await self._store.settle(webhook, claimed)
            return False
        reply, answer = await self._post(due, changes)
        decision = decide(reply.status if reply else None, webhook.failures, reply.retry_after if reply else None)
        if decision.kind == "delivered":
            settled = replace(
                webhook, position=changes[-1].seq, failures=0, next_at=now, last_answer=answer, delivered_at=now
            )
        else:
            settled = replace(
                webhook,
                failures=webhook.failures + 1,
                next_at=now + decision.wait_s * 1000,
                paused=decision.reason,
                last_answer=answer,
            )
            _tell(settled)
        await self._store.settle(settled, claimed)
        return decision.kind == "delivered"

    async def _post(self, due: DueWebhook, changes: list[OutboxChange]) -> tuple[Reply | None, str]:
        """The answer, null when there was none, and what to say of it."""
        webhook = due.webhook
        try:
            key = self._sealer.open(due.sealed, associated(webhook))
            headers, body = message(webhook, changes, key, self._clock.now_ms())
            reply = await self._send(webhook.url, headers, body, _TIMEOUT_S)
        except Unavailable as error:
            return None, error.message[:500]
        return reply, str(reply.status)


def _tell(webhook: Webhook) -> None:
    event = "webhook_failed" if webhook.paused is None else "webhook_paused"
    _log.warning(
        event,
        company=webhook.company_id,
        webhook=webhook.id,
        failures=webhook.failures,
        answer=webhook.last_answer,
        reason=webhook.paused,
    )
