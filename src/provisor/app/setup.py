"""Start-up on an empty database: the first tenant and the first company, made from the pages that say how to begin."""

from __future__ import annotations

import base64
from typing import Literal

from provisor.directory.names import upn_fault
from provisor.directory.service import Directory
from provisor.errors import InvalidInput
from provisor.provider.service import Companies
from provisor.security.actor import operator
from provisor.signin.links.service import Links
from provisor.signin.people import PersonKey
from provisor.signin.roles.service import GLOBAL_ADMINISTRATOR, Roles


class Setup:
    """``code`` lets one begin from another machine. It derives from the server's key, so every process has the same,
    and is good for nothing once there is a tenant and a company."""

    def __init__(self, directory: Directory, companies: Companies, roles: Roles, links: Links, key: bytes) -> None:
        self._directory = directory
        self._companies = companies
        self._roles = roles
        self._links = links
        text = base64.b32encode(key)[:20].decode()
        self.code = "-".join(text[at : at + 5] for at in range(0, 20, 5))

    async def is_empty(self, kind: Literal["tenant", "company"]) -> bool:
        """Whether there is no tenant, or no company."""
        if kind == "tenant":
            return not await self._directory.tenants(operator())
        return not await self._companies.companies(operator())

    async def begin_tenant(self, name: str, domain: str, admin: str) -> str:
        """The first tenant and its administrator, a user of it; the path of the link that lets them in, once.

        Raises ``ProvisorError``.
        """
        # Before the tenant is made: afterwards the database would not be empty any more.
        if (fault := upn_fault(admin)) is not None:
            raise InvalidInput(f"{admin!r} cannot be a user name: {fault}.", hint=f"It looks like you@{domain}.")
        tenant = await self._directory.create_tenant(operator(), name, domain)
        return await self.first_administrator(tenant.id, admin)

    async def first_administrator(self, tenant_id: str, admin: str) -> str:
        """Make the user, a Global Administrator; the path of the link that lets them in, once."""
        me = operator()
        person = {"userPrincipalName": admin, "displayName": admin.partition("@")[0], "accountEnabled": True}
        user = await self._directory.create_user(me, tenant_id, person)
        await self._roles.grant(me, tenant_id, user.id, GLOBAL_ADMINISTRATOR)
        return (await self._links.for_person(me, PersonKey("tenant", tenant_id, user.id))).path

    async def begin_company(self, name: str, admin: str) -> str:
        """The first company and its administrator; the path of the link that lets them in, once.

        Raises ``ProvisorError``.
        """
        company = await self._companies.create_company(operator(), name, admin)
        return await self.company_link(company.id) or "/company"

    async def company_link(self, company_id: str) -> str | None:
        """The path of a link that lets a company's first administrator in, once; null where there is nobody."""
        me = operator()
        people = await self._companies.administrators(me, company_id)
        if not people:
            return None
        return (await self._links.for_person(me, PersonKey("company", company_id, people[0].id))).path
