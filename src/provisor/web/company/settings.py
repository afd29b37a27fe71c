"""Company portal: company settings, what the company is and how much it may ask."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.signin.model import Session
from provisor.web.company.navigation import SETTINGS
from provisor.web.company.pages import Pages
from provisor.web.html.templating import render


def routes(pages: Pages) -> list[Route]:
    """The one page. Limits are shown: they protect the server from the company, so only its operator sets them."""
    here = pages.services

    async def show(request: Request, session: Session) -> Response:
        company = await here.companies.find_company(session.actor, session.realm_id)
        return render(
            request,
            "company/settings.html",
            company=company,
            scim_url=pages.scim_url(request),
            days=here.requests.days,
        )

    return [pages.get(SETTINGS, show)]
