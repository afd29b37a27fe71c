"""What a scope names, and where a browser may be sent back to: tables of cases."""

from __future__ import annotations

import pytest

from provisor.applications.registrations.model import Application
from provisor.applications.registrations.properties import ApplicationProperties, Redirects, Web
from provisor.security.permissions import GRAPH_APP_ID, OPENID_SCOPES, permissions
from provisor.signin.openid.errors import Refusal
from provisor.signin.openid.redirects import platform_of
from provisor.signin.openid.scopes import Wanted, parse_scope
from provisor.web.signin.targets import form_targets, source_of

BASE = "https://id.example"
OTHER = "6f0f0000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # one permission of the API, by every name that the API has
        ("User.Read", Wanted(GRAPH_APP_ID, ("User.Read",), ())),
        ("user.read", Wanted(GRAPH_APP_ID, ("User.Read",), ())),
        ("https://graph.microsoft.com/User.Read", Wanted(GRAPH_APP_ID, ("User.Read",), ())),
        ("https://graph.microsoft.com//User.Read", Wanted(GRAPH_APP_ID, ("User.Read",), ())),
        (f"{GRAPH_APP_ID}/User.Read", Wanted(GRAPH_APP_ID, ("User.Read",), ())),
        (f"{BASE}/User.Read", Wanted(GRAPH_APP_ID, ("User.Read",), ())),
        ("http://localhost:8080/User.Read", Wanted(GRAPH_APP_ID, ("User.Read",), ())),
        # once each, in the order in which they were asked for
        ("Group.Read.All User.Read User.Read", Wanted(GRAPH_APP_ID, ("Group.Read.All", "User.Read"), ())),
        # the sign-in's own are apart
        ("openid OFFLINE_ACCESS", Wanted(GRAPH_APP_ID, (), ("openid", "offline_access"))),
        ("openid profile User.Read", Wanted(GRAPH_APP_ID, ("User.Read",), ("openid", "profile"))),
        # whatever the registration asks for
        ("https://graph.microsoft.com/.default", Wanted(GRAPH_APP_ID, (), (), default=True)),
        (".default offline_access", Wanted(GRAPH_APP_ID, (), ("offline_access",), default=True)),
        # another application's
        (f"api://{OTHER}/Files.Read", Wanted(OTHER, ("Files.Read",), ())),
        (f"{OTHER}/.default", Wanted(OTHER, (), (), default=True)),
    ],
)
def test_what_a_scope_asks_for(text: str, wanted: Wanted) -> None:
    assert parse_scope(text, BASE) == wanted


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 70011),
        ("  ", 70011),
        ("No.Such", 70011),
        ("https://graph.microsoft.com/No.Such", 70011),
        ("User.Read .default", 70011),
        (f"User.Read api://{OTHER}/Files.Read", 28000),
        ("https://elsewhere.example/Read", 500011),
        ("https://id.example.evil.example/User.Read", 500011),
        ("http://localhost.evil.example/User.Read", 500011),
        ("api://not-a-guid/Read", 500011),
        ("x" * 5_000, 70011),
    ],
)
def test_what_a_scope_cannot_ask_for(text: str, code: int) -> None:
    with pytest.raises(Refusal) as refused:
        parse_scope(text, BASE)
    assert refused.value.code == code


APPLICATION = Application(
    id="1",
    tenant_id="t",
    app_id=OTHER,
    template_id="",
    display_name="Sample",
    sign_in_audience="AzureADMyOrg",
    created_at=0,
    properties=ApplicationProperties(
        web=Web(redirect_uris=("https://app.example/back", "http://localhost:3000/web")),
        spa=Redirects(("https://page.example/",)),
        public_client=Redirects(("http://localhost", "http://127.0.0.1:80/cb?x=1", "myapp://auth")),
    ),
)


@pytest.mark.parametrize(
    ("uri", "platform"),
    [
        ("https://app.example/back", "web"),
        ("https://page.example/", "spa"),
        ("myapp://auth", "native"),
        # a loopback port is free
        ("http://localhost", "native"),
        ("http://localhost/", "native"),
        ("http://localhost:61234", "native"),
        ("http://127.0.0.1:61234/cb?x=1", "native"),
        ("http://localhost:4000/web", "web"),
        # and nothing else is
        ("https://app.example/back/", None),
        ("https://app.example/back?x=1", None),
        ("https://app.example:8443/back", None),
        ("https://page.example", None),
        ("https://page.example/deeper", None),
        ("http://app.example/back", None),
        ("myapp://other", None),
        ("http://localhost:61234/other", None),
        ("http://localhost:61234/#x", None),
        ("http://user@localhost:61234", None),
        ("http://localhost:0", None),
        ("http://localhost:99999", None),
        ("http://localhost@evil.example", None),
        ("http://127.0.0.2:61234/cb?x=1", None),
        ("http://127.0.0.1:61234/cb", None),
        ("https://localhost", None),
        ("", None),
    ],
)
def test_where_a_browser_may_be_sent_back_to(uri: str, platform: str | None) -> None:
    assert platform_of(APPLICATION, uri) == platform


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("https://app.example/back?a=b", "https://app.example"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://[::1]:5000/x", "http://[::1]:5000"),
        ("myapp://auth", "myapp:"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://app.example; script-src *", None),
        ("https://app.example'unsafe-inline'", None),
        ("https://app.example,https://evil.example", None),
        ("https:", None),
        ("", None),
    ],
)
def test_a_pages_policy_is_widened_by_one_plain_origin_only(address: str, source: str | None) -> None:
    assert source_of(address) == source


def test_the_policy_follows_what_the_authority_was_asked() -> None:
    assert form_targets("/t/oauth2/v2.0/authorize?redirect_uri=https%3A%2F%2Fapp.example%2F") == (
        "https://app.example",
    )
    assert form_targets("/portal") == ()


def test_every_permission_has_its_own_ids_and_says_what_it_allows() -> None:
    ids = [one for found in permissions().values() for one in (found.scope_id, found.role_id) if one is not None]
    assert len(ids) == len(set(ids))
    for found in permissions().values():
        assert found.title
        assert found.text.endswith(".")
        assert found.scope_id is not None or found.role_id is not None
        assert found.role_id is None or found.rights or found.name in OPENID_SCOPES
