"""What the HTTP faces need, built by ``provisor.app``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from provisor.clock import Clock
from provisor.events.outbox import Outbox
from provisor.provider.clients.service import Clients
from provisor.provider.requestlog.service import RequestLog
from provisor.provider.resources.service import Resources
from provisor.provider.service import Companies
from provisor.security.outbound import Network
from provisor.signin.model import Session
from provisor.web.company.services import CompanyServices
from provisor.web.graph.services import GraphServices
from provisor.web.html.live import Closing
from provisor.web.signin.services import SignInServices

if TYPE_CHECKING:
    from provisor.app.services import AppServices


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the faces appear and what they take.

    ``public_url``: where the world sees this server, ``https://id.example.org`` (a path is allowed); null: what each
    request names. ``metrics_token``: who sends it as a bearer token may read ``/metrics`` from anywhere. ``max_body``
    in bytes. ``trusted_proxies``: networks of proxies whose word on a request's scheme, host and address counts.
    """

    public_url: str | None = None
    metrics_token: str | None = None
    max_body: int = 16 * 1024 * 1024
    trusted_proxies: tuple[Network, ...] = ()


class FindSession(Protocol):
    """From a cookie's value to whom it stands for."""

    async def find(self, value: str) -> Session | None:
        """The session, or null when there is none any more."""


class NoSessions:
    """Nobody has signed in."""

    async def find(self, value: str) -> Session | None:
        return None


class Setup(Protocol):
    """Beginning on an empty database. ``code``: what the operator reads on the server's console, and nobody else."""

    @property
    def code(self) -> str: ...

    async def is_empty(self, kind: Literal["tenant", "company"]) -> bool:
        """Whether there is no tenant, or no company."""

    async def begin_tenant(self, name: str, domain: str, admin: str) -> str:
        """The first tenant and its administrator; where to go on, signed in. Raises ``ProvisorError``."""

    async def begin_company(self, name: str, admin: str) -> str:
        """The first company and its administrator; where to go on, signed in. Raises ``ProvisorError``."""


async def _nothing_measured() -> bytes:
    return b""


async def _ready() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Services:
    """``ready`` raises ``Unavailable`` while nothing can be served. ``measure``: the database's part of the metrics.

    ``clients``: null where there is no OAuth. ``requests``: null where SCIM requests are not kept.
    ``outbox``: null where changes are not given out. ``setup``: null where nothing can be begun from a page.
    ``sign_in``: null where nobody can.
    ``closing`` is told when the server ends. ``graph``: null where there is no Graph-compatible API. ``admin``: what
    the admin centre works on; null where there is none. ``company_portal``: the same for the company's.
    """

    companies: Companies
    resources: Resources
    clock: Clock
    settings: WebSettings = field(default_factory=WebSettings)
    ready: Callable[[], Awaitable[None]] = _ready
    measure: Callable[[], Awaitable[bytes]] = _nothing_measured
    clients: Clients | None = None
    requests: RequestLog | None = None
    outbox: Outbox | None = None
    admin: AppServices | None = None
    graph: GraphServices | None = None
    sessions: FindSession = field(default_factory=NoSessions)
    setup: Setup | None = None
    sign_in: SignInServices | None = None
    company_portal: CompanyServices | None = None
    closing: Closing = field(default_factory=Closing)
