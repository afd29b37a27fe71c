"""Every address of the admin centre, as it is routed: who may open it, and what no form or address can do.

The table is made from the routes themselves, so a page that is added is a row that is added.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from provisor.security.actor import operator
from provisor.web.html.live import Closing
from provisor.web.portal.routes import routes

if TYPE_CHECKING:
    from conftest import Side, World

GARBAGE = ("", "x" * 5000, "<script>alert(1)</script>", "' OR 1=1 --", "../../etc/passwd", "\ud7ff\u202e", "0" * 400)


class _Guard:
    """Lists what is behind it."""

    shell = None

    def signed_in(self, handler: Any, *, max_body: int | None = None) -> Any:
        return handler

    open = signed_in


def every_route() -> list[tuple[str, str]]:
    _, found = routes(None, _Guard(), Closing())  # type: ignore[arg-type]
    assert all(isinstance(route, Route) for route in found)
    return sorted({(method, route.path) for route in found for method in (route.methods or ()) if method != "HEAD"})


ROUTES = every_route()
NAMES = sorted({name for _, path in ROUTES for name in re.findall(r"\{\w+\}", path)})
PAGES = [path for method, path in ROUTES if method == "GET"]
FORMS = [path for method, path in ROUTES if method == "POST"]


def filled(path: str, side: Side) -> str:
    """The address with the ids of one tenant's objects."""
    thing = {
        "/portal/users/": side.ada.id,
        "/portal/groups/": side.team.id,
        "/portal/deleted/": side.ada.id,
        "/portal/apps/": side.app.service_principal.id,
    }
    id_ = next((id_ for start, id_ in thing.items() if path.startswith(start)), "none")
    values = dict.fromkeys(NAMES, "none") | {"{id}": id_, "{kind}": "users", "{object}": "User", "{template}": "scim"}
    for name, value in values.items():
        path = path.replace(name, value)
    assert "{" not in path, path
    return path


async def test_who_has_not_signed_in_is_sent_to_sign_in_and_back(world: World) -> None:
    for path in PAGES:
        reply = await world.client().get(filled(path, world.here))
        assert reply.status_code == 303
        assert reply.headers["location"].startswith("/portal/sign-in?next=%2Fportal")


async def test_no_form_is_taken_without_its_token_or_from_elsewhere(world: World) -> None:
    browser = await world.browser()
    for path in FORMS:
        address = filled(path, world.here)
        head = await world.services.directory.head(operator(), world.here.tenant.id)
        for fields, headers in (
            ({}, {}),
            ({"csrf": "wrong"}, {}),
            ({"csrf": browser.csrf}, {"origin": "https://evil.example"}),
            ({"csrf": browser.csrf}, {"sec-fetch-site": "cross-site"}),
        ):
            reply = await browser.client.post(address, data=fields, headers=headers)
            assert reply.status_code == 403, (fields, headers)
        assert await world.services.directory.head(operator(), world.here.tenant.id) == head


async def test_no_page_of_one_tenant_opens_with_anothers_session(world: World) -> None:
    browser = await world.browser()
    for path in (path for path in PAGES if "{id}" in path):
        reply = await browser.client.get(filled(path, world.there))
        assert reply.status_code in (403, 404), path
        assert "Farside" not in reply.text


async def test_no_form_of_one_tenant_works_with_anothers_session(world: World) -> None:
    head = await world.services.directory.head(operator(), world.there.tenant.id)
    job = await world.services.applications.job(operator(), world.there.app.job_id)
    browser = await world.browser()
    for path in (path for path in FORMS if "{id}" in path):
        data = {"csrf": browser.csrf, "member": world.there.bob.id}
        reply = await browser.client.post(filled(path, world.there), data=data)
        assert reply.status_code in (403, 404), path
        assert await world.services.directory.head(operator(), world.there.tenant.id) == head
        assert await world.services.applications.job(operator(), world.there.app.job_id) == job


async def test_garbage_in_an_address_is_a_page_and_never_a_failure(world: World) -> None:
    browser = await world.browser()
    for path in PAGES:
        for value in GARBAGE:
            address = path
            for name in NAMES:
                address = address.replace(name, "none")
            query = dict.fromkeys(
                ("q", "after", "page", "kind", "state", "target", "status", "before", "version"), value
            )
            reply = await browser.client.get(address, params=query)
            assert reply.status_code < 500, (address, value, reply.text[:500])
            assert "<script>alert" not in reply.text


async def test_garbage_in_a_form_is_told_and_never_a_failure(world: World) -> None:
    browser = await world.browser()
    # What takes things away comes last, so that the other forms have something to work on.
    for path in sorted(FORMS, key=lambda path: path.endswith(("delete", "purge", "remove"))):
        address = filled(path, world.here)
        page = await browser.client.get(address)
        names = {"name", "text", "member", *_names(page.text)}
        for value in GARBAGE:
            data = dict.fromkeys(names, value) | {"csrf": browser.csrf}
            reply = await browser.client.post(address, data=data)
            assert reply.status_code < 500, (address, value[:50], reply.text[:800])
            assert "<script>alert" not in reply.text


async def test_every_page_has_the_strict_headers(world: World) -> None:
    browser = await world.browser()
    for path in PAGES:
        reply = await browser.client.get(filled(path, world.here))
        if "text/html" in reply.headers["content-type"]:
            assert "unsafe-inline" not in reply.headers["content-security-policy"]
            assert " style=" not in reply.text
            assert "onclick=" not in reply.text
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff"


def _names(html: str) -> set[str]:
    return set(re.findall(r'<(?:input|select|textarea|button)[^>]*\bname="([^"]+)"', html)) - {"csrf"}
