"""The whole way over HTTP: assign, start, provision on demand, connections, and the logs."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.web.graph.applications.conftest import Lab


async def running(lab: Lab) -> tuple[dict[str, Any], str, str, str]:
    """An app with a job, a person and a group that are assigned and provisioned: sp, job, person, group."""
    sp, ada = await lab.app_of("dialpad"), await lab.user("ada")
    team = await lab.group("team", ada)
    job = await lab.job_of(sp)
    for principal in (ada, team):
        body = {"principalId": principal, "resourceId": sp["id"], "appRoleId": sp["appRoles"][0]["id"]}
        assert (await lab.graph("POST", f"/servicePrincipals/{sp['id']}/appRoleAssignedTo", body)).status == 201
    assert (await lab.graph("POST", f"{job}/start")).status == 204
    await lab.cycle(job)
    return sp, job, ada, team


def on_demand(rule: str, id_: str, kind: str = "User", **links: Any) -> dict[str, Any]:
    subject = {"objectId": id_, "objectTypeName": kind, **links}
    return {"parameters": [{"ruleId": rule, "subjects": [subject]}]}


async def test_what_is_assigned_is_provisioned_and_the_status_tells_it(lab: Lab) -> None:
    _, job, _, _ = await running(lab)
    status = (await lab.graph("GET", job)).json["status"]
    assert status["code"] == "Active"
    assert status["synchronizedEntryCountByType"] == [{"key": "Group", "value": 1}, {"key": "User", "value": 1}]
    last = status["lastExecution"]
    assert (last["state"], last["countExported"], last["countEntitled"]) == ("Succeeded", 2, 2)
    assert status["lastSuccessfulExecutionWithExports"] == last
    assert set(lab.target.users_by_name()) == {"ada@lindenhof.example"}


async def test_one_is_provisioned_on_demand_and_the_answer_is_two_documents(lab: Lab) -> None:
    sp, job, ada, team = await running(lab)
    bob = await lab.user("bob")
    body = {"principalId": bob, "resourceId": sp["id"], "appRoleId": sp["appRoles"][0]["id"]}
    assert (await lab.graph("POST", f"/users/{bob}/appRoleAssignments", body)).status == 201
    rules = (await lab.graph("GET", f"{job}/schema")).json["synchronizationRules"]
    user_rule, group_rule = rules[0]["id"], rules[1]["id"]
    done = await lab.graph("POST", f"{job}/provisionOnDemand", on_demand(f"{user_rule}#V2", bob))
    assert done.status == 200
    key, value = json.loads(done.json["key"]), json.loads(done.json["value"])
    assert (key, value["action"]) == ({"result": "Success", "details": {}}, "Create")
    assert [step["type"] for step in value["provisioningSteps"]][:3] == ["Import", "Scoping", "Matching"]
    assert "bob@lindenhof.example" in lab.target.users_by_name()
    again = await lab.graph("POST", f"{job}/provisionOnDemand", on_demand(user_rule, bob))
    assert json.loads(again.json["key"])["details"]["errorCode"] == "RedundantExport"
    links = {"links": {"members": [{"objectId": ada, "objectTypeName": "User"}]}}
    grouped = await lab.graph("POST", f"{job}/provisionOnDemand", on_demand(group_rule, team, "group", **links))
    assert grouped.status == 200
    for wrong, named in (
        (on_demand("nothing", bob), "nothing"),
        (on_demand(user_rule, team, "Group"), "objectTypeName"),
        ({"parameters": []}, "parameters"),
        ({"parameters": [{"ruleId": user_rule, "subjects": []}]}, "subjects"),
    ):
        refused = await lab.graph("POST", f"{job}/provisionOnDemand", wrong)
        assert (refused.status, named in refused.error["message"]) == (400, True)
    missing = await lab.graph("POST", f"{job}/provisionOnDemand", on_demand(user_rule, "nobody"))
    assert missing.status == 404
    last = await lab.graph("POST", f"{job}/provisionOnDemand", on_demand(user_rule, ada))
    assert last.status == 200
    throttled = await lab.graph("POST", f"{job}/provisionOnDemand", on_demand(user_rule, ada))
    assert (throttled.status, throttled.error["code"]) == (429, "TooManyRequests")
    assert int(throttled.headers["retry-after"]) >= 1


async def test_a_connection_is_read_and_forgotten_while_the_job_rests(lab: Lab) -> None:
    _, job, ada, _ = await running(lab)
    path = f"/beta{job}/objectConnections('{ada}')"
    found = (await lab.graph("GET", path)).json
    assert (found["objectId"], found["objectTypeName"]) == (ada, "User")
    assert found["targetAnchor"] == lab.target.users_by_name()["ada@lindenhof.example"]["id"]
    busy = await lab.graph("DELETE", path)
    assert (busy.status, "Pause" in busy.error["message"]) == (409, True)
    assert (await lab.graph("POST", f"{job}/pause")).status == 204
    for _ in range(2):
        assert (await lab.graph("DELETE", path)).status == 204
    assert (await lab.graph("GET", path)).status == 404
    assert (await lab.graph("GET", f"/beta{job}/objectConnections")).status == 400
    assert (await lab.graph("GET", f"{job}/objectConnections('{ada}')")).status == 400
    lab.target.requests.clear()
    assert (await lab.graph("POST", f"{job}/start")).status == 204
    await lab.cycle(job)
    # It is matched again: nobody is made twice.
    assert [request.path for request in lab.target.requests if request.method == "POST"] == []
    assert (await lab.graph("GET", path)).json["targetAnchor"] == found["targetAnchor"]


async def test_the_provisioning_log_takes_the_documented_filters(lab: Lab) -> None:
    sp, job, ada, _ = await running(lab)
    job_id = job.rpartition("/")[2]
    everything = (await lab.graph("GET", "/auditLogs/provisioning")).value
    assert len(everything) >= 3
    times = [one["activityDateTime"] for one in everything]
    assert times == sorted(times, reverse=True)
    cycle = everything[0]["cycleId"]
    create = next(one for one in everything if one["provisioningAction"] == "create")

    async def count(text: str) -> int:
        found = await lab.graph("GET", f"/auditLogs/provisioning?$filter={text}")
        assert found.status == 200, found.body
        return len(found.value)

    creates = sum(one["provisioningAction"] == "create" for one in everything)
    of_ada = sum(one["sourceIdentity"]["id"] == ada for one in everything)
    assert await count(f"jobId eq '{job_id}'") == len(everything)
    assert await count(f"jobId eq '{job_id.upper()}'") == 0
    assert await count(f"cycleId eq '{cycle}' and provisioningAction eq 'CREATE'") == creates
    assert await count(f"changeId eq '{create['changeId']}'") == 1
    assert await count("provisioningStatusInfo/status eq 'Failure'") == 0
    assert await count("provisioningStatusInfo/status eq 'Success'") == len(everything)
    assert await count(f"sourceIdentity/id eq '{ada}'") == of_ada
    assert await count(f"servicePrincipal/id eq '{sp['id']}'") == len(everything)
    assert await count(f"contains(sourceIdentity/displayName,'{create['sourceIdentity']['displayName'][:3]}')") >= 1
    assert await count("contains(sourceIdentity/displayName,'ADA@')") == 0
    assert await count("activityDateTime gt 2020-01-01T00:00:00Z") == len(everything)
    assert await count("activityDateTime lt 2020-01-01T00:00:00Z") == 0
    assert await count(f"activityDateTime le {times[0]} and activityDateTime ge {times[-1]}") == len(everything)
    # Beta's older names of the same.
    assert await count("action eq 'Create' and statusInfo/status eq 'success'") == creates
    assert "action" not in create
    steps = "provisioningSteps/any(s:s/provisioningStepType eq 'Export' and s/status eq 'success')"
    assert await count(steps) == len(everything)
    assert await count("modifiedProperties/any(p:p/displayName eq 'userName')") == 1
    one = await lab.graph("GET", f"/auditLogs/provisioning/{create['id']}?$select=id,provisioningAction")
    assert (one.json["id"], one.json["provisioningAction"]) == (create["id"], "create")
    unknown = await lab.graph("GET", "/auditLogs/provisioning?$filter=colour eq 'red'")
    assert (unknown.status, "colour" in unknown.error["message"]) == (400, True)
    assert (await lab.graph("GET", "/auditLogs/provisioning?$orderby=activityDateTime desc")).status == 200
    assert (await lab.graph("GET", "/auditLogs/provisioning?$orderby=jobId")).status == 400


async def test_the_provisioning_log_is_read_in_pages_without_a_gap(lab: Lab) -> None:
    _, job, _, _ = await running(lab)
    everything = [one["id"] for one in (await lab.graph("GET", "/auditLogs/provisioning")).value]
    path: str | None = f"/auditLogs/provisioning?$top=1&$filter=jobId eq '{job.rpartition('/')[2]}'"
    seen: list[str] = []
    while path is not None:
        page = (await lab.graph("GET", path)).json
        seen += [one["id"] for one in page["value"]]
        path = page.get("@odata.nextLink")
    assert seen == everything


async def test_the_audit_log_tells_who_changed_the_configuration(lab: Lab) -> None:
    sp, job, _, _ = await running(lab)
    found = (await lab.graph("GET", "/auditLogs/directoryAudits")).value
    names = [one["activityDisplayName"] for one in found]
    assert "Add provisioning configuration" in names
    start = "Enable/start provisioning configuration"
    query = f"$filter=activityDisplayName eq '{start}' and result eq 'Success'"
    [started] = (await lab.graph("GET", f"/auditLogs/directoryAudits?{query}")).value
    assert started["category"] == "ProvisioningManagement"
    assert started["loggedByService"] == "Account Provisioning"
    assert started["initiatedBy"]["user"] or started["initiatedBy"]["app"]
    assert job.rpartition("/")[2] in [one["id"] for one in started["targetResources"]]
    target = f"$filter=targetResources/any(t:t/id eq '{sp['id']}')"
    assert (await lab.graph("GET", f"/auditLogs/directoryAudits?{target}")).value
    assert (await lab.graph("GET", f"/auditLogs/directoryAudits/{started['id']}")).json["id"] == started["id"]
    seen: list[str] = []
    path: str | None = "/auditLogs/directoryAudits?$top=3"
    while path is not None:
        page = (await lab.graph("GET", path)).json
        seen += [one["activityDisplayName"] for one in page["value"]]
        path = page.get("@odata.nextLink")
    assert seen == names
    assert "let-me-in" not in json.dumps(found)
