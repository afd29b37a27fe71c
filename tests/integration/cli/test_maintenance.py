"""``provisor backup``, ``restore``, ``secrets rotate``, and what removes a tenant or an app."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.cli.conftest import SECRET_KEY, Cli

from provisor.app.upkeep import rotation
from provisor.testing.database import Store


@pytest.fixture
def with_key_file(bare: Cli, sqlite_only: Store, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """On SQLite with the key in a file, as an installation begins."""
    monkeypatch.delenv("PROVISOR_SECRET_KEY")

    def run(*words: str, stdin: str = "", status: int = 0):  # type: ignore[no-untyped-def]
        return bare(*words, "--data", str(sqlite_only.data_dir), "--output", "json", stdin=stdin, status=status)

    return run


def begun(cli: Cli, tmp_path: Path) -> str:
    """A tenant with an app, a company with a key; the key's text."""
    token = tmp_path / "token"
    token.write_text("let-me-in")
    cli("tenant", "create", "Example", "--domain", "example.org")
    cli("app", "add", "scim", "--name", "App", "--tenant-url", "https://t.test/scim", "--secret-token-file", str(token))
    cli("company", "create", "Firm", "--admin", "ada@firm.example")
    key: str = cli("apikey", "create", "--name", "k", "--expires", "2099-12-31").json["key"]
    return key


def test_a_copy_is_made_and_put_back(with_key_file: Cli, tmp_path: Path) -> None:
    cli = with_key_file
    begun(cli, tmp_path)
    made = cli("backup", str(tmp_path / "copy.db")).json
    assert made["bytes"] > 0
    assert "there already" in cli("backup", str(tmp_path / "copy.db"), status=1).err
    cli("tenant", "create", "Later", "--domain", "later.example")
    cli("restore", str(tmp_path / "copy.db"), stdin="n\n", status=1)
    assert len(cli("tenant", "list").json) == 2
    put = cli("restore", str(tmp_path / "copy.db"), "--yes").json
    assert put["made"] == made["made"]
    assert [tenant["name"] for tenant in cli("tenant", "list").json] == ["Example"]
    assert cli("audit", "verify").json["valid"] is True


def test_the_key_is_changed_and_everything_still_opens(with_key_file: Cli, sqlite_only: Store, tmp_path: Path) -> None:
    cli = with_key_file
    begun(cli, tmp_path)
    before = (sqlite_only.data_dir / "secret.key").read_text()
    done = cli("secrets", "rotate").json
    assert done["secrets"] >= 2
    assert (sqlite_only.data_dir / "secret.key").read_text() != before
    assert not (sqlite_only.data_dir / "secret.key.next").exists()
    assert cli("tenant", "list").json
    (sqlite_only.data_dir / "secret.key").write_text(before)
    assert "sealed with the key" in cli("tenant", "list", status=1).err


def test_a_rotation_that_is_cut_off_after_its_commit_is_finished_by_whoever_comes_next(
    with_key_file: Cli, sqlite_only: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = with_key_file
    begun(cli, tmp_path)

    def torn(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rotation, "take_pending", torn)
    cli("secrets", "rotate", status=130)
    assert (sqlite_only.data_dir / "secret.key.next").exists()
    assert cli("tenant", "list").json
    assert not (sqlite_only.data_dir / "secret.key.next").exists()


def test_a_key_in_the_variable_is_changed_by_hand(quick: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(quick, tmp_path)
    assert "--new-key-file" in quick("secrets", "rotate", status=1).err
    (tmp_path / "key").write_text("22" * 32)
    quick("secrets", "rotate", "--new-key-file", str(tmp_path / "key"))
    assert "sealed with the key" in quick("tenant", "list", status=1).err
    monkeypatch.setenv("PROVISOR_SECRET_KEY", "22" * 32)
    assert quick("tenant", "list").json


def test_removals_ask_first(quick: Cli, tmp_path: Path) -> None:
    begun(quick, tmp_path)
    quick("app", "remove", "App", stdin="n\n", status=1)
    quick("tenant", "delete", "Example", stdin="n\n", status=1)
    assert quick("app", "list").json
    quick("app", "remove", "App", "--yes")
    assert quick("tenant", "delete", "Example", "--yes").json["deleted"] is True
    assert quick("tenant", "list").json == []
    assert quick("company", "delete", "Firm", "--yes").json["deleted"] is True
    assert quick("company", "list").json == []
    assert quick("audit", "verify").json["valid"] is True


@pytest.mark.parametrize("words", [("serve", "--no-worker", "--port", "0"), ("worker",)])
def test_nobody_takes_the_key_or_the_database_away_from_a_server_or_worker(
    bare: Cli, store: Store, tmp_path: Path, words: tuple[str, ...]
) -> None:
    bare("tenant", "create", "Example", "--domain", "example.org", *store.arguments)
    (tmp_path / "key").write_text("22" * 32)
    rotate = ("secrets", "rotate", "--new-key-file", str(tmp_path / "key"), *store.arguments)
    command = [sys.executable, "-m", "provisor", *words, *store.arguments]
    environment = {**os.environ, "PROVISOR_SECRET_KEY": SECRET_KEY}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as one:
        try:
            assert one.stdout is not None
            assert any("ready" in line or "working as" in line for line in one.stdout)
            assert "A server or worker runs" in bare(*rotate, status=1).err
            if store.url is None:
                bare("backup", str(tmp_path / "copy.db"), *store.arguments)
                restore = ("restore", str(tmp_path / "copy.db"), "--yes", *store.arguments)
                assert "A server or worker runs" in bare(*restore, status=1).err
        finally:
            one.terminate()
    bare(*rotate)
