"""Applications in the admin centre: from the gallery to who is assigned."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from provisor.directory.model import NewUser
from provisor.security.actor import operator

if TYPE_CHECKING:
    from conftest import Browser, World

Text = Callable[[str], str]


def app(world: World) -> str:
    return f"/portal/apps/{world.here.app.service_principal.id}"


async def test_an_app_of_the_gallery_is_found_and_created(world: World, browser: Browser, text: Text) -> None:
    page = await browser.get("/portal/gallery?q=DIAL")
    assert 'href="/portal/gallery/dialpad"' in page
    page = await browser.sent("/portal/gallery/dialpad", {"name": "Phones"})
    assert "Phones was added." in page
    assert "Phones" in text(await browser.get("/portal/apps"))
    assert "Provisioning Manual" in text(page)
    reply = await browser.post("/portal/gallery/dialpad", {"name": ""}, status=422)
    assert "Give the application a name." in reply.text
    assert 'href="/company/sign-up/microsoft"' in await browser.get("/portal/gallery/dialpad")
    assert "Sign up with Microsoft" not in await browser.get("/portal/gallery/scim")


async def test_a_search_without_a_match_offers_an_app_of_ones_own(browser: Browser, text: Text) -> None:
    page = await browser.get("/portal/gallery?q=Nobody%20Inc")
    assert "The gallery has no app called “Nobody Inc”" in text(page)
    assert 'href="/portal/gallery/scim?name=Nobody%20Inc"' in page
    assert 'value="Nobody Inc"' in await browser.get("/portal/gallery/scim?name=Nobody%20Inc")
    await browser.get("/portal/gallery/none", status=404)


async def test_people_and_groups_are_assigned_with_a_role_and_taken_away(
    world: World, browser: Browser, text: Text
) -> None:
    ada, team = world.here.ada, world.here.team
    role = world.here.app.service_principal.app_roles[0].id
    assert f'value="{ada.id}"' in await browser.get(f"{app(world)}/assign?q=ada")
    page = await browser.sent(f"{app(world)}/assign", {"kind": "users", "role": role, "principal": ada.id})
    assert "1 assigned" in page
    assert "Ada of Here Person User" in text(page)
    page = await browser.sent(f"{app(world)}/assign", {"kind": "users", "role": role, "principal": ada.id})
    assert "0 assigned, 1 had the role before." in page
    page = await browser.sent(f"{app(world)}/assign", {"kind": "groups", "role": role, "principal": team.id})
    assert "Team Group, for its direct members User" in text(page)
    page = await browser.sent(f"{app(world)}/unassign", {"principal": ada.id, "role": role})
    assert "taken away" in page
    left = await world.services.applications.assignments(
        operator(), world.here.tenant.id, world.here.app.service_principal.id
    )
    assert [one.principal_id for one in left] == [team.id]
    await browser.post(f"{app(world)}/unassign", {"principal": ada.id, "role": role}, status=404)
    stranger = {"kind": "users", "role": role, "principal": world.there.ada.id}
    await browser.post(f"{app(world)}/assign", stranger, status=404)


async def test_many_assignments_are_read_page_by_page_and_found_by_name_and_kind(
    world: World, browser: Browser, text: Text
) -> None:
    tenant, sp = world.here.tenant.id, world.here.app.service_principal.id
    services, me = world.services, operator()
    names = [f"Number {number:03}" for number in range(120)]
    people = [NewUser({"userPrincipalName": f"{name[-3:]}@here.example", "displayName": name}) for name in names]
    ids = [one.id for one in await services.directory.create_users(me, tenant, people)]
    for id_ in ids:
        await services.applications.assign(me, tenant, sp, id_, "User")
    await services.applications.assign(me, tenant, sp, world.here.team.id, "Group")
    await services.directory.delete_user(me, tenant, ids[7])

    seen: list[str] = []
    path: str | None = f"{app(world)}/users?q=NUMBER"
    pages = 0
    while path is not None:
        page = await browser.get(path)
        seen += re.findall(r">(Number \d+)</a>", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path, pages = (following[1] if following else None), pages + 1
    assert pages == 3
    assert seen == sorted({*names} - {names[7]})
    assert "Number 042 Person" in text(await browser.get(f"{app(world)}/users?q=r%20042"))
    groups = text(await browser.get(f"{app(world)}/users?kind=groups"))
    assert "Team Group, for its direct members" in groups
    assert "Number" not in groups
    assert "Nobody is found" in await browser.get(f"{app(world)}/users?q=100%25")
    assert "Nobody is found" in await browser.get(f"{app(world)}/users?after=zzz")
    everybody = await services.role_assignments.how_many_people(me, tenant, sp, 1_000)
    assert f"Assigned {everybody} users and groups" in text(await browser.get(app(world)))
    assert await services.role_assignments.how_many_people(me, tenant, sp, 50) == 50


async def test_an_app_is_removed_after_a_question(world: World, browser: Browser) -> None:
    assert "nobody is disabled there" in await browser.get(f"{app(world)}/remove")
    assert "was removed" in await browser.sent(f"{app(world)}/remove")
    await browser.get(app(world), status=404)


@pytest.mark.parametrize(
    ("role", "may_add", "may_assign"),
    [
        ("Global Administrator", True, True),
        ("Application Administrator", True, True),
        ("User Administrator", False, True),
        ("Global Reader", False, False),
    ],
)
async def test_what_a_role_may_do_with_apps(world: World, role: str, may_add: bool, may_assign: bool) -> None:
    browser = await world.browser(role)
    assert ('href="/portal/gallery"' in await browser.get("/portal/apps")) is may_add
    await browser.get("/portal/gallery", status=200 if may_add else 403)
    await browser.post("/portal/gallery/dialpad", {"name": "D"}, status=303 if may_add else 403)
    page = await browser.get(f"{app(world)}/users")
    assert (f'href="{app(world)}/assign"' in page) is may_assign
    fields = {"kind": "users", "principal": world.here.ada.id}
    await browser.post(f"{app(world)}/assign", fields, status=303 if may_assign else 403)


async def test_properties_and_owners_of_an_app_and_of_a_group(world: World, browser: Browser, text: Text) -> None:
    fields = {"name": "Renamed", "notes": "Ask Ada", "assignment_required": "yes"}
    page = await browser.sent(f"{app(world)}/properties", fields)
    assert "The properties were saved." in page
    assert "Ask Ada" in page
    tenant, sp = world.here.tenant.id, world.here.app.service_principal.id
    found = (await world.services.applications.find(operator(), tenant, sp)).service_principal
    assert (found.display_name, found.properties.account_enabled) == ("Renamed", False)
    assert found.properties.app_role_assignment_required
    reply = await browser.post(f"{app(world)}/properties", {**fields, "name": ""}, status=422)
    assert "Give the application a name." in reply.text
    for path in (f"{app(world)}/owners", f"/portal/groups/{world.here.team.id}/owners"):
        assert f'name="add" value="{world.here.ada.id}"' in await browser.get(f"{path}?q=ada")
        await browser.sent(path, {"add": world.here.bob.id})
        page = await browser.sent(path, {"add": world.here.ada.id})
        assert "Ada of Here" in text(page)
        assert "Removed." in await browser.sent(path, {"remove": world.here.ada.id})
        await browser.post(path, {}, status=400)
        await browser.post(path, {"add": world.there.ada.id}, status=404)
