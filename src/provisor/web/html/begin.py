"""Pages of an empty database: how to begin, with a form that makes the first tenant or company and its administrator.

Whoever makes it is its administrator, so not everybody may. On the machine itself the form is enough; from anywhere
else it asks for the setup code that the server prints while there is nothing. Either way the form must be our own
page's (``Guard.open``), and once there is something, the form is gone.
"""

from __future__ import annotations

import hmac
from typing import Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from provisor.errors import Conflict
from provisor.web.html.forms import Form
from provisor.web.html.guard import Guard, OpenHandler, form_of
from provisor.web.html.shell import Shell
from provisor.web.html.templating import render
from provisor.web.local import is_local
from provisor.web.services import Setup, WebSettings


class Beginning:
    """The first page of one realm while there is nothing in it."""

    def __init__(self, guard: Guard, setup: Setup, settings: WebSettings) -> None:
        self._guard = guard
        self._setup = setup
        self._settings = settings

    @property
    def _shell(self) -> Shell:
        return self._guard.shell

    @property
    def _kind(self) -> Literal["tenant", "company"]:
        return "tenant" if self._shell.kind == "tenant" else "company"

    def routes(self) -> list[Route]:
        """Where the form goes."""
        return [Route(f"{self._shell.home}/begin", self._guard.open(self._begin), methods=["POST"])]

    def home(self, otherwise: OpenHandler) -> OpenHandler:
        """The realm's first page: how to begin where there is nothing yet, else ``otherwise``."""
        begin = self._guard.open(self._show)

        async def page(request: Request) -> Response:
            if await self._guard.session(request) is None and await self._setup.is_empty(self._kind):
                return await begin(request)
            return await otherwise(request)

        return page

    async def _show(self, request: Request) -> Response:
        return self._page(request, Form.empty())

    async def _begin(self, request: Request) -> Response:
        form = form_of(request)
        if not await self._setup.is_empty(self._kind):
            raise Conflict("This was begun already.", hint="Sign in, or ask an administrator for an invitation.")
        name = form.text("name", "Give it a name.")
        domain = form.text("domain", "Give its domain, as in user names.") if self._kind == "tenant" else ""
        admin = form.text("admin", "Say who administers it.")
        if self._needs_code(request):
            self._check_code(form)
        if form.ok:
            with form.catching():
                if self._kind == "tenant":
                    next_address = await self._setup.begin_tenant(name, domain, admin)
                else:
                    next_address = await self._setup.begin_company(name, admin)
        if not form.ok:
            return self._page(request, form, 422)
        return RedirectResponse(next_address, 303, headers={"cache-control": "no-store"})

    def _needs_code(self, request: Request) -> bool:
        # Behind a proxy everybody may look like this machine.
        return self._settings.public_url is not None or not is_local(request)

    def _check_code(self, form: Form) -> None:
        given = "".join(character for character in form.raw("code").upper() if character.isalnum())
        wanted = self._setup.code.replace("-", "")
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            form.fail("code", "This is not the setup code that the server printed when it started.")

    def _page(self, request: Request, form: Form, status: int = 200) -> Response:
        return render(
            request,
            f"begin_{self._kind}.html",
            status=status,
            form=form,
            needs_code=self._needs_code(request),
        )
