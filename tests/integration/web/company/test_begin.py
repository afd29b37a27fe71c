"""Beginning on an empty database: who may, with what, and that it can be done once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.integration.web.company.conftest import People

from provisor.security.actor import operator

COMPANY = {"name": "Contoso", "admin": "ada@contoso.example"}
TENANT = {"name": "Contoso", "domain": "contoso.example", "admin": "ada@contoso.example"}


async def made(people: People) -> tuple[int, int]:
    services = people.services
    return len(await services.companies.companies(operator())), len(await services.directory.tenants(operator()))


async def test_on_the_machine_itself_the_form_is_enough_and_its_maker_is_let_in(people: People) -> None:
    here = people.nobody()
    assert "Setup code" not in await here.text("/company")
    reply = await here.post("/company/begin", COMPANY)
    assert reply.status_code == 303
    assert reply.headers["location"].startswith("/welcome/")
    reply = await here.post("/portal/begin", TENANT, page="/portal")
    assert reply.headers["location"].startswith("/welcome/")
    assert await made(people) == (1, 1)
    [tenant] = await people.services.directory.tenants(operator())
    grants = await people.services.roles.grants(operator(), tenant.id)
    assert [(grant.user_principal_name, grant.role) for grant in grants] == [
        ("ada@contoso.example", "Global Administrator")
    ]


async def test_once_there_is_something_the_form_is_gone(people: People) -> None:
    here = people.nobody()
    token = await here.token("/company")
    await here.client.post("/company/begin", data={**COMPANY, "csrf": token})
    again = await here.client.post("/company/begin", data={**COMPANY, "name": "Evil", "csrf": token})
    assert again.status_code == 409
    assert (await here.get("/company")).headers["location"].startswith("/company/sign-in")
    assert (await made(people))[0] == 1


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (("203.0.113.9", 4711), "https://provisor.example"),
        (("203.0.113.9", 4711), "http://127.0.0.1:8080"),
        (("127.0.0.1", 4711), "https://rebound.example"),
    ],
)
async def test_from_elsewhere_it_takes_the_setup_code(people: People, peer: tuple[str, int], address: str) -> None:
    away = replace(people, peer=peer).nobody(address)
    assert "Setup code" in await away.text("/company")
    for wrong in ("", "AAAAA-AAAAA-AAAAA-AAAAA", "x" * 1000):
        assert (await away.post("/company/begin", {**COMPANY, "code": wrong})).status_code == 422
    assert await made(people) == (0, 0)
    code = people.services.setup.code.lower().replace("-", " ")
    assert (await away.post("/company/begin", {**COMPANY, "code": code})).status_code == 303
    assert (await away.post("/portal/begin", {**TENANT, "code": code}, page="/portal")).status_code == 303
    assert await made(people) == (1, 1)


@pytest.mark.parametrize("environment", [{"PROVISOR_PUBLIC_URL": "https://id.example.org"}])
async def test_behind_a_proxy_everybody_needs_the_code(people: People) -> None:
    here = people.nobody()
    assert "Setup code" in await here.text("/company")
    assert (await here.post("/company/begin", COMPANY)).status_code == 422
    assert await made(people) == (0, 0)


async def test_without_tls_it_says_why_a_browser_cannot_go_on(people: People) -> None:
    away = replace(people, peer=("203.0.113.9", 4711)).nobody("http://provisor.example:8080")
    reply = await away.post("/company/begin", COMPANY)
    assert reply.status_code == 403
    assert "has no TLS" in reply.text


async def test_another_sites_form_begins_nothing(people: People) -> None:
    here = people.nobody()
    token = await here.token("/company")
    for sent, headers in (
        ({}, {}),
        ({"csrf": token}, {"origin": "https://evil.example"}),
        ({"csrf": token}, {"sec-fetch-site": "cross-site"}),
    ):
        reply = await here.client.post("/company/begin", data={**COMPANY, **sent}, headers=headers)
        assert reply.status_code == 403
    assert await made(people) == (0, 0)


@pytest.mark.parametrize(
    ("path", "sent", "said"),
    [
        ("/company", {"name": "", "admin": "ada@x.example"}, "Give it a name."),
        ("/company", {"name": "X", "admin": "ada"}, "is not an e-mail address"),
        ("/portal", {"name": "X", "domain": "x", "admin": "ada@x.example"}, "is not a domain name"),
        ("/portal", {"name": "X", "domain": "x.example", "admin": "a b@x.example"}, "cannot be a user name"),
        ("/portal", {"name": "X", "domain": "", "admin": ""}, "Say who administers it."),
    ],
)
async def test_what_cannot_be_begun_says_why_and_leaves_nothing(
    people: People, path: str, sent: dict[str, str], said: str
) -> None:
    reply = await people.nobody().post(f"{path}/begin", dict(sent), page=path)
    assert reply.status_code == 422
    assert said in reply.text.replace("&#39;", "'")
    assert await made(people) == (0, 0)
