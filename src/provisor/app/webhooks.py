"""Webhooks, their wiring: deliveries leave through the same transport as provisioning, under the same rules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from provisor.clock import Clock
from provisor.connector.transport import Request, Transport
from provisor.events.webhooks.delivery import WebhookDelivery
from provisor.events.webhooks.model import Reply
from provisor.tasks import beside

_LOOK_SECONDS = 0.5
_REST_SECONDS = 5.0

log = structlog.get_logger(__name__)


class TransportSend:
    """``events.webhooks.model.Send`` on the connector's transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Reply:
        response = await self._transport.send(Request("POST", url, headers, body, timeout))
        wait = response.headers.get("Retry-After", "")
        return Reply(response.status, int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 10 else None)


@asynccontextmanager
async def delivering(deliveries: WebhookDelivery, clock: Clock) -> AsyncIterator[None]:
    """Changes leave for the webhooks while the block lasts. Any number of processes may do it at once."""
    # What is on its way at the end is sent again by whoever is next: a receiver knows it by its number.
    async with beside(_deliver(deliveries, clock)):
        yield


async def _deliver(deliveries: WebhookDelivery, clock: Clock) -> None:
    while True:
        try:
            taken = await deliveries.run_once(clock.now_ms())
        except Exception:
            # The database may be away for a moment: the next look comes, and this one is told.
            log.exception("webhooks_not_looked_at")
            await clock.sleep(_REST_SECONDS)
        else:
            if not taken:
                await clock.sleep(_LOOK_SECONDS)
