"""Start-up: the app side: companies and their SCIM service."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provisor.app.wiring.shared import Shared

if TYPE_CHECKING:
    from provisor.events.outbox import Outbox
    from provisor.events.webhooks.delivery import WebhookDelivery
    from provisor.events.webhooks.service import Webhooks
    from provisor.provider.browsing.service import Browsing
    from provisor.provider.clients.service import Clients
    from provisor.provider.requestlog.service import RequestLog
    from provisor.provider.resources.service import Resources
    from provisor.provider.service import Companies


class ProviderServices(Shared):
    """What makes the app side: companies and their SCIM service."""

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
