"""The how-to pages about guards, missing users and plans: their commands give what they say."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.integration.cli.conftest import Cli, served
from tests.integration.cli.pages import Run, check

from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget

PEOPLE = [(f"p{n:02}@example.org", f"P{n:02}") for n in range(1, 31)]


@pytest.fixture
def run(bare: Cli, sqlite_only: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command line in an empty folder, for people; what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")

    def typed(*words: str, stdin: str = "") -> str:
        return bare(*words, *sqlite_only.arguments, stdin=stdin).out

    return typed


def set_up(run: Run, target: SimulatedTarget, people: list[tuple[str, str]]) -> None:
    """A directory with these people, and an app that is not started."""
    run("tenant", "create", "Example", "--domain", "example.org")
    write_users("people.csv", people)
    run("directory", "import", "people.csv")
    words = ("app", "add", "scim", "--name", "App", "--tenant-url", target.base_address, "--secret-token-file", "-")
    run(*words, stdin="right\n")


def write_users(name: str, people: list[tuple[str, str]], *, enabled: bool = True) -> None:
    """A file in the form of Entra's download of users."""
    with Path(name).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["userPrincipalName", "displayName", "accountEnabled"])
        rows.writerows([upn, display, str(enabled)] for upn, display in people)


def test_too_many_deletions(run: Run) -> None:
    with served(SimulatedTarget(token="right")) as address:
        target = SimulatedTarget(token="right", base_address=address)
        set_up(run, target, PEOPLE)
        run("app", "assign", "App", "--all")
        run("job", "start", "App", "--wait")

        def bad_import() -> None:
            write_users("from-hr.csv", PEOPLE, enabled=False)
            write_users("mended.csv", PEOPLE)

        def five_leave() -> None:
            write_users("leavers.csv", PEOPLE[:6], enabled=False)
            run("directory", "import", "leavers.csv")

        check("too-many-deletions.md", run, {"bad-import": bad_import, "five-leave": five_leave})


def test_user_missing_in_the_app(run: Run) -> None:
    made = SimulatedTarget(token="right")
    with served(made) as address:
        set_up(run, SimulatedTarget(base_address=address), [("ada@example.org", "Ada Lovelace")])

        def by_hand() -> None:
            made.users_by_name()["ada@example.org"]["displayName"] = "Countess"

        check("user-missing-in-the-app.md", run, {"by-hand": by_hand})


def test_preview_what_would_happen(run: Run) -> None:
    made = SimulatedTarget(token="right")
    with served(made) as address:
        people = [("ada@example.org", "Ada"), ("bob@example.org", "Bob"), ("cyd@example.org", "Cyd")]
        set_up(run, SimulatedTarget(base_address=address), people)
        run("app", "assign", "App", "--all")
        made.users["7"] = {"id": "7", "userName": "bob@example.org", "displayName": "Bobby", "active": True}
        for id_ in ("8", "9"):
            made.users[id_] = {"id": id_, "userName": "cyd@example.org", "active": True}

        def a_change() -> None:
            write_users("renamed.csv", [("ada@example.org", "Ada Lovelace"), ("bob@example.org", "Robert")])
            run("directory", "import", "renamed.csv")

        def a_second_change() -> None:
            write_users("again.csv", [("ada@example.org", "Ada King")])
            run("directory", "import", "again.csv")

        between = {"a-change": a_change, "a-second-change": a_second_change}
        check("preview-what-would-happen.md", run, between)
