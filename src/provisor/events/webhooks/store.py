"""Last step of the flow: webhooks and how far each has come, in the database."""

from __future__ import annotations

from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target
from provisor.events.audit.store import company as company_realm
from provisor.events.audit.store import record
from provisor.events.webhooks.model import DueWebhook, Webhook
from provisor.security.actor import Actor
from provisor.storage.database import Database, Params, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.events.webhooks")


class WebhookStore:
    """Persistence of ``provisor.events.webhooks``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, webhook: Webhook, sealed: bytes, actor: Actor) -> None:
        row = {
            "company_id": webhook.company_id,
            "id": webhook.id,
            "url": webhook.url,
            "secret": sealed,
            "created_at": webhook.created_at,
            "position": webhook.position,
        }

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["insert_webhook"], row)
            await _record(tx, activities.ADD_WEBHOOK, webhook, actor, webhook.created_at)

        await self._database.write(work)

    async def webhooks(self, company_id: str) -> list[Webhook]:
        """A company's webhooks, oldest first."""

        async def work(tx: Tx) -> list[Webhook]:
            return [Webhook(*row) for row in await tx.fetch_all(_SQL["webhooks"], {"company_id": company_id})]

        return await self._database.read(work)

    async def delete(self, webhook: Webhook, *, actor: Actor, at: int) -> None:
        async def work(tx: Tx) -> None:
            if await tx.execute(_SQL["delete_webhook"], {"company_id": webhook.company_id, "id": webhook.id}):
                await _record(tx, activities.REMOVE_WEBHOOK, webhook, actor, at)

        await self._database.write(work)

    async def move(self, webhook: Webhook, position: int, *, actor: Actor, at: int) -> None:
        """Go on after ``position``, at once, whatever happened before."""
        row = {"company_id": webhook.company_id, "id": webhook.id, "position": position, "at": at}

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["move_webhook"], row)
            changed = (Modified("position", webhook.position, position), Modified("paused", webhook.paused, None))
            await _record(tx, activities.REPLAY_WEBHOOK, webhook, actor, at, changed)

        await self._database.write(work)

    async def due(self, now: int, limit: int) -> list[DueWebhook]:
        """Webhooks with something to send now, of all companies; who waited longest comes first."""

        async def work(tx: Tx) -> list[DueWebhook]:
            rows = await tx.fetch_all(_SQL["due_webhooks"], {"now": now, "limit": limit})
            return [DueWebhook(Webhook(*row[:-1]), bytes(row[-1])) for row in rows]

        return await self._database.read(work)

    async def claim(self, webhook: Webhook, now: int, until: int) -> bool:
        """Take it for this sender until then; false when another was quicker."""
        params = {
            "company_id": webhook.company_id,
            "id": webhook.id,
            "position": webhook.position,
            "now": now,
            "until": until,
        }
        return await self._execute("claim_webhook", params) == 1

    async def settle(self, webhook: Webhook, claimed: int) -> bool:
        """Store how a delivery went; false when the claim, which lasted until ``claimed``, is somebody else's now."""
        params = {
            "company_id": webhook.company_id,
            "id": webhook.id,
            "position": webhook.position,
            "paused": webhook.paused,
            "failures": webhook.failures,
            "next_at": webhook.next_at,
            "last_answer": webhook.last_answer,
            "delivered_at": webhook.delivered_at,
            "claimed": claimed,
        }
        return await self._execute("settle_webhook", params) == 1

    async def _execute(self, query: str, params: Params) -> int:
        async def work(tx: Tx) -> int:
            return await tx.execute(_SQL[query], params)

        return await self._database.write(work)


async def _record(
    tx: Tx, activity: Activity, webhook: Webhook, actor: Actor, at: int, changed: tuple[Modified, ...] = ()
) -> None:
    entry = NewEntry(activity, actor, (Target("Webhook", webhook.id, webhook.url, changed),))
    await record(tx, company_realm(webhook.company_id), [entry], at=at)
