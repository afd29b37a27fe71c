"""The original guide, clicked through in Chromium from an empty database to people in the app: see ``docs/tutorial``.

Six steps for the key, eight for adding the app from the gallery, twenty-one for its provisioning. What they lead to is
looked at on the app's side, and the chains that cross both sides are followed from there.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect
from tests.e2e.conftest import Program, eventually
from tests.e2e.portal import Browser, Portal, needs_chromium

from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.testing.database import sqlite_store

pytestmark = needs_chromium

PASSWORD = "correct horse battery staple"
PEOPLE = """version:v1.0
Name [displayName] Required,User name [userPrincipalName] Required,Initial password [passwordProfile] Required,\
Block sign in (Yes/No) [accountEnabled] Required,Department [department],Job title [jobTitle]
Grace Hopper,grace@contoso.example,first-words-2026,No,Engineering,Rear Admiral
Alan Turing,alan@contoso.example,first-words-2026,No,Engineering,Mathematician
Mary Shelley,mary@contoso.example,first-words-2026,No,Writing,Novelist
"""


@pytest.fixture
def guide(tmp_path: Path, _chromium: Chromium, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium on the real program, with its worker, on an empty database."""
    wanted = request.config.getoption("pictures")
    # Playwright has an event loop of its own in this thread, beside which no other runs.
    with ThreadPoolExecutor(1) as elsewhere:
        store = elsewhere.submit(sqlite_store, tmp_path / "data").result()
    with Program(store, tmp_path).serving() as address:
        opened = Browser(_chromium, address, Path(wanted) if wanted else None)
        yield opened
        opened.close()


def scim(address: str, key: str, path: str) -> Any:
    """What the app has, asked as the directory does."""
    asked = urllib.request.Request(f"{address}/scim/v2{path}", headers={"authorization": f"Bearer {key}"})
    with urllib.request.urlopen(asked) as reply:
        return json.load(reply)


def accounts(address: str, key: str) -> dict[str, bool]:
    """User name -> active, of the company."""
    return {one["userName"]: one["active"] for one in scim(address, key, "/Users")["Resources"]}


def main(page: Page, name: str) -> None:
    """A link of the navigation at the side."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()


def begin(browser: Browser) -> Page:
    """The directory, its first administrator, and three people from a file that was looked at first."""
    page = browser.page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/portal")
    page.get_by_label("Organisation").fill("Contoso")
    page.get_by_label("Domain").fill("contoso.example")
    page.get_by_label("Your user name").fill("ada@contoso.example")
    page.get_by_role("button", name="Create the directory").click()
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=again]").fill(PASSWORD)
    page.get_by_role("button", name="Set the password and sign in").click()
    expect(page.get_by_role("heading", name="Contoso", level=1)).to_be_visible()
    main(page, "Import and export")
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": PEOPLE.encode()}
    page.get_by_label("Users", exact=True).set_input_files(file)  # type: ignore[arg-type]  # a TypedDict
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="What this would change")).to_be_visible()
    expect(page.get_by_role("table")).to_contain_text("Rear Admiral")
    browser.picture(page, "directory-1-import-preview")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Imported: 3 created")).to_be_visible()
    return page


def add_the_app(browser: Browser, page: Page) -> None:
    """The guide's eight steps."""
    # 1. Enterprise applications
    main(page, "Enterprise applications")
    expect(page.get_by_text("No application yet")).to_be_visible()
    browser.picture(page, "app-1-enterprise-applications")

    # 2. New application
    page.get_by_role("link", name="New application").first.click()
    expect(page.get_by_role("heading", name="New application")).to_be_visible()
    browser.picture(page, "app-2-new-application")

    # 3. Search
    page.get_by_label("Search application").fill("dialpad")
    expect(page.locator("[data-found]")).to_have_text("1 app is found.")
    browser.picture(page, "app-3-search")

    # 4. Select the app
    page.get_by_role("link", name="Dialpad").click()
    expect(page.get_by_role("heading", name="Dialpad", level=1)).to_be_visible()
    browser.picture(page, "app-4-select")

    # 5. Sign up with Microsoft. Whose session has ended is asked to sign in.
    page.context.clear_cookies(name="provisor_session")
    page.get_by_role("link", name="Sign up with Microsoft").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    browser.picture(page, "app-5-sign-up")

    # 6. Sign in
    page.get_by_label("User name").fill("ada@contoso.example")
    page.get_by_label("Password").fill(PASSWORD)
    browser.picture(page, "app-6-sign-in")
    page.get_by_role("button", name="Sign in").click()

    # 7. Accept the permissions, for the organisation
    expect(page.get_by_text("Permissions requested")).to_be_visible()
    page.get_by_label("Consent on behalf of your organization").check()
    browser.picture(page, "app-7-consent")
    page.get_by_role("button", name="Accept").click()

    # 8. Back in the company's account, and the app is listed in the tenant
    expect(page.get_by_role("heading", name="Connect an identity provider")).to_be_visible()
    browser.picture(page, "app-8-back")
    page.goto("/portal/apps")
    expect(page.get_by_role("row", name="Dialpad")).to_contain_text("Manual")
    browser.picture(page, "app-9-listed")


def make_the_key(browser: Browser, page: Page) -> str:
    """The guide's six steps, of which ``test_company_portal.py`` tells more; the key."""
    page.goto("/company")
    page.get_by_role("link", name="Company Settings").click()
    main(page, "Authentication")
    page.get_by_role("link", name="API Keys", exact=True).click()
    page.get_by_role("link", name="Add key").first.click()
    page.get_by_label("Name").fill("Contoso's directory")
    page.get_by_label("Expiration date").fill("2089-12-31")
    page.get_by_role("button", name="Save").click()
    return page.get_by_label("API key (Secret Token)", exact=True).input_value()


def assign(page: Page, *names: str) -> None:
    """Give people or groups the app."""
    page.get_by_role("link", name="Users and groups").first.click()
    page.get_by_role("link", name="Add user or group").first.click()
    for name in names:
        page.get_by_label(name).check()
    page.get_by_role("button", name="Assign those ticked").click()
    expect(page.get_by_text(f"{len(names)} assigned")).to_be_visible()


def configure(browser: Browser, page: Page, key: str) -> None:
    """The guide's twenty-one steps."""
    # 1. Open the app
    page.goto("/portal/apps")
    page.get_by_role("link", name="Dialpad").click()
    expect(page.get_by_role("heading", name="Getting started")).to_be_visible()
    browser.picture(page, "provisioning-01-open-the-app")
    assign(page, "Grace Hopper", "Alan Turing", "Mary Shelley")

    # 2. Provisioning
    page.get_by_role("link", name="Provisioning", exact=True).click()
    expect(page.get_by_label("Provisioning Mode")).to_have_value("Manual")
    browser.picture(page, "provisioning-02-provisioning")

    # 3. Mode: Automatic
    page.get_by_label("Provisioning Mode").select_option("Automatic")
    browser.picture(page, "provisioning-03-mode-automatic")

    # 4. Admin Credentials
    expect(page.get_by_role("group", name="Admin Credentials")).to_be_visible()
    browser.picture(page, "provisioning-04-admin-credentials")

    # 5. Tenant URL
    page.get_by_label("Tenant URL").fill(f"{browser.address}/scim/v2")
    browser.picture(page, "provisioning-05-tenant-url")

    # 6. Secret Token
    page.get_by_label("Secret Token", exact=True).fill(key)
    browser.picture(page, "provisioning-06-secret-token")

    # 7. Test Connection
    page.get_by_role("button", name="Test Connection").click()
    expect(page.get_by_text("The connection works.")).to_be_visible()
    browser.picture(page, "provisioning-07-test-connection")

    # 8. Notification Email
    page.get_by_label("Notification Email").fill("it@contoso.example")
    browser.picture(page, "provisioning-08-notification-email")

    # 9. Its checkbox
    page.get_by_label("Send an email notification when a failure occurs").check()
    browser.picture(page, "provisioning-09-notification-checkbox")

    # 10. Save
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The credentials were saved, and the app accepts them.")).to_be_visible()
    assert key not in page.content()
    browser.picture(page, "provisioning-10-saved")

    # 11. Mappings
    page.get_by_role("link", name="Mappings", exact=True).first.click()
    expect(page.get_by_role("table")).to_contain_text("Provision Microsoft Entra ID Users")
    browser.picture(page, "provisioning-11-mappings")

    # 12. The mapping of users
    page.get_by_role("link", name="Provision Microsoft Entra ID Users").click()
    expect(page.get_by_role("heading", name="Target object actions")).to_be_visible()
    browser.picture(page, "provisioning-12-mapping-of-users")

    # 13. Review the attributes and the matching properties
    row = page.get_by_role("row", name="[userPrincipalName]")
    expect(row).to_contain_text("userName")
    expect(row.get_by_role("cell").nth(2)).to_have_text("1")
    page.get_by_role("link", name="Edit displayName").click()
    page.get_by_label("Mapping type").select_option("Function")
    page.get_by_label("Expression", exact=True).fill('Join(" ", [givenName], [surname], ToUpper([displayName]))')
    page.get_by_label("Try it for").fill("grace@contoso.example")
    expect(page.get_by_text("For grace@contoso.example:")).to_contain_text("GRACE HOPPER")
    browser.picture(page, "provisioning-13-review")

    # 14. Save
    page.get_by_label("Expression", exact=True).fill("Trim([displayName])")
    expect(page.get_by_text("For grace@contoso.example:")).to_contain_text("Grace Hopper")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The mapping to displayName was saved as version 2.")).to_be_visible()
    browser.picture(page, "provisioning-14-mapping-saved")

    # 15. A scoping filter
    page.get_by_role("link", name="Add a scoping filter").click()
    page.get_by_role("button", name="Add a scoping filter").click()
    page.get_by_label("Scoping filter title").fill("Engineers")
    page.get_by_label("Attribute", exact=True).select_option("department")
    page.get_by_label("Operator").select_option("EQUALS")
    page.get_by_label("Value").fill("Engineering")
    page.get_by_role("button", name="Who would pass?").click()
    counted = page.locator("#counted")
    expect(counted).to_contain_text("2 of 4 users pass. 2 of them are assigned as well")
    expect(counted).to_contain_text("mary@contoso.example")
    browser.picture(page, "provisioning-15-scoping-filter")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The scoping filter was saved as version 3.")).to_be_visible()

    # 16. Settings
    page.get_by_role("link", name="Credentials and settings").click()
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
    browser.picture(page, "provisioning-16-settings")

    # 17. Status: On
    page.get_by_role("radio", name=re.compile(r"^On\b")).check()
    browser.picture(page, "provisioning-17-status-on")

    # 18. Scope
    page.get_by_label("Scope", exact=True).select_option("Sync only assigned users and groups")
    browser.picture(page, "provisioning-18-scope")

    # 19. Save
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings were saved.")).to_be_visible()
    browser.picture(page, "provisioning-19-saved")

    # 20. Watch the initial cycle: the page follows it, and is there when it has ended
    expect(page.get_by_role("heading", name="Last cycle: Initial, Succeeded")).to_be_visible()
    browser.picture(page, "provisioning-20-initial-cycle")

    # 21. The activity report: each count opens exactly what it counts
    created = page.locator(".balance").first.get_by_role("link", name="2", exact=True).first
    created.click()
    expect(page.get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("table")).to_contain_text("grace@contoso.example")
    browser.picture(page, "provisioning-21-activity-report")
    page.get_by_role("link", name="Entry of grace@contoso.example").click()
    page.get_by_role("link", name="Modified properties").click()
    expect(page.get_by_role("table")).to_contain_text("Grace Hopper")
    browser.picture(page, "provisioning-22-one-entry")


def test_the_guide_from_an_empty_database_to_people_in_the_app(guide: Browser) -> None:
    page = begin(guide)
    add_the_app(guide, page)
    key = make_the_key(guide, page)
    configure(guide, page, key)
    assert accounts(guide.address, key) == {"grace@contoso.example": True, "alan@contoso.example": True}

    # The app that consent created is the one that provisioning was configured on: there is no second.
    page.goto("/portal/apps")
    expect(page.get_by_role("row", name="Dialpad")).to_have_count(1)
    expect(page.get_by_role("row", name="Dialpad")).to_contain_text("On")

    # A person removed from the assignment is disabled in the company's list within seconds.
    page.get_by_role("link", name="Dialpad").click()
    page.get_by_role("link", name="Users and groups").first.click()
    page.get_by_role("row", name="Alan Turing").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The assignment was taken away.")).to_be_visible()
    eventually(lambda: accounts(guide.address, key)["alan@contoso.example"], lambda active: not active)
    page.goto("/company/users")
    expect(page.get_by_role("row", name="alan@contoso.example")).to_contain_text("Disabled")
    expect(page.get_by_role("row", name="grace@contoso.example")).not_to_contain_text("Disabled")


def test_chains_that_cross_both_sides(portal: Portal, browser: Browser) -> None:
    page = begin(browser)
    company, companies = portal.company("Dialpad", "owner@dialpad.example"), portal.services.companies
    portal.run(companies.add_administrator(operator(), company, "bob@dialpad.example"))
    _, key = portal.key(company, administrator="bob@dialpad.example")

    def cycle() -> None:
        """The job's next cycle, to its end."""
        [job] = portal.run(portal.services.applications.jobs(operator()))
        portal.run(run_inline(portal.services.engine("test"), job.id))

    # An app of the gallery, without signing up
    page.goto("/portal/gallery/dialpad")
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("link", name="Provisioning", exact=True).click()
    page.get_by_label("Provisioning Mode").select_option("Automatic")
    page.get_by_label("Tenant URL").fill(f"{browser.address}/scim/v2")
    page.get_by_label("Secret Token", exact=True).fill(key)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("the app accepts them")).to_be_visible()

    # The maker of the key loses the Admin permission: Test Connection says exactly that, and green again afterwards.
    connection = page.locator("#connection")
    portal.run(companies.set_admin(operator(), company, "bob@dialpad.example", False))
    page.get_by_role("button", name="Test Connection").click()
    expect(connection).to_contain_text("The connection does not work.")
    expect(connection).to_contain_text("bob@dialpad.example")
    browser.picture(page, "trouble-1-maker-lost-admin")
    portal.run(companies.set_admin(operator(), company, "bob@dialpad.example", True))
    page.get_by_role("button", name="Test Connection").click()
    expect(connection).to_contain_text("The connection works.")

    # A group with its members arrives.
    page.goto("/portal/groups/new")
    page.get_by_label("Name", exact=True).fill("Pioneers")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("link", name="Add members").first.click()
    page.get_by_label("Grace Hopper").check()
    page.get_by_role("button", name="Add those ticked").click()
    page.goto("/portal/apps")
    page.get_by_role("link", name="Dialpad").click()
    page.get_by_role("link", name="Users and groups").first.click()
    page.get_by_role("link", name="Add user or group").first.click()
    page.get_by_label("Show").select_option("Groups")
    page.get_by_label("Pioneers").check()
    page.get_by_role("button", name="Assign those ticked").click()
    page.get_by_role("link", name="Provisioning", exact=True).click()
    page.get_by_role("button", name="Start provisioning").click()
    expect(page.get_by_text("Provisioning is on.")).to_be_visible()
    cycle()
    page.reload()
    expect(page.get_by_role("heading", name="Last cycle: Initial, Succeeded")).to_be_visible()
    groups = scim(browser.address, key, "/Groups")["Resources"]
    assert [one["displayName"] for one in groups] == ["Pioneers"]
    assert [member["value"] for member in groups[0]["members"]] == [
        one["id"] for one in scim(browser.address, key, "/Users")["Resources"]
    ]

    # A renamed group: this app renames none, so its name stays, and the log says why.
    page.goto("/portal/groups")
    page.get_by_role("link", name="Pioneers").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("Founders")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Founders was saved.")).to_be_visible()
    cycle()
    page.goto("/portal/logs?q=Founders&type=Group")
    page.get_by_role("row", name="Founders").first.get_by_role("link").first.click()
    expect(page.get_by_text("displayName").first).to_be_visible()
    browser.picture(page, "trouble-2-group-renamed")
    assert [one["displayName"] for one in scim(browser.address, key, "/Groups")["Resources"]] == ["Pioneers"]
