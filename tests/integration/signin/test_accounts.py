"""Guessing is counted and stopped; second factors and recovery codes work once."""

from __future__ import annotations

import asyncio

import pytest
from tests.integration.signin.browser import BASE
from tests.integration.signin.conftest import PASSWORD, code_of, person, with_password, with_second_factor

from provisor.app.services import AppServices
from provisor.directory.model import User
from provisor.errors import Forbidden
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.signin.accounts.model import SignInRefused, TooManyAttempts
from provisor.signin.sessions import Origin
from provisor.testing.clock import SettableClock

ADA = "ada@lindenhof.example"


async def test_a_name_that_nobody_has_locks_in_the_same_way(services: AppServices, tenant: str) -> None:
    statuses = []
    for _ in range(11):
        with pytest.raises(SignInRefused) as refused:
            await services.accounts.check("tenant", "nobody@lindenhof.example", "wrong password", Origin("192.0.2.1"))
        statuses.append(type(refused.value) is TooManyAttempts)
    assert statuses == [False] * 10 + [True]


async def test_guesses_at_once_are_counted_one_by_one(services: AppServices, ada: User) -> None:
    await with_password(services, person(ada))

    async def guess(number: int) -> type[Exception]:
        with pytest.raises(SignInRefused) as refused:
            await services.accounts.check("tenant", ADA, f"wrong password {number}", Origin("192.0.2.1"))
        return type(refused.value)

    found = await asyncio.gather(*(guess(number) for number in range(25)))
    assert (found.count(SignInRefused), found.count(TooManyAttempts)) == (10, 15)


async def test_an_address_that_tries_a_hundred_names_is_stopped_and_others_are_not(
    services: AppServices, ada: User, clock: SettableClock
) -> None:
    await with_password(services, person(ada))

    async def check(login: str, address: str) -> bool:
        try:
            await services.accounts.check("tenant", login, PASSWORD, Origin(address))
        except TooManyAttempts:
            return False
        except SignInRefused:
            pass
        return True

    for number in range(100):
        assert await check(f"user{number}@lindenhof.example", "2001:db8::1")
    assert not await check(ADA, "2001:db8::2"), "one customer's network is one address"
    assert await check(ADA, "2001:db8:0:1::1")
    clock.advance(15 * 60)
    assert await check(ADA, "2001:db8::2")
    clock.advance(25 * 3600)
    assert await services.accounts.purge() > 100


async def test_right_passwords_are_no_attempts(services: AppServices, ada: User) -> None:
    await with_password(services, person(ada))
    for _ in range(2):
        for _ in range(9):
            with pytest.raises(SignInRefused):
                await services.accounts.check("tenant", ADA, "wrong password", Origin(f"192.0.2.{_}"))
        assert (await services.accounts.check("tenant", ADA, PASSWORD, Origin("192.0.2.77"))).next == "done"


async def test_a_recovery_code_works_once_in_the_place_of_a_code(
    services: AppServices, ada: User, clock: SettableClock
) -> None:
    await with_password(services, person(ada))
    _, codes = await with_second_factor(services, person(ada), clock)
    assert (await services.accounts.check("tenant", ADA, PASSWORD, Origin("192.0.2.1"))).next == "code"
    await services.accounts.check_code(person(ada), codes[0].upper().replace("-", " "))
    with pytest.raises(SignInRefused):
        await services.accounts.check_code(person(ada), codes[0])
    assert (await services.accounts.second_factor(person(ada))).recovery_codes == 9
    fresh = await services.accounts.new_recovery_codes(person(ada), codes[1])
    with pytest.raises(SignInRefused):
        await services.accounts.check_code(person(ada), codes[2])
    await services.accounts.remove_second_factor(person(ada), fresh[0])
    assert (await services.accounts.check("tenant", ADA, PASSWORD, Origin("192.0.2.1"))).next == "done"


@pytest.mark.parametrize(("steps", "works"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_devices_clock_may_be_one_step_off(
    services: AppServices, ada: User, clock: SettableClock, steps: int, works: bool
) -> None:
    secret, _ = await with_second_factor(services, person(ada), clock)
    clock.advance(300)
    if works:
        await services.accounts.check_code(person(ada), code_of(secret, clock, steps))
    with pytest.raises(SignInRefused):
        await services.accounts.check_code(person(ada), code_of(secret, clock, steps))


async def test_five_wrong_codes_lock_the_second_factor(services: AppServices, ada: User, clock: SettableClock) -> None:
    secret, codes = await with_second_factor(services, person(ada), clock)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            await services.accounts.check_code(person(ada), "000000")
    clock.advance(60)
    for right in (code_of(secret, clock), codes[0]):
        with pytest.raises(TooManyAttempts):
            await services.accounts.check_code(person(ada), right)
    clock.advance(15 * 60)
    await services.accounts.check_code(person(ada), code_of(secret, clock))


async def test_a_link_of_the_operator_takes_a_lost_second_factor_away(
    services: AppServices, ada: User, clock: SettableClock
) -> None:
    await with_second_factor(services, person(ada), clock)
    await with_password(services, person(ada))
    assert (await services.accounts.check("tenant", ADA, PASSWORD, Origin("192.0.2.1"))).next == "done"
    assert (await services.accounts.second_factor(person(ada))).recovery_codes == 0


@pytest.mark.parametrize(
    ("role", "whose", "may"),
    [
        ("User Administrator", None, True),
        ("User Administrator", "Global Reader", False),
        ("User Administrator", "Global Administrator", False),
        ("Global Administrator", "Global Administrator", True),
        ("Application Administrator", None, False),
        ("Global Reader", None, False),
    ],
)
async def test_a_password_of_who_has_a_role_is_given_by_who_gives_roles(
    services: AppServices, tenant: str, ada: User, role: str, whose: str | None, may: bool
) -> None:
    if whose is not None:
        await services.roles.grant(operator(), tenant, ada.id, whose)
    actor = Actor(Realm("tenant", tenant), "somebody", rights_of([role]))
    if may:
        await services.given_passwords.give(actor, tenant, ada.id, PASSWORD)
        assert (await services.accounts.check("tenant", ADA, PASSWORD, Origin("192.0.2.1"))).person.key == person(ada)
    else:
        with pytest.raises(Forbidden):
            await services.given_passwords.give(actor, tenant, ada.id, PASSWORD)


async def test_what_concerns_who_may_sign_in_is_told_by_the_audit_log(
    services: AppServices, tenant: str, ada: User, clock: SettableClock
) -> None:
    await services.roles.grant(operator(), tenant, ada.id, "Global Reader")
    await with_password(services, person(ada))
    _, codes = await with_second_factor(services, person(ada), clock)
    await services.accounts.note_sign_in(person(ada), Origin("192.0.2.1"))
    await services.accounts.sign_out_everywhere(person(ada))
    await services.accounts.remove_second_factor(person(ada), codes[0])
    await services.roles.revoke(operator(), tenant, ada.id, "Global Reader")
    token = await services.authority.create_token(operator(), tenant, 1, BASE)
    await services.authority.revoke_token(operator(), tenant, token.id)
    await services.authority.rotate_keys(operator(), tenant)
    page = await services.audit.page(operator(), Realm("tenant", tenant))
    names = [entry.activity.name for entry in page.entries]
    assert names[: names.index("Add user")][::-1] == [
        "Add member to role",
        "Create sign-in link",
        "Set password",
        "Add second factor",
        "Sign in",
        "Revoke sessions and tokens",
        "Remove second factor",
        "Remove member from role",
        "Create access token",
        "Revoke access token",
        "Rotate signing key",
    ]
    assert PASSWORD not in repr(page)
    assert token.text not in repr(page)
