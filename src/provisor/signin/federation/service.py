"""Signing in with Microsoft: begun here, proved there, and bound to issuer, tenant and object id ever after.

An e-mail address or a user name of the id token decides nothing: whoever administers the other directory can give out
any. Who is unknown may found a company; joining one that exists takes an invitation, or a session in it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from provisor.clock import Clock
from provisor.errors import Conflict
from provisor.security.secrets import SealBroken, SealedElsewhere, Sealer
from provisor.signin.federation.exchange import Exchange, require_valid
from provisor.signin.federation.model import Arrived, Begun, FederationFailed, Flow, Identity, Started
from provisor.signin.federation.store import FederationStore
from provisor.signin.joining.service import Joining
from provisor.signin.model import Session
from provisor.signin.people import PersonKey
from provisor.signin.secrets import make_secret
from provisor.signin.sessions import Origin

T = TypeVar("T")

# How long one may be away: signing in there, reading what is asked.
HELD_MS = 20 * 60_000
SCOPE = "openid profile email User.Read"
_STARTED, _ARRIVED = "microsoft/started", "microsoft/arrived"


class Federation:
    """The relying party of the company portal."""

    def __init__(
        self, store: FederationStore, exchange: Exchange, joining: Joining, sealer: Sealer, clock: Clock
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._joining = joining
        self._sealer = sealer
        self._clock = clock

    async def begin(self, flow: Flow, base: str, redirect_uri: str, *, to: str, invitation: str = "") -> Begun:
        """Send a browser there. ``to``: where it goes on afterwards. Raises ``LinkUnusable`` for an invitation."""
        if flow == "invitation":
            await self._joining.look(invitation)
        state, nonce, verifier = make_secret(), make_secret(), make_secret() + make_secret()
        started = Started(flow, state, nonce, verifier, to, invitation, self._clock.now_ms() + HELD_MS)
        digest = hashlib.sha256(verifier.encode()).digest()
        params = {
            "client_id": self._exchange.client_id(),
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "response_mode": "query",
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        if flow == "sign-up":
            # A company that signs up sees what it allows, also when it did so before.
            params["prompt"] = "consent"
        address = await self._exchange.authorize_address(base)
        return Begun(f"{address}?{urlencode(params)}", self._seal(started, _STARTED))

    async def arrive(
        self, params: Mapping[str, str], held: str, base: str, redirect_uri: str, session: Session | None
    ) -> Arrived:
        """The browser came back. ``session``: of the company portal, when somebody is signed in there.

        Raises ``FederationFailed``: what came back does not answer what was begun in this browser, or says why not.
        """
        started = self._open(held, _STARTED, Started)
        if started is None or not hmac.compare_digest(params.get("state", "").encode(), started.state.encode()):
            raise FederationFailed("This does not answer what was begun in this browser.", hint="Begin again.")
        if "error" in params:
            said = params.get("error_description", params["error"])
            raise FederationFailed(said.partition("\r")[0][:500], hint="Nothing was changed here.")
        claims = await self._exchange.claims(base, params.get("code", ""), started.verifier, redirect_uri)
        require_valid(claims, self._exchange.client_id(), started.nonce, self._clock.now_ms())
        identity = _identity(claims, self._clock.now_ms() + HELD_MS)
        person = await self._person(started, identity, session)
        sealed = "" if person is not None else self._seal(identity, _ARRIVED)
        return Arrived(started, identity, person, sealed)

    async def found(self, held: str, company: str, origin: Origin) -> PersonKey:
        """A company of who came back and was nobody's yet; its first administrator. Raises ``Conflict``, …"""
        identity = self._open(held, _ARRIVED, Identity)
        if identity is None:
            raise FederationFailed("That took too long.", hint="Begin again.")
        await self._joining.count_sign_up(origin)
        person = await self._joining.found_company(company, identity.email)
        return await self._bound(identity, person)

    async def _person(self, started: Started, identity: Identity, session: Session | None) -> PersonKey | None:
        if started.flow == "invitation":
            return await self._bound(identity, await self._joining.use(started.invitation))
        if started.flow == "sign-up" and session is not None:
            # Signed in to a company already: it is this account that is theirs there from now on.
            return await self._bound(identity, PersonKey("company", session.realm_id, session.subject_id))
        people = await self._store.people_of(identity)
        return people[0] if people else None

    async def _bound(self, identity: Identity, person: PersonKey) -> PersonKey:
        holder = await self._store.bind(identity, person, self._clock.now_ms())
        if holder != person.subject_id:
            raise Conflict("This Microsoft account is somebody else's in the company already.", hint="Use another one.")
        return person

    def _seal(self, value: Started | Identity, purpose: str) -> str:
        return self._sealer.seal(msgspec.msgpack.encode(value), purpose).hex()

    def _open(self, held: str, purpose: str, kind: type[T]) -> T | None:
        """What the browser held; null for what is none, or took too long."""
        try:
            found: Any = msgspec.msgpack.decode(self._sealer.open(bytes.fromhex(held), purpose), type=kind)
        except (ValueError, msgspec.DecodeError, SealBroken, SealedElsewhere):
            return None
        return found if found.ends > self._clock.now_ms() else None


def suggested_name(identity: Identity) -> str:
    """What a new company is called until somebody says otherwise: the domain of the founder's user name."""
    return identity.login.rpartition("@")[2] or identity.login


def _identity(claims: Mapping[str, Any], ends: int) -> Identity:
    try:
        issuer, directory_id, object_id = (str(claims[name]) for name in ("iss", "tid", "oid"))
    except KeyError as error:
        raise FederationFailed(f"The id token has no {error}.", hint="Use a work or school account.") from error
    login = str(claims.get("preferred_username") or "")
    email = next(
        (str(one).lower() for one in (claims.get("email"), login) if one and str(one).count("@") == 1),
        f"{object_id}@{directory_id}.invalid",
    )
    return Identity(issuer, directory_id, object_id, str(claims.get("name") or login), login, email, ends)
