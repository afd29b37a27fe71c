"""Step 0 of the API: who a bearer token speaks for. Signed, and what it stands for is looked up again.

What a token says is its tenant, client, permissions and end; what may change before that end is read from the database:
whether its grant, secret or the operator's token was revoked, whether the person may still sign in, and which directory
roles the person has. An answer is remembered for 1.5 s, so that a revocation by any process holds within two seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from provisor.clock import Clock
from provisor.errors import InvalidInput, NotFound
from provisor.ids import new_id
from provisor.security.actor import Actor, Realm, Right, rights_of
from provisor.security.permissions import app_roles, rights_of_app
from provisor.signin.claims import OPERATOR_APP_ID, AccessClaims, app_claims, read_access_claims
from provisor.signin.errors import TokenRevoked
from provisor.signin.keyring.service import LONGEST_TOKEN_MS, Keyring
from provisor.signin.model import Caller
from provisor.signin.people import PersonKey
from provisor.signin.store import AppTokenRow, SignInStore

HOUR_MS = 3_600_000
_CACHE_MS = 1_500
_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that was just made: its text, this once. ``expires_at`` in ms UTC."""

    id: str
    text: str
    expires_at: int


class StillWorks(Protocol):
    """``openid.clients.Clients``: the applications that tokens are given to."""

    async def still_works(self, tenant_id: str, client_id: str, secret_id: str) -> bool: ...


class Authority:
    """The directory as an authority: the tokens that it issued."""

    def __init__(self, store: SignInStore, keyring: Keyring, clients: StillWorks, clock: Clock) -> None:
        self._store = store
        self._keyring = keyring
        self._clients = clients
        self._clock = clock
        self._known: dict[str, tuple[Caller, int]] = {}

    async def authenticate(self, token: str) -> Caller:
        """Who a bearer token of the API speaks for. Raises ``BadToken``, ``TokenExpired``, ``TokenRevoked``."""
        now = self._clock.now_ms()
        known = self._known.get(token)
        if known is not None and now < known[1]:
            return known[0]
        signed_by, claims = await self._keyring.verify(token)
        said = read_access_claims(signed_by, claims, now)
        caller = await (self._person(said) if said.kind == "user" else self._app(said))
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[token] = (caller, min(now + _CACHE_MS, said.expires_at))
        return caller

    async def read_hint(self, id_token: str) -> tuple[str, str]:
        """Client and person of an id token that we gave, at whatever time. Raises ``BadToken``."""
        _, claims = await self._keyring.verify(id_token)
        return str(claims.get("aud", "")), str(claims.get("oid", ""))

    def forget(self) -> None:
        """Look everything up again: something was revoked in this process."""
        self._known.clear()

    # The operator's tokens

    async def create_token(self, actor: Actor, tenant_id: str, hours: int, base: str) -> IssuedToken:
        """A token with every permission in a tenant, for ``hours``. ``base``: this server's address, for the issuer.

        Raises ``InvalidInput`` for hours that no token may live, ``NotFound`` for an unknown tenant.
        """
        actor.require(Right.TENANTS_MANAGE)
        most = LONGEST_TOKEN_MS // HOUR_MS
        if not 1 <= hours <= most:
            raise InvalidInput(f"A token cannot live {hours} hours.", hint=f"Choose 1 to {most}.")
        if not await self._store.tenant_exists(tenant_id):
            raise NotFound(f"There is no tenant {tenant_id!r}.", hint="provisor tenant list shows all.")
        now = self._clock.now_ms()
        token = AppTokenRow(new_id(), tenant_id, actor.subject, now, (now // 1000 * 1000) + hours * HOUR_MS)
        claims = app_claims(
            base,
            tenant_id,
            client_id=OPERATOR_APP_ID,
            object_id=OPERATOR_APP_ID,
            grant=token.id,
            roles=app_roles(),
            now_ms=now,
            expires_ms=token.expires_at,
        )
        text = await self._keyring.sign(tenant_id, claims)
        await self._store.insert_app_token(token, actor)
        return IssuedToken(token.id, text, token.expires_at)

    async def tokens(self, actor: Actor, tenant_id: str) -> list[AppTokenRow]:
        """The operator's tokens in a tenant that have not expired, the oldest first."""
        actor.require(Right.TENANTS_MANAGE)
        return await self._store.app_tokens(tenant_id, self._clock.now_ms())

    async def revoke_token(self, actor: Actor, tenant_id: str, token_id: str) -> None:
        """Revoke one of them, at once here and within 2 s in every process. Raises ``NotFound``."""
        actor.require(Right.TENANTS_MANAGE)
        if not await self._store.revoke_app_token(tenant_id, token_id, actor, self._clock.now_ms()):
            raise NotFound(f"There is no token {token_id!r} to revoke.", hint="provisor token list shows all.")
        self.forget()

    async def rotate_keys(self, actor: Actor, tenant_id: str) -> str:
        """Sign with a new key from now on; its id. Tokens of the old one go on until they end."""
        actor.require(Right.TENANTS_MANAGE)
        return await self._keyring.rotate(tenant_id, actor)

    async def _person(self, said: AccessClaims) -> Caller:
        key = PersonKey("tenant", said.tenant_id, said.user_id or "")
        person, granted = await self._store.person_and_grant(key, said.grant)
        if person is None or not person.active:
            raise TokenRevoked("The person of this access token may not sign in any more.")
        # iat has whole seconds: a token of the second in which the password was changed counts.
        if not granted or said.issued_at + 999 < person.not_before:
            raise TokenRevoked("The access token was revoked.", hint="Sign in again.")
        return Caller(
            actor=person.actor,
            tenant_id=said.tenant_id,
            kind="user",
            app_id=said.client_id,
            user_id=key.subject_id,
            scopes=said.scopes,
            directory_roles=person.roles,
        )

    async def _app(self, said: AccessClaims) -> Caller:
        if said.client_id == OPERATOR_APP_ID:
            token = await self._store.app_token(said.grant)
            works = token is not None and token.tenant_id == said.tenant_id and token.revoked_at is None
            rights = rights_of(["Global Administrator"]) | rights_of_app(said.app_roles)
        else:
            works = await self._clients.still_works(said.tenant_id, said.client_id, said.grant)
            rights = rights_of_app(said.app_roles)
        if not works:
            raise TokenRevoked("The access token was revoked.", hint="Ask for a new one.")
        return Caller(
            actor=Actor(Realm("tenant", said.tenant_id), said.object_id, rights),
            tenant_id=said.tenant_id,
            kind="app",
            app_id=said.client_id,
            app_roles=said.app_roles,
        )
