"""The examples of docs/how-to/change-attribute-mappings.md are taken as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from provisor.applications import gallery
from provisor.applications.schema import AttributeMapping
from provisor.applications.schema_reader import read_schema
from provisor.applications.scoping import evaluate, operators

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "change-attribute-mappings.md").read_text("utf-8")


@pytest.fixture
def document() -> dict[str, Any]:
    return gallery.template("scim").default_schema("scim.t.a")


def examples() -> list[str]:
    return re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def test_the_mapping_is_read(document: dict[str, Any]) -> None:
    rows = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    rows[3] = json.loads(examples()[0])
    [found] = [row for row in read_schema(document).user.attribute_mappings if row.target == "title"]
    assert isinstance(found, AttributeMapping)
    assert (found.source_text, found.default_value, found.when_empty) == ("[jobTitle]", "Staff", "Keep")


def test_the_filter_is_read(document: dict[str, Any]) -> None:
    user = document["synchronizationRules"][0]["objectMappings"][0]
    user.update(json.loads("{" + examples()[1] + "}"))
    scope = read_schema(document).user.scope
    assert evaluate(scope, {"country": "DE", "jobTitle": "Optics Engineer"}.get).passed
    assert not evaluate(scope, {"country": "DE", "jobTitle": "Clerk"}.get).passed


def test_every_operator_is_on_the_page() -> None:
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    assert {one.name for one in operators()} <= set(re.findall(r"`([^`]+)`", prose))
