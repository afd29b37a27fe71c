"""Upkeep, when: once an hour while a worker runs. Several workers may do it; each finds what is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from provisor.security.actor import operator
from provisor.tasks import beside

if TYPE_CHECKING:
    from provisor.app.services import AppServices

HOUR_SECONDS = 3_600.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def keeping(services: AppServices) -> AsyncIterator[None]:
    """Upkeep goes on while the block lasts, the first round at once."""
    async with beside(_keep(services)):
        yield


async def _keep(services: AppServices) -> None:
    while True:
        try:
            report = await services.upkeep.run_once(operator())
        except Exception:
            # The database may be away for a moment: the next round comes, and this one is told.
            log.exception("upkeep_failed")
        else:
            if report.gone:
                log.info("upkeep", **report.gone)
        await services.clock.sleep(HOUR_SECONDS)
