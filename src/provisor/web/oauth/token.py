"""Company side, the token address: ``POST /company/oauth2/token``, OAuth 2.0 client credentials (RFC 6749)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_plus

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.errors import Unavailable
from provisor.provider.clients.model import InvalidClient, InvalidRequest, OAuthError, UnsupportedGrant
from provisor.provider.clients.service import Clients
from provisor.web.oauth.form import read_form

TOKEN_PATH = "/company/oauth2/token"  # noqa: S105 - an address
# RFC 6749 section 5.1: nothing on the way may keep a token.
_HEADERS = {"cache-control": "no-store", "pragma": "no-cache"}


def routes(clients: Clients) -> list[Route]:
    """The address, for clients that send their secret in the form or by Basic authentication."""

    async def token(request: Request) -> Response:
        try:
            form = await read_form(request)
            client_id, secret = credential(request, form)
            if form.get("grant_type") is None:
                raise InvalidRequest("The form has no grant_type.", hint="Send grant_type=client_credentials.")
            if form["grant_type"] != "client_credentials":
                raise UnsupportedGrant(hint="Send grant_type=client_credentials.")
            issued = await clients.issue(client_id, secret)
        except OAuthError as error:
            return _refusal(request, error)
        except Unavailable as error:
            return _answer(503, {"error": "temporarily_unavailable", "error_description": _plain(str(error))})
        return _answer(200, {"access_token": issued.text, "token_type": "Bearer", "expires_in": issued.expires_in})

    return [Route(TOKEN_PATH, token, methods=["POST"])]


def credential(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from the header or from the form (section 2.3.1)."""
    header = request.headers.get("authorization")
    if header is None:
        if "client_id" in form and "client_secret" in form:
            return form["client_id"], form["client_secret"]
        raise InvalidClient(
            "The request carries no client id and secret.", hint="Send client_id and client_secret, or Basic."
        )
    if "client_secret" in form:
        raise InvalidRequest("The client's secret is in the header and in the form.", hint="Send it once.")
    scheme, _, coded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("Only the Basic scheme is taken here.", hint="Send client_id and client_secret, or Basic.")
    try:
        client_id, found, secret = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id, found, secret = "", "", ""
    if not found:
        raise InvalidClient("The Basic header cannot be read.", hint="Send base64 of client_id:client_secret.")
    client_id = unquote_plus(client_id)
    if form.get("client_id", client_id) != client_id:
        raise InvalidRequest("The header and the form name different clients.")
    return client_id, unquote_plus(secret)


def _refusal(request: Request, error: OAuthError) -> Response:
    answer = _answer(error.status, {"error": error.code, "error_description": _plain(str(error))})
    if error.status == 401 and "authorization" in request.headers:
        answer.headers["www-authenticate"] = 'Basic realm="SCIM", charset="UTF-8"'
    return answer


def _plain(text: str) -> str:
    """The characters that an error_description may have (section 5.2)."""
    return "".join(character if " " <= character <= "~" and character not in '"\\' else "'" for character in text)


def _answer(status: int, body: dict[str, object]) -> Response:
    return Response(msgspec.json.encode(body), status, _HEADERS, media_type="application/json")
