"""The admin centre, groups: the list, one group, its members, and the groups inside and around it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.directory.attributes import GROUP
from provisor.directory.model import Group
from provisor.errors import Conflict
from provisor.signin.model import Session
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.html.lists import filters_of, followed
from provisor.web.portal.attribute_form import filled, group_fields, read, telling
from provisor.web.portal.centre import PAGE_SIZE, Centre, confirm, done, nothing, show

_PATH = "/portal/groups/{id}"


class GroupPages:
    """Groups of the session's tenant."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._fields = group_fields(GROUP)

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page("/portal/groups", self.index),
            page("/portal/groups/new", self.new),
            action("/portal/groups/new", self.create),
            page(_PATH, self.one),
            page(f"{_PATH}/edit", self.edit),
            action(f"{_PATH}/edit", self.save),
            page(f"{_PATH}/add", self.choose),
            action(f"{_PATH}/add", self.add),
            action(f"{_PATH}/remove", self.remove),
            page(f"{_PATH}/delete", self.ask_delete),
            action(f"{_PATH}/delete", self.delete),
        ]

    async def index(self, request: Request, session: Session) -> Response:
        filters = filters_of(request, {"q": ""})
        after = request.query_params.get("after")
        listing = self._centre.app.listing
        found = await listing.groups(session.actor, session.realm_id, filters["q"], after, PAGE_SIZE)
        size = await listing.size(session.actor, session.realm_id)
        return show(request, "groups.html", page=followed(request, found.rows, found.after), filters=filters, size=size)

    async def new(self, request: Request, session: Session) -> Response:
        return self._form(request, None, filled(self._fields, {"securityEnabled": True}))

    async def create(self, request: Request, session: Session) -> Response:
        form = form_of(request)
        given = {name: value for name, value in read(form, self._fields).items() if value is not None}
        attributes = {"mailEnabled": False, **given}
        group = None
        if form.ok:
            with telling(form):
                group = await self._centre.app.directory.create_group(session.actor, session.realm_id, attributes)
        if group is None:
            return self._form(request, None, form, status=422)
        return done(request, f"/portal/groups/{group.id}", f"{group.display_name} was created.")

    async def one(self, request: Request, session: Session) -> Response:
        group = await self._found(request, session)
        directory, actor, tenant = self._centre.app.directory, session.actor, session.realm_id
        after = request.query_params.get("after")
        members = await directory.members_after(actor, tenant, group.id, after, PAGE_SIZE)
        ids = [member.id for member in members]
        people = await directory.users_by_id(actor, tenant, ids)
        inside = await directory.groups_by_id(actor, tenant, ids)
        around = (await directory.groups_of(actor, tenant, [group.id])).get(group.id, [])
        rows = [(member.type, people.get(member.id) or inside.get(member.id)) for member in members]
        next_ = ids[-1] if len(ids) == PAGE_SIZE else None
        return show(
            request,
            "group.html",
            group=group,
            page=followed(request, [(kind, one) for kind, one in rows if one is not None], next_),
            around=list((await directory.groups_by_id(actor, tenant, around)).values()),
        )

    async def edit(self, request: Request, session: Session) -> Response:
        group = await self._found(request, session)
        return self._form(request, group, filled(self._fields, group.attributes))

    async def save(self, request: Request, session: Session) -> Response:
        group = await self._found(request, session)
        form = form_of(request)
        changes: dict[str, Any] = read(form, self._fields)
        if not changes.get("mailNickname"):
            # It follows from the name when a group is made, and cannot be taken away afterwards.
            changes.pop("mailNickname", None)
        after = None
        if form.ok:
            with telling(form):
                after = await self._centre.app.directory.update_group(
                    session.actor, session.realm_id, group.id, changes
                )
        if after is None:
            return self._form(request, group, form, status=422)
        said = "Nothing was different." if after.version == group.version else f"{after.display_name} was saved."
        return done(request, f"/portal/groups/{group.id}", said)

    async def choose(self, request: Request, session: Session) -> Response:
        group = await self._found(request, session)
        listing, actor, tenant = self._centre.app.listing, session.actor, session.realm_id
        filters = filters_of(request, {"q": "", "kind": "users"})
        if filters["kind"] == "groups":
            groups = await listing.groups(actor, tenant, filters["q"], limit=20)
            rows = [(one.id, one.display_name, one.attributes.get("description", "")) for one in groups.rows]
            more = groups.after is not None
        else:
            users = await listing.users(actor, tenant, filters["q"], limit=20)
            rows = [(one.id, one.display_name, one.user_principal_name) for one in users.rows]
            more = users.after is not None
        within = await self._centre.app.directory.groups_of(actor, tenant, [id_ for id_, _, _ in rows])
        members = {id_ for id_, groups_of in within.items() if group.id in groups_of}
        rows = [row for row in rows if row[0] != group.id]
        return show(request, "group_add.html", group=group, filters=filters, rows=rows, members=members, more=more)

    async def add(self, request: Request, session: Session) -> Response:
        group = await self._found(request, session)
        ids = form_of(request).every("member")
        if not ids:
            return done(request, f"/portal/groups/{group.id}/add", "Nobody was ticked.")
        added = await self._centre.app.directory.add_members(session.actor, session.realm_id, group.id, ids)
        said = f"{len(added)} added to {group.display_name}."
        return done(request, f"/portal/groups/{group.id}", said)

    async def remove(self, request: Request, session: Session) -> Response:
        group = await self._found(request, session)
        ids = form_of(request).every("member")
        gone = await self._centre.app.directory.remove_members(session.actor, session.realm_id, group.id, ids)
        return done(request, f"/portal/groups/{group.id}", f"{len(gone)} removed from {group.display_name}.")

    async def ask_delete(self, request: Request, session: Session) -> Response:
        group = await self._found(request, session)
        return confirm(
            request,
            title=f"Delete {group.display_name}?",
            text=[
                "The group moves to the deleted objects and can be restored with its members for 30 days.",
                "Who has an application through this group alone loses it, and the group is deleted there.",
            ],
            action=f"/portal/groups/{group.id}/delete",
            verb="Delete",
            back=f"/portal/groups/{group.id}",
        )

    async def delete(self, request: Request, session: Session) -> Response:
        group = await self._found(request, session)
        await self._centre.app.directory.delete_group(session.actor, session.realm_id, group.id)
        return done(request, "/portal/groups", f"{group.display_name} was deleted, and can be restored for 30 days.")

    async def _found(self, request: Request, session: Session) -> Group:
        id_ = request.path_params["id"]
        found = await self._centre.app.directory.groups_by_id(session.actor, session.realm_id, [id_])
        if id_ not in found:
            raise nothing("group")
        if found[id_].deleted_at is not None:
            raise Conflict(f"{found[id_].display_name} is among the deleted groups.", hint="Restore the group first.")
        return found[id_]

    def _form(self, request: Request, group: Group | None, form: Form, status: int = 200) -> Response:
        return show(request, "group_form.html", status=status, group=group, form=form, fields=self._fields)
