"""The operator's tokens: what they allow, how long, and what ends them. The keys that sign them."""

from __future__ import annotations

import base64
import hmac
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from tests.integration.signin.browser import BASE
from tests.integration.signin.conftest import KEY

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.errors import Forbidden, InvalidInput, NotFound
from provisor.security.actor import Actor, Realm, Right, operator, rights_of
from provisor.security.permissions import GRAPH_APP_ID, app_roles
from provisor.signin.errors import BadToken, TokenExpired, TokenRevoked
from provisor.signin.service import IssuedToken
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.transport import replies


async def token(services: AppServices, tenant: str, hours: int = 1) -> IssuedToken:
    return await services.authority.create_token(operator(), tenant, hours, BASE)


def opened(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unchecked."""
    header, claims, _ = text.split(".")
    return tuple(msgspec.json.decode(base64.urlsafe_b64decode(part + "==")) for part in (header, claims))  # type: ignore[return-value]


def coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


async def test_a_token_has_every_permission_in_its_tenant_and_none_elsewhere(
    services: AppServices, tenant: str
) -> None:
    caller = await services.authority.authenticate((await token(services, tenant)).text)
    assert (caller.kind, caller.tenant_id, caller.user_id) == ("app", tenant, None)
    assert caller.app_roles == set(app_roles())
    assert caller.actor.rights == rights_of(["Global Administrator"])
    caller.actor.require(Right.SYNCHRONIZATION_WRITE, tenant)
    with pytest.raises(Forbidden):
        caller.actor.require(Right.DIRECTORY_READ, "another")


async def test_a_token_ends_on_its_hour(services: AppServices, tenant: str, clock: SettableClock) -> None:
    made = await token(services, tenant, 2)
    clock.advance(2 * 3600 - 1)
    await services.authority.authenticate(made.text)
    clock.advance(1)
    with pytest.raises(TokenExpired):
        await services.authority.authenticate(made.text)
    assert await services.authority.tokens(operator(), tenant) == []


@pytest.mark.parametrize("hours", [0, -1, 366 * 24 + 1])
async def test_no_token_lives_longer_than_its_key_is_published(services: AppServices, tenant: str, hours: int) -> None:
    with pytest.raises(InvalidInput, match="cannot live"):
        await token(services, tenant, hours)


async def test_a_revoked_token_stops_at_once_here_and_within_two_seconds_elsewhere(
    services: AppServices, tenant: str, clock: SettableClock, database: Database
) -> None:
    other = wire(database, KEY, replies(), Settings(public_url=BASE), clock)
    made, kept = await token(services, tenant), await token(services, tenant)
    await services.authority.authenticate(made.text)
    await other.authority.authenticate(made.text)
    await services.authority.revoke_token(operator(), tenant, made.id)
    with pytest.raises(TokenRevoked):
        await services.authority.authenticate(made.text)
    clock.advance(2)
    with pytest.raises(TokenRevoked):
        await other.authority.authenticate(made.text)
    await other.authority.authenticate(kept.text)
    with pytest.raises(NotFound):
        await services.authority.revoke_token(operator(), tenant, made.id)


async def test_only_the_operator_makes_and_revokes_them(services: AppServices, tenant: str) -> None:
    ada = Actor(Realm("tenant", tenant), "ada", rights_of(["Global Administrator"]))
    made = await token(services, tenant)
    with pytest.raises(Forbidden):
        await services.authority.create_token(ada, tenant, 1, BASE)
    with pytest.raises(Forbidden):
        await services.authority.revoke_token(ada, tenant, made.id)
    with pytest.raises(Forbidden):
        await services.authority.tokens(ada, tenant)
    with pytest.raises(Forbidden):
        await services.authority.rotate_keys(ada, tenant)


async def test_the_published_keys_check_what_was_signed_also_after_a_rotation(
    services: AppServices, tenant: str, clock: SettableClock, database: Database
) -> None:
    before = (await token(services, tenant)).text
    clock.advance(60)
    new = await services.authority.rotate_keys(operator(), tenant)
    other = wire(database, KEY, replies(), Settings(public_url=BASE), clock)
    after = (await token(other, tenant)).text
    assert opened(after)[0]["kid"] == new != opened(before)[0]["kid"]
    published = await other.keyring.published(tenant)
    assert [key["kid"] for key in published] == [new, opened(before)[0]["kid"]]
    assert all(key.keys() == {"kty", "n", "e", "kid", "use", "alg"} for key in published), "no private part"
    for text in (before, after):
        claims = jwt.decode(text, KeySet.import_key_set({"keys": published}), algorithms=["RS256"]).claims
        assert (claims["iss"], claims["aud"]) == (f"{BASE}/{tenant}/v2.0", GRAPH_APP_ID)
        await services.authority.authenticate(text)
        await other.authority.authenticate(text)


async def test_a_key_signs_for_ninety_days_and_is_forgotten_when_no_token_of_it_can_live(
    services: AppServices, tenant: str, clock: SettableClock
) -> None:
    [first] = await services.keyring.published(tenant)
    clock.advance(90 * 86_400)
    second, kept = await services.keyring.published(tenant)
    assert kept == first != second
    clock.advance(367 * 86_400)
    assert first not in await services.keyring.published(tenant)


async def test_processes_that_begin_together_agree_on_one_key(
    services: AppServices, tenant: str, clock: SettableClock, database: Database
) -> None:
    other = wire(database, KEY, replies(), Settings(public_url=BASE), clock)
    ours, theirs = await token(services, tenant), await token(other, tenant)
    assert opened(ours.text)[0]["kid"] == opened(theirs.text)[0]["kid"]
    assert len(await other.keyring.published(tenant)) == 1


async def test_each_tenants_key_signs_for_it_alone(services: AppServices, tenant: str) -> None:
    other = (await services.directory.create_tenant(operator(), "Other", "other.example")).id
    claims = opened((await token(services, tenant)).text)[1]
    forged = await services.keyring.sign(other, claims)
    with pytest.raises(BadToken, match="no access token of this tenant"):
        await services.authority.authenticate(forged)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": [GRAPH_APP_ID]},
        {"aud": None},
        {"idtyp": None},
        {"idtyp": "operator"},
        {"azp": "8d1b4f0a-0000-4000-8000-000000000000"},
        {"sid": "unknown"},
        {"exp": "soon"},
        {"exp": None},
        {"nbf": 32_503_680_000},
        {"tid": "another"},
    ],
    ids=str,
)
async def test_each_claim_is_checked(services: AppServices, tenant: str, change: dict[str, Any]) -> None:
    claims = opened((await token(services, tenant)).text)[1]
    with pytest.raises(BadToken):
        await services.authority.authenticate(await services.keyring.sign(tenant, {**claims, **change}))


async def test_what_is_no_token_of_ours_is_refused(services: AppServices, tenant: str) -> None:
    text = (await token(services, tenant)).text
    header, claims = opened(text)
    key = RSAKey.generate_key(2048)
    public = (await services.keyring.published(tenant))[0]
    pem = RSAKey.import_key(public).as_pem(private=False)
    none, symmetric = (coded(msgspec.json.encode({**header, "alg": name})) for name in ("none", "HS256"))
    body = text.split(".")[1]
    with_public_key = f"{symmetric}.{body}.{coded(hmac.digest(pem, f'{symmetric}.{body}'.encode(), 'sha256'))}"
    for wrong in (
        "",
        "x",
        "a.b.c",
        "é.b.c",
        text[:-4] + "AAAA",
        text + "." + text,
        f"{none}.{body}.",
        jwt.encode(header, claims, key),
        with_public_key,
        jwt.encode({**header, "kid": "unknown"}, claims, key),
        jwt.encode({"alg": "RS256"}, claims, key),
        "x" * 100_000,
    ):
        with pytest.raises(BadToken):
            await services.authority.authenticate(wrong)
