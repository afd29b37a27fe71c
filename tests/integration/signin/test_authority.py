"""The authority: what it refuses and in which way, who may consent, and that codes and tokens work as they should."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.integration.signin.asking import BACK, App, accept, answered, code_of, redeem, register, required
from tests.integration.signin.browser import BASE, Browser
from tests.integration.signin.conftest import PASSWORD, make_user, person, with_password

from provisor.app.services import AppServices
from provisor.directory.model import User
from provisor.security.actor import operator
from provisor.security.permissions import GRAPH_APP_ID
from provisor.signin.errors import TokenRevoked
from provisor.testing.clock import SettableClock

ADA = "ada@lindenhof.example"


@pytest.fixture
async def app_(services: AppServices, tenant: str) -> App:
    return await register(services, tenant)


@pytest.fixture
async def signed_in(services: AppServices, ada: User, browser: Browser) -> Browser:
    """A browser in which Ada has signed in."""
    await with_password(services, person(ada))
    await browser.sign_in("/portal", ADA, PASSWORD)
    return browser


async def claims_of(browser: Browser, token: str, tenant: str) -> dict[str, Any]:
    keys = (await browser.client.get(f"/{tenant}/discovery/v2.0/keys")).json()
    return jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"]).claims


# The whole way


async def test_a_code_becomes_tokens_that_name_the_person(
    services: AppServices, tenant: str, ada: User, app_: App, browser: Browser, clock: SettableClock
) -> None:
    await with_password(services, person(ada))
    page = await browser.get(app_.address(login_hint=ADA))
    assert page.path.startswith("/portal/sign-in?again=&next=")
    assert page.form("/portal/sign-in").values["login"] == ADA
    assert "form-action 'self' https://app.example;" in page.response.headers["content-security-policy"] + ";"
    page = await browser.send(page, "/portal/sign-in", login=ADA, password=PASSWORD)
    assert "Sample (app.example) would like to: Sign you in" in page.text
    assert "Sign you in and read your profile" in page.text
    assert "Keep the access that you give it" in page.text
    said = answered(await accept(browser, page))
    assert said["state"] == "the state"
    assert said["a"] == "b"
    status, tokens = await redeem(browser, app_, app_.form(said["code"], client_info="1"))
    assert (status, tokens["token_type"], tokens["expires_in"]) == (200, "Bearer", 3600)
    assert set(tokens["scope"].split()) == {"User.Read", "openid", "profile", "offline_access"}
    claims = await claims_of(browser, tokens["id_token"], tenant)
    assert (claims["iss"], claims["aud"]) == (f"{BASE}/{tenant}/v2.0", app_.client_id)
    assert (claims["tid"], claims["oid"], claims["nonce"]) == (tenant, ada.id, "the nonce")
    assert (claims["preferred_username"], claims["name"], "email" in claims) == (ADA, "Ada", False)
    access = await claims_of(browser, tokens["access_token"], tenant)
    assert (access["aud"], access["scp"]) == (GRAPH_APP_ID, "User.Read openid profile")
    caller = await services.authority.authenticate(tokens["access_token"])
    assert (caller.kind, caller.user_id, caller.app_id) == ("user", ada.id, app_.client_id)
    assert caller.scopes == {"User.Read", "openid", "profile"}
    info = await browser.client.get("/oidc/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"})
    assert info.json() == {"sub": claims["sub"], "name": "Ada", "preferred_username": ADA}
    assert "code" in answered(await browser.get(app_.address(prompt="none"))), "asked once is enough"


async def test_discovery_names_every_address(browser: Browser, tenant: str) -> None:
    for ref in (tenant, "lindenhof.example", "LINDENHOF.example"):
        found = (await browser.client.get(f"/{ref}/v2.0/.well-known/openid-configuration")).json()
        assert found["issuer"] == f"{BASE}/{tenant}/v2.0"
        assert found["token_endpoint"] == f"{BASE}/{tenant}/oauth2/v2.0/token"
        assert found["userinfo_endpoint"] == f"{BASE}/oidc/userinfo"
        assert found["code_challenge_methods_supported"] == ["S256"]
    many = (await browser.client.get("/organizations/v2.0/.well-known/openid-configuration")).json()
    assert many["issuer"] == f"{BASE}/{{tenantid}}/v2.0"
    keys = (await browser.client.get("/common/discovery/v2.0/keys")).json()["keys"]
    assert keys == (await browser.client.get(f"/{tenant}/discovery/v2.0/keys")).json()["keys"] or keys == []
    nobody = await browser.client.get("/nobody.example/v2.0/.well-known/openid-configuration")
    assert (nobody.status_code, nobody.json()["error_codes"]) == (400, [90002])


# What is refused on a page, because nobody knows that the address is the client's


async def test_a_tenant_is_named_where_one_is_needed(
    services: AppServices, tenant: str, signed_in: Browser, app_: App
) -> None:
    other = (await services.directory.create_tenant(operator(), "Other", "other.example")).id
    for ref, code in (("nobody.example", 90002), ("organizations", 50194), ("common", 50194), (other, 700016)):
        assert f"AADSTS{code}" in (await signed_in.get(app_.address(ref))).text
    twice = await signed_in.get(app_.address() + "&state=other")
    assert "AADSTS90014" in twice.text


# What is sent back to the client


async def test_answers_come_in_the_way_that_was_asked_for(signed_in: Browser, app_: App) -> None:
    await code_of(signed_in, app_)
    page = await signed_in.get(app_.address(response_mode="fragment"))
    assert page.location.startswith(f"{BACK}#code=")
    posted = await signed_in.get(app_.address(response_mode="form_post"))
    form = posted.form(BACK)
    assert (form.method, form.values["state"], len(form.values["code"])) == ("post", "the state", 43)
    assert "form-action 'self' https://app.example" in posted.response.headers["content-security-policy"]


async def test_nobody_signed_in_and_no_page_wanted(browser: Browser, app_: App) -> None:
    assert answered(await browser.get(app_.address(prompt="none")))["error"] == "login_required"


async def test_prompt_login_asks_for_the_password_again_and_once(signed_in: Browser, app_: App) -> None:
    await code_of(signed_in, app_)
    page = await signed_in.get(app_.address(prompt="login"))
    assert page.path.startswith("/portal/sign-in?again=")
    done = await signed_in.send(page, "/portal/sign-in", login=ADA, password=PASSWORD)
    assert "code" in answered(done)


async def test_somebody_of_another_tenant_is_asked_to_be_somebody_else(
    services: AppServices, signed_in: Browser, app_: App
) -> None:
    other = (await services.directory.create_tenant(operator(), "Other", "other.example")).id
    foreign = await register(services, other, "Foreign")
    assert (await signed_in.get(foreign.address())).path.startswith("/portal/sign-in?again=")
    said = answered(await signed_in.get(foreign.address(prompt="none")))
    assert (said["error"], said["error_description"][:11]) == ("access_denied", "AADSTS50020")


# Consent


async def test_declining_creates_nothing(services: AppServices, tenant: str, signed_in: Browser) -> None:
    made = await services.registrations.register(
        operator(), tenant, {"displayName": "New", "web": {"redirectUris": [BACK]}}
    )
    app = App(made.app_id, made.id, "", tenant)
    page = await signed_in.get(app.address())
    said = answered(await signed_in.send(page, f"/{tenant}/oauth2/v2.0/consent", decision="cancel"))
    assert (said["error"], said["error_description"][:11]) == ("access_denied", "AADSTS65004")
    assert await services.grants.grants(operator(), tenant) == []
    assert [one.service_principal.app_id for one in await services.registrations.instances(operator(), tenant)] == [
        GRAPH_APP_ID
    ]


@pytest.mark.parametrize(
    ("role", "scope", "may", "for_all"),
    [
        (None, "User.Read", True, False),
        (None, "User.Read.All", False, False),
        ("Global Reader", "User.Read.All", False, False),
        ("User Administrator", "User.Read.All", False, False),
        ("Security Administrator", "Group.Read.All", False, False),
        ("Hybrid Identity Administrator", "User.Read.All", False, False),
        ("Reports Reader", "AuditLog.Read.All", False, False),
        ("Application Administrator", "User.Read.All", True, True),
        ("Cloud Application Administrator", "Directory.ReadWrite.All", True, True),
        ("Global Administrator", "Directory.ReadWrite.All", True, True),
    ],
)
async def test_who_may_consent_to_what(
    services: AppServices,
    tenant: str,
    ada: User,
    signed_in: Browser,
    app_: App,
    clock: SettableClock,
    role: str | None,
    scope: str,
    may: bool,
    for_all: bool,
) -> None:
    eve = await make_user(services, tenant, "eve")
    await services.roles.grant(operator(), tenant, eve.id, "Global Administrator")
    if role is not None:
        await services.roles.grant(operator(), tenant, ada.id, role)
        clock.advance(2)
    page = await signed_in.get(app_.address(scope=f"openid {scope}"))
    assert ("Permissions requested" in page.text) is may
    assert ("on behalf of your organization" in page.text) is for_all
    if not may:
        assert "Needs admin approval" in page.text
        assert "These people can: Eve" in page.text
        forged = await accept(signed_in, page, for_all="yes")
        assert forged.status == 403 or forged.location == ""
        assert await services.grants.grants(operator(), tenant) == []
        return
    assert "code" in answered(await accept(signed_in, page, for_all="yes"))
    [grant] = await services.grants.grants(operator(), tenant)
    assert grant.for_everybody is for_all
    assert set(grant.scopes) == {"openid", scope}


async def test_consent_for_the_organisation_spares_everybody_else_the_page(
    services: AppServices, tenant: str, ada: User, signed_in: Browser, app_: App, clock: SettableClock
) -> None:
    await services.roles.grant(operator(), tenant, ada.id, "Global Administrator")
    clock.advance(2)
    await accept(signed_in, await signed_in.get(app_.address()), for_all="yes")
    eve = await make_user(services, tenant, "eve")
    await with_password(services, person(eve))
    page = await signed_in.sign_in("/portal", "eve@lindenhof.example", PASSWORD)
    assert "code" in answered(await signed_in.get(app_.address()))
    assert page.status == 200


async def test_admin_consent_grants_what_the_registration_asks_for_once(
    services: AppServices, tenant: str, ada: User, signed_in: Browser, clock: SettableClock
) -> None:
    owner = (await services.directory.create_tenant(operator(), "Vendor", "vendor.example")).id
    resources = [
        {
            "resourceAppId": GRAPH_APP_ID,
            "resourceAccess": required("User.Read.All")[0]["resourceAccess"]
            + required("Group.Read.All", kind="Role")[0]["resourceAccess"],
        }
    ]
    app = await register(
        services, owner, "Wide", signInAudience="AzureADMultipleOrgs", requiredResourceAccess=resources
    )
    address = (
        f"/organizations/v2.0/adminconsent?client_id={app.client_id}&scope=https://graph.microsoft.com/.default"
        f"&redirect_uri={BACK.replace('?', '%3F').replace('=', '%3D')}&state=12"
    )
    page = await signed_in.get(address)
    assert (page.status, "Needs admin approval" in page.text) == (403, True)
    await services.roles.grant(operator(), tenant, ada.id, "Application Administrator")
    clock.advance(2)
    assert "Needs admin approval" in (await signed_in.get(address)).text, "an app's own permission takes more"
    await services.roles.grant(operator(), tenant, ada.id, "Global Administrator")
    clock.advance(2)
    page = await signed_in.get(address)
    declined = answered(await signed_in.send(page, "/organizations/v2.0/adminconsent/decide", decision="cancel"))
    assert (declined["error"], declined["admin_consent"], declined["state"]) == ("consent_required", "True", "12")
    assert await services.grants.grants(operator(), tenant) == []
    for _ in range(2):
        said = answered(await accept(signed_in, await signed_in.get(address)))
        assert (said["admin_consent"], said["tenant"], said["scope"]) == ("True", tenant, "User.Read.All")
    [grant] = await services.grants.grants(operator(), tenant)
    assert (grant.for_everybody, grant.scopes) == (True, ("User.Read.All",))
    instances = [one.service_principal for one in await services.registrations.instances(operator(), tenant)]
    [made] = [one for one in instances if one.app_id == app.client_id]
    assert made.owner_tenant_id == owner
    status, given = await redeem(
        signed_in,
        app,
        {
            "grant_type": "client_credentials",
            "client_id": app.client_id,
            "client_secret": app.secret,
            "scope": "https://graph.microsoft.com/.default",
        },
        tenant,
    )
    assert status == 200
    assert (await services.authority.authenticate(given["access_token"])).app_roles == {"Group.Read.All"}


async def test_an_app_that_wants_assignments_lets_in_who_is_assigned(
    services: AppServices, tenant: str, ada: User, signed_in: Browser, app_: App
) -> None:
    instance = (await services.registrations.instance(operator(), tenant, app_.client_id)).service_principal
    await services.registrations.update_instance(operator(), tenant, instance.id, {"appRoleAssignmentRequired": True})
    assert answered(await signed_in.get(app_.address()))["error_description"].startswith("AADSTS50105")
    group = await services.directory.create_group(operator(), tenant, {"displayName": "All", "securityEnabled": True})
    await services.directory.add_members(operator(), tenant, group.id, [ada.id])
    await services.role_assignments.assign(
        operator(), tenant, instance.id, group.id, "00000000-0000-0000-0000-000000000000"
    )
    await code_of(signed_in, app_)
    await services.registrations.update_instance(operator(), tenant, instance.id, {"accountEnabled": False})
    assert answered(await signed_in.get(app_.address()))["error_description"].startswith("AADSTS7000112")


# Codes and tokens


async def test_a_code_works_once_and_its_replay_revokes_what_it_gave(
    services: AppServices, signed_in: Browser, app_: App, clock: SettableClock
) -> None:
    form = app_.form(await code_of(signed_in, app_))
    _, tokens = await redeem(signed_in, app_, form)
    await services.authority.authenticate(tokens["access_token"])
    status, body = await redeem(signed_in, app_, form)
    assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [54005])
    clock.advance(2)
    with pytest.raises(TokenRevoked):
        await services.authority.authenticate(tokens["access_token"])
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": app_.client_id}
    assert (await redeem(signed_in, app_, {**refresh, "client_secret": app_.secret}))[1]["error_codes"] == [50173]


async def test_a_code_lives_five_minutes(signed_in: Browser, app_: App, clock: SettableClock) -> None:
    form = app_.form(await code_of(signed_in, app_))
    clock.advance(300)
    assert (await redeem(signed_in, app_, form))[1]["error_codes"] == [70008]


async def test_a_code_of_one_client_is_nothing_to_another(
    services: AppServices, tenant: str, signed_in: Browser, app_: App
) -> None:
    other = await register(services, tenant, "Other")
    code = await code_of(signed_in, app_)
    assert (await redeem(signed_in, other, other.form(code)))[1]["error_codes"] == [700005]


async def test_refresh_tokens_rotate_and_an_old_one_revokes_them_all(
    services: AppServices, signed_in: Browser, app_: App, clock: SettableClock
) -> None:
    _, first = await redeem(signed_in, app_, app_.form(await code_of(signed_in, app_)))

    def form(token: str, **changes: str) -> dict[str, str]:
        return {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": app_.client_id,
            "client_secret": app_.secret,
            **changes,
        }

    clock.advance(3_600)
    status, second = await redeem(signed_in, app_, form(first["refresh_token"]))
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    await services.authority.authenticate(second["access_token"])
    wrong = await redeem(signed_in, app_, form(second["refresh_token"], client_secret="wrong"))
    assert wrong[1]["error_codes"] == [7000215]
    assert (await redeem(signed_in, app_, form("x" * 43)))[1]["error"] == "invalid_grant"
    assert (await redeem(signed_in, app_, form(first["refresh_token"])))[1]["error_codes"] == [700082]
    assert (await redeem(signed_in, app_, form(second["refresh_token"])))[1]["error_codes"] == [50173]
    clock.advance(2)
    with pytest.raises(TokenRevoked):
        await services.authority.authenticate(second["access_token"])


async def test_a_grant_ends_with_the_person_with_a_new_password_and_after_ninety_days(
    services: AppServices, tenant: str, ada: User, signed_in: Browser, app_: App, clock: SettableClock
) -> None:
    async def refused(tokens: Any) -> int:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": app_.client_id}
        _, body = await redeem(signed_in, app_, {**form, "client_secret": app_.secret})
        return int(body["error_codes"][0])

    async def tokens() -> Any:
        await signed_in.sign_in("/portal", ADA, PASSWORD)
        return (await redeem(signed_in, app_, app_.form(await code_of(signed_in, app_))))[1]

    one = await tokens()
    await services.directory.update_user(operator(), tenant, ada.id, {"accountEnabled": False})
    assert await refused(one) == 50057
    await services.directory.update_user(operator(), tenant, ada.id, {"accountEnabled": True})
    two = await tokens()
    clock.advance(10)
    await with_password(services, person(ada))
    assert await refused(two) == 50173
    with pytest.raises(TokenRevoked):
        await services.authority.authenticate(two["access_token"])
    clock.advance(10)
    three = await tokens()
    clock.advance(90 * 86_400)
    assert await refused(three) == 700082
    clock.advance(2 * 86_400)
    assert await services.issuing.purge() == 3


async def test_public_clients_need_pkce_and_no_secret(services: AppServices, tenant: str, signed_in: Browser) -> None:
    app = await register(
        services,
        tenant,
        "Native",
        web={"redirectUris": []},
        publicClient={"redirectUris": ["http://localhost", "http://127.0.0.1:1234/cb", "myapp://auth"]},
    )
    for uri in ("http://localhost:5000", "http://localhost:61234/", "http://127.0.0.1:9/cb", "myapp://auth"):
        said = answered(await signed_in.get(app.address(redirect_uri=uri, code_challenge=None)))
        assert said["error_description"].startswith("AADSTS9002325")
        code = await code_of(signed_in, app, redirect_uri=uri)
        status, tokens = await redeem(signed_in, app, app.form(code, redirect_uri=uri, client_secret=None))
        assert status == 200, tokens
    for uri in ("http://localhost:5000/x", "http://localhost.evil.example", "https://localhost:5000", "http://[::1]:1"):
        assert "AADSTS50011" in (await signed_in.get(app.address(redirect_uri=uri))).text


async def test_a_single_page_app_may_ask_from_its_own_origin_only(
    services: AppServices, tenant: str, signed_in: Browser
) -> None:
    app = await register(
        services, tenant, "Page", web={"redirectUris": []}, spa={"redirectUris": ["https://page.example/"]}
    )
    for origin, allowed in (("https://page.example", True), ("https://evil.example", False)):
        code = await code_of(signed_in, app, redirect_uri="https://page.example/")
        form = app.form(code, redirect_uri="https://page.example/", client_secret=None)
        answer = await signed_in.client.post(f"/{tenant}/oauth2/v2.0/token", data=form, headers={"origin": origin})
        assert answer.status_code == 200
        assert (answer.headers.get("access-control-allow-origin") == origin) is allowed


# Applications by themselves


async def test_client_credentials_carry_what_the_application_was_given(
    services: AppServices, tenant: str, browser: Browser, app_: App, clock: SettableClock
) -> None:
    graph = (await services.registrations.instance(operator(), tenant, GRAPH_APP_ID)).service_principal
    own = (await services.registrations.instance(operator(), tenant, app_.client_id)).service_principal
    role = next(one for one in graph.app_roles if one.value == "User.Read.All")
    await services.role_assignments.assign(operator(), tenant, graph.id, own.id, role.id)
    form = {
        "grant_type": "client_credentials",
        "client_id": app_.client_id,
        "client_secret": app_.secret,
        "scope": "https://graph.microsoft.com/.default",
    }
    for scope in ("https://graph.microsoft.com/.default", f"{BASE}/.default", "http://127.0.0.1/.default"):
        status, given = await redeem(browser, app_, {**form, "scope": scope})
        assert status == 200
        caller = await services.authority.authenticate(given["access_token"])
        assert (caller.kind, caller.app_roles, caller.actor.subject) == ("app", {"User.Read.All"}, own.id)
        assert given.keys() == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    basic = await browser.client.post(
        f"/{tenant}/oauth2/v2.0/token",
        data={name: value for name, value in form.items() if not name.startswith("client_")},
        auth=(app_.client_id, app_.secret),
    )
    assert basic.status_code == 200
    for changes, code in (
        ({"scope": "User.Read.All"}, 1002012),
        ({"scope": ""}, 70011),
        ({"client_secret": "wrong"}, 7000215),
        ({"client_secret": ""}, 7000218),
        ({"scope": "api://6f0f0000-0000-4000-8000-000000000000/.default"}, 500011),
    ):
        assert (await redeem(browser, app_, {**form, **changes}))[1]["error_codes"] == [code]
    assert (await redeem(browser, app_, form, "organizations"))[1]["error_codes"] == [90002]
    [secret] = (await services.passwords.of(operator(), tenant, [app_.object_id]))[app_.object_id]
    registered = await services.registrations.application(operator(), tenant, app_.object_id)
    await services.passwords.remove(operator(), registered, secret.key_id)
    clock.advance(2)
    with pytest.raises(TokenRevoked):
        await services.authority.authenticate(given["access_token"])
    assert (await redeem(browser, app_, form))[1]["error_codes"] == [7000215]


# Signing out


async def test_signing_out_asks_unless_the_client_can_name_the_person(
    signed_in: Browser, app_: App, tenant: str
) -> None:
    _, tokens = await redeem(signed_in, app_, app_.form(await code_of(signed_in, app_)))
    back = BACK.replace("?", "%3F").replace("=", "%3D")
    path = f"/{tenant}/oauth2/v2.0/logout"
    for query in ("", f"?post_logout_redirect_uri={back}", "?id_token_hint=x.y.z"):
        page = await signed_in.get(path + query)
        assert "You are signed in as Ada" in page.text
    evil = await signed_in.get(
        f"{path}?id_token_hint={tokens['id_token']}&post_logout_redirect_uri=https://evil.example"
    )
    assert evil.location == ""
    assert "provisor_session" not in signed_in.client.cookies
    await signed_in.sign_in("/portal", ADA, PASSWORD)
    page = await signed_in.get(f"{path}?client_id={app_.client_id}&post_logout_redirect_uri={back}&state=s")
    done = await signed_in.send(page, path)
    assert done.location == f"{BACK}&state=s"
    await signed_in.sign_in("/portal", ADA, PASSWORD)
    left = await signed_in.get(
        f"/{tenant}/v2.0/logout?id_token_hint={tokens['id_token']}&post_logout_redirect_uri={back}"
    )
    assert left.location == BACK
    assert "provisor_session" not in signed_in.client.cookies


async def test_the_consent_forms_are_taken_from_our_own_pages_only(
    services: AppServices, tenant: str, signed_in: Browser, app_: App
) -> None:
    query = app_.address().partition("?")[2]
    session = await services.sessions.find(signed_in.client.cookies["provisor_session"])
    assert session is not None
    for path in ("oauth2/v2.0/consent", "v2.0/adminconsent/decide", "oauth2/v2.0/logout"):
        for csrf, origin in (("", BASE), (session.csrf, "https://evil.example")):
            answer = await signed_in.client.post(
                f"/{tenant}/{path}",
                data={"request": query, "decision": "accept", "csrf": csrf},
                headers={"origin": origin},
            )
            assert answer.status_code == 403
    assert await services.grants.grants(operator(), tenant) == []
