"""Pages of signing in: what a browser holds, where it is, and where it may be sent."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from provisor.signin.accounts.service import PENDING_MS
from provisor.signin.people import Kind, PersonKey
from provisor.signin.sessions import COOKIES, Origin
from provisor.web.html import guard
from provisor.web.html.cookies import set_cookie
from provisor.web.html.guard import form_of
from provisor.web.signin.services import SignInServices

PENDING_COOKIE = "provisor_pending"
_NO_STORE = {"cache-control": "no-store"}
# Where a sign-in may lead: back into its own portal, or on with what the authority was asked.
_AUTHORITY = re.compile(r"/[A-Za-z0-9.-]{1,253}/(?:oauth2/v2\.0/authorize|v2\.0/adminconsent)\?[\x21-\x7e]*")
_LONGEST = 8_192


def origin_of(request: Request) -> Origin:
    """Where the browser is; behind a trusted proxy, what that one says."""
    host = request.client.host if request.client is not None else ""
    return Origin(host, request.headers.get("user-agent", ""))


def safe_next(request: Request, home: str) -> str:
    """Where ``?next=`` or the form's field leads: on with what the authority was asked, or a path of this realm."""
    wanted = form_of(request).raw("next") or request.query_params.get("next", "")
    if len(wanted) <= _LONGEST and "\\" not in wanted and _AUTHORITY.fullmatch(wanted):
        return wanted
    return guard.safe_next(request, home)


async def let_in(request: Request, services: SignInServices, person: PersonKey, to: str) -> Response:
    """Begin a session, always a new one, and go on. A session from before ends."""
    name = COOKIES[person.kind]
    await services.sessions.end(request.cookies.get(name))
    await services.accounts.note_sign_in(person, origin_of(request))
    value = await services.sessions.create(person, origin_of(request))
    response = RedirectResponse(to, 303, headers=_NO_STORE)
    set_cookie(request, response, name, value)
    response.delete_cookie(PENDING_COOKIE)
    return response


async def let_out(request: Request, services: SignInServices, kind: Kind, to: str) -> Response:
    """End the session and go on."""
    name = COOKIES[kind]
    await services.sessions.end(request.cookies.get(name))
    response = RedirectResponse(to, 303, headers=_NO_STORE)
    response.delete_cookie(name)
    return response


def hold(request: Request, pending: str, to: str) -> Response:
    """The password was right; what comes next is at ``to``."""
    response = RedirectResponse(to, 303, headers=_NO_STORE)
    set_cookie(request, response, PENDING_COOKIE, pending, seconds=PENDING_MS // 1000)
    return response
