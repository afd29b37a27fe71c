"""Pages, the first step: who the browser is, and whether a form is really from our own page.

    guard = Guard(SHELL, find_session, settings)
    Route("/company/keys", guard.signed_in(keys_page))                             # GET
    Route("/company/keys", guard.signed_in(add_key), methods=["POST"])             # its CSRF token is checked
    Route("/company/sign-in", guard.open(sign_in), methods=["GET", "POST"])        # nobody signed in yet

No handler sees a POST whose token or origin is wrong, and none can forget to look: only these wrappers read forms.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from provisor.errors import Forbidden, InvalidInput, NotFound, ProvisorError
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.cookies import set_cookie
from provisor.web.html.failures import failure_page
from provisor.web.html.forms import Form, read_form
from provisor.web.html.shell import Shell
from provisor.web.local import is_loopback
from provisor.web.services import FindSession, WebSettings

COOKIES = {"tenant": "provisor_session", "company": "provisor_company"}
# Carries the token of forms that are filled in before anybody has signed in.
FORM_COOKIE = "provisor_form"
FIELD = "csrf"
_SAFE = frozenset(("GET", "HEAD"))

Handler = Callable[[Request, Session], Awaitable[Response]]
OpenHandler = Callable[[Request], Awaitable[Response]]


class ForeignForm(Forbidden):
    """This form did not come from a page of this session."""


class Guard:
    """The wrappers of one realm's pages."""

    def __init__(self, shell: Shell, sessions: FindSession, settings: WebSettings) -> None:
        self.shell = shell
        self._sessions = sessions
        self._settings = settings

    async def session(self, request: Request) -> Session | None:
        """Who the browser is in this realm."""
        value = request.cookies.get(COOKIES.get(self.shell.kind, ""), "")
        found = await self._sessions.find(value) if value else None
        return found if found is not None and found.kind == self.shell.kind else None

    def signed_in(self, handler: Handler, *, right: Right | None = None, max_body: int | None = None) -> OpenHandler:
        """A page for who has signed in. Others are sent to the sign-in page, and come back from there.

        ``right``: who lacks it is told so before anything else. ``max_body``: of an uploaded file's form, in bytes.
        """

        async def page(request: Request) -> Response:
            session = await self.session(request)
            if session is None:
                return self._to_sign_in(request)
            request.state.session, request.state.csrf, request.state.shell = session, session.csrf, self.shell
            try:
                await self._check(request, session.csrf, max_body)
                if right is not None:
                    session.actor.require(right, session.realm_id)
                return await handler(request, session)
            except ProvisorError as error:
                return failure_page(request, error)

        return page

    def open(self, handler: OpenHandler) -> OpenHandler:
        """A page for everybody. Its forms carry a token of a cookie, which another site can neither read nor send."""

        async def page(request: Request) -> Response:
            session = await self.session(request)
            sent = request.cookies.get(FORM_COOKIE, "")
            token = sent if len(sent) == 43 else secrets.token_urlsafe(32)
            request.state.session, request.state.shell = session, self.shell
            request.state.csrf = token if session is None else session.csrf
            try:
                await self._check(request, request.state.csrf if session or token == sent else "", None)
                response = await handler(request)
            except ProvisorError as error:
                response = failure_page(request, error)
            if session is None and token != sent:
                set_cookie(request, response, FORM_COOKIE, token, same_site="strict")
            return response

        return page

    def _to_sign_in(self, request: Request) -> Response:
        # What was being sent is lost with the session; its page is not.
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        to = self.shell.sign_in if request.method not in _SAFE else f"{self.shell.sign_in}?next={quote(here, safe='')}"
        response: Response = RedirectResponse(to, 303, headers={"cache-control": "no-store"})
        if request.headers.get("hx-request") == "true":
            # A part of a page cannot sign in: the whole window goes there.
            response = Response(status_code=204, headers={"hx-redirect": to, "cache-control": "no-store"})
        return response

    async def _check(self, request: Request, token: str, max_body: int | None) -> None:
        if "\0" in request.url.path or "%00" in request.url.query:
            raise NotFound("There is no such page.", hint="An address of ours never contains the character NUL.")
        if request.method in _SAFE:
            request.state.form = Form.empty()
            return
        if not self._from_here(request):
            raise ForeignForm(hint="Open the page here and fill it in again. Nothing was changed.")
        form = await read_form(request, max_body)
        if not token or not hmac.compare_digest(form.raw(FIELD).encode(), token.encode()):
            raise ForeignForm(hint=f"{self._why(request)}Open the page again, fill it in again. Nothing was changed.")
        request.state.form = form

    def _why(self, request: Request) -> str:
        """What else may be wrong, where browsers keep no cookie of ours."""
        plain = request.url.scheme == "http" and self._settings.public_url is None
        if plain and not is_loopback(request.url.hostname or ""):
            return "Browsers keep no cookies of this address, as it has no TLS: use --tls-cert or --public-url. "
        return ""

    def _from_here(self, request: Request) -> bool:
        """Whether the browser says that the form's page was ours. Who says nothing has still to show the token."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        if origin is None:
            return True
        if self._settings.public_url is not None and _same(origin, self._settings.public_url):
            return True
        return urlsplit(origin).netloc == request.headers.get("host", "")


def form_of(request: Request) -> Form:
    """What the form holds; empty for a GET."""
    found: Form = request.state.form
    return found


def safe_next(request: Request, home: str) -> str:
    """Where ``?next=`` or the form's field leads: a path of this realm, else ``home``. Never another server."""
    wanted = form_of(request).raw("next") or request.query_params.get("next", "")
    inside = wanted == home or wanted.startswith((f"{home}/", f"{home}?"))
    if not inside or "\\" in wanted or any(ord(character) < 33 for character in wanted):
        return home
    return wanted


def _same(origin: str, address: str) -> bool:
    one, other = urlsplit(origin), urlsplit(address)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)


def text_of(request: Request, name: str, most: int = 200) -> str:
    """A query parameter, without blanks around it. Raises ``InvalidInput`` for one that is too long."""
    found = request.query_params.get(name, "").strip()
    if len(found) > most:
        raise InvalidInput(f"{name} is too long.", hint=f"Search for at most {most} characters.")
    return found
