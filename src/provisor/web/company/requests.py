"""Company portal: the log of SCIM requests, and one request's whole story."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.clock import parse_iso
from provisor.errors import InvalidInput
from provisor.provider.requestlog.model import Entry, Wanted
from provisor.signin.model import Session
from provisor.web.company.pages import Pages
from provisor.web.html.guard import text_of
from provisor.web.html.lists import Page as ListPage
from provisor.web.html.lists import address, filters_of
from provisor.web.html.templating import render

_NAMES = {"q": "", "state": "", "method": "", "credential": "", "since": "", "until": ""}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes(pages: Pages) -> list[Route]:
    """The list with its filters, and one entry."""
    here = pages.services

    async def show_list(request: Request, session: Session) -> Response:
        filters = filters_of(request, _NAMES)
        before = text_of(request, "before", 40)
        problem, page = None, None
        try:
            wanted = _wanted(filters, before or None)
        except InvalidInput as error:
            problem = str(error)
        else:
            found = await here.requests.page(session.actor, session.realm_id, wanted)
            page = ListPage(
                found.entries,
                previous=address(request, before="") if before else None,
                next=address(request, before=found.before) if found.before else None,
            )
        keys = await here.companies.keys(session.actor, session.realm_id)
        clients = await here.clients.clients(session.actor, session.realm_id)
        return render(
            request,
            "company/requests.html",
            status=200 if problem is None else 422,
            page=page,
            names=await pages.names_in(session, page.rows) if page else {},
            filters=filters,
            filtered=any(filters.values()),
            problem=problem,
            methods=_METHODS,
            credentials=[(key.id, key.name) for key in keys] + [(client.id, client.name) for client in clients],
            days=here.requests.days,
        )

    async def show(request: Request, session: Session) -> Response:
        entry = await here.requests.entry(session.actor, session.realm_id, request.path_params["id"])
        names = await pages.names_in(session, [entry])
        return render(
            request,
            "company/request.html",
            entry=entry,
            request_body=_pretty(entry.request),
            answer_body=_pretty(entry.answer),
            verdict=verdict(entry),
            about=_about(entry, names),
        )

    return [pages.get("/company/requests", show_list), pages.get("/company/requests/{id}", show)]


def verdict(entry: Entry) -> tuple[str, str]:
    """What became of a request, in a sentence, and its colour."""
    status = entry.status
    if status == 429:
        return "Too many requests: the sender was told to slow down.", "yellow"
    if status >= 500:
        return "The server failed at it. The sender will try again.", "red"
    if status in (401, 403):
        return "Refused: the credential may not do this.", "red"
    if status == 409:
        return "Refused: something with this name is there already.", "yellow"
    if status == 404:
        return "There is no such thing.", "yellow"
    if status >= 400:
        return "Refused: the answer says why.", "red"
    if entry.ignored:
        return "Done, but not all that was sent is stored.", "yellow"
    return "Done.", "green"


def _wanted(filters: dict[str, str], before: str | None) -> Wanted:
    state = filters["state"]
    if state not in ("", "failed", "ignored") and not (state.isascii() and state.isdigit() and len(state) == 3):
        raise InvalidInput(f"There is no state {state!r}.", hint="Choose one of the list.")
    return Wanted(
        status=int(state) if state.isdigit() else None,
        failed=state == "failed",
        method=filters["method"] if filters["method"] in _METHODS else None,
        credential=filters["credential"] or None,
        path=filters["q"] or None,
        since=_moment(filters["since"]),
        until=_moment(filters["until"]),
        before=before,
        with_ignored=state == "ignored",
    )


def _moment(text: str) -> int | None:
    if not text:
        return None
    try:
        return parse_iso(text)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{text!r} is not a moment.", hint="Write it as 2027-12-31T12:00 (UTC).") from None


def _pretty(body: str | None) -> str | None:
    if body is None:
        return None
    try:
        return msgspec.json.format(body.encode(), indent=2).decode()
    except (msgspec.DecodeError, UnicodeError):
        return body


def _about(entry: Entry, names: dict[str, str]) -> tuple[str, str] | None:
    """The address and the name of what the request was about, while it is there."""
    found = names.get(entry.resource_id or "")
    if found is None or entry.resource_id is None:
        return None
    kind = "groups" if "/groups" in entry.path.lower() else "users"
    return f"/company/{kind}/{entry.resource_id}", found
