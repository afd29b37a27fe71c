"""``provisor job``: a target that answers, one that does not, and one that refuses."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.integration.cli.conftest import Cli

from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import failure, method


@pytest.fixture
def here(cli: Cli, target: SimulatedTarget) -> Cli:
    """A tenant with Ada, assigned to an app with the right key."""
    cli("tenant", "create", "Example", "--domain", "example.org", "--admin", "ada@example.org")
    words = ("app", "add", "scim", "--name", "App", "--tenant-url", target.base_address, "--secret-token-file", "-")
    cli(*words, stdin="right\n")
    cli("app", "assign", "App", "ada@example.org")
    return cli


def test_start_and_wait_runs_one_cycle_and_prints_its_balance(here: Cli, target: SimulatedTarget) -> None:
    assert here("job", "test", "App").json["ok"] is True
    first = here("job", "start", "App", "--wait").json
    assert first["status"]["code"] == "Active"
    assert (first["cycle"]["kind"], first["cycle"]["counts"]["created"]) == ("Initial", 1)
    assert list(target.users_by_name()) == ["ada@example.org"]
    second = here("job", "start", "App", "--wait").json
    assert second["cycle"]["kind"] == "Incremental"
    assert len(target.sent("POST", "/Users")) == 1


def test_a_job_is_paused_restarted_and_looked_at(here: Cli, target: SimulatedTarget) -> None:
    assert here("job", "start", "App").json["status"]["code"] == "NotRun"
    assert here("job", "pause", "App").json["status"]["code"] == "Paused"
    here("job", "start", "App", "--wait")
    assert here("job", "status", "App").json["status"]["synchronizedEntryCountByType"] == [{"key": "User", "value": 1}]
    [entry] = here("job", "logs", "App", "--action", "create").json
    assert entry["sourceIdentity"]["displayName"] == "ada@example.org"
    assert here("job", "logs", "App", "--status", "failure").json == []
    here("job", "restart", "App")
    assert here("job", "start", "App", "--wait").json["cycle"]["counts"]["unchanged"] == 1
    assert "Everything" in here("job", "restart", "App", "--reset-scope", "Everything", status=1).err


def test_an_object_that_fails_makes_the_exit_status_1_and_is_told(here: Cli, target: SimulatedTarget) -> None:
    target.fault(failure(400, "No Adas here."), when=lambda request: request.method == "POST", times=None)
    answer = here("job", "start", "App", "--wait", status=1)
    assert answer.json["cycle"]["counts"]["failed"] == 1
    assert "1 objects failed" in answer.err
    assert "No Adas here." in here("job", "logs", "App", "--status", "failure").out


def test_a_target_that_is_not_there_is_named_and_nothing_is_lost(quick: Cli) -> None:
    quick("tenant", "create", "Example", "--domain", "example.org", "--admin", "ada@example.org")
    quick("app", "add", "scim", "--name", "App", "--tenant-url", "http://127.0.0.1:1/scim")
    quick("app", "assign", "App", "ada@example.org")
    tested = quick("job", "test", "App", status=1)
    assert tested.json["cause"] == "connection_refused"
    assert tested.json["hint"]
    answer = quick("job", "start", "App", "--wait", status=1)
    assert answer.json["cycle"]["state"] == "Failed"
    assert "127.0.0.1:1" in answer.err


def test_a_job_that_does_not_exist_is_told(quick: Cli) -> None:
    quick("tenant", "create", "Example", "--domain", "example.org")
    assert "no app 'Nothing'" in quick("job", "status", "Nothing", status=1).err


def test_a_running_cycle_tells_its_pace_and_what_the_target_asked_for(
    here: Cli, bare: Cli, store: Store, target: SimulatedTarget
) -> None:
    assert here("job", "status", "App").json["running"] is None
    target.fault(failure(429, "Later.", {"Retry-After": "120"}), when=method("POST"), times=None)
    command = [sys.executable, "-m", "provisor", "job", "start", "App", "--wait", *store.arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:
        try:
            running: dict[str, Any] = {}
            while not running.get("pacing", {}).get("pausedUntil"):
                assert worker.poll() is None
                running = here("job", "status", "App").json["running"] or {}
            shown = bare("job", "status", "App", *store.arguments).out
        finally:
            worker.kill()
    assert running["waiting"] > 0
    assert running["pacing"]["throttled"] > 0
    assert "paused until" in shown
    assert "running" in shown
