"""The admin centre, owners: who may manage an application, or a group, without a role in the directory."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App
from provisor.directory.model import Group
from provisor.errors import InvalidInput
from provisor.signin.model import Session
from provisor.web.html.guard import form_of
from provisor.web.portal.apps import APP, app_path, found_app
from provisor.web.portal.centre import Centre, done, nothing, show

_GROUP = "/portal/groups/{id}/owners"


class OwnerPages:
    """``…/owners`` of an application, and of a group."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page(f"{APP}/owners", self.of_app),
            action(f"{APP}/owners", self.change_app),
            page(_GROUP, self.of_group),
            action(_GROUP, self.change_group),
        ]

    async def of_app(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        found = await self._centre.app.registrations.owners(session.actor, session.realm_id, app.service_principal.id)
        owners = [(one.id, one.display_name, "Person" if one.type == "User" else "Application") for one in found]
        return await self._page(request, session, "app_owners.html", owners, app=app)

    async def change_app(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        adds, owner = _wanted(request)
        registrations = self._centre.app.registrations
        work = registrations.add_owner if adds else registrations.remove_owner
        await work(session.actor, app.service_principal, owner)
        return done(request, f"{app_path(app)}/owners", "Added." if adds else "Removed.")

    async def of_group(self, request: Request, session: Session) -> Response:
        group = await self._group(request, session)
        services, actor, tenant = self._centre.app, session.actor, session.realm_id
        ids = await services.directory_links.owners(actor, tenant, group.id)
        people = await services.directory.users_by_id(actor, tenant, ids)
        owners = [(one.id, one.display_name, one.user_principal_name) for one in people.values()]
        return await self._page(request, session, "group_owners.html", owners, group=group)

    async def change_group(self, request: Request, session: Session) -> Response:
        group = await self._group(request, session)
        adds, owner = _wanted(request)
        links = self._centre.app.directory_links
        if adds:
            await links.add_owners(session.actor, session.realm_id, group.id, [owner])
        else:
            await links.remove_owner(session.actor, session.realm_id, group.id, owner)
        return done(request, f"/portal/groups/{group.id}/owners", "Added." if adds else "Removed.")

    async def _page(
        self,
        request: Request,
        session: Session,
        template: str,
        owners: list[tuple[str, str, str]],
        *,
        app: App | None = None,
        group: Group | None = None,
    ) -> Response:
        q = request.query_params.get("q", "").strip()[:200]
        rows = []
        if q:
            found = await self._centre.app.listing.users(session.actor, session.realm_id, q, limit=20)
            known = {id_ for id_, _, _ in owners}
            rows = [one for one in found.rows if one.id not in known]
        return show(request, template, owners=owners, q=q, rows=rows, app=app, group=group)

    async def _group(self, request: Request, session: Session) -> Group:
        id_ = request.path_params["id"]
        found = await self._centre.app.directory.groups_by_id(session.actor, session.realm_id, [id_])
        if id_ not in found or found[id_].deleted_at is not None:
            raise nothing("group")
        return found[id_]


def _wanted(request: Request) -> tuple[bool, str]:
    """Whether the form adds, and whom. Raises ``InvalidInput`` when nobody is named."""
    form = form_of(request)
    adds, owner = form.text("add"), form.text("remove")
    if not (adds or owner):
        raise InvalidInput("Nobody was named.", hint="Use the button beside a name.")
    return bool(adds), adds or owner
