"""Graph face, ``/oauth2PermissionGrants``: what people and administrators consented to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisor.applications.grants.model import PermissionGrant
from provisor.web.graph.answers import Listing, created, entity, no_content, selected
from provisor.web.graph.applications import views
from provisor.web.graph.applications.finding import Finder, only, text
from provisor.web.graph.applications.service_principals import ONE as SERVICE_PRINCIPAL
from provisor.web.graph.applications.types import PERMISSION_GRANT
from provisor.web.graph.errors import BadRequest
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens
from provisor.web.graph.routing import PLAIN_LIST, SELECT, Operation

if TYPE_CHECKING:
    from provisor.app.services import AppServices

_NAME = "oauth2PermissionGrants"


class Grants:
    """The handlers; each calls one service function."""

    def __init__(self, apps: AppServices, finder: Finder, tokens: Tokens) -> None:
        self._apps = apps
        self._finder = finder
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        """The list, one, and those of an application."""
        base, one = f"/{_NAME}", f"/{_NAME}/{{grant}}"
        read, write, kind = "permissionGrants.read", "permissionGrants.write", PERMISSION_GRANT.name
        return [
            Operation("GET", base, self.all, read, PLAIN_LIST, summary="Consents.", kind=kind),
            Operation("POST", base, self.create, write, summary="Consent for somebody, or for everybody.", kind=kind),
            Operation("GET", one, self.read, read, SELECT, kind=kind),
            Operation("PATCH", one, self.update, write, kind=kind),
            Operation("DELETE", one, self.delete, write, summary="Take a consent back."),
            Operation("GET", f"{SERVICE_PRINCIPAL}/{_NAME}", self.of_client, read, PLAIN_LIST, kind=kind),
        ]

    async def all(self, request: Request) -> Answer:
        """Every consent in the tenant."""
        return self._listing(request).answer([views.grant(one) for one in await self._all(request)])

    async def of_client(self, request: Request) -> Answer:
        """What one application was allowed."""
        client = (await self._finder.service_principal(request)).id
        found = [one for one in await self._all(request) if one.client_id == client]
        return self._listing(request).answer([views.grant(one) for one in found])

    async def read(self, request: Request) -> Answer:
        """One consent."""
        options = request.options(PERMISSION_GRANT)
        found = views.grant(await self._one(request))
        return entity(request, _NAME, selected(found, options, PERMISSION_GRANT), options)

    async def create(self, request: Request) -> Answer:
        """201. The two times are beta's, where they are required and mean nothing."""
        body = request.json()
        only(body, "clientId", "consentType", "principalId", "resourceId", "scope", "startTime", "expiryTime")
        kind = text(body, "consentType").casefold()
        if kind not in ("allprincipals", "principal"):
            raise BadRequest("'consentType' is AllPrincipals or Principal.")
        principal = text(body, "principalId", required=kind == "principal")
        if kind == "allprincipals" and principal:
            raise BadRequest("'principalId' must be null when 'consentType' is AllPrincipals.")
        made = await self._apps.grants.create(
            request.actor,
            request.tenant_id,
            client_id=text(body, "clientId"),
            resource_id=text(body, "resourceId"),
            scopes=[text(body, "scope", required=False)],
            principal_id=principal,
        )
        return created(request, _NAME, views.grant(made), f"/{_NAME}/{views.opaque(made.id)}")

    async def update(self, request: Request) -> Answer:
        """204; only the scope can change."""
        body = request.json()
        only(body, "scope")
        found = await self._one(request)
        scope = text(body, "scope", required=False)
        await self._apps.grants.set_scopes(request.actor, request.tenant_id, found.id, [scope])
        return no_content()

    async def delete(self, request: Request) -> Answer:
        """204."""
        found = await self._one(request)
        await self._apps.grants.revoke(request.actor, request.tenant_id, found.id)
        return no_content()

    async def _all(self, request: Request) -> list[PermissionGrant]:
        return await self._apps.grants.grants(request.actor, request.tenant_id)

    async def _one(self, request: Request) -> PermissionGrant:
        id_ = views.identity(request.params["grant"])
        return await self._apps.grants.grant(request.actor, request.tenant_id, id_)

    def _listing(self, request: Request) -> Listing:
        return Listing(request, _NAME, PERMISSION_GRANT, self._tokens)
