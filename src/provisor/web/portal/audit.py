"""The admin centre, the audit log: who changed what, with what it was before."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.events.audit.store import AuditFilter
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.lists import filters_of, followed
from provisor.web.portal.attribute_form import as_text
from provisor.web.portal.centre import PAGE_SIZE, Centre, downloaded, show
from provisor.web.portal.logs import moment_of

_CATEGORIES = (
    "UserManagement",
    "GroupManagement",
    "ApplicationManagement",
    "ProvisioningManagement",
    "RoleManagement",
    "DirectoryManagement",
)
_FILTERS = dict.fromkeys(("category", "activity", "actor", "target", "result", "since", "until"), "")
# An export stops here: a directory's whole history goes out by the command.
_MOST = 100_000


class AuditPages:
    """The audit log of the session's tenant."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page = self._centre.page
        return [
            page("/portal/audit", self.index),
            page("/portal/audit/export", self.export),
            page("/portal/audit/{entry}", self.entry),
        ]

    async def index(self, request: Request, session: Session) -> Response:
        filters = filters_of(request, _FILTERS)
        found = await self._centre.app.audit.page(
            session.actor,
            session.actor.realm,
            _wanted(filters),
            after=request.query_params.get("after") or None,
            limit=PAGE_SIZE,
        )
        return show(
            request,
            "audit.html",
            filters=filters,
            page=followed(request, found.entries, found.next),
            categories=[("", "All"), *((one, one) for one in _CATEGORIES)],
        )

    async def entry(self, request: Request, session: Session) -> Response:
        entry = await self._centre.app.audit.entry(session.actor, session.actor.realm, request.path_params["entry"])
        rows = [
            (
                target,
                [
                    (one.display_name, as_text(one.old_value), as_text(one.new_value))
                    for one in target.modified_properties
                ],
            )
            for target in entry.targets
        ]
        return show(request, "audit_entry.html", entry=entry, rows=rows)

    async def export(self, request: Request, session: Session) -> Response:
        session.actor.require(Right.AUDIT_READ, session.realm_id)
        wanted = _wanted(filters_of(request, _FILTERS))
        return downloaded(self._lines(session, wanted), "audit.jsonl", "application/jsonl")

    async def _lines(self, session: Session, wanted: AuditFilter) -> Any:
        encode = msgspec.json.Encoder().encode
        after: str | None = None
        for _ in range(_MOST // 1000):
            page = await self._centre.app.audit.page(
                session.actor, session.actor.realm, wanted, after=after, limit=1000
            )
            yield b"".join(encode(entry) + b"\n" for entry in page.entries)
            after = page.next
            if after is None:
                return


def _wanted(filters: dict[str, str]) -> AuditFilter:
    """What the address asks for. Raises ``InvalidInput`` for a moment that is none."""
    return AuditFilter(
        activity=filters["activity"] or None,
        category=filters["category"] or None,
        actor=filters["actor"] or None,
        target_id=filters["target"] or None,
        result=filters["result"] or None,
        since=moment_of(filters["since"]),
        until=moment_of(filters["until"]),
    )
