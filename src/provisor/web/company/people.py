"""Company portal: users and groups as they were provisioned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.scim.schemas import ENTERPRISE_USER_URN
from provisor.signin.model import Session
from provisor.web.company.pages import Pages
from provisor.web.html.guard import text_of
from provisor.web.html.lists import Page as ListPage
from provisor.web.html.lists import address
from provisor.web.html.templating import render

_HIDDEN = frozenset(("schemas", "id", "displayName", "userName", "active", "members", "groups"))


def routes(pages: Pages) -> list[Route]:
    """Two lists, and one of each."""
    here = pages.services

    async def users(request: Request, session: Session) -> Response:
        return await _list(request, session, "User", "company/users.html")

    async def groups(request: Request, session: Session) -> Response:
        return await _list(request, session, "Group", "company/groups.html")

    async def _list(request: Request, session: Session, kind: str, template: str) -> Response:
        text, after = text_of(request, "q"), text_of(request, "after", 700)
        found = await here.browsing.lines(session.actor, session.realm_id, kind, text, after)
        totals = {}
        if kind == "Group":
            ids = [line.id for line in found.lines]
            totals = await here.browsing.member_totals(session.actor, session.realm_id, ids)
        page = ListPage(
            found.lines,
            total=found.total,
            previous=address(request, after="") if after else None,
            next=address(request, after=found.after) if found.after else None,
        )
        return render(request, template, page=page, q=text, capped=found.capped, totals=totals)

    async def user(request: Request, session: Session) -> Response:
        line = await here.browsing.line(session.actor, session.realm_id, "User", request.path_params["id"])
        manager_id = _manager(line.document)
        names = await here.browsing.names(session.actor, session.realm_id, [manager_id]) if manager_id else {}
        return render(
            request,
            "company/user.html",
            user=line,
            facts=list(_facts(line.document)),
            manager=(manager_id, names.get(manager_id)) if manager_id else None,
            groups=await here.browsing.groups_of(session.actor, session.realm_id, line.id),
            entries=await here.requests.about(session.actor, session.realm_id, line.id),
            document=_pretty(line.document),
        )

    async def group(request: Request, session: Session) -> Response:
        line = await here.browsing.line(session.actor, session.realm_id, "Group", request.path_params["id"])
        after = text_of(request, "after")
        found = await here.browsing.members(session.actor, session.realm_id, line.id, after)
        page = ListPage(
            found.members,
            total=found.total,
            previous=address(request, after="") if after else None,
            next=address(request, after=found.after) if found.after else None,
        )
        return render(
            request,
            "company/group.html",
            group=line,
            members=page,
            groups=await here.browsing.groups_of(session.actor, session.realm_id, line.id),
            entries=await here.requests.about(session.actor, session.realm_id, line.id),
            document=_pretty(line.document),
        )

    return [
        pages.get("/company/users", users),
        pages.get("/company/users/{id}", user),
        pages.get("/company/groups", groups),
        pages.get("/company/groups/{id}", group),
    ]


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a document says, as names and values for people; the whole of it stands below."""
    for name, value in document.items():
        if name in _HIDDEN:
            continue
        if name.startswith("urn:") and isinstance(value, Mapping):
            for inner, one in value.items():
                if not (name == ENTERPRISE_USER_URN and inner == "manager"):
                    yield inner, _said(one)
        else:
            yield name, _said(value)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        if "formatted" in value:
            return str(value["formatted"])
        return ", ".join(_said(one) for key, one in value.items() if key not in ("type", "primary", "$ref"))
    if isinstance(value, list):
        return "; ".join(_with_type(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _with_type(element: Any) -> str:
    said = _said(element)
    kind = element.get("type") if isinstance(element, Mapping) else None
    return f"{said} ({kind})" if kind else said


def _manager(document: Mapping[str, Any]) -> str | None:
    manager = document.get(ENTERPRISE_USER_URN, {}).get("manager")
    return manager.get("value") if isinstance(manager, Mapping) else None


def _pretty(document: Mapping[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
