"""Start-up: everything wired together, once per process. ``async with open_services(settings) as services``.

Each service is made, and its modules are loaded, when it is first asked for: a command that lists tenants does not wait
for the connector, the engine and the mapping language (0.4 s of 0.9 s).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from provisor.app.settings import Settings
from provisor.clock import Clock, SystemClock
from provisor.security.actor import operator
from provisor.security.secrets import VARIABLE, MasterKey, Sealer, load_key, pending_key, take_pending
from provisor.security.store import WrongKey, check_key
from provisor.storage.database import Database, DiskFull
from provisor.storage.factory import make_database
from provisor.storage.migrations import migrate

if TYPE_CHECKING:
    from provisor.app.meters import Meters
    from provisor.app.setup import Setup
    from provisor.app.targets import TargetClients
    from provisor.app.upkeep.service import Upkeep
    from provisor.applications.assignments.service import RoleAssignments
    from provisor.applications.grants.service import PermissionGrants
    from provisor.applications.passwords.service import Passwords
    from provisor.applications.registrations.service import Registrations
    from provisor.applications.service import Applications
    from provisor.applications.synchronization.service import Synchronization
    from provisor.connector.paces.store import PaceStore
    from provisor.connector.transport import Transport
    from provisor.directory.extensions.service import Extensions
    from provisor.directory.links.service import Links as DirectoryLinks
    from provisor.directory.listing.service import Listing
    from provisor.directory.searching.service import Search
    from provisor.directory.service import Directory
    from provisor.directory.tracking.service import Tracking
    from provisor.events.audit.service import Audit
    from provisor.events.mail.delivery import MailDelivery
    from provisor.events.mail.model import Mailer
    from provisor.events.mail.service import Mail
    from provisor.events.outbox import Outbox
    from provisor.events.webhooks.delivery import WebhookDelivery
    from provisor.events.webhooks.service import Webhooks
    from provisor.provider.browsing.service import Browsing
    from provisor.provider.clients.service import Clients
    from provisor.provider.requestlog.service import RequestLog
    from provisor.provider.resources.service import Resources
    from provisor.provider.service import Companies
    from provisor.provisioning.checking import CredentialChecks
    from provisor.provisioning.connections.service import ObjectConnections
    from provisor.provisioning.decisions.service import Decisions
    from provisor.provisioning.discovery import Discovery
    from provisor.provisioning.engine import Engine, Stores
    from provisor.provisioning.explaining.service import Explanations
    from provisor.provisioning.guarding.model import GuardWatcher
    from provisor.provisioning.guarding.service import Guards
    from provisor.provisioning.learning.service import Learning
    from provisor.provisioning.log.service import ProvisioningLog
    from provisor.provisioning.ondemand.service import OnDemand
    from provisor.provisioning.outcomes.service import Outcomes
    from provisor.provisioning.planning.service import Plans
    from provisor.provisioning.service import Provisioning
    from provisor.provisioning.telling.store import Telling
    from provisor.provisioning.tryout import Tryout
    from provisor.security.passwords import Passwords as HashingPool
    from provisor.signin.accounts.service import Accounts
    from provisor.signin.federation.service import Federation
    from provisor.signin.given.service import GivenPasswords
    from provisor.signin.joining.service import Joining
    from provisor.signin.keyring.service import Keyring
    from provisor.signin.links.service import Links
    from provisor.signin.openid.authorize import Authorization
    from provisor.signin.openid.clients import Clients as OAuthClients
    from provisor.signin.openid.consent import Consents
    from provisor.signin.openid.issuing import Issuing
    from provisor.signin.openid.vendor import Vendor
    from provisor.signin.roles.service import Roles
    from provisor.signin.service import Authority
    from provisor.signin.sessions import Sessions

# Services that hold something which has to be let go of, in this order.
_CLOSED = ("companies", "clients", "requests", "_transport")

# With less room than this on its disk, an embedded database is as good as full.
_LEAST_ROOM = 16 * 1024 * 1024


class AppServices:
    """What commands, HTTP faces and workers call. ``close`` it, or let ``open_services`` do so."""

    def __init__(
        self,
        database: Database,
        key: MasterKey,
        transport: Callable[[], Transport],
        settings: Settings,
        clock: Clock,
        root: MasterKey | None = None,
    ) -> None:
        self.database = database
        self.settings = settings
        self.clock = clock
        self.key = key
        # What peppers are derived from: it stays when the sealing key is changed.
        self.root = root or key
        self._make_transport = transport

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

    # Identity side

    @cached_property
    def directory(self) -> Directory:
        from provisor.directory.service import Directory
        from provisor.directory.store import DirectoryStore
        from provisor.signin.roles.store import RoleStore

        return Directory(DirectoryStore(self.database), self.clock, RoleStore(self.database).holders)

    @cached_property
    def listing(self) -> Listing:
        from provisor.directory.listing.service import Listing
        from provisor.directory.listing.store import ListingStore

        return Listing(ListingStore(self.database))

    @cached_property
    def search(self) -> Search:
        from provisor.directory.searching.service import Search
        from provisor.directory.searching.store import SearchStore
        from provisor.directory.store import DirectoryStore

        return Search(SearchStore(DirectoryStore(self.database)))

    @cached_property
    def directory_links(self) -> DirectoryLinks:
        from provisor.directory.links.service import Links
        from provisor.directory.store import DirectoryStore

        return Links(DirectoryStore(self.database), self.clock)

    @cached_property
    def tracking(self) -> Tracking:
        from provisor.directory.store import DirectoryStore
        from provisor.directory.tracking.service import Tracking

        return Tracking(DirectoryStore(self.database))

    @cached_property
    def extensions(self) -> Extensions:
        from provisor.directory.extensions.service import Extensions
        from provisor.directory.extensions.store import ExtensionStore

        return Extensions(ExtensionStore(self.database), self.clock)

    @cached_property
    def given_passwords(self) -> GivenPasswords:
        from provisor.signin.accounts.store import AccountStore
        from provisor.signin.given.service import GivenPasswords
        from provisor.signin.store import SignInStore

        people = SignInStore(self.database)
        return GivenPasswords(AccountStore(self.database), people, self.sessions, self._hashing, self.clock)

    @cached_property
    def applications(self) -> Applications:
        from provisor.applications.service import Applications
        from provisor.applications.store import ApplicationStore

        return Applications(ApplicationStore(self.database), self._sealer, self.clock)

    @cached_property
    def registrations(self) -> Registrations:
        from provisor.applications.registrations.service import Registrations
        from provisor.applications.registrations.store import RegistrationStore

        return Registrations(RegistrationStore(self.database), self.clock)

    @cached_property
    def passwords(self) -> Passwords:
        from provisor.applications.passwords.service import Passwords
        from provisor.applications.passwords.store import PasswordStore

        return Passwords(PasswordStore(self.database), self.root.derive("client secret pepper"), self.clock)

    @cached_property
    def grants(self) -> PermissionGrants:
        from provisor.applications.grants.service import PermissionGrants
        from provisor.applications.grants.store import GrantStore

        return PermissionGrants(GrantStore(self.database), self.clock)

    @cached_property
    def synchronization(self) -> Synchronization:
        from provisor.applications.store import ApplicationStore
        from provisor.applications.synchronization.service import Synchronization

        store = ApplicationStore(self.database)
        return Synchronization(store, self.applications, self.sealer, self.clock)

    @cached_property
    def credential_checks(self) -> CredentialChecks:
        from provisor.provisioning.checking import CredentialChecks

        return CredentialChecks(self.synchronization, self.targets)

    @cached_property
    def discovery(self) -> Discovery:
        from provisor.provisioning.discovery import Discovery

        return Discovery(self.applications, self.targets, self.clock)

    @cached_property
    def connections(self) -> ObjectConnections:
        from provisor.provisioning.connections.service import ObjectConnections
        from provisor.provisioning.connections.store import ConnectionStore

        return ObjectConnections(ConnectionStore(self.database), self.clock)

    @cached_property
    def role_assignments(self) -> RoleAssignments:
        from provisor.applications.assignments.service import RoleAssignments
        from provisor.applications.assignments.store import AssignmentStore

        store = AssignmentStore(self.database)
        return RoleAssignments(store, self.applications, self.registrations, self.clock)

    @cached_property
    def stores(self) -> Stores:
        from provisor.provisioning.decisions.store import DecisionStore
        from provisor.provisioning.engine import Stores
        from provisor.provisioning.flights.store import FlightStore
        from provisor.provisioning.guarding.store import GuardStore
        from provisor.provisioning.importing.store import ImportStore
        from provisor.provisioning.leases.store import LeaseStore
        from provisor.provisioning.rechecking.store import RecheckStore
        from provisor.provisioning.recording.store import RecordStore
        from provisor.provisioning.store import ProvisioningStore

        database = self.database
        return Stores(
            ProvisioningStore(database),
            LeaseStore(database),
            ImportStore(database),
            RecordStore(database),
            GuardStore(database),
            RecheckStore(database),
            DecisionStore(database),
            FlightStore(database),
        )

    @cached_property
    def targets(self) -> TargetClients:
        from provisor.app.targets import TargetClients

        return TargetClients(self.applications, self._transport, self.clock)

    @cached_property
    def paces(self) -> PaceStore:
        from provisor.connector.paces.store import PaceStore

        return PaceStore(self.database)

    @cached_property
    def provisioning(self) -> Provisioning:
        from provisor.provisioning.service import Provisioning

        stores = self.stores
        shared = (self.applications, self.targets, self.clock, self.guards, self.paces)
        return Provisioning(stores.jobs, stores.decisions, *shared)

    @cached_property
    def decisions(self) -> Decisions:
        from provisor.provisioning.decisions.service import Decisions

        return Decisions(self.stores.decisions, self.stores.jobs, self.applications, self.clock)

    @cached_property
    def guard_watcher(self) -> GuardWatcher:
        """Who is told when a guard holds something, and when somebody decides."""
        return self.telling

    @cached_property
    def guards(self) -> Guards:
        from provisor.provisioning.guarding.service import Guards

        stores = self.stores
        return Guards(stores.guards, stores.jobs, self.applications, self.clock, self.guard_watcher)

    @cached_property
    def outcomes(self) -> Outcomes:
        from provisor.provisioning.outcomes.service import Outcomes
        from provisor.provisioning.outcomes.store import OutcomeStore

        return Outcomes(OutcomeStore(self.database), self.applications)

    @cached_property
    def tryout(self) -> Tryout:
        from provisor.provisioning.tryout import Tryout

        return Tryout(self.directory, self.applications, self.clock)

    @cached_property
    def on_demand(self) -> OnDemand:
        from provisor.provisioning.ondemand.service import OnDemand
        from provisor.provisioning.ondemand.store import SubjectStore

        subjects = SubjectStore(self.database)
        return OnDemand(self.stores, subjects, self.directory, self.applications, self.clock, self.engine)

    @cached_property
    def explanations(self) -> Explanations:
        from provisor.provisioning.explaining.service import Explanations
        from provisor.provisioning.ondemand.store import SubjectStore

        subjects = SubjectStore(self.database)
        return Explanations(self.stores, subjects, self.directory, self.applications, self.clock, self.engine)

    @cached_property
    def plans(self) -> Plans:
        from provisor.provisioning.ondemand.store import SubjectStore
        from provisor.provisioning.planning.service import Plans
        from provisor.provisioning.planning.store import PlanStore

        subjects = SubjectStore(self.database)
        return Plans(PlanStore(self.database), self.stores, subjects, self.applications, self.clock, self.engine)

    def engine(self, holder: str, *, batch: int | None = None) -> Engine:
        """An engine whose leases are ``holder``'s; ``batch``: how many objects it has in hand at once at most."""
        from provisor.provisioning.engine import Engine
        from provisor.provisioning.run import BATCH

        return Engine(
            self.stores,
            self.directory,
            self.applications,
            self.targets,
            self.clock,
            holder=holder,
            batch=batch or BATCH,
            watcher=self.guard_watcher,
        )

    # App side

    @cached_property
    def companies(self) -> Companies:
        from provisor.provider.service import Companies
        from provisor.provider.store import CompanyStore

        return Companies(CompanyStore(self.database), self.root.derive("api key pepper"), self.clock)

    @cached_property
    def clients(self) -> Clients:
        from provisor.provider.clients.service import Clients
        from provisor.provider.clients.store import ClientStore

        pepper = self.root.derive("oauth client pepper")
        return Clients(ClientStore(self.database), pepper, self.clock, token_minutes=self.settings.token_minutes)

    @cached_property
    def resources(self) -> Resources:
        from provisor.provider.resources.service import Resources
        from provisor.provider.resources.store import ResourceStore

        return Resources(ResourceStore(self.database), self.clock, cursor_key=self.root.derive("scim cursors"))

    @cached_property
    def browsing(self) -> Browsing:
        from provisor.provider.browsing.service import Browsing
        from provisor.provider.browsing.store import BrowsingStore

        return Browsing(BrowsingStore(self.database))

    @cached_property
    def requests(self) -> RequestLog:
        from provisor.provider.requestlog.service import RequestLog
        from provisor.provider.requestlog.store import RequestStore

        days = self.settings.request_log_days
        return RequestLog(RequestStore(self.database), self.resources, self.clock, days=days)

    @cached_property
    def outbox(self) -> Outbox:
        from provisor.events.outbox import Outbox
        from provisor.events.store import OutboxStore

        return Outbox(OutboxStore(self.database))

    @cached_property
    def webhooks(self) -> Webhooks:
        from provisor.events.store import OutboxStore
        from provisor.events.webhooks.service import Webhooks
        from provisor.events.webhooks.store import WebhookStore

        return Webhooks(WebhookStore(self.database), OutboxStore(self.database), self._sealer, self.clock)

    @cached_property
    def deliveries(self) -> WebhookDelivery:
        from provisor.app.webhooks import TransportSend
        from provisor.events.store import OutboxStore
        from provisor.events.webhooks.delivery import WebhookDelivery
        from provisor.events.webhooks.store import WebhookStore

        send = TransportSend(self._transport)
        hooks, outbox = WebhookStore(self.database), OutboxStore(self.database)
        return WebhookDelivery(hooks, outbox, self._sealer, self.clock, send)

    # Operation

    @cached_property
    def meters(self) -> Meters:
        from provisor.app.meters import Meters

        return Meters(self.database, self.clock)

    @cached_property
    def learning(self) -> Learning:
        from provisor.provisioning.learning.service import Learning
        from provisor.provisioning.learning.store import LearningStore

        return Learning(LearningStore(self.database), self.applications)

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
    def telling(self) -> Telling:
        from provisor.provisioning.telling.store import Telling

        return Telling(self.database, self.clock)

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
    def log(self) -> ProvisioningLog:
        from provisor.provisioning.log.service import ProvisioningLog
        from provisor.provisioning.log.store import LogStore

        return ProvisioningLog(LogStore(self.database), self.clock, days=self.settings.provisioning_log_days)

    @cached_property
    def audit(self) -> Audit:
        from provisor.events.audit.service import Audit
        from provisor.events.audit.store import AuditStore

        return Audit(AuditStore(self.database))

    # Signing in

    @cached_property
    def keyring(self) -> Keyring:
        from provisor.signin.keyring.service import Keyring
        from provisor.signin.keyring.store import KeyStore

        return Keyring(KeyStore(self.database), self._sealer, self.clock)

    @cached_property
    def authority(self) -> Authority:
        from provisor.signin.service import Authority
        from provisor.signin.store import SignInStore

        return Authority(SignInStore(self.database), self.keyring, self.oauth_clients, self.clock)

    @cached_property
    def vendor(self) -> Vendor:
        from provisor.signin.openid.vendor import TEMPLATE, Vendor

        secret = self.root.derive("vendor client secret").hex()
        return Vendor(self.registrations, self.applications.template(TEMPLATE), secret, self.clock)

    @cached_property
    def oauth_clients(self) -> OAuthClients:
        from provisor.signin.openid.clients import Clients

        return Clients(self.registrations, self.passwords, self.role_assignments, self.directory, self.vendor)

    @cached_property
    def consents(self) -> Consents:
        from provisor.signin.openid.consent import Consents
        from provisor.signin.openid.store import OpenIdStore

        store = OpenIdStore(self.database)
        return Consents(store, self.oauth_clients, self.registrations, self.grants, self.role_assignments)

    @cached_property
    def authorization(self) -> Authorization:
        from provisor.signin.openid.authorize import Authorization
        from provisor.signin.openid.store import OpenIdStore

        return Authorization(OpenIdStore(self.database), self.oauth_clients, self.consents, self.clock)

    @cached_property
    def issuing(self) -> Issuing:
        from provisor.signin.openid.issuing import Issuing
        from provisor.signin.openid.store import OpenIdStore
        from provisor.signin.store import SignInStore

        store, people = OpenIdStore(self.database), SignInStore(self.database)
        return Issuing(store, people, self.oauth_clients, self.consents, self.keyring, self.clock)

    @cached_property
    def sessions(self) -> Sessions:
        from provisor.signin.sessions import Sessions
        from provisor.signin.store import SignInStore

        return Sessions(SignInStore(self.database), self.clock)

    @cached_property
    def roles(self) -> Roles:
        from provisor.signin.roles.service import Roles
        from provisor.signin.roles.store import RoleStore

        return Roles(RoleStore(self.database), self.directory, self.clock)

    @cached_property
    def links(self) -> Links:
        from provisor.signin.links.service import Links
        from provisor.signin.links.store import LinkStore

        return Links(LinkStore(self.database), self.clock)

    @cached_property
    def accounts(self) -> Accounts:
        from provisor.signin.accounts.service import Accounts
        from provisor.signin.accounts.store import AccountStore
        from provisor.signin.store import SignInStore

        return Accounts(
            AccountStore(self.database),
            SignInStore(self.database),
            self.sessions,
            self._hashing,
            self._sealer,
            self.clock,
            pepper=self.root.derive("recovery codes"),
            require_second_factor=self.settings.require_second_factor,
        )

    @cached_property
    def joining(self) -> Joining:
        from provisor.signin.accounts.store import AccountStore
        from provisor.signin.joining.service import Joining
        from provisor.signin.store import SignInStore

        people, attempts = SignInStore(self.database), AccountStore(self.database)
        open_sign_up = self.settings.open_sign_up
        return Joining(
            self.links, self.accounts, people, attempts, self.companies, self.clock, open_sign_up=open_sign_up
        )

    @cached_property
    def federation(self) -> Federation:
        from provisor.signin.federation.exchange import Exchange, OwnAuthority, RemoteAuthority
        from provisor.signin.federation.service import Federation
        from provisor.signin.federation.store import FederationStore

        known = self.settings.microsoft
        exchange: Exchange = OwnAuthority(self.issuing, self.keyring, self.vendor)
        if known is not None:
            exchange = RemoteAuthority(known.authority, known.client_id, known.client_secret, self._transport)
        return Federation(FederationStore(self.database), exchange, self.joining, self.sealer, self.clock)

    # What they share

    @cached_property
    def _hashing(self) -> HashingPool:
        from provisor.security.passwords import Passwords

        return Passwords()

    async def address(self) -> str:
        """Where the world, or this machine, finds the server of this database."""
        from provisor.app.address import server_address

        return await server_address(self.database, self.settings)

    @property
    def sealer(self) -> Sealer:
        """Seals what leaves the program and comes back, such as the positions of lists."""
        return self._sealer

    @cached_property
    def setup(self) -> Setup:
        from provisor.app.setup import Setup

        return Setup(self.directory, self.companies, self.roles, self.links, self.root.derive("setup code"))

    @cached_property
    def _sealer(self) -> Sealer:
        return Sealer(self.key)

    @cached_property
    def _transport(self) -> Transport:
        return self._make_transport()


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
