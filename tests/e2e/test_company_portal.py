"""The company portal in a real browser: the guide's six steps to a key, also without scripts; every page for all."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from playwright.sync_api import Page, expect
from tests.e2e.portal import Browser, Portal, needs_chromium, require_accessible, require_fits

from provisor.security.actor import Realm, operator

pytestmark = needs_chromium

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
SETTINGS = "/company/settings"
KEYS = f"{SETTINGS}/authentication/api-keys"
SCHEMA = {
    "id": "urn:example:params:scim:schemas:extension:badge:2.0:User",
    "name": "Badge",
    "attributes": [{"name": "badge", "type": "string", "multiValued": False, "required": False}],
}


def scim(portal: Portal, key: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """A request of a provisioner: its status and what was answered."""
    request = urllib.request.Request(
        f"{portal.address}/scim/v2{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"authorization": f"Bearer {key}", "content-type": "application/scim+json"},
    )
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


def add_user(portal: Portal, key: str, name: str, **more: Any) -> str:
    body = {"schemas": [USER], "userName": f"{name}@acme.example", "displayName": name, **more}
    status, answer = scim(portal, key, "POST", "/Users", body)
    assert status == 201, answer
    return str(answer["id"])


def copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_the_guides_six_steps_to_a_key_from_an_empty_database(portal: Portal, browser: Browser) -> None:
    page = browser.page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    # Before the guide begins: the company, and a password for its first administrator.
    page.goto("/company")
    page.get_by_label("Company name").fill("Contoso")
    page.get_by_label("Your e-mail address").fill("ada@contoso.example")
    browser.picture(page, "key-0-begin")
    page.get_by_role("button", name="Create the company").click()
    page.locator("input[name=password]").fill("correct horse battery staple")
    page.locator("input[name=again]").fill("correct horse battery staple")
    page.get_by_role("button", name="Set the password and sign in").click()
    expect(page.get_by_role("heading", name="Connect an identity provider")).to_be_visible()

    # 1. Company Settings
    page.get_by_role("link", name="Company Settings").click()
    expect(page.get_by_role("heading", name="Company Settings", level=1)).to_be_visible()
    browser.picture(page, "key-1-company-settings")

    # 2. Authentication
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Authentication").click()
    expect(page.get_by_label("SCIM address (Tenant URL)", exact=True)).to_have_value(f"{portal.address}/scim/v2")
    browser.picture(page, "key-2-authentication")

    # 3. API Keys and Add key
    page.get_by_role("link", name="API Keys", exact=True).click()
    expect(page.get_by_text("No key yet")).to_be_visible()
    browser.picture(page, "key-3-api-keys")
    page.get_by_role("link", name="Add key").first.click()

    # 4. Name and expiration date
    page.get_by_label("Name").fill("Microsoft Entra ID")
    page.get_by_label("Expiration date").fill("2089-12-31")
    browser.picture(page, "key-4-name-and-expiry")

    # 5. Save
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The key will not be shown again.")).to_be_visible()
    key = page.get_by_label("API key (Secret Token)", exact=True).input_value()
    assert key.startswith("pvk_")
    browser.picture(page, "key-5-saved")

    # 6. Copy: each, and both together
    page.get_by_role("button", name="Copy: API key (Secret Token)").click()
    expect(page.get_by_role("button", name="Copy: API key (Secret Token)")).to_contain_text("Copied")
    assert copied(page) == key
    page.get_by_role("button", name="Copy both").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert copied(page) == f"{portal.address}/scim/v2\n{key}"
    browser.picture(page, "key-6-copied")

    assert scim(portal, key, "GET", "/Users")[0] == 200
    page.get_by_role("link", name="Done").click()
    row = page.get_by_role("row", name="Microsoft Entra ID")
    expect(row).to_contain_text(key[:16])
    expect(row).to_contain_text("ada@contoso.example")
    expect(row).to_contain_text("2089-12-31")
    expect(row).to_contain_text("Works")
    assert key not in page.content()


def test_with_scripts_off_a_key_is_made_rotated_and_revoked(portal: Portal, browser: Browser) -> None:
    page = browser.page(portal.signed_in(portal.company()), scripts=False)
    page.goto(f"{KEYS}/add")
    page.get_by_label("Name").fill("okta")
    page.get_by_label("Expiration date").fill("2089-12-31")
    page.get_by_role("button", name="Save").click()
    old = page.get_by_label("API key (Secret Token)", exact=True).input_value()
    expect(page.get_by_role("button", name="Copy both")).to_be_hidden()

    page.goto(KEYS)
    page.get_by_role("link", name="Rotate the key okta").click()
    page.get_by_label("Expiration date of the new key").fill("2089-12-31")
    page.get_by_role("button", name="Make the new key").click()
    new = page.get_by_label("API key (Secret Token)", exact=True).input_value()
    assert {scim(portal, key, "GET", "/Users")[0] for key in (old, new)} == {200}

    page.goto(KEYS)
    page.get_by_role("row", name=old[:16]).get_by_role("link", name="Revoke").click()
    expect(page.get_by_role("heading", name="Revoke the key okta?", level=1)).to_be_visible()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status").filter(has_text="was revoked")).to_be_visible()
    assert (scim(portal, old, "GET", "/Users")[0], scim(portal, new, "GET", "/Users")[0]) == (401, 200)
    page.reload()
    expect(page.get_by_text("was revoked")).to_have_count(0)


def test_with_scripts_a_question_is_a_dialog_that_can_be_declined(portal: Portal, browser: Browser) -> None:
    company = portal.company()
    _, key = portal.key(company)
    page = browser.page(portal.signed_in(company))
    page.goto(KEYS)
    dialog = page.get_by_role("dialog")
    page.get_by_role("link", name="Revoke the key entra").click()
    expect(dialog.get_by_role("heading", name="Revoke the key entra?")).to_be_visible()
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Revoke the key entra").press("Enter")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert scim(portal, key, "GET", "/Users")[0] == 200
    page.get_by_role("link", name="Revoke the key entra").click()
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("was revoked")).to_be_visible()
    assert scim(portal, key, "GET", "/Users")[0] == 401


def test_a_question_about_what_is_gone_meanwhile_says_so(portal: Portal, browser: Browser) -> None:
    company = portal.company()
    hook, _ = portal.run(portal.services.webhooks.add(operator(), company, "https://product.example/hook"))
    page = browser.page(portal.signed_in(company))
    page.goto("/company/webhooks")
    portal.run(portal.services.webhooks.remove(operator(), company, hook.id))
    page.get_by_role("link", name="Remove").click()
    expect(page.get_by_role("heading", name="Not found", level=1)).to_be_visible()
    expect(page.get_by_text("There is no such webhook.")).to_be_visible()


def test_who_signs_out_comes_back_to_the_page_that_was_asked_for(portal: Portal, browser: Browser) -> None:
    page = browser.page()
    page.goto("/company")
    page.get_by_label("Company name").fill("Contoso")
    page.get_by_label("Your e-mail address").fill("ada@contoso.example")
    page.get_by_role("button", name="Create the company").click()
    page.locator("input[name=password]").fill("correct horse battery staple")
    page.locator("input[name=again]").fill("correct horse battery staple")
    page.get_by_role("button", name="Set the password and sign in").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(KEYS)
    assert "/company/sign-in" in page.url
    require_accessible(page)
    require_fits(page)
    page.get_by_label("E-mail").fill("ada@contoso.example")
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="API Keys", level=1)).to_be_visible()
    page.get_by_role("link", name="ada@contoso.example").click()
    require_accessible(page)
    require_fits(page)


def test_a_key_of_who_lost_the_admin_permission_stops_and_the_list_says_so(portal: Portal, browser: Browser) -> None:
    company = portal.company()
    portal.run(portal.services.companies.add_administrator(operator(), company, "bob@acme.example"))
    _, key = portal.key(company, "bobs", administrator="bob@acme.example")
    bob = browser.page(portal.signed_in(company, "bob@acme.example"))
    bob.goto(KEYS)

    page = browser.page(portal.signed_in(company))
    page.goto(f"{SETTINGS}/administrators")
    page.get_by_role("row", name="bob@acme.example").get_by_role("link", name="Take Admin permission").click()
    page.get_by_role("dialog").get_by_role("button", name="Take it").click()
    expect(page.get_by_text("has lost the Admin permission")).to_be_visible()
    status, answer = scim(portal, key, "GET", "/Users")
    assert status == 403
    assert "bob@acme.example" in answer["detail"]
    page.goto(KEYS)
    expect(page.get_by_role("row", name="bobs")).to_contain_text("Does not work")
    expect(page.get_by_role("row", name="bobs")).to_contain_text("bob@acme.example is no longer an administrator")

    portal.services.sessions.forget()
    bob.goto(KEYS)
    expect(bob.get_by_role("heading", name="You may not do this")).to_be_visible()
    bob.goto("/company")
    expect(bob.get_by_text("You need the Admin permission")).to_be_visible()

    page.goto(f"{SETTINGS}/administrators")
    page.get_by_role("button", name="Give Admin permission").click()
    expect(page.get_by_text("has the Admin permission")).to_be_visible()
    assert scim(portal, key, "GET", "/Users")[0] == 200


def test_people_are_found_while_one_types_and_the_address_keeps_it(portal: Portal, browser: Browser) -> None:
    company = portal.company()
    _, key = portal.key(company)
    for name in ("ada", "grace", "adele"):
        add_user(portal, key, name)
    page = browser.page(portal.signed_in(company))
    page.goto("/company/users")
    found = page.locator("#list [data-found]")
    expect(found).to_have_text("3 users")
    page.get_by_role("searchbox").press_sequentially("ad")
    expect(found).to_have_text("2 users found")
    assert page.url.endswith("/company/users?q=ad")
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("ad")
    expect(page.get_by_role("link", name="grace")).to_have_count(0)
    page.get_by_role("link", name="adele").click()
    expect(page.get_by_role("heading", name="adele", level=1)).to_be_visible()
    expect(page.get_by_text("SCIM · entra")).to_be_visible()
    page.go_back()
    expect(found).to_have_text("2 users found")


def test_one_requests_whole_story_is_told(portal: Portal, browser: Browser) -> None:
    company = portal.company()
    _, key = portal.key(company)
    add_user(portal, key, "ada", favouriteColour="blue", password="hunter2hunter2")
    portal.run(portal.services.requests.flush())
    page = browser.page(portal.signed_in(company))
    page.goto("/company/requests?state=ignored")
    expect(page.get_by_text("1 attribute sent, not stored")).to_be_visible()
    page.get_by_role("row", name="POST").get_by_role("link").click()
    expect(page.get_by_text("Done, but not all that was sent is stored.")).to_be_visible()
    expect(page.get_by_text("favouriteColour", exact=True)).to_be_visible()
    assert "hunter2" not in page.content()
    page.get_by_role("link", name="ada", exact=True).click()
    expect(page.get_by_role("heading", name="ada", level=1)).to_be_visible()


def test_the_theme_is_the_systems_until_one_is_chosen_and_then_it_is_kept(portal: Portal, browser: Browser) -> None:
    page = browser.page(portal.signed_in(portal.company()), scheme="dark")
    page.goto("/company")
    theme = page.locator("html")
    expect(theme).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Light or dark").click()
    expect(theme).to_have_attribute("data-bs-theme", "light")
    page.goto(SETTINGS)
    expect(theme).to_have_attribute("data-bs-theme", "light")


def test_the_keyboard_alone_gets_to_the_content_and_through_the_menu(portal: Portal, browser: Browser) -> None:
    session = portal.signed_in(portal.company())
    page = browser.page(session)
    page.goto("/company")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    phone = browser.page(session, phone=True)
    phone.goto("/company")
    users = phone.get_by_role("navigation", name="Main").get_by_role("link", name="Users")
    expect(users).to_be_hidden()
    phone.get_by_role("button", name="Navigation").press("Enter")
    users.click()
    expect(phone.get_by_role("heading", name="Users", level=1)).to_be_visible()


def test_a_database_with_nothing_begins_with_a_form(portal: Portal, browser: Browser) -> None:
    page = browser.page(scripts=False)
    page.goto("/company")
    expect(page.get_by_role("heading", name="Begin with your company")).to_be_visible()
    require_fits(page)
    page.get_by_label("Company name").fill("Contoso")
    page.get_by_label("Your e-mail address").fill("not an address")
    page.locator("form").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Create the company").click()
    expect(page.get_by_text("is not an e-mail address")).to_be_visible()
    expect(page.get_by_label("Company name")).to_have_value("Contoso")
    page.get_by_label("Your e-mail address").fill("ada@contoso.example")
    page.get_by_role("button", name="Create the company").click()
    page.wait_for_url("**/welcome/*")
    companies = portal.run(portal.services.companies.companies(operator()))
    assert [company.name for company in companies] == ["Contoso"]


EMPTY_PAGES = ("/company", "/company/users", "/company/groups", "/company/requests", "/company/webhooks", KEYS, "/")


class Furnished:
    """A company in which every page has something to show."""

    def __init__(self, portal: Portal) -> None:
        services = portal.services
        self.company = portal.company()
        self.key_id, key = portal.key(self.company)
        portal.key(self.company, "build", service_account="provisioning")
        portal.run(services.companies.add_administrator(operator(), self.company, "bob@acme.example"))
        portal.key(self.company, "bobs", administrator="bob@acme.example")
        portal.run(services.companies.set_admin(operator(), self.company, "bob@acme.example", False))
        portal.run(services.links.invite(operator(), self.company, "eve@acme.example"))
        self.client, _ = portal.run(services.clients.create(operator(), self.company, "okta"))
        self.hook, _ = portal.run(services.webhooks.add(operator(), self.company, "https://product.example/hook"))
        portal.run(services.resources.custom.add(operator(), self.company, SCHEMA, extends="User"))
        self.users = [add_user(portal, key, f"user{n:02}", favouriteColour="blue") for n in range(52)]
        members = [{"value": user} for user in self.users]
        status, group = scim(
            portal, key, "POST", "/Groups", {"schemas": [GROUP], "displayName": "Sales", "members": members}
        )
        assert status == 201
        self.group = group["id"]
        scim(portal, key, "GET", "/Users/nobody")
        portal.run(services.requests.flush())
        self.entry = portal.run(services.requests.entries(operator(), self.company))[5].id
        people = portal.run(services.companies.administrators(operator(), self.company))
        self.person = people[1].id
        realm = Realm("company", self.company)
        self.change = portal.run(services.audit.page(operator(), realm)).entries[0].id
        self.account = portal.run(services.companies.service_accounts(operator(), self.company))[0].id

    @property
    def pages(self) -> list[str]:
        auth = f"{SETTINGS}/authentication"
        return [
            "/company",
            "/company/users",
            "/company/users?q=nobody",
            f"/company/users/{self.users[0]}",
            "/company/users/nobody",
            "/company/groups",
            f"/company/groups/{self.group}",
            "/company/requests",
            "/company/requests?state=409",
            "/company/requests?since=nonsense",
            f"/company/requests/{self.entry}",
            "/company/changes",
            "/company/webhooks",
            "/company/webhooks/add",
            f"/company/webhooks/{self.hook.id}/replay",
            f"/company/webhooks/{self.hook.id}/remove",
            SETTINGS,
            auth,
            KEYS,
            f"{KEYS}/add",
            f"{KEYS}/{self.key_id}/rotate",
            f"{KEYS}/{self.key_id}/revoke",
            f"{auth}/oauth-clients",
            f"{auth}/oauth-clients/add",
            f"{auth}/oauth-clients/{self.client.id}",
            f"{auth}/oauth-clients/{self.client.id}/revoke",
            f"{auth}/service-accounts",
            f"{auth}/service-accounts/{self.account}/remove",
            f"{SETTINGS}/administrators",
            f"{SETTINGS}/administrators/invite",
            f"{SETTINGS}/administrators/{self.person}/remove",
            f"{SETTINGS}/schemas",
            f"{SETTINGS}/schemas/add",
            f"{SETTINGS}/schemas/one?urn={SCHEMA['id']}",
            f"{SETTINGS}/audit",
            f"{SETTINGS}/audit/{self.change}",
            f"{SETTINGS}/messages",
            "/company/nothing",
        ]


def test_axe_finds_nothing_serious_on_any_page_in_light_and_dark(portal: Portal, browser: Browser) -> None:
    furnished = Furnished(portal)
    empty = portal.signed_in(portal.company("Empty", "eve@empty.example"))
    page = browser.page(portal.signed_in(furnished.company))
    bare = browser.page(empty, phone=True)
    for window, paths in ((page, furnished.pages), (bare, EMPTY_PAGES)):
        for path in paths:
            window.goto(path)
            require_accessible(window)
            # Of the dark, only the colours differ.
            window.emulate_media(color_scheme="dark")
            expect(window.locator("html")).to_have_attribute("data-bs-theme", "dark")
            require_accessible(window, "color-contrast")
            window.emulate_media(color_scheme="light")


def test_every_page_fits_a_phone(portal: Portal, browser: Browser) -> None:
    furnished = Furnished(portal)
    phone = browser.page(portal.signed_in(furnished.company), phone=True)
    for path in furnished.pages:
        phone.goto(path)
        require_fits(phone)
    bare = browser.page(portal.signed_in(portal.company("Empty", "eve@empty.example")), phone=True)
    for path in EMPTY_PAGES:
        bare.goto(path)
        require_fits(bare)
