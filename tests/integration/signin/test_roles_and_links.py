"""Who may give roles, and what one-time links are good for."""

from __future__ import annotations

import pytest
from tests.integration.signin.conftest import make_user, person

from provisor.app.services import AppServices
from provisor.directory.model import User
from provisor.directory.users import UserNotFound
from provisor.errors import Conflict, Forbidden, InvalidInput, NotFound
from provisor.security.actor import Actor, Realm, operator, rights_of, roles
from provisor.signin.errors import LinkUnusable, RoleUnknown
from provisor.signin.people import PersonKey
from provisor.testing.clock import SettableClock

GLOBAL = "Global Administrator"


async def test_a_role_is_given_listed_and_taken(services: AppServices, tenant: str, ada: User) -> None:
    given, name, new = await services.roles.grant(operator(), tenant, "ada@lindenhof.example", " user  administrator")
    assert (given.id, name, new) == (ada.id, "User Administrator", True)
    assert not (await services.roles.grant(operator(), tenant, ada.id, "User Administrator"))[2]
    [grant] = await services.roles.grants(operator(), tenant)
    assert (grant.user_principal_name, grant.role, grant.granted_by) == (
        "ada@lindenhof.example",
        "User Administrator",
        "operator",
    )
    assert await services.roles.roles_of(operator(), tenant, ada.id) == ["User Administrator"]
    await services.roles.revoke(operator(), tenant, "Ada", "USER ADMINISTRATOR")
    assert await services.roles.grants(operator(), tenant) == []
    with pytest.raises(NotFound):
        await services.roles.revoke(operator(), tenant, "Ada", "User Administrator")


async def test_there_are_only_directory_roles(services: AppServices, tenant: str, ada: User) -> None:
    for wrong in ("Company Administrator", "Emperor", ""):
        with pytest.raises(RoleUnknown):
            await services.roles.grant(operator(), tenant, ada.id, wrong)
    with pytest.raises(UserNotFound):
        await services.roles.grant(operator(), tenant, "nobody@lindenhof.example", GLOBAL)
    await services.directory.delete_user(operator(), tenant, ada.id)
    with pytest.raises(Conflict):
        await services.roles.grant(operator(), tenant, ada.id, GLOBAL)


@pytest.mark.parametrize("role", sorted(roles()))
async def test_only_a_global_administrator_gives_and_takes_roles(
    services: AppServices, tenant: str, ada: User, role: str
) -> None:
    actor = Actor(Realm("tenant", tenant), "somebody", rights_of([role]))
    if role == GLOBAL:
        await services.roles.grant(actor, tenant, ada.id, "Global Reader")
        await services.roles.revoke(actor, tenant, ada.id, "Global Reader")
        return
    with pytest.raises(Forbidden):
        await services.roles.grant(actor, tenant, ada.id, "Global Reader")
    with pytest.raises(Forbidden):
        await services.roles.revoke(actor, tenant, ada.id, "Global Reader")


async def test_the_last_global_administrator_stays_but_for_the_operator(
    services: AppServices, tenant: str, ada: User
) -> None:
    eve = await make_user(services, tenant, "eve")
    actor = Actor(Realm("tenant", tenant), ada.id, rights_of([GLOBAL]))
    await services.roles.grant(operator(), tenant, ada.id, GLOBAL)
    await services.roles.grant(operator(), tenant, eve.id, GLOBAL)
    await services.directory.update_user(operator(), tenant, eve.id, {"accountEnabled": False})
    with pytest.raises(Conflict, match="last Global Administrator"):
        await services.roles.revoke(actor, tenant, ada.id, GLOBAL)
    assert await services.roles.roles_of(operator(), tenant, ada.id) == [GLOBAL]
    await services.directory.update_user(operator(), tenant, eve.id, {"accountEnabled": True})
    await services.roles.revoke(actor, tenant, ada.id, GLOBAL)
    await services.roles.revoke(operator(), tenant, eve.id, GLOBAL)


def text_of(path: str) -> str:
    return path.removeprefix("/welcome/")


async def test_a_link_is_used_once_and_looked_at_often(services: AppServices, ada: User) -> None:
    made = await services.links.for_person(operator(), person(ada))
    text = text_of(made.path)
    for _ in range(2):
        assert (await services.links.find(text)).person == person(ada)
    assert (await services.links.use(text)).person == person(ada)
    for again in (services.links.find, services.links.use):
        with pytest.raises(LinkUnusable):
            await again(text)


async def test_a_link_ends_after_three_days_and_with_the_next_one(
    services: AppServices, ada: User, clock: SettableClock
) -> None:
    old = text_of((await services.links.for_person(operator(), person(ada))).path)
    new = text_of((await services.links.for_person(operator(), person(ada))).path)
    with pytest.raises(LinkUnusable):
        await services.links.find(old)
    clock.advance(3 * 86_400 - 1)
    await services.links.find(new)
    clock.advance(1)
    with pytest.raises(LinkUnusable):
        await services.links.use(new)
    assert await services.links.purge() == 0
    clock.advance(8 * 86_400)
    assert await services.links.purge() == 1


async def test_only_the_operator_makes_a_link_that_opens_an_account(services: AppServices, ada: User) -> None:
    for role, realm in ((GLOBAL, Realm("tenant", ada.tenant_id)), ("Company Administrator", Realm("company", "c"))):
        with pytest.raises(Forbidden):
            await services.links.for_person(Actor(realm, "somebody", rights_of([role])), person(ada))


async def test_invitations_are_an_administrators_to_make_and_take_back(services: AppServices) -> None:
    company = (await services.companies.create_company(operator(), "Acme", "x@acme.example")).id
    other = (await services.companies.create_company(operator(), "Other")).id
    admin = Actor(Realm("company", company), "x", rights_of(["Company Administrator"]))
    member = Actor(Realm("company", company), "y", rights_of(["Company Member"]))
    first = await services.links.invite(admin, company, " New@Acme.example")
    second = await services.links.invite(admin, company, "new@acme.example")
    with pytest.raises(LinkUnusable):
        await services.links.find(text_of(first.path))
    [open_one] = await services.links.invitations(member, company)
    assert (open_one.id, open_one.email, open_one.person) == (second.link.id, "new@acme.example", None)
    for wrong in ("", "new", "@acme.example", "new@", "a@b@c", "x" * 250 + "@acme.example"):
        with pytest.raises(InvalidInput):
            await services.links.invite(admin, company, wrong)
    with pytest.raises(Forbidden):
        await services.links.invite(member, company, "z@acme.example")
    with pytest.raises(Forbidden):
        await services.links.invite(admin, other, "z@acme.example")
    with pytest.raises(Forbidden):
        await services.links.withdraw(member, company, open_one.id)
    await services.links.withdraw(admin, company, open_one.id)
    with pytest.raises(NotFound):
        await services.links.withdraw(admin, company, open_one.id)


async def test_a_person_of_a_company_gets_a_link_too(services: AppServices) -> None:
    company = (await services.companies.create_company(operator(), "Acme", "x@acme.example")).id
    [admin] = await services.companies.administrators(operator(), company)
    key = PersonKey("company", company, admin.id)
    made = await services.links.for_person(operator(), key)
    assert (await services.links.use(text_of(made.path))).person == key
