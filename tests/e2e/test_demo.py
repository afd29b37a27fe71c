"""``provisor demo``: the whole story, once, again, after a crash, and with real input."""

from __future__ import annotations

import asyncio
import signal
import urllib.request
from pathlib import Path

from tests.e2e.conftest import EXAMPLE_COM, Program, eventually, get, needs_example_com, ready_portal, stop

from provisor.storage.database import Tx
from provisor.testing.database import Store

DEMO = ("demo", "--once", "--port", "0")


def accounts(store: Store) -> int:
    """How many users the app has, read from the database beside the running program."""

    async def count() -> int:
        async def work(tx: Tx) -> int:
            row = await tx.fetch_one("SELECT COUNT(*) FROM resource WHERE type = 'User'")
            return int(row[0]) if row else 0

        database = store.database()
        await database.open()
        try:
            return await database.read(work)
        finally:
            await database.close()

    return asyncio.run(count())


def test_the_story_of_the_sample_adds_up_and_can_be_told_again(program: Program) -> None:
    first = program.json(*DEMO, "--users", "20")
    assert (first["users"], first["groups"], first["failed"]) == (20, 8, 0)
    assert first["created"] == 28
    assert first["disabled"] == 1
    assert first["updated"] >= 1
    assert first["seconds"] > first["initial_cycle_seconds"] > 0
    assert [cycle["kind"] for cycle in first["cycles"]] == ["Initial", "Incremental"]

    second = program.json(*DEMO, "--users", "20")
    assert (second["users"], second["groups"], second["failed"]) == (20, 8, 0)
    assert (second["created"], second["disabled"]) == (0, 1)
    # Somebody is renamed, and who was disabled the last time is back.
    assert second["updated"] >= 2


def test_the_story_is_told_in_steps_with_their_reasons(embedded: Program) -> None:
    process = embedded.start(*DEMO, "--users", "12")
    out, err = process.communicate()
    assert process.returncode == 0, err
    for words in ("1. The directory", "Test Connection", "Initial cycle: 20 created", "is now called", "/portal"):
        assert words in out


def test_a_directory_of_one_person_is_too_small_for_all_changes_and_says_so(embedded: Program) -> None:
    told = embedded.json(*DEMO, "--users", "1")
    assert (told["users"], told["failed"]) == (1, 0)


@needs_example_com
def test_all_150_people_and_5_groups_of_example_com_arrive(program: Program) -> None:
    told = program.json(*DEMO, "--file", str(EXAMPLE_COM / "users.csv"))
    assert (told["users"], told["groups"], told["created"], told["failed"]) == (150, 5, 155, 0)


def test_files_with_faults_are_told_by_line_and_nothing_happens(embedded: Program, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text(
        "version:v1.0\nName [displayName] Required,User name [userPrincipalName] Required,"
        "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required\n"
        "Ada,ada@example.org,x,No\nEve,eve,x,No\n",
        "utf-8",
    )
    done = embedded.run(*DEMO, "--file", str(file), status=1)
    assert "users.csv:4: " in done.stderr
    assert accounts(embedded.store) == 0


def test_killed_in_the_middle_of_the_initial_cycle_it_goes_on_and_has_each_account_once(program: Program) -> None:
    users = 600
    process = program.start(*DEMO, "--users", str(users))
    try:
        eventually(lambda: accounts(program.store), lambda count: count > 0)
    finally:
        code, _, _ = stop(process, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert 0 < accounts(program.store) < users

    told = program.json(*DEMO, "--users", str(users))
    assert (told["users"], told["groups"], told["failed"]) == (users, 8, 0)
    assert accounts(program.store) == users


def test_without_once_it_serves_the_portals_until_it_is_told_to_end(embedded: Program) -> None:
    process = embedded.start("demo", "--users", "12", "--port", "0")
    try:
        address = ready_portal(process)
        assert process.stdout is not None
        assert get(f"{address}/healthz") == {"status": "ok"}
        links = [line.strip() for line in (process.stdout.readline() for _ in range(4)) if "/welcome/" in line]
        assert len(links) == 2
        for link in links:
            with urllib.request.urlopen(link) as page:
                assert b"Set the password" in page.read()
    finally:
        code, _, err = stop(process)
    assert code == 0, err
