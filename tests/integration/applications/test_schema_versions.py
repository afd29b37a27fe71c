"""Schema versions: who saved what, what it changed, and the way back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.integration.applications.conftest import Laboratory

from provisor.applications.errors import SchemaVersionNotFound
from provisor.applications.model import App, SchemaVersion
from provisor.applications.schema import InvalidSchema
from provisor.errors import Forbidden


@pytest.fixture
async def app(lab: Laboratory) -> App:
    return await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", "https://app.example.com/scim")


async def save(lab: Laboratory, app: App, **changes: Any) -> None:
    """Change the mapping to ``title``, as Ada."""
    job = await lab.applications.job(lab.operator, app.job_id)
    document = copy.deepcopy(dict(job.schema.document))
    document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][3].update(changes)
    await lab.applications.set_schema(lab.holder("Application Administrator"), app.job_id, document)


async def test_every_schema_is_kept_with_who_saved_it_and_when(lab: Laboratory, app: App) -> None:
    began = lab.clock.now_ms()
    lab.clock.advance(60)
    await save(lab, app, defaultValue="Staff")
    later = lab.clock.now_ms()
    assert later > began
    versions = await lab.applications.schema_versions(lab.operator, app.job_id)
    assert versions == [SchemaVersion(2, "ada", later), SchemaVersion(1, lab.operator.subject, began)]


async def test_a_difference_is_that_of_the_last_save_or_of_any_two_versions(lab: Laboratory, app: App) -> None:
    await save(lab, app, defaultValue="Staff")
    await save(lab, app, flowType="ObjectAddOnly")
    last = await lab.applications.schema_diff(lab.operator, app.job_id)
    assert (last.before, last.after) == (2, 3)
    assert [(one.where[-2:], one.before, one.after) for one in last.changes] == [
        (("title", "flowType"), "Always", "ObjectAddOnly")
    ]
    both = await lab.applications.schema_diff(lab.operator, app.job_id, 1, 3)
    assert len(both.changes) == 2
    back = await lab.applications.schema_diff(lab.operator, app.job_id, 3, 1)
    assert {(one.before, one.after) for one in back.changes} == {("Staff", None), ("ObjectAddOnly", "Always")}


async def test_the_first_version_differs_in_nothing(lab: Laboratory, app: App) -> None:
    found = await lab.applications.schema_diff(lab.operator, app.job_id)
    assert (found.before, found.after, found.changes) == (1, 1, ())


async def test_an_earlier_version_comes_back_as_a_new_one(lab: Laboratory, app: App) -> None:
    first = (await lab.applications.job(lab.operator, app.job_id)).schema.document
    await save(lab, app, defaultValue="Staff")
    job = await lab.applications.restore_schema_version(lab.operator, app.job_id, 1)
    assert job.schema_version == 3
    assert job.schema.document == first
    assert [one.version for one in await lab.applications.schema_versions(lab.operator, app.job_id)] == [3, 2, 1]


async def test_what_was_refused_is_no_version(lab: Laboratory, app: App) -> None:
    with pytest.raises(InvalidSchema):
        await save(lab, app, targetAttributeName="tilte")
    assert len(await lab.applications.schema_versions(lab.operator, app.job_id)) == 1


async def test_restoring_the_defaults_is_a_version_too(lab: Laboratory, app: App) -> None:
    await save(lab, app, defaultValue="Staff")
    await lab.applications.restore_default_schema(lab.operator, app.job_id)
    found = await lab.applications.schema_diff(lab.operator, app.job_id, 1, 3)
    assert found.changes == ()


async def test_a_version_that_never_was_is_named(lab: Laboratory, app: App) -> None:
    with pytest.raises(SchemaVersionNotFound, match="Wiki has no schema version 9") as caught:
        await lab.applications.restore_schema_version(lab.operator, app.job_id, 9)
    assert caught.value.hint == "Its versions are 1 to 1."


async def test_versions_need_the_rights_of_provisioning(lab: Laboratory, app: App) -> None:
    with pytest.raises(Forbidden):
        await lab.applications.schema_versions(lab.holder("Global Reader"), app.job_id)
    with pytest.raises(Forbidden):
        await lab.applications.restore_schema_version(lab.holder("Global Reader"), app.job_id, 1)


async def test_the_versions_go_with_the_app(lab: Laboratory, app: App) -> None:
    await lab.applications.remove(lab.operator, lab.tenant.id, "Wiki")
    rows = await lab.database.read(lambda tx: tx.fetch_all("SELECT job_id FROM schema_version"))
    assert rows == []
