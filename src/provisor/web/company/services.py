"""What the company portal calls."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.clock import Clock
from provisor.events.audit.service import Audit
from provisor.events.mail.service import Mail
from provisor.events.outbox import Outbox
from provisor.events.webhooks.service import Webhooks
from provisor.provider.browsing.service import Browsing
from provisor.provider.clients.service import Clients
from provisor.provider.requestlog.service import RequestLog
from provisor.provider.resources.service import Resources
from provisor.provider.service import Companies
from provisor.signin.links.service import Links


@dataclass(frozen=True, slots=True)
class CompanyServices:
    """The services that the API and the commands call too. ``address``: where this server is, when it is told."""

    companies: Companies
    clients: Clients
    resources: Resources
    browsing: Browsing
    requests: RequestLog
    outbox: Outbox
    webhooks: Webhooks
    links: Links
    audit: Audit
    mail: Mail
    clock: Clock
    public_url: str | None = None
