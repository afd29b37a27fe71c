"""The front page ``/``, and the first pages of the two portals, which say how to begin where nothing is there yet."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.web.company import routes as company
from provisor.web.html.begin import Beginning
from provisor.web.html.guard import Guard, OpenHandler
from provisor.web.html.templating import render
from provisor.web.portal.navigation import SHELL as PORTAL
from provisor.web.services import Services


def routes(services: Services) -> list[Route]:
    """All of them. Whoever has not signed in sees nothing of the database here."""

    async def front(request: Request) -> Response:
        base = services.settings.public_url or str(request.base_url).rstrip("/")
        return render(request, "front.html", scim_url=f"{base}/scim/v2")

    return [Route("/", front), *_centre(services), *_company(services)]


def _centre(services: Services) -> list[Route]:
    """The directory's side: the admin centre, where this server has its services."""
    if services.admin is None:
        return []
    from provisor.web.portal.routes import routes as portal_routes

    guard = Guard(PORTAL, services.sessions, services.settings)
    home, others = portal_routes(services.admin, guard, services.closing)
    return [*_first(services, guard, home), *others]


def _company(services: Services) -> list[Route]:
    """The app's side: the company portal, where this server has its services."""
    if services.company_portal is None:
        return []
    pages = company.pages_of(services, services.company_portal)
    return [*_first(services, pages.guard, company.home(pages)), *company.routes(pages)]


def _first(services: Services, guard: Guard, home: OpenHandler) -> list[Route]:
    if services.setup is None:
        return [Route(guard.shell.home, home)]
    beginning = Beginning(guard, services.setup, services.settings)
    return [Route(guard.shell.home, beginning.home(home)), *beginning.routes()]
