"""``provisor company schema``: what an administrator adds to a company's SCIM schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BADGE = {"id": "urn:x:Badge", "attributes": [{"name": "number", "type": "string"}]}


def test_a_schema_is_added_listed_and_removed(cli: Any, tmp_path: Path) -> None:
    file = tmp_path / "badge.json"
    file.write_text(json.dumps(BADGE))
    cli("company", "create", "Acme")
    shown = [
        {
            "id": "urn:x:Badge",
            "extends": [{"resource_type": "User", "required": True}],
            "resource_type": None,
            "attributes": ["number"],
        }
    ]
    assert cli("company", "schema", "add", str(file), "--extends", "User", "--required").json == shown
    assert cli("company", "schema", "list").json == shown
    assert cli("company", "schema", "remove", "URN:x:badge").json == {"id": "urn:x:Badge", "removed": True}
    assert cli("company", "schema", "list").json == []


def test_what_is_wrong_with_a_file_is_said_with_the_next_step(quick: Any, tmp_path: Path) -> None:
    quick("company", "create", "Acme")
    file = tmp_path / "badge.json"
    file.write_text("{")
    assert "is not JSON" in quick("company", "schema", "add", str(file), status=1).err
    file.write_text(json.dumps(BADGE))
    assert "--extends User" in quick("company", "schema", "add", str(file), status=1).err


def test_a_urn_is_shown_as_it_is(bare: Any, sqlite_only: Any, tmp_path: Path) -> None:
    file = tmp_path / "badge.json"
    file.write_text(json.dumps(BADGE))
    bare("company", "create", "Acme", *sqlite_only.arguments)
    added = bare("company", "schema", "add", str(file), "--extends", "User", *sqlite_only.arguments)
    assert added.out.strip() == "urn:x:Badge extends User from now on."
