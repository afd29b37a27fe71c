"""The admin centre, provision on demand: one user or one group through the five steps, now."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App
from provisor.provisioning.ondemand.model import OnDemandResult
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.portal.apps import APP, found_app
from provisor.web.portal.centre import Centre, show

_COLOURS = {"Success": "green", "Skipped": "secondary", "Failure": "red", "Warning": "yellow"}
_STEPS = {
    "TestConnection": "Test connection",
    "Import": "Import the object",
    "Scoping": "Is it in scope?",
    "Matching": "Match it in the app",
    "Export": "Perform the action",
}


class OnDemandPages:
    """``…/provisioning/on-demand``."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        path = f"{APP}/provisioning/on-demand"
        return [self._centre.page(path, self.page), self._centre.action(path, self.provision)]

    async def page(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        return _page(request, app, Form.filled(who=request.query_params.get("who", "")[:200], kind="User"), None)

    async def provision(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        form = form_of(request)
        who = form.text("who", "Name a user or a group.")
        kind = form.choice("kind", ("User", "Group"))
        result = None
        if form.ok:
            with form.catching("who"):
                result = await self._centre.app.on_demand.provision(
                    session.actor, app.job_id, who, kind="Group" if kind == "Group" else "User"
                )
        return _page(request, app, form, result, status=200 if result is not None else 422)

    async def _found(self, request: Request, session: Session) -> App:
        session.actor.require(Right.SYNCHRONIZATION_WRITE, session.realm_id)
        return await found_app(self._centre, request, session)


def _page(request: Request, app: App, form: Form, result: OnDemandResult | None, status: int = 200) -> Response:
    return show(
        request, "on_demand.html", status=status, app=app, form=form, result=result, colours=_COLOURS, steps=_STEPS
    )
