"""Pages of signing in: one's own account: password, second factor, where one is signed in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from provisor.signin.accounts.model import SignInRefused
from provisor.signin.model import Session
from provisor.signin.people import PersonKey
from provisor.web.html.flash import redirect
from provisor.web.html.forms import Form
from provisor.web.html.guard import Guard, form_of
from provisor.web.html.templating import render
from provisor.web.signin.browser import let_in, origin_of
from provisor.web.signin.qr import qr_image
from provisor.web.signin.services import SignInServices
from provisor.web.signin.welcome import new_password


class AccountPages:
    """``/portal/account`` or ``/company/account``: everybody's own, and nobody else's."""

    def __init__(self, guard: Guard, services: SignInServices) -> None:
        self._guard = guard
        self._services = services
        self._home = f"{guard.shell.home}/account"

    def routes(self) -> list[Route]:
        post, both = ["POST"], ["GET", "POST"]
        wrap = self._guard.signed_in
        return [
            Route(self._home, wrap(self._show)),
            Route(f"{self._home}/password", wrap(self._password), methods=both),
            Route(f"{self._home}/second-factor", wrap(self._second_factor), methods=both),
            Route(f"{self._home}/second-factor/codes", wrap(self._codes), methods=both),
            Route(f"{self._home}/second-factor/remove", wrap(self._remove), methods=both),
            Route(f"{self._home}/sign-out-everywhere", wrap(self._everywhere), methods=post),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        key = _key(session)
        return render(
            request,
            "signin/account.html",
            home=self._home,
            factor=await self._services.accounts.second_factor(key),
            has_password=await self._services.accounts.has_password(key),
            sessions=await self._services.sessions.sessions_of(session.actor, key),
        )

    async def _password(self, request: Request, session: Session) -> Response:
        form = form_of(request)
        if request.method == "POST":
            old, new = form.raw("old"), new_password(form)
            if form.ok:
                try:
                    with form.catching("password"):
                        await self._services.accounts.change_password(_key(session), old, new, origin_of(request))
                        # Every session ended with the old password, this one too.
                        return await let_in(request, self._services, _key(session), self._home)
                except SignInRefused as error:
                    form.fail("old", str(error))
        return self._page(request, "signin/password.html", form)

    async def _second_factor(self, request: Request, session: Session) -> Response:
        form, key = form_of(request), _key(session)
        if request.method == "POST":
            code = form.text("code", "Give the code that the app shows.")
            if form.ok:
                try:
                    codes = await self._services.accounts.confirm_second_factor(key, code)
                    return render(request, "signin/recovery_codes.html", codes=codes, next=self._home)
                except SignInRefused as error:
                    form.fail("code", str(error))
        enrolment = await self._services.accounts.enrolment(key)
        return render(
            request,
            "signin/enrol.html",
            status=422 if form.errors else 200,
            form=form,
            enrolment=enrolment,
            qr=qr_image(enrolment.uri),
            next=self._home,
        )

    async def _codes(self, request: Request, session: Session) -> Response:
        form = form_of(request)
        if request.method == "POST":
            code = form.text("code", "Give the code that the app shows.")
            if form.ok:
                try:
                    codes = await self._services.accounts.new_recovery_codes(_key(session), code)
                    return render(request, "signin/recovery_codes.html", codes=codes, next=self._home)
                except SignInRefused as error:
                    form.fail("code", str(error))
        return self._page(request, "signin/new_codes.html", form)

    async def _remove(self, request: Request, session: Session) -> Response:
        form = form_of(request)
        if request.method == "POST":
            code = form.text("code", "Give the code that the app shows.")
            if form.ok:
                try:
                    with form.catching():
                        await self._services.accounts.remove_second_factor(_key(session), code)
                        return redirect(request, self._home, "The second factor is removed.")
                except SignInRefused as error:
                    form.fail("code", str(error))
        return self._page(request, "signin/remove_factor.html", form)

    async def _everywhere(self, request: Request, session: Session) -> Response:
        await self._services.accounts.sign_out_everywhere(_key(session))
        to = f"{self._guard.shell.sign_in}?again="
        return RedirectResponse(to, 303, headers={"cache-control": "no-store"})

    def _page(self, request: Request, template: str, form: Form) -> Response:
        return render(request, template, status=422 if form.errors else 200, form=form, home=self._home)


def _key(session: Session) -> PersonKey:
    return PersonKey(session.kind, session.realm_id, session.subject_id)
