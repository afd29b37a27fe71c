"""The company portal's addresses."""

from __future__ import annotations

from starlette.routing import Route

from provisor.web.company import (
    administrators,
    audit,
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
from provisor.web.company.services import CompanyServices
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
    audit,
)


def routes(pages: Pages) -> list[Route]:
    """Everything but the first page, which the empty database shares."""
    return [route for part in _PARTS for route in part.routes(pages)]


def pages_of(services: Services, portal: CompanyServices) -> Pages:
    """What the parts are given."""
    return Pages(Guard(SHELL, services.sessions, services.settings), portal)


def home(pages: Pages) -> OpenHandler:
    """The first page."""
    return overview.page(pages)
