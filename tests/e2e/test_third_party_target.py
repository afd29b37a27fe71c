"""A target that none of us wrote: the test server of the package ``scim2-server``, in a process of its own."""

from __future__ import annotations

import csv
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import EXAMPLE_COM, Program, eventually, free_port, get, needs_example_com, stop

from provisor.directory.sample import sample_directory

TOKEN = "the-token-of-the-target"


@pytest.fixture
def target() -> Iterator[str]:
    port = free_port()
    server = Path(sys.executable).with_name("scim2-server")
    process = subprocess.Popen(
        [str(server), "--bearer-token", TOKEN, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(address), bool)
        yield address
    finally:
        stop(process)


def _answers(address: str) -> bool:
    try:
        get(f"{address}/ServiceProviderConfig", TOKEN)
    except urllib.error.URLError:
        return False
    return True


def everything(address: str, endpoint: str) -> list[dict[str, Any]]:
    """All resources of an endpoint, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = get(f"{address}/{endpoint}?startIndex={len(found) + 1}&count=100", TOKEN)
        found += page.get("Resources", [])
        if len(found) >= page["totalResults"]:
            return found


def memberships(address: str) -> dict[str, set[str]]:
    names = {user["id"]: user["userName"] for user in everything(address, "Users")}
    return {
        group["displayName"]: {names[member["value"]] for member in group.get("members", [])}
        for group in everything(address, "Groups")
    }


def provision(program: Program, address: str, domain: str, imports: list[tuple[Path, str | None]]) -> dict[str, Any]:
    program.run("tenant", "create", "Example", "--domain", domain)
    for file, group in imports:
        program.run("directory", "import", str(file), *(("--group", group) if group else ()))
    words = ("app", "add", "scim", "--name", "App", "--tenant-url", address, "--secret-token-file", "-")
    program.run(*words, stdin=TOKEN)
    program.run("app", "assign", "App", "--all")
    done: dict[str, Any] = program.json("job", "start", "App", "--wait")
    return done


def members_of(file: Path) -> set[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        return {row[0] for row in list(csv.reader(lines))[2:] if row}


def sample_files(folder: Path, people: int) -> list[tuple[Path, str | None]]:
    """The sample as files: a bulk-create file, and one of members for each group."""
    sample = sample_directory(people)
    header = [
        "Name [displayName] Required",
        "User name [userPrincipalName] Required",
        "Initial password [passwordProfile] Required",
        "Block sign in (Yes/No) [accountEnabled] Required",
        "First name [givenName]",
        "Last name [surname]",
        "Department [department]",
    ]
    users = folder / "users.csv"
    with users.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerows([["version:v1.0"], header])
        for user in sample.users:
            name, upn = user["displayName"], user["userPrincipalName"]
            writer.writerow([name, upn, "Secret-1", "No", user["givenName"], user["surname"], user["department"]])
    files: list[tuple[Path, str | None]] = [(users, None)]
    for group, members in sample.groups.items():
        file = folder / f"{group}.csv"
        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerows(
                [["version:v1.0"], ["Member object ID or user principal name [memberObjectIdOrUpn] Required"]]
            )
            writer.writerows([member] for member in members)
        files.append((file, group))
    return files


def test_every_account_and_membership_of_the_sample_is_read_back(program: Program, target: str, tmp_path: Path) -> None:
    sample = sample_directory(20)
    done = provision(program, target, "lindenhof.example", sample_files(tmp_path, 20))
    assert done["cycle"]["counts"]["created"] == 28
    users = {user["userName"]: user for user in everything(target, "Users")}
    assert set(users) == {user["userPrincipalName"] for user in sample.users}
    for user in sample.users:
        there = users[user["userPrincipalName"]]
        assert (there["displayName"], there["active"]) == (user["displayName"], True)
        assert there["name"]["familyName"] == user["surname"]
    assert memberships(target) == {group: set(members) for group, members in sample.groups.items()}


@needs_example_com
def test_every_account_and_membership_of_example_com_is_read_back(embedded: Program, target: str) -> None:
    groups = sorted((EXAMPLE_COM / "groups").glob("*.csv"))
    imports = [(EXAMPLE_COM / "users.csv", None), *((file, file.stem) for file in groups)]
    done = provision(embedded, target, "example.com", imports)
    assert done["cycle"]["counts"]["created"] == 155
    assert len({user["userName"] for user in everything(target, "Users")}) == 150
    assert memberships(target) == {file.stem: members_of(file) for file in groups}
