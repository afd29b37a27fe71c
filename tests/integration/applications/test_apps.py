"""Adding, finding and removing enterprise applications."""

from __future__ import annotations

import pytest
from tests.integration.applications.conftest import Laboratory

from provisor.applications.errors import (
    AmbiguousApp,
    AppNotFound,
    InvalidTenantUrl,
    JobNotFound,
    NameTaken,
    TemplateNotFound,
    TenantNotFound,
)
from provisor.errors import Forbidden, InvalidInput

URL = "http://127.0.0.1:8080/scim"


async def test_an_app_comes_with_service_principal_roles_job_and_settings(lab: Laboratory) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL, "token")
    sp, job = app.service_principal, app.job
    assert (sp.tenant_id, sp.template_id, sp.display_name) == (lab.tenant.id, "scim", "Wiki")
    assert sp.created_at == lab.clock.now_ms()
    assert [(role.display_name, role.enabled) for role in sp.app_roles] == [("User", True)]
    assert job.id == app.job_id == f"scim.{lab.tenant.id.replace('-', '')}.{sp.app_id}"
    assert (job.tenant_id, job.service_principal_id, job.display_name) == (lab.tenant.id, sp.id, "Wiki")
    assert job.schema_version == 1
    assert job.schema.document["id"] == job.id
    settings = job.settings
    assert (settings.sync_all, settings.skip_out_of_scope_deletions) == (False, False)
    assert (settings.interval_seconds, settings.dialect) == (2400, "provisor")
    assert settings.default_access_provisioned
    assert not settings.notification.enabled


async def test_the_templates_name_and_address_are_used_when_none_are_given(lab: Laboratory) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "dialpad")
    assert app.service_principal.display_name == "Dialpad"
    credentials = await lab.applications.credentials(lab.operator, app.job_id)
    assert (credentials.base_address, credentials.secret_token) == ("https://dialpad.com/scim", None)


async def test_an_app_without_an_address_of_its_own_needs_one(lab: Laboratory) -> None:
    with pytest.raises(InvalidTenantUrl, match="missing"):
        await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki")
    assert await lab.applications.apps(lab.operator, lab.tenant.id) == []


async def test_a_name_is_unique_in_its_tenant_and_free_in_another(lab: Laboratory) -> None:
    await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)
    with pytest.raises(NameTaken, match=r"'Wiki' already.*another name"):
        await lab.applications.add(lab.operator, lab.tenant.id, "scim", " Wiki ", URL)
    assert len(await lab.applications.apps(lab.operator, lab.tenant.id)) == 1
    other = await lab.directory.create_tenant(lab.operator, "Other", "other.example")
    await lab.applications.add(lab.operator, other.id, "scim", "Wiki", URL)


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 257])
async def test_a_name_that_no_list_could_show_is_refused(lab: Laboratory, name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        await lab.applications.add(lab.operator, lab.tenant.id, "scim", name, URL)


async def test_an_unknown_template_or_tenant_is_named(lab: Laboratory) -> None:
    with pytest.raises(TemplateNotFound, match="no-such-app"):
        await lab.applications.add(lab.operator, lab.tenant.id, "no-such-app", "Wiki", URL)
    with pytest.raises(TenantNotFound, match="nowhere"):
        await lab.applications.add(lab.operator, "nowhere", "scim", "Wiki", URL)


async def test_an_app_is_found_by_each_of_its_ids_and_by_its_name_in_any_case(lab: Laboratory) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki Zürich", URL)
    await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Other", URL)
    sp = app.service_principal
    for ref in (sp.app_id, sp.id, app.job_id, "Wiki Zürich", "wiki zÜRICH", "  Wiki Zürich "):
        found = await lab.applications.find(lab.operator, lab.tenant.id, ref)
        assert found.service_principal == sp
        assert found.job.id == app.job_id


async def test_the_exact_name_wins_and_an_ambiguous_one_names_the_candidates(lab: Laboratory) -> None:
    one = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)
    other = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "WIKI", URL)
    found = await lab.applications.find(lab.operator, lab.tenant.id, "WIKI")
    assert found.service_principal.id == other.service_principal.id
    with pytest.raises(AmbiguousApp) as caught:
        await lab.applications.find(lab.operator, lab.tenant.id, "wiki")
    assert one.service_principal.id in str(caught.value)
    assert other.service_principal.id in str(caught.value)


async def test_an_app_that_is_not_there_is_told_with_those_that_are(lab: Laboratory) -> None:
    with pytest.raises(AppNotFound, match="Add one from the gallery"):
        await lab.applications.find(lab.operator, lab.tenant.id, "Wiki")
    app = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)
    with pytest.raises(AppNotFound, match="It has: Wiki"):
        await lab.applications.find(lab.operator, lab.tenant.id, "Wikki")
    other = await lab.directory.create_tenant(lab.operator, "Other", "other.example")
    with pytest.raises(AppNotFound):
        await lab.applications.find(lab.operator, other.id, app.service_principal.id)


async def test_apps_are_listed_by_name_with_their_roles_and_jobs(lab: Laboratory) -> None:
    for name in ("Wiki", "Calls", "Mail"):
        await lab.applications.add(lab.operator, lab.tenant.id, "scim", name, URL)
    apps = await lab.applications.apps(lab.operator, lab.tenant.id)
    assert [app.service_principal.display_name for app in apps] == ["Calls", "Mail", "Wiki"]
    assert all(app.job.id == app.job_id and app.service_principal.app_roles for app in apps)


async def test_jobs_are_a_tenants_own_and_for_the_operator_everybodys(lab: Laboratory) -> None:
    one = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)
    lab.clock.advance(1)
    other_tenant = await lab.directory.create_tenant(lab.operator, "Other", "other.example")
    other = await lab.applications.add(lab.operator, other_tenant.id, "dialpad")
    assert [job.id for job in await lab.applications.jobs(lab.operator)] == [one.job_id, other.job_id]
    assert [job.id for job in await lab.applications.jobs(lab.holder("Application Administrator"))] == [one.job_id]


async def test_removing_an_app_removes_everything_of_it_and_nothing_of_another(lab: Laboratory) -> None:
    ada = await lab.user("ada")
    gone = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL, "token")
    kept = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Mail", URL, "token")
    for app in (gone, kept):
        await lab.applications.assign(lab.operator, lab.tenant.id, app.service_principal.id, ada, "User")
    removed = await lab.applications.remove(lab.operator, lab.tenant.id, "wiki")
    assert removed.service_principal.id == gone.service_principal.id
    assert removed.job_ids == (gone.job_id,)
    with pytest.raises(AppNotFound):
        await lab.applications.find(lab.operator, lab.tenant.id, "Wiki")
    with pytest.raises(JobNotFound):
        await lab.applications.credentials(lab.operator, gone.job_id)
    assert (await lab.applications.credentials(lab.operator, kept.job_id)).secret_token == "token"
    assert len(await lab.applications.assignments(lab.operator, lab.tenant.id, kept.service_principal.id)) == 1
    for table in ("service_principal", "app_role", "assignment", "synchronization_job"):
        rows = await lab.database.read(lambda tx, table=table: tx.fetch_all(f"SELECT 1 FROM {table}"))
        assert len(rows) == 1, table
    assert len(await lab.database.read(lambda tx: tx.fetch_all("SELECT 1 FROM job_secret"))) == 2


async def test_a_removed_apps_name_is_free_again(lab: Laboratory) -> None:
    first = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)
    await lab.applications.remove(lab.operator, lab.tenant.id, "Wiki")
    second = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)
    assert first.job_id != second.job_id


async def test_who_may_see_apps_but_not_how_they_are_provisioned_gets_no_job(lab: Laboratory) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)
    reader = lab.holder("Global Reader")
    found = await lab.applications.find(reader, lab.tenant.id, "Wiki")
    assert (found.service_principal.display_name, found.job_id) == ("Wiki", app.job_id)
    with pytest.raises(Forbidden, match=r"synchronization\.read"):
        _ = found.job
    [listed] = await lab.applications.apps(reader, lab.tenant.id)
    assert listed.configuration is None
    with pytest.raises(Forbidden):
        await lab.applications.job(reader, app.job_id)


async def test_every_call_checks_the_right_that_it_needs(lab: Laboratory) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)
    sp, tenant, apps = app.service_principal.id, lab.tenant.id, lab.applications
    nobody = lab.holder("Reports Reader")
    job = app.job
    for call in (
        apps.add(nobody, tenant, "dialpad"),
        apps.apps(nobody, tenant),
        apps.find(nobody, tenant, "Wiki"),
        apps.remove(nobody, tenant, "Wiki"),
        apps.assign(nobody, tenant, sp, "x", "User"),
        apps.unassign(nobody, tenant, sp, "x"),
        apps.assignments(nobody, tenant, sp),
        apps.job(nobody, job.id),
        apps.jobs(nobody),
        apps.set_schema(nobody, job.id, {}),
        apps.restore_default_schema(nobody, job.id),
        apps.change_settings(nobody, job.id, {}),
        apps.set_sync_all(nobody, job.id, True),
        apps.set_credentials(nobody, job.id, secret_token="x"),
        apps.credentials(nobody, job.id),
        apps.entitled(nobody, job, []),
        apps.assigned_groups(nobody, job, []),
        apps.members_of_assigned(nobody, job, "x"),
    ):
        with pytest.raises(Forbidden):
            await call


async def test_another_tenants_administrator_sees_neither_apps_nor_jobs(lab: Laboratory) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL, "token")
    other = await lab.directory.create_tenant(lab.operator, "Other", "other.example")
    stranger = lab.holder("Global Administrator", tenant_id=other.id)
    with pytest.raises(Forbidden, match="another tenant"):
        await lab.applications.apps(stranger, lab.tenant.id)
    with pytest.raises(Forbidden, match="another tenant"):
        await lab.applications.entitled(stranger, app.job, ["x"])
    # Of a job's id it is not even told that it exists.
    with pytest.raises(JobNotFound):
        await lab.applications.job(stranger, app.job_id)
    with pytest.raises(JobNotFound):
        await lab.applications.credentials(stranger, app.job_id)
