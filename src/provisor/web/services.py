"""What the HTTP faces need, built by ``provisor.app``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from provisor.clock import Clock
from provisor.events.outbox import Outbox
from provisor.provider.clients.service import Clients
from provisor.provider.requestlog.service import RequestLog
from provisor.provider.resources.service import Resources
from provisor.provider.service import Companies
from provisor.web.graph.services import GraphServices


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the faces appear and what they take.

    ``public_url``: where the world sees this server, ``https://id.example.org`` (a path is allowed); null: what each
    request names. ``metrics_token``: who sends it as a bearer token may read ``/metrics`` from anywhere. ``max_body``
    in bytes.
    """

    public_url: str | None = None
    metrics_token: str | None = None
    max_body: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Section:
    """A table on a status page. ``empty`` is what stands there without rows: how to begin."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str = "Nothing here yet."


async def _nothing() -> Sequence[Section]:
    return ()


async def _ready() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Services:
    """``ready`` raises ``Unavailable`` while nothing can be served, ``portal``, ``company`` fill status pages.

    ``clients``: null where there is no OAuth. ``requests``: null where SCIM requests are not kept.
    ``outbox``: null where changes are not given out. ``graph``: null where there is no Graph-compatible API.
    """

    companies: Companies
    resources: Resources
    clock: Clock
    settings: WebSettings = field(default_factory=WebSettings)
    ready: Callable[[], Awaitable[None]] = _ready
    portal: Callable[[], Awaitable[Sequence[Section]]] = _nothing
    company: Callable[[], Awaitable[Sequence[Section]]] = _nothing
    clients: Clients | None = None
    requests: RequestLog | None = None
    outbox: Outbox | None = None
    graph: GraphServices | None = None
