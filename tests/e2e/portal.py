"""The portals in a real browser: a server on real services, Chromium, people who have signed in, axe, and pictures.

    def test_something(portal, browser):
        company = portal.company("Acme", "ada@acme.example")
        page = browser.page(portal.signed_in(company))
        page.goto("/company")

``--pictures DIR`` writes what ``picture()`` is given, for ``docs/tutorial``; without it, nothing is written.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, sync_playwright

from provisor.app.services import AppServices, open_services
from provisor.app.settings import read_settings
from provisor.cli.faces import make_app
from provisor.cli.server import address_of, serving
from provisor.security.actor import operator
from provisor.signin.people import PersonKey
from provisor.signin.sessions import COOKIES, Origin
from provisor.testing.database import Store

T = TypeVar("T")

CHROMIUM = os.environ.get("PROVISOR_CHROMIUM") or shutil.which("chromium")
_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# Left out where there is no browser, and never when `CI` is set.
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no chromium here; scripts/test says how to get one"
)
WIDE, PHONE = {"width": 1200, "height": 760}, {"width": 390, "height": 844}
_AXE = Axe().axe_script
# What axe calls these is a fault to somebody.
_SERIOUS = ("serious", "critical")


@dataclass(frozen=True)
class SignedIn:
    """A cookie of a session."""

    name: str
    value: str


class Portal:
    """A server in a thread of this process, and the services that it stands on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.services: AppServices
        self.address = ""

    @contextmanager
    def running(self) -> Iterator[Portal]:
        """While the block lasts."""
        self._thread.start()
        opened = self._served()
        self.run(opened.__aenter__())
        try:
            yield self
        finally:
            self.run(opened.__aexit__(None, None, None))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @asynccontextmanager
    async def _served(self) -> AsyncIterator[None]:
        bound = socket.create_server(("127.0.0.1", 0))
        environment = {**self._store.environment, "PROVISOR_SECRET_KEY": "22" * 32}
        port = bound.getsockname()[1]
        settings = read_settings({**environment, "PROVISOR_PORT": str(port)})
        with bound:
            async with open_services(settings) as self.services, serving(make_app(self.services), bound):
                self.address = address_of(bound, "127.0.0.1")
                yield

    def run(self, work: Awaitable[T]) -> T:
        """Do something with the services, in the server's loop, and wait for it."""

        async def awaited() -> T:
            return await work

        done: Future[T] = asyncio.run_coroutine_threadsafe(_coroutine(awaited), self._loop)
        return done.result()

    # What tests begin with

    def company(self, name: str = "Acme", admin: str = "ada@acme.example") -> str:
        """A company with one administrator; its id."""
        return self.run(self.services.companies.create_company(operator(), name, admin)).id

    def key(self, company_id: str, name: str = "entra", expires: str = "2090-01-01", **how: Any) -> tuple[str, str]:
        """An API key of a company: its id and its text."""
        made = self.services.companies.create_key(operator(), company_id, name=name, expires=expires, **how)
        key, text = self.run(made)
        return key.id, text

    def signed_in(self, company_id: str, email: str | None = None) -> SignedIn:
        """A session of a company's person (the first one, or the one with this address)."""
        people = self.run(self.services.companies.administrators(operator(), company_id))
        person = next(one for one in people if email in (None, one.email))
        return self.session(PersonKey("company", company_id, person.id))

    def session(self, person: PersonKey) -> SignedIn:
        """A session of anybody."""
        value = self.run(self.services.sessions.create(person, Origin("127.0.0.1", "a test")))
        return SignedIn(COOKIES[person.kind], value)


async def _coroutine(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return await work()


@dataclass
class Browser:
    """Chromium on one server. A page that says something on its console, or breaks a policy, fails its test."""

    chromium: Chromium
    address: str
    pictures: Path | None = None
    _contexts: list[BrowserContext] = field(default_factory=list)
    _said: list[str] = field(default_factory=list)

    def page(
        self,
        session: SignedIn | None = None,
        *,
        scheme: Any = "light",
        phone: bool = False,
        scripts: bool = True,
    ) -> Page:
        """A new window. ``scheme``: light or dark; ``scripts``: whether JavaScript runs."""
        context = self.chromium.new_context(
            base_url=self.address,
            color_scheme=scheme,
            viewport=PHONE if phone else WIDE,  # type: ignore[arg-type]  # a TypedDict
            java_script_enabled=scripts,
            locale="en-GB",
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        if session is not None:
            context.add_cookies([{"name": session.name, "value": session.value, "url": self.address}])
        page = context.new_page()
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self._said.append(str(error)))
        return page

    def _note(self, kind: str, text: str) -> None:
        # A status of 400 and above is what a test may be about.
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self._said.append(f"{kind}: {text}")

    def picture(self, page: Page, name: str) -> None:
        """A picture for the tutorial, where pictures are asked for."""
        if self.pictures is not None:
            self.pictures.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=self.pictures / f"{name}.png", animations="disabled", caret="hide")

    def close(self) -> None:
        """Close the windows; what they said on their consoles fails the test."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()
        said, self._said = self._said, []
        assert said == []


def require_accessible(page: Page, *rules: str) -> None:
    """Axe finds nothing serious on this page. ``rules``: only these, such as ``color-contrast``; none: all."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(_AXE)
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    serious = [one for one in found if one["impact"] in _SERIOUS]
    told = [f"{one['id']}: {one['help']}: {[node['html'][:300] for node in one['nodes']][:3]}" for one in serious]
    assert told == [], f"{urlsplit(page.url).path}: {told}"


def require_fits(page: Page) -> None:
    """The page is no wider than its window."""
    wide, window = page.locator("html").evaluate("page => [page.scrollWidth, window.innerWidth]")
    assert wide <= window, f"{urlsplit(page.url).path} is {wide} wide in a window of {window}"


@contextmanager
def chromium() -> Iterator[Chromium]:
    """One browser process."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield started
        started.close()
