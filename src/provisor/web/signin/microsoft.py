"""Pages of signing in: with Microsoft, at the company portal. There, back, and a name for a new company."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from provisor.errors import Conflict, InvalidInput
from provisor.signin.accounts.model import SignInRefused
from provisor.signin.federation.model import Arrived, FederationFailed, Flow
from provisor.signin.federation.service import HELD_MS, suggested_name
from provisor.signin.openid.vendor import CALLBACK
from provisor.web.addresses import base_of
from provisor.web.html.cookies import set_cookie
from provisor.web.html.forms import Form
from provisor.web.html.guard import Guard, form_of
from provisor.web.html.templating import render
from provisor.web.services import WebSettings
from provisor.web.signin.browser import let_in, origin_of, safe_next
from provisor.web.signin.services import SignInServices

HELD_COOKIE = "provisor_microsoft"


class MicrosoftPages:
    """``/company/sign-in/microsoft`` and ``/company/sign-up/microsoft``."""

    def __init__(self, guard: Guard, services: SignInServices, settings: WebSettings) -> None:
        self._guard = guard
        self._services = services
        self._settings = settings
        self._home = guard.shell.home

    def routes(self) -> list[Route]:
        wrap = self._guard.open
        return [
            Route(f"{self._home}/sign-in/microsoft", wrap(self._sign_in)),
            Route(f"{self._home}/sign-up/microsoft", wrap(self._sign_up)),
            Route(CALLBACK, wrap(self._back)),
            Route(f"{self._home}/sign-up/microsoft/name", wrap(self._name), methods=["POST"]),
        ]

    async def _sign_in(self, request: Request) -> Response:
        invitation = request.query_params.get("invitation", "")
        return await self._begin(request, "invitation" if invitation else "sign-in", invitation)

    async def _sign_up(self, request: Request) -> Response:
        return await self._begin(request, "sign-up")

    async def _begin(self, request: Request, flow: Flow, invitation: str = "") -> Response:
        base = base_of(request, self._settings)
        begun = await self._services.federation.begin(
            flow, base, base + CALLBACK, to=safe_next(request, self._home), invitation=invitation
        )
        answer = RedirectResponse(begun.address, 303, headers={"cache-control": "no-store"})
        return self._hold(request, answer, begun.held)

    async def _back(self, request: Request) -> Response:
        base = base_of(request, self._settings)
        held = request.cookies.get(HELD_COOKIE, "")
        try:
            arrived = await self._services.federation.arrive(
                dict(request.query_params), held, base, base + CALLBACK, request.state.session
            )
        except (FederationFailed, Conflict) as error:
            answer: Response = render(
                request, "error.html", status=400, title="Not signed in", message=error.message, hint=error.hint
            )
            answer.delete_cookie(HELD_COOKIE)
            return answer
        if arrived.person is not None:
            answer = await let_in(request, self._services, arrived.person, arrived.started.next)
            answer.delete_cookie(HELD_COOKIE)
            return answer
        if arrived.started.flow == "sign-in":
            page = render(request, "signin/microsoft_unknown.html", status=403, name=arrived.identity.name)
            return self._hold(request, page, arrived.held)
        return await self._new_company(request, arrived)

    async def _new_company(self, request: Request, arrived: Arrived) -> Response:
        """A company of its own, called as its founder's domain; where that name is taken, the founder is asked."""
        name = suggested_name(arrived.identity)
        form = Form.filled(company=name)
        try:
            person = await self._services.federation.found(arrived.held, name, origin_of(request))
            answer = await let_in(request, self._services, person, self._home)
            answer.delete_cookie(HELD_COOKIE)
        except Conflict as error:
            form.fail("company", f"{error.message} To join it you need an invitation of one of its administrators.")
            return self._hold(request, self._name_page(request, form), arrived.held)
        return answer

    async def _name(self, request: Request) -> Response:
        form = form_of(request)
        name = form.text("company", "Say what your company is called.", most=120)
        if form.ok:
            held = request.cookies.get(HELD_COOKIE, "")
            try:
                person = await self._services.federation.found(held, name, origin_of(request))
                answer = await let_in(request, self._services, person, self._home)
                answer.delete_cookie(HELD_COOKIE)
            except (Conflict, InvalidInput) as error:
                form.fail("company", str(error))
            except (FederationFailed, SignInRefused) as error:
                form.fail("", str(error))
            else:
                return answer
        return self._name_page(request, form)

    def _name_page(self, request: Request, form: Form) -> Response:
        return render(request, "signin/microsoft_name.html", status=422 if form.errors else 200, form=form)

    def _hold(self, request: Request, answer: Response, held: str) -> Response:
        set_cookie(request, answer, HELD_COOKIE, held, seconds=HELD_MS // 1000)
        return answer
