"""``directory import`` and ``export``: every fault with its line, and nothing of a broken file is applied."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.cli.conftest import Answer, Cli

HEADER = (
    "version:v1.0\n"
    "Name [displayName] Required,User name [userPrincipalName] Required,"
    "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required\n"
)
GOOD = HEADER + "Ada,ada@example.org,Secret-1,No\nBob,bob@example.org,Secret-2,Yes\n"
MEMBERS = "version:v1.0\nMember object ID or user principal name [memberObjectIdOrUpn] Required\n"


@pytest.fixture
def here(cli: Cli) -> Cli:
    cli("tenant", "create", "Example", "--domain", "example.org")
    return cli


def faults(answer: Answer) -> list[tuple[int, str]]:
    return [(fault["line"], fault["column"] or "") for fault in answer.json["errors"]]


def test_a_bulk_create_file_is_imported_and_again_changes_nothing(here: Cli, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text(GOOD, "utf-8")
    first = here("directory", "import", str(file)).json
    assert (first["created"], first["updated"], first["unchanged"], first["errors"]) == (2, 0, 0, [])
    second = here("directory", "import", str(file)).json
    assert (second["created"], second["updated"], second["unchanged"]) == (0, 0, 2)


def test_a_members_file_fills_the_group_that_is_named(here: Cli, tmp_path: Path) -> None:
    users, members, out = tmp_path / "users.csv", tmp_path / "members.csv", tmp_path / "out.csv"
    users.write_text(GOOD, "utf-8")
    members.write_text(f"{MEMBERS}bob@example.org\n", "utf-8")
    here("directory", "import", str(users))
    report = here("directory", "import", str(members), "--group", "Staff").json
    assert report["groups"] == [{"name": "Staff", "created": True, "added": 1, "unchanged": 0}]
    here("directory", "export", str(out), "--group", "Staff")
    assert out.read_text("utf-8").splitlines()[2:] == ["bob@example.org"]


def test_what_was_exported_can_be_imported(here: Cli, tmp_path: Path) -> None:
    users, out = tmp_path / "users.csv", tmp_path / "out.csv"
    users.write_text(GOOD, "utf-8")
    here("directory", "import", str(users))
    exported = here("directory", "export", str(out)).json
    assert exported["bytes"] == out.stat().st_size
    report = here("directory", "import", str(out)).json
    assert (report["created"], report["unchanged"]) == (0, 2)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(GOOD.replace(",User name [userPrincipalName] Required", "").encode(), [2], id="missing column"),
        pytest.param(f"{GOOD}Ada again,ADA@example.org,Secret-3,No\n".encode(), [5], id="duplicate name"),
        pytest.param(f"{GOOD}Eve,not a name,Secret-3,No\n".encode(), [5], id="malformed name"),
        pytest.param(GOOD.encode() + b"Zo\xeb,zoe@example.org,Secret-3,No\n", [5], id="bad encoding"),
        pytest.param(f'{GOOD}"Half,half@exam'.encode(), [5], id="half a line"),
        pytest.param(
            f"{GOOD}Eve,eve,Secret-3,No\nMallory,m@example.org,Secret-4,Perhaps\n".encode(), [5, 6], id="two faults"
        ),
    ],
)
def test_every_fault_is_told_with_its_line_and_nothing_is_applied(
    here: Cli, tmp_path: Path, content: bytes, lines: list[int]
) -> None:
    file = tmp_path / "users.csv"
    file.write_bytes(content)
    answer = here("directory", "import", str(file), status=1)
    assert sorted({line for line, _ in faults(answer)}) == lines
    for line in lines:
        assert f"users.csv:{line}: " in answer.err
    assert "Nothing was imported" in answer.err
    assert "Secret-" not in answer.err + answer.out
    here("directory", "export", str(tmp_path / "out.csv"))
    assert "@example.org" not in (tmp_path / "out.csv").read_text("utf-8")


def test_a_fault_in_one_file_keeps_the_others_out(here: Cli, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(GOOD, "utf-8")
    bad.write_text(f"{HEADER}Eve,eve,Secret-3,No\n", "utf-8")
    answer = here("directory", "import", str(good), str(bad), status=1)
    assert [fault["file"] for fault in answer.json["errors"]] == [str(bad)]
    assert here("directory", "import", str(good)).json["created"] == 2


def test_a_file_that_is_no_table_says_so_in_printable_text(here: Cli, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_bytes(b"\x1b[2J\x07" + b"\x01x" * 500 + b",userPrincipalName\n")
    answer = here("directory", "import", str(file), status=1)
    assert "There is no column" in answer.err
    assert all(character.isprintable() or character == "\n" for character in answer.err)
    assert max(map(len, answer.err.splitlines())) < 1_000


def test_a_file_without_an_end_is_refused(here: Cli) -> None:
    assert "/dev/zero has more than 128 MiB" in here("directory", "import", "/dev/zero", status=1).err
