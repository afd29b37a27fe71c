"""Upkeep: retention on a schedule, and what an operator does to a whole tenant or company."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from provisor.app.upkeep.store import UpkeepStore
from provisor.app.upkeep.tokens import days_left, ends_at
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.directory.model import Tenant
from provisor.directory.service import Directory
from provisor.errors import ProvisorError
from provisor.events.mail.store import MailStore
from provisor.provider.model import Company
from provisor.provider.notices.store import ExpiryNotices
from provisor.provider.service import Companies
from provisor.provisioning.log.service import ProvisioningLog
from provisor.provisioning.telling.store import Telling
from provisor.security.actor import Actor, Right

_DAY_MS = 86_400_000
_AT_ONCE = 2_000
_CYCLES_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Retention:
    """Days for which things are kept; 0: for good."""

    feed: int = 30
    outbox: int = 30
    outcomes: int = 30
    cycles: int = 90
    messages: int = 90


@dataclass(slots=True)
class Report:
    """What one round of upkeep has done, by what it was."""

    gone: dict[str, int] = field(default_factory=dict)


class Upkeep:
    """Lets go of what is past its time, writes what is due, and removes whole tenants and companies."""

    def __init__(
        self,
        store: UpkeepStore,
        mail: MailStore,
        log: ProvisioningLog,
        directory: Directory,
        applications: Applications,
        companies: Companies,
        notices: ExpiryNotices,
        telling: Telling,
        clock: Clock,
        retention: Retention,
        purges: Mapping[str, Callable[[], Awaitable[int]]] | None = None,
    ) -> None:
        self._store = store
        self._mail = mail
        self._log = log
        self._directory = directory
        self._applications = applications
        self._companies = companies
        self._notices = notices
        self._telling = telling
        self._clock = clock
        self._retention = retention
        # What deletes by itself what is past its time, by what that is.
        self._purges = purges or {}

    async def run_once(self, actor: Actor) -> Report:
        """One round: the service calls it every hour. An operator's right."""
        actor.require(Right.TENANTS_MANAGE)
        now, keep, report = self._clock.now_ms(), self._retention, Report()
        for tenant_id in await self._store.tenants():
            _count(report, "deletedItems", await self._directory.purge_expired(actor, tenant_id))
            before = now - keep.feed * _DAY_MS

            async def feed(limit: int, tenant_id: str = tenant_id, before: int = before) -> int:
                return await self._store.expire_feed(tenant_id, before, limit)

            if keep.feed:
                _count(report, "feed", await _all(feed, _AT_ONCE))
        if keep.outbox:
            _count(report, "outbox", await self._expire_outboxes(now - keep.outbox * _DAY_MS))
        if keep.outcomes:
            before = now - keep.outcomes * _DAY_MS
            _count(
                report,
                "outcomesOfCycles",
                await _all(lambda limit: self._store.expire_outcomes(before, limit), _CYCLES_AT_ONCE),
            )
        if keep.cycles:
            ended = now - keep.cycles * _DAY_MS
            _count(report, "cycles", await _all(lambda limit: self._store.expire_cycles(ended, limit), _CYCLES_AT_ONCE))
        if keep.messages:
            written = now - keep.messages * _DAY_MS
            _count(report, "messages", await _all(lambda limit: self._mail.expire(written, limit), _AT_ONCE))
        _count(report, "logEntries", await self._log.expire(actor))
        for what, purge in self._purges.items():
            _count(report, what, await purge())
        await self._notices.run_once()
        await self._tell_of_tokens(actor, now)
        await self._telling.digests()
        return report

    async def _expire_outboxes(self, before: int) -> int:
        total = 0
        for company_id in await self._store.old_outboxes(before):

            async def expire(limit: int, company_id: str = company_id) -> int:
                return await self._store.expire_outbox(company_id, before, limit)

            total += await _all(expire, _AT_ONCE)
        return total

    async def _tell_of_tokens(self, actor: Actor, now: int) -> None:
        for job in await self._applications.jobs(actor):
            try:
                token = (await self._applications.credentials(actor, job.id)).secret_token
            except ProvisorError:
                # Without an address or a secret that opens, there is nothing that could end.
                continue
            ends = ends_at(token)
            days = None if ends is None else days_left(ends, now)
            if ends is not None and days is not None:
                await self._telling.expiring(job, days, ends)

    async def delete_tenant(self, actor: Actor, ref: str) -> Tenant:
        """Delete a tenant with its directory, applications, jobs, secrets, logs and sessions; accounts in targets stay
        as they are. Raises ``NotFound``."""
        actor.require(Right.TENANTS_MANAGE)
        tenant = await self._directory.find_tenant(actor, ref)
        await self._store.remove_tenant(tenant.id, tenant.name, actor=actor, at=self._clock.now_ms())
        return tenant

    async def delete_company(self, actor: Actor, ref: str) -> Company:
        """Delete a company with its people, keys, users, groups, logs and sessions. Raises ``NotFound``."""
        actor.require(Right.COMPANIES_MANAGE)
        company = await self._companies.delete_company(actor, ref)
        await self._store.sweep("company", company.id)
        return company


def _count(report: Report, what: str, number: int) -> None:
    if number:
        report.gone[what] = report.gone.get(what, 0) + number


async def _all(step: Callable[[int], Awaitable[int]], limit: int) -> int:
    """Call ``step`` until it finds less than it may take; what it took in all."""
    total = 0
    while count := await step(limit):
        total += count
        if count < limit:
            break
    return total
