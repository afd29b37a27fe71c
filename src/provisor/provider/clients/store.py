"""App side: OAuth clients and their secrets in the database."""

from __future__ import annotations

from dataclasses import replace

from provisor.clock import iso
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target
from provisor.events.audit.store import company as company_realm
from provisor.events.audit.store import record
from provisor.provider.clients.model import CheckedClient, ClientSecret, OAuthClient
from provisor.provider.model import RateLimits
from provisor.security.actor import Actor
from provisor.storage.database import Database, Params, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provider.clients")


class ClientStore:
    """Persistence of ``provisor.provider.clients.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, client: OAuthClient, secret: ClientSecret, mac: bytes, actor: Actor) -> None:
        """Store a client with its first secret."""
        row = {
            "id": client.id,
            "company_id": client.company_id,
            "name": client.name,
            "dialect": client.dialect,
            "created_at": client.created_at,
        }

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["insert_client"], row)
            await tx.execute(_SQL["insert_secret"], _secret_row(client.id, secret, mac))
            facts = (Modified("dialect", None, client.dialect), _expires(secret))
            await _record(tx, activities.ADD_CLIENT, client, actor, client.created_at, facts)

        await self._database.write(work)

    async def insert_secret(self, client: OAuthClient, secret: ClientSecret, mac: bytes, actor: Actor) -> None:
        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["insert_secret"], _secret_row(client.id, secret, mac))
            facts = (Modified("secretId", None, secret.id), _expires(secret))
            await _record(tx, activities.ADD_SECRET, client, actor, secret.created_at, facts)

        await self._database.write(work)

    async def clients(self, company_id: str) -> list[OAuthClient]:
        """A company's clients with their secrets, oldest first."""

        async def work(tx: Tx) -> list[OAuthClient]:
            found = [OAuthClient(*row) for row in await tx.fetch_all(_SQL["clients"], {"company_id": company_id})]
            held: dict[str, list[ClientSecret]] = {client.id: [] for client in found}
            for client_id, *secret in await tx.fetch_all(_SQL["secrets"], {"company_id": company_id}):
                held[client_id].append(ClientSecret(*secret))
            return [replace(client, secrets=held[client.id]) for client in found]

        return await self._database.read(work)

    async def to_check(self, client_id: str, secret_id: str) -> CheckedClient | None:
        """A client with one of its secrets; null where there is none such."""

        async def work(tx: Tx) -> CheckedClient | None:
            row = await tx.fetch_one(_SQL["client_to_check"], {"client_id": client_id, "secret_id": secret_id})
            if row is None:
                return None
            client, secret = OAuthClient(*row[:7]), ClientSecret(*row[7:11])
            return CheckedClient(client, secret, bytes(row[11]), RateLimits(row[12], row[13]))

        return await self._database.read(work)

    async def revoke(self, client: OAuthClient, *, actor: Actor, at: int) -> None:
        async def work(tx: Tx) -> None:
            if await tx.execute(_SQL["revoke_client"], {"company_id": client.company_id, "id": client.id, "at": at}):
                await _record(tx, activities.REVOKE_CLIENT, client, actor, at)

        await self._database.write(work)

    async def revoke_secret(self, client: OAuthClient, secret_id: str, *, actor: Actor, at: int) -> None:
        async def work(tx: Tx) -> None:
            if await tx.execute(_SQL["revoke_secret"], {"client_id": client.id, "id": secret_id, "at": at}):
                await _record(tx, activities.REVOKE_SECRET, client, actor, at, (Modified("secretId", secret_id, None),))

        await self._database.write(work)

    async def touch(self, client_id: str, at: int) -> None:
        """Store when a client was used last."""

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["touch_client"], {"id": client_id, "at": at})

        await self._database.write(work)


async def _record(
    tx: Tx, activity: Activity, client: OAuthClient, actor: Actor, at: int, changed: tuple[Modified, ...] = ()
) -> None:
    entry = NewEntry(activity, actor, (Target("OAuthClient", client.id, client.name, changed),))
    await record(tx, company_realm(client.company_id), [entry], at=at)


def _expires(secret: ClientSecret) -> Modified:
    return Modified("expires", None, None if secret.expires_at is None else iso(secret.expires_at))


def _secret_row(client_id: str, secret: ClientSecret, mac: bytes) -> Params:
    return {
        "id": secret.id,
        "client_id": client_id,
        "mac": mac,
        "created_at": secret.created_at,
        "expires_at": secret.expires_at,
    }
