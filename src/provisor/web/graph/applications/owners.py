"""Graph face, ``…/owners`` of applications and service principals, and ``…/addPassword``: what both have alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from provisor.applications.model import ServicePrincipal
from provisor.applications.registrations.model import Application
from provisor.clock import parse_iso
from provisor.web.graph.answers import document, no_content
from provisor.web.graph.applications import views
from provisor.web.graph.applications.finding import only, reference, text
from provisor.web.graph.errors import BadRequest
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import context
from provisor.web.graph.routing import Operation

if TYPE_CHECKING:
    from provisor.app.services import AppServices

Holder = Application | ServicePrincipal
Find = Callable[[Request], Awaitable[Holder]]
_TYPES = {"User": "user", "ServicePrincipal": "servicePrincipal"}


def operations(apps: AppServices, base: str, name: str, find: Find) -> list[Operation]:
    """For things at ``base``, such as ``/applications/{application|appId}``; ``name``: of their permission rows."""

    async def owners(request: Request) -> Answer:
        holder = await find(request)
        found = await apps.registrations.owners(request.actor, request.tenant_id, holder.id)
        value = [
            {"@odata.type": f"#microsoft.graph.{_TYPES[one.type]}", "id": one.id, "displayName": one.display_name}
            for one in found
        ]
        return document({"@odata.context": context(request, "directoryObjects"), "value": value})

    async def references(request: Request) -> Answer:
        holder = await find(request)
        found = await apps.registrations.owners(request.actor, request.tenant_id, holder.id)
        value = [{"@odata.id": f"{request.base}/directoryObjects/{one.id}"} for one in found]
        return document({"@odata.context": context(request, "Collection($ref)"), "value": value})

    async def add(request: Request) -> Answer:
        holder = await find(request)
        await apps.registrations.add_owner(request.actor, holder, reference(request.json()))
        return no_content()

    async def remove(request: Request) -> Answer:
        holder = await find(request)
        await apps.registrations.remove_owner(request.actor, holder, request.params["owner"])
        return no_content()

    async def add_password(request: Request) -> Answer:
        holder = await find(request)
        asked = _credential(request.json_or_empty())
        made = await apps.passwords.add(
            request.actor,
            holder,
            display_name=text(asked, "displayName", required=False) or None,
            start_at=_moment(asked, "startDateTime"),
            end_at=_moment(asked, "endDateTime"),
        )
        where = context(request, "microsoft.graph.passwordCredential")
        return document({"@odata.context": where, **views.password(made.password, made.text)})

    async def remove_password(request: Request) -> Answer:
        holder, body = await find(request), request.json()
        only(body, "keyId")
        await apps.passwords.remove(request.actor, holder, text(body, "keyId"))
        return no_content()

    return [
        Operation("GET", f"{base}/owners", owners, f"{name}.read", summary="Who owns it."),
        Operation("GET", f"{base}/owners/$ref", references, f"{name}.read"),
        Operation("POST", f"{base}/owners/$ref", add, f"{name}.write"),
        Operation("DELETE", f"{base}/owners/{{owner}}/$ref", remove, f"{name}.write"),
        Operation("POST", f"{base}/addPassword", add_password, f"{name}.write", summary="A client secret, shown once."),
        Operation("POST", f"{base}/removePassword", remove_password, f"{name}.write"),
    ]


def _credential(body: dict[str, Any]) -> dict[str, Any]:
    only(body, "passwordCredential")
    found = body.get("passwordCredential") or {}
    if not isinstance(found, dict):
        raise BadRequest("'passwordCredential' is an object.")
    only(found, "displayName", "startDateTime", "endDateTime", "keyId", "hint", "secretText", "customKeyIdentifier")
    return found


def _moment(asked: dict[str, Any], name: str) -> int | None:
    given = text(asked, name, required=False)
    if not given:
        return None
    try:
        return parse_iso(given)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"'{name}' is no moment in ISO 8601: {given[:100]!r}.") from error
