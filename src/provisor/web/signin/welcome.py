"""Pages of signing in: one-time links, and a company's own sign-up."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from provisor.errors import Conflict, InvalidInput
from provisor.signin.accounts.model import PasswordUnfit, SignInRefused
from provisor.signin.links.service import PATH
from provisor.web.html.forms import Form
from provisor.web.html.guard import Guard, form_of
from provisor.web.html.templating import render
from provisor.web.signin.browser import let_in, origin_of
from provisor.web.signin.services import SignInServices

HOMES = {"tenant": "/portal", "company": "/company"}


class WelcomePages:
    """``/welcome/…`` and ``/company/sign-up``."""

    def __init__(self, plain: Guard, company: Guard, services: SignInServices) -> None:
        self._plain = plain
        self._company = company
        self._services = services

    def routes(self) -> list[Route]:
        both = ["GET", "POST"]
        sign_up = f"{self._company.shell.home}/sign-up"
        return [
            Route(PATH + "{text}", self._plain.open(self._welcome), methods=both),
            Route(sign_up, self._company.open(self._sign_up), methods=both),
        ]

    async def _welcome(self, request: Request) -> Response:
        text = request.path_params["text"]
        welcome = await self._services.joining.look(text)
        form = form_of(request)
        if request.method == "POST":
            password = new_password(form)
            if form.ok:
                with form.catching("password"):
                    person = await self._services.joining.accept(text, password)
                    return await let_in(request, self._services, person.key, HOMES[person.key.kind])
        microsoft = welcome.invited
        return render(
            request,
            "signin/welcome.html",
            status=422 if form.errors else 200,
            form=form,
            welcome=welcome,
            microsoft=microsoft,
            text=text,
        )

    async def _sign_up(self, request: Request) -> Response:
        if request.state.session is not None:
            return RedirectResponse(self._company.shell.home, 303, headers={"cache-control": "no-store"})
        self._services.joining.require_open()
        form = form_of(request)
        if request.method == "POST":
            name = form.text("company", "Say what your company is called.", most=120)
            email = form.text("email", "Give your e-mail address.", most=254)
            password = new_password(form)
            if form.ok:
                try:
                    person = await self._services.joining.sign_up(name, email, password, origin_of(request))
                    return await let_in(request, self._services, person.key, self._company.shell.home)
                except PasswordUnfit as error:
                    form.fail("password", str(error))
                except Conflict as error:
                    form.fail("company", str(error))
                except (InvalidInput, SignInRefused) as error:
                    form.fail("", str(error))
        return render(
            request,
            "signin/sign_up.html",
            status=422 if form.errors else 200,
            form=form,
            microsoft=True,
        )


def new_password(form: Form) -> str:
    """The password that was chosen, typed twice."""
    password = form.raw("password")
    if not password:
        form.fail("password", "Choose a password.")
    elif password != form.raw("again"):
        form.fail("again", "This is not the same as above.")
    return password
