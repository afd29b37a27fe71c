"""Company portal: the outbox. What the product behind the company is told, in order, none left out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.signin.model import Session
from provisor.web.company.pages import Pages
from provisor.web.html.guard import text_of
from provisor.web.html.lists import Page as ListPage
from provisor.web.html.lists import address
from provisor.web.html.templating import render

_PAGE = 50


def routes(pages: Pages) -> list[Route]:
    """The one list, newest first."""
    here = pages.services

    async def show(request: Request, session: Session) -> Response:
        actor, company_id = session.actor, session.realm_id
        span = await here.outbox.span(actor, company_id)
        text = text_of(request, "upto", 18)
        upto = min(int(text), span.head) if text.isascii() and text.isdigit() else span.head
        after = max(span.floor, upto - _PAGE)
        found = await here.outbox.read(actor, company_id, after, _PAGE) if upto > span.floor else None
        rows = [one for one in reversed(found.changes) if one.seq <= upto] if found else []
        names = await here.browsing.names(actor, company_id, [one.resource_id for one in rows])
        page = ListPage(
            rows,
            total=span.head - span.floor,
            previous=address(request, upto="") if upto < span.head else None,
            next=address(request, upto=str(after)) if after > span.floor and rows else None,
        )
        return render(
            request, "company/changes.html", page=page, names=names, feed=f"{pages.address(request)}/v1/changes"
        )

    return [pages.get("/company/changes", show)]
