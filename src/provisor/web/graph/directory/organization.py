"""Graph face, ``/organization`` and ``/domains``: the tenant itself."""

from __future__ import annotations

from typing import Any

from provisor.clock import iso
from provisor.directory.model import Tenant
from provisor.web.graph.answers import Listing, entity, selected
from provisor.web.graph.errors import ResourceNotFound
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens
from provisor.web.graph.routing import PLAIN_LIST, SELECT, Operation
from provisor.web.graph.services import GraphServices
from provisor.web.graph.types import DOMAIN, ORGANIZATION


def operations(services: GraphServices, tokens: Tokens) -> list[Operation]:
    """``/organization``, ``/organization/{id}``, ``/domains``, ``/domains/{id}``."""

    async def tenant(request: Request) -> Tenant:
        return await services.directory.find_tenant(request.actor, request.tenant_id)

    async def organizations(request: Request) -> Answer:
        return Listing(request, "organization", ORGANIZATION, tokens).answer([_organization(await tenant(request))])

    async def organization(request: Request) -> Answer:
        found = _organization(await tenant(request))
        return _one(request, "organization", found, request.params["organization"])

    async def domains(request: Request) -> Answer:
        return Listing(request, "domains", DOMAIN, tokens).answer([_domain(await tenant(request))])

    async def domain(request: Request) -> Answer:
        found = _domain(await tenant(request))
        return _one(request, "domains", found, request.params["domain"].lower())

    def _one(request: Request, name: str, found: dict[str, Any], wanted: str) -> Answer:
        if found["id"] != wanted:
            raise ResourceNotFound(f"Resource '{wanted[:200]}' does not exist.")
        kind = ORGANIZATION if name == "organization" else DOMAIN
        options = request.options(kind)
        return entity(request, name, selected(found, options, kind), options)

    return [
        Operation(
            "GET",
            "/organization",
            organizations,
            "organization.read",
            PLAIN_LIST,
            summary="The tenant.",
            kind="organization",
        ),
        Operation("GET", "/organization/{organization}", organization, "organization.read", SELECT),
        Operation("GET", "/domains", domains, "domains.read", PLAIN_LIST, summary="Its domain names.", kind="domain"),
        Operation("GET", "/domains/{domain}", domain, "domains.read", SELECT),
    ]


def _organization(tenant: Tenant) -> dict[str, Any]:
    domain = {"capabilities": "", "isDefault": True, "isInitial": True, "name": tenant.domain, "type": "Managed"}
    return {
        "id": tenant.id,
        "displayName": tenant.name,
        "createdDateTime": iso(tenant.created_at),
        "businessPhones": [],
        "technicalNotificationMails": [],
        "tenantType": "AAD",
        "verifiedDomains": [domain],
    }


def _domain(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.domain,
        "authenticationType": "Managed",
        "isAdminManaged": True,
        "isDefault": True,
        "isInitial": True,
        "isRoot": True,
        "isVerified": True,
        "supportedServices": [],
    }
