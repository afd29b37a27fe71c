"""Provisioning in the admin centre: every number opens what it counts, and what is shown is what was done."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest

from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator

if TYPE_CHECKING:
    from conftest import Browser, World

Text = Callable[[str], str]


def base(world: World) -> str:
    return f"/portal/apps/{world.here.app.service_principal.id}"


async def assign(world: World, *people: Any) -> None:
    for one in people:
        sp = world.here.app.service_principal.id
        await world.services.applications.assign(operator(), world.here.tenant.id, sp, one.id, "User")


async def cycle(world: World) -> str:
    """Run the cycle that is due; its id."""
    found = await run_inline(world.services.engine("test"), world.here.app.job_id)
    assert found is not None
    return found


async def rows(browser: Browser, path: str) -> int:
    """How many rows a list has, over all its pages."""
    number = 0
    while path:
        page = await browser.get(path)
        table = page.partition("<tbody>")[2].partition("</tbody>")[0]
        number += table.count("<tr>")
        path = page.partition('rel="next" href="')[2].partition('"')[0]
    return number


async def test_every_count_opens_exactly_that_many_entries(world: World, browser: Browser) -> None:
    people = [world.here.ada, world.here.bob]
    for number in range(55):
        person = {"userPrincipalName": f"p{number}@here.example", "displayName": f"P{number}"}
        people.append(await world.services.directory.create_user(operator(), world.here.tenant.id, person))
    await assign(world, *people)
    await browser.sent(f"{base(world)}/provisioning/status", {"status": "on"})
    first = await cycle(world)
    page = await browser.get(f"{base(world)}/provisioning")
    counts = re.findall(r'href="([^"]+/logs/cycles/[^"]+\?outcome=\w+)">([\d,]+)<', page)
    assert counts, page
    for link, number in counts:
        assert await rows(browser, link) == int(number)
    assert await rows(browser, f"{base(world)}/logs/cycles/{first}") == 57


async def test_the_page_says_how_it_stands_before_during_and_after(world: World, browser: Browser, text: Text) -> None:
    page = await browser.get(f"{base(world)}/provisioning")
    assert "No cycle yet" in page
    assert "Start provisioning" in page
    await assign(world, world.here.ada)
    page = await browser.sent(f"{base(world)}/provisioning/status", {"status": "on"})
    assert "Provisioning is on." in page
    await cycle(world)
    page = text(await browser.get(f"{base(world)}/provisioning"))
    assert "Last cycle: Initial, Succeeded" in page
    assert "Users in the app 1" in page
    page = await browser.sent(f"{base(world)}/provisioning/status", {"status": "off"})
    assert "Provisioning is off." in page
    assert "Restarted." in await browser.sent(f"{base(world)}/provisioning/restart", {"scope": ""})
    reply = await browser.post(f"{base(world)}/provisioning/restart", {"scope": "Full"}, status=200)
    assert "Forget all links?" in reply.text
    await browser.sent(f"{base(world)}/provisioning/restart", {"scope": "Full", "sure": "yes"})


async def test_a_quarantine_shows_its_cause_the_exchange_and_the_cure(
    world: World, browser: Browser, text: Text
) -> None:
    await assign(world, world.here.ada)
    await browser.sent(f"{base(world)}/provisioning/status", {"status": "on"})
    world.target.token = "another"
    await cycle(world)
    page = text(await browser.get(f"{base(world)}/provisioning"))
    assert "This job is quarantined" in page
    assert "GET /scim/v2/" in page
    assert "401" in page
    assert "let-me-in" not in page
    assert "is quarantined" in text(await browser.get("/portal"))


async def test_a_log_entry_shows_steps_properties_summary_and_the_wire(
    world: World, browser: Browser, text: Text
) -> None:
    await assign(world, world.here.ada)
    await browser.sent(f"{base(world)}/provisioning/status", {"status": "on"})
    await cycle(world)
    page = await browser.get(f"{base(world)}/logs?q=ADA@&status=success&action=create")
    [entry] = set(re.findall(r'href="(/portal/logs/[0-9a-f-]+)"', page))
    assert "import EntryImport" in text(await browser.get(entry))
    assert "ada@here.example" in text(await browser.get(f"{entry}?tab=properties"))
    assert "Source type User" in text(await browser.get(f"{entry}?tab=summary"))
    assert "Nothing went wrong here." in await browser.get(f"{entry}?tab=troubleshooting")
    wire = text(await browser.get(f"{entry}?tab=wire"))
    assert "POST /scim/v2/Users" in wire
    assert "let-me-in" not in wire
    assert "No entry" in await browser.get(f"{base(world)}/logs?q=nobody&status=failure")
    await browser.get("/portal/logs?since=soon", status=400)


async def test_the_log_goes_out_as_lines_and_as_three_csv_files(world: World, browser: Browser) -> None:
    await assign(world, world.here.ada, world.here.bob)
    await browser.sent(f"{base(world)}/provisioning/status", {"status": "on"})
    await cycle(world)
    reply = await browser.client.get("/portal/logs/export?format=jsonl&action=create")
    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert {line["provisioningAction"] for line in lines} == {"create"}
    reply = await browser.client.get(f"/portal/logs/export?format=csv&app={world.here.app.job_id}")
    with ZipFile(io.BytesIO(reply.content)) as archive:
        assert sorted(archive.namelist()) == [
            "modified_properties.csv",
            "provisioning_logs.csv",
            "provisioning_steps.csv",
        ]
        assert b"ada@here.example" in archive.read("provisioning_logs.csv")
    stranger = await world.browser(side=world.there)
    assert (await stranger.client.get(f"/portal/logs/export?app={world.here.app.job_id}")).text == ""


async def test_provision_on_demand_shows_its_steps(world: World, browser: Browser, text: Text) -> None:
    await assign(world, world.here.ada)
    path = f"{base(world)}/provisioning/on-demand"
    page = text((await browser.post(path, {"who": "ada@here.example", "kind": "User"}, status=200)).text)
    assert "ada@here.example: Create Success" in page
    for step in ("Import the object", "Is it in scope?", "Match it in the app", "Perform the action"):
        assert step in page
    page = text((await browser.post(path, {"who": "bob@here.example", "kind": "User"}, status=200)).text)
    assert "bob@here.example: Other Skipped" in page
    assert "There is no" in (await browser.post(path, {"who": "ada@there.example", "kind": "User"}, status=422)).text


async def test_what_a_guard_holds_is_decided_here(world: World, browser: Browser, text: Text) -> None:
    people = []
    for number in range(12):
        person = {"userPrincipalName": f"p{number:02}@here.example", "displayName": f"P{number:02}"}
        people.append(await world.services.directory.create_user(operator(), world.here.tenant.id, person))
    await assign(world, *people)
    await browser.sent(f"{base(world)}/provisioning/status", {"status": "on"})
    await cycle(world)
    for person in people[:10]:
        await world.services.directory.update_user(
            operator(), world.here.tenant.id, person.id, {"accountEnabled": False}
        )
    await cycle(world)
    page = text(await browser.get(f"{base(world)}/provisioning"))
    assert "10 changes are held for a decision." in page
    path = f"{base(world)}/provisioning/held"
    page = await browser.get(path)
    assert page.count('name="object"') == 10
    assert "1 rejected." in await browser.sent(path, {"decision": "reject", "object": people[0].id})
    assert "Nothing was ticked." in await browser.sent(path, {"decision": "approve"})
    assert "9 approved" in await browser.sent(path, {"decision": "approve-all"})
    await cycle(world)
    assert await rows(browser, f"{path}?state=held") == 0
    assert await rows(browser, f"{path}?state=rejected") == 1


@pytest.mark.parametrize("role", ["Reports Reader", "Global Reader", "User Administrator", ""])
async def test_who_may_not_read_configurations_sees_no_provisioning(world: World, role: str) -> None:
    browser = await world.browser(role)
    for path in ("", "/live", "/held", "/restart", "/on-demand", "/mappings"):
        await browser.get(f"{base(world)}/provisioning{path}", status=403)
    await browser.post(f"{base(world)}/provisioning/status", {"status": "on"}, status=403)
    status = 200 if role.endswith("Reader") else 403
    await browser.get("/portal/logs", status=status)


async def test_from_manual_to_automatic_with_a_tested_connection(world: World, browser: Browser, text: Text) -> None:
    reply = await browser.post("/portal/gallery/scim", {"name": "New"})
    app = reply.headers["location"]
    path = f"{app}/provisioning/settings"
    page = await browser.get(path)
    assert '<option value="Manual" selected>' in page
    assert "Settings</h2>" not in page
    fields = {
        "mode": "Automatic",
        "authentication": "StaticBearerToken",
        "tenant_url": "https://target.test/scim/v2",
        "secret_token": "wrong",
        "notification_email": "ops@here.example",
        "notify": "yes",
    }
    page = text((await browser.post(f"{path}/test", fields, status=422)).text)
    assert "The connection does not work." in page
    reply = await browser.post(f"{path}/credentials", fields, status=422)
    assert "Save them all the same" in reply.text
    assert "wrong" not in reply.text
    fields["secret_token"] = "let-me-in"
    page = text((await browser.post(f"{path}/test", fields, status=200)).text)
    assert "The connection works." in page
    page = await browser.sent(f"{path}/credentials", fields)
    assert "the app accepts them" in page
    assert '<option value="Manual"' not in page
    assert "let-me-in" not in page
    assert 'value="ops@here.example"' in page
    page = await browser.sent(f"{path}/credentials", {**fields, "mode": "Manual"})
    assert "does not go back to manual" in page
    again = {**fields, "secret_token": ""}
    assert "the app accepts them" in await browser.sent(f"{path}/credentials", again)
    moved = {**again, "tenant_url": "https://elsewhere.test/scim"}
    reply = await browser.post(f"{path}/test", moved, status=422)
    assert all("elsewhere" not in request.path for request in world.target.requests)
    settings = {
        "status": "on",
        "scope": "all",
        "interval": "20m",
        "nested-groups": "yes",
        "default-access": "yes",
        "group-rename": "replace",
        "dialect": "entra",
        "guard_enabled": "yes",
        "guard_deletions": "7",
        "guard_deletions_percent": "20",
        "guard_changes_percent": "30",
        "delete-threshold-value": "12",
    }
    page = text(await browser.sent(f"{path}/job", settings))
    assert "rights that the application tied to the old group's id are lost" in page
    found = await world.services.applications.find(operator(), world.here.tenant.id, app.rpartition("/")[2])
    job = found.job.settings
    assert (job.sync_all, job.interval_seconds, job.nested_groups, job.group_rename, job.dialect) == (
        True,
        1200,
        True,
        "Replace",
        "entra",
    )
    assert (job.guard.deletions, job.guard.deletions_percent, job.guard.changes_percent) == (7, 20, 30)
    assert job.notification.enabled
    assert job.notification.recipients == "ops@here.example"
    assert (await world.services.provisioning.state(operator(), found.job_id)).code == "NotRun"
    reply = await browser.post(f"{path}/job", {**settings, "interval": "soon"}, status=422)
    assert "is no interval" in reply.text


async def test_a_preview_is_made_approved_and_applied(world: World, browser: Browser, text: Text) -> None:
    await assign(world, world.here.ada, world.here.bob)
    path = f"{base(world)}/provisioning/preview"
    page = await browser.sent(path)
    link = re.findall(rf'href="({path}/[0-9a-f-]+)\?action=create"', page)[0]
    assert "Looked at 2 = Created 2" in text(page)
    assert "displayName : Ada of Here" in text(page)
    assert [request.method for request in world.target.requests if request.method != "GET"] == []
    await browser.post(f"{link}/apply", status=409)
    assert "Approved. Nothing was done yet." in await browser.sent(f"{link}/approve")
    assert "Apply this plan?" in await browser.get(f"{link}/apply")
    assert "The plan was applied." in await browser.sent(f"{link}/apply")
    assert len([request for request in world.target.requests if request.method == "POST"]) == 2
    assert "Applied" in text(await browser.get(path))


async def test_what_is_ambiguous_is_decided_and_what_failed_is_listed(
    world: World, browser: Browser, text: Text
) -> None:
    page = text(await browser.get(f"{base(world)}/provisioning/pending"))
    assert "Nothing to decide" in page
    assert "Nothing failed" in page
    fields = {"source": world.here.ada.id, "choice": "create"}
    await browser.post(f"{base(world)}/provisioning/pending", fields, status=404)


async def test_the_audit_log_tells_who_changed_what(world: World, browser: Browser, text: Text) -> None:
    await browser.sent(f"/portal/users/{world.here.ada.id}/enabled", {"enabled": "false"})
    page = await browser.get(f"/portal/audit?target={world.here.ada.id}")
    entries = [one for one in re.findall(r'href="(/portal/audit/[^"?]+)"', page) if not one.endswith("/export")]
    pages = " ".join([text(await browser.get(one)) for one in entries])
    assert "accountEnabled Yes No" in pages
    lines = (await browser.client.get(f"/portal/audit/export?target={world.here.ada.id}")).text.splitlines()
    assert {json.loads(line)["targets"][0]["id"] for line in lines} == {world.here.ada.id}
    stranger = await world.browser(side=world.there)
    assert "No entry" in await stranger.get(f"/portal/audit?target={world.here.ada.id}")
    await (await world.browser("User Administrator")).get("/portal/audit", status=403)


async def test_a_running_cycle_tells_how_far_and_how_fast_it_is(world: World, browser: Browser, text: Text) -> None:
    await assign(world, world.here.ada)
    await browser.sent(f"{base(world)}/provisioning/status", {"status": "on"})
    assert "A cycle is due" in await browser.get(f"{base(world)}/provisioning")
    stores, now = world.services.stores, world.clock.now_ms()
    lease = await stores.leases.take_lease(world.here.app.job_id, "test", now=now, until=2**50)
    assert lease is not None
    await stores.jobs.begin_cycle(lease, kind="Initial", watermark=0, schema_version=1, scope_version=0, now=now)
    page = text(await browser.get(f"{base(world)}/provisioning"))
    assert "Running now Initial cycle : Reading the directory" in page
    assert "Stop now" in page
    page = await browser.sent(f"{base(world)}/provisioning/status", {"status": "stop"})
    assert "no request leaves from now on" in page
