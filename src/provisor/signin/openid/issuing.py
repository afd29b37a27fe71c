"""The token address: codes, refresh tokens and secrets become tokens. Each proves itself anew each time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from provisor.applications.registrations.model import Application
from provisor.clock import Clock
from provisor.ids import new_id
from provisor.security.permissions import GRAPH_APP_ID
from provisor.signin.claims import app_claims, id_claims, user_claims
from provisor.signin.keyring.service import Keyring
from provisor.signin.model import Session
from provisor.signin.openid.clients import Clients
from provisor.signin.openid.consent import Consents
from provisor.signin.openid.errors import (
    Refusal,
    bad_grant,
    invalid_request,
    invalid_scope,
    missing,
    no_secret,
    unknown_client,
    unknown_resource,
    unknown_tenant,
)
from provisor.signin.openid.model import AuthorizationRequest, Grant, Granted, TenantRef, Tokens
from provisor.signin.openid.redirects import platform_of
from provisor.signin.openid.scopes import Wanted, parse_scope
from provisor.signin.openid.store import OpenIdStore
from provisor.signin.people import Person, PersonKey
from provisor.signin.secrets import hashed, make_secret
from provisor.signin.store import SignInStore

CODE_MS = 5 * 60_000
ACCESS_MS = 60 * 60_000
# A grant ends after so long, however often its refresh tokens were renewed.
GRANT_MS = 90 * 24 * 3_600_000
_OPENID = frozenset(("openid", "profile", "email", "offline_access"))


class Issuing:
    """Gives codes and tokens."""

    def __init__(
        self,
        store: OpenIdStore,
        people: SignInStore,
        clients: Clients,
        consents: Consents,
        keyring: Keyring,
        clock: Clock,
    ) -> None:
        self._store = store
        self._people = people
        self._clients = clients
        self._consents = consents
        self._keyring = keyring
        self._clock = clock

    async def code(self, request: AuthorizationRequest, granted: Granted, session: Session) -> str:
        """A code for what was granted, good for five minutes and once."""
        now, text = self._clock.now_ms(), make_secret()
        grant = Grant(
            id=new_id(),
            tenant_id=session.realm_id,
            client_id=request.application.app_id,
            user_id=session.subject_id,
            scope=_stored(request.wanted.resource, granted.scopes),
            created_at=now,
            expires_at=now + GRANT_MS,
            public=request.platform != "web",
        )
        await self._store.insert_code(hashed(text), grant, request.redirect_uri, request.nonce, request.challenge)
        return text

    async def tokens(
        self, tenant: TenantRef, form: Mapping[str, str], client_id: str, secret: str | None, base: str
    ) -> Tokens:
        """The answer to a token request. Raises ``Refusal``."""
        grant_type = form.get("grant_type")
        if not grant_type:
            raise missing("grant_type")
        if not client_id:
            raise missing("client_id")
        if grant_type == "authorization_code":
            return await self._redeem(tenant, form, client_id.lower(), secret, base)
        if grant_type == "refresh_token":
            return await self._refresh(tenant, form, client_id.lower(), secret, base)
        if grant_type == "client_credentials":
            return await self._client_credentials(tenant, form, client_id.lower(), secret, base)
        raise Refusal(
            "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant_type[:60]}'."
        )

    async def purge(self) -> int:
        """Delete grants that ended a day ago, with their codes and tokens; how many."""
        return await self._store.purge(self._clock.now_ms() - 24 * 3_600_000)

    async def _redeem(
        self, tenant: TenantRef, form: Mapping[str, str], client_id: str, secret: str | None, base: str
    ) -> Tokens:
        for name in ("code", "redirect_uri"):
            if not form.get(name):
                raise missing(name)
        application = await self._clients.application(client_id, base, f"the directory '{tenant.ref}'")
        platform = platform_of(application, form["redirect_uri"])
        now = self._clock.now_ms()
        found = await self._store.use_code(hashed(form["code"]), now)
        if found is None:
            raise bad_grant("The provided authorization code is invalid or has expired.", 70008)
        code, used_before = found
        if used_before:
            raise bad_grant("The authorization code was already redeemed; what was given for it is revoked.", 54005)
        grant = code.grant
        if grant.client_id != client_id or tenant.id not in (None, grant.tenant_id):
            raise bad_grant("The provided authorization code was issued to another tenant or client.", 700005)
        if code.redirect_uri != form["redirect_uri"] or platform is None:
            raise bad_grant("The redirect_uri is not the one that the authorization code was issued for.", 50011)
        if now - code.created_at >= CODE_MS:
            raise bad_grant("The provided authorization code is invalid or has expired.", 70008)
        _check_pkce(code.challenge, form.get("code_verifier"))
        await self._authenticate(grant, secret)
        person = await self._person(grant)
        wanted = self._narrowed(form.get("scope"), grant, base)
        info, origins = "client_info" in form, _origins(application)
        return await self._given(grant, person, wanted, base, nonce=code.nonce, info=info, origins=origins)

    async def _refresh(
        self, tenant: TenantRef, form: Mapping[str, str], client_id: str, secret: str | None, base: str
    ) -> Tokens:
        if not form.get("refresh_token"):
            raise missing("refresh_token")
        old = hashed(form["refresh_token"])
        grant = await self._store.grant_of_refresh(old)
        now = self._clock.now_ms()
        if grant is None or grant.client_id != client_id or tenant.id not in (None, grant.tenant_id):
            raise bad_grant("The refresh token is malformed, or was issued to somebody else.", 9002313)
        if grant.revoked_at is not None:
            raise bad_grant("The refresh token was revoked.", 50173)
        if now >= grant.expires_at:
            raise bad_grant("The refresh token has expired: sign in again.", 700082)
        application = await self._clients.application(client_id, base, f"the directory '{tenant.ref}'")
        await self._authenticate(grant, secret)
        person = await self._person(grant)
        wanted = self._narrowed(form.get("scope"), grant, base)
        new = make_secret()
        if not await self._store.rotate(old, hashed(new), grant.id, now):
            raise bad_grant("The refresh token was used before; what was given for it is revoked.", 700082)
        info, origins = "client_info" in form, _origins(application)
        return await self._given(grant, person, wanted, base, refresh=new, info=info, origins=origins)

    async def _client_credentials(
        self, tenant: TenantRef, form: Mapping[str, str], client_id: str, secret: str | None, base: str
    ) -> Tokens:
        if tenant.id is None:
            raise unknown_tenant(tenant.ref)
        wanted = parse_scope(form.get("scope", ""), base)
        if not wanted.default or wanted.openid:
            raise invalid_scope(
                "The provided value for scope is not valid: client credential flows must have a scope value with "
                "/.default suffixed to the resource identifier.",
                1002012,
            )
        await self._clients.application(client_id, base, f"the directory '{tenant.name}'")
        client = await self._clients.instance(tenant.id, client_id)
        if client is None:
            raise unknown_client(client_id, f"the directory '{tenant.name}'")
        if not secret:
            raise no_secret()
        secret_id = await self._clients.prove(tenant.id, client_id, secret)
        resource = await self._clients.instance(tenant.id, wanted.resource)
        if resource is None:
            raise unknown_resource(wanted.resource)
        now = self._clock.now_ms()
        claims = app_claims(
            base,
            tenant.id,
            client_id=client_id,
            object_id=client.id,
            grant=secret_id,
            roles=await self._clients.permissions(tenant.id, client, resource),
            now_ms=now,
            expires_ms=now + ACCESS_MS,
            audience=wanted.resource,
        )
        return Tokens(await self._keyring.sign(tenant.id, claims), ACCESS_MS // 1000, "")

    async def _authenticate(self, grant: Grant, secret: str | None) -> None:
        if secret:
            await self._clients.prove(grant.tenant_id, grant.client_id, secret)
        elif not grant.public:
            raise no_secret()

    async def _person(self, grant: Grant) -> Person:
        person = await self._people.person(PersonKey("tenant", grant.tenant_id, grant.user_id))
        if person is None or not person.active:
            raise bad_grant("The user account is disabled or deleted.", 50057)
        if grant.created_at < person.not_before:
            raise bad_grant("The grant was revoked by a new password: sign in again.", 50173)
        return person

    def _narrowed(self, scope: str | None, grant: Grant, base: str) -> Wanted:
        """What the token is for: what is asked for now, or all that the grant has."""
        if scope and scope.strip():
            return parse_scope(scope, base)
        resource, names = _restored(grant.scope)
        return Wanted(
            resource,
            tuple(name for name in names if name not in _OPENID),
            tuple(name for name in names if name in _OPENID),
        )

    async def _given(
        self,
        grant: Grant,
        person: Person,
        wanted: Wanted,
        base: str,
        *,
        nonce: str | None = None,
        refresh: str | None = None,
        info: bool = False,
        origins: tuple[str, ...] = (),
    ) -> Tokens:
        _, held = _restored(grant.scope)
        # A client that asked for a refresh token once need not say so again.
        openid = frozenset(wanted.openid) | (_OPENID & set(held))
        names = await self._consents.granted(grant.tenant_id, grant.client_id, grant.user_id, wanted)
        now = self._clock.now_ms()
        scopes = tuple(name for name in names if name not in _OPENID)
        access = await self._keyring.sign(
            grant.tenant_id,
            user_claims(
                base,
                person,
                client_id=grant.client_id,
                grant=grant.id,
                scopes=scopes + tuple(name for name in ("openid", "profile", "email") if name in openid),
                now_ms=now,
                expires_ms=now + ACCESS_MS,
                audience=wanted.resource if scopes or wanted.default else GRAPH_APP_ID,
            ),
        )
        if refresh is None and "offline_access" in openid:
            refresh = make_secret()
            await self._store.insert_refresh(hashed(refresh), grant.id, now)
        id_token = None
        if "openid" in openid:
            id_token = await self._id_token(grant, person, base, openid, nonce, now)
        client_info = None
        if info:
            said = {"uid": person.key.subject_id, "utid": grant.tenant_id}
            client_info = base64.urlsafe_b64encode(msgspec.json.encode(said)).rstrip(b"=").decode()
        return Tokens(access, ACCESS_MS // 1000, " ".join(names), refresh, id_token, client_info, origins)

    async def _id_token(
        self, grant: Grant, person: Person, base: str, openid: frozenset[str], nonce: str | None, now: int
    ) -> str:
        instance = await self._clients.instance(grant.tenant_id, grant.client_id)
        roles: tuple[str, ...] = ()
        if instance is not None:
            _, roles = await self._clients.assigned_roles(grant.user_id, instance)
        claims = id_claims(
            base,
            person,
            client_id=grant.client_id,
            scopes=openid,
            nonce=nonce,
            roles=roles,
            auth_ms=grant.created_at,
            now_ms=now,
            expires_ms=now + ACCESS_MS,
        )
        return await self._keyring.sign(grant.tenant_id, claims)


def _check_pkce(challenge: str | None, verifier: str | None) -> None:
    """RFC 7636 section 4.6, S256."""
    if challenge is None:
        if verifier:
            raise invalid_request("A code_verifier was sent, but the code was asked for without a challenge.", 501481)
        return
    digest = hashlib.sha256((verifier or "").encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not verifier or not hmac.compare_digest(expected, challenge):
        raise bad_grant(
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.", 501481
        )


def _origins(application: Application) -> tuple[str, ...]:
    """Of the application's single pages, which ask for tokens from the browser itself."""
    return tuple("/".join(uri.split("/", 3)[:3]) for uri in application.properties.spa.redirect_uris)


def _stored(resource: str, scopes: tuple[str, ...]) -> str:
    return " ".join((resource, *scopes))


def _restored(scope: str) -> tuple[str, tuple[str, ...]]:
    resource, *names = scope.split()
    return resource, tuple(names)
