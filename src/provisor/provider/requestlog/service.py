"""App side, after the answer: requests are noted in memory, and written together a moment later, off their path."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from provisor.clock import Clock
from provisor.errors import InvalidInput, NotFound, ProvisorError
from provisor.ids import new_id
from provisor.provider.model import Principal
from provisor.provider.requestlog.model import Activity, Entry, EntryPage, Observed, Wanted
from provisor.provider.requestlog.redact import shown_body, shown_path
from provisor.provider.requestlog.store import RequestStore
from provisor.provider.resources.service import Resources
from provisor.scim.schemas import SchemaSet
from provisor.security.actor import Actor, Right

DEFAULT_DAYS = 30
MOST_ENTRIES = 1_000
# How long an entry may wait for others: what a kill may lose.
_WAIT_SECONDS = 0.5
# Above these, entries are left out rather than memory filled: the database does not keep up.
_BACKLOG, _BACKLOG_BYTES = 20_000, 64 * 1024 * 1024
_DAY_MS = 24 * 3_600_000
# How many entries a page looks through.
_WINDOW = 10_000
_HOUR_MS = 3_600_000
_TIDY_MS = _HOUR_MS

_log = structlog.get_logger(__name__)


class RequestLog:
    """Keeps SCIM requests for ``days``; with 0, none at all."""

    def __init__(self, store: RequestStore, resources: Resources, clock: Clock, *, days: int = DEFAULT_DAYS) -> None:
        self._store = store
        self._resources = resources
        self._clock = clock
        self._days = days
        self._waiting: list[Observed] = []
        self._bytes = 0
        self._left_out = 0
        self._tidied = 0
        self._writer: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    def note(
        self,
        principal: Principal,
        method: str,
        path: str,
        status: int,
        seconds: float,
        *,
        request: bytes = b"",
        answer: bytes = b"",
        ignored: Sequence[str] = (),
    ) -> None:
        """Note an answered request; ``path`` with its query. Costs its caller an append to a list."""
        if not self._days:
            return
        size = len(request) + len(answer)
        if len(self._waiting) >= _BACKLOG or self._bytes + size > _BACKLOG_BYTES:
            self._left_out += 1
            return
        self._bytes += size
        self._waiting.append(
            Observed(principal, self._clock.now_ms(), method, path, status, seconds, request, answer, ignored)
        )
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_soon())

    async def entries(
        self, actor: Actor, company_id: str, wanted: Wanted | None = None, *, limit: int = 100
    ) -> list[Entry]:
        """The newest entries of a company that fit, newest first. Raises ``InvalidInput`` for a limit out of range."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        if not 1 <= limit <= MOST_ENTRIES:
            raise InvalidInput(f"The limit is {limit}.", hint=f"Ask for 1 to {MOST_ENTRIES} entries.")
        return await self._store.entries(company_id, wanted or Wanted(), limit)

    async def page(self, actor: Actor, company_id: str, wanted: Wanted, *, limit: int = 50) -> EntryPage:
        """A page of the log, newest first. Of a long log a page looks through a part only, and says where to go on."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        return await self._store.page(company_id, wanted, limit, _WINDOW)

    async def activity(self, actor: Actor, company_id: str) -> Activity:
        """The last day, hour by hour."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        first = self._clock.now_ms() // _HOUR_MS * _HOUR_MS - 23 * _HOUR_MS
        found = await self._store.activity(company_id, first, _HOUR_MS, _WINDOW)
        hours = [(first + number * _HOUR_MS, *found.get(number, (0, 0))) for number in range(24)]
        return Activity(hours, sum(count for count, _ in found.values()) >= _WINDOW)

    async def about(self, actor: Actor, company_id: str, resource_id: str, *, limit: int = 20) -> list[Entry]:
        """The newest requests about one resource."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        return await self._store.about(company_id, resource_id, limit)

    async def entry(self, actor: Actor, company_id: str, entry_id: str) -> Entry:
        """One request's whole story. Raises ``NotFound``."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        found = await self._store.entry(company_id, entry_id)
        if found is None:
            raise NotFound("There is no such request in the log.", hint=f"It keeps them for {self._days} days.")
        return found

    @property
    def days(self) -> int:
        """How long requests are kept; 0: they are not."""
        return self._days

    async def flush(self) -> None:
        """Write what is waiting now."""
        async with self._turn:
            waiting, self._waiting, self._bytes = self._waiting, [], 0
            left_out, self._left_out = self._left_out, 0
            if left_out:
                _log.warning("scim_requests_not_logged", count=left_out, hint="The database does not keep up.")
            if not waiting:
                return
            names = {one.principal.company_id: one.principal for one in waiting}
            secrets = {company: await self._secret_names(caller) for company, caller in names.items()}
            await self._store.insert(await asyncio.to_thread(_rows, waiting, secrets))

    async def tidy(self) -> int:
        """Delete what is older than ``days``; how many entries that were."""
        return await self._store.forget(self._clock.now_ms() - self._days * _DAY_MS)

    async def close(self) -> None:
        """Write the rest; call before the database closes."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        await self._try_flush()

    async def _write_soon(self) -> None:
        await self._clock.sleep(_WAIT_SECONDS)
        # Whoever comes from now on starts the next one: a write that takes long holds up nobody.
        self._writer = None
        await self._try_flush()
        now = self._clock.now_ms()
        if now - self._tidied > _TIDY_MS:
            self._tidied = now
            try:
                await self.tidy()
            except ProvisorError as error:
                _log.warning("scim_request_log_not_tidied", error=str(error))

    async def _try_flush(self) -> None:
        try:
            await self.flush()
        except ProvisorError as error:
            _log.warning("scim_requests_not_logged", error=str(error))

    async def _secret_names(self, caller: Principal) -> frozenset[str]:
        """Names of the attributes of the caller's company that are written and never read, in lower case."""
        return _write_only(await self._resources.schemas(caller))


@lru_cache(maxsize=1024)
def _write_only(schemas: SchemaSet) -> frozenset[str]:
    attributes = [one for schema in schemas.schemas.values() for one in schema.attributes.values()]
    attributes += [sub for one in attributes for sub in one.sub.values()]
    return frozenset(one.name.lower() for one in attributes if one.mutability == "writeOnly" or one.returned == "never")


def _rows(waiting: Sequence[Observed], secrets: dict[str, frozenset[str]]) -> list[dict[str, Any]]:
    """Entries as rows, blacked out; made in a thread, since a large body takes a while to look through."""
    rows = []
    for one in waiting:
        company_id = one.principal.company_id
        names = secrets[company_id]
        rows.append(
            {
                "company_id": company_id,
                "id": new_id(),
                "at": one.at,
                "credential": one.principal.key_id,
                "method": one.method[:20],
                "path": shown_path(one.path, names),
                "status": one.status,
                "duration_us": round(one.seconds * 1_000_000),
                "request": shown_body(one.request, names),
                "answer": shown_body(one.answer, names),
                "ignored": msgspec.json.encode(one.ignored).decode() if one.ignored else None,
                "resource_id": _resource_id(one),
            }
        )
    return rows


class _Created(msgspec.Struct):
    id: str | None = None


_IN_PATH = re.compile(r"/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:[/?]|$)")
_created = msgspec.json.Decoder(_Created).decode


def _resource_id(one: Observed) -> str | None:
    """The resource that a request was about: it is in the address, or in the answer to a creation."""
    found = _IN_PATH.search(one.path)
    if found is not None:
        return found[1]
    if one.method != "POST" or one.status != 201:
        return None
    try:
        return _created(one.answer).id
    except msgspec.DecodeError:
        return None
