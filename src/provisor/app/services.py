"""Start-up: everything wired together, once per process. ``async with open_services(settings) as services``.

Each service is made, and its modules are loaded, when it is first asked for: a command that lists tenants does not wait
for the connector, the engine and the mapping language (0.4 s of 0.9 s).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from provisor.app.settings import Settings
from provisor.app.wiring.provisioning import ProvisioningServices
from provisor.app.wiring.signin import SignInServices
from provisor.clock import Clock, SystemClock
from provisor.security.actor import operator
from provisor.security.secrets import VARIABLE, MasterKey, load_key, pending_key, take_pending
from provisor.security.store import WrongKey, check_key
from provisor.storage.database import Database, DiskFull
from provisor.storage.factory import make_database
from provisor.storage.migrations import migrate

if TYPE_CHECKING:
    from provisor.app.meters import Meters
    from provisor.app.upkeep.service import Upkeep
    from provisor.connector.transport import Transport
    from provisor.events.audit.service import Audit
    from provisor.events.mail.delivery import MailDelivery
    from provisor.events.mail.model import Mailer
    from provisor.events.mail.service import Mail

# Services that hold something which has to be let go of, in this order.
_CLOSED = ("companies", "clients", "requests", "_transport")

# With less room than this on its disk, an embedded database is as good as full.
_LEAST_ROOM = 16 * 1024 * 1024


class AppServices(ProvisioningServices, SignInServices):
    """What commands, HTTP faces and workers call. ``close`` it, or let ``open_services`` do so."""

    async def ready(self) -> None:
        """Can this process serve? Raises ``DatabaseUnavailable``, or ``DiskFull`` when nothing more can be written."""
        await self.directory.tenants(operator())
        if self.settings.engine == "sqlite":
            folder = self.settings.lock_dir
            if shutil.disk_usage(folder).free < _LEAST_ROOM:
                raise DiskFull(
                    f"The disk that holds {folder} is full: nothing is written until there is room.",
                    hint="Make room on the disk; work goes on by itself.",
                )

    async def close(self) -> None:
        """Let go of what was made. The database is its opener's to close."""
        for name in _CLOSED:
            if name in self.__dict__:
                await self.__dict__[name].close()

    @cached_property
    def meters(self) -> Meters:
        from provisor.app.meters import Meters

        return Meters(self.database, self.clock)

    @cached_property
    def upkeep(self) -> Upkeep:
        from provisor.app.upkeep.service import Retention, Upkeep
        from provisor.app.upkeep.store import UpkeepStore
        from provisor.events.mail.store import MailStore
        from provisor.provider.notices.store import ExpiryNotices

        return Upkeep(
            UpkeepStore(self.database),
            MailStore(self.database),
            self.log,
            self.directory,
            self.applications,
            self.companies,
            ExpiryNotices(self.database, self.clock),
            self.telling,
            self.clock,
            Retention(feed=self.settings.feed_days, outbox=self.settings.outbox_days),
            {
                "sessions": self.sessions.purge,
                "signInLinks": self.links.purge,
                "attempts": self.accounts.purge,
                "tokenGrants": self.issuing.purge,
            },
        )

    @cached_property
    def mail(self) -> Mail:
        from provisor.events.mail.service import Mail
        from provisor.events.mail.store import MailStore

        return Mail(MailStore(self.database), self._notification_key)

    @cached_property
    def mail_delivery(self) -> MailDelivery:
        from provisor.app.webhooks import TransportSend
        from provisor.events.mail.delivery import MailDelivery
        from provisor.events.mail.store import MailStore

        send = TransportSend(self._transport)
        return MailDelivery(MailStore(self.database), self._mailer(), send, self._notification_key, self.clock)

    def _mailer(self) -> Mailer:
        settings = self.settings
        if settings.smtp_url is None:
            from provisor.events.mail.folder import FOLDER, FolderMailer

            return FolderMailer(settings.lock_dir / FOLDER, settings.mail_from)
        from provisor.events.mail.smtp import SmtpMailer, parse_smtp_url

        return SmtpMailer(parse_smtp_url(settings.smtp_url), settings.mail_from)

    def _notification_key(self, realm: str) -> bytes:
        return self.root.derive(f"notification webhook {realm}")

    @cached_property
    def audit(self) -> Audit:
        from provisor.events.audit.service import Audit
        from provisor.events.audit.store import AuditStore

        return Audit(AuditStore(self.database))


def wire(database: Database, key: MasterKey, transport: Transport, settings: Settings, clock: Clock) -> AppServices:
    """The services on a database that is open and of this version."""
    return AppServices(database, key, lambda: transport, settings, clock)


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[AppServices]:
    """The services on this process's database, brought to this version. Raises ``ProvisorError``."""

    def transport() -> Transport:
        from provisor.connector.aiohttp_transport import AiohttpTransport

        return AiohttpTransport(settings.outbound)

    if settings.engine == "sqlite":
        settings.lock_dir.mkdir(parents=True, exist_ok=True)
    key = load_key(settings.data_dir, settings.environment or os.environ, database=settings.engine)
    database = make_database(data_dir=settings.data_dir, url=settings.database_url)
    await database.open()
    services: AppServices | None = None
    try:
        await migrate(database)
        key, root = await _checked_key(database, key, settings)
        services = AppServices(database, key, transport, settings, SystemClock(), root)
        yield services
    finally:
        if services is not None:
            await services.close()
        await database.close()


async def _checked_key(database: Database, key: MasterKey, settings: Settings) -> tuple[MasterKey, MasterKey]:
    """The sealing key and the root. A rotation that was cut off between its commit and its file's name is finished."""
    try:
        return key, await check_key(database, key)
    except WrongKey:
        pending = pending_key(settings.data_dir) if key.origin != VARIABLE else None
        if pending is None:
            raise
        root = await check_key(database, pending)
        take_pending(settings.data_dir)
        return pending, root
