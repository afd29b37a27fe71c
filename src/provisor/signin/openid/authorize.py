"""The authorize address: is the request one that may be answered, and what has to be decided before it is.

``read`` looks at the request alone. What it refuses before the redirect URI is known to be the client's is said on a
page; from then on a refusal is sent back to the client (RFC 6749 section 4.1.2.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from provisor.clock import Clock
from provisor.signin.keyring.service import LONGEST_TOKEN_MS
from provisor.signin.model import Session
from provisor.signin.openid.clients import Clients
from provisor.signin.openid.consent import Consents
from provisor.signin.openid.errors import (
    Refusal,
    admin_needed,
    consent_required,
    foreign_user,
    invalid_request,
    login_required,
    missing,
    not_assigned,
    not_multi_tenant,
    unknown_client,
    unknown_tenant,
    wrong_redirect,
)
from provisor.signin.openid.model import AuthorizationRequest, Consent, Granted, ResponseMode, TenantRef
from provisor.signin.openid.redirects import platform_of
from provisor.signin.openid.scopes import parse_scope
from provisor.signin.openid.store import OpenIdStore

MANY = ("organizations", "common")
PROMPTS = frozenset(("none", "login", "consent", "select_account"))
_MODES: tuple[ResponseMode, ...] = ("query", "fragment", "form_post")
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_LONGEST = 4_096


class Returned(Exception):
    """A refusal that is sent back to the client."""

    def __init__(self, request: AuthorizationRequest, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.request = request
        self.refusal = refusal


class Authorization:
    """The authorize address."""

    def __init__(self, store: OpenIdStore, clients: Clients, consents: Consents, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._clients = clients
        self._consents = consents

    async def tenant(self, ref: str) -> TenantRef:
        """Which tenant an address names. Raises ``Refusal``."""
        if ref in MANY:
            return TenantRef(ref, None)
        found = await self._store.tenant(ref.lower())
        if found is None:
            raise unknown_tenant(ref)
        return TenantRef(ref, *found)

    async def read(self, ref: str, params: Mapping[str, str], base: str) -> AuthorizationRequest:
        """The request, its client and redirect URI checked. Raises ``Refusal`` before, ``Returned`` after that."""
        tenant = await self.tenant(ref)
        if any(len(value) > _LONGEST for value in params.values()):
            raise invalid_request("A parameter of the request is too long.")
        client_id = params.get("client_id", "").lower()
        if not client_id:
            raise missing("client_id")
        application = await self._clients.application(client_id, base, f"the directory '{tenant.name or ref}'")
        if tenant.id is None and not application.multi_tenant:
            raise not_multi_tenant(client_id)
        if tenant.id not in (None, application.tenant_id) and not application.multi_tenant:
            raise unknown_client(client_id, f"the directory '{tenant.name}'")
        given = params.get("redirect_uri", "")
        if not given and len(application.redirect_uris) == 1:
            given = application.redirect_uris[0]
        platform = platform_of(application, given)
        if platform is None:
            raise wrong_redirect(given, client_id)
        mode = params.get("response_mode", "query")
        request = AuthorizationRequest(
            tenant=tenant,
            application=application,
            redirect_uri=given,
            platform=platform,
            wanted=parse_scope("openid", base),
            response_mode=mode if mode in _MODES else "query",
            state=params.get("state"),
            nonce=params.get("nonce") or None,
            challenge=params.get("code_challenge") or None,
            prompts=frozenset(params.get("prompt", "").split()),
            login_hint=params.get("login_hint", ""),
        )
        try:
            return _checked(request, params, base)
        except Refusal as refusal:
            raise Returned(request, refusal) from refusal

    async def read_admin_consent(self, ref: str, params: Mapping[str, str], base: str) -> AuthorizationRequest:
        """The same for ``adminconsent``: every refusal is said on a page. Raises ``Refusal``."""
        tenant = await self.tenant(ref)
        if tenant.ref == "common":
            raise invalid_request("Name a tenant, or organizations: common has no administrators.", 90009)
        client_id = params.get("client_id", "").lower()
        for name in ("client_id", "redirect_uri", "scope"):
            if not params.get(name):
                raise missing(name)
            if len(params[name]) > _LONGEST:
                raise invalid_request("A parameter of the request is too long.")
        application = await self._clients.application(client_id, base, f"the directory '{tenant.name or ref}'")
        if tenant.id != application.tenant_id and not application.multi_tenant:
            raise unknown_client(client_id, f"the directory '{tenant.name or ref}'")
        platform = platform_of(application, params["redirect_uri"])
        if platform is None:
            raise wrong_redirect(params["redirect_uri"], client_id)
        wanted = parse_scope(params["scope"], base)
        return AuthorizationRequest(
            tenant, application, params["redirect_uri"], platform, wanted, state=params.get("state")
        )

    async def logout_target(self, client_id: str, given: str, base: str) -> str | None:
        """Where a browser may go after a logout: an address that the client registered; null: nowhere else."""
        if not client_id or not given:
            return None
        try:
            application = await self._clients.application(client_id.lower(), base, "")
        except Refusal:
            return None
        return None if platform_of(application, given) is None else given

    async def all_keys(self) -> list[dict[str, Any]]:
        """The public keys of every tenant, as JWKs, for applications that serve many."""
        found = await self._store.all_keys(self._clock.now_ms() - LONGEST_TOKEN_MS)
        return [msgspec.json.decode(key) for key in found]

    async def decide(
        self, request: AuthorizationRequest, session: Session | None, *, decided: bool = False
    ) -> Granted | Consent | None:
        """What is granted already; or what the person has to decide; or null: they have to sign in first.

        ``decided``: the person saw the consent page, so what the request prompts for has been done. Raises
        ``Returned``.
        """
        try:
            return await self._decide(request, session, decided=decided)
        except Refusal as refusal:
            raise Returned(request, refusal) from refusal

    async def _decide(
        self, request: AuthorizationRequest, session: Session | None, *, decided: bool
    ) -> Granted | Consent | None:
        silent = "none" in request.prompts
        if session is None:
            if silent:
                raise login_required()
            return None
        if request.tenant.id not in (None, session.realm_id):
            if silent:
                raise foreign_user(session.name, request.tenant.name or request.tenant.ref)
            return None
        if not silent and not decided and request.prompts & {"login", "select_account"}:
            return None
        client_id = request.application.app_id
        application = request.application
        if not application.multi_tenant and application.tenant_id != session.realm_id:
            raise foreign_user(session.name, request.tenant.name or request.tenant.ref)
        instance = await self._clients.instance(session.realm_id, client_id)
        if instance is not None and instance.properties.app_role_assignment_required:
            assigned, _ = await self._clients.assigned_roles(session.subject_id, instance)
            if not assigned:
                raise not_assigned(session.name, application.display_name)
        outcome = await self._consents.of(request, session)
        if silent and isinstance(outcome, Consent):
            raise consent_required(client_id) if outcome.can else admin_needed(session.realm_name)
        return outcome


def _checked(request: AuthorizationRequest, params: Mapping[str, str], base: str) -> AuthorizationRequest:
    response_type = params.get("response_type", "")
    if not response_type:
        raise missing("response_type")
    if response_type != "code":
        raise Refusal(
            "unsupported_response_type",
            700054,
            f"response_type '{response_type[:60]}' is not enabled for the application: ask for 'code'.",
        )
    if params.get("response_mode", "query") not in _MODES:
        raise invalid_request("The response_mode is none of query, fragment and form_post.", 90023)
    if not request.prompts <= PROMPTS or ("none" in request.prompts and len(request.prompts) > 1):
        raise invalid_request("Unsupported 'prompt' value.", 90023)
    method = params.get("code_challenge_method", "plain")
    if request.challenge is not None:
        if method != "S256":
            raise invalid_request("The code_challenge_method must be S256.", 501491)
        if not _CHALLENGE.fullmatch(request.challenge):
            raise invalid_request("The size or the characters of code_challenge are invalid.", 501491)
    elif request.platform != "web":
        raise invalid_request("Proof Key for Code Exchange is required for clients that keep no secret.", 9002325)
    wanted = parse_scope(params.get("scope", ""), base)
    return AuthorizationRequest(
        tenant=request.tenant,
        application=request.application,
        redirect_uri=request.redirect_uri,
        platform=request.platform,
        wanted=wanted,
        response_mode=request.response_mode,
        state=request.state,
        nonce=request.nonce,
        challenge=request.challenge,
        prompts=request.prompts,
        login_hint=request.login_hint,
    )
