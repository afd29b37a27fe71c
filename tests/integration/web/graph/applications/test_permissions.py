"""Who may do what with applications, provisioning and the logs: endpoint × role × verdict, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.integration.web.graph.applications.conftest import Lab

from provisor.testing.database import Store
from provisor.web.graph.permissions import table

ADMINISTRATORS = {"Global Administrator", "Application Administrator", "Cloud Application Administrator"}
CONFIGURE = ADMINISTRATORS | {"Hybrid Identity Administrator"}
SEE_APPLICATIONS = CONFIGURE | {"User Administrator", "Global Reader"}
SEE_LOGS = ADMINISTRATORS | {
    "Global Reader",
    "Reports Reader",
    "Security Reader",
    "Security Operator",
    "Security Administrator",
}
ASSIGN = ADMINISTRATORS | {"User Administrator"}
JOBS = "/servicePrincipals/{sp}/synchronization/jobs"
ROLES = sorted(SEE_APPLICATIONS | SEE_LOGS | {"nobody"})


@dataclass(frozen=True)
class Rule:
    """``roles``: who may; ``owner``: may an owner of the object without a role? ``{…}`` in paths are of the lab."""

    row: str
    method: str
    path: str
    roles: set[str]
    owner: bool = False
    body: Any = None


RULES = (
    Rule("applicationTemplates.read", "GET", "/applicationTemplates", set(ROLES)),
    Rule("applicationTemplates.instantiate", "POST", "/applicationTemplates/x/instantiate", ADMINISTRATORS, body={}),
    Rule("applications.read", "GET", "/applications/{application}", SEE_APPLICATIONS, owner=True),
    Rule("applications.create", "POST", "/applications", ADMINISTRATORS, body={}),
    Rule("applications.write", "PATCH", "/applications/{application}", ADMINISTRATORS, owner=True, body={"tags": []}),
    Rule("servicePrincipals.read", "GET", "/servicePrincipals/{sp}", SEE_APPLICATIONS, owner=True),
    Rule("servicePrincipals.create", "POST", "/servicePrincipals", ADMINISTRATORS, body={}),
    Rule("servicePrincipals.write", "PATCH", "/servicePrincipals/{sp}", ADMINISTRATORS, owner=True, body={"tags": []}),
    Rule("appRoleAssignments.read", "GET", "/users/{user}/appRoleAssignments", SEE_APPLICATIONS),
    Rule("appRoleAssignments.write", "POST", "/users/{user}/appRoleAssignments", ASSIGN, body={}),
    Rule("appRoleAssignedTo.read", "GET", "/servicePrincipals/{sp}/appRoleAssignedTo", SEE_APPLICATIONS, owner=True),
    Rule("appRoleAssignedTo.write", "POST", "/servicePrincipals/{sp}/appRoleAssignedTo", ASSIGN, owner=True, body={}),
    Rule("permissionGrants.read", "GET", "/oauth2PermissionGrants", SEE_APPLICATIONS),
    Rule("permissionGrants.write", "POST", "/oauth2PermissionGrants", ADMINISTRATORS, body={}),
    Rule("synchronization.read", "GET", JOBS, CONFIGURE, owner=True),
    Rule("synchronization.write", "POST", JOBS, CONFIGURE, owner=True, body={}),
    Rule("auditLogs.provisioning.read", "GET", "/auditLogs/provisioning", SEE_LOGS),
    Rule("auditLogs.directoryAudits.read", "GET", "/auditLogs/directoryAudits", SEE_LOGS),
)
OURS = {rule.row for rule in RULES}


@pytest.fixture
def store(sqlite_only: Store) -> Store:
    """The verdicts do not depend on the engine."""
    return sqlite_only


@pytest.fixture
async def ids(lab: Lab) -> dict[str, str]:
    made = (await lab.graph("POST", "/applicationTemplates/scim/instantiate", {"displayName": "Wiki"})).json
    ada, owner = await lab.user("ada"), await lab.user("owner")
    for path in (f"/servicePrincipals/{made['servicePrincipal']['id']}", f"/applications/{made['application']['id']}"):
        reference = {"@odata.id": f"https://graph.example/v1.0/users/{owner}"}
        assert (await lab.graph("POST", f"{path}/owners/$ref", reference)).status == 204
    return {"sp": made["servicePrincipal"]["id"], "application": made["application"]["id"], "user": ada, "owner": owner}


async def test_every_role_has_its_verdict_at_every_kind_of_endpoint(lab: Lab, ids: dict[str, str]) -> None:
    wrong = []
    for rule in RULES:
        for role in ROLES:
            graph = lab.person(ids["user"], *([] if role == "nobody" else [role]))
            status = (await graph(rule.method, rule.path.format(**ids), rule.body)).status
            assert status < 500, (rule, role)
            if (status != 403) != (role in rule.roles):
                wrong.append((rule.method, rule.path, role, status))
    assert wrong == []


async def test_an_owner_needs_no_role_where_the_table_says_so(lab: Lab, ids: dict[str, str]) -> None:
    owner = lab.person(ids["owner"])
    for rule in RULES:
        if "nobody" in rule.roles:
            continue
        status = (await owner(rule.method, rule.path.format(**ids), rule.body)).status
        assert (status != 403) == rule.owner, (rule.path, status)


async def test_a_role_without_the_scope_is_not_enough(lab: Lab, ids: dict[str, str]) -> None:
    graph = lab.person(ids["user"], "Global Administrator", scopes={"openid", "profile"})
    for rule in RULES:
        refused = await graph(rule.method, rule.path.format(**ids), rule.body)
        assert (refused.status, refused.error["code"]) == (403, "Authorization_RequestDenied"), rule.path


async def test_every_application_permission_has_its_verdict(lab: Lab, ids: dict[str, str]) -> None:
    every = {name for row in table().values() for name in (*row.application, *row.application_owned)}
    for rule in RULES:
        row = table()[rule.row]
        for name in sorted(every):
            graph = lab.app("22222222-2222-4222-8222-222222222222", name)
            status = (await graph(rule.method, rule.path.format(**ids), rule.body)).status
            # It owns nothing, so what it may do with its own it may not do here.
            assert (status != 403) == (name in row.application), (rule.path, name, status)


def test_every_rule_of_ours_in_the_table_is_tried() -> None:
    prefixes = ("application", "servicePrincipal", "appRole", "permissionGrants", "synchronization", "auditLogs")
    assert {name for name in table() if name.startswith(prefixes)} == OURS
