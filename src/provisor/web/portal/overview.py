"""The admin centre's first page: what is here, how provisioning is doing, and what needs somebody."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.portal.centre import Centre, show
from provisor.web.portal.states import AppState, app_states


class OverviewPage:
    """``/portal`` itself."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    async def page(self, request: Request, session: Session) -> Response:
        app, actor, tenant = self._centre.app, session.actor, session.realm_id
        size = await app.listing.size(actor, tenant) if Right.DIRECTORY_READ in actor.rights else None
        states: list[AppState] = []
        if Right.APPLICATIONS_READ in actor.rights:
            states = await app_states(app, actor, tenant)
        return show(request, "overview.html", size=size, states=states, troubles=[one for one in states if one.trouble])
