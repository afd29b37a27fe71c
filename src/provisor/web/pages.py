"""The plain status pages ``/``, ``/portal`` and ``/company``: what is here, what runs, and how to begin."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from provisor import __version__
from provisor.web.local import is_local
from provisor.web.services import Section, Services

_CSS = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
nav a { margin-right: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #8885; overflow-wrap: break-word; }
.empty, footer { color: #777; }
code { background: #8882; padding: .1rem .3rem; border-radius: .2rem; }
"""
_CSS_HASH = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
_HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_PAGES = (("/", "Provisor"), ("/portal", "Directory and provisioning"), ("/company", "App side"))
_INTRO = {
    "/": "<p>Both sides of SCIM provisioning: a directory that provisions, and a SCIM 2.0 service provider.</p>"
    "<p>The SCIM address is <code>/scim</code>; it takes an API key as a bearer token. "
    "<code>/healthz</code>, <code>/readyz</code> and <code>/metrics</code> are for operation.</p>",
    "/portal": "<p>Tenants, enterprise applications and their provisioning jobs.</p>",
    "/company": "<p>The companies that use this SCIM service provider.</p>",
}
_AWAY = "<p>What is in the database is shown on the machine itself only.</p>"

Sections = Callable[[], Awaitable[Sequence[Section]]]


def routes(services: Services) -> list[Route]:
    """The three pages. The database's names are shown to this machine only, as nobody has signed in."""

    async def both() -> Sequence[Section]:
        return [*await services.portal(), *await services.company()]

    filled: dict[str, Sections] = {"/": both, "/portal": services.portal, "/company": services.company}
    return [Route(path, _page(path, title, filled[path])) for path, title in _PAGES]


def _page(path: str, title: str, sections: Sections) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        body = "".join(_table(section) for section in await sections()) if is_local(request) else _AWAY
        return HTMLResponse(_html(title, _INTRO[path] + body), headers=_HEADERS)

    return page


def _table(section: Section) -> str:
    if not section.rows:
        return f'<h2>{escape(section.title)}</h2><p class="empty">{escape(section.empty)}</p>'
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in section.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in section.rows)
    return f"<h2>{escape(section.title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _html(title: str, body: str) -> str:
    links = "".join(f'<a href="{path}">{escape(name)}</a>' for path, name in _PAGES)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_CSS}</style></head>'
        f"<body><nav>{links}</nav><main><h1>{escape(title)}</h1>{body}</main>"
        f"<footer><p>Provisor {escape(__version__)}</p></footer></body></html>"
    )
