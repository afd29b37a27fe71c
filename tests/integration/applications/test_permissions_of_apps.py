"""What applications are given: client secrets, roles of one another, consents."""

from __future__ import annotations

import pytest
from tests.integration.applications.conftest import Laboratory

from provisor.applications.assignments.service import RoleAssignments
from provisor.applications.assignments.store import AssignmentStore
from provisor.applications.errors import (
    AlreadyAssigned,
    AppNotFound,
    GrantExists,
    GrantNotFound,
    NotAssigned,
    PasswordNotFound,
    PrincipalNotFound,
    RoleDisabled,
    RoleNotFound,
)
from provisor.applications.grants.service import PermissionGrants
from provisor.applications.grants.store import GrantStore
from provisor.applications.model import DEFAULT_ACCESS
from provisor.applications.passwords.service import YEAR_MS, Passwords
from provisor.applications.passwords.store import PasswordStore
from provisor.applications.registrations.graph import service_principal_id
from provisor.applications.registrations.service import Registrations
from provisor.applications.registrations.store import RegistrationStore
from provisor.errors import Forbidden, InvalidInput
from provisor.security.actor import Actor, Realm
from provisor.security.permissions import permissions

URL = "http://127.0.0.1:8080/scim"


@pytest.fixture
def registrations(lab: Laboratory) -> Registrations:
    return Registrations(RegistrationStore(lab.database), lab.clock)


@pytest.fixture
def passwords(lab: Laboratory) -> Passwords:
    return Passwords(PasswordStore(lab.database), b"p" * 32, lab.clock)


@pytest.fixture
def grants(lab: Laboratory) -> PermissionGrants:
    return PermissionGrants(GrantStore(lab.database), lab.clock)


@pytest.fixture
def roles(lab: Laboratory, registrations: Registrations) -> RoleAssignments:
    return RoleAssignments(AssignmentStore(lab.database), lab.applications, registrations, lab.clock)


async def test_a_secret_counts_for_its_application_while_it_lasts(
    lab: Laboratory, registrations: Registrations, passwords: Passwords
) -> None:
    me, tenant = lab.operator, lab.tenant.id
    one = await registrations.register(me, tenant, {"displayName": "One"})
    two = await registrations.register(me, tenant, {"displayName": "Two"})
    new = await passwords.add(me, one, display_name="laptop")
    assert new.text not in repr(new)
    assert new.password.end_at == lab.clock.now_ms() + 2 * YEAR_MS
    assert await passwords.verify(me, tenant, one.app_id, new.text) == new.password.key_id
    assert await passwords.verify(me, tenant, two.app_id, new.text) is None
    assert await passwords.verify(me, tenant, one.app_id, f"{new.text}x") is None
    other = await lab.directory.create_tenant(me, "Other", "other.example")
    # The application's own secret counts wherever it is used.
    assert await passwords.verify(me, other.id, one.app_id, new.text) == new.password.key_id
    [listed] = (await passwords.of(me, tenant, [one.id]))[one.id]
    assert (listed.display_name, listed.hint) == ("laptop", new.text[:3])
    await passwords.remove(me, one, new.password.key_id)
    assert await passwords.verify(me, tenant, one.app_id, new.text) is None
    assert not await passwords.still_counts(me, new.password.key_id)
    with pytest.raises(PasswordNotFound):
        await passwords.remove(me, one, new.password.key_id)


async def test_a_service_principals_secret_counts_in_its_tenant_and_ends(
    lab: Laboratory, registrations: Registrations, passwords: Passwords
) -> None:
    me, tenant = lab.operator, lab.tenant.id
    sp = (await registrations.instantiate(me, tenant, "scim", "Robot")).service_principal
    new = await passwords.add(me, sp, end_at=lab.clock.now_ms() + 1000)
    other = await lab.directory.create_tenant(me, "Other", "other.example")
    assert await passwords.verify(me, tenant, sp.app_id, new.text) == new.password.key_id
    assert await passwords.verify(me, other.id, sp.app_id, new.text) is None
    lab.clock.advance(1)
    assert await passwords.verify(me, tenant, sp.app_id, new.text) is None
    assert not await passwords.still_counts(me, new.password.key_id)
    with pytest.raises(InvalidInput, match="end before"):
        await passwords.add(me, sp, end_at=lab.clock.now_ms() - 1)
    with pytest.raises(Forbidden):
        await passwords.add(lab.holder("Global Reader"), sp)
    with pytest.raises(Forbidden):
        await passwords.verify(lab.holder("Global Administrator"), tenant, sp.app_id, "x")


async def test_an_application_is_given_a_permission_of_the_api(
    lab: Laboratory, registrations: Registrations, roles: RoleAssignments
) -> None:
    me, tenant = lab.operator, lab.tenant.id
    robot = (await registrations.instantiate(me, tenant, "scim", "Robot")).service_principal
    graph = service_principal_id(tenant)
    read_all = permissions()["Application.Read.All"].role_id
    assert read_all is not None
    before = await lab.directory.head(me, tenant)
    made = await roles.assign(me, tenant, graph, robot.id, read_all)
    assert (made.resource_name, made.assignment.principal_display_name) == ("Microsoft Graph", "Robot")
    assert await roles.permissions(me, tenant, robot.id, graph) == {"Application.Read.All"}
    assert await lab.directory.head(me, tenant) == before
    [seen] = await roles.of_principal(me, tenant, robot.id)
    assert seen == made
    assert await roles.assigned_to(me, tenant, graph) == [made]
    with pytest.raises(AlreadyAssigned, match="Permission being assigned already exists on the object"):
        await roles.assign(me, tenant, graph, robot.id, read_all)
    ada = await lab.user("ada")
    with pytest.raises(RoleNotFound, match="Microsoft Graph"):
        await roles.assign(me, tenant, graph, ada, read_all)
    await roles.remove(me, tenant, made.assignment.id)
    assert await roles.permissions(me, tenant, robot.id, graph) == frozenset()
    with pytest.raises(NotAssigned):
        await roles.remove(me, tenant, made.assignment.id)


async def test_default_access_is_for_applications_without_roles_to_choose(
    lab: Laboratory, registrations: Registrations, roles: RoleAssignments
) -> None:
    me, tenant, ada = lab.operator, lab.tenant.id, await lab.user("ada")
    team = await lab.group("Team", ada)
    app = await lab.applications.add(me, tenant, "scim", "Wiki", URL)
    sp = app.service_principal
    with pytest.raises(RoleNotFound, match=rf"not found on application 'Wiki'.*{sp.app_roles[0].id}"):
        await roles.assign(me, tenant, sp.id, ada, DEFAULT_ACCESS)
    made = await roles.assign(me, tenant, sp.id, ada, sp.app_roles[0].id)
    await roles.assign(me, tenant, sp.id, team, sp.app_roles[0].id)
    kinds = [one.assignment.principal_type for one in await roles.assigned_to(me, tenant, sp.id)]
    assert kinds == ["User", "Group"]
    [first] = await roles.assigned_to(me, tenant, sp.id, limit=1)
    assert [one.assignment.principal_id for one in await roles.assigned_to(me, tenant, sp.id, first.assignment.id)] == [
        team
    ]
    await roles.remove(me, tenant, made.assignment.id)
    assert [one.assignment.principal_id for one in await roles.assigned_to(me, tenant, sp.id)] == [team]
    plain = await registrations.register(me, tenant, {"displayName": "Plain"})
    without = (await registrations.instantiate_application(me, tenant, plain.app_id)).service_principal
    await roles.assign(me, tenant, without.id, ada, DEFAULT_ACCESS)
    await registrations.update_instance(
        me, tenant, sp.id, {"appRoles": [{"id": sp.app_roles[0].id, "displayName": "User", "isEnabled": False}]}
    )
    with pytest.raises(RoleDisabled):
        await roles.assign(me, tenant, sp.id, ada, sp.app_roles[0].id)
    with pytest.raises(PrincipalNotFound):
        await roles.assign(me, tenant, sp.id, "nobody", DEFAULT_ACCESS)
    with pytest.raises(AppNotFound):
        await roles.assign(me, tenant, "nothing", ada, DEFAULT_ACCESS)
    with pytest.raises(Forbidden):
        await roles.assign(lab.holder("Global Reader"), tenant, sp.id, ada, DEFAULT_ACCESS)


async def test_consent_grows_and_is_taken_back(
    lab: Laboratory, registrations: Registrations, grants: PermissionGrants
) -> None:
    me, tenant, ada = lab.operator, lab.tenant.id, await lab.user("ada")
    robot = (await registrations.instantiate(me, tenant, "scim", "Robot")).service_principal
    graph = service_principal_id(tenant)
    where = {"client_id": robot.id, "resource_id": graph}
    herself = Actor(Realm("tenant", tenant), ada, frozenset())
    first = await grants.consent(herself, tenant, **where, scopes=["openid", "User.Read"], principal_id=ada)
    again = await grants.consent(herself, tenant, **where, scopes=["User.Read profile"], principal_id=ada)
    assert again.id == first.id
    assert again.scopes == ("openid", "User.Read", "profile")
    with pytest.raises(Forbidden):
        await grants.consent(herself, tenant, **where, scopes=["User.Read"])
    everybody = await grants.create(me, tenant, **where, scopes=["Group.Read.All"])
    assert everybody.for_everybody
    with pytest.raises(GrantExists):
        await grants.create(me, tenant, **where, scopes=["x"])
    assert await grants.consented(me, tenant, **where, principal_id=ada) == {
        "openid",
        "User.Read",
        "profile",
        "Group.Read.All",
    }
    assert await grants.consented(me, tenant, **where, principal_id="else") == {"Group.Read.All"}
    await grants.set_scopes(me, tenant, everybody.id, ["Group.Read.All", "User.Read.All"])
    assert (await grants.grant(me, tenant, everybody.id)).scopes == ("Group.Read.All", "User.Read.All")
    await grants.revoke(me, tenant, everybody.id)
    with pytest.raises(GrantNotFound):
        await grants.revoke(me, tenant, everybody.id)
    assert [one.id for one in await grants.grants(me, tenant)] == [first.id]
    with pytest.raises(AppNotFound, match="clientId"):
        await grants.create(me, tenant, client_id="x", resource_id=graph, scopes=[])
    with pytest.raises(AppNotFound, match="resourceId"):
        await grants.create(me, tenant, client_id=robot.id, resource_id="x", scopes=[])
    await registrations.delete_instance(me, tenant, robot.id)
    assert await grants.grants(me, tenant) == []
