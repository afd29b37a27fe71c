"""Graph face, ``/applicationTemplates``: the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisor.web.graph.answers import Listing, document, entity, selected
from provisor.web.graph.applications import views
from provisor.web.graph.applications.finding import Finder, only, text
from provisor.web.graph.applications.types import APPLICATION_TEMPLATE
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, context
from provisor.web.graph.routing import PLAIN_LIST, SELECT, Operation

if TYPE_CHECKING:
    from provisor.app.services import AppServices

_NAME = "applicationTemplates"


class Templates:
    """The handlers; each calls one service function."""

    def __init__(self, apps: AppServices, finder: Finder, tokens: Tokens) -> None:
        self._apps = apps
        self._finder = finder
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        """The list, one, and what makes an app of it."""
        base, one = f"/{_NAME}", f"/{_NAME}/{{template}}"
        row, kind = "applicationTemplates.read", "applicationTemplate"
        return [
            Operation("GET", base, self.all, row, PLAIN_LIST, summary="The gallery.", kind=kind),
            Operation("GET", f"{base}/$count", self.count, row, frozenset(("$filter",))),
            Operation("GET", one, self.read, row, SELECT, kind=kind),
            Operation("POST", f"{one}/instantiate", self.instantiate, "applicationTemplates.instantiate"),
        ]

    async def all(self, request: Request) -> Answer:
        """Every app of the gallery."""
        found = [views.template(one) for one in self._apps.applications.templates()]
        return self._listing(request).answer(found, page=500)

    async def count(self, request: Request) -> Answer:
        """How many there are."""
        return self._listing(request).count([views.template(one) for one in self._apps.applications.templates()])

    async def read(self, request: Request) -> Answer:
        """One app, by Graph's GUID or by our id."""
        options = request.options(APPLICATION_TEMPLATE)
        found = views.template(self._apps.applications.template(request.params["template"]))
        return entity(request, _NAME, selected(found, options, APPLICATION_TEMPLATE), options)

    async def instantiate(self, request: Request) -> Answer:
        """201 with the application and its service principal, which can be read at once."""
        body = request.json()
        only(body, "displayName", "serviceManagementReference")
        template = self._apps.applications.template(request.params["template"])
        made = await self._apps.registrations.instantiate(
            request.actor,
            request.tenant_id,
            template.id,
            text(body, "displayName", required=False) or template.display_name,
            owner_id=await self._finder.owner_id(request),
        )
        where = context(request, "microsoft.graph.applicationServicePrincipal")
        application = None if made.application is None else views.application(made.application)
        return document(
            {
                "@odata.context": where,
                "application": application,
                "servicePrincipal": views.service_principal(made),
            },
            201,
        )

    def _listing(self, request: Request) -> Listing:
        return Listing(request, _NAME, APPLICATION_TEMPLATE, self._tokens)
