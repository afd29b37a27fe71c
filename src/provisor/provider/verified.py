"""App side, step 1: credentials that were found valid a moment ago, and when each was last used.

A credential is looked up in the database once in ``CACHE_MS`` and process, so that a revocation, by whichever process,
holds everywhere within two seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from provisor.errors import ProvisorError
from provisor.provider.model import Principal

CACHE_MS = 1_500
_ENTRIES = 10_000
_TOUCH_MS = 60_000

_log = structlog.get_logger(__name__)


class Verified:
    """Authorization header -> who it stands for. ``touch`` stores when the credential of an id was used, in ms UTC."""

    def __init__(self, touch: Callable[[str, int], Awaitable[None]]) -> None:
        self._touch = touch
        self._known: dict[str, tuple[Principal, int]] = {}
        self._touched: dict[str, int] = {}
        self._touching: set[asyncio.Task[None]] = set()

    def get(self, header: str | None, now: int) -> Principal | None:
        """Who the header stands for, if that was found out a moment ago."""
        known = self._known.get(header or "")
        return known[0] if known is not None and now < known[1] else None

    def remember(self, header: str, principal: Principal, now: int, ends: int, last_used_at: int | None) -> None:
        """The header is valid now and until ``ends``. The use is noted, at most once a minute, in the background."""
        if len(self._known) >= _ENTRIES:
            self._known.clear()
        self._known[header] = (principal, min(now + CACHE_MS, ends))
        if now - max(self._touched.get(principal.key_id, 0), last_used_at or 0) < _TOUCH_MS:
            return
        self._touched[principal.key_id] = now
        task = asyncio.create_task(self._note(principal.key_id, now))
        self._touching.add(task)
        task.add_done_callback(self._touching.discard)

    def forget(self) -> None:
        """Look everything up again: something was revoked in this process."""
        self._known.clear()

    async def close(self) -> None:
        """Wait for what is still being noted; call before the database closes."""
        if self._touching:
            await asyncio.gather(*self._touching)

    async def _note(self, credential_id: str, now: int) -> None:
        try:
            await self._touch(credential_id, now)
        except ProvisorError as error:
            _log.warning("key_use_not_noted", key=credential_id, error=str(error))
