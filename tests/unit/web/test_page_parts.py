"""Static files, forms, lists and live parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.unit.web.conftest import session_of

from provisor.errors import Conflict, Unavailable
from provisor.web.html import static
from provisor.web.html.forms import Form
from provisor.web.html.lists import address, followed, numbered, page_number
from provisor.web.html.live import Closing, event, events
from provisor.web.html.shell import Item, Shell
from provisor.web.html.templating import count, environment, moment


def asked(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": [], "path": "/company/users"})


def test_an_address_with_its_hash_is_kept_for_ever_and_another_is_not(browser: TestClient) -> None:
    here = static.address("provisor.css")
    reply = browser.get(here)
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["content-encoding"] == "gzip"
    assert b"skip-link" in reply.content
    stale = browser.get("/static/provisor.css?0123")
    assert stale.headers["cache-control"] == "no-cache"
    again = browser.get("/static/provisor.css", headers={"if-none-match": stale.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert browser.get(here, headers={"accept-encoding": "identity"}).content == reply.content


@pytest.mark.parametrize("name", ["nothing.css", "..%2F__init__.py", "../static.py", "templating.py", ""])
def test_nothing_else_is_served(browser: TestClient, name: str) -> None:
    assert browser.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("name", ["tabler.min.css", "tabler.min.js", "htmx.min.js"])
def test_what_is_of_others_comes_with_its_licence(name: str) -> None:
    assert static.address(f"{name.split('.')[0]}.LICENSE")
    assert static.address(name)


def test_a_form_says_what_is_wrong_beside_each_field() -> None:
    form = Form.filled(name="  ", note="x" * 400, count="12a", kind="other", odd="a\x07b")
    form.text("name", "Give it a name.")
    form.text("note")
    form.text("odd")
    form.number("count", 1, 20)
    form.choice("kind", ("a", "b"))
    with form.catching("expires"):
        raise Conflict("It is taken.", hint="Take another.")
    assert form.errors["name"] == "Give it a name."
    assert form.errors["expires"] == "It is taken. Take another."
    assert {"note", "odd", "count", "kind"} < set(form.errors)
    with pytest.raises(Unavailable), form.catching():
        raise Unavailable


def test_good_fields_are_read_as_they_are() -> None:
    form = Form.filled(name=" Ada ", count="12", kind="b", tags=["x", "y"], on="yes")
    assert form.text("name", "?") == "Ada"
    assert form.number("count", 1, 20) == 12
    assert form.number("nothing", 1, 20) is None
    assert form.choice("kind", ("a", "b")) == "b"
    assert form.every("tags") == ["x", "y"]
    assert (form.ticked("on"), form.ticked("off"), form.ok) == (True, False, True)


def test_filters_and_pages_stay_in_the_address() -> None:
    request = asked("q=a+b&page=2&empty=")
    assert address(request, page="3") == "/company/users?q=a+b&page=3"
    page = numbered(request, ["x"] * 50, 2, 50, 120)
    assert (page.first, page.last, page.total) == (51, 100, 120)
    assert page.previous == "/company/users?q=a+b"
    assert page.next == "/company/users?q=a+b&page=3"
    last = numbered(request, ["x"] * 20, 3, 50, 120)
    assert (last.next, last.last) == (None, 120)
    assert followed(asked("after=z"), ["x"], None).previous == "/company/users"


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=9999999999", "page=", "page=\u0663"])
def test_a_page_that_is_none_is_the_first(query: str) -> None:
    assert page_number(asked(query)) == 1


async def test_a_live_part_ends_with_what_it_follows() -> None:
    async def pieces() -> AsyncIterator[str]:
        yield "<p>one</p>\n<p>two</p>"

    sent = [piece async for piece in events(pieces(), Closing()).body_iterator]
    assert sent == [event("<p>one</p>\n<p>two</p>"), event("", "end")]
    assert event("a\nb") == "event: message\ndata: a\ndata: b\n\n"


async def test_a_live_part_ends_with_the_server() -> None:
    closing = Closing()

    async def pieces() -> AsyncIterator[str]:
        yield "one"
        await asyncio.Event().wait()

    stream = events(pieces(), closing).body_iterator
    assert await anext(stream) == event("one")  # type: ignore[call-overload]  # it is an iterator
    closing.close()
    assert [piece async for piece in stream] == []


def test_moments_and_counts_are_told_for_people() -> None:
    assert str(moment(1_767_225_600_000)) == '<time datetime="2026-01-01T00:00:00Z">2026-01-01 00:00 UTC</time>'
    assert moment(None) == "never"
    assert [count(1, "user"), count(12345, "user")] == ["1 user", "12,345 users"]
    assert count(2, "entry|entries") == "2 entries"


def test_the_navigation_offers_what_one_may_do() -> None:
    from provisor.security.actor import Right

    shell = Shell(
        "company",
        "Company portal",
        "/company",
        (
            Item("Overview", "/company", "home"),
            Item("Keys", "/company/keys", "key", Right.COMPANY_ADMINISTER),
            Item("Tenants", "/company/tenants", "home", Right.TENANTS_MANAGE),
        ),
    )
    lines = shell.lines(session_of().actor, "/company/keys/add")
    assert [(item.title, current) for item, current in lines] == [("Overview", False), ("Keys", True)]


def test_every_template_compiles() -> None:
    names = environment().list_templates()
    assert "page.html" in names
    for name in names:
        environment().get_template(name)


def test_no_template_styles_or_scripts_inline() -> None:
    for name in environment().list_templates():
        loader = environment().loader
        assert loader is not None
        text, _, _ = loader.get_source(environment(), name)
        for banned in (" style=", "<style", "javascript:", " onclick=", "|safe", "| safe", "hx-on", 'hx-vals="js:'):
            assert banned not in text, f"{name} has {banned}"
