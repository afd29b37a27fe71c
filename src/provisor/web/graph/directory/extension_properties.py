"""Graph face, ``/applications/{id}/extensionProperties``: attributes that an application adds to users and groups."""

from __future__ import annotations

from typing import Any

from provisor.directory.extensions.model import ExtensionProperty
from provisor.web.graph.answers import Document, Listing, created, entity, no_content, selected
from provisor.web.graph.directory.objects import not_found
from provisor.web.graph.errors import BadRequest, Denied
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens
from provisor.web.graph.routing import PLAIN_LIST, SELECT, Operation
from provisor.web.graph.services import GraphServices
from provisor.web.graph.types import EXTENSION_PROPERTY

_NAMES = ("name", "dataType", "targetObjects", "isMultiValued")


class ExtensionProperties:
    """The handlers; each calls one service function, once it knows the application."""

    def __init__(self, services: GraphServices, tokens: Tokens) -> None:
        self._services = services
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        """List, read, define, remove; and those of all applications."""
        base = "/applications/{application|appId}/extensionProperties"
        read, write = "extensionProperties.read", "extensionProperties.write"
        every = "/directoryObjects/getAvailableExtensionProperties"
        return [
            Operation(
                "GET", base, self.list, read, PLAIN_LIST, summary="What an application adds.", kind="extensionProperty"
            ),
            Operation("POST", base, self.define, write, summary="A new extension property.", kind="extensionProperty"),
            Operation("GET", f"{base}/{{extensionProperty}}", self.read, read, SELECT),
            Operation("DELETE", f"{base}/{{extensionProperty}}", self.remove, write),
            Operation("POST", every, self.available, "directoryObjects.read"),
        ]

    async def list(self, request: Request) -> Answer:
        """Those of one application."""
        name, app_id = await self._app(request)
        found = await self._services.extensions.of_app(request.actor, request.tenant_id, app_id)
        listing = Listing(request, _context(request), EXTENSION_PROPERTY, self._tokens)
        return listing.answer([_document(one, name) for one in found])

    async def read(self, request: Request) -> Answer:
        """One of them."""
        name, app_id = await self._app(request)
        for one in await self._services.extensions.of_app(request.actor, request.tenant_id, app_id):
            if one.id == request.params["extensionProperty"].lower():
                options = request.options(EXTENSION_PROPERTY)
                shown = selected(_document(one, name), options, EXTENSION_PROPERTY)
                return entity(request, _context(request), shown, options)
        raise not_found(request.params["extensionProperty"])

    async def define(self, request: Request) -> Answer:
        """201 with the property, whose whole name mappings and users can use from now on."""
        body = request.json()
        name, app_id = await self._app(request, write=True)
        if unknown := sorted(set(body) - set(_NAMES)):
            raise BadRequest(f"'{unknown[0][:100]}' is no property that can be set; there are {', '.join(_NAMES)}.")
        targets, many = body.get("targetObjects"), body.get("isMultiValued") or False
        if not isinstance(targets, list) or not all(isinstance(one, str) for one in targets):
            raise BadRequest("targetObjects is a list of texts, such as ['User'].")
        if not isinstance(many, bool):
            raise BadRequest("isMultiValued is true or false.")
        made = await self._services.extensions.define(
            request.actor,
            request.tenant_id,
            app_id,
            _text(body, "name"),
            _text(body, "dataType"),
            targets,
            is_multi_valued=many,
        )
        path = f"/applications/{request.params['application']}/extensionProperties/{made.id}"
        return created(request, _context(request), _document(made, name), path)

    async def remove(self, request: Request) -> Answer:
        """204."""
        _, app_id = await self._app(request, write=True)
        id_ = request.params["extensionProperty"].lower()
        await self._services.extensions.remove(request.actor, request.tenant_id, app_id, id_)
        return no_content()

    async def available(self, request: Request) -> Answer:
        """Those of every application of the tenant."""
        request.json_or_empty()
        found = await self._services.extensions.all(request.actor, request.tenant_id)
        listing = Listing(request, "directoryObjects", EXTENSION_PROPERTY, self._tokens)
        return listing.answer([_document(one, None) for one in found], page=999)

    async def _app(self, request: Request, *, write: bool = False) -> tuple[str, str]:
        """Name and app id of the application that the path names. Raises ``Denied`` for what is not the caller's."""
        ref = request.params["application"]
        registrations, actor, tenant_id = self._services.registrations, request.actor, request.tenant_id
        found = await registrations.application(actor, tenant_id, ref)
        wanted = found.app_id if request.alternates.get("application") == "appId" else found.id
        if wanted != ref.lower():
            raise not_found(ref)
        if write and request.grant.owned_only:
            owner = request.caller.user_id or request.actor.subject
            if found.id not in await registrations.owned(actor, tenant_id, owner):
                raise Denied("Insufficient privileges to complete the operation. The application is not the caller's.")
        return found.display_name, found.app_id


def _text(body: Document, name: str) -> str:
    found: Any = body.get(name)
    if not isinstance(found, str):
        raise BadRequest(f"'{name}' is a text, and required.")
    return found


def _context(request: Request) -> str:
    return f"applications('{request.params['application']}')/extensionProperties"


def _document(found: ExtensionProperty, app_name: str | None) -> Document:
    return {
        "id": found.id,
        "deletedDateTime": None,
        "appDisplayName": app_name,
        "name": found.name,
        "dataType": found.data_type,
        "isMultiValued": found.is_multi_valued,
        "isSyncedFromOnPremises": False,
        "targetObjects": list(found.target_objects),
    }
