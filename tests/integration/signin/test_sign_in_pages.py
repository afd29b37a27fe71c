"""Signing in with a browser: passwords, second factors, links, sign-up; and whoever guesses, forges or redirects."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from tests.integration.signin.browser import BASE, Browser
from tests.integration.signin.conftest import PASSWORD, code_of, person, with_password, with_second_factor

from provisor.app.services import AppServices
from provisor.directory.model import User
from provisor.security.actor import operator
from provisor.signin.people import PersonKey
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store
from provisor.web.asgi import Front

ADA = "ada@lindenhof.example"


@pytest.fixture
def store(sqlite_only: Store) -> Store:
    """One engine: pages do not depend on it. What is beneath them is tested on both."""
    return sqlite_only


async def company(services: AppServices, email: str = "x@acme.example") -> PersonKey:
    made = await services.companies.create_company(operator(), f"Acme of {email}", email)
    [first] = await services.companies.administrators(operator(), made.id)
    return PersonKey("company", made.id, first.id)


async def test_a_one_time_link_sets_the_password_and_signs_in(
    services: AppServices, ada: User, browser: Browser
) -> None:
    link = await services.links.for_person(operator(), person(ada))
    page = await browser.get(link.path)
    assert "Choose the password of ada@lindenhof.example in Lindenhof" in page.text
    short = await browser.send(page, link.path, password="short", again="short")
    assert short.status == 422
    assert "at least 10 characters" in short.text
    other = await browser.send(page, link.path, password=PASSWORD, again=PASSWORD + "x")
    assert "not the same" in other.text
    done = await browser.send(page, link.path, password=PASSWORD, again=PASSWORD)
    assert (done.status, done.path) == (200, "/portal")
    assert await services.sessions.find(browser.client.cookies.get("provisor_session")) is not None
    assert (await browser.get(link.path)).status == 404


async def test_cookies_are_out_of_reach_of_scripts_other_sites_and_the_clear(
    services: AppServices, ada: User, app: Front
) -> None:
    await with_password(services, person(ada))
    for base, secure in ((BASE, True), ("http://127.0.0.1:8080", False), ("http://id.example", True)):
        browser = Browser(app, base)
        page = await browser.get("/portal/sign-in")
        form = page.form("/portal/sign-in")
        browser.client.cookies.set("provisor_form", form.values["csrf"])
        answer = await browser.client.post(
            "/portal/sign-in", data={**form.values, "login": ADA, "password": PASSWORD}, headers={"origin": base}
        )
        [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith("provisor_session=")]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert ("Secure" in cookie) is secure
        await browser.close()


async def test_a_sign_in_makes_a_new_session_and_a_sign_out_ends_it(
    services: AppServices, ada: User, browser: Browser
) -> None:
    await with_password(services, person(ada))
    assert (await browser.sign_in("/portal", ADA.upper(), PASSWORD)).path == "/portal"
    first = browser.client.cookies["provisor_session"]
    await browser.sign_in("/portal", ADA, PASSWORD)
    second = browser.client.cookies["provisor_session"]
    assert await services.sessions.find(first) is None, "the session from before has ended"
    page = await browser.get("/portal/account")
    assert "Your account" in page.text
    left = await browser.send(page, "/portal/sign-out")
    assert left.path.startswith("/portal/sign-in")
    assert await services.sessions.find(second) is None
    assert (await browser.get("/portal/account")).path == "/portal/sign-in?next=%2Fportal%2Faccount"


async def test_wrong_names_and_wrong_passwords_get_the_same_answer(
    services: AppServices, ada: User, browser: Browser
) -> None:
    await with_password(services, person(ada))
    answers = set()
    for login, password in ((ADA, "wrong password"), ("nobody@lindenhof.example", PASSWORD), ("x" * 300, "y" * 3_000)):
        page = await browser.sign_in("/portal", login, password)
        answers.add((page.status, "The user name or the password is wrong." in page.text))
    assert answers == {(401, True)}
    assert (await browser.sign_in("/portal", "", "")).status == 422


async def test_who_is_disabled_or_deleted_does_not_get_in(
    services: AppServices, tenant: str, ada: User, browser: Browser
) -> None:
    await with_password(services, person(ada))
    await services.directory.update_user(operator(), tenant, ada.id, {"accountEnabled": False})
    assert (await browser.sign_in("/portal", ADA, PASSWORD)).status == 401
    await services.directory.update_user(operator(), tenant, ada.id, {"accountEnabled": True})
    assert (await browser.sign_in("/portal", ADA, PASSWORD)).status == 200
    await services.directory.delete_user(operator(), tenant, ada.id)
    assert (await browser.sign_in("/portal", ADA, PASSWORD)).status == 401


async def test_one_realms_password_opens_no_door_of_the_other(
    services: AppServices, ada: User, browser: Browser
) -> None:
    await with_password(services, person(ada))
    assert (await browser.sign_in("/company", ADA, PASSWORD)).status == 401
    await with_password(services, await company(services))
    assert (await browser.sign_in("/portal", "x@acme.example", PASSWORD)).status == 401
    assert (await browser.sign_in("/company", "x@acme.example", PASSWORD)).path == "/company"


async def test_one_address_in_two_companies_has_two_passwords(services: AppServices, app: Front) -> None:
    ones = []
    for name, password in (("One", PASSWORD), ("Two", "another horse battery")):
        made = await services.companies.create_company(operator(), name, "x@acme.example")
        [first] = await services.companies.administrators(operator(), made.id)
        ones.append((PersonKey("company", made.id, first.id), password))
        await with_password(services, *ones[-1])
    for key, password in ones:
        browser = Browser(app)
        await browser.sign_in("/company", "x@acme.example", password)
        session = await services.sessions.find(browser.client.cookies["provisor_company"])
        assert session is not None
        assert session.realm_id == key.realm_id
        await browser.close()


# Guessing


async def test_ten_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(
    services: AppServices, ada: User, clock: SettableClock, app: Front
) -> None:
    await with_password(services, person(ada))
    for number in range(10):
        browser = Browser(app, address=f"198.51.100.{number}")
        assert (await browser.sign_in("/portal", ADA, "wrong password")).status == 401
        await browser.close()
    browser = Browser(app)
    page = await browser.sign_in("/portal", ADA, PASSWORD)
    assert page.status == 429
    assert "Try again in 15 minutes." in page.text
    clock.advance(15 * 60 - 1)
    assert (await browser.sign_in("/portal", ADA, PASSWORD)).status == 429
    clock.advance(1)
    assert (await browser.sign_in("/portal", ADA, PASSWORD)).status == 200
    await browser.close()


# The second factor


async def test_a_second_factor_is_set_up_by_its_owner_and_asked_for_from_then_on(
    services: AppServices, ada: User, browser: Browser, clock: SettableClock
) -> None:
    await with_password(services, person(ada))
    await browser.sign_in("/portal", ADA, PASSWORD)
    page = await browser.get("/portal/account/second-factor")
    assert page.images[0].startswith("data:image/svg+xml")
    secret = next(word for word in page.text.split() if len(word) == 32 and word.isupper())
    assert "The code is wrong" in (await browser.send(page, "/portal/account/second-factor", code="000000")).text
    done = await browser.send(page, "/portal/account/second-factor", code=code_of(secret, clock))
    codes = [word for word in done.text.split() if len(word) == 11 and word[5] == "-"]
    assert len(set(codes)) == 10
    browser.client.cookies.delete("provisor_session")
    asked = await browser.sign_in("/portal", ADA, PASSWORD, quote("/portal/account"))
    assert asked.path.startswith("/portal/sign-in/code")
    assert "provisor_session" not in browser.client.cookies, "no session before the code"
    used = await browser.send(asked, "/portal/sign-in/code", code=code_of(secret, clock))
    assert (used.status, "used before" in used.text) == (422, True)
    clock.advance(30)
    assert (await browser.send(asked, "/portal/sign-in/code", code=code_of(secret, clock))).path == "/portal/account"


async def test_between_password_and_code_nothing_can_be_forged_or_kept(
    services: AppServices, ada: User, browser: Browser, clock: SettableClock
) -> None:
    await with_password(services, person(ada))
    secret, _ = await with_second_factor(services, person(ada), clock)
    clock.advance(60)
    for forged in ("", "00", "x" * 500, "ab" * 60):
        browser.client.cookies.set("provisor_pending", forged, domain="id.example")
        assert (await browser.get("/portal/sign-in/code")).path == "/portal/sign-in?next=%2Fportal"
    browser.client.cookies.clear()
    asked = await browser.sign_in("/portal", ADA, PASSWORD)
    assert asked.path.startswith("/portal/sign-in/code")
    assert (await browser.get("/company/sign-in/code")).path.startswith("/company/sign-in?")
    assert (await browser.get("/portal/sign-in/second-factor")).path.startswith("/portal/sign-in?")
    clock.advance(10 * 60)
    late = await browser.send(asked, "/portal/sign-in/code", code=code_of(secret, clock))
    assert late.path.startswith("/portal/sign-in?")


# One's own account


async def test_a_new_password_ends_every_other_session(
    services: AppServices, ada: User, app: Front, clock: SettableClock
) -> None:
    await with_password(services, person(ada))
    one, two = Browser(app), Browser(app)
    for browser in (one, two):
        await browser.sign_in("/portal", ADA, PASSWORD)
    clock.advance(5)
    page = await one.get("/portal/account/password")
    new = "quite another horse"
    wrong = await one.send(page, "/portal/account/password", old="wrong", password=new, again=new)
    assert "The present password is wrong." in wrong.text
    assert (
        "little more"
        in (
            await one.send(page, "/portal/account/password", old=PASSWORD, password="lindenhof1", again="lindenhof1")
        ).text
    )
    page = await one.get("/portal/account/password")
    done = await one.send(page, "/portal/account/password", old=PASSWORD, password=new, again=new)
    assert done.path == "/portal/account"
    assert (await two.get("/portal/account")).path.startswith("/portal/sign-in")
    assert (await two.sign_in("/portal", ADA, PASSWORD)).status == 401
    assert (await two.sign_in("/portal", ADA, new)).status == 200
    clock.advance(5)
    page = await one.get("/portal/account")
    assert (await one.send(page, "/portal/account/sign-out-everywhere")).path.startswith("/portal/sign-in")
    assert (await two.get("/portal/account")).path.startswith("/portal/sign-in")
    for browser in (one, two):
        await browser.close()


# Companies


async def test_a_company_signs_up_once_under_its_name(services: AppServices, browser: Browser) -> None:
    page = await browser.get("/company/sign-up")
    words = {"company": "Acme", "email": "X@acme.example", "password": PASSWORD, "again": PASSWORD}
    done = await browser.send(page, "/company/sign-up", **words)
    assert (done.status, done.path) == (200, "/company")
    [made] = await services.companies.companies(operator())
    [first] = await services.companies.administrators(operator(), made.id)
    assert (made.name, first.email, first.is_admin) == ("Acme", "x@acme.example", True)
    browser.client.cookies.clear()
    again = await browser.send(await browser.get("/company/sign-up"), "/company/sign-up", **words)
    assert (again.status, "There is a company 'Acme' already" in again.text) == (422, True)
    bad = await browser.send(
        await browser.get("/company/sign-up"), "/company/sign-up", **{**words, "company": "Other", "email": "nobody"}
    )
    assert bad.status == 422
    assert len(await services.companies.companies(operator())) == 1


async def test_an_invitation_makes_an_administrator_when_it_is_accepted(
    services: AppServices, browser: Browser
) -> None:
    key = await company(services)
    link = await services.links.invite(operator(), key.realm_id, "new@acme.example")
    assert len(await services.companies.administrators(operator(), key.realm_id)) == 1
    page = await browser.get(link.path)
    assert "You are invited to administer Acme of x@acme.example as new@acme.example" in page.text
    done = await browser.send(page, link.path, password=PASSWORD, again=PASSWORD)
    assert done.path == "/company"
    people = await services.companies.administrators(operator(), key.realm_id)
    assert [one.email for one in people] == ["x@acme.example", "new@acme.example"]
    assert (await browser.get(link.path)).status == 404
    taken = await services.links.invite(operator(), key.realm_id, "new@acme.example")
    refused = await browser.send(await browser.get(taken.path), taken.path, password=PASSWORD, again=PASSWORD)
    assert (refused.status, "belongs to this company already" in refused.text) == (422, True)


# Forged forms and redirects


@pytest.mark.parametrize(
    "path",
    [
        "/portal/sign-in",
        "/portal/sign-in/code",
        "/portal/sign-in/second-factor",
        "/portal/sign-out",
        "/portal/account/password",
        "/portal/account/second-factor",
        "/portal/account/second-factor/codes",
        "/portal/account/second-factor/remove",
        "/portal/account/sign-out-everywhere",
        "/company/sign-in",
        "/company/sign-up",
        "/company/sign-out",
        "/company/account/password",
        "/welcome/TEXT",
    ],
)
async def test_no_form_is_taken_that_is_not_our_own_pages(
    services: AppServices, ada: User, browser: Browser, path: str
) -> None:
    await with_password(services, person(ada))
    await with_password(services, await company(services))
    await browser.sign_in("/portal", ADA, PASSWORD)
    await browser.sign_in("/company", "x@acme.example", PASSWORD)
    link = await services.links.for_person(operator(), person(ada))
    path = path.replace("/welcome/TEXT", link.path)
    values = {"login": ADA, "password": PASSWORD, "again": PASSWORD, "code": "000000", "old": PASSWORD}
    session = await services.sessions.find(browser.client.cookies["provisor_session"])
    assert session is not None
    for csrf, origin in (("", BASE), ("0" * 64, BASE), (session.csrf, "https://evil.example"), (session.csrf, "null")):
        answer = await browser.client.post(path, data={**values, "csrf": csrf}, headers={"origin": origin})
        assert answer.status_code == 403, (csrf, origin)
    await services.links.find(link.path.removeprefix("/welcome/"))


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/portal",
        "/\\evil.example",
        "/portal\\..\\x",
        "/\tportal",
        "javascript:alert(1)",
        "/portal@evil.example",
        "/portalx",
        "/company",
        "/x/oauth2/v2.0/authorizeX?",
        "//x/oauth2/v2.0/authorize?a",
        "/a/b/oauth2/v2.0/authorize?a",
        "/x/oauth2/v2.0/authorize?a\r\nSet-Cookie: a=b",
        "/" + "x" * 9_000,
    ],
)
async def test_a_sign_in_leads_nowhere_else(services: AppServices, ada: User, browser: Browser, to: str) -> None:
    await with_password(services, person(ada))
    page = await browser.sign_in("/portal", ADA, PASSWORD, quote(to, safe=""))
    assert (page.status, page.path) == (200, "/portal")
    assert (await browser.get(f"/portal/sign-in?next={quote(to, safe='')}")).path == "/portal"


async def test_pages_escape_what_they_are_given(services: AppServices, ada: User, browser: Browser) -> None:
    evil = "<script>alert(1)</script>"
    page = await browser.get(f"/portal/sign-in?login_hint={quote(evil)}&next={quote(evil)}")
    assert evil not in page.response.text
    page = await browser.sign_in("/portal", evil, evil)
    assert evil not in page.response.text
    policy = page.response.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "form-action 'self'" in policy
