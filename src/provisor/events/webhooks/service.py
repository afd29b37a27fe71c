"""Last step of the flow: which webhooks a company has, and from where on each is sent the changes."""

from __future__ import annotations

from urllib.parse import urlsplit

from provisor.clock import Clock
from provisor.errors import InvalidInput, NotFound
from provisor.events.store import OutboxExpired, OutboxStore
from provisor.events.webhooks.message import make_secret
from provisor.events.webhooks.model import Webhook
from provisor.events.webhooks.store import WebhookStore
from provisor.ids import new_id
from provisor.security.actor import Actor, Right
from provisor.security.secrets import Sealer


def associated(webhook: Webhook) -> str:
    """What a webhook's sealed secret is bound to."""
    return f"webhook/{webhook.company_id}/{webhook.id}"


class Webhooks:
    """What an administrator does with webhooks. ``WebhookDelivery`` sends."""

    def __init__(self, store: WebhookStore, outbox: OutboxStore, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._outbox = outbox
        self._sealer = sealer
        self._clock = clock

    async def add(self, actor: Actor, company_id: str, url: str, *, after: int | None = None) -> tuple[Webhook, str]:
        """A webhook, and the secret that its messages are signed with, which is shown this once.

        It is sent the changes after the number ``after``; null: those from now on. Raises ``InvalidInput``, and
        ``OutboxExpired`` when some of them are no longer kept.
        """
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        url = _checked(url)
        position = await self._position(company_id, after)
        key, text = make_secret()
        webhook = Webhook(new_id(), company_id, url, self._clock.now_ms(), position, None, 0, 0, None, None)
        await self._store.insert(webhook, self._sealer.seal(key, associated(webhook)), actor)
        return webhook, text

    async def webhooks(self, actor: Actor, company_id: str) -> list[Webhook]:
        """A company's webhooks, oldest first."""
        actor.require(Right.COMPANY_READ, company_id)
        return await self._store.webhooks(company_id)

    async def remove(self, actor: Actor, company_id: str, webhook_id: str) -> Webhook:
        """Send it nothing any more. Raises ``NotFound``."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        webhook = await self._webhook(company_id, webhook_id)
        await self._store.delete(webhook, actor=actor, at=self._clock.now_ms())
        return webhook

    async def replay(self, actor: Actor, company_id: str, webhook_id: str, *, after: int | None = None) -> int:
        """Send the changes after the number ``after`` (again); null: go on where it stopped. Ends a pause.

        Returns the number after which it goes on. Raises ``NotFound``, ``InvalidInput`` and ``OutboxExpired``.
        """
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        webhook = await self._webhook(company_id, webhook_id)
        position = await self._position(company_id, webhook.position if after is None else after)
        await self._store.move(webhook, position, actor=actor, at=self._clock.now_ms())
        return position

    async def _position(self, company_id: str, after: int | None) -> int:
        span = await self._outbox.span(company_id)
        if after is None:
            return span.head
        if not 0 <= after <= span.head:
            raise InvalidInput(
                f"There is no change with the number {after}.",
                hint=f"Give a number from {span.floor} to {span.head}, the last one.",
            )
        if after < span.floor:
            raise OutboxExpired(after, span)
        return after

    async def _webhook(self, company_id: str, webhook_id: str) -> Webhook:
        for webhook in await self._store.webhooks(company_id):
            if webhook.id == webhook_id:
                return webhook
        raise NotFound(f"The company has no webhook {webhook_id!r}.", hint="'provisor webhook list' has them.")


def _checked(url: str) -> str:
    """The address, if one can POST there. Where it leads is checked at every delivery."""
    parts = urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or any(character.isspace() for character in url):
        raise InvalidInput(f"{url!r} cannot be called.", hint="Give it as https://host/path.")
    if parts.username is not None or parts.fragment:
        raise InvalidInput(
            "A webhook's address has no user name and no fragment.", hint="Give it as https://host/path."
        )
    return url
