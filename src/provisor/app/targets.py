"""Step export, its wiring: one client per job and credential, one pace per target, one pool of connections."""

from __future__ import annotations

from provisor.applications.gallery import Template
from provisor.applications.model import Credentials, Job
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.connector.address import parse_tenant_url
from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.client import ScimClient
from provisor.connector.dialect import load_dialect
from provisor.connector.oauth import ClientCredentials, TokenSource
from provisor.connector.pacing import Pacer
from provisor.connector.transport import Transport
from provisor.provisioning.watch import REQUEST_MS, check_before_send, tell_before_wait
from provisor.security.actor import Actor


class TargetClients:
    """Keeps the clients, so that pacing and connections outlive a batch. A changed credential makes a new client."""

    def __init__(self, applications: Applications, transport: Transport, clock: Clock) -> None:
        self._applications = applications
        self._transport = transport
        self._clock = clock
        self._tokens = TokenSource(transport, clock, timeout=REQUEST_MS / 1000)
        self._clients: dict[str, tuple[Credentials, str | None, str, ScimClient]] = {}
        # The root of the target's address -> its pace.
        self.pacers: dict[str, Pacer] = {}

    async def client(self, actor: Actor, job: Job) -> ScimClient:
        """The client for a job's target. Raises ``InvalidInput`` when its Tenant URL cannot be used, ``TargetError``
        when the target's authority gives no access token."""
        credentials = await self._applications.credentials(actor, job.id)
        token, dialect = await self._token(credentials), job.settings.dialect
        kept = self._clients.get(job.id)
        if kept is not None and kept[:3] == (credentials, token, dialect):
            return kept[3]
        client = self._made(self._applications.template(job.template_id), credentials, token, dialect)
        self._clients[job.id] = (credentials, token, dialect, client)
        return client

    async def probe(self, template: Template, credentials: Credentials, dialect: str) -> ScimClient:
        """A client that is used once, with credentials that need not be stored. Raises as ``client``."""
        return self._made(template, credentials, await self._token(credentials, fresh=True), dialect)

    async def _token(self, credentials: Credentials, *, fresh: bool = False) -> str | None:
        oauth = credentials.oauth
        if oauth is None:
            return credentials.secret_token
        who = ClientCredentials(oauth.token_url, oauth.client_id, oauth.client_secret, oauth.in_header)
        return await self._tokens.token(who, fresh=fresh)

    def trial(self, job: Job, credentials: Credentials) -> ScimClient:
        """A client that is not kept, for a fixed token. Raises ``InvalidInput`` as ``client``."""
        template = self._applications.template(job.template_id)
        return self._made(template, credentials, credentials.secret_token, job.settings.dialect)

    def _made(self, template: Template, credentials: Credentials, token: str | None, dialect: str) -> ScimClient:
        profile = CapabilityProfile.from_dict(template.capabilities)
        address = parse_tenant_url(credentials.base_address)
        pacer = self.pacers.setdefault(
            address.root,
            Pacer(self._clock, concurrency=profile.concurrency, requests_per_second=profile.requests_per_second),
        )
        return ScimClient(
            self._transport,
            base_address=credentials.base_address,
            token=token,
            dialect=load_dialect(dialect, address.flags),
            capabilities=profile,
            clock=self._clock,
            timeout=REQUEST_MS / 1000,
            pacing=pacer,
            before_send=check_before_send,
            before_wait=tell_before_wait,
        )
