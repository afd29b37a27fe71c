"""Graph face, ``/servicePrincipals``: enterprise applications, the instances of applications in this tenant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from provisor.applications.errors import RegistrationNotFound
from provisor.applications.registrations.model import Instance
from provisor.applications.registrations.properties import guid
from provisor.web.graph.answers import Document, Listing, created, entity, no_content, selected, updated
from provisor.web.graph.applications import owners, views
from provisor.web.graph.applications.finding import Finder, text
from provisor.web.graph.applications.types import SERVICE_PRINCIPAL
from provisor.web.graph.errors import BadRequest
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens
from provisor.web.graph.routing import DIRECTORY_LIST, ENTITY, Operation

if TYPE_CHECKING:
    from provisor.app.services import AppServices

_NAME = "servicePrincipals"
ONE = "/servicePrincipals/{sp|appId}"


class ServicePrincipals:
    """The handlers; each calls one service function."""

    def __init__(self, apps: AppServices, finder: Finder, tokens: Tokens) -> None:
        self._apps = apps
        self._finder = finder
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        """The list, one, its owners and client secrets."""
        base, name = f"/{_NAME}", "servicePrincipals"
        counted, kind = frozenset(("$filter", "$search")), "servicePrincipal"
        return [
            Operation("GET", base, self.all, f"{name}.read", DIRECTORY_LIST, kind=kind),
            Operation("POST", base, self.create, f"{name}.create", kind=kind),
            Operation("GET", f"{base}/$count", self.count, f"{name}.read", counted),
            Operation("GET", ONE, self.read, f"{name}.read", ENTITY, kind=kind),
            Operation("PATCH", ONE, self.update, f"{name}.write", kind=kind),
            Operation("DELETE", ONE, self.delete, f"{name}.write", summary="Delete it, for good."),
            *owners.operations(self._apps, ONE, name, self._finder.service_principal),
        ]

    async def all(self, request: Request) -> Answer:
        """The tenant's service principals."""
        return self._listing(request).answer(await self._documents(request))

    async def count(self, request: Request) -> Answer:
        """How many there are."""
        return self._listing(request).count(await self._documents(request))

    async def read(self, request: Request) -> Answer:
        """One service principal."""
        options = request.options(SERVICE_PRINCIPAL)
        found = await self._finder.instance(request)
        [shown] = await self._shown(request, [found])
        if options.expand:
            where = found.service_principal.id
            known = await self._apps.registrations.owners(request.actor, request.tenant_id, where)
            shown["owners"] = [{"id": one.id, "displayName": one.display_name} for one in known]
        return entity(request, _NAME, selected(shown, options, SERVICE_PRINCIPAL), options)

    async def create(self, request: Request) -> Answer:
        """201; the body names an application by ``appId``."""
        body = request.json()
        app_id = text(body, "appId")
        rest: dict[str, Any] = {name: value for name, value in body.items() if name != "appId"}
        owner = await self._finder.owner_id(request)
        registrations = self._apps.registrations
        try:
            made = await registrations.instantiate_application(
                request.actor, request.tenant_id, guid(app_id) or app_id, rest, owner_id=owner
            )
        except RegistrationNotFound as error:  # it is named in the body, so the address is not what is wrong
            raise BadRequest(str(error)) from error
        shown = views.service_principal(made)
        return created(request, _NAME, shown, f"/{_NAME}/{made.service_principal.id}")

    async def update(self, request: Request) -> Answer:
        """204."""
        found = await self._finder.instance(request)
        where = found.service_principal.id
        await self._apps.registrations.update_instance(request.actor, request.tenant_id, where, request.json())
        after = await self._apps.registrations.instance(request.actor, request.tenant_id, where)
        [shown] = await self._shown(request, [after])
        return updated(request, _NAME, shown)

    async def delete(self, request: Request) -> Answer:
        """204; its provisioning job goes with it, the accounts in the target stay."""
        found = await self._finder.service_principal(request)
        removed = await self._apps.registrations.delete_instance(request.actor, request.tenant_id, found.id)
        await self._apps.provisioning.forget(request.actor, removed)
        return no_content()

    async def _documents(self, request: Request) -> list[Document]:
        found = await self._apps.registrations.instances(request.actor, request.tenant_id)
        owned = await self._finder.owned(request)
        kept = [one for one in found if owned is None or one.service_principal.id in owned]
        return await self._shown(request, kept)

    async def _shown(self, request: Request, found: Sequence[Instance]) -> list[Document]:
        ids = (one.service_principal.id for one in found)
        passwords = await self._apps.passwords.of(request.actor, request.tenant_id, ids)
        return [views.service_principal(one, passwords.get(one.service_principal.id, ())) for one in found]

    def _listing(self, request: Request) -> Listing:
        return Listing(request, _NAME, SERVICE_PRINCIPAL, self._tokens)
