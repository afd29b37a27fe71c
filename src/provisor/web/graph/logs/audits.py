"""Graph face, ``/auditLogs/directoryAudits``: who changed the configuration, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from provisor.clock import iso
from provisor.events.audit.model import Entry, Target
from provisor.events.audit.store import AuditFilter
from provisor.odata.errors import Unsupported
from provisor.odata.evaluate import matches
from provisor.odata.tree import Path
from provisor.security.actor import Realm
from provisor.web.graph.answers import Document, document, entity, selected
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, bound, context, next_link
from provisor.web.graph.logs.narrowing import narrowed
from provisor.web.graph.logs.types import DIRECTORY_AUDIT, is_exact
from provisor.web.graph.routing import SELECT, Operation

if TYPE_CHECKING:
    from provisor.app.services import AppServices

_NAME = "auditLogs/directoryAudits"
_LIST = frozenset(("$filter", "$select", "$orderby", "$top", "$skiptoken"))
_PAGE, _MOST, _LOOKS = 100, 1_000, 10
_TEXTS: dict[Path, str] = {
    ("activityDisplayName",): "activity",
    ("category",): "category",
    ("correlationId",): "correlation_id",
    ("result",): "result",
}
_WORDS = {("result",): frozenset(("success", "failure"))}


class _Place(msgspec.Struct, array_like=True):
    after: str | None
    skip: int


class DirectoryAudits:
    """The handlers; each calls one service function."""

    def __init__(self, apps: AppServices, tokens: Tokens) -> None:
        self._apps = apps
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        """The list, and one entry."""
        row, kind = "auditLogs.directoryAudits.read", DIRECTORY_AUDIT.name
        return [
            Operation("GET", f"/{_NAME}", self.all, row, _LIST, summary="The audit log.", kind=kind),
            Operation("GET", f"/{_NAME}/{{entry}}", self.read, row, SELECT, kind=kind),
        ]

    async def all(self, request: Request) -> Answer:
        """A page, newest first."""
        options = request.options(DIRECTORY_AUDIT, most=_MOST)
        if any(order.path != ("activityDateTime",) or not order.descending for order in options.orderby):
            raise Unsupported("The log can be ordered by 'activityDateTime desc' only.")
        wanted = AuditFilter(**narrowed(options.filter, _TEXTS, ("activityDateTime",), _WORDS))  # type: ignore[arg-type]
        place = _Place(None, 0)
        if options.skip_token is not None:
            place = self._tokens.open(options.skip_token, _Place, bound(request))
        size, found, following = options.top or _PAGE, list[Document](), None
        for _ in range(_LOOKS):
            page = await self._apps.audit.page(request.actor, _realm(request), wanted, after=place.after, limit=_MOST)
            for at, one in enumerate(page.entries):
                shown = audit(one)
                if at < place.skip or (options.filter is not None and not matches(options.filter, shown, is_exact)):
                    continue
                if len(found) == size:
                    following = _Place(place.after, at)
                    break
                found.append(shown)
            if following is not None or page.next is None:
                break
            following = place = _Place(page.next, 0)
            if len(found) == size:
                break
            following = None
        else:
            following = place
        body: Document = {"@odata.context": context(request, _NAME, options.select)}
        if following is not None:
            body["@odata.nextLink"] = next_link(request, self._tokens.seal(following, bound(request)))
        body["value"] = [selected(one, options, DIRECTORY_AUDIT) for one in found]
        return document(body)

    async def read(self, request: Request) -> Answer:
        """One entry."""
        options = request.options(DIRECTORY_AUDIT)
        found = audit(await self._apps.audit.entry(request.actor, _realm(request), request.params["entry"]))
        return entity(request, _NAME, selected(found, options, DIRECTORY_AUDIT), options)


def audit(one: Entry) -> Document:
    """Graph's ``directoryAudit``."""
    who = one.initiated_by
    name: Document = {"displayName": who.display_name}
    user = {**name, "id": who.id, "userPrincipalName": None, "ipAddress": None}
    app = {**name, "appId": who.id, "servicePrincipalId": None, "servicePrincipalName": None}
    person = who.kind == "user"
    return {
        "id": one.id,
        "category": one.activity.category,
        "correlationId": one.correlation_id,
        "result": one.result,
        "resultReason": one.reason,
        "activityDisplayName": one.activity.name,
        "activityDateTime": iso(one.at),
        "loggedByService": one.activity.service,
        "operationType": one.activity.operation,
        "initiatedBy": {"user": user if person else None, "app": None if person else app},
        "targetResources": [_target(target) for target in one.targets],
        "additionalDetails": [{"key": key, "value": value} for key, value in one.details.items()],
    }


def _target(one: Target) -> Document:
    return {
        "id": one.id,
        "displayName": one.display_name,
        "type": one.type,
        "userPrincipalName": one.display_name if one.type == "User" else None,
        "groupType": None,
        "modifiedProperties": [
            {
                "displayName": changed.display_name,
                "oldValue": _text(changed.old_value),
                "newValue": _text(changed.new_value),
            }
            for changed in one.modified_properties
        ],
    }


def _text(value: Any) -> str | None:
    """Graph's are texts: JSON of whatever it was."""
    return None if value is None else msgspec.json.encode(value).decode()


def _realm(request: Request) -> Realm:
    return Realm("tenant", request.tenant_id)
