"""Users, groups, deleted objects and files in the admin centre: what a form says is what the directory holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from provisor.security.actor import operator

if TYPE_CHECKING:
    from conftest import Browser, World

Text = Callable[[str], str]
BULK = (
    "version:v1.0\r\nName [displayName] Required,User name [userPrincipalName] Required,"
    "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,"
    "Job title [jobTitle]\r\n"
)


async def test_a_user_is_created_edited_and_shown(world: World, browser: Browser, text: Text) -> None:
    page = await browser.sent(
        "/portal/users/new",
        {
            "displayName": "Cleo <b>Quist</b>",
            "userPrincipalName": "cleo@here.example",
            "accountEnabled": "yes",
            "otherMails": "c@x.example\nq@x.example",
            "businessPhones": "+41 1",
            "onPremisesExtensionAttributes.extensionAttribute3": "three",
            "showInAddressList": "False",
            "userType": "Guest",
        },
    )
    assert "Cleo <b>Quist</b> was created." in page
    cleo = await world.services.directory.find_user(operator(), world.here.tenant.id, "cleo@here.example")
    assert cleo.attributes["otherMails"] == ["c@x.example", "q@x.example"]
    assert cleo.attributes["businessPhones"] == ["+41 1"]
    assert cleo.attributes["onPremisesExtensionAttributes"] == {"extensionAttribute3": "three"}
    assert cleo.attributes["showInAddressList"] is False
    assert "Other emails c@x.example, q@x.example" in text(page)
    reply = await browser.client.get(f"/portal/users/{cleo.id}")
    assert "<b>Quist" not in reply.text


async def test_saving_an_untouched_form_changes_nothing(world: World, browser: Browser) -> None:
    import re
    from html import unescape

    ada = world.here.ada
    reply = await browser.client.get(f"/portal/users/{ada.id}/edit")
    fields = {
        name: unescape(value) for name, value in re.findall(r'name="([^"]+)" type="text"\s+value="([^"]*)"', reply.text)
    }
    fields["accountEnabled"] = "yes"
    fields["userType"] = "Member"
    assert "Nothing was different." in await browser.sent(f"/portal/users/{ada.id}/edit", fields)


async def test_each_fault_stands_beside_its_field(browser: Browser, text: Text) -> None:
    reply = await browser.post(
        "/portal/users/new",
        {"displayName": "", "userPrincipalName": "nobody", "usageLocation": "swiss", "accountEnabled": "yes"},
        status=422,
    )
    page = text(reply.text)
    assert "Nothing was saved yet" in page
    assert "Display name is required of a user." in page
    assert "User principal name cannot be 'nobody': it needs exactly one @." in page
    assert "Usage location is a country's two capital letters" in page
    assert 'value="nobody"' in reply.text


async def test_a_name_that_somebody_has(browser: Browser, text: Text) -> None:
    fields = {"displayName": "Ada", "userPrincipalName": "ADA@here.example", "accountEnabled": "yes"}
    reply = await browser.post("/portal/users/new", fields, status=422)
    assert "Ada of Here" in text(reply.text)


async def test_disable_delete_restore_and_purge(world: World, browser: Browser, text: Text) -> None:
    ada = world.here.ada
    assert "Disabled" in await browser.sent(f"/portal/users/{ada.id}/enabled", {"enabled": "false"})
    assert "can be restored for 30 days" in await browser.get(f"/portal/users/{ada.id}/delete")
    await browser.sent(f"/portal/users/{ada.id}/delete")
    await browser.get(f"/portal/users/{ada.id}", status=409)
    page = text(await browser.get("/portal/deleted"))
    assert "Ada of Here ada@here.example" in page
    assert "30 days" in page
    assert "is back" in await browser.sent(f"/portal/deleted/users/{ada.id}/restore")
    await browser.sent(f"/portal/users/{ada.id}/delete")
    assert "cannot be undone" in await browser.get(f"/portal/deleted/users/{ada.id}/purge")
    await browser.sent(f"/portal/deleted/users/{ada.id}/purge")
    await browser.get(f"/portal/users/{ada.id}", status=404)


async def test_the_manager_is_chosen_and_taken_away(world: World, browser: Browser) -> None:
    ada, bob = world.here.ada, world.here.bob
    assert f'value="{bob.id}"' in await browser.get(f"/portal/users/{ada.id}/manager?q=bob")
    page = await browser.sent(f"/portal/users/{ada.id}/manager", {"manager": bob.id})
    assert f'href="/portal/users/{bob.id}"' in page
    assert "Ada of Here" in await browser.get(f"/portal/users/{bob.id}")
    assert "no manager any more" in await browser.sent(f"/portal/users/{ada.id}/manager", {"manager": ""})
    await browser.post(f"/portal/users/{ada.id}/manager", {"manager": world.there.bob.id}, status=404)
    await browser.post(f"/portal/users/{ada.id}/manager", {"manager": ada.id}, status=400)


async def test_lists_are_searched_and_paged(world: World, browser: Browser, text: Text) -> None:
    for number in range(60):
        person = {"userPrincipalName": f"p{number:02}@here.example", "displayName": f"Person {number:02}"}
        await world.services.directory.create_user(operator(), world.here.tenant.id, person)
    page = await browser.get("/portal/users?q=person")
    assert page.count("@here.example") == 50
    [_, next_] = page.split('rel="next" href="')
    page = await browser.get(next_.partition('"')[0])
    assert page.count("@here.example") == 10
    assert "Person 59" in text(page)
    assert "Nobody is found" in await browser.get("/portal/users?q=%3Cscript%3E")


async def test_a_group_its_members_and_groups_inside(world: World, browser: Browser, text: Text) -> None:
    page = await browser.sent("/portal/groups/new", {"displayName": "Board", "securityEnabled": "yes"})
    board = await world.services.directory.find_group(operator(), world.here.tenant.id, "Board")
    assert "Board was created." in page
    await browser.get(f"/portal/groups/{board.id}/add?q=bob")
    page = await browser.sent(f"/portal/groups/{board.id}/add", {"member": [world.here.bob.id, world.here.team.id]})
    assert "2 added to Board." in page
    assert "Bob of Here" in page
    assert 'href="/portal/groups/' in page
    assert "Board" in text(await browser.get(f"/portal/groups/{world.here.team.id}"))
    assert "1 removed from Board." in await browser.sent(
        f"/portal/groups/{board.id}/remove", {"member": world.here.bob.id}
    )
    await browser.post(f"/portal/groups/{board.id}/add", {"member": world.there.ada.id}, status=404)
    page = await browser.sent(f"/portal/groups/{board.id}/edit", {"displayName": "Directors", "securityEnabled": "yes"})
    assert "Directors was saved." in page
    await browser.sent(f"/portal/groups/{board.id}/delete")
    assert "Directors" in await browser.get("/portal/deleted?kind=groups")


async def test_a_file_is_looked_at_before_it_is_applied(world: World, browser: Browser, text: Text) -> None:
    rows = f"{BULK}Ada Quist,ada@here.example,secret-word,No,Head\r\nCleo,cleo@here.example,secret-word,No,\r\n"
    files = {"users": ("people.csv", rows.encode(), "text/csv")}
    head = await world.services.directory.head(operator(), world.here.tenant.id)
    reply = await browser.post("/portal/files/preview", files=files, status=200)
    page = text(reply.text)
    assert "Created 1 Changed 1 As they are 0" in page
    assert "Display name: Ada of Here Ada Quist" in page
    assert "secret-word" not in reply.text
    assert await world.services.directory.head(operator(), world.here.tenant.id) == head
    mark = reply.text.partition('name="mark" value="')[2].partition('"')[0]
    other = {"users": ("people.csv", rows.replace("Head", "Boss").encode(), "text/csv")}
    reply = await browser.post("/portal/files/apply", {"mark": mark}, files=other, status=422)
    assert "not the files that were looked at" in reply.text
    assert "Imported: 1 created, 1 changed" in await browser.sent("/portal/files/apply", {"mark": mark}, files=files)
    ada = await world.services.directory.find_user(operator(), world.here.tenant.id, "ada@here.example")
    assert ada.attributes["jobTitle"] == "Head"
    download = await browser.get("/portal/files/users.csv")
    assert "cleo@here.example" in download
    assert "there.example" not in download


async def test_a_members_file_and_a_faulty_one(world: World, browser: Browser, text: Text) -> None:
    members = (
        "version:v1.0\r\nMember object ID or user principal name [memberObjectIdOrUpn] Required\r\nbob@here.example\r\n"
    )
    files = {"members": ("m.csv", members.encode(), "text/csv")}
    reply = await browser.post("/portal/files/preview", {"group": "Team"}, files=files, status=200)
    assert "Team gets 1 member" in text(reply.text)
    mark = reply.text.partition('name="mark" value="')[2].partition('"')[0]
    await browser.sent("/portal/files/apply", {"mark": mark, "group": "Team"}, files=files)
    assert "bob@here.example" in await browser.get(f"/portal/groups/{world.here.team.id}/members.csv")
    broken = {"users": ("x.csv", f"{BULK}A,nobody,x,No,\r\n".encode(), "text/csv")}
    reply = await browser.post("/portal/files/preview", files=broken, status=422)
    assert "1 fault: nothing can be imported" in text(reply.text)
    reply = await browser.post("/portal/files/preview", status=422)
    assert "Choose a file first." in reply.text


@pytest.mark.parametrize(
    ("role", "path", "offered"),
    [
        ("Global Administrator", "/portal/users", True),
        ("User Administrator", "/portal/users", True),
        ("Application Administrator", "/portal/users", False),
        ("", "/portal/users", False),
        ("User Administrator", "/portal/groups", True),
        ("Global Reader", "/portal/groups", False),
    ],
)
async def test_what_a_person_may_not_do_is_not_offered_and_refused(
    world: World, role: str, path: str, offered: bool
) -> None:
    browser = await world.browser(role)
    assert (f'href="{path}/new"' in await browser.get(path)) is offered
    fields = {"displayName": "New", "userPrincipalName": "new@here.example", "accountEnabled": "yes"}
    await browser.post(f"{path}/new", fields, status=303 if offered else 403)


async def test_the_overview_counts_and_says_how_to_begin(world: World, browser: Browser, text: Text) -> None:
    page = text(await browser.get("/portal"))
    assert "Users 3" in page
    assert "App" in page
