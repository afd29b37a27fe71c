"""Messages, their wiring: they leave while a worker runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from provisor.clock import Clock
from provisor.events.mail.delivery import MailDelivery
from provisor.tasks import beside

_LOOK_SECONDS = 2.0
_REST_SECONDS = 10.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def mailing(deliveries: MailDelivery, clock: Clock) -> AsyncIterator[None]:
    """Messages leave while the block lasts. Any number of processes may do it at once."""
    async with beside(_deliver(deliveries, clock)):
        yield


async def _deliver(deliveries: MailDelivery, clock: Clock) -> None:
    while True:
        try:
            left = await deliveries.run_once(clock.now_ms())
        except Exception:
            # The database may be away for a moment: the next look comes, and this one is told.
            log.exception("mail_not_looked_at")
            await clock.sleep(_REST_SECONDS)
        else:
            if not left:
                await clock.sleep(_LOOK_SECONDS)
