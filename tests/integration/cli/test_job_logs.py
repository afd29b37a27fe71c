"""``provisor job logs``: filters, and an export into files."""

from __future__ import annotations

from pathlib import Path

from tests.integration.cli.conftest import Cli


def test_an_app_without_a_log_exports_empty_files(cli: Cli, tmp_path: Path) -> None:
    cli("tenant", "create", "Example", "--domain", "example.org")
    cli("app", "add", "scim", "--name", "App", "--tenant-url", "https://target.test/scim")
    assert cli("job", "logs", "App", "--status", "failure", "--name", "ada", "--since", "2026-01-01").json == []
    answer = cli("job", "logs", "App", "--export", str(tmp_path / "log.jsonl"), "--format", "jsonl").json
    assert answer == {"entries": 0, "files": [str(tmp_path / "log.jsonl")]}
    named = str(tmp_path / "another.jsonl")
    assert cli("job", "logs", "App", "--export", named).json["files"] == [named]
    answer = cli("job", "logs", "App", "--export", str(tmp_path / "out")).json
    assert [Path(file).name for file in answer["files"]] == [
        "provisioning_logs.csv",
        "provisioning_steps.csv",
        "modified_properties.csv",
    ]
    again = cli("job", "logs", "App", "--export", str(tmp_path / "out"), status=1)
    assert "cannot be written" in again.err


def test_wrong_use_is_said(quick: Cli) -> None:
    assert "csv or jsonl" in quick("job", "logs", "App", "--format", "xml", status=1).err
    assert "--until" in quick("job", "logs", "App", "--until", "soon", status=1).err
