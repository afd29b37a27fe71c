"""Applications and service principals as Graph has them."""

from __future__ import annotations

import pytest
from tests.integration.applications.conftest import Laboratory

from provisor.applications.errors import (
    AlreadyOwner,
    AppNotFound,
    EnabledRole,
    JobNotFound,
    OwnerNotFound,
    RegistrationExists,
    RegistrationNotFound,
    TemplateNotFound,
)
from provisor.applications.registrations.properties import InvalidProperties
from provisor.applications.registrations.service import Registrations
from provisor.applications.registrations.store import RegistrationStore
from provisor.errors import Conflict, Forbidden
from provisor.security.permissions import GRAPH_APP_ID

URL = "http://127.0.0.1:8080/scim"
ROLE = {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Editor", "allowedMemberTypes": ["User"]}


@pytest.fixture
def registrations(lab: Laboratory) -> Registrations:
    return Registrations(RegistrationStore(lab.database), lab.clock)


async def test_an_instantiated_app_can_be_read_at_once_and_has_no_job(
    lab: Laboratory, registrations: Registrations
) -> None:
    made = await registrations.instantiate(lab.operator, lab.tenant.id, "dialpad", "Calls")
    sp, application = made.service_principal, made.application
    assert application is not None
    assert application.app_id == sp.app_id
    assert [role.display_name for role in application.properties.app_roles] == ["User"]
    assert [role.id for role in sp.app_roles] == [role.id for role in application.properties.app_roles]
    assert sp.properties.app_role_assignment_required
    assert sp.properties.tags == ("WindowsAzureActiveDirectoryIntegratedApp",)
    for ref in (sp.id, sp.app_id):
        assert await registrations.instance(lab.operator, lab.tenant.id, ref) == made
    for ref in (application.id, application.app_id):
        assert await registrations.application(lab.operator, lab.tenant.id, ref) == application
    app = await lab.applications.find(lab.operator, lab.tenant.id, "Calls")
    assert not app.has_job
    assert app.job_id == f"dialpad.{lab.tenant.id.replace('-', '')}.{sp.app_id}"
    with pytest.raises(JobNotFound, match="Calls has no provisioning job"):
        _ = app.job


async def test_an_app_of_the_commands_is_registered_too_and_names_may_come_twice(
    lab: Laboratory, registrations: Registrations
) -> None:
    app = await lab.applications.add(lab.operator, lab.tenant.id, "scim", "Wiki", URL)
    [application] = await registrations.applications(lab.operator, lab.tenant.id)
    assert application.app_id == app.service_principal.app_id
    await registrations.instantiate(lab.operator, lab.tenant.id, "scim", "Wiki")
    assert len(await registrations.applications(lab.operator, lab.tenant.id)) == 2


async def test_an_unknown_gallery_app_is_named(lab: Laboratory, registrations: Registrations) -> None:
    with pytest.raises(TemplateNotFound, match="no-such-app"):
        await registrations.instantiate(lab.operator, lab.tenant.id, "no-such-app", "Slack")


async def test_properties_are_merged_part_by_part_and_null_resets(
    lab: Laboratory, registrations: Registrations
) -> None:
    tenant = lab.tenant.id
    made = await registrations.register(
        lab.operator, tenant, {"displayName": " Wiki ", "web": {"redirectUris": ["https://wiki.example/cb"]}}
    )
    assert made.display_name == "Wiki"
    changes = {"web": {"homePageUrl": "https://wiki.example"}, "tags": ["a"], "signInAudience": "azureadmultipleorgs"}
    after = await registrations.update(lab.operator, tenant, made.id, changes)
    assert after.properties.web.redirect_uris == ("https://wiki.example/cb",)
    assert after.properties.web.home_page_url == "https://wiki.example"
    assert after.multi_tenant
    after = await registrations.update(lab.operator, tenant, made.id, {"web": {"homePageUrl": None}, "tags": None})
    assert (after.properties.web.home_page_url, after.properties.tags) == (None, ())
    assert after.redirect_uris == ("https://wiki.example/cb",)
    assert await registrations.application(lab.operator, tenant, made.id) == after


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({}, "displayName"),
        ({"displayName": "x", "colour": "red"}, "colour"),
        ({"displayName": "x", "colour": None}, "colour"),
        ({"displayName": "x", "web": {"redirectUrls": []}}, "redirectUrls.*web|web.*redirectUrls"),
        ({"displayName": "x", "signInAudience": "Everybody"}, "signInAudience"),
        ({"displayName": "x", "appRoles": [{**ROLE, "id": "editor"}]}, "appRoles.*editor"),
        ({"displayName": "x", "appRoles": [ROLE, ROLE]}, "occurs twice"),
        ({"displayName": "x", "appRoles": [{**ROLE, "allowedMemberTypes": ["Robot"]}]}, "appRoles"),
        ({"displayName": 3}, "displayName"),
    ],
)
async def test_a_property_that_cannot_be_used_is_named(
    lab: Laboratory, registrations: Registrations, properties: dict[str, object], named: str
) -> None:
    with pytest.raises(InvalidProperties, match=named):
        await registrations.register(lab.operator, lab.tenant.id, properties)
    assert await registrations.applications(lab.operator, lab.tenant.id) == []


async def test_roles_are_the_same_seen_from_either_side_and_go_only_when_disabled(
    lab: Laboratory, registrations: Registrations
) -> None:
    tenant = lab.tenant.id
    made = await registrations.register(lab.operator, tenant, {"displayName": "Wiki", "appRoles": [ROLE]})
    sp = (await registrations.instantiate_application(lab.operator, tenant, made.app_id)).service_principal
    assert [role.id for role in sp.app_roles] == [ROLE["id"]]
    ada = await lab.user("ada")
    await lab.applications.assign(lab.operator, tenant, sp.id, ada, "User", str(ROLE["id"]))
    with pytest.raises(EnabledRole, match="disabled first"):
        await registrations.update(lab.operator, tenant, made.id, {"appRoles": []})
    off = [{**ROLE, "isEnabled": False, "value": "editor"}]
    after = await registrations.update_instance(lab.operator, tenant, sp.id, {"appRoles": off})
    assert [(role.enabled, role.value) for role in after.app_roles] == [(False, "editor")]
    [registered] = (await registrations.application(lab.operator, tenant, made.id)).properties.app_roles
    assert (registered.is_enabled, registered.value) == (False, "editor")
    before = await lab.directory.head(lab.operator, tenant)
    await registrations.update(lab.operator, tenant, made.id, {"appRoles": []})
    assert (await registrations.instance(lab.operator, tenant, sp.id)).service_principal.app_roles == ()
    assert await lab.applications.assignments(lab.operator, tenant, sp.id) == []
    [change] = await lab.directory.changes(lab.operator, tenant, before, 10)
    assert (change.object_type, change.object_id, change.change, change.related_id) == (
        "Assignment",
        ada,
        "removed",
        sp.id,
    )


async def test_another_tenants_application_is_for_all_tenants_or_for_nobody(
    lab: Laboratory, registrations: Registrations
) -> None:
    other = await lab.directory.create_tenant(lab.operator, "Other", "other.example")
    made = await registrations.register(lab.operator, lab.tenant.id, {"displayName": "Wiki", "appRoles": [ROLE]})
    with pytest.raises(RegistrationNotFound, match="does not reference a valid application"):
        await registrations.instantiate_application(lab.operator, other.id, made.app_id)
    await registrations.update(lab.operator, lab.tenant.id, made.id, {"signInAudience": "AzureADMultipleOrgs"})
    instance = await registrations.instantiate_application(lab.operator, other.id, made.app_id)
    assert instance.service_principal.owner_tenant_id == lab.tenant.id
    with pytest.raises(RegistrationExists):
        await registrations.instantiate_application(lab.operator, other.id, made.app_id)
    # The maker's change of roles reaches it.
    extra = {**ROLE, "id": "22222222-2222-4222-8222-222222222222", "displayName": "Reader"}
    await registrations.update(lab.operator, lab.tenant.id, made.id, {"appRoles": [ROLE, extra]})
    seen = await registrations.instance(lab.operator, other.id, made.app_id)
    assert {role.display_name for role in seen.service_principal.app_roles} == {"Editor", "Reader"}
    # The application goes; the other tenant's instance stays and has no registration any more.
    await registrations.delete(lab.operator, lab.tenant.id, made.id)
    assert (await registrations.instance(lab.operator, other.id, made.app_id)).application is None


async def test_the_api_itself_is_in_every_tenant_and_stays_as_it_is(
    lab: Laboratory, registrations: Registrations
) -> None:
    tenant = lab.tenant.id
    [graph] = await registrations.instances(lab.operator, tenant)
    sp = graph.service_principal
    assert (sp.display_name, sp.app_id) == ("Microsoft Graph", GRAPH_APP_ID)
    assert "Application.Read.All" in {role.value for role in sp.app_roles}
    assert graph.application is not None
    assert "User.Read" in {scope.value for scope in graph.application.properties.api.oauth2_permission_scopes}
    assert await registrations.instance(lab.operator, tenant, GRAPH_APP_ID) == graph
    with pytest.raises(RegistrationExists):
        await registrations.instantiate_application(lab.operator, tenant, GRAPH_APP_ID)
    with pytest.raises(Conflict):
        await registrations.delete_instance(lab.operator, tenant, sp.id)
    with pytest.raises(Conflict):
        await registrations.update_instance(lab.operator, tenant, sp.id, {"tags": []})


async def test_deleting_either_side_tells_the_jobs_that_are_gone(lab: Laboratory, registrations: Registrations) -> None:
    tenant = lab.tenant.id
    one = await lab.applications.add(lab.operator, tenant, "scim", "One", URL, "token")
    two = await lab.applications.add(lab.operator, tenant, "scim", "Two", URL, "token")
    application = await registrations.application(lab.operator, tenant, one.service_principal.app_id)
    assert (await registrations.delete(lab.operator, tenant, application.id)).job_ids == (one.job_id,)
    with pytest.raises(AppNotFound):
        await registrations.instance(lab.operator, tenant, one.service_principal.id)
    with pytest.raises(RegistrationNotFound):
        await registrations.delete(lab.operator, tenant, application.id)
    gone = await registrations.delete_instance(lab.operator, tenant, two.service_principal.id)
    assert gone.job_ids == (two.job_id,)
    [left] = await registrations.applications(lab.operator, tenant)
    assert left.display_name == "Two"
    for table in ("service_principal", "app_role", "synchronization_job", "job_secret", "schema_version"):
        assert await lab.database.read(lambda tx, table=table: tx.fetch_all(f"SELECT 1 FROM {table}")) == [], table


async def test_owners_are_people_and_applications_of_the_tenant(lab: Laboratory, registrations: Registrations) -> None:
    tenant, ada = lab.tenant.id, await lab.user("ada")
    made = await registrations.register(lab.operator, tenant, {"displayName": "Wiki"}, owner_id=ada)
    robot = (await registrations.instantiate(lab.operator, tenant, "scim", "Robot")).service_principal
    assert [(owner.id, owner.type) for owner in await registrations.owners(lab.operator, tenant, made.id)] == [
        (ada, "User")
    ]
    with pytest.raises(AlreadyOwner):
        await registrations.add_owner(lab.operator, made, ada)
    await registrations.add_owner(lab.operator, made, robot.id)
    with pytest.raises(OwnerNotFound):
        await registrations.add_owner(lab.operator, made, "nobody")
    assert await registrations.owned(lab.operator, tenant, ada) == {made.id}
    await registrations.remove_owner(lab.operator, made, ada)
    with pytest.raises(OwnerNotFound):
        await registrations.remove_owner(lab.operator, made, ada)
    owners = await registrations.owners(lab.operator, tenant, made.id)
    assert [(owner.type, owner.display_name) for owner in owners] == [("ServicePrincipal", "Robot")]
    await registrations.delete(lab.operator, tenant, made.id)
    assert await registrations.owned(lab.operator, tenant, robot.id) == set()


async def test_every_change_needs_its_right_and_is_told_by_the_audit_log(
    lab: Laboratory, registrations: Registrations
) -> None:
    tenant = lab.tenant.id
    reader = lab.holder("Global Reader")
    made = await registrations.register(lab.operator, tenant, {"displayName": "Wiki"})
    sp = (await registrations.instantiate_application(lab.operator, tenant, made.app_id)).service_principal
    for call in (
        registrations.register(reader, tenant, {"displayName": "x"}),
        registrations.update(reader, tenant, made.id, {"tags": []}),
        registrations.delete(reader, tenant, made.id),
        registrations.instantiate(reader, tenant, "scim", "x"),
        registrations.instantiate_application(reader, tenant, made.app_id),
        registrations.update_instance(reader, tenant, sp.id, {"tags": []}),
        registrations.delete_instance(reader, tenant, sp.id),
        registrations.add_owner(reader, made, "x"),
        registrations.remove_owner(reader, made, "x"),
        registrations.registered(reader, made.app_id),
    ):
        with pytest.raises(Forbidden):
            await call
    await registrations.update_instance(lab.operator, tenant, sp.id, {"notes": "Ask Ada"})
    await registrations.update(lab.operator, tenant, made.id, {"displayName": "Wiki 2"})
    await registrations.update(lab.operator, tenant, made.id, {"displayName": "Wiki 2"})
    rows = await lab.database.read(lambda tx: tx.fetch_all("SELECT activity FROM audit_entry ORDER BY realm, seq"))
    assert [row[0] for row in rows if row[0] != "Create tenant"] == [
        "Add application",
        "Add service principal",
        "Update service principal",
        "Update application",
    ]
