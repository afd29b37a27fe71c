"""Graph face, ``appRoleAssignedTo`` and ``appRoleAssignments``: who has which role of which application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from provisor.applications.assignments.store import Assigned
from provisor.applications.model import DEFAULT_ACCESS
from provisor.applications.registrations.properties import guid
from provisor.odata.evaluate import matches
from provisor.odata.options import Options
from provisor.web.graph.answers import Document, created, document, entity, no_content, selected
from provisor.web.graph.applications import views
from provisor.web.graph.applications.finding import Finder, only, text
from provisor.web.graph.applications.service_principals import ONE as SERVICE_PRINCIPAL
from provisor.web.graph.applications.types import APP_ROLE_ASSIGNMENT
from provisor.web.graph.errors import BadRequest, ResourceNotFound
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, bound, context, next_link
from provisor.web.graph.routing import SELECT, Operation

if TYPE_CHECKING:
    from provisor.app.services import AppServices

_NAME = "appRoleAssignments"
_LIST = frozenset(("$filter", "$select", "$top", "$count", "$skiptoken"))
_PAGE, _MOST, _BATCH = 100, 999, 500
Find = Callable[[Request], Awaitable[str]]
Page = Callable[[str], Awaitable[Sequence[Assigned]]]


class _After(msgspec.Struct, array_like=True):
    id: str


class Assignments:
    """The handlers; each calls one service function. ``users`` and ``groups`` find the ids that their paths mean."""

    def __init__(self, apps: AppServices, finder: Finder, tokens: Tokens, users: Find, groups: Find) -> None:
        self._apps = apps
        self._finder = finder
        self._tokens = tokens
        self._users = users
        self._groups = groups

    def operations(self) -> list[Operation]:
        """Seen from the application, and from who is assigned."""
        sides: tuple[tuple[str, Find, bool], ...] = (
            (f"{SERVICE_PRINCIPAL}/appRoleAssignedTo", self._service_principal, True),
            (f"{SERVICE_PRINCIPAL}/appRoleAssignments", self._service_principal, False),
            ("/users/{user}/appRoleAssignments", self._users, False),
            ("/groups/{group}/appRoleAssignments", self._groups, False),
        )
        return [one for path, find, resource in sides for one in self._side(path, find, resource=resource)]

    def _side(self, path: str, find: Find, *, resource: bool) -> list[Operation]:
        async def listed(request: Request) -> Answer:
            return await self._list(request, await find(request), resource=resource)

        async def read(request: Request) -> Answer:
            options = request.options(APP_ROLE_ASSIGNMENT)
            found = views.assignment(await self._one(request, await find(request), resource=resource))
            return entity(request, _NAME, selected(found, options, APP_ROLE_ASSIGNMENT), options)

        async def add(request: Request) -> Answer:
            return await self._add(request, await find(request), path, resource=resource)

        async def remove(request: Request) -> Answer:
            found = await self._one(request, await find(request), resource=resource)
            await self._apps.role_assignments.remove(request.actor, request.tenant_id, found.assignment.id)
            return no_content()

        row = "appRoleAssignedTo" if resource else "appRoleAssignments"
        read_row, write_row, kind = f"{row}.read", f"{row}.write", APP_ROLE_ASSIGNMENT.name
        return [
            Operation("GET", path, listed, read_row, _LIST, summary="Role assignments.", kind=kind),
            Operation("POST", path, add, write_row, summary="Give a role.", kind=kind),
            Operation("GET", f"{path}/{{assignment}}", read, read_row, SELECT, kind=kind),
            Operation("DELETE", f"{path}/{{assignment}}", remove, write_row, summary="Take a role away."),
        ]

    async def _list(self, request: Request, id_: str, *, resource: bool) -> Answer:
        options = request.options(APP_ROLE_ASSIGNMENT, most=_MOST)
        service = self._apps.role_assignments
        ask = service.assigned_to if resource else service.of_principal
        after = ""
        if options.skip_token is not None:
            after = self._tokens.open(options.skip_token, _After, bound(request)).id
        wanted = options.top or _PAGE
        kept: list[tuple[str, Document]] = []
        at, more = after, True
        while more and len(kept) <= wanted:
            found = await ask(request.actor, request.tenant_id, id_, at, _BATCH)
            more = len(found) == _BATCH
            at = found[-1].assignment.id if found else at
            kept += [(one.assignment.id, shown) for one in found if _wanted(shown := views.assignment(one), options)]
        body: Document = {"@odata.context": context(request, _NAME, options.select)}
        if options.count:
            body["@odata.count"] = await self._count(request, id_, options, resource=resource)
        if len(kept) > wanted:
            body["@odata.nextLink"] = next_link(request, self._tokens.seal(_After(kept[wanted - 1][0]), bound(request)))
        body["value"] = [selected(shown, options, APP_ROLE_ASSIGNMENT) for _, shown in kept[:wanted]]
        return document(body)

    async def _count(self, request: Request, id_: str, options: Options, *, resource: bool) -> int:
        service = self._apps.role_assignments
        ask = service.assigned_to if resource else service.of_principal
        counted, at = 0, ""
        while found := await ask(request.actor, request.tenant_id, id_, at, _BATCH):
            counted += sum(_wanted(views.assignment(one), options) for one in found)
            at = found[-1].assignment.id
        return counted

    async def _one(self, request: Request, id_: str, *, resource: bool) -> Assigned:
        ref = request.params["assignment"]
        found = await self._apps.role_assignments.assignment(request.actor, request.tenant_id, views.identity(ref))
        one = found.assignment
        if id_ != (one.service_principal_id if resource else one.principal_id):
            raise ResourceNotFound(f"Resource '{ref[:200]}' does not exist.")
        return found

    async def _add(self, request: Request, id_: str, path: str, *, resource: bool) -> Answer:
        body = request.json()
        names = ("principalId", "resourceId", "appRoleId")
        only(body, *names, "principalType", "principalDisplayName", "resourceDisplayName", "id", "createdDateTime")
        principal, application = (_guid(body, name) for name in names[:2])
        if id_ != (application if resource else principal):
            name = "resourceId" if resource else "principalId"
            raise BadRequest(f"'{name}' is not the object that the address names.")
        role = _guid(body, "appRoleId") if body.get("appRoleId") else DEFAULT_ACCESS
        made = await self._apps.role_assignments.assign(request.actor, request.tenant_id, application, principal, role)
        shown = views.assignment(made)
        return created(request, _NAME, shown, f"{request.path}/{shown['id']}")

    async def _service_principal(self, request: Request) -> str:
        return (await self._finder.service_principal(request)).id


def _wanted(shown: Document, options: Options) -> bool:
    return options.filter is None or matches(options.filter, shown)


def _guid(body: Document, name: str) -> str:
    given = text(body, name)
    found = guid(given)
    if found is None:
        raise BadRequest(f"'{name}' is no GUID: {given[:100]!r}.")
    return found
