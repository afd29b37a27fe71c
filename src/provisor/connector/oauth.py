"""Before the connection: an access token of the target's own authority (RFC 6749 section 4.4, client credentials)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from provisor.clock import Clock
from provisor.connector.errors import TargetError, from_status, from_transport
from provisor.connector.exchange import BLACK, Exchange, Secret
from provisor.connector.transport import Request, Response, Transport, TransportError

_WHAT = "Request for an access token"
# Where the authority does not say how long the token lives; RFC 6749 leaves it open.
_DEFAULT_SECONDS = 3600
_MARGIN_MS = 60_000


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Who asks for a token, and where. ``in_header``: the secret goes into Authorization, else into the form."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    in_header: bool = True


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and when it ends, in ms UTC."""

    text: str = field(repr=False)
    expires_at: int


class TokenSource:
    """Fetches tokens and keeps each until a minute, or a tenth of its life, before its end."""

    def __init__(self, transport: Transport, clock: Clock, *, timeout: float = 30.0) -> None:
        self._transport = transport
        self._clock = clock
        self._timeout = timeout
        self._known: dict[ClientCredentials, tuple[AccessToken, int]] = {}

    async def token(self, client: ClientCredentials, *, fresh: bool = False) -> str:
        """A token that counts for a while yet. ``fresh``: ask in any case. Raises ``TargetError``."""
        now = self._clock.now_ms()
        known = self._known.get(client)
        if known is not None and not fresh and now < known[1]:
            return known[0].text
        token = await self._fetch(client)
        lasting = token.expires_at - now
        self._known[client] = (token, token.expires_at - min(_MARGIN_MS, lasting // 10))
        return token.text

    async def _fetch(self, client: ClientCredentials) -> AccessToken:
        form = {"grant_type": "client_credentials"}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        shown = dict(headers)
        if client.in_header:
            pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            shown["Authorization"] = f"Basic {BLACK}"
        else:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        request = Request("POST", client.token_url, headers, urlencode(form).encode(), self._timeout)
        began = self._clock.now_ms()
        try:
            response: Response = await self._transport.send(request)
        except TransportError as error:
            raise from_transport(error, self._exchange(client, shown, None, began), _WHAT) from error
        exchange = self._exchange(client, shown, response, began)
        if response.status != 200:
            raise from_status(exchange, _WHAT)
        return self._read(exchange, response, began)

    def _exchange(
        self, client: ClientCredentials, headers: dict[str, str], response: Response | None, began: int
    ) -> Exchange:
        # The body is not kept: it may hold the secret, in a form that blacking out would not find.
        took = self._clock.now_ms() - began
        return Exchange("POST", client.token_url, headers, None, response, took, Secret(client.client_secret))

    def _read(self, exchange: Exchange, response: Response, now: int) -> AccessToken:
        try:
            document: Any = msgspec.json.decode(response.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            document = None
        text = document.get("access_token") if isinstance(document, dict) else None
        if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
            raise TargetError(
                f"{_WHAT}: the reply has no access_token.",
                hint="Check Oauth2TokenExchangeUri: it is the token address of the target's authority.",
                code="SystemForCrossDomainIdentityManagementServiceIncompatible",
                exchange=exchange,
                target_wide=True,
            )
        seconds = document.get("expires_in")
        lasting = seconds if isinstance(seconds, int) and seconds > 0 else _DEFAULT_SECONDS
        return AccessToken(text, now + lasting * 1000)
