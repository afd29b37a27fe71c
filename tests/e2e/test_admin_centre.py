"""The admin centre in a real browser: every page for everybody, light and dark, on a phone, and without scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect
from tests.e2e.portal import Browser, Portal, SignedIn, needs_chromium, require_accessible, require_fits

from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.signin.people import PersonKey

pytestmark = needs_chromium


@dataclass
class Centre:
    """A directory whose app has run one cycle into a company of the same server."""

    session: SignedIn
    tenant: str
    app: str
    job: str
    people: list[str]
    group: str
    cycle: str
    key: str

    @property
    def pages(self) -> list[str]:
        """Every page, with something on it."""
        app, person, group = (
            f"/portal/apps/{self.app}",
            f"/portal/users/{self.people[0]}",
            f"/portal/groups/{self.group}",
        )
        here = f"{app}/provisioning"
        return [
            *("/portal", "/portal/users", "/portal/users/new", "/portal/groups", "/portal/groups/new"),
            *(person, f"{person}/edit", f"{person}/manager", f"{person}/delete"),
            *(group, f"{group}/edit", f"{group}/add", f"{group}/owners?q=a"),
            *("/portal/files", "/portal/deleted", "/portal/deleted?kind=groups"),
            *("/portal/apps", "/portal/gallery", "/portal/gallery?q=nobody", "/portal/gallery/dialpad"),
            *(
                app,
                f"{app}/properties",
                f"{app}/owners?q=a",
                f"{app}/users",
                f"{app}/assign",
                f"{app}/logs",
                f"{app}/remove",
            ),
            *(here, f"{here}/settings", f"{here}/restart", f"{here}/on-demand", f"{here}/held", f"{here}/pending"),
            *(f"{here}/preview", f"{here}/why?who={self.people[0]}", f"{here}/cycles/{self.cycle}"),
            f"{app}/logs/cycles/{self.cycle}?outcome=created",
            *(f"{here}/mappings", f"{here}/mappings/User", f"{here}/mappings/Group", f"{here}/mappings/User/row"),
            *(f"{here}/mappings/User/row?target=displayName", f"{here}/mappings/User/scope"),
            *(f"{here}/mappings/User/attributes", f"{here}/mappings/User/attributes/edit"),
            *(f"{here}/schema", f"{here}/schema/diff"),
            *("/portal/logs", "/portal/audit", "/portal/audit?category=UserManagement", "/portal/nothing"),
        ]


@pytest.fixture
def centre(portal: Portal) -> Centre:
    services, me = portal.services, operator()
    tenant = portal.run(services.directory.create_tenant(me, "Contoso", "contoso.example")).id
    people = []
    for name in ("ada", "grace", "alan"):
        person = {
            "userPrincipalName": f"{name}@contoso.example",
            "displayName": name.title(),
            "department": "Engineering" if name != "alan" else "Writing",
            "jobTitle": "A title that is long enough to be broken somewhere in the middle of a narrow page",
        }
        people.append(portal.run(services.directory.create_user(me, tenant, person)).id)
    made = portal.run(services.directory.create_group(me, tenant, {"displayName": "Team", "securityEnabled": True}))
    portal.run(services.directory.add_members(me, tenant, made.id, people[:2]))
    gone = portal.run(
        services.directory.create_user(me, tenant, {"userPrincipalName": "x@contoso.example", "displayName": "X"})
    )
    portal.run(services.directory.delete_user(me, tenant, gone.id))
    _, key = portal.key(portal.company())
    app = portal.run(services.applications.add(me, tenant, "dialpad", "Dialpad", f"{portal.address}/scim/v2", key))
    sp = app.service_principal.id
    portal.run(services.applications.assign(me, tenant, sp, made.id, "Group"))
    portal.run(services.provisioning.start(me, app.job_id))
    cycle = portal.run(run_inline(services.engine("test"), app.job_id))
    assert cycle is not None
    portal.run(services.roles.grant(me, tenant, people[0], "Global Administrator"))
    session = portal.session(PersonKey("tenant", tenant, people[0]))
    return Centre(session, tenant, sp, app.job_id, people, made.id, cycle, key)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_for_everybody(centre: Centre, browser: Browser, scheme: str) -> None:
    page = browser.page(centre.session, scheme=scheme)
    for address in centre.pages:
        page.goto(address)
        require_accessible(page)


def test_every_page_fits_a_phone(centre: Centre, browser: Browser) -> None:
    page = browser.page(centre.session, phone=True)
    for address in centre.pages:
        page.goto(address)
        expect(page.locator("h1").first).to_be_visible()
        require_fits(page)


def test_what_is_made_by_forms_is_for_everybody_too(centre: Centre, browser: Browser) -> None:
    page = browser.page(centre.session)
    here = f"/portal/apps/{centre.app}/provisioning"
    page.goto(f"{here}/preview")
    page.get_by_role("button", name="Make a preview").click()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()
    require_accessible(page)
    page.goto(f"{here}/on-demand")
    page.get_by_label("User or group").fill("grace@contoso.example")
    page.get_by_role("button", name="Provision", exact=True).click()
    expect(page.get_by_role("heading", name="grace@contoso.example: ")).to_be_visible()
    require_accessible(page)
    page.goto(f"{here}/settings")
    page.get_by_label("Secret Token", exact=True).fill("wrong")
    page.get_by_role("button", name="Test Connection").click()
    expect(page.get_by_text("The connection does not work.")).to_be_visible()
    require_accessible(page)
    page.goto("/portal/users/new")
    page.get_by_label("Display name").fill("Nobody")
    page.get_by_label("User principal name").fill("nobody")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("it needs exactly one @")).to_be_visible()
    require_accessible(page)
    page.goto("/portal/logs")
    page.locator("tbody a").first.click()
    for tab in ("Troubleshooting", "Modified properties", "Summary", "On the wire", "Steps"):
        page.get_by_role("link", name=tab).click()
        require_accessible(page)


def test_with_scripts_off_a_person_is_made_assigned_and_taken_away(
    centre: Centre, browser: Browser, portal: Portal
) -> None:
    page = browser.page(centre.session, scripts=False)
    page.goto("/portal/users/new")
    page.get_by_label("Display name").fill("Mary Shelley")
    page.get_by_label("User principal name").fill("mary@contoso.example")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Mary Shelley was created.")).to_be_visible()
    page.goto(f"/portal/apps/{centre.app}/assign")
    page.get_by_label("Name").fill("mary")
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Mary Shelley").check()
    page.get_by_role("button", name="Assign those ticked").click()
    expect(page.get_by_text("1 assigned")).to_be_visible()
    page.goto(f"/portal/apps/{centre.app}/provisioning/mappings/User/scope")
    page.get_by_role("button", name="Add a scoping filter").click()
    page.get_by_label("Attribute", exact=True).select_option("displayName")
    page.get_by_label("Value").fill("Mary Shelley")
    page.get_by_role("button", name="Who would pass?").click()
    expect(page.get_by_text("of 4 users pass")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("saved as version 2")).to_be_visible()
    page.goto(f"/portal/apps/{centre.app}/provisioning/settings")
    page.get_by_role("button", name="Test Connection").click()
    expect(page.get_by_text("The connection works.")).to_be_visible()
    page.goto("/portal/users?q=mary")
    page.get_by_role("link", name="Mary Shelley").click()
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Delete Mary Shelley?", level=1)).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.goto("/portal/deleted")
    page.get_by_role("row", name="Mary Shelley").get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Mary Shelley is back.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_change_of_what_is_provisioned_leads_to_its_preview(
    centre: Centre, browser: Browser, portal: Portal, *, scripts: bool
) -> None:
    page = browser.page(centre.session, scripts=scripts)
    here = f"/portal/apps/{centre.app}/provisioning"
    portal.run(portal.services.provisioning.pause(operator(), centre.job))
    seen = expect(page.get_by_role("heading", name="What would happen"))

    # A mapping: both people have another name then
    page.goto(f"{here}/mappings/User/row?target=displayName")
    page.get_by_label("Mapping type").select_option("Constant")
    page.get_by_label("Constant value").fill("Colleague")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("The mapping to displayName was saved as version 2")
    if scripts:  # axe itself is one
        require_accessible(page)
        browser.picture(page, "trouble-5-preview-is-next")
    page.get_by_role("button", name="Preview what it would do").click()
    seen.to_be_visible()
    expect(page.get_by_role("row", name="ada@contoso.example")).to_contain_text("Colleague")
    expect(page.get_by_role("row", name="grace@contoso.example")).to_contain_text("Colleague")

    # A scoping filter: only one of them is in scope then
    page.goto(f"{here}/mappings/User/scope")
    page.get_by_role("button", name="Add a scoping filter").click()
    page.get_by_label("Attribute", exact=True).select_option("displayName")
    page.get_by_label("Value").fill("Ada")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Preview what it would do").click()
    seen.to_be_visible()
    expect(page.get_by_role("row", name="grace@contoso.example").first).to_contain_text("Disabled")

    # The scope: somebody who is not assigned is provisioned too
    page.goto(f"{here}/settings")
    page.get_by_label("Scope", exact=True).select_option("all")
    page.get_by_role("button", name="Save settings").click()
    page.get_by_role("button", name="Preview what it would do").click()
    seen.to_be_visible()
    page.goto(f"{here}/settings")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings were saved.")).to_be_visible()
    expect(page.get_by_role("button", name="Preview what it would do")).to_have_count(0)

    # Before it is switched on
    page.goto(here)
    page.get_by_role("button", name="Preview what it would do").click()
    seen.to_be_visible()


def test_a_running_cycle_is_followed_to_its_end(centre: Centre, browser: Browser, portal: Portal) -> None:
    page = browser.page(centre.session)
    portal.run(portal.services.provisioning.restart(operator(), centre.job, ""))
    page.goto(f"/portal/apps/{centre.app}/provisioning")
    expect(page.get_by_text("A cycle is due")).to_be_visible()
    portal.run(run_inline(portal.services.engine("test"), centre.job))
    expect(page.get_by_text("A cycle is due")).to_be_hidden()
    expect(page.get_by_role("heading", name=re.compile("Last cycle: Initial, Succeeded"))).to_be_visible()
    expect(page.get_by_role("row", name="Initial")).to_have_count(2)


def test_why_somebody_is_not_there(centre: Centre, browser: Browser) -> None:
    page = browser.page(centre.session)
    page.goto(f"/portal/users/{centre.people[2]}")
    page.get_by_role("link", name="Why, or why not, in Dialpad").click()
    expect(page.get_by_text("it is not assigned to the app")).to_be_visible()
    expect(page.get_by_role("heading", name="What would change it")).to_be_visible()
    browser.picture(page, "trouble-3-why-not")
