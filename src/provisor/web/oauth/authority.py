"""The authority's addresses for programs: discovery, keys, token, userinfo. Errors are told as Entra tells them."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.clock import Clock
from provisor.errors import Unavailable
from provisor.ids import new_id
from provisor.provider.clients.model import OAuthError
from provisor.signin.errors import BadToken
from provisor.signin.openid.errors import Refusal, invalid_request
from provisor.web.addresses import base_of
from provisor.web.oauth.form import read_form
from provisor.web.oauth.metadata import discovery
from provisor.web.services import WebSettings
from provisor.web.signin.services import SignInServices

USERINFO = "/oidc/userinfo"
# Tokens are kept by nobody on the way; documents for a while by everybody.
_SECRET = {"cache-control": "no-store", "pragma": "no-cache"}
_PUBLIC = {"cache-control": "public, max-age=300", "access-control-allow-origin": "*"}


class AuthorityAddresses:
    """What clients ask without a browser."""

    def __init__(self, services: SignInServices, settings: WebSettings, clock: Clock) -> None:
        self._services = services
        self._settings = settings
        self._clock = clock

    def routes(self) -> list[Route]:
        known = "/{tenant}/v2.0/.well-known/openid-configuration"
        return [
            Route(known, self._discovery),
            Route("/{tenant}/discovery/v2.0/keys", self._keys),
            Route("/{tenant}/oauth2/v2.0/token", self._token, methods=["GET", "POST"]),
            Route(USERINFO, self._userinfo, methods=["GET", "POST"]),
        ]

    async def _discovery(self, request: Request) -> Response:
        try:
            tenant = await self._services.authorization.tenant(request.path_params["tenant"])
        except Refusal as refusal:
            return self._refused(request, refusal)
        return _json(200, discovery(base_of(request, self._settings), tenant), _PUBLIC)

    async def _keys(self, request: Request) -> Response:
        try:
            tenant = await self._services.authorization.tenant(request.path_params["tenant"])
        except Refusal as refusal:
            return self._refused(request, refusal)
        if tenant.id is None:
            keys = await self._services.authorization.all_keys()
        else:
            keys = await self._services.keyring.published(tenant.id)
        return _json(200, {"keys": keys}, _PUBLIC)

    async def _token(self, request: Request) -> Response:
        try:
            if request.method != "POST":
                raise invalid_request("Endpoint only accepts POST requests.", 900561)
            form = await read_form(request)
            client_id, secret = _credential(request, form)
            tenant = await self._services.authorization.tenant(request.path_params["tenant"])
            base = base_of(request, self._settings)
            given = await self._services.issuing.tokens(tenant, form, client_id, secret, base)
        except Refusal as refusal:
            return self._refused(request, refusal)
        except OAuthError as error:
            return self._refused(request, invalid_request(error.message))
        except Unavailable as error:
            return _json(503, {"error": "temporarily_unavailable", "error_description": error.message}, _SECRET)
        body = {
            "token_type": "Bearer",
            "scope": given.scope,
            "expires_in": given.expires_in,
            "ext_expires_in": given.expires_in,
            "access_token": given.access_token,
            "refresh_token": given.refresh_token,
            "id_token": given.id_token,
            "client_info": given.client_info,
        }
        answer = _json(200, {name: value for name, value in body.items() if value not in (None, "")}, _SECRET)
        origin = request.headers.get("origin")
        if origin is not None and origin in given.origins:
            answer.headers["access-control-allow-origin"] = origin
            answer.headers["vary"] = "origin"
        return answer

    async def _userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return _unauthorized("")
        try:
            caller = await self._services.authority.authenticate(token.strip())
        except BadToken as error:
            return _unauthorized(error.message)
        if caller.user_id is None or "openid" not in caller.scopes:
            return _unauthorized("The access token has not the scope openid.", "insufficient_scope", 403)
        person = await self._services.accounts.person(caller.tenant_id, caller.user_id)
        body: dict[str, Any] = {"sub": caller.user_id}
        if "profile" in caller.scopes:
            names = {"name": person.name, "given_name": person.given_name, "family_name": person.surname}
            body |= {name: value for name, value in names.items() if value is not None}
            body["preferred_username"] = person.login
        if "email" in caller.scopes and person.mail is not None:
            body["email"] = person.mail
        return _json(200, body, _SECRET)

    def _refused(self, request: Request, refusal: Refusal) -> Response:
        """An error in Entra's form, with what its operator can be asked after."""
        now = self._clock.now_ms()
        trace, correlation = new_id(), _correlation(request)
        moment = f"{datetime.fromtimestamp(now / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"
        body = {
            "error": refusal.error,
            "error_description": (
                f"{refusal.description} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
            ),
            "error_codes": [refusal.code],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation,
        }
        answer = _json(refusal.status, body, _SECRET)
        if refusal.status == 401 and "authorization" in request.headers:
            answer.headers["www-authenticate"] = 'Basic realm="oauth2"'
        return answer


def _correlation(request: Request) -> str:
    """The client's own id of the request, where it sent one that is no more than an id."""
    given = request.headers.get("client-request-id", "")
    return given if 0 < len(given) <= 64 and given.replace("-", "").isalnum() else new_id()


def _credential(request: Request, form: dict[str, str]) -> tuple[str, str | None]:
    """Client id and secret, from the form or by Basic (RFC 6749 section 2.3.1). A public client has no secret."""
    header = request.headers.get("authorization")
    if header is None:
        return form.get("client_id", ""), form.get("client_secret")
    scheme, _, coded = header.strip().partition(" ")
    try:
        client_id, found, secret = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id, found, secret = "", "", ""
    if scheme.lower() != "basic" or not found:
        raise invalid_request("The Authorization header is no Basic credential.")
    client_id = unquote_plus(client_id)
    if "client_secret" in form or form.get("client_id", client_id).lower() != client_id.lower():
        raise invalid_request("The client is named in the header and otherwise in the form.")
    return client_id, unquote_plus(secret)


def _unauthorized(message: str, error: str = "invalid_token", status: int = 401) -> Response:
    """RFC 6750 section 3."""
    said = f'Bearer error="{error}", error_description="{message}"' if message else "Bearer"
    return Response(status_code=status, headers={**_SECRET, "www-authenticate": said})


def _json(status: int, body: object, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
