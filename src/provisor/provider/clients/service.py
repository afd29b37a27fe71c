"""App side, steps 0 and 1: OAuth clients of a company, the tokens that they get, and who a token stands for."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import date

from provisor.clock import Clock
from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.provider import keys
from provisor.provider.clients import tokens
from provisor.provider.clients.model import (
    AccessToken,
    CheckedClient,
    ClientSecret,
    ExpiredToken,
    InvalidClient,
    OAuthClient,
    RevokedToken,
)
from provisor.provider.clients.store import ClientStore
from provisor.provider.model import Principal
from provisor.provider.verified import Verified
from provisor.scim import dialect as dialects
from provisor.security.actor import Actor, Realm, Right, rights_of

# What Entra's gallery asks for: an access token lives 60 to 360 minutes.
SHORTEST_MINUTES, LONGEST_MINUTES = 60, 360
# Enough to replace one while another is in use; more would only be forgotten.
MOST_SECRETS = 10

_CHECK = "Check the client id and the secret, or create a new secret."


class Clients:
    """OAuth clients. ``pepper`` is the server's secret: it codes secrets and tokens. Tokens live ``token_minutes``."""

    def __init__(
        self, store: ClientStore, pepper: bytes, clock: Clock, *, token_minutes: int = SHORTEST_MINUTES
    ) -> None:
        if not SHORTEST_MINUTES <= token_minutes <= LONGEST_MINUTES:
            raise InvalidInput(
                f"Access tokens cannot live {token_minutes} minutes.",
                hint=f"Choose {SHORTEST_MINUTES} to {LONGEST_MINUTES}.",
            )
        self._store = store
        self._pepper = pepper
        self._clock = clock
        self._token_ms = token_minutes * 60_000
        self._rights = rights_of(["Company Administrator"])
        self._verified = Verified(store.touch)

    async def create(
        self,
        actor: Actor,
        company_id: str,
        name: str,
        *,
        expires: date | str | None = None,
        dialect: str = dialects.DEFAULT,
    ) -> tuple[OAuthClient, str]:
        """A client, and the text of its first secret, which is shown this once.

        The secret works to the end of the day ``expires`` (UTC); null: until it is revoked. Raises ``InvalidInput``,
        and ``Conflict`` when the company has a client of this name that is not revoked.
        """
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        dialects.dialect(dialect)
        name = name.strip()
        if not name:
            raise InvalidInput("A client needs a name.")
        if any(known.name == name and known.revoked_at is None for known in await self._store.clients(company_id)):
            raise Conflict(
                f"The company has a client {name!r} already.", hint="Choose another name, or add a secret to that one."
            )
        secret, text = self._secret(expires)
        client = OAuthClient(
            tokens.make_id(), company_id, name, dialect, self._clock.now_ms(), None, None, secrets=[secret]
        )
        await self._store.insert(client, secret, tokens.mac(text, self._pepper), actor)
        return client, text

    async def clients(self, actor: Actor, company_id: str) -> list[OAuthClient]:
        """A company's clients, oldest first, revoked ones included."""
        actor.require(Right.COMPANY_READ, company_id)
        return await self._store.clients(company_id)

    async def add_secret(
        self, actor: Actor, company_id: str, ref: str, *, expires: date | str | None = None
    ) -> tuple[OAuthClient, ClientSecret, str]:
        """A further secret of a client (id or name), and its text. The others go on working."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        client = await self._client(company_id, ref)
        now = self._clock.now_ms()
        if client.revoked_at is not None:
            raise Conflict(f"The client {client.name!r} was revoked.", hint="Create a new one.")
        if sum(secret.works(now) for secret in client.secrets) >= MOST_SECRETS:
            raise Conflict(
                f"The client {client.name!r} has {MOST_SECRETS} secrets that work.", hint="Revoke one of them first."
            )
        secret, text = self._secret(expires)
        await self._store.insert_secret(client, secret, tokens.mac(text, self._pepper), actor)
        return replace(client, secrets=[*client.secrets, secret]), secret, text

    async def revoke_secret(self, actor: Actor, company_id: str, ref: str, secret_id: str) -> OAuthClient:
        """Revoke one secret of a client and the tokens that were given for it, within 2 s in every process."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        client = await self._client(company_id, ref)
        if all(secret.id != secret_id for secret in client.secrets):
            raise NotFound(
                f"The client {client.name!r} has no secret {secret_id!r}.",
                hint="'provisor oauth-client list' has them.",
            )
        await self._store.revoke_secret(client, secret_id, actor=actor, at=self._clock.now_ms())
        self._verified.forget()
        return client

    async def revoke(self, actor: Actor, company_id: str, ref: str) -> OAuthClient:
        """Revoke a client (id or name) with its secrets and tokens, at once here and within 2 s in every process."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        client = await self._client(company_id, ref)
        await self._store.revoke(client, actor=actor, at=self._clock.now_ms())
        self._verified.forget()
        return client

    async def issue(self, client_id: str, secret: str) -> AccessToken:
        """A token for a client that shows one of its secrets (RFC 6749 section 4.4). Raises ``InvalidClient``."""
        secret_id = tokens.secret_id_of(secret)
        found = None if secret_id is None else await self._store.to_check(client_id, secret_id)
        if found is None or not hmac.compare_digest(found.mac, tokens.mac(secret, self._pepper)):
            raise InvalidClient("There is no client with this id and secret.", hint=_CHECK)
        now = self._clock.now_ms()
        if found.client.revoked_at is not None or found.secret.revoked_at is not None:
            raise InvalidClient(f"{_revoked(found)} was revoked.", hint=_CHECK)
        if not found.secret.works(now):
            raise InvalidClient("The client secret has expired.", hint=_CHECK)
        text = tokens.make_token(found.client.id, found.secret.id, now + self._token_ms, self._pepper)
        return AccessToken(text, self._token_ms // 1000)

    async def authenticate(self, header: str) -> Principal:
        """Who an ``Authorization`` header with an access token stands for. Raises ``Unauthenticated``."""
        now = self._clock.now_ms()
        known = self._verified.get(header, now)
        if known is not None:
            return known
        client_id, secret_id, ends = tokens.read_token(header.strip().partition(" ")[2].strip(), self._pepper)
        if now >= ends:
            raise ExpiredToken(hint="Ask the token address for a new one.")
        found = await self._store.to_check(client_id, secret_id)
        if found is None:
            raise RevokedToken("The access token's client is gone.", hint="It was deleted with its company.")
        if found.client.revoked_at is not None or found.secret.revoked_at is not None:
            raise RevokedToken(f"{_revoked(found)} was revoked.", hint="Create a new one and enter it there.")
        client = found.client
        actor = Actor(Realm("company", client.company_id), client.id, self._rights)
        principal = Principal(client.company_id, actor, client.id, client.dialect, found.limits)
        self._verified.remember(header, principal, now, ends, client.last_used_at)
        return principal

    async def close(self) -> None:
        """Wait for what is still being noted in the background; call before the database closes."""
        await self._verified.close()

    def _secret(self, expires: date | str | None) -> tuple[ClientSecret, str]:
        now = self._clock.now_ms()
        secret_id, text = tokens.make_secret()
        return ClientSecret(secret_id, now, None if expires is None else keys.expiry(expires, now), None), text

    async def _client(self, company_id: str, ref: str) -> OAuthClient:
        found = await self._store.clients(company_id)
        matches = [client for client in found if client.id == ref] or [
            client for client in found if client.name == ref and client.revoked_at is None
        ]
        if not matches:
            raise NotFound(f"The company has no client {ref!r}.", hint="'provisor oauth-client list' has them.")
        return matches[0]


def _revoked(found: CheckedClient) -> str:
    what = "client" if found.client.revoked_at is not None else "secret of the client"
    return f"The {what} {found.client.name!r}"
