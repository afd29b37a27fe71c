"""The admin centre, ``/portal``: its sections' addresses together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from provisor.web.html.guard import Guard, OpenHandler
from provisor.web.html.live import Closing
from provisor.web.portal.apps import AppPages
from provisor.web.portal.audit import AuditPages
from provisor.web.portal.centre import Centre
from provisor.web.portal.deleted import DeletedPages
from provisor.web.portal.files import FilePages
from provisor.web.portal.groups import GroupPages
from provisor.web.portal.held import HeldPages
from provisor.web.portal.logs import LogPages
from provisor.web.portal.mappings import MappingPages
from provisor.web.portal.on_demand import OnDemandPages
from provisor.web.portal.overview import OverviewPage
from provisor.web.portal.owners import OwnerPages
from provisor.web.portal.pending import PendingPages
from provisor.web.portal.preview import PreviewPages
from provisor.web.portal.schema import SchemaPages
from provisor.web.portal.scope import ScopePages
from provisor.web.portal.settings import SettingsPages
from provisor.web.portal.synchronization import SynchronizationPages
from provisor.web.portal.users import UserPages
from provisor.web.portal.why import WhyPages

if TYPE_CHECKING:
    from provisor.app.services import AppServices


def routes(app: AppServices, guard: Guard, closing: Closing) -> tuple[OpenHandler, list[Route]]:
    """The first page, for who has signed in, and the addresses of all others."""
    centre = Centre(app, guard, closing)
    sections = (
        UserPages(centre),
        GroupPages(centre),
        AppPages(centre),
        OwnerPages(centre),
        SynchronizationPages(centre),
        SettingsPages(centre),
        PreviewPages(centre),
        PendingPages(centre),
        HeldPages(centre),
        WhyPages(centre),
        OnDemandPages(centre),
        LogPages(centre),
        AuditPages(centre),
        MappingPages(centre),
        ScopePages(centre),
        SchemaPages(centre),
        DeletedPages(centre),
        FilePages(centre),
    )
    return guard.signed_in(OverviewPage(centre).page), [route for section in sections for route in section.routes()]
