"""What the authority refuses, where it says so, and with which numbers."""

from __future__ import annotations

import pytest
from tests.integration.signin.asking import App, answered, code_of, redeem, register
from tests.integration.signin.browser import Browser
from tests.integration.signin.conftest import PASSWORD, person, with_password

from provisor.app.services import AppServices
from provisor.directory.model import User
from provisor.security.permissions import GRAPH_APP_ID
from provisor.testing.database import Store

ADA = "ada@lindenhof.example"


@pytest.fixture
def store(sqlite_only: Store) -> Store:
    """One engine: what is refused does not depend on it."""
    return sqlite_only


@pytest.fixture
async def app_(services: AppServices, tenant: str) -> App:
    return await register(services, tenant)


@pytest.fixture
async def signed_in(services: AppServices, ada: User, browser: Browser) -> Browser:
    """A browser in which Ada has signed in."""
    await with_password(services, person(ada))
    await browser.sign_in("/portal", ADA, PASSWORD)
    return browser


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": None}, 900144),
        ({"client_id": "6f0f0000-0000-4000-8000-000000000000"}, 700016),
        ({"client_id": GRAPH_APP_ID}, 700016),
        ({"redirect_uri": "https://app.example/back"}, 50011),
        ({"redirect_uri": "https://app.example/back?a=b&c=d"}, 50011),
        ({"redirect_uri": "https://APP.example/back?a=b"}, 50011),
        ({"redirect_uri": "https://app.example.evil.example/back?a=b"}, 50011),
        ({"redirect_uri": "https://evil.example/back?a=b"}, 50011),
        ({"redirect_uri": "javascript:alert(1)"}, 50011),
        ({"redirect_uri": "https://app.example/back?a=b#x"}, 50011),
        ({"redirect_uri": "http://app.example/back?a=b"}, 50011),
        ({"state": "x" * 5_000}, 90014),
    ],
    ids=str,
)
async def test_a_request_that_may_not_be_the_clients_is_not_sent_back(
    signed_in: Browser, app_: App, changes: dict[str, str | None], code: int
) -> None:
    page = await signed_in.get(app_.address(**changes))
    assert page.location == ""
    assert f"AADSTS{code}" in page.text


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"response_type": None}, "invalid_request", 900144),
        ({"response_type": "token"}, "unsupported_response_type", 700054),
        ({"response_mode": "pigeon"}, "invalid_request", 90023),
        ({"prompt": "please"}, "invalid_request", 90023),
        ({"prompt": "none login"}, "invalid_request", 90023),
        ({"code_challenge_method": "plain"}, "invalid_request", 501491),
        ({"code_challenge_method": None}, "invalid_request", 501491),
        ({"code_challenge": "short"}, "invalid_request", 501491),
        ({"scope": None}, "invalid_scope", 70011),
        ({"scope": "openid No.Such"}, "invalid_scope", 70011),
        ({"scope": "User.Read .default"}, "invalid_scope", 70011),
        ({"scope": "https://elsewhere.example/Read"}, "invalid_resource", 500011),
        ({"scope": "api://6f0f0000-0000-4000-8000-000000000000/Read"}, "invalid_resource", 500011),
        ({"scope": "User.Read api://6f0f0000-0000-4000-8000-000000000000/Read"}, "invalid_scope", 28000),
        ({"prompt": "none"}, "consent_required", 65001),
        ({"prompt": "none", "scope": "User.Read.All"}, "access_denied", 90094),
    ],
    ids=str,
)
async def test_a_refusal_goes_back_to_the_client(
    signed_in: Browser, app_: App, changes: dict[str, str | None], error: str, code: int
) -> None:
    page = await signed_in.get(app_.address(**changes))
    assert page.location.startswith("https://app.example/back?a=b&")
    said = answered(page)
    assert (said["error"], said["state"]) == (error, "the state")
    assert said["error_description"].startswith(f"AADSTS{code}: ")


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"grant_type": None}, "invalid_request", 900144),
        ({"grant_type": "password"}, "unsupported_grant_type", 70003),
        ({"client_id": None}, "invalid_request", 900144),
        ({"client_id": "6f0f0000-0000-4000-8000-000000000000"}, "unauthorized_client", 700016),
        ({"code": None}, "invalid_request", 900144),
        ({"code": "x"}, "invalid_grant", 70008),
        ({"redirect_uri": None}, "invalid_request", 900144),
        ({"redirect_uri": "https://app.example/other"}, "invalid_grant", 50011),
        ({"client_secret": None}, "invalid_client", 7000218),
        ({"client_secret": "wrong"}, "invalid_client", 7000215),
        ({"code_verifier": None}, "invalid_grant", 501481),
        ({"code_verifier": "w" * 50}, "invalid_grant", 501481),
        ({"scope": "User.Read.All"}, "consent_required", 65001),
    ],
    ids=str,
)
async def test_what_the_token_address_refuses(
    signed_in: Browser, app_: App, changes: dict[str, str | None], error: str, code: int
) -> None:
    form = app_.form(await code_of(signed_in, app_))
    form = {name: value for name, value in {**form, **changes}.items() if value is not None}
    status, body = await redeem(signed_in, app_, form)
    assert (body["error"], body["error_codes"]) == (error, [code])
    assert status == (401 if error == "invalid_client" else 400)
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert body.keys() == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
    }
