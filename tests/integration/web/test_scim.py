"""The SCIM face's manners: who may come in, what a malformed request is told, and where things are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from provisor.scim.schemas import GROUP_URN, USER_URN
from provisor.security.actor import operator
from provisor.storage.database import DatabaseUnavailable
from provisor.web.asgi import create_app
from provisor.web.services import Services, WebSettings

ADA = {"schemas": [USER_URN], "userName": "ada@acme.example", "displayName": "Ada"}
PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"


def is_error(reply: Any, status: int, scim_type: str | None = None) -> bool:
    """Whether the answer is an RFC 7644 error with this status and keyword, and has words for a person."""
    body = reply.json
    return (
        (reply.status, body["schemas"], body["status"]) == (status, [ERROR_URN], str(status))
        and body.get("scimType") == scim_type
        and len(body["detail"]) > 10
    )


async def created(scim: Any, body: dict[str, Any] = ADA, path: str = "/scim/Users") -> str:
    reply = await scim("POST", path, body)
    assert reply.status == 201
    found: str = reply.json["id"]
    return found


# Who may come in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "no Authorization header"),
        ("Basic YTpi", "Bearer"),
        ("Bearer nonsense", "not an API key"),
        ("Bearer pvk_" + "0" * 32 + "_" + "A" * 43, "no such API key"),
    ],
)
async def test_who_has_no_valid_key_is_told_why_with_401(scim: Any, header: str | None, words: str) -> None:
    scim.token = None
    reply = await scim("GET", "/scim/Users", headers={"authorization": header} if header else None)
    assert is_error(reply, 401)
    assert words in reply.json["detail"]
    assert reply.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_key_is_401_and_a_key_of_a_former_administrator_403(scim: Any, services: Services) -> None:
    company = await services.companies.find_company(operator(), "Acme")
    await services.companies.add_administrator(operator(), company.id, "grace@acme.example")
    await services.companies.set_admin(operator(), company.id, "admin@acme.example", False)
    reply = await scim("GET", "/scim/Users")
    assert is_error(reply, 403)
    assert "admin@acme.example" in reply.json["detail"]
    await services.companies.revoke_key(operator(), company.id, "entra")
    reply = await scim("GET", "/scim/Users")
    assert is_error(reply, 401)
    assert "revoked" in reply.json["detail"]


async def test_an_unknown_address_tells_nothing_before_the_key(scim: Any) -> None:
    assert is_error(await scim("GET", "/scim/Nothing"), 404)
    scim.token = None
    assert is_error(await scim("GET", "/scim/Nothing"), 401)


# Malformed requests --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b"null", b"", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_invalid_syntax(scim: Any, body: bytes) -> None:
    person = await created(scim)
    for method, path in (("POST", "/scim/Users"), ("PUT", f"/scim/Users/{person}"), ("PATCH", f"/scim/Users/{person}")):
        assert is_error(await scim(method, path, body), 400, "invalidSyntax")


@pytest.mark.parametrize("media", ["application/json", "application/scim+json; charset=utf-8", "Application/JSON"])
async def test_json_is_taken_under_each_of_its_names(scim: Any, media: str) -> None:
    assert (await scim("POST", "/scim/Users", ADA, headers={"content-type": media})).status == 201


async def test_another_media_type_is_415(scim: Any) -> None:
    reply = await scim(
        "POST", "/scim/Users", b"userName=ada", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert is_error(reply, 415)


async def test_a_body_over_the_limit_is_413(services: Services, scim: Any) -> None:
    small = Services(services.companies, services.resources, services.clock, WebSettings(max_body=100))
    scim.app = create_app(small)
    assert is_error(await scim("POST", "/scim/Users", {**ADA, "title": "x" * 200}), 413)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/scim/Users", 405),
        ("DELETE", "/scim/Groups", 405),
        ("POST", "/scim/Users/x", 405),
        ("POST", "/scim/Schemas", 405),
        ("DELETE", "/scim/ServiceProviderConfig", 405),
        ("OPTIONS", "/scim/Users", 405),
        ("GET", "/scim/Users/x/y", 404),
        ("GET", "/scim/Users/nobody", 404),
        ("GET", "/scim/Schemas?filter=id+eq+%22x%22", 403),
        ("GET", "/scim/Me", 404),
        ("POST", "/scim/Me", 501),
        ("GET", "/scim/Bulk", 405),
    ],
)
async def test_what_is_not_there_says_so(scim: Any, method: str, path: str, status: int) -> None:
    reply = await scim(method, path, {} if method in ("PUT", "POST") else None)
    assert is_error(reply, status)
    if status == 405:
        assert reply.headers["allow"]


@pytest.mark.parametrize(
    ("query", "keyword"),
    [
        ("filter=userName+eq", "invalidFilter"),
        ("filter=shoeSize+eq+%2243%22", "invalidFilter"),
        ("count=many", "invalidValue"),
        ("sortBy=shoeSize", "invalidPath"),
        ("sortBy=userName&sortOrder=sideways", "invalidValue"),
    ],
)
async def test_a_malformed_query_names_its_fault(scim: Any, query: str, keyword: str) -> None:
    assert is_error(await scim("GET", f"/scim/Users?{query}"), 400, keyword)


async def test_a_fault_of_ours_is_500_without_any_of_our_insides(services: Services, scim: Any) -> None:
    class Broken:
        def schemas(self, caller: Any) -> Any:
            raise RuntimeError("secret detail of ours")

    scim.app = create_app(Services(services.companies, Broken(), services.clock))  # type: ignore[arg-type]  # it breaks
    reply = await scim("GET", "/scim/Users")
    assert is_error(reply, 500)
    assert b"secret" not in reply.body


async def test_a_database_that_does_not_answer_is_503_with_retry_after(services: Services, scim: Any) -> None:
    class Away:
        def schemas(self, caller: Any) -> Any:
            raise DatabaseUnavailable("The database does not answer.")

    scim.app = create_app(Services(services.companies, Away(), services.clock))  # type: ignore[arg-type]  # it is away
    reply = await scim("GET", "/scim/Users")
    assert is_error(reply, 503)
    assert int(reply.headers["retry-after"]) > 0


# Where things are ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/scim", "/scim/v2", "//scim/", "/scim//v2/"])
async def test_locations_name_the_address_that_the_caller_used(scim: Any, prefix: str) -> None:
    reply = await scim("POST", f"{prefix}/Users/", ADA)
    base = "https://scim.example/scim/v2" if "v2" in prefix else "https://scim.example/scim"
    assert reply.headers["location"] == reply.json["meta"]["location"] == f"{base}/Users/{reply.json['id']}"


async def test_a_public_address_decides_every_location(services: Services, scim: Any) -> None:
    public = WebSettings(public_url="https://id.example.org/provisor")
    scim.app = create_app(Services(services.companies, services.resources, services.clock, public))
    reply = await scim("POST", "/scim/Users", ADA)
    assert reply.headers["location"].startswith("https://id.example.org/provisor/scim/Users/")
    schema = (await scim("GET", f"/scim/Schemas/{USER_URN}")).json
    assert schema["meta"]["location"].startswith("https://id.example.org/provisor/scim/Schemas/")


async def test_a_host_header_that_is_no_host_does_not_reach_an_answer(scim: Any) -> None:
    scim.host = 'evil"/><script>'
    reply = await scim("POST", "/scim/Users", ADA)
    assert reply.headers["location"].startswith("https://127.0.0.1:8080/scim/Users/")


async def test_endpoints_are_found_in_any_case(scim: Any) -> None:
    person = await created(scim, path="/scim/users")
    assert (await scim("GET", f"/scim/USERS/{person}")).status == 200


# Answers -------------------------------------------------------------------------------------------------------------


async def test_the_etag_is_the_version_and_an_unchanged_resource_is_304(scim: Any) -> None:
    person = await created(scim)
    first = await scim("GET", f"/scim/Users/{person}")
    assert first.headers["etag"] == first.json["meta"]["version"] == 'W/"1"'
    again = await scim("GET", f"/scim/Users/{person}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    change = {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "path": "title", "value": "CTO"}]}
    changed = await scim("PATCH", f"/scim/Users/{person}", change, headers={"if-match": first.headers["etag"]})
    assert changed.headers["etag"] == 'W/"2"'
    stale = await scim("PATCH", f"/scim/Users/{person}", change, headers={"if-match": first.headers["etag"]})
    assert is_error(stale, 412)


async def test_head_answers_as_get_without_its_body(scim: Any) -> None:
    person = await created(scim)
    reply = await scim("HEAD", f"/scim/Users/{person}")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["content-length"]) > 100


async def test_attributes_and_exclusions_choose_what_is_answered(scim: Any) -> None:
    person = await created(scim, {**ADA, "title": "CTO", "name": {"givenName": "Ada", "familyName": "L"}})
    chosen = (await scim("GET", f"/scim/Users/{person}?attributes=name.givenName,TITLE")).json
    assert chosen == {"schemas": [USER_URN], "id": person, "title": "CTO", "name": {"givenName": "Ada"}}
    without = (await scim("GET", "/scim/Users?excludedAttributes=name,title,id")).json["Resources"][0]
    assert without["id"] == person
    assert not {"name", "title"} & without.keys()
    posted = await scim("POST", "/scim/Users?attributes=userName", {**ADA, "userName": "bea"})
    assert posted.json.keys() == {"schemas", "id", "userName"}


async def test_a_search_by_post_is_the_search_by_get(scim: Any) -> None:
    person = await created(scim)
    await created(scim, {**ADA, "userName": "bea"})
    wanted = {"filter": 'userName eq "ADA@acme.example"', "attributes": ["userName"], "startIndex": 1, "count": 10}
    found = (await scim("POST", "/scim/Users/.search", wanted)).json
    assert (found["totalResults"], found["Resources"][0]["id"]) == (1, person)
    assert "displayName" not in found["Resources"][0]


async def test_a_search_at_the_root_goes_over_all_types(scim: Any) -> None:
    person = await created(scim)
    group = await created(scim, {"schemas": [GROUP_URN], "displayName": "Ada"}, "/scim/Groups")
    both = (await scim("POST", "/scim/.search", {"filter": 'displayName eq "ada"'})).json
    assert [found["id"] for found in both["Resources"]] == [person, group]
    second = (await scim("GET", "/scim/?startIndex=2&count=1")).json
    assert (second["totalResults"], [found["id"] for found in second["Resources"]]) == (2, [group])
    users = (await scim("GET", "/scim/?filter=userName+pr")).json
    assert [found["id"] for found in users["Resources"]] == [person]
    assert is_error(await scim("GET", "/scim/?filter=shoeSize+pr"), 400, "invalidFilter")


async def test_a_large_groups_patch_answers_204_unless_attributes_are_asked_for(scim: Any) -> None:
    people = [await created(scim, {**ADA, "userName": f"user{number}"}) for number in range(201)]
    listed = [{"value": person} for person in people]
    group = await created(scim, {"schemas": [GROUP_URN], "displayName": "All", "members": listed}, "/scim/Groups")
    change = {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "path": "displayName", "value": "Everyone"}]}
    assert (await scim("PATCH", f"/scim/Groups/{group}", change)).status == 204
    named = await scim("PATCH", f"/scim/Groups/{group}?attributes=displayName", change)
    assert (named.status, named.json["displayName"]) == (200, "Everyone")
    whole = await scim("PATCH", f"/scim/Groups/{group}?attributes=members", change)
    assert len(whole.json["members"]) == 201


async def test_what_is_stored_is_answered_byte_for_byte(scim: Any) -> None:
    odd = {
        **ADA,
        "displayName": 'Zoë "✓" \\ \u2028 </script>',
        "title": "  spaced  ",
        "phoneNumbers": [{"value": "+1 (5)"}],
    }
    person = await created(scim, odd)
    found = (await scim("GET", f"/scim/Users/{person}")).json
    assert {name: found[name] for name in ("displayName", "title", "phoneNumbers", "userName")} == {
        name: odd[name] for name in ("displayName", "title", "phoneNumbers", "userName")
    }


async def test_the_description_of_the_service_has_no_nulls(scim: Any) -> None:
    for path in ("Schemas", "ResourceTypes", "ServiceProviderConfig"):
        assert b"null" not in (await scim("GET", f"/scim/{path}")).body
    listed = (await scim("GET", "/scim/Schemas")).json
    for schema in listed["Resources"]:
        assert (await scim("GET", f"/scim/Schemas/{schema['id'].lower()}")).json == schema


async def test_no_password_comes_back_or_is_searchable(scim: Any) -> None:
    person = await created(scim, {**ADA, "password": "correct horse"})
    for path in (f"/scim/Users/{person}", f"/scim/Users/{person}?attributes=password", "/scim/Users"):
        assert b"correct horse" not in (await scim("GET", path)).body
    assert is_error(await scim("GET", "/scim/Users?filter=password+sw+%22c%22"), 400, "invalidFilter")


async def test_a_group_of_another_company_cannot_be_guessed(scim: Any, services: Services) -> None:
    person = await created(scim)
    other = await services.companies.create_company(operator(), "Other")
    _, text = await services.companies.create_key(operator(), other.id, name="k", expires="2030-01-01")
    scim.token = text
    change = {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "path": "title", "value": "x"}]}
    answers = [
        await scim("GET", f"/scim/Users/{person}"),
        await scim("PATCH", f"/scim/Users/{person}", change),
        await scim("PUT", f"/scim/Users/{person}", ADA),
        await scim("DELETE", f"/scim/Users/{person}"),
    ]
    unknown = (await scim("GET", "/scim/Users/none")).json["detail"].replace("none", person)
    assert [(reply.status, reply.json["detail"]) for reply in answers] == [(404, unknown)] * 4
    assert msgspec.json.decode((await scim("GET", "/scim/Users")).body)["totalResults"] == 0
