"""Jobs: credentials under seal, settings, and the synchronization schema."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import msgspec
import pytest
from tests.integration.applications.conftest import KEY, Laboratory

from provisor.applications import gallery
from provisor.applications.errors import InvalidSecretToken, InvalidSettings, InvalidTenantUrl, JobNotFound
from provisor.applications.model import App, CredentialsChange
from provisor.applications.schema import InvalidSchema
from provisor.applications.service import Applications
from provisor.applications.store import ApplicationStore
from provisor.security.secrets import MasterKey, SealBroken, SealedElsewhere, Sealer
from provisor.security.store import WrongKey, check_key
from provisor.storage.database import Database

URL = "https://app.example.com/scim"
OTHER_KEY = MasterKey(bytes(32), "secret.key")


@pytest.fixture
async def app(lab: Laboratory) -> App:
    return await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL, "hunter2-token")


async def credentials(lab: Laboratory, app: App) -> tuple[str, str | None]:
    found = await lab.applications.credentials(lab.operator, app.job_id)
    return found.base_address, found.secret_token


async def test_credentials_come_back_in_the_clear_and_are_stored_sealed(lab: Laboratory, app: App) -> None:
    assert await credentials(lab, app) == (URL, "hunter2-token")
    rows = await lab.database.read(lambda tx: tx.fetch_all("SELECT key, sealed FROM job_secret ORDER BY key"))
    assert [row[0] for row in rows] == ["BaseAddress", "SecretToken"]
    assert not any(b"hunter2" in bytes(row[1]) or b"example" in bytes(row[1]) for row in rows)


async def test_a_token_does_not_show_in_what_is_logged_of_credentials(lab: Laboratory, app: App) -> None:
    assert "hunter2" not in repr(await lab.applications.credentials(lab.operator, app.job_id))


@pytest.mark.parametrize(
    ("address", "cleared"),
    [
        ("https://app.example.com/scim/v2?aadOptscim062020", False),
        ("https://APP.example.com:443/other", False),
        ("http://app.example.com/scim", True),
        ("https://app.example.com:8443/scim", True),
        ("https://evil.example/scim", True),
    ],
)
async def test_the_token_does_not_follow_the_address_to_another_server(
    lab: Laboratory, app: App, address: str, cleared: bool
) -> None:
    change = await lab.applications.set_credentials(lab.operator, app.job_id, base_address=address)
    assert change == CredentialsChange(address, has_secret=not cleared, secret_cleared=cleared)
    assert await credentials(lab, app) == (address, None if cleared else "hunter2-token")


async def test_a_token_that_comes_with_the_new_address_is_stored(lab: Laboratory, app: App) -> None:
    change = await lab.applications.set_credentials(lab.operator, app.job_id, "https://new.example/scim", "new-token")
    assert change == CredentialsChange("https://new.example/scim", has_secret=True, secret_cleared=False)
    assert await credentials(lab, app) == ("https://new.example/scim", "new-token")


async def test_a_new_token_alone_leaves_the_address(lab: Laboratory, app: App) -> None:
    change = await lab.applications.set_credentials(lab.operator, app.job_id, secret_token="next-token")
    assert change == CredentialsChange(URL, has_secret=True, secret_cleared=False)
    assert await credentials(lab, app) == (URL, "next-token")


async def test_without_a_stored_token_nothing_is_cleared(lab: Laboratory) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "dialpad")
    change = await lab.applications.set_credentials(lab.operator, app.job_id, "https://new.example/scim")
    assert change == CredentialsChange("https://new.example/scim", has_secret=False, secret_cleared=False)


async def test_broken_credentials_change_nothing(lab: Laboratory, app: App) -> None:
    with pytest.raises(InvalidTenantUrl):
        await lab.applications.set_credentials(lab.operator, app.job_id, "nonsense", "new-token")
    with pytest.raises(InvalidSecretToken):
        await lab.applications.set_credentials(lab.operator, app.job_id, "https://new.example/scim", "two words")
    with pytest.raises(JobNotFound):
        await lab.applications.set_credentials(lab.operator, "scim.x.y", secret_token="new-token")
    assert await credentials(lab, app) == (URL, "hunter2-token")


async def test_a_sealed_token_that_was_copied_into_another_jobs_row_does_not_open(lab: Laboratory, app: App) -> None:
    other = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Other", URL, "other-token")
    await lab.database.write(
        lambda tx: tx.execute(
            "UPDATE job_secret SET sealed ="
            " (SELECT sealed FROM job_secret WHERE job_id = :from AND key = 'SecretToken')"
            " WHERE job_id = :to AND key = 'SecretToken'",
            {"from": app.job_id, "to": other.job_id},
        )
    )
    with pytest.raises(SealBroken, match="moved"):
        await lab.applications.credentials(lab.operator, other.job_id)


async def test_with_a_lost_key_credentials_are_not_read_and_can_be_entered_again(lab: Laboratory, app: App) -> None:
    after = Applications(ApplicationStore(lab.database), Sealer(OTHER_KEY), lab.clock)
    with pytest.raises(SealedElsewhere, match=r"secret\.key"):
        await after.credentials(lab.operator, app.job_id)
    with pytest.raises(SealedElsewhere):
        await after.set_credentials(lab.operator, app.job_id, secret_token="new-token")
    change = await after.set_credentials(lab.operator, app.job_id, URL)
    assert change.secret_cleared  # what cannot be read cannot be shown to belong to this server
    await after.set_credentials(lab.operator, app.job_id, secret_token="new-token")
    assert (await after.credentials(lab.operator, app.job_id)).secret_token == "new-token"


async def test_a_wrong_master_key_is_noticed_at_the_start(database: Database) -> None:
    await asyncio.gather(*(check_key(database, KEY) for _ in range(4)))
    with pytest.raises(WrongKey, match=r"secret\.key"):
        await check_key(database, OTHER_KEY)


async def test_the_scope_can_be_set_to_all_and_back(lab: Laboratory, app: App) -> None:
    assert (await lab.applications.set_sync_all(lab.operator, app.job_id, True)).settings.sync_all
    assert (await lab.applications.job(lab.operator, app.job_id)).settings.sync_all
    assert not (await lab.applications.set_sync_all(lab.operator, app.job_id, False)).settings.sync_all


async def test_settings_that_are_not_named_stay(lab: Laboratory, app: App) -> None:
    await lab.applications.change_settings(
        lab.operator,
        app.job_id,
        {"skip_out_of_scope_deletions": True, "notification": {"enabled": True, "recipients": "ops@example.com"}},
    )
    job = await lab.applications.change_settings(
        lab.operator, app.job_id, {"interval_seconds": 1200, "dialect": "entra"}
    )
    assert job.settings.skip_out_of_scope_deletions
    assert job.settings.notification.recipients == "ops@example.com"
    assert job.settings.notification.delete_threshold_value == 500
    assert (job.settings.interval_seconds, job.settings.dialect) == (1200, "entra")
    assert job.schema_version == 1


@pytest.mark.parametrize(
    "changes", [{"sync_all": "yes"}, {"interval_seconds": 0}, {"colour": "red"}, {"notification": {"enabled": 1}}]
)
async def test_settings_that_cannot_be_are_refused_and_nothing_is_changed(
    lab: Laboratory, app: App, changes: dict[str, Any]
) -> None:
    before = app.job.settings
    with pytest.raises(InvalidSettings):
        await lab.applications.change_settings(lab.operator, app.job_id, {"sync_all": True, **changes})
    assert (await lab.applications.job(lab.operator, app.job_id)).settings == before


async def test_settings_that_are_changed_at_once_by_several_are_all_kept(lab: Laboratory, app: App) -> None:
    await asyncio.gather(
        lab.applications.change_settings(lab.operator, app.job_id, {"sync_all": True}),
        lab.applications.change_settings(lab.operator, app.job_id, {"skip_out_of_scope_deletions": True}),
        lab.applications.change_settings(lab.operator, app.job_id, {"dialect": "entra"}),
    )
    settings = (await lab.applications.job(lab.operator, app.job_id)).settings
    assert (settings.sync_all, settings.skip_out_of_scope_deletions, settings.dialect) == (True, True, "entra")


def changed(app: App) -> dict[str, Any]:
    """The job's schema with titles in capitals, and something that nobody here knows."""
    document: dict[str, Any] = copy.deepcopy(dict(app.job.schema.document))
    rows = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
    [title] = [row for row in rows if row["targetAttributeName"] == "title"]
    title["source"] = {"type": "Function", "name": "ToUpper", "expression": "ToUpper([jobTitle])", "parameters": []}
    document["unknownToUs"] = {"kept": [True, None]}
    return document


async def test_a_schema_that_was_put_comes_back_as_it_was_and_raises_the_version(lab: Laboratory, app: App) -> None:
    document = changed(app)
    job = await lab.applications.set_schema(lab.operator, app.job_id, document)
    assert job.schema_version == 2
    assert "ToUpper([jobTitle])" in {row.source_text for row in job.schema.user.attribute_mappings}
    again = await Applications(ApplicationStore(lab.database), Sealer(KEY), lab.clock).job(lab.operator, app.job_id)
    assert again.schema.document == document
    assert msgspec.json.encode(again.schema.document) == msgspec.json.encode(document)
    assert again.schema_version == 2


async def test_a_broken_schema_is_refused_and_the_job_keeps_its_own(lab: Laboratory, app: App) -> None:
    document = changed(app)
    document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["matchingPriority"] = 0
    with pytest.raises(InvalidSchema, match="matching"):
        await lab.applications.set_schema(lab.operator, app.job_id, document)
    job = await lab.applications.job(lab.operator, app.job_id)
    assert job.schema_version == 1
    assert job.schema.document == app.job.schema.document


async def test_restoring_the_defaults_is_a_new_version_of_the_templates_schema(lab: Laboratory, app: App) -> None:
    await lab.applications.set_schema(lab.operator, app.job_id, changed(app))
    job = await lab.applications.restore_default_schema(lab.operator, app.job_id)
    assert job.schema_version == 3
    assert job.schema.document == gallery.template("scim").default_schema(app.job_id)


async def test_another_process_sees_a_new_schema_at_once(lab: Laboratory, app: App) -> None:
    other = Applications(ApplicationStore(lab.database), Sealer(KEY), lab.clock)
    assert (await other.job(lab.operator, app.job_id)).schema_version == 1
    await lab.applications.set_schema(lab.operator, app.job_id, changed(app))
    assert (await other.job(lab.operator, app.job_id)).schema.document["unknownToUs"] == {"kept": [True, None]}


async def test_a_schema_is_compiled_once_per_version(lab: Laboratory, app: App) -> None:
    one, two = [await lab.applications.job(lab.operator, app.job_id) for _ in range(2)]
    assert one.schema is two.schema
