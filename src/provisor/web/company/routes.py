"""The company portal's addresses."""

from __future__ import annotations

from starlette.routing import Route

from provisor.web.company import (
    administrators,
    authentication,
    changes,
    clients,
    keys,
    overview,
    people,
    requests,
    schemas,
    settings,
    webhooks,
)
from provisor.web.company.navigation import SHELL
from provisor.web.company.pages import Pages
from provisor.web.html.guard import Guard, OpenHandler
from provisor.web.services import Services

_PARTS = (
    people,
    requests,
    changes,
    webhooks,
    settings,
    authentication,
    keys,
    clients,
    administrators,
    schemas,
)


def routes(services: Services) -> list[Route]:
    """Everything but the first page, which the empty database shares."""
    if services.company_portal is None:
        return []
    pages = pages_of(services)
    return [route for part in _PARTS for route in part.routes(pages)]


def pages_of(services: Services) -> Pages:
    """What the parts are given."""
    if services.company_portal is None:
        raise LookupError("There is no company portal here.")
    return Pages(Guard(SHELL, services.sessions, services.settings), services.company_portal)


def home(services: Services) -> OpenHandler:
    """The first page."""
    return overview.page(pages_of(services))
