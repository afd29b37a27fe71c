"""The admin centre, users: the list, one person, and what can be done with them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.directory.model import User
from provisor.errors import Conflict
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.html.lists import filters_of, followed
from provisor.web.portal.attribute_form import filled, read, shown, telling, user_sections
from provisor.web.portal.centre import PAGE_SIZE, Centre, confirm, done, nothing, show

_STATES = {"enabled": True, "disabled": False}
_PATH = "/portal/users/{id}"
# How many reports and groups a person's page names.
_NAMED = 200


class UserPages:
    """People of the session's tenant."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._sections = user_sections()
        self._fields = [field for section in self._sections for field in section.fields]

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page("/portal/users", self.index),
            page("/portal/users/new", self.new),
            action("/portal/users/new", self.create),
            page(_PATH, self.one),
            page(f"{_PATH}/edit", self.edit),
            action(f"{_PATH}/edit", self.save),
            action(f"{_PATH}/enabled", self.set_enabled),
            page(f"{_PATH}/manager", self.choose_manager),
            action(f"{_PATH}/manager", self.set_manager),
            page(f"{_PATH}/delete", self.ask_delete),
            action(f"{_PATH}/delete", self.delete),
        ]

    async def index(self, request: Request, session: Session) -> Response:
        filters = filters_of(request, {"q": "", "state": ""})
        listing = self._centre.app.listing
        after = request.query_params.get("after")
        enabled = _STATES.get(filters["state"])
        found = await listing.users(session.actor, session.realm_id, filters["q"], enabled, after, PAGE_SIZE)
        size = await listing.size(session.actor, session.realm_id)
        return show(request, "users.html", page=followed(request, found.rows, found.after), filters=filters, size=size)

    async def new(self, request: Request, session: Session) -> Response:
        return self._form(request, None, filled(self._fields, {"accountEnabled": True}))

    async def create(self, request: Request, session: Session) -> Response:
        form = form_of(request)
        attributes = {name: value for name, value in read(form, self._fields).items() if value not in (None, {})}
        user = None
        if form.ok:
            with telling(form):
                user = await self._centre.app.directory.create_user(session.actor, session.realm_id, attributes)
        if user is None:
            return self._form(request, None, form, status=422)
        return done(request, f"/portal/users/{user.id}", f"{user.display_name} was created.")

    async def one(self, request: Request, session: Session) -> Response:
        user = await self._found(request, session)
        directory, actor, tenant = self._centre.app.directory, session.actor, session.realm_id
        groups = (await directory.groups_of(actor, tenant, [user.id])).get(user.id, [])[:_NAMED]
        reports = (await directory.reports_of(actor, tenant, [user.id])).get(user.id, [])[:_NAMED]
        apps = []
        if {Right.SYNCHRONIZATION_READ, Right.PROVISIONING_LOG_READ} <= actor.rights:
            apps = [one for one in await self._centre.app.applications.apps(actor, tenant) if one.has_job]
        people = await directory.users_by_id(actor, tenant, [*reports, *([user.manager_id] if user.manager_id else [])])
        return show(
            request,
            "user.html",
            user=user,
            apps=apps,
            sections=list(shown(self._sections, user.attributes)),
            manager=people.get(user.manager_id or ""),
            reports=[people[id_] for id_ in reports if id_ in people],
            groups=sorted(
                (await directory.groups_by_id(actor, tenant, groups)).values(), key=lambda group: group.display_name
            ),
        )

    async def edit(self, request: Request, session: Session) -> Response:
        user = await self._found(request, session)
        return self._form(request, user, filled(self._fields, user.attributes))

    async def save(self, request: Request, session: Session) -> Response:
        user = await self._found(request, session)
        form = form_of(request)
        changes = read(form, self._fields)
        after: User | None = None
        if form.ok:
            with telling(form):
                after = await self._centre.app.directory.update_user(session.actor, session.realm_id, user.id, changes)
        if after is None:
            return self._form(request, user, form, status=422)
        said = "Nothing was different." if after.version == user.version else f"{after.display_name} was saved."
        return done(request, f"/portal/users/{user.id}", said)

    async def set_enabled(self, request: Request, session: Session) -> Response:
        user = await self._found(request, session)
        enabled = form_of(request).choice("enabled", ("false", "true")) == "true"
        await self._centre.app.directory.update_user(
            session.actor, session.realm_id, user.id, {"accountEnabled": enabled}
        )
        said = f"{user.display_name} is {'enabled' if enabled else 'disabled'}. Applications follow within seconds."
        return done(request, f"/portal/users/{user.id}", said)

    async def choose_manager(self, request: Request, session: Session) -> Response:
        user = await self._found(request, session)
        q = request.query_params.get("q", "")[:200]
        found = await self._centre.app.listing.users(session.actor, session.realm_id, q, limit=20)
        rows = [one for one in found.rows if one.id != user.id]
        return show(request, "manager.html", user=user, q=q, rows=rows, more=found.after is not None)

    async def set_manager(self, request: Request, session: Session) -> Response:
        user = await self._found(request, session)
        manager_id = form_of(request).text("manager") or None
        directory = self._centre.app.directory
        await directory.set_manager(session.actor, session.realm_id, user.id, manager_id)
        if manager_id is None:
            return done(request, f"/portal/users/{user.id}", f"{user.display_name} has no manager any more.")
        manager = (await directory.users_by_id(session.actor, session.realm_id, [manager_id]))[manager_id]
        return done(
            request, f"/portal/users/{user.id}", f"The manager of {user.display_name} is {manager.display_name}."
        )

    async def ask_delete(self, request: Request, session: Session) -> Response:
        user = await self._found(request, session)
        return confirm(
            request,
            title=f"Delete {user.display_name}?",
            text=[
                f"{user.user_principal_name} moves to the deleted objects and can be restored for 30 days.",
                "Applications that provision this person disable the account at once, and delete it after 30 days.",
            ],
            action=f"/portal/users/{user.id}/delete",
            verb="Delete",
            back=f"/portal/users/{user.id}",
        )

    async def delete(self, request: Request, session: Session) -> Response:
        user = await self._found(request, session)
        await self._centre.app.directory.delete_user(session.actor, session.realm_id, user.id)
        return done(request, "/portal/users", f"{user.display_name} was deleted, and can be restored for 30 days.")

    async def _found(self, request: Request, session: Session) -> User:
        id_ = request.path_params["id"]
        found = await self._centre.app.directory.users_by_id(session.actor, session.realm_id, [id_])
        if id_ not in found:
            raise nothing("user")
        user = found[id_]
        if user.deleted_at is not None:
            raise Conflict(f"{user.display_name} is among the deleted users.", hint="Restore the user first.")
        return user

    def _form(self, request: Request, user: User | None, form: Form, status: int = 200) -> Response:
        return show(request, "user_form.html", status=status, user=user, form=form, sections=self._sections)
