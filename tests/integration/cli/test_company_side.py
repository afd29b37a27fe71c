"""The commands around a company's credentials: whose keys, OAuth clients, limits, and the log of requests."""

from __future__ import annotations

import asyncio

import pytest
from tests.integration.cli.conftest import Cli

from provisor.app.services import open_services
from provisor.app.settings import read_settings
from provisor.testing.database import Store

EXPIRES = ("--expires", "2999-12-31")


@pytest.fixture
def acme(cli: Cli) -> str:
    """The only company's id."""
    found: str = cli("company", "create", "Acme", "--admin", "ada@acme.example").json["id"]
    return found


def test_a_list_of_keys_says_whose_each_is_and_warns_of_what_is_wrong(cli: Cli, acme: str) -> None:
    cli("apikey", "create", "--name", "person's", *EXPIRES)
    cli("apikey", "create", "--name", "account's", "--service-account", "sync", *EXPIRES)
    person, account = cli("apikey", "list").json
    assert person["owner"] == {"type": "administrator", "name": "ada@acme.example"}
    assert account["owner"] == {"type": "serviceAccount", "name": "sync"}
    assert (person["warning"], account["warning"], account["last_used"]) == (None, None, None)


def test_an_oauth_client_is_made_given_a_second_secret_and_revoked(cli: Cli, acme: str) -> None:
    made = cli("oauth-client", "create", "--company", "Acme", "--name", "entra").json
    assert made["token_url"] == "http://127.0.0.1:8080/company/oauth2/token"
    assert made["scim_url"] == "http://127.0.0.1:8080/scim/v2"
    second = cli("oauth-client", "add-secret", "entra", *EXPIRES).json
    assert second["client_id"] == made["client_id"]
    assert second["client_secret"] != made["client_secret"]
    cli("oauth-client", "revoke", "entra", "--secret", made["secret"]["id"])
    [listed] = cli("oauth-client", "list").json
    assert [secret["state"] for secret in listed["secrets"]] == ["revoked", "active"]
    assert cli("oauth-client", "revoke", "entra").json["revoked"] is True
    assert cli("oauth-client", "list").json[0]["state"] == "revoked"


def test_a_credential_has_the_dialect_that_it_was_made_with(cli: Cli, acme: str) -> None:
    cli("apikey", "create", "--name", "strict", "--dialect", "rfc", *EXPIRES)
    cli("oauth-client", "create", "--name", "strict", "--dialect", "rfc")
    cli("apikey", "create", "--name", "tolerant", *EXPIRES)
    assert [key["dialect"] for key in cli("apikey", "list").json] == ["rfc", "entra"]
    assert cli("oauth-client", "list").json[0]["dialect"] == "rfc"
    assert "entra" in cli("apikey", "create", "--name", "x", "--dialect", "klingon", *EXPIRES, status=1).err


def test_a_secret_is_never_listed(cli: Cli, acme: str) -> None:
    made = cli("oauth-client", "create", "--name", "entra").json
    assert made["client_secret"] not in cli("oauth-client", "list").out


def test_limits_are_set_shown_and_switched_off(cli: Cli, acme: str) -> None:
    made = cli("company", "limit", "--per-credential", "10").json
    assert (made["per_credential"], made["per_company"]) == (10, None)
    assert "25 requests a second" in made["warning"]
    cli("company", "limit", "--per-company", "100", "--per-credential", "off")
    assert cli("company", "limit").json == {
        "company": "Acme",
        "per_credential": None,
        "per_company": 100,
        "warning": None,
    }
    assert "'lots'" in cli("company", "limit", "--per-company", "lots", status=1).err


def test_the_log_shows_requests_and_takes_conditions(cli: Cli, acme: str, store: Store) -> None:
    key = cli("apikey", "create", "--name", "entra", *EXPIRES).json["key"]

    async def ask() -> None:
        settings = read_settings(data=store.data_dir, database_url=store.url)
        async with open_services(settings) as services:
            caller = await services.companies.authenticate(f"Bearer {key}")
            services.requests.note(
                caller, "POST", "/scim/Users", 201, 0.002, request=b'{"password":"hunter2"}', ignored=["shoeSize"]
            )
            services.requests.note(caller, "GET", "/scim/Users/1", 404, 0.001)

    asyncio.run(ask())
    newest, oldest = cli("company", "log").json
    assert (newest["path"], newest["status"], newest["credential"]["name"]) == ("/scim/Users/1", 404, "entra")
    assert (oldest["ignored"], oldest["milliseconds"]) == (["shoeSize"], 2.0)
    assert "hunter2" not in oldest["request"]
    assert cli("company", "log", "Acme", "--failed", "--method", "get", "--path", "users/1").json == [newest]
    assert cli("company", "log", "--before", newest["id"], "--limit", "1").json == [oldest]
    assert cli("company", "log", "--until", "2020-01-01").json == []
    assert "soon" in cli("company", "log", "--since", "soon", status=1).err


def test_a_webhook_is_added_listed_replayed_and_removed(quick: Cli) -> None:
    quick("company", "create", "Acme")
    made = quick("webhook", "add", "https://app.example/hook").json
    assert made["secret"].startswith("whsec_")
    [listed] = quick("webhook", "list").json
    assert (listed["id"], listed["url"], listed["position"]) == (made["id"], "https://app.example/hook", 0)
    assert "secret" not in listed
    assert quick("webhook", "replay", made["id"], "--after", "0").json["position"] == 0
    assert "0 to 0" in quick("webhook", "replay", made["id"], "--after", "5", status=1).err
    assert quick("webhook", "remove", made["id"]).json["removed"] is True
    assert quick("webhook", "list").json == []
