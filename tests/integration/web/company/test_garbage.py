"""Whatever is sent to any page or form of the portal: an answer for people, no server's failure, nothing let in."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from tests.integration.web.company.conftest import People, Person
from tests.integration.web.company.test_rights import Things, portal_routes, state_of, things

from provisor.security.actor import operator
from provisor.testing.database import Store

__all__ = ["things"]  # a fixture

SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}${7*7}"
NASTY = (
    SCRIPT,
    "x" * 20_000,
    "9" * 60,
    "-1",
    "0",
    "%",
    "\\",
    "' OR 1=1 --",
    "a\x00b",
    "a\x07b",
    "\ufffd\U0001f600\u202e",
    "../../etc/passwd",
    "https://evil.example/",
    "2026-13-45",
    "[" * 2_000,
)
QUERIES = ("q", "after", "before", "upto", "page", "state", "method", "credential", "since", "until", "category", "urn")
FIELDS = ("name", "expires", "owner", "account", "dialect", "email", "url", "begin", "after", "document", "urn")
# What these forms do needs no field: they would do it, and that is tested elsewhere.
_ACT = ("/revoke", "/remove", "/take", "/give", "/withdraw")
# A webhook may go on where it stopped or from the first change on; a secret may live for ever.
_RIGHT = (("/replay", ""), ("/replay", "0"), ("/secrets", ""))


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """Both engines: they differ in what they can be asked for."""
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


def require_answer(status: int, text: str, what: object) -> None:
    assert status < 500, what
    assert "<script>alert" not in text, what
    assert "<img src=x" not in text, what
    assert "Traceback" not in text, what


async def test_any_address_is_answered(people: People, ada: Person, things: Things) -> None:
    for method, path in portal_routes(people):
        if method != "GET":
            continue
        for nasty in NASTY:
            address = path.replace("{id}", quote(nasty[:500], safe="")).replace("{secret}", "x")
            if address != path:
                reply = await ada.get(address)
                require_answer(reply.status_code, reply.text, address)
                assert reply.status_code == 404, address
    lists = ("users", "groups", "requests", "changes", "settings/audit", "settings/messages", "settings/schemas/one")
    for nasty in NASTY:
        for path in (*lists, f"groups/{things.ids['groups']}"):
            reply = await ada.client.get(f"/company/{path}", params=dict.fromkeys(QUERIES, nasty[:1_500]))
            require_answer(reply.status_code, reply.text, (path, nasty[:40]))
        # Here the first that is wrong hides the others.
        for name in ("q", "before", "state", "method", "credential"):
            reply = await ada.client.get("/company/requests", params={name: nasty[:1_500]})
            require_answer(reply.status_code, reply.text, (name, nasty[:40]))


async def test_any_form_is_answered_and_lets_nothing_in(people: People, ada: Person, things: Things) -> None:
    before = await state_of(people, ada.company)
    token = await ada.token()
    forms = [path for method, path in portal_routes(people) if method == "POST" and not path.endswith(_ACT)]
    forms = [path for path in forms if not path.startswith("/company/account")]
    assert len(forms) >= 7
    for path in forms:
        for address in things.paths(path):
            for nasty in ("", *NASTY):
                if any(address.endswith(end) and nasty == value for end, value in _RIGHT):
                    continue
                data = {**dict.fromkeys(FIELDS, nasty), "csrf": token}
                reply = await ada.client.post(address, data=data)
                require_answer(reply.status_code, reply.text, (address, nasty[:40]))
                assert reply.status_code == 422, (address, nasty[:40], reply.status_code)
            reply = await ada.client.post(address, data={"csrf": token, "name": ["a"] * 3_000})
            assert reply.status_code == 400
            reply = await ada.client.post(address, data={"csrf": token, "name": "x" * 1_100_000})
            assert reply.status_code == 413
    assert await state_of(people, ada.company) == before
    assert len(await people.services.companies.keys(operator(), ada.company)) == 2
