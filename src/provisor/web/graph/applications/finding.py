"""Graph face, which application or service principal a path means, and whether the caller may go on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisor.applications.errors import AppNotFound
from provisor.applications.model import ServicePrincipal
from provisor.applications.registrations.model import Application, Instance
from provisor.applications.registrations.properties import guid
from provisor.security.actor import operator
from provisor.web.graph.errors import BadRequest, Denied, ResourceNotFound

if TYPE_CHECKING:
    from provisor.app.services import AppServices
    from provisor.web.graph.http import Request


class Finder:
    """Resolves paths. An owner without any other right finds what they own, and nothing else (``owned_only``)."""

    def __init__(self, apps: AppServices) -> None:
        self._apps = apps

    async def instance(self, request: Request) -> Instance:
        """The service principal of ``{sp|appId}``. Raises ``ResourceNotFound``, ``Denied``."""
        ref, by_app_id = _key(request.params["sp"]), request.alternates.get("sp") == "appId"
        try:
            found = await self._apps.registrations.instance(request.actor, request.tenant_id, ref)
        except AppNotFound as error:
            raise _missing(ref) from error
        if (found.service_principal.app_id if by_app_id else found.service_principal.id) != ref:
            raise _missing(ref)
        await self._require_owner(request, found.service_principal.id)
        return found

    async def service_principal(self, request: Request) -> ServicePrincipal:
        """The same without its registration."""
        return (await self.instance(request)).service_principal

    async def application(self, request: Request) -> Application:
        """The application of ``{application|appId}``. Raises ``ResourceNotFound``, ``Denied``."""
        ref, by_app_id = _key(request.params["application"]), request.alternates.get("application") == "appId"
        found = await self._apps.registrations.application(request.actor, request.tenant_id, ref)
        if (found.app_id if by_app_id else found.id) != ref:
            raise _missing(ref)
        await self._require_owner(request, found.id)
        return found

    async def service_principal_of_application(self, request: Request) -> ServicePrincipal:
        """The service principal, in the caller's tenant, of ``{application|appId}``."""
        application = await self.application(request)
        registrations = self._apps.registrations
        return (await registrations.instance(request.actor, request.tenant_id, application.app_id)).service_principal

    async def owner_id(self, request: Request) -> str | None:
        """Who the caller is as an owner: the person, or the application's service principal; null: nobody."""
        caller = request.caller
        if caller.user_id is not None:
            return caller.user_id
        try:
            found = await self._apps.registrations.instance(operator(), request.tenant_id, caller.app_id)
        except AppNotFound:
            return None
        return found.service_principal.id

    async def owned(self, request: Request) -> set[str] | None:
        """What the caller may see of a list: the ids of what they own; null: everything."""
        if not request.grant.owned_only:
            return None
        owner = await self.owner_id(request)
        if owner is None:
            return set()
        return await self._apps.registrations.owned(operator(), request.tenant_id, owner)

    async def _require_owner(self, request: Request, object_id: str) -> None:
        owned = await self.owned(request)
        if owned is not None and object_id not in owned:
            raise Denied("Insufficient privileges to complete the operation. The caller does not own this object.")


def reference(body: dict[str, Any]) -> str:
    """The id that an ``@odata.id`` names: the last segment of an address. Raises ``BadRequest``."""
    address = body.get("@odata.id")
    if not isinstance(address, str) or not address.strip():
        raise BadRequest("The body needs '@odata.id', the address of an object.")
    return _key(address.rstrip("/").rpartition("/")[2].partition("(")[2].strip("')") or address.rpartition("/")[2])


def text(body: dict[str, Any], name: str, *, required: bool = True) -> str:
    """A text of the body, empty when it is missing. Raises ``BadRequest`` that names it."""
    found = body.get(name)
    if found is None and not required:
        return ""
    if not isinstance(found, str) or (required and not found.strip()):
        raise BadRequest(f"A value is required for property '{name}', and it is a text.")
    return found


def only(body: dict[str, Any], *names: str) -> None:
    """Raise ``BadRequest`` for a property that is none of these."""
    unknown = next((name for name in body if name not in names), None)
    if unknown is not None:
        raise BadRequest(f"The property '{unknown[:200]}' is not known here. Known: {', '.join(names)}.")


def _key(ref: str) -> str:
    return guid(ref) or ref


def _missing(ref: str) -> ResourceNotFound:
    return ResourceNotFound(
        f"Resource '{ref[:200]}' does not exist or one of its queried reference-property objects are not present."
    )
