"""Microsoft's own SDK, unmodified: an app from the gallery is provisioned into this server's own SCIM side."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from msgraph import GraphServiceClient
from msgraph.generated.application_templates.application_templates_request_builder import (
    ApplicationTemplatesRequestBuilder as Templates,
)
from msgraph.generated.application_templates.item.instantiate.instantiate_post_request_body import (
    InstantiatePostRequestBody,
)
from msgraph.generated.applications.item.add_password.add_password_post_request_body import AddPasswordPostRequestBody
from msgraph.generated.audit_logs.directory_audits.directory_audits_request_builder import (
    DirectoryAuditsRequestBuilder as Audits,
)
from msgraph.generated.audit_logs.provisioning.provisioning_request_builder import (
    ProvisioningRequestBuilder as Provisioning,
)
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.application import Application
from msgraph.generated.models.o_auth2_permission_grant import OAuth2PermissionGrant
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_credential import PasswordCredential
from msgraph.generated.models.service_principal import ServicePrincipal
from msgraph.generated.models.synchronization_job import SynchronizationJob
from msgraph.generated.models.synchronization_job_application_parameters import (
    SynchronizationJobApplicationParameters,
)
from msgraph.generated.models.synchronization_job_restart_criteria import SynchronizationJobRestartCriteria
from msgraph.generated.models.synchronization_job_restart_scope import SynchronizationJobRestartScope
from msgraph.generated.models.synchronization_job_subject import SynchronizationJobSubject
from msgraph.generated.models.synchronization_secret import SynchronizationSecret
from msgraph.generated.models.synchronization_secret_key_string_value_pair import (
    SynchronizationSecretKeyStringValuePair,
)
from msgraph.generated.models.synchronization_status_code import SynchronizationStatusCode
from msgraph.generated.service_principals.item.synchronization.jobs.item.provision_on_demand import (
    provision_on_demand_post_request_body as on_demand,
)
from msgraph.generated.service_principals.item.synchronization.jobs.item.restart.restart_post_request_body import (
    RestartPostRequestBody,
)
from msgraph.generated.service_principals.item.synchronization.jobs.item.schema.parse_expression import (
    parse_expression_post_request_body as parse,
)
from msgraph.generated.service_principals.item.synchronization.jobs.validate_credentials import (
    validate_credentials_post_request_body as validate,
)
from msgraph.generated.service_principals.item.synchronization.secrets.secrets_put_request_body import (
    SecretsPutRequestBody,
)
from msgraph.generated.service_principals.service_principals_request_builder import (
    ServicePrincipalsRequestBuilder as ServicePrincipals,
)
from tests.e2e.conftest import Program, get
from tests.e2e.test_msgraph_sdk import Served, make, select

from provisor.testing.database import sqlite_store


@dataclass
class Site:
    """The server, the company's key, and the SDK."""

    served: Served
    key: str
    client: GraphServiceClient

    def pairs(self, **more: str) -> list[SynchronizationSecretKeyStringValuePair]:
        values = {"BaseAddress": f"{self.served.address}/scim", "SecretToken": self.key, **more}
        return [
            SynchronizationSecretKeyStringValuePair(key=SynchronizationSecret(key), value=value)
            for key, value in values.items()
        ]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("sdk")
    program = Program(sqlite_store(folder / "data"), folder)
    program.run("company", "create", "Acme", "--admin", "boss@acme.example")
    tenant = program.json("tenant", "create", "Lindenhof", "--domain", "lindenhof.example")["id"]
    token = program.json("token", "create")["token"]
    with program.serving() as address:
        yield Served(address, token, tenant, program.store)


@pytest.fixture(scope="module")
def key(running: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    program = Program(running.store, tmp_path_factory.mktemp("key"))
    return str(program.json("apikey", "create", "--name", "k", "--expires", "2999-12-31")["key"])


@pytest.fixture
async def site(running: Served, key: str) -> AsyncIterator[Site]:
    client = running.client()
    yield Site(running, key, client)
    transport = client.request_adapter._http_client._transport
    await transport.transport.aclose()
    await client.request_adapter._http_client.aclose()


async def instantiated(site: Site, template: str, name: str) -> tuple[Application, ServicePrincipal]:
    templates = site.client.application_templates
    named = f"displayName eq '{template}'"
    query = select(Templates.ApplicationTemplatesRequestBuilderGetQueryParameters, filter=named)
    found = await templates.get(query)
    assert found is not None
    [one] = found.value
    body = InstantiatePostRequestBody(display_name=name)
    made = await templates.by_application_template_id(one.id).instantiate.post(body)
    assert made is not None
    return made.application, made.service_principal


async def settled(job: Any) -> Any:
    """The job once its initial cycle is done; the generous end makes a fault a failure and not a hang."""
    for _ in range(600):
        found = await job.get()
        if found.status.last_execution is not None:
            return found
        await asyncio.sleep(0.1)
    pytest.fail(f"No cycle ended: {found.status}")


async def test_dialpad_is_provisioned_from_the_gallery_to_the_log(site: Site) -> None:
    client = site.client
    _, sp = await instantiated(site, "Dialpad", "Calls")
    principal = client.service_principals.by_service_principal_id(sp.id)
    name = select(
        ServicePrincipals.ServicePrincipalsRequestBuilderGetQueryParameters,
        filter="startswith(displayName,'calls')",
        select=["id", "appId", "displayName"],
    )
    found = await client.service_principals.get(name)
    assert found is not None
    assert [one.id for one in found.value] == [sp.id]
    synchronization = principal.synchronization
    templates = await synchronization.templates.get()
    assert templates is not None
    assert [one.id for one in templates.value] == ["dialpad"]
    made = await synchronization.jobs.post(SynchronizationJob(template_id="dialpad"))
    assert made is not None
    assert made.status.code == SynchronizationStatusCode.NotConfigured
    job = synchronization.jobs.by_synchronization_job_id(made.id)
    tried = validate.ValidateCredentialsPostRequestBody(
        template_id="dialpad", use_saved_credentials=False, credentials=site.pairs()
    )
    await synchronization.jobs.validate_credentials.post(tried)
    tried.credentials = site.pairs(SecretToken="wrong")
    with pytest.raises(ODataError) as refused:
        await synchronization.jobs.validate_credentials.post(tried)
    assert refused.value.error is not None
    assert refused.value.error.code == "CredentialValidationUnavailable"
    await synchronization.secrets.put(SecretsPutRequestBody(value=site.pairs(SyncAll="false")))
    schema = await job.schema.get()
    assert schema is not None
    [user_rule, _] = schema.synchronization_rules
    assert {one.name for one in schema.directories} == {"Microsoft Entra ID", "dialpad"}
    mappings = user_rule.object_mappings[0].attribute_mappings
    assert "userName" in [one.target_attribute_name for one in mappings]
    await job.schema.patch(schema)
    expression = parse.ParseExpressionPostRequestBody(expression='Join(" ", [givenName], [surname])')
    parsed = await job.schema.parse_expression.post(expression)
    assert parsed is not None
    assert (parsed.parsing_succeeded, parsed.parsed_expression.name) == (True, "Join")
    for listed in (await job.schema.filter_operators.get(), await job.schema.functions.get()):
        assert listed is not None
        assert all(one.id for one in listed.value)

    ann, bo = await make(client, "Ann"), await make(client, "Bo")
    role = sp.app_roles[0].id
    for person in (ann, bo):
        body = AppRoleAssignment(principal_id=person, resource_id=sp.id, app_role_id=role)
        await principal.app_role_assigned_to.post(body)
    with pytest.raises(ODataError) as twice:
        await principal.app_role_assigned_to.post(body)
    assert twice.value.error is not None
    assert "already exists on the object" in str(twice.value.error.message)
    assigned = await client.users.by_user_id(ann).app_role_assignments.get()
    assert assigned is not None
    assert [one.resource_display_name for one in assigned.value] == ["Calls"]

    subject = SynchronizationJobSubject(object_id=ann, object_type_name="User")
    parameters = SynchronizationJobApplicationParameters(rule_id=user_rule.id, subjects=[subject])
    done = await job.provision_on_demand.post(on_demand.ProvisionOnDemandPostRequestBody(parameters=[parameters]))
    assert done is not None
    assert json.loads(done.key)["result"] == "Success"
    assert json.loads(done.value)["action"] == "Create"

    await job.start.post()
    after = await settled(job)
    assert after.status.code == SynchronizationStatusCode.Active
    assert {one.key: one.value for one in after.status.synchronized_entry_count_by_type} == {"User": 2}
    names = [one["userName"] for one in get(f"{site.served.address}/scim/Users", site.key)["Resources"]]
    assert sorted(names) == ["ann@lindenhof.example", "bo@lindenhof.example"]

    filters = f"jobId eq '{made.id}' and provisioningAction eq 'Create' and provisioningStatusInfo/status eq 'success'"
    query = select(Provisioning.ProvisioningRequestBuilderGetQueryParameters, filter=filters)
    log = await client.audit_logs.provisioning.get(query)
    assert log is not None
    assert sorted(one.source_identity.display_name for one in log.value) == sorted(names)
    assert all(one.service_principal.id == sp.id for one in log.value)
    started = "activityDisplayName eq 'Enable/start provisioning configuration'"
    query = select(Audits.DirectoryAuditsRequestBuilderGetQueryParameters, filter=started)
    audits = await client.audit_logs.directory_audits.get(query)
    assert audits is not None
    assert len(audits.value) == 1

    await job.pause.post()
    scope = SynchronizationJobRestartCriteria(reset_scope=SynchronizationJobRestartScope.Full)
    await job.restart.post(RestartPostRequestBody(criteria=scope))
    await job.schema.delete()
    await job.delete()
    jobs = await synchronization.jobs.get()
    assert jobs is not None
    assert jobs.value == []


async def test_registrations_secrets_and_consent(site: Site) -> None:
    client = site.client
    made = await client.applications.post(Application(display_name="Robot"))
    assert made is not None
    application = client.applications.by_application_id(str(made.id))
    new = AddPasswordPostRequestBody(password_credential=PasswordCredential(display_name="laptop"))
    secret = await application.add_password.post(new)
    assert secret is not None
    assert secret.secret_text
    sp = await client.service_principals.post(ServicePrincipal(app_id=made.app_id))
    assert sp is not None
    graph = await client.service_principals_with_app_id("00000003-0000-0000-c000-000000000000").get()
    assert graph is not None
    role = next(one for one in graph.app_roles if one.value == "Application.Read.All")
    body = AppRoleAssignment(principal_id=sp.id, resource_id=graph.id, app_role_id=role.id)
    given = await client.service_principals.by_service_principal_id(str(sp.id)).app_role_assignments.post(body)
    assert given is not None
    assert given.principal_type == "ServicePrincipal"
    consent = OAuth2PermissionGrant(
        client_id=sp.id, consent_type="AllPrincipals", resource_id=graph.id, scope="User.Read"
    )
    grant = await client.oauth2_permission_grants.post(consent)
    assert grant is not None
    await client.oauth2_permission_grants.by_o_auth2_permission_grant_id(str(grant.id)).delete()
    await application.patch(Application(notes="Ask Ann"))
    after = await application.get()
    assert after is not None
    assert after.notes == "Ask Ann"
    await application.delete()
    with pytest.raises(ODataError) as gone:
        await application.get()
    assert gone.value.response_status_code == 404
