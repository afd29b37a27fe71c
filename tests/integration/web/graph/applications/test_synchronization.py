"""Provisioning configurations over HTTP: templates, credentials, jobs and schemas."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.integration.web.graph.applications.conftest import ACCESS, TOKEN, URL, Lab, pairs

from provisor.security.actor import operator
from provisor.testing.transport import error_reply, json_reply, list_reply

NEVER = "0001-01-01T00:00:00Z"
NOTIFICATION = {"Enabled": True, "Recipients": "o@x.example", "DeleteThresholdEnabled": True, "DeleteThresholdValue": 7}


def secrets(reply: Any) -> dict[str, str]:
    return {one["key"]: one["value"] for one in reply.value}


async def test_an_app_has_the_templates_of_its_gallery_entry(lab: Lab) -> None:
    sp = await lab.app_of("scim")
    base = f"/servicePrincipals/{sp['id']}/synchronization/templates"
    found = (await lab.graph("GET", base)).value
    assert [(one["id"], one["default"]) for one in found] == [("scim", True), ("customappsso", False)]
    one = (await lab.graph("GET", f"{base}/scim")).json
    assert one["applicationId"] == "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
    metadata = {entry["key"]: entry["value"] for entry in one["metadata"]}
    assert metadata["galleryApplicationKey"] == "scim"
    assert json.loads(metadata["configurationFields"])[1] == {"name": "secrettoken", "secret": True}
    schema = (await lab.graph("GET", f"{base}/customappsso/schema")).json
    assert schema["synchronizationRules"][0]["targetDirectoryName"] == "customappsso"
    by_application = await lab.graph("GET", f"/applications(appId='{sp['appId']}')/synchronization/templates")
    assert len(by_application.value) == 2
    assert (await lab.graph("GET", f"{base}/dialpad")).status == 404


async def test_a_new_job_is_as_the_documentation_prints_it(lab: Lab) -> None:
    sp = await lab.app_of("dialpad")
    base = f"/servicePrincipals/{sp['id']}/synchronization/jobs"
    assert (await lab.graph("GET", base)).value == []
    made = await lab.graph("POST", base, {"templateId": "dialpad"})
    assert made.status == 201
    job = made.json
    assert job["id"] == f"dialpad.{lab.tenant.id.replace('-', '')}.{sp['appId']}"
    assert job["@odata.context"].endswith(f"#servicePrincipals('{sp['id']}')/synchronization/jobs/$entity")
    assert job["schedule"] == {"expiration": None, "interval": "PT40M", "state": "Disabled"}
    status = job["status"]
    assert (status["code"], status["lastExecution"], status["quarantine"]) == ("NotConfigured", None, None)
    assert (status["steadyStateFirstAchievedTime"], status["steadyStateLastAchievedTime"]) == (NEVER, NEVER)
    assert (status["progress"], status["synchronizedEntryCountByType"]) == ([], [])
    again = await lab.graph("POST", base, {"templateId": "dialpad"})
    assert (again.status, job["id"] in again.error["message"]) == (409, True)
    wrong = await lab.graph("POST", base, {"templateId": "slack"})
    assert (wrong.status, "slack" in wrong.error["message"]) == (400, True)
    assert [one["id"] for one in (await lab.graph("GET", base)).value] == [job["id"]]
    assert (await lab.graph("GET", f"{base}/$count")).body == b"1"
    # The template's own address is there without anybody entering it.
    stored = secrets(await lab.graph("GET", f"/servicePrincipals/{sp['id']}/synchronization/secrets"))
    assert stored["BaseAddress"] == "https://dialpad.com/scim"
    other = await lab.app_of("dialpad", "Other")
    assert (await lab.graph("GET", f"/servicePrincipals/{other['id']}/synchronization/jobs/{job['id']}")).status == 404


async def test_an_older_template_name_stays_what_the_client_said(lab: Lab) -> None:
    sp = await lab.app_of("scim")
    made = await lab.graph(
        "POST", f"/servicePrincipals/{sp['id']}/synchronization/jobs", {"templateId": "customappsso"}
    )
    assert made.json["templateId"] == "customappsso"
    assert made.json["id"].startswith("customappsso.")


@pytest.mark.parametrize("when", ["before the job", "after the job"])
async def test_credentials_are_write_only_and_a_mask_keeps_them(lab: Lab, when: str) -> None:
    sp = await lab.app_of("scim")
    base = f"/servicePrincipals/{sp['id']}/synchronization"
    if when == "after the job":
        assert (await lab.graph("POST", f"{base}/jobs", {"templateId": "scim"})).status == 201
    settings = {
        "SyncAll": "true",
        "SyncNotificationSettings": json.dumps(NOTIFICATION),
        "skipoutofscopedeletions": "True",
    }
    assert (await lab.graph("PUT", f"{base}/secrets", {"value": pairs({**ACCESS, **settings})})).status == 204
    if when == "before the job":
        assert (await lab.graph("POST", f"{base}/jobs", {"templateId": "customappsso"})).status == 201
    shown = secrets(await lab.graph("GET", f"{base}/secrets"))
    assert (shown["BaseAddress"], shown["SecretToken"], shown["SyncAll"]) == (URL, "*", "true")
    assert (json.loads(shown["SyncNotificationSettings"]), shown["SkipOutOfScopeDeletions"]) == (NOTIFICATION, "True")
    [job] = (await lab.graph("GET", f"{base}/jobs")).value
    me = operator()
    found = await lab.services.applications.job(me, job["id"])
    assert found.settings.sync_all
    assert found.settings.notification.delete_threshold_value == 7
    # What was read is put back as it is.
    assert (await lab.graph("PUT", f"{base}/secrets", {"value": pairs(shown)})).status == 204
    assert (await lab.services.applications.credentials(me, job["id"])).secret_token == TOKEN
    assert (await lab.graph("PATCH", f"{base}/secrets", {"value": pairs({"SyncAll": "false"})})).status == 204
    assert (await lab.services.applications.credentials(me, job["id"])).secret_token == TOKEN
    assert not (await lab.services.applications.job(me, job["id"])).settings.sync_all
    # A token goes to the server that it was entered for, and to no other.
    moved = pairs({"BaseAddress": "https://elsewhere.test/scim", "SecretToken": "*"})
    refused = await lab.graph("PUT", f"{base}/secrets", {"value": moved})
    assert (refused.status, "another server" in refused.error["message"]) == (400, True)
    # Replacing forgets what is not named; an empty value does as well.
    assert (await lab.graph("PUT", f"{base}/secrets", {"value": pairs({"BaseAddress": URL})})).status == 204
    assert "SecretToken" not in secrets(await lab.graph("GET", f"{base}/secrets"))
    masked = await lab.graph("PUT", f"{base}/secrets", {"value": pairs({"BaseAddress": URL, "SecretToken": "*"})})
    assert (masked.status, "SecretToken" in masked.error["message"]) == (400, True)
    assert (await lab.graph("PATCH", f"{base}/secrets", {"value": pairs({"BaseAddress": ""})})).status == 204
    assert "BaseAddress" not in secrets(await lab.graph("GET", f"{base}/secrets"))


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (pairs({"BaseAdress": URL}), "did you mean BaseAddress"),
        (pairs({"BaseAddress": "ftp://x"}), "Tenant URL"),
        (pairs({"SecretToken": "a b"}), "Secret Token"),
        (pairs({"SyncAll": "maybe"}), "SyncAll"),
        (pairs({"SyncNotificationSettings": "{"}), "SyncNotificationSettings"),
        ([*pairs(ACCESS), *pairs(ACCESS)], "twice"),
        ("BaseAddress", "value"),
        ([{"key": "BaseAddress", "colour": "red"}], "colour"),
    ],
)
async def test_a_credential_that_cannot_be_used_is_named_and_nothing_is_stored(
    lab: Lab, value: Any, named: str
) -> None:
    sp = await lab.app_of("scim")
    base = f"/servicePrincipals/{sp['id']}/synchronization"
    refused = await lab.graph("PUT", f"{base}/secrets", {"value": value})
    assert refused.status == 400
    assert named in refused.error["message"]
    assert "BaseAddress" not in secrets(await lab.graph("GET", f"{base}/secrets"))


async def test_credentials_are_tried_before_a_job_exists_and_with_one(lab: Lab) -> None:
    sp = await lab.app_of("scim")
    base = f"/servicePrincipals/{sp['id']}/synchronization"
    path = f"{base}/jobs/validateCredentials"
    good: dict[str, Any] = {"templateId": "scim", "useSavedCredentials": False, "credentials": pairs(ACCESS)}
    assert (await lab.graph("POST", path, good)).status == 204
    missing = await lab.graph("POST", path, {**good, "credentials": pairs({"SecretToken": TOKEN})})
    assert (missing.status, missing.error["code"]) == (400, "RequestMissingRequiredParameter")
    assert "BaseAddress" in missing.error["message"]
    wrong = {**good, "credentials": pairs({**ACCESS, "SecretToken": "wrong"})}
    refused = await lab.graph("POST", path, wrong)
    assert (refused.status, refused.error["code"]) == (400, "CredentialValidationUnavailable")
    assert refused.error["details"][0]["message"] == "unauthorized"
    job = await lab.job_of(sp, "scim")
    assert (await lab.graph("POST", f"{job}/validateCredentials", {"useSavedCredentials": True})).status == 204
    masked = pairs({"BaseAddress": URL, "SecretToken": "*"})
    assert (await lab.graph("POST", f"{job}/validateCredentials", {"credentials": masked})).status == 204
    refused = await lab.graph("POST", f"{job}/validateCredentials", {"credentials": wrong["credentials"]})
    code = "SystemForCrossDomainIdentityManagementCredentialValidationFailure"
    assert (refused.status, refused.error["code"]) == (400, code)


async def test_a_job_is_started_paused_restarted_changed_and_deleted(lab: Lab) -> None:
    sp = await lab.app_of("scim")
    job = await lab.job_of(sp, "scim")

    async def state() -> tuple[str, str]:
        shown = (await lab.graph("GET", job)).json
        return shown["status"]["code"], shown["schedule"]["state"]

    for _ in range(2):
        started = await lab.graph("POST", f"{job}/start")
        assert (started.status, started.body) == (204, b"")
    assert await state() == ("NotRun", "Active")
    await lab.cycle(job)
    assert await state() == ("Active", "Active")
    shown = (await lab.graph("GET", job)).json["status"]
    assert shown["lastExecution"]["state"] == "Succeeded"
    assert shown["steadyStateFirstAchievedTime"] != NEVER
    assert (await lab.graph("POST", f"{job}/pause")).status == 204
    assert await state() == ("Paused", "Paused")
    scopes = ({}, {"resetScope": "full"}, {"resetScope": "None"}, {"resetScope": "Watermark, Escrows"})
    for body in (None, {}, *({"criteria": criteria} for criteria in scopes)):
        assert (await lab.graph("POST", f"{job}/restart", body)).status == 204
    wrong = await lab.graph("POST", f"{job}/restart", {"criteria": {"resetScope": "Half"}})
    assert (wrong.status, "Half" in wrong.error["message"]) == (400, True)
    settings = [{"name": "QuarantineTooManyDeletesThreshold", "value": "12"}]
    changes = {"schedule": {"interval": "PT20M"}, "synchronizationJobSettings": settings}
    changed = await lab.graph("PATCH", job, changes)
    assert changed.status == 200
    assert (changed.json["schedule"]["interval"], changed.json["synchronizationJobSettings"]) == ("PT20M", settings)
    unknown = await lab.graph("PATCH", job, {"synchronizationJobSettings": [{"name": "Colour", "value": "red"}]})
    assert (unknown.status, "Colour" in unknown.error["message"]) == (400, True)
    upload = await lab.graph("POST", f"{job}/bulkUpload", {"schemas": []})
    assert (upload.status, "inbound" in upload.error["message"]) == (400, True)
    assert (await lab.graph("DELETE", job)).status == 204
    assert (await lab.graph("GET", job)).status == 404
    assert (await lab.graph("GET", f"/servicePrincipals/{sp['id']}")).status == 200


async def test_a_schema_goes_round_and_a_fault_in_it_is_named(lab: Lab) -> None:
    sp = await lab.app_of("scim")
    job = await lab.job_of(sp, "scim")
    first = (await lab.graph("GET", f"{job}/schema?$expand=directories")).json
    assert [one["name"] for one in first["directories"]] == ["Microsoft Entra ID", "scim"]
    mapping = first["synchronizationRules"][0]["objectMappings"][0]
    for row in mapping["attributeMappings"]:
        assert all(isinstance(row["source"][name], str) for name in ("name", "expression", "type"))
    row = next(row for row in mapping["attributeMappings"] if row["targetAttributeName"] == "title")
    row["source"] = {"expression": "[department]", "name": None, "type": "attribute", "parameters": []}
    row["flowType"] = "objectAddOnly"
    mapping["flowTypes"] = "add,update"
    assert (await lab.graph("PUT", f"{job}/schema", first)).status == 204
    second = (await lab.graph("GET", f"{job}/schema")).json
    after = second["synchronizationRules"][0]["objectMappings"][0]
    row = next(row for row in after["attributeMappings"] if row["targetAttributeName"] == "title")
    assert (row["flowType"], after["flowTypes"]) == ("ObjectAddOnly", "Add, Update")
    assert (row["source"]["name"], row["source"]["type"]) == ("department", "Attribute")
    assert second["version"] != first["version"]
    rules = {"synchronizationRules": second["synchronizationRules"]}
    assert (await lab.graph("PATCH", f"{job}/schema", rules)).status == 204
    row["targetAttributeName"] = "titel"
    refused = await lab.graph("PUT", f"{job}/schema", second)
    assert (refused.status, refused.error["code"]) == (400, "InvalidSchema")
    assert any("titel" in one["target"] and "did you mean" in one["message"] for one in refused.error["details"])
    assert (await lab.graph("DELETE", f"{job}/schema")).status == 204
    third = (await lab.graph("GET", f"{job}/schema")).json["synchronizationRules"][0]["objectMappings"][0]
    assert third["flowTypes"] == "Add, Update, Delete"
    [_, target] = (await lab.graph("GET", f"{job}/schema/directories")).value
    assert (await lab.graph("GET", f"{job}/schema/directories/{target['id']}")).json["name"] == "scim"


async def test_expressions_are_tried_and_the_language_is_listed(lab: Lab) -> None:
    job = await lab.job_of(await lab.app_of("scim"), "scim")
    text = 'Replace([preferredLanguage], "-", , , "_", , )'
    given = [{"key": "preferredLanguage", "value": "EN-US"}]
    body = {"expression": text, "targetAttributeDefinition": None, "testInputObject": {"properties": given}}
    tried = (await lab.graph("POST", f"{job}/schema/parseExpression", body)).json
    assert (tried["parsingSucceeded"], tried["evaluationSucceeded"], tried["error"]) == (True, True, None)
    assert tried["evaluationResult"] == ["EN_US"]
    parsed = tried["parsedExpression"]
    assert (parsed["name"], parsed["type"]) == ("Replace", "Function")
    assert [one["key"] for one in parsed["parameters"]] == ["source", "Find", "Replacement"]
    several = [{"key": "otherMails", "value@odata.type": "#Collection(String)", "value": ["a@x", "b@x"]}]
    joined = {"expression": 'Join(";", [otherMails])', "testInputObject": {"properties": several}}
    assert (await lab.graph("POST", f"{job}/schema/parseExpression", joined)).json["evaluationResult"] == ["a@x;b@x"]
    unread = await lab.graph("POST", f"{job}/schema/parseExpression", {"expression": "Jion([a])"})
    assert (unread.status, unread.json["parsingSucceeded"], unread.json["parsedExpression"]) == (200, False, None)
    assert "Join" in unread.json["error"]["message"]
    only = (await lab.graph("POST", f"{job}/schema/parseExpression", {"expression": "[mail]"})).json
    assert (only["parsingSucceeded"], only["evaluationSucceeded"], only["evaluationResult"]) == (True, False, [])
    wrong = {"properties": [{"key": "d", "value": "x"}]}
    date = {"expression": 'FormatDateTime([d], , "yyyy", "MM")', "testInputObject": wrong}
    failed = (await lab.graph("POST", f"{job}/schema/parseExpression", date)).json
    assert (failed["parsingSucceeded"], failed["evaluationSucceeded"]) == (True, False)
    for name in ("filterOperators", "filterOperators()"):
        operators = {one["name"]: one for one in (await lab.graph("GET", f"{job}/schema/{name}")).value}
        assert operators["EQUALS"]["arity"] == "Binary"
        assert operators["IS NULL"]["id"] == "IS NULL"
    for name in ("functions", "functions()"):
        functions = {one["name"]: one for one in (await lab.graph("GET", f"{job}/schema/{name}")).value}
        assert functions["DefaultDomain"]["parameters"] == []
        assert [one["name"] for one in functions["Append"]["parameters"]] == ["source", "suffix"]


async def test_the_targets_own_attributes_are_discovered_and_only_added(lab: Lab) -> None:
    job = await lab.job_of(await lab.app_of("scim"), "scim")
    user = {
        "id": "urn:ietf:params:scim:schemas:core:2.0:User",
        "attributes": [
            {"name": "userName", "type": "string", "caseExact": True},
            {"name": "badge", "type": "integer", "mutability": "readOnly"},
            {"name": "password", "type": "string"},
            {
                "name": "ims",
                "type": "complex",
                "multiValued": True,
                "subAttributes": [
                    {"name": "value", "type": "string"},
                    {"name": "type", "type": "string", "canonicalValues": ["xmpp"]},
                ],
            },
        ],
    }
    extra = {"id": "urn:example:2.0:User", "attributes": [{"name": "shoeSize", "type": "decimal"}]}
    lab.target.others[f"{URL}/Schemas"] = lambda _: list_reply(user, extra)
    source, target = (await lab.graph("GET", f"{job}/schema/directories")).value
    found = await lab.graph("POST", f"{job}/schema/directories/{target['id']}/discover")
    assert found.status == 200
    before = {one["name"]: one for one in target["objects"][0]["attributes"]}
    after = {one["name"]: one for one in found.json["objects"][0]["attributes"]}
    new = set(after) - set(before)
    assert new == {"badge", 'ims[type eq "xmpp"].value', "urn:example:2.0:User:shoeSize"}
    assert {name: after[name] for name in before} == before
    assert (after["badge"]["type"], after["badge"]["mutability"]) == ("Integer", "ReadOnly")
    assert found.json["discoveryDateTime"] is not None
    version = (await lab.graph("GET", f"{job}/schema")).json["version"]
    assert (await lab.graph("POST", f"{job}/schema/directories/{target['id']}/discover")).status == 200
    assert (await lab.graph("GET", f"{job}/schema")).json["version"] == version
    assert (await lab.graph("POST", f"{job}/schema/directories/{source['id']}/discover")).status == 409
    lab.target.others[f"{URL}/Schemas"] = lambda _: error_reply(500, "broken")
    broken = await lab.graph("POST", f"{job}/schema/directories/{target['id']}/discover")
    assert broken.status == 400


async def test_microsofts_onboarding_flow_sets_connectivity_and_client_credentials_work(lab: Lab) -> None:
    sp = await lab.app_of("scim")
    path = f"/beta/servicePrincipals/{sp['id']}/synchronization/connectivityParameters"
    static = {"authenticationType": "AuthenticationToken", "baseAddress": URL, "secretToken": TOKEN}
    assert (await lab.graph("PATCH", path, static)).status == 204
    shown = {one["key"]: one["value"] for one in (await lab.graph("GET", path)).value}
    assert (shown["baseAddress"], shown["secretToken"]) == (URL, "*")
    assert (await lab.graph("GET", path.replace("/beta", "/v1.0"))).status == 400
    mixed = await lab.graph("PATCH", path, {**static, "oauth2ClientId": "me"})
    assert (mixed.status, "oauth2ClientId" in mixed.error["message"]) == (400, True)
    missing = await lab.graph("PATCH", path, {"authenticationType": "AuthenticationToken", "baseAddress": URL})
    assert (missing.status, missing.error["code"]) == (400, "RequestMissingRequiredParameter")
    asked: list[str] = []

    def authority(request: Any) -> Any:
        asked.append(request.headers["Authorization"])
        return json_reply({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 600})

    lab.target.others["https://login.test/token"] = authority
    oauth = {
        "authenticationType": "oauth2ClientCredentialsGrant",
        "baseAddress": URL,
        "oauth2ClientId": "me",
        "oauth2ClientSecret": "hush",
        "oauth2TokenExchangeUri": "https://login.test/token",
        "credentialLocationInRequest": "Header",
    }
    assert (await lab.graph("PATCH", path, oauth)).status == 204
    shown = {one["key"]: one["value"] for one in (await lab.graph("GET", path)).value}
    assert "secretToken" not in shown
    assert (shown["oauth2ClientId"], shown["oauth2ClientSecret"]) == ("me", "*")
    base = f"/servicePrincipals/{sp['id']}/synchronization"
    job = f"{base}/jobs/{(await lab.graph('POST', f'{base}/jobs', {'templateId': 'scim'})).json['id']}"
    assert (await lab.graph("POST", f"{job}/validateCredentials", {"useSavedCredentials": True})).status == 204
    assert asked == ["Basic bWU6aHVzaA=="]
    assert (await lab.graph("POST", f"{job}/start")).status == 204
    await lab.cycle(job)
    assert lab.target.requests[-1].path.startswith(("/Users", "/Groups"))
    lab.target.others["https://login.test/token"] = lambda _: json_reply({"error": "invalid_client"}, 401)
    refused = await lab.graph("POST", f"{job}/validateCredentials", {"useSavedCredentials": True})
    assert refused.status == 400
    assert "hush" not in refused.body.decode()


async def test_an_access_token_is_acquired_before_its_credentials_are_stored(lab: Lab) -> None:
    sp = await lab.app_of("scim")
    base = f"/servicePrincipals/{sp['id']}/synchronization"
    given = {
        "BaseAddress": URL,
        "Oauth2TokenExchangeUri": "https://login.test/token",
        "Oauth2ClientId": "me",
        "Oauth2ClientSecret": "hush",
    }
    lab.target.others["https://login.test/token"] = lambda _: json_reply({"error": "invalid_client"}, 401)
    refused = await lab.graph("POST", f"{base}/acquireAccessToken", {"credentials": pairs(given)})
    assert refused.status == 400
    assert "Oauth2ClientId" not in secrets(await lab.graph("GET", f"{base}/secrets"))
    lab.target.others["https://login.test/token"] = lambda _: json_reply({"access_token": TOKEN})
    assert (await lab.graph("POST", f"{base}/acquireAccessToken", {"credentials": pairs(given)})).status == 204
    stored = secrets(await lab.graph("GET", f"{base}/secrets"))
    assert (stored["AuthenticationType"], stored["Oauth2ClientSecret"]) == ("OAuth2ClientCredentialsGrant", "*")
    code = pairs({"Oauth2AuthorizationCode": "x"})
    taken = await lab.graph("POST", f"{base}/acquireAccessToken", {"credentials": code})
    assert (taken.status, "authorization codes" in taken.error["message"]) == (400, True)


async def test_options_select_filter_and_expand_and_others_are_errors(lab: Lab) -> None:
    sp = await lab.app_of("scim")
    job = await lab.job_of(sp, "scim")
    base, job_id = job.rpartition("/")[0], job.rpartition("/")[2]
    [one] = (await lab.graph("GET", f"{base}?$filter=templateId eq 'scim'&$select=id")).value
    assert one == {"id": job_id}
    assert (await lab.graph("GET", f"{base}?$filter=templateId eq 'dialpad'")).value == []
    assert (await lab.graph("GET", f"{base}?$filter=status/code eq 'NotConfigured'")).value != []
    expanded = (await lab.graph("GET", f"{job}?$expand=schema")).json
    assert expanded["schema"]["id"] == job_id
    assert "schema" not in (await lab.graph("GET", job)).json
    narrow = (await lab.graph("GET", f"{job}/schema?$select=version")).json
    assert set(narrow) == {"@odata.context", "version"}
    templates = (await lab.graph("GET", f"{base.rpartition('/')[0]}/templates?$select=id")).value
    assert templates == [{"id": "scim"}, {"id": "customappsso"}]
    for path in (f"{base}?$select=colour", f"{job}?$top=1", f"{job}/schema?$expand=colours", f"{base}?colour=red"):
        refused = await lab.graph("GET", path)
        assert refused.status == 400, path
    assert (await lab.graph("GET", "/auditLogs/provisioning?$count=true")).status == 400


async def test_credentials_that_cannot_be_opened_any_more_are_entered_again(lab: Lab) -> None:
    sp = await lab.app_of("scim")
    job = await lab.job_of(sp, "scim")
    path = f"/servicePrincipals/{sp['id']}/synchronization/secrets"
    database = lab.services.database
    await database.write(lambda tx: tx.execute("UPDATE job_secret SET sealed = :broken", {"broken": b"\x01broken"}))
    kept = await lab.graph("PUT", path, {"value": pairs({"BaseAddress": URL, "SecretToken": "*"})})
    assert (kept.status, "damaged" in kept.error["message"]) == (503, True)
    assert (await lab.graph("PUT", path, {"value": pairs(ACCESS)})).status == 204
    assert (await lab.graph("POST", f"{job}/validateCredentials", {"useSavedCredentials": True})).status == 204
