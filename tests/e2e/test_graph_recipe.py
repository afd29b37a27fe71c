"""The end-to-end recipe with curl, as it stands in ``docs/how-to``, against a server and its own SCIM side."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.conftest import Program, get

RECIPE = Path(__file__).parents[2] / "docs" / "how-to" / "provision-with-graph.sh"


def test_the_recipe_provisions_a_gallery_app_from_the_first_request_to_the_log(embedded: Program) -> None:
    embedded.run("company", "create", "Acme", "--admin", "boss@acme.example")
    key = embedded.json("apikey", "create", "--name", "k", "--expires", "2999-12-31")["key"]
    embedded.run("tenant", "create", "Example", "--domain", "example.org", "--admin", "ada@example.org")
    token = embedded.json("token", "create")["token"]
    with embedded.serving() as address:
        done = subprocess.run(
            ["bash", str(RECIPE), "Dialpad", "ada@example.org"],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "GRAPH": f"{address}/v1.0",
                "TOKEN": token,
                "TARGET": f"{address}/scim",
                "SECRET": key,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        job = json.loads(done.stdout)
        assert job["status"]["lastExecution"]["state"] == "Succeeded", job
        assert job["status"]["synchronizedEntryCountByType"] == [{"key": "User", "value": 1}]
        assert "Join gives: Ada Lovelace" in done.stderr
        assert "Success: Create" in done.stderr
        assert "create success ada@example.org" in done.stderr
        assert token not in done.stderr + done.stdout
        [user] = get(f"{address}/scim/Users", key)["Resources"]
        assert user["userName"] == "ada@example.org"


def test_the_recipe_shows_the_error_of_a_request_that_fails(embedded: Program) -> None:
    embedded.run("tenant", "create", "Example", "--domain", "example.org")
    with embedded.serving("--no-worker") as address:
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "GRAPH": f"{address}/v1.0",
            "TOKEN": "wrong",
            "TARGET": f"{address}/scim",
            "SECRET": "x",
        }
        command = ["bash", str(RECIPE), "Dialpad", "ada@example.org"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "InvalidAuthenticationToken" in done.stderr
