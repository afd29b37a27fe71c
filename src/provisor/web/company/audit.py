"""Company portal: who changed what of the company's configuration, and the messages that were sent about it."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.events.audit.model import Entry
from provisor.events.audit.store import AuditFilter
from provisor.security.actor import Realm
from provisor.signin.model import Session
from provisor.web.company.navigation import AUDIT, MESSAGES
from provisor.web.company.pages import Pages
from provisor.web.html.guard import text_of
from provisor.web.html.lists import Page as ListPage
from provisor.web.html.lists import address
from provisor.web.html.templating import render

_PAGE = 50
_CATEGORIES = (
    ("", "All"),
    ("CredentialManagement", "Keys and clients"),
    ("RoleManagement", "Administrators"),
    ("SchemaManagement", "Schemas"),
    ("WebhookManagement", "Webhooks"),
    ("CompanyManagement", "The company"),
)
_MESSAGE_STATES = {
    "waiting": ("Waiting", "blue"),
    "sent": ("Sent", "green"),
    "folder": ("Kept as a file: no mail server is set", "yellow"),
    "given up": ("Given up", "red"),
}


def routes(pages: Pages) -> list[Route]:
    """The audit log, one entry, and messages."""
    here = pages.services

    async def show_list(request: Request, session: Session) -> Response:
        category, after = text_of(request, "category"), text_of(request, "after", 60)
        wanted = AuditFilter(category=category or None)
        found = await here.audit.page(session.actor, _realm(session), wanted, after=after or None, limit=_PAGE)
        page = ListPage(
            found.entries,
            previous=address(request, after="") if after else None,
            next=address(request, after=found.next) if found.next else None,
        )
        return render(
            request,
            "company/audit.html",
            page=page,
            category=category,
            categories=_CATEGORIES,
            who=await _names(session),
        )

    async def show(request: Request, session: Session) -> Response:
        entry = await here.audit.entry(session.actor, _realm(session), request.path_params["id"])
        return render(
            request, "company/audit_entry.html", entry=entry, changes=_changes(entry), who=await _names(session)
        )

    async def show_messages(request: Request, session: Session) -> Response:
        after = text_of(request, "after", 60)
        found = await here.mail.page(session.actor, _realm(session), after=after or None, limit=_PAGE)
        page = ListPage(
            found.messages,
            previous=address(request, after="") if after else None,
            next=address(request, after=found.next) if found.next else None,
        )
        return render(request, "company/messages.html", page=page, states=_MESSAGE_STATES)

    async def _names(session: Session) -> dict[str, str]:
        """Whom the log knows by an id only."""
        people = await here.companies.administrators(session.actor, session.realm_id)
        return {person.id: person.email for person in people}

    return [
        pages.get(AUDIT, show_list),
        pages.get(f"{AUDIT}/{{id}}", show),
        pages.get(MESSAGES, show_messages),
    ]


def _realm(session: Session) -> Realm:
    return Realm("company", session.realm_id)


def _changes(entry: Entry) -> list[tuple[str, str, str]]:
    """Every property that differs: its name, what it was, what it is."""
    return [
        (change.display_name, _said(change.old_value), _said(change.new_value))
        for target in entry.targets
        for change in target.modified_properties
    ]


def _said(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
