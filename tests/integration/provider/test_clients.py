"""OAuth clients over both engines: secrets, tokens, and revocation in every process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from provisor.errors import Conflict, Forbidden, InvalidInput, NotFound
from provisor.provider.clients.model import BadToken, ExpiredToken, InvalidClient, RevokedToken
from provisor.provider.clients.service import Clients
from provisor.provider.clients.store import ClientStore
from provisor.provider.credentials import Credentials
from provisor.provider.model import Company, MalformedKey, RateLimits
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store

HOUR = 3600


@pytest.fixture
async def companies(database: Database, clock: SettableClock) -> AsyncIterator[Companies]:
    service = Companies(CompanyStore(database), b"pepper", clock)
    yield service
    await service.close()


@pytest.fixture
async def clients(database: Database, clock: SettableClock) -> AsyncIterator[Clients]:
    service = Clients(ClientStore(database), b"pepper", clock)
    yield service
    await service.close()


@pytest.fixture
async def acme(companies: Companies) -> Company:
    return await companies.create_company(operator(), "Acme")


async def token(clients: Clients, client_id: str, secret: str) -> str:
    return f"Bearer {(await clients.issue(client_id, secret)).text}"


async def test_a_client_gets_a_token_that_stands_for_its_company_for_an_hour(
    clients: Clients, acme: Company, clock: SettableClock
) -> None:
    client, secret = await clients.create(operator(), acme.id, "entra")
    issued = await clients.issue(client.id, secret)
    assert issued.expires_in == HOUR
    header = f"Bearer {issued.text}"
    caller = await clients.authenticate(header)
    assert (caller.company_id, caller.key_id) == (acme.id, client.id)
    clock.advance(HOUR - 0.001)
    await clients.authenticate(header)
    clock.advance(0.001)
    with pytest.raises(ExpiredToken):
        await clients.authenticate(header)


@pytest.mark.parametrize(("minutes", "accepted"), [(59, False), (60, True), (360, True), (361, False)])
async def test_tokens_live_60_to_360_minutes(
    database: Database, acme: Company, clock: SettableClock, minutes: int, accepted: bool
) -> None:
    if not accepted:
        with pytest.raises(InvalidInput, match=str(minutes)):
            Clients(ClientStore(database), b"pepper", clock, token_minutes=minutes)
        return
    clients = Clients(ClientStore(database), b"pepper", clock, token_minutes=minutes)
    issued = await clients.issue(*await _created(clients, acme))
    assert issued.expires_in == minutes * 60


async def _created(clients: Clients, company: Company) -> tuple[str, str]:
    client, secret = await clients.create(operator(), company.id, "entra")
    return client.id, secret


async def test_several_secrets_work_at_once_and_are_revoked_one_by_one(clients: Clients, acme: Company) -> None:
    client, first = await clients.create(operator(), acme.id, "entra")
    _, _, second = await clients.add_secret(operator(), acme.id, "entra")
    old, new = await token(clients, client.id, first), await token(clients, client.id, second)
    for header in (old, new):
        await clients.authenticate(header)
    await clients.revoke_secret(operator(), acme.id, "entra", client.secrets[0].id)
    with pytest.raises(RevokedToken, match="secret of the client 'entra'"):
        await clients.authenticate(old)
    with pytest.raises(InvalidClient, match="revoked"):
        await clients.issue(client.id, first)
    await clients.authenticate(new)
    await clients.issue(client.id, second)


async def test_a_revoked_client_is_out_at_once_here_and_within_two_seconds_elsewhere(
    clients: Clients, acme: Company, store: Store, clock: SettableClock
) -> None:
    other_database = store.database()
    await other_database.open()
    elsewhere = Clients(ClientStore(other_database), b"pepper", clock)
    client, secret = await clients.create(operator(), acme.id, "entra")
    header = await token(clients, client.id, secret)
    await clients.authenticate(header)
    await elsewhere.authenticate(header)
    await clients.revoke(operator(), acme.id, "entra")
    with pytest.raises(RevokedToken):
        await clients.authenticate(header)
    with pytest.raises(InvalidClient):
        await elsewhere.issue(client.id, secret)
    clock.advance(2)
    with pytest.raises(RevokedToken):
        await elsewhere.authenticate(header)
    await elsewhere.close()
    await other_database.close()


async def test_a_secret_may_expire_and_its_tokens_end_by_themselves(
    clients: Clients, acme: Company, clock: SettableClock
) -> None:
    client, secret = await clients.create(operator(), acme.id, "entra", expires="2026-01-01")
    clock.advance(23.5 * HOUR)
    header = await token(clients, client.id, secret)
    clock.advance(HOUR / 2)
    with pytest.raises(InvalidClient, match="expired"):
        await clients.issue(client.id, secret)
    await clients.authenticate(header)
    with pytest.raises(InvalidInput, match="past"):
        await clients.add_secret(operator(), acme.id, "entra", expires="2026-01-01")


async def test_a_secret_opens_its_own_client_only(clients: Clients, acme: Company) -> None:
    one, secret = await clients.create(operator(), acme.id, "one")
    other, _ = await clients.create(operator(), acme.id, "other")
    for client_id, text in ((other.id, secret), ("nobody", secret), (one.id, secret[:-1] + "!"), (one.id, "")):
        with pytest.raises(InvalidClient):
            await clients.issue(client_id, text)


async def test_the_door_takes_keys_and_tokens_and_says_what_is_wrong_with_either(
    companies: Companies, clients: Clients, acme: Company
) -> None:
    door = Credentials(companies, clients)
    _, key = await companies.create_key(operator(), acme.id, name="key", expires="2030-01-01")
    header = await token(clients, *await _created(clients, acme))
    await companies.set_limits(operator(), acme.id, RateLimits(company=100))
    for credential in (f"Bearer {key}", header, header.replace("Bearer ", "bearer  ")):
        caller = await door.authenticate(credential)
        assert (caller.company_id, caller.limits) == (acme.id, RateLimits(company=100))
    with pytest.raises(BadToken):
        await door.authenticate(header[:-1])
    with pytest.raises(MalformedKey):
        await Credentials(companies, None).authenticate(header)


async def test_a_token_dies_with_its_company(companies: Companies, clients: Clients, acme: Company) -> None:
    header = await token(clients, *await _created(clients, acme))
    await companies.delete_company(operator(), acme.id)
    with pytest.raises(RevokedToken, match="gone"):
        await clients.authenticate(header)


async def test_the_last_use_of_a_client_is_noted(clients: Clients, acme: Company, clock: SettableClock) -> None:
    header = await token(clients, *await _created(clients, acme))
    assert [one.last_used_at for one in await clients.clients(operator(), acme.id)] == [None]
    await clients.authenticate(header)
    await clients.close()
    assert [one.last_used_at for one in await clients.clients(operator(), acme.id)] == [clock.now_ms()]


async def test_a_client_that_is_unknown_taken_or_revoked_says_so(clients: Clients, acme: Company) -> None:
    await clients.create(operator(), acme.id, "entra")
    with pytest.raises(Conflict, match="entra"):
        await clients.create(operator(), acme.id, "entra")
    with pytest.raises(NotFound, match="okta"):
        await clients.revoke(operator(), acme.id, "okta")
    with pytest.raises(NotFound, match="no secret"):
        await clients.revoke_secret(operator(), acme.id, "entra", "0" * 32)
    revoked = await clients.revoke(operator(), acme.id, "entra")
    with pytest.raises(Conflict, match="revoked"):
        await clients.add_secret(operator(), acme.id, revoked.id)


async def test_nobody_makes_or_sees_another_companys_clients(
    companies: Companies, clients: Clients, acme: Company
) -> None:
    stranger = Actor(Realm("company", "other"), "stranger", rights_of(["Company Administrator"]))
    with pytest.raises(Forbidden):
        await clients.create(stranger, acme.id, "mine")
    with pytest.raises(Forbidden):
        await clients.clients(stranger, acme.id)
