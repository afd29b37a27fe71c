"""Sign up and sign in with Microsoft: one service principal, accounts that no e-mail address can take over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
from tests.integration.signin.asking import accept
from tests.integration.signin.browser import BASE, Browser, Page
from tests.integration.signin.conftest import KEY, PASSWORD, make_user, person, with_password

from provisor.app.services import AppServices, wire
from provisor.app.settings import Microsoft, Settings
from provisor.cli.faces import make_app
from provisor.connector.transport import Headers, Request, Response
from provisor.directory.model import User
from provisor.security.actor import operator
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.transport import MemoryTransport
from provisor.web.asgi import Front

ADA = "ada@lindenhof.example"
SIGN_UP, SIGN_IN = "/company/sign-up/microsoft", "/company/sign-in/microsoft"


@pytest.fixture
async def admin(services: AppServices, tenant: str, ada: User) -> User:
    await services.roles.grant(operator(), tenant, ada.id, "Global Administrator")
    await with_password(services, person(ada))
    return ada


async def signed_in(app: Front, login: str = ADA) -> Browser:
    browser = Browser(app)
    await browser.sign_in("/portal", login, PASSWORD)
    return browser


async def companies(services: AppServices) -> list[tuple[str, list[str]]]:
    found = []
    for one in await services.companies.companies(operator()):
        people = await services.companies.administrators(operator(), one.id)
        found.append((one.name, [person.email for person in people]))
    return found


async def instances(services: AppServices, tenant: str) -> list[str]:
    found = await services.registrations.instances(operator(), tenant)
    return [one.service_principal.template_id for one in found if one.service_principal.template_id]


async def test_signing_up_adds_the_app_to_the_tenant_once_and_comes_back_signed_in(
    services: AppServices, tenant: str, admin: User, app: Front
) -> None:
    browser = await signed_in(app)
    page = await browser.get(SIGN_UP)
    assert "Dialpad (id.example) would like to: Sign you in" in page.text
    done = await accept(browser, page, for_all="yes")
    assert (done.status, done.path) == (200, "/company")
    session = await services.sessions.find(browser.client.cookies["provisor_company"])
    assert session is not None
    assert session.name == ADA
    assert await companies(services) == [("lindenhof.example", [ADA])]
    found = [one.service_principal for one in await services.registrations.instances(operator(), tenant)]
    [made] = [one for one in found if one.template_id == "dialpad"]
    assert (made.display_name, made.owner_tenant_id != tenant) == ("Dialpad", True)
    assert [role.display_name for role in made.app_roles] == ["User"]
    [grant] = await services.grants.grants(operator(), tenant)
    assert (grant.client_id, grant.for_everybody) == (made.id, True)
    assert set(grant.scopes) == {"openid", "profile", "email", "User.Read"}
    assert any(one.service_principal.id == made.id for one in await services.applications.apps(operator(), tenant))
    # a second consent, in another browser: the same company, and nothing twice
    again = await signed_in(app)
    done = await accept(again, await again.get(SIGN_UP), for_all="yes")
    assert done.path == "/company"
    assert len(await companies(services)) == 1
    assert await instances(services, tenant) == ["dialpad"]
    assert len(await services.grants.grants(operator(), tenant)) == 1
    # and from now on a sign-in does without a page
    later = await signed_in(app)
    assert (await later.get(f"{SIGN_IN}?next=/company/account")).path == "/company/account"
    for one in (browser, again, later):
        await one.close()


async def test_declining_creates_neither_app_nor_company(
    services: AppServices, tenant: str, admin: User, app: Front
) -> None:
    browser = await signed_in(app)
    page = await browser.get(SIGN_UP)
    [form] = [one for one in page.forms if one.action.endswith("/consent")]
    done = await browser.send(page, form.action, decision="cancel")
    assert done.status == 400
    assert "declined to consent" in done.text
    assert await companies(services) == []
    assert await instances(services, tenant) == []
    assert "provisor_company" not in browser.client.cookies
    await browser.close()


async def test_who_is_signed_in_to_a_company_comes_back_into_it(services: AppServices, admin: User, app: Front) -> None:
    made = await services.setup.begin_company("Acme", "boss@acme.example")
    browser = await signed_in(app)
    await browser.send(await browser.get(made), made, password=PASSWORD, again=PASSWORD)
    done = await accept(browser, await browser.get(SIGN_UP))
    assert done.path == "/company"
    assert await companies(services) == [("Acme", ["boss@acme.example"])]
    later = await signed_in(app)
    await later.get(SIGN_IN)
    session = await services.sessions.find(later.client.cookies["provisor_company"])
    assert session is not None
    assert session.name == "boss@acme.example"
    for one in (browser, later):
        await one.close()


async def test_an_address_that_somebody_else_has_opens_nothing(
    services: AppServices, tenant: str, admin: User, app: Front
) -> None:
    await services.companies.create_company(operator(), "Acme", ADA)
    browser = await signed_in(app)
    page = await accept(browser, await browser.get(SIGN_IN))
    assert page.status == 403
    assert "belongs to no company here" in page.text
    assert "provisor_company" not in browser.client.cookies
    await browser.close()


async def test_a_taken_name_is_not_joined_but_replaced(services: AppServices, admin: User, app: Front) -> None:
    await services.companies.create_company(operator(), "lindenhof.example", "boss@acme.example")
    browser = await signed_in(app)
    page = await accept(browser, await browser.get(SIGN_UP))
    assert (page.status, "you need an invitation" in page.text) == (422, True)
    again = await browser.send(page, f"{SIGN_UP}/name", company="lindenhof.example")
    assert again.status == 422
    done = await browser.send(again, f"{SIGN_UP}/name", company="Lindenhof")
    assert done.path == "/company"
    assert [name for name, _ in await companies(services)] == ["lindenhof.example", "Lindenhof"]
    browser.client.cookies.delete("provisor_microsoft")
    await browser.get("/company/account")
    await browser.close()


async def test_an_invitation_is_accepted_with_microsoft_by_whoever_holds_it(
    services: AppServices, tenant: str, admin: User, app: Front
) -> None:
    made = await services.companies.create_company(operator(), "Acme", "boss@acme.example")
    link = await services.links.invite(operator(), made.id, "new@acme.example")
    browser = await signed_in(app)
    page = await browser.get(link.path)
    [way] = [one for one in page.links if one.startswith(SIGN_IN)]
    done = await accept(browser, await browser.get(way))
    assert done.path == "/company"
    assert await companies(services) == [("Acme", ["boss@acme.example", "new@acme.example"])]
    assert (await browser.get(link.path)).status == 404
    assert (await browser.get(way)).status == 404
    await browser.close()


async def test_another_person_of_the_tenant_is_another_account(
    services: AppServices, tenant: str, admin: User, app: Front
) -> None:
    browser = await signed_in(app)
    await accept(browser, await browser.get(SIGN_UP), for_all="yes")
    eve = await make_user(services, tenant, "eve")
    await with_password(services, person(eve))
    other = await signed_in(app, "eve@lindenhof.example")
    assert (await other.get(SIGN_IN)).status == 403
    # the name that Ada had is Eve's now; the account stays Ada's
    await services.directory.update_user(operator(), tenant, admin.id, {"userPrincipalName": "old@lindenhof.example"})
    await services.directory.update_user(operator(), tenant, eve.id, {"userPrincipalName": ADA})
    assert (await other.get(SIGN_IN)).status == 403
    assert (await browser.get(SIGN_IN)).path == "/company"
    for one in (browser, other):
        await one.close()


async def test_a_new_address_of_this_server_changes_no_account(
    services: AppServices, admin: User, app: Front, database: Database, clock: SettableClock
) -> None:
    browser = await signed_in(app)
    await accept(browser, await browser.get(SIGN_UP), for_all="yes")
    await browser.close()
    moved = wire(database, KEY, MemoryTransport(nothing), Settings(public_url="https://new.example"), clock)
    browser = Browser(make_app(moved), "https://new.example")
    await browser.sign_in("/portal", ADA, PASSWORD)
    assert (await browser.get(SIGN_IN)).path == "/company"
    await browser.close()


@pytest.mark.parametrize("change", ["state", "no state", "code", "no code", "no cookie", "late", "twice"])
async def test_what_comes_back_must_answer_what_was_begun_here(
    services: AppServices, admin: User, app: Front, clock: SettableClock, change: str
) -> None:
    browser = await signed_in(app)
    page = await browser.get(SIGN_UP)
    [form] = [one for one in page.forms if one.action.endswith("/consent")]
    sent = {**form.values, "decision": "accept"}
    answer = await browser.client.post(form.action, data=sent, headers={"origin": BASE})
    address = answer.headers["location"]
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if change == "state":
        query["state"] = "x" * 43
    elif change == "no state":
        del query["state"]
    elif change == "code":
        query["code"] = "x" * 43
    elif change == "no code":
        del query["code"]
    elif change == "no cookie":
        browser.client.cookies.delete("provisor_microsoft")
    elif change == "late":
        clock.advance(20 * 60)
        await browser.sign_in("/portal", ADA, PASSWORD)
    else:
        held = browser.client.cookies["provisor_microsoft"]
        assert (await browser.get(address)).path == "/company"
        browser.client.cookies.clear()
        browser.client.cookies.set("provisor_microsoft", held, domain="id.example")
    page = await browser.get(f"{parts.path}?{urlencode(query)}")
    assert (page.status, "Not signed in" in page.text) == (400, True)
    assert "provisor_company" not in browser.client.cookies
    await browser.close()


# Entra ID itself, or whichever authority speaks as it does


def nothing(request: Request) -> Response:
    raise AssertionError(f"Nobody should be asked: {request.url}")


class Entra:
    """Another installation's authority, asked over the transport as Entra ID would be."""

    def __init__(self, services: AppServices) -> None:
        self.app = make_app(services)
        self.browser = Browser(self.app, "https://login.example")
        self.spoil: dict[str, Any] = {}

    async def __call__(self, request: Request) -> Response:
        answer = await self.browser.client.request(
            request.method, request.url, content=request.body, headers=dict(request.headers)
        )
        body = answer.content
        for path, change in self.spoil.items():
            if urlsplit(request.url).path.endswith(path):
                body = msgspec.json.encode(change(msgspec.json.decode(body)))
        return Response(answer.status_code, Headers(dict(answer.headers)), body)


@pytest.fixture
async def entra(services: AppServices, admin: User, tenant: str) -> AsyncIterator[tuple[Entra, AppServices]]:
    """The directory as somebody else's, and the company portal of another installation that trusts it."""
    made = await services.registrations.register(
        operator(),
        tenant,
        {
            "displayName": "Talk",
            "signInAudience": "AzureADMultipleOrgs",
            "web": {"redirectUris": ["https://talk.example/company/sign-in/microsoft/callback"]},
        },
    )
    secret = (await services.passwords.add(operator(), made)).text
    authority = Entra(wire(services.database, KEY, MemoryTransport(nothing), Settings(), services.clock))
    settings = Settings(
        public_url="https://talk.example",
        microsoft=Microsoft("https://login.example/organizations", made.app_id, secret),
    )
    yield authority, wire(services.database, KEY, MemoryTransport(authority), settings, services.clock)
    await authority.browser.close()


async def there_and_back(entra: Entra, app: Front, start: str) -> tuple[Browser, Page]:
    """Begin at the portal, sign in and accept at the authority, and come back."""
    portal = Browser(app, "https://talk.example")
    away = await portal.get(start)
    assert away.location.startswith("https://login.example/organizations/oauth2/v2.0/authorize?")
    await entra.browser.sign_in("/portal", ADA, PASSWORD)
    page = await entra.browser.get(away.location)
    if not page.location:
        page = await accept(entra.browser, page, for_all="yes")
    return portal, await portal.get(page.location)


async def test_another_authority_is_trusted_by_its_document_and_keys(entra: tuple[Entra, AppServices]) -> None:
    authority, services = entra
    app = make_app(services)
    browser, page = await there_and_back(authority, app, SIGN_UP)
    assert (page.status, page.path) == (200, "/company")
    assert await companies(services) == [("lindenhof.example", [ADA])]
    await browser.close()
    browser, page = await there_and_back(authority, app, SIGN_IN)
    assert page.path == "/company"
    await browser.close()


@pytest.mark.parametrize(
    ("path", "change", "said"),
    [
        ("/keys", lambda body: {"keys": []}, "cannot be trusted"),
        ("/token", lambda body: {**body, "id_token": body["access_token"]}, "another application's"),
        ("/token", lambda body: {**body, "id_token": "x.y.z"}, "cannot be trusted"),
        ("/token", lambda body: {"access_token": "x"}, "cannot be trusted"),
        ("/openid-configuration", lambda body: {**body, "issuer": "https://evil.example/v2.0"}, "another issuer"),
    ],
)
async def test_a_token_that_cannot_be_trusted_signs_nobody_in(
    entra: tuple[Entra, AppServices], path: str, change: Any, said: str
) -> None:
    authority, services = entra
    authority.spoil[path] = change
    browser, page = await there_and_back(authority, make_app(services), SIGN_UP)
    assert (page.status, said in page.text) == (400, True), page.text
    assert "provisor_company" not in browser.client.cookies
    assert await companies(services) == []
    await browser.close()
