"""A schema as Entra exports it goes in and comes out as it was, up to the order of keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.integration.applications.conftest import Laboratory

from provisor.applications.schema import InvalidSchema

EXPORTED = Path(__file__).parents[2] / "data" / "entra-schema.json"


def canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1).encode()


async def test_an_exported_schema_is_kept_byte_for_byte_unknown_properties_included(lab: Laboratory) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", "https://app.example.com/scim")
    document = json.loads(EXPORTED.read_text("utf-8"))
    document["aLaterProperty"] = {
        "number": 1.5,
        "large": 2**70 + 1,
        "text": "\u2028 \U0001f600 \u0000",
        "none": None,
        "list": [],
    }
    await lab.applications.set_schema(lab.operator, app.job_id, document)
    job = await lab.applications.job(lab.operator, app.job_id)
    assert canonical(job.schema.document) == canonical(document)
    stored = await lab.database.read(
        lambda tx: tx.fetch_one("SELECT schema FROM synchronization_job WHERE id = :id", {"id": app.job_id})
    )
    assert stored is not None
    assert canonical(msgspec.json.decode(stored[0])) == canonical(document)


@pytest.mark.parametrize("value", ["\ud800", float("nan")])
async def test_what_cannot_be_kept_as_it_is_is_refused(lab: Laboratory, value: Any) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", "https://app.example.com/scim")
    document = json.loads(EXPORTED.read_text("utf-8"))
    document["aLaterProperty"] = value
    with pytest.raises(InvalidSchema, match="cannot be stored as JSON"):
        await lab.applications.set_schema(lab.operator, app.job_id, document)
    assert len(await lab.applications.schema_versions(lab.operator, app.job_id)) == 1
