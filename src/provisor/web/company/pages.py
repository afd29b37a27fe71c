"""What every part of the company portal begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Route

from provisor.provider.requestlog.model import Entry
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.company.services import CompanyServices
from provisor.web.html.guard import Guard, Handler


@dataclass(frozen=True, slots=True)
class Pages:
    """The guard of the realm, and its services."""

    guard: Guard
    services: CompanyServices

    def get(self, path: str, handler: Handler) -> Route:
        """A page for administrators."""
        return Route(path, self.guard.signed_in(handler, right=Right.COMPANY_ADMINISTER))

    def post(self, path: str, handler: Handler) -> Route:
        """Where a form of theirs goes."""
        return Route(path, self.guard.signed_in(handler, right=Right.COMPANY_ADMINISTER), methods=["POST"])

    def both(self, path: str, show: Handler, take: Handler) -> list[Route]:
        """A page with a form, and where it goes: to the same address."""
        return [self.get(path, show), self.post(path, take)]

    async def names_in(self, session: Session, entries: Sequence[Entry]) -> dict[str, str]:
        """What the users and groups are called that requests were about; who is gone is not there."""
        ids = list({entry.resource_id for entry in entries if entry.resource_id is not None})
        return await self.services.browsing.names(session.actor, session.realm_id, ids)

    def scim_url(self, request: Request) -> str:
        """The address to enter on the other side."""
        return f"{self.address(request)}/scim/v2"

    def address(self, request: Request) -> str:
        """Where this server is: as it was told, else as the browser sees it."""
        return self.services.public_url or str(request.base_url).rstrip("/")
