"""A browser without scripts, on the application itself: cookies, links, and forms with their hidden fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx

BASE = "https://id.example"


@dataclass
class PageForm:
    """A form of a page: where it goes, and what its fields hold."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.images: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(PageForm(given.get("action", ""), given.get("method", "get")))
        elif tag == "input" and self.forms and "name" in given and given.get("type") not in ("checkbox", "radio"):
            self.forms[-1].values[given["name"]] = given.get("value", "")
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "img":
            self.images.append(given.get("src", ""))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@dataclass
class Page:
    """What the browser shows."""

    response: httpx.Response

    def __post_init__(self) -> None:
        parser = _Parser()
        parser.feed(self.response.text)
        self.forms, self.links, self.images = parser.forms, parser.links, parser.images
        self.text = " ".join(" ".join(parser.words).split())

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return self.response.url.raw_path.decode()

    @property
    def location(self) -> str:
        """Where it would have gone: an address outside of this server, or of an answer that was not followed."""
        return self.response.headers.get("location", "")

    def form(self, action: str) -> PageForm:
        """The form that goes to an address."""
        [found] = [one for one in self.forms if urlsplit(one.action).path == urlsplit(action).path]
        return found


class Browser:
    """Follows redirects within this server; one that leads elsewhere is where it stops."""

    def __init__(self, app: Any, base: str = BASE, address: str = "203.0.113.9") -> None:
        transport = httpx.ASGITransport(app=app, client=(address, 4711))
        self.client = httpx.AsyncClient(transport=transport, base_url=base, headers={"user-agent": "Test/1.0"})
        self.base = base

    async def get(self, address: str, **headers: str) -> Page:
        return await self._follow(await self.client.get(address, headers={"accept": "text/html", **headers}))

    async def post(self, address: str, values: dict[str, Any], **headers: str) -> Page:
        return await self._follow(await self.client.post(address, data=values, headers=headers))

    async def send(self, page: Page, action: str, **values: Any) -> Page:
        """Fill a form of the page in and send it, as a browser would."""
        form = page.form(action)
        return await self.post(form.action, {**form.values, **values}, origin=self.base)

    async def sign_in(self, portal: str, login: str, password: str, to: str = "") -> Page:
        """Sign in by the portal's page."""
        page = await self.get(f"{portal}/sign-in?again=" + (f"&next={to}" if to else ""))
        return await self.send(page, f"{portal}/sign-in", login=login, password=password)

    async def close(self) -> None:
        await self.client.aclose()

    async def _follow(self, response: httpx.Response) -> Page:
        for _ in range(10):
            target = response.headers.get("location")
            if not response.is_redirect or target is None:
                break
            url = response.url.join(target)
            if not str(url).startswith(f"{self.base}/"):
                break
            response = await self.client.get(url, headers={"accept": "text/html"})
        return Page(response)
