"""The admin centre, provisioning logs: filters that stay in the address, one entry as a whole, and files of it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App
from provisor.clock import parse_iso
from provisor.errors import InvalidInput
from provisor.provisioning.log.export import Export
from provisor.provisioning.log.model import LogFilter
from provisor.provisioning.model import Action
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.lists import Page, address, filters_of, followed
from provisor.web.portal.apps import APP, found_app
from provisor.web.portal.centre import PAGE_SIZE, Centre, downloaded, show

STATUSES = (
    ("success", "Success", "green"),
    ("failure", "Failure", "red"),
    ("skipped", "Skipped", "secondary"),
    ("warning", "Waiting", "yellow"),
)
ACTIONS = (
    ("create", "Create"),
    ("update", "Update"),
    ("disable", "Disable"),
    ("delete", "Delete"),
    ("stagedDelete", "Staged delete"),
    ("other", "Other"),
)
_FILTERS = dict.fromkeys(
    ("q", "app", "status", "action", "type", "code", "cycle", "change", "source", "since", "until"), ""
)
_TABS = (
    ("steps", "Steps"),
    ("troubleshooting", "Troubleshooting"),
    ("properties", "Modified properties"),
    ("summary", "Summary"),
    ("wire", "On the wire"),
)


class LogPages:
    """The provisioning log of the session's tenant, of all apps or of one."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page = self._centre.page
        return [
            page("/portal/logs", self.index),
            page("/portal/logs/export", self.export),
            page("/portal/logs/{entry}", self.entry),
            page(f"{APP}/logs", self.of_app),
            page(f"{APP}/logs/cycles/{{cycle}}", self.of_cycle),
        ]

    async def index(self, request: Request, session: Session) -> Response:
        session.actor.require(Right.PROVISIONING_LOG_READ, session.realm_id)
        return await self._index(request, session, None)

    async def of_app(self, request: Request, session: Session) -> Response:
        session.actor.require(Right.PROVISIONING_LOG_READ, session.realm_id)
        return await self._index(request, session, await found_app(self._centre, request, session))

    async def _index(self, request: Request, session: Session, app: App | None) -> Response:
        filters = filters_of(request, _FILTERS)
        wanted = _wanted(filters, app)
        after = request.query_params.get("after") or None
        page = await self._centre.app.log.page(session.actor, session.realm_id, wanted, after=after, limit=PAGE_SIZE)
        apps = await self._apps(session)
        return show(
            request,
            "app_logs.html" if app is not None else "logs.html",
            app=app,
            filters=filters,
            page=followed(request, page.entries, page.next),
            apps=[("", "All applications"), *apps],
            statuses=STATUSES,
            actions=ACTIONS,
            export=address(request, after="").partition("?")[2],
            only_app="" if app is None else app.job_id,
        )

    async def of_cycle(self, request: Request, session: Session) -> Response:
        """The objects that one count of a cycle is made of."""
        app = await found_app(self._centre, request, session)
        filters = filters_of(request, {"outcome": "", "reason": "", "type": ""})
        after = request.query_params.get("after", "")[:100]
        cycle_id = request.path_params["cycle"]
        rows = await self._centre.app.outcomes.page(
            session.actor,
            app.job_id,
            cycle_id,
            action=filters["outcome"] or None,
            reason=filters["reason"] or None,
            kind=filters["type"] or None,
            after=after,
            limit=PAGE_SIZE + 1,
        )
        shown = rows[:PAGE_SIZE]
        next_ = shown[-1].source_id if len(rows) > PAGE_SIZE else None
        page: Page[Any] = followed(request, shown, next_)
        return show(
            request,
            "outcomes.html",
            app=app,
            cycle_id=cycle_id,
            filters=filters,
            page=page,
            outcomes=[("", "All"), *((one.value, one.value.capitalize()) for one in Action)],
        )

    async def entry(self, request: Request, session: Session) -> Response:
        entry = await self._centre.app.log.entry(session.actor, session.realm_id, request.path_params["entry"])
        tab = request.query_params.get("tab", "steps")
        return show(
            request,
            "log_entry.html",
            entry=entry,
            tab=tab if tab in dict(_TABS) else "steps",
            tabs=_TABS,
            statuses={status: (word, colour) for status, word, colour in STATUSES},
            summary=_summary(entry),
            raw=msgspec.json.format(msgspec.json.encode(entry), indent=2).decode(),
        )

    async def export(self, request: Request, session: Session) -> Response:
        session.actor.require(Right.PROVISIONING_LOG_READ, session.realm_id)
        filters = filters_of(request, _FILTERS)
        wanted = _wanted(filters, None)
        if request.query_params.get("format") == "csv":
            return downloaded(self._zipped(session, wanted), "provisioning_logs.zip", "application/zip")
        return downloaded(self._lines(session, wanted), "provisioning_logs.jsonl", "application/jsonl")

    async def _lines(self, session: Session, wanted: LogFilter) -> AsyncIterator[bytes]:
        encode = msgspec.json.Encoder().encode
        async for entries in self._centre.app.log.pages(session.actor, session.realm_id, wanted):
            yield b"".join(encode(entry) + b"\n" for entry in entries)

    async def _zipped(self, session: Session, wanted: LogFilter) -> AsyncIterator[bytes]:
        """Three CSV files in one: written to a folder of their own first, however large they become."""
        with tempfile.TemporaryDirectory() as folder:
            export = Export(Path(folder) / "csv", "csv")
            try:
                async for entries in self._centre.app.log.pages(session.actor, session.realm_id, wanted):
                    await asyncio.to_thread(export.write, entries)
            finally:
                export.close()
            archive = Path(folder) / "all.zip"
            await asyncio.to_thread(_zip, archive, export.files)
            with archive.open("rb") as file:
                while piece := await asyncio.to_thread(file.read, 256 * 1024):
                    yield piece

    async def _apps(self, session: Session) -> list[tuple[str, str]]:
        if Right.APPLICATIONS_READ not in session.actor.rights:
            return []
        found = await self._centre.app.applications.apps(session.actor, session.realm_id)
        return [(one.job_id, one.service_principal.display_name) for one in found]


def _wanted(filters: Mapping[str, str], app: App | None) -> LogFilter:
    """What the address asks for. Raises ``InvalidInput`` for a moment that is none."""
    return LogFilter(
        job_id=app.job_id if app is not None else filters["app"] or None,
        cycle_id=filters["cycle"] or None,
        change_id=filters["change"] or None,
        status=filters["status"] or None,
        action=filters["action"] or None,
        error_code=filters["code"] or None,
        object_type=filters["type"] or None,
        source_id=filters["source"] or None,
        source_name=filters["q"] or None,
        since=moment_of(filters["since"]),
        until=moment_of(filters["until"]),
    )


def moment_of(text: str) -> int | None:
    """From what a browser's date and time field says, UTC."""
    if not text:
        return None
    try:
        return parse_iso(datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat())
    except ValueError as error:
        raise InvalidInput(f"{text[:50]!r} is no date.", hint="Give it as 2026-01-31T08:00, in UTC.") from error


def _summary(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    source, target = entry["sourceIdentity"], entry["targetIdentity"]
    rows = [
        ("Application", entry["servicePrincipal"]["displayName"]),
        ("Action", entry["provisioningAction"]),
        ("Source", source["displayName"]),
        ("Source id", source["id"]),
        ("Source type", source["identityType"]),
        ("Target id", target["id"]),
        ("Target type", target["identityType"]),
        ("Took", f"{entry['durationInMilliseconds']} ms"),
        ("Change id", entry["changeId"]),
        ("Cycle id", entry["cycleId"]),
        ("Entry id", entry["id"]),
    ]
    return [(label, text) for label, text in rows if text]


def _zip(archive: Path, files: list[Path]) -> None:
    with ZipFile(archive, "w", ZIP_DEFLATED) as made:
        for file in files:
            made.write(file, file.name)
