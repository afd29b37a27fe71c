"""The admin centre, what waits: accounts that could be several people's, to decide, and objects that failed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.guard import form_of
from provisor.web.portal.apps import APP, app_path, found_app
from provisor.web.portal.centre import Centre, done, show

_PENDING = f"{APP}/provisioning/pending"
_MOST = 200
_DONE = {
    "link": "It is linked to that account with the next cycle.",
    "create": "A new account is created with the next cycle.",
    "ignore": "It is left out until somebody decides otherwise.",
}


class PendingPages:
    """``…/provisioning/pending``."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        return [self._centre.page(_PENDING, self.page), self._centre.action(_PENDING, self.decide)]

    async def page(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        services, actor, tenant = self._centre.app, session.actor, session.realm_id
        decisions = await services.decisions.pending(actor, app.job_id, decided=True, limit=_MOST)
        escrows = await services.provisioning.escrows(actor, app.job_id, _MOST)
        ids = [one.source_id for one in escrows]
        users = await services.directory.users_by_id(actor, tenant, ids)
        groups = await services.directory.groups_by_id(actor, tenant, ids)
        names = {id_: user.user_principal_name for id_, user in users.items()}
        names |= {id_: group.display_name for id_, group in groups.items()}
        return show(request, "pending.html", app=app, decisions=decisions, escrows=escrows, names=names, most=_MOST)

    async def decide(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        form = form_of(request)
        choice, _, target = form.text("choice", "Choose what to do.").partition(":")
        source = form.text("source")
        await self._centre.app.decisions.decide(session.actor, app.job_id, source, choice, target or None)
        return done(request, f"{app_path(app)}/provisioning/pending", _DONE.get(choice, "Decided."))

    async def _found(self, request: Request, session: Session) -> App:
        session.actor.require(Right.SYNCHRONIZATION_READ, session.realm_id)
        return await found_app(self._centre, request, session)
