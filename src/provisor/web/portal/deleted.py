"""The admin centre, deleted objects: who can still be restored, and who goes for good."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.directory.model import RESTORABLE_MS, Group, User
from provisor.directory.names import restored_upn
from provisor.signin.model import Session
from provisor.web.html.lists import followed
from provisor.web.portal.centre import PAGE_SIZE, Centre, confirm, done, nothing, show

_PATH = "/portal/deleted/{kind}/{id}"
_DAY_MS = 24 * 60 * 60 * 1000


class DeletedPages:
    """The recycle bin of the session's tenant."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page("/portal/deleted", self.index),
            action(f"{_PATH}/restore", self.restore),
            page(f"{_PATH}/purge", self.ask_purge),
            action(f"{_PATH}/purge", self.purge),
        ]

    async def index(self, request: Request, session: Session) -> Response:
        kind = "groups" if request.query_params.get("kind") == "groups" else "users"
        listing, actor, tenant = self._centre.app.listing, session.actor, session.realm_id
        after = request.query_params.get("after")
        now = self._centre.app.clock.now_ms()
        rows: list[tuple[str, str, str, int, int]]
        if kind == "groups":
            groups = await listing.deleted_groups(actor, tenant, after, PAGE_SIZE)
            rows = [_row(group, "", now) for group in groups.rows]
            next_ = groups.after
        else:
            users = await listing.deleted_users(actor, tenant, after, PAGE_SIZE)
            rows = [_row(user, restored_upn(user.id, user.user_principal_name), now) for user in users.rows]
            next_ = users.after
        size = await listing.size(actor, tenant)
        return show(request, "deleted.html", kind=kind, page=followed(request, rows, next_), size=size)

    async def restore(self, request: Request, session: Session) -> Response:
        kind, found = await self._found(request, session)
        directory, actor, tenant = self._centre.app.directory, session.actor, session.realm_id
        if kind == "users":
            await directory.restore_user(actor, tenant, found.id)
        else:
            await directory.restore_group(actor, tenant, found.id)
        return done(request, f"/portal/{kind}/{found.id}", f"{found.display_name} is back.")

    async def ask_purge(self, request: Request, session: Session) -> Response:
        kind, found = await self._found(request, session)
        return confirm(
            request,
            title=f"Delete {found.display_name} for good?",
            text=[
                "This cannot be undone: nobody can restore it any more.",
                "In applications that provision it, it is deleted too.",
            ],
            action=f"/portal/deleted/{kind}/{found.id}/purge",
            verb="Delete for good",
            back=f"/portal/deleted?kind={kind}",
        )

    async def purge(self, request: Request, session: Session) -> Response:
        kind, found = await self._found(request, session)
        directory, actor, tenant = self._centre.app.directory, session.actor, session.realm_id
        if kind == "users":
            await directory.purge_user(actor, tenant, found.id)
        else:
            await directory.purge_group(actor, tenant, found.id)
        return done(request, f"/portal/deleted?kind={kind}", f"{found.display_name} was deleted for good.")

    async def _found(self, request: Request, session: Session) -> tuple[str, User | Group]:
        kind, id_ = request.path_params["kind"], request.path_params["id"]
        directory, actor, tenant = self._centre.app.directory, session.actor, session.realm_id
        found: User | Group | None = None
        if kind == "users":
            found = (await directory.users_by_id(actor, tenant, [id_])).get(id_)
        elif kind == "groups":
            found = (await directory.groups_by_id(actor, tenant, [id_])).get(id_)
        if found is None:
            raise nothing("deleted object", "It may have been deleted for good meanwhile.")
        return kind, found


def _row(one: User | Group, name: str, now: int) -> tuple[str, str, str, int, int]:
    """Id, display name, further name, when deleted, days left to restore it."""
    at = one.deleted_at or now
    left = max(0, (at + RESTORABLE_MS - now) // _DAY_MS)
    return one.id, one.display_name, name, at, left
