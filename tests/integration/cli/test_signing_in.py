"""Tokens, roles and the way back in: what each command prints, and where its links lead."""

from __future__ import annotations

import asyncio
import base64

import msgspec
import pytest
from tests.integration.cli.conftest import Cli

from provisor.app.address import note_address
from provisor.testing.database import Store

UPN = "root@example.org"


def test_a_role_is_given_listed_and_taken(cli: Cli) -> None:
    cli("tenant", "create", "Example", "--domain", "example.org", "--admin", UPN)
    [first] = cli("role", "list").json
    assert (first["userPrincipalName"], first["role"], first["grantedBy"]) == (UPN, "Global Administrator", "operator")
    made = cli("role", "grant", "user administrator", UPN).json
    assert (made["role"], made["new"]) == ("User Administrator", True)
    assert cli("role", "grant", "User Administrator", UPN).json["new"] is False
    assert cli("role", "revoke", "User Administrator", UPN).json["revoked"] is True
    assert "no User Administrator" in cli("role", "revoke", "User Administrator", UPN, status=1).err
    assert "Did you mean 'Global Reader'?" in cli("role", "grant", "global readers", UPN, status=1).err
    assert "There is no user" in cli("role", "grant", "Global Reader", "nobody@example.org", status=1).err


def test_a_token_is_shown_once_listed_and_revoked(cli: Cli) -> None:
    tenant = cli("tenant", "create", "Example", "--domain", "example.org").json["id"]
    made = cli("token", "create", "--hours", "2").json
    assert made.keys() == {"id", "token", "expires"}
    claims = msgspec.json.decode(base64.urlsafe_b64decode(made["token"].split(".")[1] + "=="))
    assert (claims["tid"], claims["iss"]) == (tenant, f"http://127.0.0.1:8080/{tenant}/v2.0")
    assert claims["exp"] - claims["iat"] == 7200
    [listed] = cli("token", "list").json
    assert (listed["id"], listed["revoked"]) == (made["id"], None)
    assert made["token"] not in cli("token", "list").out
    assert cli("token", "revoke", made["id"]).json["revoked"] is True
    assert "no token" in cli("token", "revoke", made["id"], status=1).err
    assert "cannot live 0 hours" in cli("token", "create", "--hours", "0", status=1).err
    assert len(cli("token", "rotate-keys").json["key"]) > 20


def test_who_is_locked_out_gets_a_new_link(quick: Cli) -> None:
    first = quick("tenant", "create", "Example", "--domain", "example.org", "--admin", UPN).json["sign_in"]
    second = quick("admin", "reset").json
    assert second["person"] == UPN
    assert second["sign_in"].startswith("http://127.0.0.1:8080/welcome/")
    assert second["sign_in"] != first
    made = quick("company", "create", "Acme", "--admin", "Boss@acme.example").json
    assert made["sign_in"].startswith("http://127.0.0.1:8080/welcome/")
    assert "2 people" in quick("admin", "reset", status=1).err
    assert quick("admin", "reset", "boss@acme.example").json["person"] == "boss@acme.example"
    assert quick("admin", "reset", "--company", "Acme").json["person"] == "boss@acme.example"
    assert quick("admin", "reset", "--tenant", "example.org").json["person"] == UPN
    assert "no administrator" in quick("admin", "reset", "nobody@example.org", status=1).err
    assert "to a tenant or to a company" in quick("admin", "reset", "--tenant", "x", "--company", "y", status=1).err


def test_links_lead_to_the_server_that_runs_or_is_named(
    quick: Cli, sqlite_only: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick("tenant", "create", "Example", "--domain", "example.org", "--admin", UPN)

    async def note() -> None:
        database = sqlite_only.database()
        await database.open()
        await note_address(database, "https://127.0.0.1:4711")
        await database.close()

    asyncio.run(note())
    assert quick("admin", "reset").json["sign_in"].startswith("https://127.0.0.1:4711/welcome/")
    monkeypatch.setenv("PROVISOR_PUBLIC_URL", "https://id.example.org/")
    assert quick("admin", "reset").json["sign_in"].startswith("https://id.example.org/welcome/")
