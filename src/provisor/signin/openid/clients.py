"""The applications that ask: who they are in a tenant, what they proved, and what they and their people may."""

from __future__ import annotations

import hmac

from provisor.applications.assignments.service import RoleAssignments
from provisor.applications.errors import AppNotFound
from provisor.applications.model import ServicePrincipal
from provisor.applications.passwords.service import Passwords
from provisor.applications.registrations.model import Application
from provisor.applications.registrations.service import Registrations
from provisor.directory.service import Directory
from provisor.security.actor import operator
from provisor.security.permissions import GRAPH_APP_ID
from provisor.signin.openid.errors import disabled, unknown_client, wrong_secret
from provisor.signin.openid.vendor import VENDOR_GRANT, Vendor

_PAGE = 500


class Clients:
    """Applications as clients of the authority."""

    def __init__(
        self,
        registrations: Registrations,
        passwords: Passwords,
        assignments: RoleAssignments,
        directory: Directory,
        vendor: Vendor,
    ) -> None:
        self._registrations = registrations
        self._passwords = passwords
        self._assignments = assignments
        self._directory = directory
        self._vendor = vendor

    async def application(self, client_id: str, base: str, where: str) -> Application:
        """Whoever's application this is. ``base``: this server's address. Raises ``Refusal``."""
        if client_id == self._vendor.app_id:
            return await self._vendor.application(base)
        found = None if client_id == GRAPH_APP_ID else await self._registrations.registered(operator(), client_id)
        if found is None:
            raise unknown_client(client_id, where)
        return found

    async def instance(self, tenant_id: str, app_id: str) -> ServicePrincipal | None:
        """The application in a tenant; null where it is not yet. Raises ``Refusal`` where it is disabled."""
        try:
            found = (await self._registrations.instance(operator(), tenant_id, app_id)).service_principal
        except AppNotFound:
            return None
        if not found.properties.account_enabled:
            raise disabled(app_id)
        return found

    async def prove(self, tenant_id: str, client_id: str, secret: str) -> str:
        """The id of the secret that this is, of the application or of its instance. Raises ``Refusal``."""
        if client_id == self._vendor.app_id and hmac.compare_digest(secret.encode(), self._vendor.secret.encode()):
            return VENDOR_GRANT
        found = await self._passwords.verify(operator(), tenant_id, client_id, secret)
        if found is None:
            raise wrong_secret(client_id)
        return found

    async def still_works(self, tenant_id: str, client_id: str, secret_id: str) -> bool:
        """Whether what an application's own token was given for still counts: the secret, and the application there."""
        if not await self._passwords.still_counts(operator(), secret_id):
            return False
        try:
            found = (await self._registrations.instance(operator(), tenant_id, client_id)).service_principal
        except AppNotFound:
            return False
        return found.properties.account_enabled

    async def permissions(self, tenant_id: str, client: ServicePrincipal, resource: ServicePrincipal) -> frozenset[str]:
        """The application permissions that it has of another application."""
        return await self._assignments.permissions(operator(), tenant_id, client.id, resource.id)

    async def assigned_roles(self, user_id: str, instance: ServicePrincipal) -> tuple[bool, tuple[str, ...]]:
        """Whether a person is assigned to the application, directly or through a group, and the roles' values."""
        tenant_id = instance.tenant_id
        groups = await self._directory.groups_of(operator(), tenant_id, [user_id])
        ids = [user_id, *groups.get(user_id, ())]
        roles: set[str] = set()
        for principal_id in ids:
            roles |= await self._roles_of(tenant_id, principal_id, instance.id)
        values = tuple(sorted(role.value for role in instance.app_roles if role.id in roles and role.value))
        return bool(roles), values

    async def _roles_of(self, tenant_id: str, principal_id: str, resource_id: str) -> set[str]:
        found: set[str] = set()
        after = ""
        while page := await self._assignments.of_principal(operator(), tenant_id, principal_id, after, _PAGE):
            for one in page:
                if one.assignment.service_principal_id == resource_id:
                    found.add(one.assignment.app_role_id)
            if len(page) < _PAGE:
                break
            after = page[-1].assignment.id
        return found
