"""API keys, OAuth clients and service accounts in the portal."""

from __future__ import annotations

import re

import pytest
from tests.integration.web.company.conftest import People, Person

from provisor.provider.model import ExpiredKey, OwnerGone, RevokedKey
from provisor.security.actor import operator
from provisor.testing.clock import SettableClock

AUTH = "/company/settings/authentication"
KEYS, CLIENTS = f"{AUTH}/api-keys", f"{AUTH}/oauth-clients"
GOOD = {"name": "entra", "expires": "2026-12-31", "owner": "me", "dialect": "entra"}
_DAY = 24 * 3600


def shown(text: str, field: str) -> str:
    found = re.search(rf'id="{field}" value="([^"]*)"', text)
    assert found is not None
    return found[1]


async def test_a_key_is_shown_once_belongs_to_its_maker_and_works(people: People, ada: Person) -> None:
    reply = await ada.post(f"{KEYS}/add", GOOD)
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    key = shown(reply.text, "new-key")
    assert shown(reply.text, "scim-url") == "http://127.0.0.1:8080/scim/v2"
    assert "will not be shown again" in reply.text
    listed = await ada.text(KEYS)
    assert key not in listed
    for part in ("entra", key[:16], "ada@acme.example", "2026-01-01", "2026-12-31", "never", "Works"):
        assert part in listed, part
    principal = await people.services.companies.authenticate(f"Bearer {key}")
    assert principal.company_id == ada.company


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "  "}, "Give the key a name"),
        ({"name": "x" * 5000}, "This is too long: 5,000 characters"),
        ({"name": "a\x00b\x07"}, "characters that cannot be seen"),
        ({"expires": ""}, "Give the last day"),
        ({"expires": "tomorrow"}, "'tomorrow' is not a date"),
        ({"expires": "2025-12-31"}, "is in the past"),
        ({"expires": "99999-01-01"}, "is not a date"),
        ({"expires": "9999-12-31"}, "is too far away"),
        ({"owner": "somebody"}, "Choose one of the list"),
        ({"dialect": "klingon"}, "Choose one of the list"),
        ({"owner": "account", "account": ""}, "Give the service account a name"),
    ],
)
async def test_a_wrong_form_says_what_is_wrong_and_keeps_what_was_entered(
    people: People, ada: Person, wrong: dict[str, str], said: str
) -> None:
    reply = await ada.post(f"{KEYS}/add", {**GOOD, "name": "<script>alert(1)</script>", **wrong})
    assert reply.status_code == 422
    assert said in reply.text.replace("&#39;", "'")
    assert "<script>alert" not in reply.text
    if "name" not in wrong:
        assert 'value="&lt;script&gt;alert(1)&lt;/script&gt;"' in reply.text
    assert await people.services.companies.keys(operator(), ada.company) == []


async def test_a_name_with_markup_is_a_name(ada: Person) -> None:
    name = "<img src=x onerror=alert(1)> {{ 7 * 7 }}"
    await ada.post(f"{KEYS}/add", {**GOOD, "name": name})
    reply = await ada.get(KEYS)
    assert "<img" not in reply.text
    assert "{{ 7 * 7 }}" in reply.text


async def test_rotation_overlaps_and_revocation_ends(people: People, ada: Person, clock: SettableClock) -> None:
    companies = people.services.companies
    old = shown((await ada.post(f"{KEYS}/add", GOOD)).text, "new-key")
    [key] = await companies.keys(operator(), ada.company)
    assert (await ada.post(f"{KEYS}/{key.id}/rotate", {"expires": "2020-01-01"})).status_code == 422
    rotated = await ada.post(f"{KEYS}/{key.id}/rotate", {"expires": "2027-06-30"})
    assert f"The old key {old[:16]}… goes on" in rotated.text
    new = shown(rotated.text, "new-key")
    for text in (old, new):
        await companies.authenticate(f"Bearer {text}")
    reply = await ada.post(f"{KEYS}/{key.id}/revoke")
    assert (reply.status_code, reply.headers["location"]) == (303, KEYS)
    assert "was revoked" in await ada.text(KEYS)
    with pytest.raises(RevokedKey):
        await companies.authenticate(f"Bearer {old}")
    await companies.authenticate(f"Bearer {new}")
    clock.advance(600 * _DAY)
    with pytest.raises(ExpiredKey):
        await companies.authenticate(f"Bearer {new}")


async def test_states_of_keys(people: People, ada: Person, clock: SettableClock) -> None:
    await ada.post(f"{KEYS}/add", {**GOOD, "expires": "2026-01-10"})
    text = await ada.text(KEYS)
    assert "Expires soon" in text
    assert "It expires at the end of 2026-01-10 (UTC): rotate it." in text
    assert "It expires at the end of 2026-01-10" in await ada.text("/company")
    clock.advance(11 * _DAY)
    # The session has ended meanwhile as well.
    again = await people.of(ada.company)
    assert "Expired" in await again.text(KEYS)


async def test_a_service_account_outlives_people_and_its_removal_stops_its_keys(people: People, ada: Person) -> None:
    sent = {**GOOD, "owner": "account", "account": "build"}
    text = shown((await ada.post(f"{KEYS}/add", sent)).text, "new-key")
    assert "(service account)" in await ada.text(KEYS)
    [account] = await people.services.companies.service_accounts(operator(), ada.company)
    accounts = f"{AUTH}/service-accounts"
    assert "build" in await ada.text(accounts)
    assert "stop working at once" in await ada.text(f"{accounts}/{account.id}/remove")
    await ada.post(f"{accounts}/{account.id}/remove")
    with pytest.raises(OwnerGone):
        await people.services.companies.authenticate(f"Bearer {text}")
    assert "Does not work" in await ada.text(KEYS)


async def test_a_client_has_several_secrets_and_each_is_revoked_by_itself(people: People, ada: Person) -> None:
    clients = people.services.clients
    made = await ada.post(f"{CLIENTS}/add", {"name": "okta", "expires": "", "dialect": "rfc"})
    assert "will not be shown again" in made.text
    first, client_id = shown(made.text, "client-secret"), shown(made.text, "client-id")
    assert shown(made.text, "token-url") == "http://127.0.0.1:8080/company/oauth2/token"
    taken = await ada.post(f"{CLIENTS}/add", {"name": "okta", "expires": "", "dialect": "entra"})
    assert taken.status_code == 422
    assert "has a client" in taken.text
    second = shown((await ada.post(f"{CLIENTS}/{client_id}/secrets", {"expires": "2027-01-01"})).text, "client-secret")
    for secret in (first, second):
        await clients.issue(client_id, secret)
    [client] = await clients.clients(operator(), ada.company)
    assert client.dialect == "rfc"
    await ada.post(f"{CLIENTS}/{client_id}/secrets/{client.secrets[0].id}/revoke")
    await clients.issue(client_id, second)
    assert (await ada.post(f"{CLIENTS}/{client_id}/secrets", {"expires": "x"})).status_code == 422
    await ada.post(f"{CLIENTS}/{client_id}/revoke")
    assert "Revoked" in await ada.text(CLIENTS)
    refused = await ada.post(f"{CLIENTS}/{client_id}/secrets", {"expires": ""})
    assert refused.status_code == 422
    assert "was revoked" in refused.text


@pytest.mark.parametrize("environment", [{"PROVISOR_PUBLIC_URL": "https://id.example.org"}])
async def test_addresses_to_copy_are_the_public_ones(ada: Person) -> None:
    assert shown(await ada.text(AUTH), "scim-url") == "https://id.example.org/scim/v2"
