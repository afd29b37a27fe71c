"""The admin centre, what a guard holds: why, which objects, and somebody's decision."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App
from provisor.errors import NotFound
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.guard import form_of
from provisor.web.html.lists import filters_of, followed
from provisor.web.portal.apps import APP, app_path, found_app
from provisor.web.portal.centre import PAGE_SIZE, Centre, done, show

_STATES: tuple[Literal["held", "rejected", "approved"], ...] = ("held", "rejected", "approved")
_WISHES = (("", "All"), ("update", "Update"), ("disable", "Disable"), ("delete", "Delete"))


class HeldPages:
    """``…/provisioning/held``."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        path = f"{APP}/provisioning/held"
        return [self._centre.page(path, self.index), self._centre.action(path, self.decide)]

    async def index(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        filters = filters_of(request, {"state": "held", "action": ""})
        state = next((one for one in _STATES if one == filters["state"]), _STATES[0])
        guards = self._centre.app.guards
        rows = await guards.held(
            session.actor,
            app.job_id,
            state=state,
            action=filters["action"] or None,
            after=request.query_params.get("after", "")[:100],
            limit=PAGE_SIZE + 1,
        )
        shown = rows[:PAGE_SIZE]
        next_ = shown[-1].source_id if len(rows) > PAGE_SIZE else None
        return show(
            request,
            "held.html",
            app=app,
            overview=await guards.overview(session.actor, app.job_id),
            page=followed(request, shown, next_),
            filters={**filters, "state": state},
            states=[(one, one.capitalize()) for one in _STATES],
            wishes=_WISHES,
        )

    async def decide(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        form = form_of(request)
        decision = form.choice("decision", ("approve", "reject", "approve-all", "reject-all"))
        ids = form.every("object")
        back = f"{app_path(app)}/provisioning/held"
        if not decision.endswith("-all") and not ids:
            return done(request, back, "Nothing was ticked.")
        guards, everything = self._centre.app.guards, decision.endswith("-all")
        work = guards.approve if decision.startswith("approve") else guards.reject
        try:
            decided = await work(session.actor, app.job_id, None if everything else ids)
        except NotFound as error:
            return done(request, back, error.message)
        word = "approved: they leave with the next cycle" if decision.startswith("approve") else "rejected"
        return done(request, back, f"{len(decided)} {word}.")

    async def _found(self, request: Request, session: Session) -> App:
        session.actor.require(Right.SYNCHRONIZATION_READ, session.realm_id)
        return await found_app(self._centre, request, session)
