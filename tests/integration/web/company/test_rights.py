"""Who gets where: every address of the company portal, by who asks."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from starlette.routing import Route
from tests.integration.web.company.conftest import People, Person

from provisor.cli.faces import make_app
from provisor.provider.model import Principal
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.web.asgi import Front

# What a form is sent with; what it needs no more than this is not what these tests are about.
ANYTHING = {"name": "x", "expires": "2090-01-01", "email": "new@example.org", "url": "https://x.example/hook"}
SCHEMA = {"id": "urn:example:badge", "attributes": [{"name": "badge", "type": "string"}]}
# Addresses without a thing of a company in them: everybody sees their own there.
OWN = "/company/settings/schemas/remove"


def routes_of(app: Front) -> list[tuple[str, str]]:
    """Every (method, path) below ``/company`` that the portal has."""
    found = []
    for route in app.others.routes:
        if isinstance(route, Route) and route.path.startswith("/company"):
            found += [(method, route.path) for method in sorted(route.methods or ()) if method != "HEAD"]
    return found


@dataclass
class Things:
    """Something of Acme's at every kind of address."""

    ids: dict[str, str]

    def paths(self, path: str) -> list[str]:
        """The address with Acme's ids, once for each kind that fits."""
        if "{" not in path:
            return [path]
        kind = path.split("/{")[0].rpartition("/")[2]
        return [path.replace("{id}", self.ids[kind]).replace("{secret}", self.ids["secret"])]


@pytest.fixture
async def things(people: People, ada: Person) -> Things:
    here, me, company = people.services, operator(), ada.company
    key, _ = await here.companies.create_key(me, company, name="entra", expires="2090-01-01")
    await here.companies.create_key(me, company, name="b", expires="2090-01-01", service_account="provisioning")
    client, _ = await here.clients.create(me, company, "okta")
    hook, _ = await here.webhooks.add(me, company, "https://product.example/hook")
    invitation = await here.links.invite(me, company, "bob@acme.example")
    bob = await here.companies.add_administrator(me, company, "carol@acme.example")
    await here.resources.custom.add(me, company, SCHEMA, extends="User")
    actor = Actor(Realm("company", company), key.id, rights_of(["Company Administrator"]))
    caller = Principal(company, actor, key.id, "entra")
    user = await here.resources.create(caller, "User", {"schemas": [], "userName": "ada"})
    group = await here.resources.create(caller, "Group", {"schemas": [], "displayName": "Sales"})
    here.requests.note(caller, "GET", f"/scim/Users/{user.stored.id}", 200, 0.001)
    await here.requests.flush()
    [entry] = await here.requests.entries(me, company)
    [account] = await here.companies.service_accounts(me, company)
    change = (await here.audit.page(me, Realm("company", company))).entries[0]
    return Things(
        {
            "api-keys": key.id,
            "oauth-clients": client.id,
            "secrets": client.id,
            "secret": client.secrets[0].id,
            "service-accounts": account.id,
            "webhooks": hook.id,
            "invitations": invitation.link.id,
            "administrators": bob.id,
            "users": user.stored.id,
            "groups": group.stored.id,
            "requests": entry.id,
            "audit": change.id,
        }
    )


async def state_of(people: People, company: str) -> list[object]:
    """What somebody else must not change."""
    here, me = people.services, operator()
    return [
        await here.companies.administrators(me, company),
        await here.companies.listed_keys(me, company),
        await here.companies.service_accounts(me, company),
        await here.clients.clients(me, company),
        await here.webhooks.webhooks(me, company),
        await here.links.invitations(me, company),
        await here.resources.custom.definitions(me, company),
    ]


def portal_routes(people: People) -> list[tuple[str, str]]:
    """Those behind a session: without signing in and beginning, which are for everybody."""
    signing_in = ("sign-in", "sign-up", "sign-out", "begin", "oauth2", "microsoft")
    found = [one for one in routes_of(people.app) if not one[1].removeprefix("/company/").startswith(signing_in)]
    assert len(found) > 50
    return found


async def test_who_has_not_signed_in_sees_nothing(people: People, things: Things) -> None:
    nobody = people.nobody()
    for method, path in portal_routes(people):
        for address in things.paths(path):
            reply = await nobody.client.request(method, address, data=ANYTHING if method == "POST" else None)
            assert reply.status_code == 303, (method, address, reply.status_code)
            assert reply.headers["location"].startswith("/company/sign-in"), address


async def test_nothing_of_one_company_opens_or_changes_with_anothers_session(
    people: People, ada: Person, eve: Person, things: Things
) -> None:
    before = await state_of(people, ada.company)
    for method, path in portal_routes(people):
        if "{" not in path:
            continue
        for address in things.paths(path):
            reply = await (eve.get(address) if method == "GET" else eve.post(address, ANYTHING))
            assert reply.status_code == 404, (method, address, reply.status_code)
            assert "entra" not in reply.text
    for address in (f"{OWN}?urn={SCHEMA['id']}", f"/company/settings/schemas/one?urn={SCHEMA['id']}"):
        assert (await eve.get(address)).status_code == 404
    assert (await eve.post(OWN, {"urn": str(SCHEMA["id"])})).status_code == 404
    assert await state_of(people, ada.company) == before


async def test_lists_show_ones_own_company_only(people: People, ada: Person, eve: Person, things: Things) -> None:
    for method, path in portal_routes(people):
        if method == "GET" and "{" not in path and path not in (OWN, "/company/settings/schemas/one"):
            text = await eve.text(path)
            for mine in (*things.ids.values(), "acme.example", "Acme"):
                assert mine not in text, (path, mine)


async def test_a_member_without_the_admin_permission_gets_nowhere_but_to_who_can_help(
    people: People, ada: Person, things: Things
) -> None:
    here, me = people.services, operator()
    await here.companies.set_admin(me, ada.company, "carol@acme.example", False)
    carol = await people.of(ada.company, "carol@acme.example")
    before = await state_of(people, ada.company)
    text = await carol.text("/company")
    assert "You need the Admin permission" in text
    assert "ada@acme.example" in text
    assert 'href="/company/settings"' not in text
    for method, path in portal_routes(people):
        if path == "/company" or path.startswith("/company/account"):
            continue  # their own account is everybody's
        for address in things.paths(path):
            reply = await (carol.get(address) if method == "GET" else carol.post(address, ANYTHING))
            assert reply.status_code == 403, (method, address, reply.status_code)
            assert "You may not do this" in reply.text
    assert await state_of(people, ada.company) == before


async def test_every_form_needs_its_token_and_our_own_origin(people: People, ada: Person, things: Things) -> None:
    before = await state_of(people, ada.company)
    token = await ada.token()
    forms = [path for method, path in portal_routes(people) if method == "POST"]
    assert len(forms) >= 18
    for path in forms:
        for address in things.paths(path):
            for sent, headers in (
                ({}, {}),
                ({"csrf": "x" * len(token)}, {}),
                ({"csrf": token}, {"origin": "https://evil.example"}),
                ({"csrf": token}, {"sec-fetch-site": "cross-site"}),
            ):
                reply = await ada.client.post(address, data={**ANYTHING, **sent}, headers=headers)
                assert reply.status_code == 403, (address, sent, headers)
                assert "did not come from a page of this session" in reply.text
    assert await state_of(people, ada.company) == before


async def test_pages_forbid_what_is_inline_and_are_kept_by_nobody(people: People, ada: Person, things: Things) -> None:
    for method, path in portal_routes(people):
        if method != "GET":
            continue
        for address in things.paths(path):
            reply = await ada.get(address)
            policy = reply.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert reply.headers["cache-control"] == "no-store"
            for inline in ("<style", " style=", "<script>", " onclick=", "javascript:"):
                assert inline not in reply.text, (address, inline)


async def test_a_session_that_lost_its_person_opens_nothing(people: People, ada: Person) -> None:
    here, me = people.services, operator()
    await here.companies.add_administrator(me, ada.company, "bob@acme.example")
    bob = await people.of(ada.company, "bob@acme.example")
    assert (await bob.get("/company")).status_code == 200
    await here.companies.remove_administrator(me, ada.company, "bob@acme.example")
    here.sessions.forget()
    assert (await bob.get("/company")).status_code == 303


def test_the_table_above_is_of_the_whole_portal(people: People) -> None:
    paths = {path for _, path in routes_of(make_app(people.services))}
    for part in ("users", "groups", "requests", "changes", "webhooks", "settings/authentication/api-keys"):
        assert f"/company/{part}" in paths
