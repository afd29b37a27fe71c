"""Step 1 of every token: signed with a key of its tenant, and checked with it. RS256, which every client takes.

Each tenant has keys of its own, made when its first token is: what one tenant's key signs says nothing in another. A
key signs for 90 days and is published until the last token that it signed has ended. A new key signs at once; whoever
meets an unknown ``kid`` asks for the keys again, as the OpenID Connect standard has it (Core, section 10.1.1).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from provisor.clock import Clock
from provisor.security.actor import Actor
from provisor.security.secrets import Sealer
from provisor.signin.errors import BadToken
from provisor.signin.keyring.store import KeyRow, KeyStore

ALGORITHM = "RS256"
DAY_MS = 24 * 3_600_000
# How long a key signs, and how long it is published after that: no token lives longer.
SIGNS_MS = 90 * DAY_MS
LONGEST_TOKEN_MS = 366 * DAY_MS

# Another process may have rotated: what signs is asked for again after this.
_FRESH_MS = 60_000
_KNOWN = 4_096
_LONGEST_TOKEN = 16_384


@dataclass(frozen=True, slots=True)
class _Signer:
    key: RSAKey
    id: str
    created_at: int
    seen_at: int


class Keyring:
    """Signs claims for a tenant, and checks what was signed."""

    def __init__(self, store: KeyStore, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._signers: dict[str, _Signer] = {}
        # kid -> the tenant and the public key; an id never gets another key.
        self._public: dict[str, tuple[str, RSAKey]] = {}

    async def sign(self, tenant_id: str, claims: Mapping[str, Any], *, type_: str = "JWT") -> str:
        """The claims as a JWT of the tenant's present key."""
        signer = await self._signer(tenant_id)
        header = {"alg": ALGORITHM, "kid": signer.id, "typ": type_}
        return jwt.encode(header, dict(claims), signer.key, algorithms=[ALGORITHM])

    async def verify(self, token: str) -> tuple[str, dict[str, Any]]:
        """Whose key signed the token, and its claims. Nothing of them is checked. Raises ``BadToken``."""
        if len(token) > _LONGEST_TOKEN:
            raise BadToken("The access token is too long.")
        found = await self._public_key(_key_id(token))
        if found is None:
            raise BadToken(hint="Ask this server's token address for one.")
        tenant_id, key = found
        try:
            return tenant_id, jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as error:
            raise BadToken("The access token's signature is not ours.", hint="Ask for a new one.") from error

    async def published(self, tenant_id: str) -> list[dict[str, Any]]:
        """The tenant's public keys as JWKs: first the one that signs. Makes it where there is none yet."""
        await self._signer(tenant_id)
        rows = await self._store.keys(tenant_id, self._clock.now_ms() - LONGEST_TOKEN_MS)
        return [msgspec.json.decode(row.public) for row in rows]

    async def rotate(self, tenant_id: str, actor: Actor) -> str:
        """Make the tenant a new key that signs from now on; its id. Tokens of the old one go on until they end."""
        return (await self._make(tenant_id, made_before=self._clock.now_ms(), actor=actor)).id

    async def _signer(self, tenant_id: str) -> _Signer:
        now = self._clock.now_ms()
        known = self._signers.get(tenant_id)
        if known is not None and now - known.seen_at < _FRESH_MS and now - known.created_at < SIGNS_MS:
            return known
        for row in await self._store.keys(tenant_id, now):
            if row.retired_at is None and now - row.created_at < SIGNS_MS:
                return self._use(row, now)
        return self._use(await self._make(tenant_id, made_before=now - SIGNS_MS), now)

    def _use(self, row: KeyRow, now: int) -> _Signer:
        known = self._signers.get(row.tenant_id)
        key = known.key if known is not None and known.id == row.id else self._opened(row)
        if len(self._signers) >= _KNOWN:
            self._signers.clear()
        signer = self._signers[row.tenant_id] = _Signer(key, row.id, row.created_at, now)
        return signer

    async def _make(self, tenant_id: str, *, made_before: int, actor: Actor | None = None) -> KeyRow:
        # Two primes take a tenth of a second: not in the event loop.
        key = await asyncio.to_thread(RSAKey.generate_key, 2048, auto_kid=True)
        now = self._clock.now_ms()
        public = {**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}
        key_id = str(public["kid"])
        sealed = self._sealer.seal(key.as_pem(private=True), _row_name(tenant_id, key_id))
        new = KeyRow(key_id, tenant_id, msgspec.json.encode(public).decode(), sealed, now)
        oldest = now - LONGEST_TOKEN_MS
        return await self._store.replace(new, made_before=made_before, retired_before=oldest, actor=actor)

    def _opened(self, row: KeyRow) -> RSAKey:
        return RSAKey.import_key(self._sealer.open(row.sealed, _row_name(row.tenant_id, row.id)))

    async def _public_key(self, key_id: str) -> tuple[str, RSAKey] | None:
        known = self._public.get(key_id)
        if known is not None:
            return known
        row = await self._store.key(key_id)
        if row is None:
            return None
        if len(self._public) >= _KNOWN:
            self._public.clear()
        found = self._public[key_id] = (row.tenant_id, RSAKey.import_key(msgspec.json.decode(row.public)))
        return found


def _row_name(tenant_id: str, key_id: str) -> str:
    """What the sealed key is bound to."""
    return f"{tenant_id}/signing_key/{key_id}"


def _key_id(token: str) -> str:
    """The ``kid`` of a token's header. Raises ``BadToken``."""
    coded = token.partition(".")[0]
    try:
        header = msgspec.json.decode(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)))
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise BadToken("The bearer token is no JWT.", hint="Ask this server's token address for one.") from error
    if not isinstance(header, dict) or not isinstance(header.get("kid"), str):
        raise BadToken("The bearer token names no key.", hint="Ask this server's token address for one.")
    return str(header["kid"])
