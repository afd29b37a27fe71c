"""The gallery, applications and service principals over HTTP."""

from __future__ import annotations

from tests.integration.web.graph.applications.conftest import Lab

from provisor.security.actor import operator
from provisor.security.permissions import GRAPH_APP_ID

ANY_APP = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"


async def test_the_gallery_is_found_by_name_and_by_both_kinds_of_id(lab: Lab) -> None:
    found = await lab.graph("GET", "/applicationTemplates?$filter=displayName eq 'Dialpad'&$select=id,displayName")
    assert found.status == 200
    [dialpad] = found.value
    assert set(dialpad) == {"id", "displayName"}
    for ref in (dialpad["id"], "dialpad"):
        one = await lab.graph("GET", f"/applicationTemplates/{ref}")
        assert (one.json["displayName"], one.json["supportedProvisioningTypes"]) == ("Dialpad", ["sync"])
    assert (await lab.graph("GET", f"/applicationTemplates/{ANY_APP}")).json["displayName"] == "SCIM app"
    assert (await lab.graph("GET", "/applicationTemplates/nothing")).status == 404
    refused = await lab.graph("GET", "/applicationTemplates?$filter=colour eq 'red'")
    assert (refused.status, "colour" in refused.error["message"]) == (400, True)
    assert int((await lab.graph("GET", "/applicationTemplates/$count")).body) >= 2


async def test_an_app_is_instantiated_and_can_be_read_at_once(lab: Lab) -> None:
    made = await lab.graph("POST", f"/applicationTemplates/{ANY_APP}/instantiate", {"displayName": "Wiki"})
    assert made.status == 201
    assert made.json["@odata.context"].endswith("#microsoft.graph.applicationServicePrincipal")
    sp, application = made.json["servicePrincipal"], made.json["application"]
    assert sp["appId"] == application["appId"]
    assert sp["applicationTemplateId"] == application["applicationTemplateId"] == ANY_APP
    assert sp["appRoleAssignmentRequired"] is True
    assert sp["appOwnerOrganizationId"] == lab.tenant.id
    assert sp["tags"] == ["WindowsAzureActiveDirectoryIntegratedApp"]
    [role] = sp["appRoles"]
    assert (role["displayName"], role["allowedMemberTypes"], role["isEnabled"]) == ("User", ["User"], True)
    for path in (
        f"/servicePrincipals/{sp['id']}",
        f"/servicePrincipals(appId='{sp['appId']}')",
        f"/servicePrincipals('{sp['id']}')",
        f"/servicePrincipals/{sp['id'].upper()}",
    ):
        assert (await lab.graph("GET", path)).json["id"] == sp["id"], path
    for path in (f"/applications/{application['id']}", f"/applications(appId='{sp['appId']}')"):
        assert (await lab.graph("GET", path)).json["id"] == application["id"], path
    # An app id is no object id.
    assert (await lab.graph("GET", f"/servicePrincipals/{sp['appId']}")).status == 404
    unknown = await lab.graph("POST", f"/applicationTemplates/{ANY_APP}/instantiate", {"displayNme": "Wiki"})
    assert (unknown.status, "displayNme" in unknown.error["message"]) == (400, True)


async def test_applications_are_made_changed_listed_and_deleted(lab: Lab) -> None:
    ada = await lab.user("ada")
    body = {
        "displayName": "Wiki",
        "@odata.type": "#microsoft.graph.application",
        "web": {"redirectUris": ["https://wiki.example/cb"], "implicitGrantSettings": {"enableIdTokenIssuance": True}},
        "owners@odata.bind": [f"https://graph.microsoft.com/v1.0/directoryObjects/{ada}"],
    }
    made = await lab.graph("POST", "/applications", body)
    assert made.status == 201
    path = f"/applications/{made.json['id']}"
    assert made.headers["location"].endswith(path)
    assert [one["id"] for one in (await lab.graph("GET", f"{path}/owners")).value] == [ada]
    changed = await lab.graph("PATCH", path, {"web": {"homePageUrl": "https://wiki.example"}, "tags": ["a"]})
    assert (changed.status, changed.body) == (204, b"")
    web = (await lab.graph("GET", path)).json["web"]
    assert (web["homePageUrl"], web["redirectUris"]) == ("https://wiki.example", ["https://wiki.example/cb"])
    shown = await lab.graph("PATCH", path, {"notes": "x"}, headers={"Prefer": "return=representation"})
    assert (shown.status, shown.json["notes"]) == (200, "x")
    unknown = await lab.graph("PATCH", path, {"colour": "red"})
    assert (unknown.status, "colour" in unknown.error["message"]) == (400, True)
    sp = await lab.graph("POST", "/servicePrincipals", {"appId": made.json["appId"], "tags": ["b"]})
    assert (sp.status, sp.json["tags"], sp.json["replyUrls"]) == (201, ["b"], ["https://wiki.example/cb"])
    again = await lab.graph("POST", "/servicePrincipals", {"appId": made.json["appId"]})
    assert (again.status, again.error["code"]) == (409, "Request_MultipleObjectsWithSameKeyValue")
    nowhere = await lab.graph("POST", "/servicePrincipals", {"appId": "11111111-1111-4111-8111-111111111111"})
    assert (nowhere.status, "valid application object" in nowhere.error["message"]) == (400, True)
    query = "$filter=startswith(displayName,'wi')&$select=id,displayName&$count=true"
    listed = await lab.graph("GET", f"/applications?{query}")
    assert (listed.json["@odata.count"], [one["displayName"] for one in listed.value]) == (1, ["Wiki"])
    assert (await lab.graph("DELETE", path)).status == 204
    assert (await lab.graph("GET", path)).status == 404
    assert (await lab.graph("GET", f"/servicePrincipals/{sp.json['id']}")).status == 404


async def test_service_principals_are_found_as_the_documentation_does(lab: Lab) -> None:
    sp = await lab.app_of("scim", "Salesforce Test")
    query = "$select=id,appId,displayName&$filter=startswith(displayName,'salesforce')"
    [found] = (await lab.graph("GET", f"/servicePrincipals?{query}")).value
    assert found == {"id": sp["id"], "appId": sp["appId"], "displayName": "Salesforce Test"}
    [graph] = (await lab.graph("GET", f"/servicePrincipals?$filter=appId eq '{GRAPH_APP_ID}'")).value
    assert graph["displayName"] == "Microsoft Graph"
    tag = "tags/any(t:t eq 'WindowsAzureActiveDirectoryIntegratedApp')"
    assert [one["id"] for one in (await lab.graph("GET", f"/servicePrincipals?$filter={tag}")).value] == [sp["id"]]
    addresses = {"notificationEmailAddresses": ["ops@lindenhof.example"], "appRoleAssignmentRequired": False}
    assert (await lab.graph("PATCH", f"/servicePrincipals/{sp['id']}", addresses)).status == 204
    after = (await lab.graph("GET", f"/servicePrincipals/{sp['id']}")).json
    assert {name: after[name] for name in addresses} == addresses
    first = await lab.graph("GET", "/servicePrincipals?$top=1")
    second = await lab.graph("GET", first.json["@odata.nextLink"])
    assert len({one["id"] for one in (*first.value, *second.value)}) == 2
    assert "@odata.nextLink" not in second.json


async def test_app_roles_are_added_and_go_only_when_they_are_disabled(lab: Lab) -> None:
    sp = await lab.app_of("scim", "Wiki")
    path = f"/servicePrincipals/{sp['id']}"
    role = {
        "id": "11111111-1111-4111-8111-111111111111",
        "displayName": "Editor",
        "description": "Writes",
        "value": "editor",
        "isEnabled": True,
        "allowedMemberTypes": ["User"],
    }
    assert (await lab.graph("PATCH", path, {"appRoles": [*sp["appRoles"], role]})).status == 204
    names = {one["displayName"] for one in (await lab.graph("GET", path)).json["appRoles"]}
    assert names == {"User", "Editor"}
    refused = await lab.graph("PATCH", path, {"appRoles": sp["appRoles"]})
    assert (refused.status, refused.error["code"]) == (400, "CannotDeleteOrUpdateEnabledEntitlement")
    off = [*sp["appRoles"], {**role, "isEnabled": False}]
    assert (await lab.graph("PATCH", path, {"appRoles": off})).status == 204
    assert (await lab.graph("PATCH", path, {"appRoles": sp["appRoles"]})).status == 204


async def test_a_client_secret_is_shown_once_and_is_checked_by_the_authority(lab: Lab) -> None:
    sp = await lab.app_of("scim", "Robot")
    for path in (f"/servicePrincipals/{sp['id']}", f"/applications(appId='{sp['appId']}')"):
        made = await lab.graph("POST", f"{path}/addPassword", {"passwordCredential": {"displayName": "laptop"}})
        assert made.status == 200
        text, key = made.json["secretText"], made.json["keyId"]
        me, tenant = operator(), lab.tenant.id
        assert await lab.services.passwords.verify(me, tenant, sp["appId"], text) == key
        [listed] = (await lab.graph("GET", path)).json["passwordCredentials"]
        assert (listed["keyId"], listed["secretText"], listed["hint"]) == (key, None, text[:3])
        assert (await lab.graph("POST", f"{path}/removePassword", {"keyId": key})).status == 204
        assert await lab.services.passwords.verify(me, tenant, sp["appId"], text) is None
        assert (await lab.graph("POST", f"{path}/removePassword", {"keyId": key})).status == 404
    bad = await lab.graph("POST", f"{path}/addPassword", {"passwordCredential": {"endDateTime": "tomorrow"}})
    assert (bad.status, "endDateTime" in bad.error["message"]) == (400, True)
    assert (await lab.graph("POST", f"{path}/addPassword")).status == 200


async def test_roles_are_assigned_from_either_side_and_ids_are_opaque(lab: Lab) -> None:
    sp, ada = await lab.app_of("scim", "Wiki"), await lab.user("ada")
    team, role = await lab.group("team", ada), sp["appRoles"][0]["id"]
    to, of = f"/servicePrincipals/{sp['id']}/appRoleAssignedTo", f"/users/{ada}/appRoleAssignments"
    body = {"principalId": ada, "resourceId": sp["id"], "appRoleId": role}
    made = await lab.graph("POST", to, body)
    assert made.status == 201
    assert (made.json["principalType"], made.json["principalDisplayName"]) == ("User", "Ada")
    assert (made.json["resourceDisplayName"], "-" not in made.json["id"][8:9]) == ("Wiki", True)
    again = await lab.graph("POST", of, body)
    assert (again.status, again.error["code"]) == (400, "Request_BadRequest")
    assert "Permission being assigned already exists on the object" in again.error["message"]
    default = await lab.graph("POST", to, {**body, "appRoleId": "00000000-0000-0000-0000-000000000000"})
    assert (default.status, "was not found on application" in default.error["message"]) == (400, True)
    crossed = await lab.graph("POST", of, {**body, "principalId": team})
    assert (crossed.status, "principalId" in crossed.error["message"]) == (400, True)
    grouped = await lab.graph("POST", f"/groups/{team}/appRoleAssignments", {**body, "principalId": team})
    assert (grouped.status, grouped.json["principalType"]) == (201, "Group")
    [seen] = (await lab.graph("GET", of)).value
    assert seen == {name: made.json[name] for name in seen}
    by_name = f"/users/ada@lindenhof.example/appRoleAssignments/{made.json['id']}"
    assert (await lab.graph("GET", by_name)).json["id"] == made.json["id"]
    first = await lab.graph("GET", f"{to}?$top=1&$count=true")
    assert (len(first.value), first.json["@odata.count"]) == (1, 2)
    second = await lab.graph("GET", first.json["@odata.nextLink"])
    assert [one["principalId"] for one in second.value] == [team]
    filtered = await lab.graph("GET", f"{to}?$filter=principalType eq 'group'")
    assert [one["principalId"] for one in filtered.value] == [team]
    assert (await lab.graph("DELETE", f"/groups/{team}/appRoleAssignments/{made.json['id']}")).status == 404
    assert (await lab.graph("DELETE", f"{to}/{made.json['id']}")).status == 204
    assert (await lab.graph("GET", of)).value == []
    assert (await lab.graph("DELETE", f"{to}/{made.json['id']}")).status == 404


async def test_an_app_is_given_a_permission_and_consent_is_a_row(lab: Lab) -> None:
    robot = await lab.app_of("scim", "Robot")
    graph = (await lab.graph("GET", f"/servicePrincipals(appId='{GRAPH_APP_ID}')")).json
    role = next(one["id"] for one in graph["appRoles"] if one["value"] == "Application.Read.All")
    body = {"principalId": robot["id"], "resourceId": graph["id"], "appRoleId": role}
    made = await lab.graph("POST", f"/servicePrincipals/{robot['id']}/appRoleAssignments", body)
    assert (made.status, made.json["resourceDisplayName"]) == (201, "Microsoft Graph")
    service = lab.services.role_assignments
    assert await service.permissions(operator(), lab.tenant.id, robot["id"], graph["id"]) == {"Application.Read.All"}
    grant = {"clientId": robot["id"], "consentType": "AllPrincipals", "resourceId": graph["id"], "scope": "User.Read"}
    given = await lab.graph("POST", "/oauth2PermissionGrants", grant)
    assert (given.status, given.json["principalId"], given.json["scope"]) == (201, None, "User.Read")
    assert (await lab.graph("POST", "/oauth2PermissionGrants", grant)).status == 409
    path = f"/oauth2PermissionGrants/{given.json['id']}"
    assert (await lab.graph("PATCH", path, {"scope": "User.Read Group.Read.All"})).status == 204
    [listed] = (await lab.graph("GET", f"/servicePrincipals/{robot['id']}/oauth2PermissionGrants")).value
    assert listed["scope"] == "User.Read Group.Read.All"
    [found] = (await lab.graph("GET", f"/oauth2PermissionGrants?$filter=clientId eq '{robot['id']}'")).value
    assert found == listed
    wrong = await lab.graph("POST", "/oauth2PermissionGrants", {**grant, "consentType": "Everybody"})
    assert (wrong.status, "consentType" in wrong.error["message"]) == (400, True)
    assert (await lab.graph("DELETE", path)).status == 204
    assert (await lab.graph("GET", path)).status == 404


async def test_owners_manage_what_they_own_and_nothing_else(lab: Lab) -> None:
    ada = await lab.user("ada")
    own, other = await lab.app_of("scim", "Own"), await lab.app_of("scim", "Other")
    reference = {"@odata.id": f"https://graph.example/v1.0/users/{ada}"}
    assert (await lab.graph("POST", f"/servicePrincipals/{own['id']}/owners/$ref", reference)).status == 204
    assert (await lab.graph("POST", f"/servicePrincipals/{own['id']}/owners/$ref", reference)).status == 400
    graph = lab.person(ada)
    assert [one["id"] for one in (await graph("GET", "/servicePrincipals")).value] == [own["id"]]
    assert (await graph("PATCH", f"/servicePrincipals/{own['id']}", {"notes": "mine"})).status == 204
    assert (await graph("PATCH", f"/servicePrincipals/{other['id']}", {"notes": "mine"})).status == 403
    assert (await graph("GET", f"/servicePrincipals/{other['id']}")).status == 403
    base = f"/servicePrincipals/{own['id']}/synchronization"
    assert (await graph("POST", f"{base}/jobs", {"templateId": "scim"})).status == 201
    assert (await graph("GET", f"/servicePrincipals/{other['id']}/synchronization/jobs")).status == 403
    assert (await graph("POST", "/applications", {"displayName": "New"})).status == 403
    owners = await lab.graph("GET", f"/servicePrincipals/{own['id']}/owners")
    assert [(one["@odata.type"], one["id"]) for one in owners.value] == [("#microsoft.graph.user", ada)]
    assert (await lab.graph("DELETE", f"/servicePrincipals/{own['id']}/owners/{ada}/$ref")).status == 204
    assert (await graph("GET", f"/servicePrincipals/{own['id']}")).status == 403


async def test_an_app_that_may_manage_what_it_owns_owns_what_it_makes(lab: Lab) -> None:
    robot, other = await lab.app_of("scim", "Robot"), await lab.app_of("scim", "Other")
    graph = lab.app(robot["appId"], "Application.ReadWrite.OwnedBy")
    made = await graph("POST", f"/applicationTemplates/{ANY_APP}/instantiate", {"displayName": "Made"})
    assert made.status == 201
    sp = made.json["servicePrincipal"]
    assert (await graph("PATCH", f"/servicePrincipals/{sp['id']}", {"notes": "x"})).status == 204
    assert (await graph("PATCH", f"/servicePrincipals/{other['id']}", {"notes": "x"})).status == 403
    base = f"/servicePrincipals/{sp['id']}/synchronization"
    assert (await graph("POST", f"{base}/jobs", {"templateId": "scim"})).status == 201
    assert (await graph("GET", f"{base}/jobs")).status == 200
    assert (await graph("DELETE", f"/applications/{made.json['application']['id']}")).status == 204
