"""Pages of signing in, both portals: user name and password, the second factor, and signing out."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from provisor.signin.accounts.model import Checked, SignInRefused, TooManyAttempts
from provisor.signin.model import Session
from provisor.signin.people import Kind
from provisor.web.html.forms import Form
from provisor.web.html.guard import Guard, form_of
from provisor.web.html.templating import render
from provisor.web.signin.browser import PENDING_COOKIE, hold, let_in, let_out, origin_of, safe_next
from provisor.web.signin.qr import qr_image
from provisor.web.signin.services import SignInServices
from provisor.web.signin.targets import form_targets

_LONGEST_PASSWORD = 4_096


class SignInPages:
    """The pages of one realm."""

    def __init__(self, guard: Guard, services: SignInServices) -> None:
        self._guard = guard
        self._services = services
        self._shell = guard.shell
        self._kind: Kind = "tenant" if guard.shell.kind == "tenant" else "company"

    def routes(self) -> list[Route]:
        """``/portal/sign-in`` and what belongs to it, or ``/company/sign-in``."""
        sign_in, both = self._shell.sign_in, ["GET", "POST"]
        return [
            Route(sign_in, self._guard.open(self._sign_in), methods=both),
            Route(f"{sign_in}/code", self._guard.open(self._code), methods=both),
            Route(f"{sign_in}/second-factor", self._guard.open(self._enrol), methods=both),
            Route(self._shell.sign_out, self._guard.signed_in(self._sign_out), methods=["POST"]),
        ]

    async def _sign_in(self, request: Request) -> Response:
        to = safe_next(request, self._shell.home)
        if request.method != "POST":
            # Who is signed in already goes on, unless this is about being somebody else.
            if request.state.session is not None and "again" not in request.query_params:
                return RedirectResponse(to, 303, headers={"cache-control": "no-store"})
            return self._form(request, Form.filled(login=request.query_params.get("login_hint", "")[:300]), to)
        form = form_of(request)
        login = form.text("login", "Give your user name." if self._kind == "tenant" else "Give your e-mail address.")
        password = form.raw("password")
        if not password:
            form.fail("password", "Give your password.")
        if not form.ok or len(password) > _LONGEST_PASSWORD:
            return self._form(request, form, to, 422)
        try:
            checked = await self._services.accounts.check(self._kind, login, password, origin_of(request))
        except SignInRefused as error:
            form.fail("", str(error))
            return self._form(request, form, to, 429 if isinstance(error, TooManyAttempts) else 401)
        if checked.next == "done":
            return await let_in(request, self._services, checked.person.key, to)
        page = "code" if checked.next == "code" else "second-factor"
        where = f"{self._shell.sign_in}/{page}?next={quote(to, safe='')}"
        return hold(request, self._services.accounts.pending(checked), where)

    async def _code(self, request: Request) -> Response:
        to = safe_next(request, self._shell.home)
        checked = await self._pending(request)
        if checked is None or checked.next != "code":
            return self._begin_again(to)
        form = form_of(request)
        if request.method == "POST":
            code = form.text("code", "Give the code.")
            if form.ok:
                try:
                    await self._services.accounts.check_code(checked.person.key, code)
                    return await let_in(request, self._services, checked.person.key, to)
                except SignInRefused as error:
                    form.fail("code", str(error))
        return self._page(request, "signin/code.html", to, 422 if form.errors else 200, form=form)

    async def _enrol(self, request: Request) -> Response:
        """Setting a second factor up, where one is needed to be let in."""
        to = safe_next(request, self._shell.home)
        checked = await self._pending(request)
        if checked is None or checked.next != "enrol":
            return self._begin_again(to)
        form, key = form_of(request), checked.person.key
        if request.method == "POST":
            code = form.text("code", "Give the code that the app shows.")
            if form.ok:
                try:
                    codes = await self._services.accounts.confirm_second_factor(key, code)
                except SignInRefused as error:
                    form.fail("code", str(error))
                else:
                    answer = self._page(request, "signin/recovery_codes.html", to, codes=codes)
                    for name, value in (await let_in(request, self._services, key, to)).raw_headers:
                        if name == b"set-cookie":
                            answer.raw_headers.append((name, value))
                    return answer
        enrolment = await self._services.accounts.enrolment(key)
        return self._page(
            request,
            "signin/enrol.html",
            to,
            422 if form.errors else 200,
            form=form,
            enrolment=enrolment,
            qr=qr_image(enrolment.uri),
        )

    async def _sign_out(self, request: Request, session: Session) -> Response:
        return await let_out(request, self._services, session.kind, f"{self._shell.sign_in}?again=")

    async def _pending(self, request: Request) -> Checked | None:
        checked = await self._services.accounts.resume(request.cookies.get(PENDING_COOKIE, ""))
        return checked if checked is not None and checked.person.key.kind == self._kind else None

    def _begin_again(self, to: str) -> Response:
        where = f"{self._shell.sign_in}?next={quote(to, safe='')}"
        return RedirectResponse(where, 303, headers={"cache-control": "no-store"})

    def _form(self, request: Request, form: Form, to: str, status: int = 200) -> Response:
        return self._page(
            request,
            "signin/sign_in.html",
            to,
            status,
            form=form,
            kind=self._kind,
            microsoft=self._kind == "company",
            sign_up=self._kind == "company" and self._services.joining.open_sign_up,
        )

    def _page(self, request: Request, template: str, to: str, status: int = 200, **context: object) -> Response:
        targets: Sequence[str] = form_targets(to)
        return render(request, template, status=status, form_action=targets, next=to, **context)
