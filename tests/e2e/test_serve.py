"""``provisor serve``: ready, answering, ending; and what other processes change while it runs."""

from __future__ import annotations

import signal
import socket
import urllib.error
from pathlib import Path

import pytest
from tests.e2e.conftest import Program, eventually, get, ready, stop

HEADER = (
    "version:v1.0\nName [displayName] Required,User name [userPrincipalName] Required,"
    "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required\n"
)


def import_ada(program: Program, folder: Path, name: str) -> None:
    file = folder / "users.csv"
    file.write_text(f"{HEADER}{name},ada@example.org,Secret-1,No\n", "utf-8")
    program.run("directory", "import", str(file))


def connected(program: Program, address: str, token: str) -> None:
    """A tenant whose app ``App`` is the company behind ``address``, for everybody."""
    program.run("tenant", "create", "Example", "--domain", "example.org")
    words = ("app", "add", "scim", "--name", "App", "--tenant-url", f"{address}/scim/v2", "--secret-token-file", "-")
    program.run(*words, stdin=token)
    program.run("app", "assign", "App", "--all")


def key_of(program: Program) -> str:
    program.run("company", "create", "Acme", "--admin", "boss@acme.example")
    return str(program.json("apikey", "create", "--name", "k", "--expires", "2999-12-31")["key"])


def refused(url: str, token: str) -> bool:
    try:
        get(url, token)
    except urllib.error.HTTPError as error:
        return error.code == 401
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_answers_and_ends_when_told(embedded: Program, number: signal.Signals) -> None:
    process = embedded.start("serve", "--port", "0")
    address = ready(process)
    assert get(f"{address}/healthz") == {"status": "ok"}
    assert get(f"{address}/readyz") == {"status": "ok"}
    code, out, err = stop(process, number)
    assert (code, out) == (0, ""), err


def test_a_port_that_is_taken_is_an_error_with_a_next_step(embedded: Program) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = embedded.run("serve", "--port", str(other.getsockname()[1]), status=1)
    assert "is in use" in done.stderr
    assert "--port" in done.stderr


def test_a_second_server_on_one_sqlite_database_serves_without_a_worker_and_says_so(embedded: Program) -> None:
    with embedded.serving():
        second = embedded.start("serve", "--port", "0")
        address = ready(second)
        assert get(f"{address}/readyz") == {"status": "ok"}
        code, _, err = stop(second)
    assert code == 0
    assert "another process is the worker" in err


def test_a_change_made_by_a_command_reaches_the_target_while_the_server_runs(program: Program, tmp_path: Path) -> None:
    token = key_of(program)
    with program.serving() as address:
        connected(program, address, token)
        import_ada(program, tmp_path, "Ada")
        program.run("job", "start", "App")

        def names() -> list[str]:
            return [user["displayName"] for user in get(f"{address}/scim/v2/Users", token)["Resources"]]

        eventually(names, lambda found: found == ["Ada"])
        import_ada(program, tmp_path, "Ada Lovelace")
        eventually(names, lambda found: found == ["Ada Lovelace"])


def test_a_wrong_key_does_not_start_the_job_and_one_that_is_revoked_later_quarantines_it(
    program: Program, tmp_path: Path
) -> None:
    token = key_of(program)
    wrong = token[:-4] + ("aaaa" if not token.endswith("aaaa") else "bbbb")
    with program.serving("--no-worker") as address:
        connected(program, address, wrong)
        import_ada(program, tmp_path, "Ada")
        failed = program.run("job", "start", "App", "--wait", status=1)
        assert "401" in failed.stderr
        assert "secret token" in failed.stderr.lower()
        assert wrong not in failed.stderr + failed.stdout
        status = program.json("job", "status", "App")["status"]
        assert status["code"] == "NotConfigured"
        assert status["synchronizedEntryCountByType"] == []
        assert get(f"{address}/scim/v2/Users", token)["totalResults"] == 0

        program.run("app", "credentials", "App", "--secret-token-file", "-", stdin=token)
        done = program.json("job", "start", "App", "--wait")
        assert done["cycle"]["counts"]["created"] == 1
        assert done["status"]["code"] == "Active"
        assert get(f"{address}/scim/v2/Users", token)["totalResults"] == 1

        program.run("apikey", "revoke", "k")
        # It holds within two seconds in every process.
        eventually(lambda: refused(f"{address}/scim/v2/Users", token), bool)
        import_ada(program, tmp_path, "Ada Lovelace")
        failed = program.run("job", "start", "App", "--wait", status=1)
        assert "401" in failed.stderr
        assert program.json("job", "status", "App")["status"]["code"] == "Quarantine"


def test_a_command_that_waits_lets_the_servers_worker_do_it(embedded: Program, tmp_path: Path) -> None:
    token = key_of(embedded)
    with embedded.serving() as address:
        connected(embedded, address, token)
        import_ada(embedded, tmp_path, "Ada")
        done = embedded.run("job", "start", "App", "--wait")
    assert "Another process is the worker" in done.stderr
    assert '"created": 1' in done.stdout
