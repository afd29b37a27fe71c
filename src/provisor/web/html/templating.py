"""Pages, the last step: a template becomes an answer. All that is shown is escaped; a missing name is an error.

Every template sees: ``session`` (null where nobody signed in), ``csrf`` (the token of its forms), ``shell`` (the
realm's title and navigation), ``flash`` (what the request before this one had to say, or null), ``path``, ``query``,
``theme`` and ``static(name)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from provisor import __version__
from provisor.clock import span
from provisor.web.html import static
from provisor.web.html.flash import COOKIE, read_flash
from provisor.web.html.headers import page_headers
from provisor.web.html.shell import PLAIN

_THEMES = ("light", "dark")


def render(
    request: Request, template: str, *, status: int = 200, form_action: Sequence[str] = (), **context: Any
) -> HTMLResponse:
    """The page ``template`` (a path below ``templates/``) as an answer with the headers every page has.

    ``form_action``: origins beside this one that a form of this page may lead to, directly or by a redirect.
    """
    shared = _shared(request)
    text = environment().get_template(template).render(shared | context)
    response = HTMLResponse(text, status, headers=page_headers(form_action))
    if shared["flash"] is not None:
        response.delete_cookie(COOKIE)
    return response


@cache
def environment() -> Environment:
    """The one environment. Templates are data of this package."""
    made = Environment(
        loader=PackageLoader("provisor.web.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    made.globals |= {"static": static.address, "version": __version__}
    made.filters |= {"moment": moment, "day": day, "count": count, "seconds": span, "zip": zip}
    return made


def _shared(request: Request) -> dict[str, Any]:
    state = request.state
    theme = request.cookies.get("provisor_theme")
    session = getattr(state, "session", None)
    return {
        "session": session,
        "csrf": getattr(state, "csrf", ""),
        "shell": getattr(state, "shell", PLAIN),
        "flash": read_flash(request, session),
        "path": request.url.path,
        "query": request.url.query,
        "theme": theme if theme in _THEMES else None,
    }


def moment(at_ms: int | None, otherwise: str = "never") -> Markup | str:
    """A moment as ``<time>`` to the minute, UTC; the script beside it shows it in the reader's own time zone."""
    if at_ms is None:
        return otherwise
    found = datetime.fromtimestamp(at_ms / 1000, UTC)
    return Markup('<time datetime="{}">{}</time>').format(f"{found:%Y-%m-%dT%H:%M:%SZ}", f"{found:%Y-%m-%d %H:%M} UTC")


def day(at_ms: int | None, otherwise: str = "never") -> str:
    """A day, UTC."""
    return otherwise if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"


def count(number: int, nouns: Mapping[str, str] | str = "") -> str:
    """``12,345``, or with a noun ``1 user``, ``12,345 users``: ``count("user|users")``."""
    text = f"{number:,}"
    if not isinstance(nouns, str) or not nouns:
        return text
    one, _, many = nouns.partition("|")
    return f"{text} {one if number == 1 else many or one + 's'}"
