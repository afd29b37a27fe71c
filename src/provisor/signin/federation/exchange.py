"""Signing in with Microsoft, at the authority: where to send the browser, and what its code proves.

Two authorities can stand there: this installation's own, which is asked within the process, and Entra ID (or whichever
speaks OpenID Connect as it does), which is asked over HTTP under the rules for outbound calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from provisor.connector.transport import Request, Transport
from provisor.signin.claims import issuer
from provisor.signin.errors import BadToken
from provisor.signin.federation.model import FederationFailed
from provisor.signin.keyring.service import Keyring
from provisor.signin.openid.errors import Refusal
from provisor.signin.openid.issuing import Issuing
from provisor.signin.openid.model import TenantRef
from provisor.signin.openid.vendor import Vendor

# The issuer that accounts of this installation's own directory are bound to: its address may change, they stay.
OWN_ISSUER = "urn:provisor:directory"
_TIMEOUT = 20.0
_LEEWAY_S = 120
_HEADERS = {"accept": "application/json"}


class Exchange(Protocol):
    """One authority, as its client sees it. ``base``: this server's own address."""

    async def authorize_address(self, base: str) -> str:
        """Where the browser is sent."""

    def client_id(self) -> str: ...

    async def claims(self, base: str, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """The claims of the id token that the code is good for, its signature checked, its ``iss`` what accounts are
        bound to. Raises ``FederationFailed``."""


class OwnAuthority:
    """This installation's directory."""

    def __init__(self, issuing: Issuing, keyring: Keyring, vendor: Vendor) -> None:
        self._issuing = issuing
        self._keyring = keyring
        self._vendor = vendor

    async def authorize_address(self, base: str) -> str:
        return f"{base}/organizations/oauth2/v2.0/authorize"

    def client_id(self) -> str:
        return self._vendor.app_id

    async def claims(self, base: str, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        many = TenantRef("organizations", None)
        try:
            given = await self._issuing.tokens(many, form, self._vendor.app_id, self._vendor.secret, base)
            signed_by, claims = await self._keyring.verify(given.id_token or "")
        except Refusal as refusal:
            raise FederationFailed(refusal.message, hint="Begin again.") from refusal
        except BadToken as error:
            raise FederationFailed("The directory gave no id token.", hint="Begin again.") from error
        if claims.get("iss") != issuer(base, signed_by):
            raise FederationFailed("The id token is of another issuer.", hint="Begin again.")
        return {**claims, "iss": OWN_ISSUER}


class RemoteAuthority:
    """Another one. ``authority``: ``https://login.microsoftonline.com/organizations``, without a slash at its end."""

    def __init__(self, authority: str, client_id: str, secret: str, transport: Transport) -> None:
        self._authority = authority
        self._client_id = client_id
        self._secret = secret
        self._transport = transport
        self._metadata: dict[str, str] | None = None

    async def authorize_address(self, base: str) -> str:
        return (await self._discovered())["authorization_endpoint"]

    def client_id(self) -> str:
        return self._client_id

    async def claims(self, base: str, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        known = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "client_id": self._client_id,
            "client_secret": self._secret,
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        given = await self._ask("POST", known["token_endpoint"], form)
        keys = await self._ask("GET", known["jwks_uri"])
        try:
            # Entra's keys have no "alg", and some are of kinds that are not asked for here.
            usable = [key for key in keys["keys"] if key.get("kty") == "RSA"]
            key_set = KeySet.import_key_set({"keys": usable})
            claims = jwt.decode(str(given["id_token"]), key_set, algorithms=["RS256"]).claims
        except (JoseError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise FederationFailed("The authority's id token cannot be trusted.", hint="Begin again.") from error
        expected = known["issuer"].replace("{tenantid}", str(claims.get("tid", "")))
        if claims.get("iss") != expected:
            raise FederationFailed("The id token is of another issuer.", hint="Begin again.")
        return claims

    async def _discovered(self) -> dict[str, str]:
        if self._metadata is None:
            found = await self._ask("GET", f"{self._authority}/v2.0/.well-known/openid-configuration")
            names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
            try:
                self._metadata = {name: str(found[name]) for name in names}
            except KeyError as error:
                raise FederationFailed(
                    f"{self._authority} is no OpenID Connect authority: its document has no {error}.",
                    hint="Correct PROVISOR_MICROSOFT_AUTHORITY.",
                ) from error
        return self._metadata

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        headers, body = dict(_HEADERS), None
        if form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        answer = await self._transport.send(Request(method, url, headers, body, _TIMEOUT))
        try:
            found = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            found = None
        if answer.status != 200 or not isinstance(found, dict):
            said = found.get("error_description", "") if isinstance(found, dict) else ""
            raise FederationFailed(
                f"The authority answered with {answer.status}. {str(said)[:300]}".strip(), hint="Begin again."
            )
        return found


def require_valid(claims: Mapping[str, Any], client_id: str, nonce: str, now_ms: int) -> None:
    """Audience, nonce and time of an id token (OpenID Connect Core section 3.1.3.7). Raises ``FederationFailed``."""
    now = now_ms // 1000
    try:
        ends, begins = int(claims["exp"]), int(claims.get("nbf", claims["iat"]))
    except (KeyError, TypeError, ValueError) as error:
        raise FederationFailed("The id token lacks a time.", hint="Begin again.") from error
    if claims.get("aud") != client_id:
        raise FederationFailed("The id token is another application's.", hint="Begin again.")
    if claims.get("nonce") != nonce:
        raise FederationFailed("The id token answers another request.", hint="Begin again.")
    if now - _LEEWAY_S >= ends or now + _LEEWAY_S < begins:
        raise FederationFailed("The id token is not valid now.", hint="Begin again; see that the clocks agree.")
