"""Options, exit status and the one JSON document that hold for every command."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.cli.conftest import Cli

from provisor import __version__
from provisor.cli.session import hoisted
from provisor.testing.database import Store


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        (["tenant", "list", "--data", "x"], ["--data", "x", "tenant", "list"]),
        (["--data=x", "tenant", "list"], ["--data=x", "tenant", "list"]),
        (["tenant", "--output", "json", "list"], ["--output", "json", "tenant", "list"]),
        (["app", "assign", "A", "--", "--data", "x"], ["app", "assign", "A", "--", "--data", "x"]),
        (["tenant", "list", "--data"], ["tenant", "list", "--data"]),
    ],
)
def test_global_options_may_stand_before_and_after_the_command(given: list[str], understood: list[str]) -> None:
    assert hoisted(given) == understood


def test_a_tenant_made_with_options_in_front_is_listed_with_options_behind(bare: Cli, store: Store) -> None:
    bare(*store.arguments, "--output", "json", "tenant", "create", "Example", "--domain", "example.org")
    listed = bare("tenant", "list", *store.arguments, "--output=json").json
    assert [tenant["domain"] for tenant in listed] == ["example.org"]


def test_every_option_has_a_variable(bare: Cli, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**store.environment, "PROVISOR_OUTPUT": "json"}.items():
        monkeypatch.setenv(name, value)
    assert bare("tenant", "list").json == []


def test_the_version_is_printed(bare: Cli) -> None:
    assert bare("--version").out == f"provisor {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("tenant", "create", "Example"),
        ("tenant", "create", "Example", "--domain", "example.org", "--colour", "red"),
        ("tenants",),
        ("serve", "--port", "70000"),
        ("serve", "--processes", "2"),
        ("serve", "--tls-cert", __file__),
        ("app", "assign", "App"),
        ("directory", "import", "/nowhere/users.csv"),
        ("directory", "export"),
    ],
)
def test_wrong_use_ends_with_2_and_still_prints_one_json_document(quick: Cli, words: tuple[str, ...]) -> None:
    answer = quick(*words, status=2)
    assert answer.json["error"]["type"] == "WrongUse"
    assert answer.err


def test_an_output_that_does_not_exist_is_wrong_use(bare: Cli) -> None:
    assert "yaml" in bare("tenant", "list", "--output", "yaml", status=2).err


def test_a_failed_operation_says_why_and_what_next_in_words_and_as_json(cli: Cli) -> None:
    answer = cli("directory", "export", "users.csv", status=1)
    assert answer.err.startswith("Error: There is no tenant yet.\n")
    assert "provisor tenant create" in answer.err
    assert answer.json["error"]["message"] == "There is no tenant yet."
    assert "Traceback" not in answer.err


def test_a_database_url_that_cannot_be_used_is_told_without_its_password(bare: Cli, tmp_path: Path) -> None:
    url = "mysql://me:hunter2@db/x"
    answer = bare("tenant", "list", "--data", str(tmp_path), "--database-url", url, status=1)
    assert "Error: The database URL" in answer.err
    assert "hunter2" not in answer.err


def test_postgresql_without_a_secret_key_is_refused(
    bare: Cli, postgresql_only: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROVISOR_SECRET_KEY")
    assert "PROVISOR_SECRET_KEY is not set" in bare("tenant", "list", *postgresql_only.arguments, status=1).err


def test_an_unexpected_fault_is_called_a_bug_and_hides_its_trace(
    bare: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.delenv("PROVISOR_SECRET_KEY")
    answer = bare("tenant", "list", "--data", str(in_the_way / "folder"), status=1)
    assert "Traceback" not in answer.err
    assert str(in_the_way) in answer.err


def test_an_empty_folder_becomes_a_database_by_itself(bare: Cli, tmp_path: Path) -> None:
    assert bare("tenant", "list", "--data", str(tmp_path / "new"), "--output", "json").json == []
    assert bare("migrate", "--data", str(tmp_path / "new"), "--output", "json").json["current"] is True


def test_tables_for_people_show_names_as_they_are(bare: Cli, sqlite_only: Store) -> None:
    bare("tenant", "create", "[bold]Ä[/bold] & Co", "--domain", "example.org", *sqlite_only.arguments)
    assert "[bold]Ä[/bold] & Co" in bare("tenant", "list", *sqlite_only.arguments).out
