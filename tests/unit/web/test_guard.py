"""Who sees a page, and whose forms are taken."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.unit.web.conftest import Sessions, session_of

from provisor.web.html.forms import Form
from provisor.web.html.guard import safe_next
from provisor.web.services import WebSettings

GOOD = {"csrf": "token-of-ada", "name": "entra"}


@pytest.fixture
def ada(browser: TestClient) -> TestClient:
    browser.cookies.set("provisor_company", "ada")
    return browser


def test_who_has_not_signed_in_is_sent_there_and_comes_back(browser: TestClient) -> None:
    reply = browser.get("/company/keys?state=all")
    assert reply.status_code == 303
    assert reply.headers["location"] == "/company/sign-in?next=%2Fcompany%2Fkeys%3Fstate%3Dall"


def test_a_part_of_a_page_sends_the_whole_window_to_sign_in(browser: TestClient) -> None:
    reply = browser.get("/company/keys", headers={"hx-request": "true"})
    assert (reply.status_code, reply.text) == (204, "")
    assert reply.headers["hx-redirect"].startswith("/company/sign-in?next=")


def test_a_session_of_the_other_realm_opens_nothing(browser: TestClient, sessions: Sessions) -> None:
    sessions.known["eve"] = session_of("tenant")
    browser.cookies.set("provisor_company", "eve")
    assert browser.get("/company/keys").status_code == 303
    browser.cookies.set("provisor_session", "ada")
    browser.cookies.delete("provisor_company")
    assert browser.get("/company/keys").status_code == 303


def test_a_form_with_its_token_is_taken_and_its_message_is_shown_once(ada: TestClient) -> None:
    reply = ada.post("/company/keys", data=GOOD)
    assert (reply.status_code, reply.headers["location"]) == (303, "/company/keys")
    assert "Added entra." in ada.get("/company/keys").text
    assert "Added entra." not in ada.get("/company/keys").text


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        ({"name": "entra"}, {}),
        ({**GOOD, "csrf": ""}, {}),
        ({**GOOD, "csrf": "token-of-eve"}, {}),
        ({**GOOD, "csrf": "tökén"}, {}),
        (GOOD, {"origin": "https://evil.example"}),
        (GOOD, {"origin": "null"}),
        (GOOD, {"origin": "https://provisor.example.evil.example"}),
        (GOOD, {"sec-fetch-site": "cross-site"}),
        (GOOD, {"sec-fetch-site": "same-site"}),
    ],
)
def test_a_foreign_form_is_refused(ada: TestClient, data: dict[str, str], headers: dict[str, str]) -> None:
    reply = ada.post("/company/keys", data=data, headers=headers)
    assert reply.status_code == 403
    assert "did not come from a page of this session" in reply.text


@pytest.mark.parametrize("settings", [WebSettings(public_url="https://id.example.org/provisor")])
def test_behind_a_proxy_the_public_address_is_ours_too(ada: TestClient) -> None:
    assert ada.post("/company/keys", data=GOOD, headers={"origin": "https://id.example.org"}).status_code == 303
    assert ada.post("/company/keys", data=GOOD, headers={"origin": "http://id.example.org"}).status_code == 403


def test_before_signing_in_a_cookie_carries_the_forms_token(browser: TestClient) -> None:
    first = browser.get("/company/sign-in")
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "secure" in cookie
    assert "samesite=strict" in cookie
    assert browser.get("/company/sign-in").text == first.text
    assert browser.post("/company/sign-in", data={"csrf": first.text}).status_code == 200
    assert browser.post("/company/sign-in", data={"csrf": "x"}).status_code == 403
    browser.cookies.clear()
    assert browser.post("/company/sign-in", data={"csrf": first.text}).status_code == 403
    assert browser.post("/company/sign-in", data={"csrf": ""}).status_code == 403


def test_a_forged_message_is_not_shown(ada: TestClient) -> None:
    ada.post("/company/keys", data=GOOD)
    body, _, mark = ada.cookies["provisor_flash"].rpartition(".")
    for forged in (f"{body}x.{mark}", f"{body}.{'0' * 64}", "nonsense", ".", "é.é"):
        ada.cookies.clear()
        ada.cookies.set("provisor_company", "ada")
        ada.cookies.set("provisor_flash", forged.encode("ascii", "ignore").decode())
        assert "Added" not in ada.get("/company/keys").text


def test_what_is_too_large_or_no_form_is_said(ada: TestClient) -> None:
    assert ada.post("/company/keys", data={**GOOD, "name": "x" * 2_000_000}).status_code == 413
    assert ada.post("/company/keys", json=GOOD).status_code == 400
    many = "&".join(f"f{n}=1" for n in range(3000))
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert ada.post("/company/keys", content=many, headers=form).status_code == 400
    assert ada.post("/company/keys", content=b"\xff\xfe=%00%ff&csrf=token-of-ada", headers=form).status_code == 303


def test_a_nul_in_an_address_reaches_no_database(ada: TestClient) -> None:
    assert ada.get("/company/keys?q=a%00b").status_code == 404


def test_what_fails_unexpectedly_tells_a_number_and_none_of_its_insides(ada: TestClient) -> None:
    reply = ada.get("/company/broken")
    assert reply.status_code == 500
    assert "the insides" not in reply.text
    assert "Request id:" in reply.text


def test_names_are_escaped_everywhere(ada: TestClient) -> None:
    text = ada.get("/company/keys").text
    assert "<b>Lovelace" not in text
    assert "Ada &lt;b&gt;Lovelace&lt;/b&gt;" in text


def test_unknown_addresses_are_pages_for_browsers_and_lines_for_programs(ada: TestClient) -> None:
    page = ada.get("/company/nothing")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    line = ada.get("/nothing", headers={"accept": "*/*"})
    assert line.status_code == 404
    assert line.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/company/keys?state=all", "/company/keys?state=all"),
        ("/company", "/company"),
        ("https://evil.example/", "/company"),
        ("//evil.example", "/company"),
        ("/company\\evil", "/company"),
        ("/companyevil", "/company"),
        ("/portal", "/company"),
        ("/company/\r\nset-cookie: a=b", "/company"),
        ("javascript:alert(1)", "/company"),
        ("", "/company"),
    ],
)
def test_the_way_on_stays_in_its_realm(wanted: str, leads_to: str) -> None:
    request = Request({"type": "http", "query_string": b"", "headers": [], "path": "/", "state": {}})
    request.state.form = Form.filled(next=wanted)
    assert safe_next(request, "/company") == leads_to
