"""The front page ``/``, and the first pages of the two portals where nothing is there yet, or nobody can sign in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.web.company import routes as company
from provisor.web.company.navigation import SHELL as COMPANY
from provisor.web.html.begin import Beginning
from provisor.web.html.guard import Guard, OpenHandler
from provisor.web.html.shell import Shell
from provisor.web.html.templating import render
from provisor.web.local import is_local
from provisor.web.portal.navigation import SHELL as PORTAL
from provisor.web.services import Section, Services

Sections = Callable[[], Awaitable[Sequence[Section]]]


def routes(services: Services) -> list[Route]:
    """The database's names are shown to this machine only, as nobody has signed in."""

    async def front(request: Request) -> Response:
        found = [*await services.portal(), *await services.company()] if is_local(request) else None
        base = services.settings.public_url or str(request.base_url).rstrip("/")
        return render(request, "front.html", sections=found, scim_url=f"{base}/scim")

    home = None if services.company_portal is None else company.home(services)
    return [
        Route("/", front),
        *_centre(services),
        *_realm(services, COMPANY, services.company, home),
        *company.routes(services),
    ]


def _centre(services: Services) -> list[Route]:
    """The directory's side: the admin centre, where this server has its services."""
    if services.admin is None:
        return _realm(services, PORTAL, services.portal)
    from provisor.web.portal.routes import routes as portal_routes

    home, others = portal_routes(services.admin, Guard(PORTAL, services.sessions, services.settings), services.closing)
    return [*_realm(services, PORTAL, services.portal, home), *others]


def _realm(services: Services, shell: Shell, sections: Sections, home: OpenHandler | None = None) -> list[Route]:
    guard = Guard(shell, services.sessions, services.settings)

    async def status(request: Request) -> Response:
        found = await sections() if is_local(request) else None
        return render(request, "status.html", title=shell.title, sections=found)

    page = home or guard.open(status)
    if services.setup is None:
        return [Route(shell.home, page)]
    beginning = Beginning(guard, services.setup, services.settings)
    return [Route(shell.home, beginning.home(page)), *beginning.routes()]
