"""Graph face, every operation of applications, provisioning and the logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisor.web.graph.applications.applications import Applications
from provisor.web.graph.applications.assignments import Assignments
from provisor.web.graph.applications.finding import Finder
from provisor.web.graph.applications.grants import Grants
from provisor.web.graph.applications.service_principals import ONE as SERVICE_PRINCIPAL
from provisor.web.graph.applications.service_principals import ServicePrincipals
from provisor.web.graph.applications.templates import Templates
from provisor.web.graph.directory.objects import Objects
from provisor.web.graph.links import Tokens
from provisor.web.graph.logs.audits import DirectoryAudits
from provisor.web.graph.logs.provisioning import ProvisioningEntries
from provisor.web.graph.routing import Operation
from provisor.web.graph.synchronization.configurations import Configurations
from provisor.web.graph.synchronization.jobs import Jobs
from provisor.web.graph.synchronization.schemas import Schemas

if TYPE_CHECKING:
    from provisor.app.services import AppServices
    from provisor.web.graph.http import Request


def operations(apps: AppServices, objects: Objects, tokens: Tokens) -> list[Operation]:
    """All of them."""
    finder = Finder(apps)

    async def user(request: Request) -> str:
        return (await objects.user(request)).id

    async def group(request: Request) -> str:
        return (await objects.group(request)).id

    found = [
        *Templates(apps, finder, tokens).operations(),
        *Applications(apps, finder, tokens).operations(),
        *ServicePrincipals(apps, finder, tokens).operations(),
        *Assignments(apps, finder, tokens, user, group).operations(),
        *Grants(apps, finder, tokens).operations(),
        *ProvisioningEntries(apps, tokens).operations(),
        *DirectoryAudits(apps, tokens).operations(),
    ]
    for one, find in (
        (SERVICE_PRINCIPAL, finder.service_principal),
        ("/applications/{application|appId}", finder.service_principal_of_application),
    ):
        for kind in (Configurations, Jobs, Schemas):
            found += kind(apps, find, tokens).operations(one)
    return found
