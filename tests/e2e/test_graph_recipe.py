"""The end-to-end recipe with curl, as it stands in ``docs/how-to``, against a server and its own SCIM side."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

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


def test_an_application_with_a_secret_of_its_own_runs_the_recipe(embedded: Program) -> None:
    """What the how-to says of scripts elsewhere: the permissions that it names are enough."""
    embedded.run("company", "create", "Acme", "--admin", "boss@acme.example")
    key = embedded.json("apikey", "create", "--name", "k", "--expires", "2999-12-31")["key"]
    tenant = embedded.json("tenant", "create", "Example", "--domain", "example.org", "--admin", "ada@example.org")["id"]
    token = embedded.json("token", "create")["token"]
    with embedded.serving() as address:
        graph = f"{address}/v1.0"

        def post(path: str, body: Any) -> Any:
            return call("POST", f"{graph}{path}", token, json.dumps(body).encode())

        application = post("/applications", {"displayName": "Provisioning script"})
        sp = post("/servicePrincipals", {"appId": application["appId"]})
        api = get(f"{graph}/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')", token)
        for name in (
            "Application.ReadWrite.OwnedBy",
            "AppRoleAssignment.ReadWrite.All",
            "User.Read.All",
            "Group.Read.All",
            "Synchronization.ReadWrite.All",
            "AuditLog.Read.All",
        ):
            role = next(one["id"] for one in api["appRoles"] if one["value"] == name)
            body = {"principalId": sp["id"], "resourceId": api["id"], "appRoleId": role}
            post(f"/servicePrincipals/{sp['id']}/appRoleAssignments", body)
        secret = post(f"/applications/{application['id']}/addPassword", {})["secretText"]
        form = {
            "grant_type": "client_credentials",
            "client_id": application["appId"],
            "client_secret": secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        issued = call("POST", f"{address}/{tenant}/oauth2/v2.0/token", None, urllib.parse.urlencode(form).encode())
        done = subprocess.run(
            ["bash", str(RECIPE), "Dialpad", "ada@example.org"],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "GRAPH": graph,
                "TOKEN": issued["access_token"],
                "TARGET": f"{address}/scim",
                "SECRET": key,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "create success ada@example.org" in done.stderr
        # The application sees what it made, and nothing else.
        seen = get(f"{graph}/servicePrincipals?$select=displayName", issued["access_token"])["value"]
        assert seen == [{"displayName": "Dialpad"}]


def call(method: str, url: str, token: str | None, body: bytes) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)
