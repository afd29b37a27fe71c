"""Graph face, ``/applications``: what is registered in the tenant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from provisor.applications.model import Removed
from provisor.applications.registrations.model import Application
from provisor.web.graph.answers import Document, Listing, created, entity, no_content, selected, updated
from provisor.web.graph.applications import owners, views
from provisor.web.graph.applications.finding import Finder, reference
from provisor.web.graph.applications.types import APPLICATION
from provisor.web.graph.errors import BadRequest
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens
from provisor.web.graph.routing import DIRECTORY_LIST, ENTITY, Operation

if TYPE_CHECKING:
    from provisor.app.services import AppServices

_NAME = "applications"
_OWNERS = "owners@odata.bind"


class Applications:
    """The handlers; each calls one service function."""

    def __init__(self, apps: AppServices, finder: Finder, tokens: Tokens) -> None:
        self._apps = apps
        self._finder = finder
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        """The list, one, its owners and client secrets."""
        one = "/applications/{application|appId}"
        counted, kind = frozenset(("$filter", "$search")), "application"
        return [
            Operation("GET", "/applications", self.all, "applications.read", DIRECTORY_LIST, kind=kind),
            Operation("POST", "/applications", self.register, "applications.create", kind=kind),
            Operation("GET", "/applications/$count", self.count, "applications.read", counted),
            Operation("GET", one, self.read, "applications.read", ENTITY, kind=kind),
            Operation("PATCH", one, self.update, "applications.write", kind=kind),
            Operation("DELETE", one, self.delete, "applications.write", summary="Delete it, for good."),
            *owners.operations(self._apps, one, "applications", self._finder.application),
        ]

    async def all(self, request: Request) -> Answer:
        """The tenant's applications."""
        return self._listing(request).answer(await self._documents(request))

    async def count(self, request: Request) -> Answer:
        """How many there are."""
        return self._listing(request).count(await self._documents(request))

    async def read(self, request: Request) -> Answer:
        """One application."""
        options = request.options(APPLICATION)
        found = await self._finder.application(request)
        [shown] = await self._shown(request, [found])
        if options.expand:
            shown["owners"] = await self._owners(request, found)
        return entity(request, _NAME, selected(shown, options, APPLICATION), options)

    async def register(self, request: Request) -> Answer:
        """201. Whoever makes it owns it."""
        body = request.json()
        bound = _bound(body)
        made = await self._apps.registrations.register(
            request.actor, request.tenant_id, body, owner_id=await self._finder.owner_id(request)
        )
        for owner in bound:
            if owner != await self._finder.owner_id(request):
                await self._apps.registrations.add_owner(request.actor, made, owner)
        return created(request, _NAME, views.application(made), f"/applications/{made.id}")

    async def update(self, request: Request) -> Answer:
        """204."""
        found = await self._finder.application(request)
        after = await self._apps.registrations.update(request.actor, request.tenant_id, found.id, request.json())
        [shown] = await self._shown(request, [after])
        return updated(request, _NAME, shown)

    async def delete(self, request: Request) -> Answer:
        """204; its service principal in this tenant goes with it."""
        found = await self._finder.application(request)
        gone = await self._apps.registrations.delete(request.actor, request.tenant_id, found.id)
        if gone.job_ids and gone.service_principal is not None:
            await self._apps.provisioning.forget(request.actor, Removed(gone.service_principal, gone.job_ids))
        return no_content()

    async def _documents(self, request: Request) -> list[Document]:
        found = await self._apps.registrations.applications(request.actor, request.tenant_id)
        owned = await self._finder.owned(request)
        return await self._shown(request, [one for one in found if owned is None or one.id in owned])

    async def _shown(self, request: Request, found: Sequence[Application]) -> list[Document]:
        passwords = await self._apps.passwords.of(request.actor, request.tenant_id, (one.id for one in found))
        return [views.application(one, passwords.get(one.id, ())) for one in found]

    async def _owners(self, request: Request, found: Application) -> list[dict[str, Any]]:
        known = await self._apps.registrations.owners(request.actor, request.tenant_id, found.id)
        return [{"id": one.id, "displayName": one.display_name} for one in known]

    def _listing(self, request: Request) -> Listing:
        return Listing(request, _NAME, APPLICATION, self._tokens)


def _bound(body: dict[str, Any]) -> list[str]:
    """The owners that a new application is to have, taken out of the body."""
    given = body.pop(_OWNERS, [])
    if not isinstance(given, list):
        raise BadRequest(f"'{_OWNERS}' is a list of addresses.")
    return [reference({"@odata.id": address}) for address in given]
