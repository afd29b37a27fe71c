"""Tenants, companies, API keys and apps: what each command prints, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.cli.conftest import Cli

EXPIRES = ("--expires", "2999-12-31")


def test_a_tenant_is_made_with_its_first_administrator(cli: Cli, tmp_path: Path) -> None:
    made = cli("tenant", "create", "Example", "--domain", "Example.org", "--admin", "root@example.org").json
    assert made["sign_in"].startswith("http://127.0.0.1:8080/welcome/")
    assert made["admin"] == "root@example.org"
    [listed] = cli("tenant", "list").json
    assert (listed["id"], listed["name"], listed["domain"]) == (made["id"], "Example", "example.org")
    cli("directory", "export", str(tmp_path / "users.csv"))
    assert "root@example.org" in (tmp_path / "users.csv").read_text("utf-8")


def test_a_second_tenant_of_one_domain_is_refused(cli: Cli) -> None:
    cli("tenant", "create", "Example", "--domain", "example.org")
    assert "example.org" in cli("tenant", "create", "Other", "--domain", "example.org", status=1).err


def test_a_company_lives_from_its_making_to_its_deletion(cli: Cli) -> None:
    made = cli("company", "create", "Acme", "--admin", "Boss@acme.example").json
    assert made["admin"] == "boss@acme.example"
    assert made["sign_in"].startswith("http://127.0.0.1:8080/welcome/")
    [listed] = cli("company", "list").json
    assert (listed["id"], listed["users"], listed["groups"]) == (made["id"], 0, 0)
    assert cli("company", "delete", "Acme", "--yes").json["deleted"] is True
    assert cli("company", "list").json == []


def test_a_company_is_not_deleted_unasked(cli: Cli) -> None:
    cli("company", "create", "Acme")
    cli("company", "delete", "Acme", stdin="n\n", status=1)
    assert len(cli("company", "list").json) == 1


def test_a_key_is_shown_once_rotated_and_revoked(cli: Cli) -> None:
    cli("company", "create", "Acme", "--admin", "boss@acme.example")
    made = cli("apikey", "create", "--company", "Acme", "--name", "Entra", *EXPIRES).json
    assert made["scim_url"] == "http://127.0.0.1:8080/scim/v2"
    assert made["key"].startswith("pvk_")
    second = cli("apikey", "rotate", made["id"], *EXPIRES).json
    assert second["key"] != made["key"]
    assert second["name"] == "Entra"
    cli("apikey", "revoke", made["id"])
    listed = cli("apikey", "list")
    assert [(key["id"], key["state"]) for key in listed.json] == [(made["id"], "revoked"), (second["id"], "active")]
    assert made["key"] not in listed.out
    assert second["key"] not in listed.out


def test_a_key_needs_a_date_in_the_future_and_an_administrator(quick: Cli) -> None:
    quick("company", "create", "Acme", "--admin", "boss@acme.example")
    assert "not a date" in quick("apikey", "create", "--name", "k", "--expires", "soon", status=1).err
    assert "past" in quick("apikey", "create", "--name", "k", "--expires", "2001-01-01", status=1).err
    assert (
        "nobody@x.example"
        in quick("apikey", "create", "--name", "k", *EXPIRES, "--as", "nobody@x.example", status=1).err
    )


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"PROVISOR_PUBLIC_URL": "https://id.example.org/p/"}, "https://id.example.org/p/scim/v2"),
        ({"PROVISOR_HOST": "0.0.0.0", "PROVISOR_PORT": "9000"}, "http://localhost:9000/scim/v2"),
        ({"PROVISOR_HOST": "::1"}, "http://[::1]:8080/scim/v2"),
    ],
)
def test_the_scim_address_follows_the_settings(
    quick: Cli, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    quick("company", "create", "Acme")
    assert quick("apikey", "create", "--name", "k", *EXPIRES).json["scim_url"] == url


def test_an_app_is_added_assigned_and_removed(cli: Cli) -> None:
    cli("tenant", "create", "Example", "--domain", "example.org", "--admin", "ada@example.org")
    made = cli(
        *("app", "add", "scim", "--name", "App", "--tenant-url", "http://127.0.0.1:1/scim"),
        *("--secret-token-file", "-"),
        stdin="the-token\n",
    ).json
    assert set(made) >= {"id", "service_principal", "job"}
    for ref in (made["id"], made["service_principal"], made["job"], "app"):
        cli("app", "assign", ref, "ada@example.org")
    again = cli("app", "assign", "App", "ada").json
    assert (again["assigned"], again["unchanged"], again["sync_all"]) == (0, 1, False)
    assert cli("app", "assign", "App", "--all").json["sync_all"] is True
    assert cli("app", "unassign", "App", "--all").json["sync_all"] is False
    assert cli("app", "unassign", "App", "ada@example.org").json["unassigned"] == 1
    assert [app["job"] for app in cli("app", "list").json] == [made["job"]]
    cli("app", "remove", "App", "--yes")
    assert cli("app", "list").json == []


def test_credentials_change_and_a_token_does_not_follow_to_another_server(cli: Cli) -> None:
    cli("tenant", "create", "Example", "--domain", "example.org")
    cli("app", "add", "scim", "--name", "App", "--tenant-url", "http://127.0.0.1:1/scim")
    stored = cli("app", "credentials", "App", "--secret-token-file", "-", stdin="the-token\n")
    assert stored.json["has_secret_token"] is True
    assert "the-token" not in stored.out
    moved = cli("app", "credentials", "App", "--tenant-url", "http://127.0.0.1:2/scim").json
    assert (moved["has_secret_token"], moved["secret_token_cleared"]) == (False, True)
    cli("app", "credentials", "App", status=2)


def test_of_several_names_one_that_nobody_has_assigns_no_one(cli: Cli) -> None:
    cli("tenant", "create", "Example", "--domain", "example.org", "--admin", "ada@example.org")
    cli("app", "add", "scim", "--name", "App", "--tenant-url", "http://127.0.0.1:1/scim")
    assert "no user or group 'bob'" in cli("app", "assign", "App", "ada", "bob", status=1).err
    assert cli("app", "assign", "App", "ada").json["assigned"] == 1


def test_a_secret_token_file_that_is_missing_is_told(quick: Cli) -> None:
    quick("tenant", "create", "Example", "--domain", "example.org")
    words = ("app", "add", "scim", "--tenant-url", "http://127.0.0.1:1/", "--secret-token-file", "/nowhere")
    assert "/nowhere cannot be read" in quick(*words, status=1).err


def test_with_two_tenants_one_has_to_be_named(quick: Cli) -> None:
    quick("tenant", "create", "One", "--domain", "one.example")
    quick("tenant", "create", "Two", "--domain", "two.example")
    assert "--tenant" in quick("app", "list", status=1).err
    assert quick("app", "list", "--tenant", "two.example").json == []


def test_a_schema_goes_out_and_comes_back(cli: Cli, tmp_path: Path) -> None:
    cli("tenant", "create", "Example", "--domain", "example.org")
    cli("app", "add", "scim", "--name", "App", "--tenant-url", "http://127.0.0.1:1/scim")
    schema = cli("schema", "get", "App")
    (tmp_path / "schema.json").write_text(schema.out, "utf-8")
    assert cli("schema", "put", "App", str(tmp_path / "schema.json")).json == schema.json
    assert cli("schema", "put", "App", "-", stdin=schema.out).json == schema.json
    assert "line 1" in cli("schema", "put", "App", "-", stdin="{,", status=1).err
    assert "Nothing was saved" in cli("schema", "put", "App", "-", stdin='{"synchronizationRules": 1}', status=1).err


def test_the_gallery_names_what_can_be_added(quick: Cli) -> None:
    entries = {entry["id"]: entry for entry in quick("app", "gallery").json}
    assert {"scim", "dialpad", "slack"} <= set(entries)
    assert len(entries) >= 15
    for entry in entries.values():
        assert entry["name"]
        assert entry["id"] == "scim" or (entry["tenant_url"] and entry["sources"])
