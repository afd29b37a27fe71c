"""The token address, as RFC 6749 has it, and a token where a key would do."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from provisor.provider.clients.service import Clients
from provisor.provider.clients.store import ClientStore
from provisor.security.actor import operator
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.web.asgi import create_app
from provisor.web.oauth.token import TOKEN_PATH

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def clients(database: Database, clock: SettableClock) -> AsyncIterator[Clients]:
    service = Clients(ClientStore(database), b"pepper", clock)
    yield service
    await service.close()


@pytest.fixture
def web(services: Any, scim: Any, clients: Clients) -> Any:
    """A client of the application with OAuth, without a credential."""
    return replace(scim, app=create_app(replace(services, clients=clients)), token=None)


@pytest.fixture
async def credential(services: Any, scim: Any, clients: Clients) -> tuple[str, str]:
    """Client id and secret of the company Acme."""
    company = await services.companies.find_company(operator(), "Acme")
    client, secret = await clients.create(operator(), company.id, "entra")
    return client.id, secret


async def ask(web: Any, *, header: str | None = None, media: str = FORM, **form: str) -> Any:
    headers = {"content-type": media, **({"authorization": header} if header else {})}
    return await web("POST", TOKEN_PATH, urlencode(form).encode(), headers=headers)


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote(client_id)}:{quote(secret)}".encode()).decode()


async def test_a_secret_in_the_form_or_in_the_header_gets_a_token_that_opens_scim(
    web: Any, credential: tuple[str, str]
) -> None:
    client_id, secret = credential
    in_form = await ask(web, grant_type="client_credentials", client_id=client_id, client_secret=secret)
    in_header = await ask(web, header=basic(client_id, secret), grant_type="client_credentials", scope="scim")
    for reply in (in_form, in_header):
        assert (reply.status, reply.json["token_type"], reply.json["expires_in"]) == (200, "Bearer", 3600)
        assert (reply.headers["cache-control"], reply.headers["pragma"]) == ("no-store", "no-cache")
        web.token = reply.json["access_token"]
        assert (await web("GET", "/scim/Users")).status == 200


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 401, "invalid_client"),
        ({"client_id": "ID", "client_secret": "SECRET"}, 400, "invalid_request"),
        ({"client_id": "ID", "client_secret": "SECRET", "grant_type": ""}, 400, "invalid_request"),
        ({"client_id": "ID", "client_secret": "SECRET", "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": "ID", "client_secret": "x", "grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"client_id": "x", "client_secret": "SECRET", "grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"client_id": "ID", "grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"client_id": "ID", "client_secret": "SECRET", "x": "y" * 9000}, 400, "invalid_request"),
    ],
)
async def test_a_refusal_has_the_code_of_the_rfc(
    web: Any, credential: tuple[str, str], form: dict[str, str], status: int, code: str
) -> None:
    known = {"ID": credential[0], "SECRET": credential[1]}
    reply = await ask(web, **{name: known.get(value, value) for name, value in form.items()})
    assert (reply.status, reply.json["error"]) == (status, code)
    assert len(reply.json["error_description"]) > 10
    assert set(reply.json["error_description"]) <= {chr(code) for code in range(0x20, 0x7F)} - {'"', "\\"}
    assert reply.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in reply.headers


@pytest.mark.parametrize("header", ["Basic !!", "Basic bm9jb2xvbg==", "Bearer x", "Basic"])
async def test_a_header_that_is_no_secret_is_challenged(web: Any, credential: tuple[str, str], header: str) -> None:
    reply = await ask(web, header=header, grant_type="client_credentials")
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    assert reply.headers["www-authenticate"].startswith("Basic")


async def test_two_secrets_two_clients_or_a_parameter_twice_are_malformed(
    web: Any, credential: tuple[str, str]
) -> None:
    client_id, secret = credential
    grant = {"grant_type": "client_credentials"}
    replies = [
        await ask(web, header=basic(client_id, secret), client_id=client_id, client_secret=secret, **grant),
        await ask(web, header=basic(client_id, secret), client_id="other", **grant),
        await web(
            "POST",
            TOKEN_PATH,
            b"grant_type=client_credentials&grant_type=client_credentials",
            headers={"content-type": FORM},
        ),
        await ask(web, media="application/json", client_id=client_id, client_secret=secret, **grant),
    ]
    assert [(reply.status, reply.json["error"]) for reply in replies] == [(400, "invalid_request")] * 4


async def test_a_client_shows_its_secret_by_post_only(web: Any) -> None:
    assert (await web("GET", TOKEN_PATH)).status == 405


async def test_a_revoked_token_is_401_and_says_so(
    web: Any, services: Any, clients: Clients, credential: tuple[str, str]
) -> None:
    reply = await ask(web, grant_type="client_credentials", client_id=credential[0], client_secret=credential[1])
    web.token = reply.json["access_token"]
    company = await services.companies.find_company(operator(), "Acme")
    await clients.revoke(operator(), company.id, "entra")
    reply = await web("GET", "/scim/Users")
    assert reply.status == 401
    assert "revoked" in reply.json["detail"]
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]
