"""App side, step 1: who a request comes from, whichever credential it carries: an API key or an access token."""

from __future__ import annotations

from provisor.provider.clients.service import Clients
from provisor.provider.clients.tokens import TOKEN_PREFIX
from provisor.provider.model import Principal
from provisor.provider.service import Companies

_MARK = f" {TOKEN_PREFIX}_"
# Past this, a header has only what is random in a key or token.
_BEGINNING = 32


class Credentials:
    """The one door of the company's side."""

    def __init__(self, companies: Companies, clients: Clients | None) -> None:
        """``clients`` null: there is no OAuth here, and its tokens are no credentials."""
        self._companies = companies
        self._clients = clients

    async def authenticate(self, header: str | None) -> Principal:
        """Raises ``Unauthenticated`` (401), ``OwnerNotAdmin`` or ``OwnerGone`` (403)."""
        if self._clients is not None and header is not None and _MARK in header[:_BEGINNING]:
            return await self._clients.authenticate(header)
        return await self._companies.authenticate(header)
