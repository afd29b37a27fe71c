"""Start-up on an empty database: the first tenant and the first company, made from the pages that say how to begin."""

from __future__ import annotations

import base64
from typing import Literal

from provisor.directory.service import Directory
from provisor.provider.service import Companies
from provisor.security.actor import operator


class Setup:
    """``code`` lets one begin from another machine. It derives from the server's key, so every process has the same,
    and is good for nothing once there is a tenant and a company."""

    def __init__(self, directory: Directory, companies: Companies, key: bytes) -> None:
        self._directory = directory
        self._companies = companies
        text = base64.b32encode(key)[:20].decode()
        self.code = "-".join(text[at : at + 5] for at in range(0, 20, 5))

    async def is_empty(self, kind: Literal["tenant", "company"]) -> bool:
        """Whether there is no tenant, or no company."""
        if kind == "tenant":
            return not await self._directory.tenants(operator())
        return not await self._companies.companies(operator())

    async def begin_tenant(self, name: str, domain: str, admin: str) -> str:
        """The first tenant and its administrator, a user of it. Where to go on. Raises ``ProvisorError``."""
        tenant = await self._directory.create_tenant(operator(), name, domain)
        person = {"userPrincipalName": admin, "displayName": admin.partition("@")[0], "accountEnabled": True}
        await self._directory.create_user(operator(), tenant.id, person)
        return "/portal"

    async def begin_company(self, name: str, admin: str) -> str:
        """The first company and its administrator. Where to go on. Raises ``ProvisorError``."""
        await self._companies.create_company(operator(), name, admin)
        return "/company"
