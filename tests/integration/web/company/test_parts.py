"""Users, groups, requests, changes, webhooks, administrators and schemas in the portal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.integration.web.company.conftest import People, Person

from provisor.app.upkeep.store import UpkeepStore
from provisor.provider.model import Principal
from provisor.provider.notices.store import ExpiryNotices
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.testing.clock import SettableClock

SCHEMA = {"id": "urn:example:badge", "name": "Badge", "attributes": [{"name": "badge", "type": "string"}]}
ADMINS = "/company/settings/administrators"
SCHEMAS = "/company/settings/schemas"


class Provisioner:
    """Whoever sends users and groups to Acme."""

    def __init__(self, people: People, company: str) -> None:
        self.services = people.services
        self.company = company

    async def begin(self) -> None:
        key, _ = await self.services.companies.create_key(operator(), self.company, name="entra", expires="2090-01-01")
        actor = Actor(Realm("company", self.company), key.id, rights_of(["Company Administrator"]))
        self.caller = Principal(self.company, actor, key.id, "entra")

    async def user(self, name: str, **more: Any) -> str:
        body = {"schemas": [], "userName": f"{name}@acme.example", **more}
        return (await self.services.resources.create(self.caller, "User", body)).stored.id

    async def group(self, name: str, members: list[str]) -> str:
        body = {"schemas": [], "displayName": name, "members": [{"value": member} for member in members]}
        return (await self.services.resources.create(self.caller, "Group", body)).stored.id


@pytest.fixture
async def entra(people: People, ada: Person) -> Provisioner:
    provisioner = Provisioner(people, ada.company)
    await provisioner.begin()
    return provisioner


async def test_pages_of_an_empty_company_say_how_to_begin(ada: Person) -> None:
    assert "Connect an identity provider" in await ada.text("/company")
    assert "No user yet" in await ada.text("/company/users")
    assert "No group yet" in await ada.text("/company/groups")
    assert "No request yet" in await ada.text("/company/requests")
    assert "No change yet" in await ada.text("/company/changes")
    assert "No webhook yet" in await ada.text("/company/webhooks")
    assert "No schema of your own" in await ada.text(SCHEMAS)


async def test_a_user_with_memberships_manager_and_source(entra: Provisioner, ada: Person) -> None:
    boss = await entra.user("boss", displayName="The <b>Boss</b>")
    enterprise = {"manager": {"value": boss}, "department": "Engines"}
    user = await entra.user(
        "lovelace",
        active=False,
        emails=[{"value": "first@acme.example"}, {"value": "ada@home.example", "primary": True, "type": "home"}],
        **{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": enterprise},
    )
    group = await entra.group("Analysts", [user])
    outer = await entra.group("Everybody", [group])
    text = (await ada.get(f"/company/users/{user}")).text
    for part in ("Disabled", "Engines", "SCIM · entra", f"/company/groups/{group}", "The &lt;b&gt;Boss&lt;/b&gt;"):
        assert part in text, part
    assert "<b>Boss" not in text
    listed = await ada.text("/company/users")
    assert "ada@home.example" in listed
    text = await ada.text(f"/company/groups/{group}")
    assert f"/company/users/{user}" in text
    assert f"/company/groups/{outer}" in text
    assert "1 member" in text


async def test_lists_go_on_page_by_page_with_everybody_once(entra: Provisioner, ada: Person) -> None:
    users = [await entra.user(f"u{n:03}") for n in range(120)]
    await entra.group("All", users)
    seen, path = [], "/company/users"
    while path:
        text = await ada.text(path)
        seen += [user for user in users if f"/company/users/{user}" in text]
        path = text.partition('rel="next" href="')[2].partition('"')[0]
    assert seen == users
    [group] = (await entra.services.browsing.lines(entra.caller.actor, ada.company, "Group")).lines
    members, path = [], f"/company/groups/{group.id}"
    while path:
        text = await ada.text(path)
        members += [user for user in users if f"/company/users/{user}" in text]
        path = text.partition('rel="next" href="')[2].partition('"')[0]
    assert members == users


async def test_a_search_keeps_its_text_and_takes_any(entra: Provisioner, ada: Person) -> None:
    await entra.user("grace", displayName="Grace Hopper")
    assert "1 user found" in await ada.text("/company/users?q=HOPPER")
    assert 'value="HOPPER"' in await ada.text("/company/users?q=HOPPER")
    for odd in ("%25", "_", "\\", "'", '"><script>', "\u0130", "x" * 200):
        assert (await ada.client.get("/company/users", params={"q": odd})).status_code == 200, odd
    too_long = await ada.client.get("/company/users", params={"q": "x" * 201})
    assert too_long.status_code == 400
    script = await ada.client.get("/company/users", params={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in script.text


async def test_the_request_log_is_filtered_and_tells_one_story(entra: Provisioner, ada: Person) -> None:
    log = entra.services.requests
    user = await entra.user("ada")
    log.note(
        entra.caller,
        "POST",
        "/scim/v2/Users",
        201,
        0.01,
        request=b'{"userName":"ada","shoeSize":3}',
        answer=json.dumps({"id": user}).encode(),
        ignored=["shoeSize"],
    )
    log.note(entra.caller, "PATCH", f"/scim/v2/Users/{user}", 204, 0.01)
    log.note(entra.caller, "GET", "/scim/v2/Users?filter=x", 429, 0.01)
    await log.flush()
    for query, found in (
        ("", 3),
        ("?state=failed", 1),
        ("?state=ignored", 1),
        ("?state=204", 1),
        ("?method=PATCH", 1),
        ("?q=FILTER", 1),
        (f"?credential={entra.caller.key_id}", 3),
        ("?credential=other", 0),
        ("?since=2026-01-01T00:00&until=2026-01-02T00:00", 3),
        ("?until=2025-12-31T00:00", 0),
    ):
        text = await ada.text(f"/company/requests{query}")
        assert text.count('<td class="text-nowrap"><a href="/company/requests/') == found, query
    assert "is not a moment" in await ada.text("/company/requests?since=soon", status=422)
    assert "There is no state" in await ada.text("/company/requests?state=odd", status=422)
    entries = await log.about(operator(), ada.company, user)
    assert [(entry.method, entry.status) for entry in entries] == [("PATCH", 204), ("POST", 201)]
    text = await ada.text(f"/company/requests/{entries[1].id}")
    for part in ("Sent, not stored", "shoeSize", "not all that was sent is stored", f"/company/users/{user}"):
        assert part in text
    assert f"/company/requests/{entries[0].id}" in await ada.text(f"/company/users/{user}")


async def test_changes_are_listed_from_the_newest_on(entra: Provisioner, ada: Person) -> None:
    for number in range(60):
        await entra.user(f"u{number:02}")
    first = await ada.text("/company/changes")
    assert "<td>60</td>" in first
    assert "<td>10</td>" not in first
    second = await ada.text("/company/changes?upto=10")
    assert "<td>10</td>" in second
    assert "<td>11</td>" not in second
    assert (await ada.get("/company/changes?upto=99999999999999999")).status_code == 200


async def test_what_is_no_longer_kept_is_not_listed_and_a_webhook_begins_with_what_is(
    entra: Provisioner, ada: Person
) -> None:
    for number in range(3):
        await entra.user(f"u{number}")
    assert await UpkeepStore(entra.services.database).expire_outbox(ada.company, 2**53, 2) == 2
    for page in ("/company/changes", "/company/changes?upto=3"):
        listed = await ada.text(page)
        assert "<td>3</td>" in listed
        assert "<td>2</td>" not in listed
    assert "No change yet" in await ada.text("/company/changes?upto=1")
    assert (
        "whsec_"
        in (await ada.post("/company/webhooks/add", {"url": "https://product.example/hook", "begin": "first"})).text
    )
    [hook] = await entra.services.webhooks.webhooks(operator(), ada.company)
    assert hook.position == 2
    reply = await ada.post(f"/company/webhooks/{hook.id}/replay", {"after": "1"})
    assert reply.status_code == 422
    assert "no longer kept" in reply.text


async def test_a_webhook_is_added_sent_again_and_removed(entra: Provisioner, ada: Person) -> None:
    await entra.user("ada")
    for wrong in ("", "ftp://x", "http://user:pw@x.example/", "https://ünicode.example/", "x" * 3000):
        reply = await ada.post("/company/webhooks/add", {"url": wrong, "begin": "now"})
        assert reply.status_code == 422, wrong
    made = await ada.post("/company/webhooks/add", {"url": "https://product.example/hook", "begin": "first"})
    assert "whsec_" in made.text
    [hook] = await entra.services.webhooks.webhooks(operator(), ada.company)
    assert hook.position == 0
    listed = await ada.text("/company/webhooks")
    assert "https://product.example/hook" in listed
    assert "whsec_" not in listed
    assert (await ada.post(f"/company/webhooks/{hook.id}/replay", {"after": "9"})).status_code == 422
    assert (await ada.post(f"/company/webhooks/{hook.id}/replay", {"after": "-1"})).status_code == 422
    assert (await ada.post(f"/company/webhooks/{hook.id}/replay", {"after": "1"})).status_code == 303
    [hook] = await entra.services.webhooks.webhooks(operator(), ada.company)
    assert hook.position == 1
    await ada.post(f"/company/webhooks/{hook.id}/remove")
    assert await entra.services.webhooks.webhooks(operator(), ada.company) == []


async def test_people_are_invited_and_the_last_administrator_stays(people: People, ada: Person) -> None:
    here, me = people.services, operator()
    for wrong in ("", "nobody", "a@b@c", "x" * 300 + "@x.example", "ada@acme.example"):
        assert (await ada.post(f"{ADMINS}/invite", {"email": wrong})).status_code == 422, wrong
    made = await ada.post(f"{ADMINS}/invite", {"email": "Bob@Acme.example"})
    assert "http://127.0.0.1:8080/welcome/" in made.text
    [link] = await here.links.invitations(me, ada.company)
    assert link.email == "bob@acme.example"
    assert link.id not in made.text
    assert "bob@acme.example" in await ada.text(ADMINS)
    await ada.post(f"{ADMINS}/invitations/{link.id}/withdraw")
    assert await here.links.invitations(me, ada.company) == []
    [first] = await here.companies.administrators(me, ada.company)
    for action in ("take", "remove"):
        assert (await ada.post(f"{ADMINS}/{first.id}/{action}")).status_code == 409
    assert await here.companies.administrators(me, ada.company) == [first]


async def test_a_schema_is_added_shown_and_removed(people: People, ada: Person) -> None:
    broken = ("", "{", "[]", '{"id": 7}', '{"id": "urn:x", "attributes": "many"}', "[" * 100_000, "x" * 300_000)
    for wrong in broken:
        reply = await ada.post(f"{SCHEMAS}/add", {"document": wrong, "extends": "User"})
        assert reply.status_code == 422, wrong[:40]
    added = await ada.post(f"{SCHEMAS}/add", {"document": json.dumps(SCHEMA), "extends": "User", "required": ""})
    assert added.status_code == 303
    assert "urn:example:badge" in await ada.text(SCHEMAS)
    assert '"name": "badge"' in await ada.text(f"{SCHEMAS}/one?urn=urn:example:badge")
    await ada.post(f"{SCHEMAS}/remove", {"urn": "urn:example:badge"})
    assert await people.services.resources.custom.definitions(operator(), ada.company) == []


async def test_settings_tell_limits_and_address(people: People, ada: Person) -> None:
    from provisor.provider.model import RateLimits

    assert "no limit" in await ada.text("/company/settings")
    await people.services.companies.set_limits(operator(), ada.company, RateLimits(25, 100))
    text = await ada.text("/company/settings")
    assert "25 requests a second" in text
    assert "100 requests a second" in text


async def test_the_audit_log_tells_who_did_what(people: People, ada: Person) -> None:
    await ada.post(
        "/company/settings/authentication/api-keys/add",
        {"name": "<b>entra</b>", "expires": "2027-01-01", "owner": "me", "dialect": "entra"},
    )
    text = (await ada.get("/company/settings/audit?category=CredentialManagement")).text
    for part in ("Add API key", "ada@acme.example", "&lt;b&gt;entra&lt;/b&gt;"):
        assert part in text, part
    entry = text.partition('href="/company/settings/audit/')[2].partition('"')[0]
    shown = await ada.text(f"/company/settings/audit/{entry}")
    assert "What changed" in shown
    assert "pvk_" not in shown
    assert "No entry" in await ada.text("/company/settings/audit?category=WebhookManagement")
    assert (await ada.get("/company/settings/audit?after=nonsense")).status_code == 400
    assert (await ada.get("/company/settings/audit/nobody")).status_code == 404


async def test_messages_about_keys_that_end_are_listed(people: People, ada: Person, clock: SettableClock) -> None:
    assert "No message yet" in await ada.text("/company/settings/messages")
    await people.services.companies.create_key(operator(), ada.company, name="entra", expires="2026-03-01")
    clock.advance(35 * 24 * 3600)
    await ExpiryNotices(people.services.database, clock).run_once()
    again = await people.of(ada.company)
    text = await again.text("/company/settings/messages")
    assert "ada@acme.example" in text
    assert "entra" in text
    assert "Waiting" in text
