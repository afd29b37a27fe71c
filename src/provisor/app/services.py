"""Start-up: everything wired together, once per process. ``async with open_services(settings) as services``."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from provisor.app.settings import Settings
from provisor.app.targets import TargetClients
from provisor.app.webhooks import TransportSend
from provisor.applications.service import Applications
from provisor.applications.store import ApplicationStore
from provisor.clock import Clock, SystemClock
from provisor.connector.aiohttp_transport import AiohttpTransport
from provisor.connector.transport import Transport
from provisor.directory.service import Directory
from provisor.directory.store import DirectoryStore
from provisor.events.outbox import Outbox
from provisor.events.store import OutboxStore
from provisor.events.webhooks.delivery import WebhookDelivery
from provisor.events.webhooks.service import Webhooks
from provisor.events.webhooks.store import WebhookStore
from provisor.provider.clients.service import Clients
from provisor.provider.clients.store import ClientStore
from provisor.provider.requestlog.service import RequestLog
from provisor.provider.requestlog.store import RequestStore
from provisor.provider.resources.service import Resources
from provisor.provider.resources.store import ResourceStore
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.provisioning.engine import Engine, Stores
from provisor.provisioning.importing.store import ImportStore
from provisor.provisioning.leases.store import LeaseStore
from provisor.provisioning.recording.store import RecordStore
from provisor.provisioning.service import Provisioning
from provisor.provisioning.store import ProvisioningStore
from provisor.security.secrets import MasterKey, Sealer, load_key
from provisor.security.store import check_key
from provisor.storage.database import Database
from provisor.storage.factory import make_database
from provisor.storage.migrations import migrate


@dataclass(frozen=True, slots=True)
class AppServices:
    """What commands, HTTP faces and workers call. Closed by ``open_services``."""

    settings: Settings
    clock: Clock
    database: Database
    directory: Directory
    applications: Applications
    companies: Companies
    clients: Clients
    resources: Resources
    requests: RequestLog
    outbox: Outbox
    webhooks: Webhooks
    deliveries: WebhookDelivery
    provisioning: Provisioning
    stores: Stores
    targets: TargetClients

    def engine(self, holder: str) -> Engine:
        """An engine whose leases are ``holder``'s."""
        return Engine(self.stores, self.directory, self.applications, self.targets, self.clock, holder=holder)


def wire(database: Database, key: MasterKey, transport: Transport, settings: Settings, clock: Clock) -> AppServices:
    """The services on a database that is open and of this version."""
    sealer = Sealer(key)
    applications = Applications(ApplicationStore(database), sealer, clock)
    targets = TargetClients(applications, transport, clock)
    resources = Resources(ResourceStore(database), clock, cursor_key=key.derive("scim cursors"))
    outbox, hooks = OutboxStore(database), WebhookStore(database)
    stores = Stores(ProvisioningStore(database), LeaseStore(database), ImportStore(database), RecordStore(database))
    return AppServices(
        settings=settings,
        clock=clock,
        database=database,
        directory=Directory(DirectoryStore(database), clock),
        applications=applications,
        clients=Clients(
            ClientStore(database), key.derive("oauth client pepper"), clock, token_minutes=settings.token_minutes
        ),
        companies=Companies(CompanyStore(database), key.derive("api key pepper"), clock),
        resources=resources,
        requests=RequestLog(RequestStore(database), resources, clock, days=settings.request_log_days),
        outbox=Outbox(outbox),
        webhooks=Webhooks(hooks, outbox, sealer, clock),
        deliveries=WebhookDelivery(hooks, outbox, sealer, clock, TransportSend(transport)),
        provisioning=Provisioning(stores.jobs, applications, targets, clock),
        stores=stores,
        targets=targets,
    )


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[AppServices]:
    """The services on this process's database, brought to this version. Raises ``ProvisorError``."""
    if settings.engine == "sqlite":
        settings.lock_dir.mkdir(parents=True, exist_ok=True)
    key = load_key(settings.data_dir, settings.environment or os.environ, database=settings.engine)
    database = make_database(data_dir=settings.data_dir, url=settings.database_url)
    await database.open()
    transport = AiohttpTransport(settings.outbound)
    services = wire(database, key, transport, settings, SystemClock())
    try:
        await migrate(database)
        await check_key(database, key)
        yield services
    finally:
        await services.companies.close()
        await services.clients.close()
        await services.requests.close()
        await transport.close()
        await database.close()
