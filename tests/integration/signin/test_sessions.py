"""Sessions: when they end, and that what a person may do is read anew."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.signin.browser import BASE
from tests.integration.signin.conftest import KEY, person

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.directory.model import User
from provisor.security.actor import Realm, Right, operator
from provisor.signin.people import PersonKey
from provisor.signin.sessions import Origin
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.transport import replies

HERE = Origin("203.0.113.9", "Browser/1.0")


async def test_a_session_says_who_and_where(services: AppServices, tenant: str, ada: User) -> None:
    value = await services.sessions.create(person(ada), HERE)
    session = await services.sessions.find(value)
    assert session is not None
    assert (session.kind, session.realm_id, session.realm_name) == ("tenant", tenant, "Lindenhof")
    assert (session.subject_id, session.name) == (ada.id, "Ada")
    assert session.actor.realm == Realm("tenant", tenant)
    assert session.actor.rights == {Right.DIRECTORY_READ}
    assert len(session.csrf) == 64
    assert value not in repr(session)


async def test_the_csrf_token_is_another_for_each_session(services: AppServices, ada: User) -> None:
    found = [await services.sessions.find(await services.sessions.create(person(ada), HERE)) for _ in range(2)]
    assert len({session.csrf for session in found if session is not None}) == 2


async def test_what_is_no_cookie_of_ours_is_nobody(services: AppServices, ada: User) -> None:
    value = await services.sessions.create(person(ada), HERE)
    for wrong in (None, "", "x", "é" * 43, value[:-1], value + "x", "A" * 43):
        assert await services.sessions.find(wrong) is None


async def test_it_ends_after_two_idle_hours_and_after_a_day(
    services: AppServices, ada: User, clock: SettableClock
) -> None:
    idle = await services.sessions.create(person(ada), HERE)
    busy = await services.sessions.create(person(ada), HERE)
    clock.advance(7_199)
    assert await services.sessions.find(busy) is not None
    clock.advance(1)
    assert await services.sessions.find(idle) is None
    for _ in range(21):
        clock.advance(3_600)
        assert await services.sessions.find(busy) is not None
    clock.advance(3_600)
    assert await services.sessions.find(busy) is None


async def test_sessions_that_ended_by_themselves_are_deleted(
    services: AppServices, ada: User, clock: SettableClock
) -> None:
    await services.sessions.create(person(ada), HERE)
    assert await services.sessions.purge() == 0
    clock.advance(7_201)
    assert await services.sessions.purge() == 1
    session = await services.sessions.find(await services.sessions.create(person(ada), HERE))
    assert session is not None
    assert [row.user_agent for row in await services.sessions.sessions_of(session.actor, person(ada))] == [
        "Browser/1.0"
    ]
    stranger = replace(session.actor, subject="somebody else")
    assert await services.sessions.sessions_of(stranger, person(ada)) == []


async def test_a_sign_out_ends_one_session_and_signing_out_everywhere_all(services: AppServices, ada: User) -> None:
    one, two, three = [await services.sessions.create(person(ada), HERE) for _ in range(3)]
    assert await services.sessions.find(one) is not None
    await services.sessions.end(one)
    assert await services.sessions.find(one) is None
    assert await services.sessions.find(two) is not None
    await services.sessions.end_all(person(ada))
    assert await services.sessions.find(two) is None
    assert await services.sessions.find(three) is None


async def test_who_is_disabled_or_deleted_is_out_within_two_seconds(
    services: AppServices, tenant: str, ada: User, clock: SettableClock
) -> None:
    value = await services.sessions.create(person(ada), HERE)
    assert await services.sessions.find(value) is not None
    await services.directory.update_user(operator(), tenant, ada.id, {"accountEnabled": False})
    clock.advance(2)
    assert await services.sessions.find(value) is None
    await services.directory.update_user(operator(), tenant, ada.id, {"accountEnabled": True})
    assert await services.sessions.find(value) is None, "an ended session does not come back"
    value = await services.sessions.create(person(ada), HERE)
    await services.directory.delete_user(operator(), tenant, ada.id)
    assert await services.sessions.find(value) is None


async def test_a_role_holds_from_the_next_look_on(
    services: AppServices, tenant: str, ada: User, clock: SettableClock, database: Database
) -> None:
    other = wire(database, KEY, replies(), Settings(public_url=BASE), clock)
    value = await services.sessions.create(person(ada), HERE)
    await other.sessions.find(value)
    await services.roles.grant(operator(), tenant, ada.id, "Global Administrator")
    clock.advance(2)
    session = await other.sessions.find(value)
    assert session is not None
    assert Right.ROLES_MANAGE in session.actor.rights


async def test_a_companys_session_has_the_rights_of_its_administrator(
    services: AppServices, clock: SettableClock
) -> None:
    company = await services.companies.create_company(operator(), "Acme", "x@acme.example")
    await services.companies.add_administrator(operator(), company.id, "y@acme.example")
    first, _ = await services.companies.administrators(operator(), company.id)
    value = await services.sessions.create(PersonKey("company", company.id, first.id), HERE)
    session = await services.sessions.find(value)
    assert session is not None
    assert (session.kind, session.realm_name, session.name) == ("company", "Acme", "x@acme.example")
    session.actor.require(Right.COMPANY_ADMINISTER, company.id)
    await services.companies.set_admin(operator(), company.id, "x@acme.example", False)
    clock.advance(2)
    session = await services.sessions.find(value)
    assert session is not None
    assert session.actor.rights == {Right.COMPANY_READ}
    await services.companies.remove_administrator(operator(), company.id, "x@acme.example")
    clock.advance(2)
    assert await services.sessions.find(value) is None
