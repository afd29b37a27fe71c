"""The short form of ``benchmarks/engine.py``: how many requests leave, never how long they take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "engine.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(BENCHMARK), *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def measured() -> dict[str, str]:
    """Row -> what was measured, of 60 people and 1 group."""
    done = run("--users", "60")
    assert done.returncode == 0, done.stderr
    told = [line.partition(" goal ") for line in done.stdout.splitlines() if " goal " in line]
    return {row.strip(): rest.partition("measured ")[2] for row, _, rest in told}


def test_an_initial_cycle_creates_everybody_once_and_fills_the_group_with_one_request(measured: dict[str, str]) -> None:
    assert "61 creates, 1 of members" in measured["writes"]


def test_nothing_is_sent_when_everybody_is_looked_at_and_nothing_changed(measured: dict[str, str]) -> None:
    assert measured["unchanged"].startswith("0 requests,")


def test_every_change_is_one_request(measured: dict[str, str]) -> None:
    # 20 at once, 6 single ones, 6 disables.
    assert measured["changes, requests"].split() == ["1.000", "32", "sent"]


def test_one_more_member_is_one_request_and_nothing_is_read(measured: dict[str, str]) -> None:
    assert measured["member"].startswith("1 request, 0 reading")


def test_memory_is_told_of_two_sizes(measured: dict[str, str]) -> None:
    assert "at 60 and 120 people" in measured["memory"]


def test_what_the_log_costs_is_told_of_people_and_of_memberships(measured: dict[str, str]) -> None:
    for row in ("log, people", "log, memberships"):
        assert "of the CPU" in measured[row]


def test_an_unknown_row_is_refused() -> None:
    done = run("--rows", "nonsense")
    assert done.returncode == 2
    assert "initial, unchanged, changes, member, memory, log" in done.stderr
