"""Several accounts in the app could be one person's: an administrator tells them apart in the browser, and decides."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.e2e.conftest import get
from tests.e2e.portal import Browser, Portal, SignedIn, needs_chromium, require_accessible, require_fits

from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.signin.people import PersonKey

pytestmark = needs_chromium

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass
class Muddle:
    """A directory whose people have had accounts in the app before, under other addresses; one cycle has run."""

    portal: Portal
    session: SignedIn
    app: str
    job: str
    key: str
    accounts: dict[str, str]  # user name -> id, as the app had them before

    @property
    def page(self) -> str:
        return f"/portal/apps/{self.app}/provisioning"

    def cycle(self) -> None:
        """What a worker would do now."""
        self.portal.run(run_inline(self.portal.services.engine("test"), self.job))

    def account(self, name: str) -> dict[str, Any] | None:
        """What the app has by this user name."""
        everybody = get(f"{self.portal.address}/scim/v2/Users?count=100", self.key)["Resources"]
        return next((one for one in everybody if one["userName"] == name), None)


def post(address: str, key: str, user: dict[str, Any]) -> str:
    """An account that the app has already; its id."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/scim+json"}
    asked = urllib.request.Request(f"{address}/scim/v2/Users", json.dumps(user).encode(), headers)
    with urllib.request.urlopen(asked) as reply:
        return str(json.load(reply)["id"])


@pytest.fixture
def muddle(portal: Portal) -> Muddle:
    services, me = portal.services, operator()
    tenant = portal.run(services.directory.create_tenant(me, "Contoso", "contoso.example")).id
    _, key = portal.key(portal.company())
    app = portal.run(services.applications.add(me, tenant, "dialpad", "Dialpad", f"{portal.address}/scim/v2", key))
    ids, accounts = {}, {}
    for name, surname in (("grace", "Hopper"), ("alan", "Turing"), ("mary", "Shelley")):
        old, older = f"{name}.{surname.lower()}@old.example", f"{name[0]}{surname.lower()}@older.example"
        person = {
            "userPrincipalName": f"{name}@contoso.example",
            "displayName": f"{name.title()} {surname}",
            "mail": old,
            "otherMails": [older],
            "department": "Engineering",
            "jobTitle": "Head of it",
        }
        ids[name] = portal.run(services.directory.create_user(me, tenant, person)).id
        portal.run(services.applications.assign(me, tenant, app.service_principal.id, ids[name], "User"))
        for address, title, department, active in (
            (old, "Head of it", "Engineering", True),
            (older, "Summer intern", "Post room", False),
        ):
            accounts[address] = post(
                portal.address,
                key,
                {
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
                    "userName": address,
                    "displayName": f"{name.title()} {surname}",
                    "emails": [{"value": address, "type": "work", "primary": True}],
                    "title": title,
                    "active": active,
                    ENTERPRISE: {"department": department},
                },
            )
    boss = {"userPrincipalName": "ada@contoso.example", "displayName": "Ada Lovelace"}
    ada = portal.run(services.directory.create_user(me, tenant, boss)).id
    portal.run(services.roles.grant(me, tenant, ada, "Global Administrator"))
    portal.run(services.provisioning.start(me, app.job_id))
    session = portal.session(PersonKey("tenant", tenant, ada))
    muddle = Muddle(portal, session, app.service_principal.id, app.job_id, key, accounts)
    muddle.cycle()
    return muddle


def open_decisions(page: Page, muddle: Muddle) -> None:
    """From the synchronization page to what waits for a decision."""
    page.goto(muddle.page)
    with page.expect_navigation():
        page.get_by_role("link", name="Look at the accounts, and decide").click()


def about(page: Page, name: str) -> Locator:
    """What is to be decided about one person."""
    return page.get_by_role("region", name=name, exact=True)


def test_an_administrator_tells_accounts_apart_and_decides(muddle: Muddle, browser: Browser) -> None:
    page = browser.page(muddle.session)
    open_decisions(page, muddle)
    require_accessible(page)
    grace = about(page, "grace@contoso.example")
    hers, intern = grace.locator(".account", has_text="Account 1"), grace.locator(".account", has_text="Account 2")
    expect(grace.locator(".account", has_text="In the directory")).to_contain_text("Head of it")
    for what in ("grace.hopper@old.example", "yes", "Head of it", "Engineering"):
        expect(hers).to_contain_text(what)
    for what in ("ghopper@older.example", "no", "Summer intern", "Post room"):
        expect(intern.locator("strong", has_text=what).first).to_be_visible()
    browser.picture(page, "trouble-4-several-accounts")

    hers.get_by_role("button", name="Link to this one").click()
    expect(page.get_by_text("Decided: it is linked to that account.")).to_be_visible()
    expect(about(page, "grace@contoso.example")).to_contain_text("Link to grace.hopper@old.example")
    expect(about(page, "grace@contoso.example")).to_contain_text("ada@contoso.example, ")
    about(page, "alan@contoso.example").get_by_role("button", name="create a new account").click()
    expect(page.get_by_text("Decided: a new account is created.")).to_be_visible()
    about(page, "mary@contoso.example").get_by_role("button", name="Ignore: no account").click()
    expect(page.get_by_text("Decided: it is left out until somebody decides otherwise.")).to_be_visible()
    expect(page.get_by_text("Nothing to decide")).to_be_visible()
    require_accessible(page)

    muddle.cycle()
    linked = muddle.account("grace@contoso.example")
    assert linked is not None
    assert linked["id"] == muddle.accounts["grace.hopper@old.example"]
    assert muddle.account("grace.hopper@old.example") is None
    untouched = muddle.account("ghopper@older.example")
    assert untouched is not None
    assert (untouched["active"], untouched["title"]) == (False, "Summer intern")
    created = muddle.account("alan@contoso.example")
    assert created is not None
    assert created["id"] not in muddle.accounts.values()
    assert muddle.account("alan.turing@old.example") is not None
    assert muddle.account("mary@contoso.example") is None

    page.goto(f"/portal/apps/{muddle.app}/logs")
    log = page.get_by_role("table")
    expect(log.get_by_role("row", name="grace@contoso.example").first).to_contain_text("update")
    expect(log.get_by_role("row", name="alan@contoso.example").first).to_contain_text("create")
    log.get_by_role("row", name="mary@contoso.example").first.get_by_role("link").first.click()
    page.get_by_role("link", name="Troubleshooting").click()
    expect(page.get_by_text("ada@contoso.example has decided that it is left out.")).to_be_visible()

    # Only who is ignored is still there, and can be decided about anew.
    page.goto(f"{muddle.page}/pending")
    expect(page.get_by_role("region", name="@contoso.example")).to_have_count(1)
    mary = about(page, "mary@contoso.example")
    mary.get_by_text("Decide otherwise").click()
    mary.get_by_role("button", name="Link to this one mary.shelley@old.example").click()
    muddle.cycle()
    linked = muddle.account("mary@contoso.example")
    assert linked is not None
    assert linked["id"] == muddle.accounts["mary.shelley@old.example"]
    page.goto(muddle.page)
    expect(page.get_by_role("link", name="Look at the accounts, and decide")).to_have_count(0)


def test_it_is_decided_on_a_phone_in_the_dark_and_without_scripts(muddle: Muddle, browser: Browser) -> None:
    page = browser.page(muddle.session, phone=True, scheme="dark")
    open_decisions(page, muddle)
    require_fits(page)
    require_accessible(page)
    page = browser.page(muddle.session, scripts=False)
    open_decisions(page, muddle)
    about(page, "alan@contoso.example").get_by_role("button", name="Link to this one aturing@older.example").click()
    expect(page.get_by_text("Decided: it is linked to that account.")).to_be_visible()
    muddle.cycle()
    linked = muddle.account("alan@contoso.example")
    assert linked is not None
    assert linked["id"] == muddle.accounts["aturing@older.example"]
    assert linked["active"]
