"""``provisor certify`` as a command: at our own service, at servers of others, and at the tutorial's endpoint."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from tests.e2e.conftest import PROGRAM, Program, eventually, free_port, get, stop

TOKEN = "a-secret"
_HERE = Path(__file__).parent
_TUTORIAL = _HERE.parents[1] / "docs" / "tutorial" / "certify-your-endpoint.md"
_LISTING = re.compile(r"```python\n(.*?)```", re.DOTALL)


@contextmanager
def serving(command: Sequence[str], root: str, folder: Path) -> Iterator[None]:
    """A server in a process of its own, once it answers with the token."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)

    def answers() -> bool:
        try:
            get(f"{root}/Users?startIndex=1&count=1", TOKEN)
        except urllib.error.URLError:
            return False
        return True

    try:
        eventually(answers, bool)
        yield
    finally:
        stop(process)


def certify(folder: Path, root: str, *words: str, token: str = TOKEN) -> tuple[int, dict[str, Any], str]:
    """Exit status, the JSON document, and what was told on the way."""
    file = folder / "token.txt"
    file.write_text(f"{token}\n", "utf-8")
    done = subprocess.run(
        [PROGRAM, "--output", "json", "certify", root, "--token-file", str(file), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def found(document: dict[str, Any], level: str) -> set[str]:
    return {finding["id"] for finding in document["findings"] if finding["level"] == level}


@pytest.mark.parametrize("profile", ["entra", "entra-aadOptscim062020", "okta", "rfc"])
def test_our_own_service_has_no_finding_that_matters(embedded: Program, tmp_path: Path, profile: str) -> None:
    embedded.run("company", "create", "Example", "--admin", "admin@example.com")
    key = embedded.json("apikey", "create", "--company", "Example", "--name", "K", "--expires", "2099-01-01")["key"]
    with embedded.serving("--no-worker") as address:
        status, document, _ = certify(
            tmp_path, f"{address}/scim/v2", "--profile", profile, "--report", "r.html", "--junit", "r.xml", token=key
        )
    assert (found(document, "must"), found(document, "should")) == (set(), set())
    assert [story["stopped"] for story in document["stories"] if story["stopped"]] == []
    assert (status, document["passed"], document["left"]) == (0, True, [])
    page = (tmp_path / "r.html").read_text("utf-8")
    assert key not in page
    assert "Can somebody keep access who should have lost it?" in page
    suites = Xml.fromstring((tmp_path / "r.xml").read_bytes())
    assert len(suites) == len(document["stories"])
    assert sum(int(suite.attrib["failures"]) for suite in suites) == 0


# What is found at servers of others, each looked at by hand: docs/reference/certify-findings.md.
SCIM2_SERVER = {"join.manager", "manager.set"}
SCIMMY = {
    "match.name-case",
    "join.manager",
    "manager.set",
    "leaver.disabled",
    "leaver.again",
    "leaver.shapes",
    "recycle.disabled",
    "change.missing-element",
    "change.one-element",
    "change.element-order",
}


def test_scim2_server_with_its_tolerance_for_entra(tmp_path: Path) -> None:
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    script = _HERE / "third_party" / "scim2_tolerant.py"
    with serving([sys.executable, str(script), str(port), TOKEN], root, tmp_path):
        _, document, _ = certify(tmp_path, root)
        _, strict, _ = certify(tmp_path, root, "--profile", "rfc")
    assert found(document, "must") == SCIM2_SERVER
    assert found(strict, "must") == set()
    assert document["left"] == strict["left"] == []


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js is not here")
def test_scimmy_routers_on_express(tmp_path: Path) -> None:
    folder = shutil.copytree(_HERE / "third_party" / "scimmy", tmp_path / "scimmy")
    words = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    port = free_port()
    root = f"http://127.0.0.1:{port}/scim"
    with serving(["node", "server.mjs", str(port), TOKEN], root, folder):
        _, document, _ = certify(tmp_path, root)
        _, strict, _ = certify(tmp_path, root, "--profile", "rfc")
    assert found(document, "must") == SCIMMY
    assert found(strict, "must") == {"match.name-case"}


def test_the_tutorial_goes_from_red_to_green(tmp_path: Path) -> None:
    listings = _LISTING.findall(_TUTORIAL.read_text("utf-8"))
    outcomes = []
    for listed in (listings[:1], listings):
        (tmp_path / "endpoint.py").write_text("\n\n".join(listed), "utf-8")
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "endpoint:app", "--port", str(port)]
        with serving(command, f"http://127.0.0.1:{port}/scim", tmp_path):
            outcomes.append(certify(tmp_path, f"http://127.0.0.1:{port}/scim"))
    (red, before, _), (green, after, _) = outcomes
    assert red == 1
    assert {"match.external-id", "match.name-case", "leaver.disabled", "change.op-case"} <= found(before, "must")
    assert (green, after["findings"]) == (0, [])


def test_what_cannot_be_certified_is_said_and_nothing_is_written(embedded: Program, tmp_path: Path) -> None:
    status, document, _ = certify(tmp_path, f"http://127.0.0.1:{free_port()}/scim")
    assert (status, "does not answer" in document["error"]["message"]) == (1, True)
    embedded.run("company", "create", "Example", "--admin", "admin@example.com")
    key = embedded.json("apikey", "create", "--company", "Example", "--name", "K", "--expires", "2099-01-01")["key"]
    with embedded.serving("--no-worker") as address:
        root = f"{address}/scim/v2"
        status, document, _ = certify(tmp_path, root, token="wrong")
        assert (status, "does not accept the token" in document["error"]["message"]) == (1, True)
        status, document, _ = certify(tmp_path, root, "--only", "nonsense", token=key)
        assert (status, "There is no story 'nonsense'" in document["error"]["message"]) == (1, True)
        # Somebody's accounts are there: not a place for experiments, unless one says so.
        _, document, _ = certify(tmp_path, root, "--only", "connect", "--max-foreign", "0", token=key)
        assert document["passed"]
        _make_user(root, key)
        status, document, _ = certify(tmp_path, root, "--max-foreign", "0", token=key)
        assert (status, document["error"]["type"]) == (1, "ForeignAccounts")
        assert get(f"{root}/Users", key)["totalResults"] == 1


def _make_user(root: str, key: str) -> None:
    body = json.dumps({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "somebody"}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/scim+json"}
    with urllib.request.urlopen(urllib.request.Request(f"{root}/Users", body, headers)) as reply:
        assert reply.status == 201
