"""The admin centre, why: why somebody is, or is not, in the app, and what would change that."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.forms import Form
from provisor.web.portal.apps import APP, found_app
from provisor.web.portal.centre import Centre, show


class WhyPages:
    """``…/provisioning/why?who=``."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's one address: the question stays in it."""
        return [self._centre.page(f"{APP}/provisioning/why", self.page)]

    async def page(self, request: Request, session: Session) -> Response:
        session.actor.require(Right.SYNCHRONIZATION_READ, session.realm_id)
        app = await found_app(self._centre, request, session)
        who = request.query_params.get("who", "").strip()[:300]
        attribute = request.query_params.get("attribute", "").strip()[:300]
        kind = request.query_params.get("kind", "")
        form = Form.filled(who=who, kind=kind, attribute=attribute)
        story = None
        if who:
            try:
                story = await self._centre.app.explanations.explain(
                    session.actor,
                    app.job_id,
                    who,
                    kind="Group" if kind == "Group" else "User" if kind == "User" else None,
                    attribute=attribute or None,
                )
            except (InvalidInput, NotFound, Conflict) as error:
                form.fail("who", str(error))
        return show(request, "why.html", status=422 if form.errors else 200, app=app, form=form, story=story)
