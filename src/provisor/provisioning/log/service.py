"""Step log, its door: the provisioning log as the API, the portals and the commands read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from provisor.clock import Clock
from provisor.errors import InvalidInput, NotFound
from provisor.provisioning.log.model import Entry, LogFilter, LogPage
from provisor.provisioning.log.store import LogStore, Place
from provisor.security.actor import Actor, Right

MOST_ENTRIES = 1_000
# Blocks, each of which has up to some hundred entries.
_EXPIRED_AT_ONCE = 50
# Of a number in a position: more is none that an index has.
_DIGITS = 19
_DAY_MS = 86_400_000


class ProvisioningLog:
    """What was done to which object, and why not. Entries are never changed; after ``days`` they go. 0: they stay."""

    def __init__(self, store: LogStore, clock: Clock, *, days: int = 30) -> None:
        self._store = store
        self._clock = clock
        self._days = days

    async def page(
        self,
        actor: Actor,
        tenant_id: str,
        wanted: LogFilter | None = None,
        *,
        after: str | None = None,
        limit: int = 100,
    ) -> LogPage:
        """A page of a tenant's log, newest first; ``after``: ``next`` of the page before. See ``LogPage`` for pages
        that are short. Raises ``InvalidInput``."""
        actor.require(Right.PROVISIONING_LOG_READ, tenant_id)
        if not 1 <= limit <= MOST_ENTRIES:
            raise InvalidInput(f"limit is {limit}.", hint=f"Ask for 1 to {MOST_ENTRIES} entries.")
        found, end = await self._store.page(
            tenant_id, wanted or LogFilter(), before=_place(after) if after else None, limit=limit
        )
        return LogPage(found, None if end is None else ".".join(map(str, end)))

    async def latest(self, actor: Actor, tenant_id: str, wanted: LogFilter, limit: int) -> Sequence[Entry]:
        """Up to ``limit`` of the newest entries, however far back they are: as many pages as that takes."""
        entries: list[Entry] = []
        after: str | None = None
        while len(entries) < limit:
            left = min(limit - len(entries), MOST_ENTRIES)
            page = await self.page(actor, tenant_id, wanted, after=after, limit=left)
            entries += page.entries
            after = page.next
            if after is None:
                break
        return entries

    async def count(self, actor: Actor, tenant_id: str, wanted: LogFilter | None = None) -> int:
        """How many entries there are of these. Costs what there is to count."""
        actor.require(Right.PROVISIONING_LOG_READ, tenant_id)
        return await self._store.count(tenant_id, wanted or LogFilter())

    async def entry(self, actor: Actor, tenant_id: str, entry_id: str) -> Entry:
        """One entry. Raises ``NotFound``."""
        actor.require(Right.PROVISIONING_LOG_READ, tenant_id)
        found = await self._store.entry(tenant_id, entry_id)
        if found is None:
            raise NotFound(
                f"The provisioning log has no entry {entry_id!r}.",
                hint=f"Entries are kept for {self._days} days." if self._days else None,
            )
        return found

    async def pages(
        self, actor: Actor, tenant_id: str, wanted: LogFilter | None = None
    ) -> AsyncIterator[Sequence[Entry]]:
        """Everything that is asked for, page by page: for an export of any size."""
        after: str | None = None
        while True:
            page = await self.page(actor, tenant_id, wanted, after=after, limit=MOST_ENTRIES)
            if page.entries:
                yield page.entries
            after = page.next
            if after is None:
                return

    async def expire(self, actor: Actor) -> int:
        """Let go of what is older than ``days``, of all tenants; how many entries that were. An operator's right."""
        actor.require(Right.TENANTS_MANAGE)
        if self._days == 0:
            return 0
        before = self._clock.now_ms() - self._days * _DAY_MS
        gone = 0
        for tenant_id in await self._store.tenants():
            while count := await self._store.expire(tenant_id, before, _EXPIRED_AT_ONCE):
                gone += count
        return gone


def _place(text: str) -> Place:
    match text.split("."):
        case [at, no, n] if all(part.isascii() and part.isdigit() and len(part) < _DIGITS for part in (at, no, n)):
            return int(at), int(no), int(n)
    raise InvalidInput(f"{text!r} is not a position in the log.", hint="Begin again without one.")
