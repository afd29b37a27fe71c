"""``provisor schema``: put and get, what-if, versions, difference and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.cli.conftest import Cli

USERS = """\
version:v1.0
Name [displayName] Required,User name [userPrincipalName] Required,Initial password [passwordProfile] Required,\
Block sign in (Yes/No) [accountEnabled] Required,First name [givenName],Last name [surname],Department [department]
Ada Byron,ada@example.com,Xyz-12345678,No,Ada,Byron,Sales
Bob Weil,bob@example.com,Xyz-12345678,No,Bob,Weil,Support
"""


@pytest.fixture
def job(cli: Cli, tmp_path: Path) -> str:
    file = tmp_path / "users.csv"
    file.write_text(USERS, encoding="utf-8")
    cli("tenant", "create", "Example", "--domain", "example.com")
    cli("directory", "import", str(file))
    found = cli("app", "add", "scim", "--name", "Wiki", "--tenant-url", "http://127.0.0.1:1/scim")
    cli("app", "assign", "Wiki", "ada@example.com")
    return str(found.json["job"])


def edited(cli: Cli, job: str, file: Path, **changes: Any) -> None:
    """Change the mapping to ``title`` and put the schema back."""
    document = cli("schema", "get", job).json
    mapping = document["synchronizationRules"][0]["objectMappings"][0]
    mapping["attributeMappings"][3].update(changes)
    mapping["scope"] = {
        "groups": [
            {
                "name": "Sellers",
                "clauses": [
                    {
                        "sourceOperandName": "department",
                        "operatorName": "EQUALS",
                        "targetOperand": {"values": ["Sales"]},
                    }
                ],
            }
        ]
    }
    file.write_text(json.dumps(document), encoding="utf-8")
    cli("schema", "put", job, str(file))


def test_a_what_if_shows_every_value_and_that_of_every_sub_expression(cli: Cli, job: str, tmp_path: Path) -> None:
    expression = "Append(ToUpper([givenName]), Mid([surname], 1, 1))"
    source = {"type": "Function", "name": "Append", "expression": expression}
    edited(cli, job, tmp_path / "schema.json", source=source)
    ada = cli("schema", "evaluate", job, "--user", "ada@example.com").json
    assert (ada["inScope"], ada["isSoftDeleted"]) == (True, False)
    assert ada["clauses"] == [{"clause": "Sellers department EQUALS Sales", "value": "Sales", "passed": True}]
    rows = {one["target"]: one for one in ada["mappings"]}
    assert rows["userName"]["value"] == "ada@example.com"
    assert rows["active"]["value"] == "True"
    assert rows["title"]["value"] == "ADAB"
    steps = [(step["expression"], step["value"]) for step in rows["title"]["steps"]]
    assert ("ToUpper([givenName])", "ADA") in steps
    assert ("[surname]", "Byron") in steps
    assert steps[-1][1] == "ADAB"


def test_a_what_if_of_somebody_out_of_scope_says_why(cli: Cli, job: str, tmp_path: Path) -> None:
    edited(cli, job, tmp_path / "schema.json")
    bob = cli("schema", "evaluate", "Wiki", "--user", "Bob Weil").json
    assert (bob["inScope"], bob["isSoftDeleted"], bob["reason"]) == (False, True, "NotEffectivelyEntitled")
    assert bob["clauses"][0] == {"clause": "Sellers department EQUALS Sales", "value": "Support", "passed": False}
    assert {one["target"]: one["value"] for one in bob["mappings"]}["active"] == "False"


def test_people_read_the_what_if_as_tables(cli: Cli, job: str, bare: Cli, store: Any) -> None:
    answer = bare("schema", "evaluate", job, "--user", "ada@example.com", *store.arguments)
    assert "ada@example.com is in scope." in answer.out
    assert "Ada Byron" in answer.out


def test_versions_say_who_changed_what_and_lead_back(cli: Cli, job: str, tmp_path: Path) -> None:
    first = cli("schema", "get", job).json
    edited(cli, job, tmp_path / "schema.json", defaultValue="Staff")
    assert [one["version"] for one in cli("schema", "versions", job).json] == [2, 1]
    changes = cli("schema", "diff", job).json["changes"]
    assert any(one["where"].endswith("title, defaultValue") and one["after"] == "Staff" for one in changes)
    cli("schema", "restore", job, "1")
    assert cli("schema", "get", job).json == first
    assert cli("schema", "diff", job, "1", "3").json["changes"] == []
    cli("schema", "restore", job, "2")
    cli("schema", "restore", job, "--defaults")
    assert cli("schema", "get", job).json == first


def test_a_restore_needs_to_know_what(cli: Cli, job: str) -> None:
    assert "Give a version, or --defaults." in cli("schema", "restore", job, status=1).err
    assert "has no schema version 7" in cli("schema", "restore", job, "7", status=1).err


def test_all_faults_of_a_schema_are_told_and_nothing_is_saved(cli: Cli, job: str, tmp_path: Path) -> None:
    document = cli("schema", "get", job).json
    rows = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    rows[0]["matchingPriority"] = 0
    rows[3]["source"] = {"type": "Attribute", "name": "jobtitel"}
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    told = cli("schema", "put", job, str(file), status=1).err
    assert "did you mean jobTitle?" in told
    assert "no attribute is used for matching" in told
    assert len(cli("schema", "versions", job).json) == 1
