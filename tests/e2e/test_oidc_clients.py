"""Other people's clients, unmodified, against the authority over TLS: Microsoft's ``msal`` and ``authlib``."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msal
import pytest
import trustme
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.cli.faces import make_app
from provisor.cli.server import listen, serving
from provisor.clock import SystemClock
from provisor.directory.model import User
from provisor.security.actor import operator
from provisor.security.permissions import GRAPH_APP_ID
from provisor.security.secrets import MasterKey
from provisor.signin.people import PersonKey
from provisor.storage.sqlite import SqliteDatabase
from provisor.testing.transport import replies

UPN, PASSWORD = "ada@lindenhof.example", "correct horse battery"
BACK = "http://localhost:5000/back"


@dataclass
class Authority:
    """A server with a certificate that only the test's own authority vouches for."""

    base: str
    ca: Path
    services: AppServices
    tenant: str
    user: User

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))


@dataclass
class Client:
    client_id: str
    secret: str


@pytest.fixture
async def authority(
    memory_database: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Authority]:
    # Where these are set, msal's own way of naming whom to trust has no effect.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    made = trustme.CA()
    issued = made.issue_cert("localhost", "127.0.0.1")
    ca, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    made.cert_pem.write_to_path(str(ca))
    issued.private_key_pem.write_to_path(str(key))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(cert), append=True)
    bound = listen("127.0.0.1", 0)
    base = f"https://localhost:{bound.getsockname()[1]}"
    services = wire(
        memory_database, MasterKey(b"k" * 32, "a test"), replies(), Settings(public_url=base), SystemClock()
    )
    tenant = (await services.directory.create_tenant(operator(), "Lindenhof", "lindenhof.example")).id
    user = await services.directory.create_user(
        operator(), tenant, {"displayName": "Ada", "userPrincipalName": UPN, "accountEnabled": True, "mail": UPN}
    )
    link = await services.links.for_person(operator(), PersonKey("tenant", tenant, user.id))
    await services.joining.accept(link.path.removeprefix("/welcome/"), PASSWORD)
    with bound:
        async with serving(make_app(services), bound, tls_cert=cert, tls_key=key):
            yield Authority(base, ca, services, tenant, user)
    await services.close()


async def registered(authority: Authority, **platform: Any) -> Client:
    services, tenant = authority.services, authority.tenant
    made = await services.registrations.register(operator(), tenant, {"displayName": "Sample", **platform})
    own = (await services.registrations.instantiate_application(operator(), tenant, made.app_id)).service_principal
    secret = await services.passwords.add(operator(), made)
    graph = (await services.registrations.instance(operator(), tenant, GRAPH_APP_ID)).service_principal
    role = next(one for one in graph.app_roles if one.value == "User.Read.All")
    await services.role_assignments.assign(operator(), tenant, graph.id, own.id, role.id)
    return Client(made.app_id, secret.text)


async def by_hand(authority: Authority, address: str) -> dict[str, str]:
    """What a person does in a browser: sign in, accept; what the client is told by the redirect at the end."""
    async with httpx.AsyncClient(verify=authority.tls, base_url=authority.base, follow_redirects=True) as browser:
        page = await browser.get(address)
        own = {"origin": authority.base}
        person = {**_fields(page.text), "login": UPN, "password": PASSWORD}
        page = await browser.post(page.url, data=person, headers=own)
        action = page.text.split('action="', 1)[1].split('"', 1)[0]
        answer = await browser.post(
            action,
            data={**_fields(page.text), "decision": "accept"},
            headers=own,
            follow_redirects=False,
        )
        if answer.status_code == 200:  # form_post
            return _fields(answer.text)
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def _fields(page: str) -> dict[str, str]:
    from html import unescape

    found = {}
    for part in page.split("<input ")[1:]:
        tag = part.split(">", 1)[0]
        if 'type="hidden"' in tag:
            found[tag.split('name="', 1)[1].split('"', 1)[0]] = unescape(tag.split('value="', 1)[1].split('"', 1)[0])
    return found


async def test_msal_signs_a_person_in_renews_silently_and_calls_the_api(authority: Authority) -> None:
    client = await registered(authority, web={"redirectUris": [BACK]})

    def begin() -> tuple[msal.ConfidentialClientApplication, dict[str, Any]]:
        app = msal.ConfidentialClientApplication(
            client.client_id,
            client_credential=client.secret,
            authority=f"{authority.base}/{authority.tenant}",
            verify=str(authority.ca),
            instance_discovery=False,
        )
        return app, app.initiate_auth_code_flow(
            ["User.Read"], redirect_uri=BACK, login_hint=UPN, response_mode="form_post"
        )

    app, flow = await asyncio.to_thread(begin)
    answer = await by_hand(authority, flow["auth_uri"])
    result = await asyncio.to_thread(app.acquire_token_by_auth_code_flow, flow, answer)
    assert "error" not in result, result
    claims = result["id_token_claims"]
    assert (claims["preferred_username"], claims["oid"], claims["tid"]) == (UPN, authority.user.id, authority.tenant)
    [account] = app.get_accounts()
    assert (account["username"], account["home_account_id"]) == (UPN, f"{authority.user.id}.{authority.tenant}")
    renewed = await asyncio.to_thread(app.acquire_token_silent, ["User.Read"], account, None, True)
    assert renewed is not None
    assert renewed["access_token"] != result["access_token"] or renewed["token_source"] == "identity_provider"
    replayed = await asyncio.to_thread(app.acquire_token_by_auth_code_flow, dict(flow), answer)
    assert (replayed["error"], replayed["error_codes"]) == ("invalid_grant", [54005])
    app.http_client.close()


async def test_msal_gets_an_applications_own_token(authority: Authority) -> None:
    client = await registered(authority)

    def ask(secret: str) -> dict[str, Any]:
        app = msal.ConfidentialClientApplication(
            client.client_id,
            client_credential=secret,
            authority=f"{authority.base}/lindenhof.example",
            verify=str(authority.ca),
            instance_discovery=False,
        )
        found: dict[str, Any] = app.acquire_token_for_client(["https://graph.microsoft.com/.default"])
        app.http_client.close()
        return found

    result = await asyncio.to_thread(ask, client.secret)
    assert "error" not in result, result
    async with httpx.AsyncClient(verify=authority.tls, base_url=authority.base) as http:
        users = await http.get("/v1.0/users", headers={"authorization": f"Bearer {result['access_token']}"})
    assert [one["userPrincipalName"] for one in users.json()["value"]] == [UPN]
    refused = await asyncio.to_thread(ask, "wrong")
    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [7000215])
    assert {"correlation_id", "trace_id", "timestamp"} <= refused.keys()


async def test_msal_as_a_public_client_on_a_loopback_port(authority: Authority) -> None:
    client = await registered(authority, publicClient={"redirectUris": ["http://localhost"]})

    def begin() -> tuple[msal.PublicClientApplication, dict[str, Any]]:
        app = msal.PublicClientApplication(
            client.client_id,
            authority=f"{authority.base}/{authority.tenant}",
            verify=str(authority.ca),
            instance_discovery=False,
        )
        return app, app.initiate_auth_code_flow(
            ["User.Read"], redirect_uri="http://localhost:49876", response_mode="form_post"
        )

    app, flow = await asyncio.to_thread(begin)
    answer = await by_hand(authority, flow["auth_uri"])
    result = await asyncio.to_thread(app.acquire_token_by_auth_code_flow, flow, answer)
    assert result.get("id_token_claims", result)["oid"] == authority.user.id
    app.http_client.close()


async def test_authlib_finds_everything_by_discovery(authority: Authority) -> None:
    client = await registered(authority, web={"redirectUris": [BACK]})
    async with httpx.AsyncClient(verify=authority.tls) as http:
        found = (await http.get(f"{authority.base}/{authority.tenant}/v2.0/.well-known/openid-configuration")).json()
        keys = KeySet.import_key_set((await http.get(found["jwks_uri"])).json())
    async with AsyncOAuth2Client(
        client.client_id,
        client.secret,
        scope="openid profile email offline_access User.Read",
        redirect_uri=BACK,
        code_challenge_method="S256",
        token_endpoint=found["token_endpoint"],
        verify=authority.tls,
    ) as oauth:
        verifier = "v" * 64
        address, state = oauth.create_authorization_url(
            found["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
        )
        answer = await by_hand(authority, address)
        assert answer["state"] == state
        token = await oauth.fetch_token(found["token_endpoint"], code=answer["code"], code_verifier=verifier)
        claims = CodeIDToken(
            jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims,
            {},
            {
                "iss": {"essential": True, "value": found["issuer"]},
                "aud": {"essential": True, "value": client.client_id},
            },
            {"nonce": "n-1", "client_id": client.client_id},
        )
        claims.validate()
        info = (await oauth.get(found["userinfo_endpoint"])).json()
        assert (info["sub"], info["email"], info["name"]) == (claims["sub"], UPN, "Ada")
        renewed = await oauth.refresh_token(found["token_endpoint"], refresh_token=token["refresh_token"])
        assert renewed["refresh_token"] != token["refresh_token"]
    async with AsyncOAuth2Client(client.client_id, client.secret, verify=authority.tls) as oauth:
        token = await oauth.fetch_token(
            found["token_endpoint"], grant_type="client_credentials", scope="https://graph.microsoft.com/.default"
        )
        assert (await authority.services.authority.authenticate(token["access_token"])).kind == "app"
