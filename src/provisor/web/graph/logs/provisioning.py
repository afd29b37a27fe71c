"""Graph face, ``/auditLogs/provisioning``: what was done to which object, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from provisor.odata.errors import Unsupported
from provisor.odata.evaluate import matches
from provisor.odata.options import Options
from provisor.odata.tree import Path
from provisor.provisioning.log.model import Entry, LogFilter
from provisor.web.graph.answers import Document, document, entity, selected
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, bound, context, next_link
from provisor.web.graph.logs.narrowing import narrowed
from provisor.web.graph.logs.types import PROVISIONING, is_exact
from provisor.web.graph.routing import SELECT, Operation

if TYPE_CHECKING:
    from provisor.app.services import AppServices

_NAME = "auditLogs/provisioning"
_LIST = frozenset(("$filter", "$select", "$orderby", "$top", "$skiptoken"))
_PAGE, _MOST = 100, 1_000
_TEXTS: dict[Path, str] = {
    ("jobId",): "job_id",
    ("cycleId",): "cycle_id",
    ("changeId",): "change_id",
    ("provisioningAction",): "action",
    ("action",): "action",
    ("provisioningStatusInfo", "status"): "status",
    ("statusInfo", "status"): "status",
    ("provisioningStatusInfo", "errorInformation", "errorCode"): "error_code",
    ("sourceIdentity", "id"): "source_id",
    ("targetIdentity", "id"): "target_id",
}
_ACTIONS = frozenset(("create", "update", "delete", "disable", "stagedDelete", "other"))
_RESULTS = frozenset(("success", "failure", "skipped", "warning"))
_WORDS = {
    ("provisioningAction",): _ACTIONS,
    ("action",): _ACTIONS,
    ("provisioningStatusInfo", "status"): _RESULTS,
    ("statusInfo", "status"): _RESULTS,
}


class _Place(msgspec.Struct, array_like=True):
    """``after``: the log's own position; ``skip``: how many of the entries after it were given already."""

    after: str | None
    skip: int


class ProvisioningEntries:
    """The handlers; each calls one service function."""

    def __init__(self, apps: AppServices, tokens: Tokens) -> None:
        self._apps = apps
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        """The list, and one entry."""
        row, kind = "auditLogs.provisioning.read", PROVISIONING.name
        return [
            Operation("GET", f"/{_NAME}", self.all, row, _LIST, summary="The provisioning log.", kind=kind),
            Operation("GET", f"/{_NAME}/{{entry}}", self.read, row, SELECT, kind=kind),
        ]

    async def all(self, request: Request) -> Answer:
        """A page, newest first."""
        options = request.options(PROVISIONING, most=_MOST)
        _check_order(options)
        wanted = LogFilter(**narrowed(options.filter, _TEXTS, ("activityDateTime",), _WORDS))  # type: ignore[arg-type]
        place = _Place(None, 0)
        if options.skip_token is not None:
            place = self._tokens.open(options.skip_token, _Place, bound(request))
        found, following = await self._page(request, wanted, options, place)
        body: Document = {"@odata.context": context(request, _NAME, options.select)}
        if following is not None:
            body["@odata.nextLink"] = next_link(request, self._tokens.seal(following, bound(request)))
        body["value"] = [selected(one, options, PROVISIONING) for one in found]
        return document(body)

    async def read(self, request: Request) -> Answer:
        """One entry."""
        options = request.options(PROVISIONING)
        found = await self._apps.log.entry(request.actor, request.tenant_id, request.params["entry"])
        return entity(request, _NAME, selected(_with_older_names(found), options, PROVISIONING), options)

    async def _page(
        self, request: Request, wanted: LogFilter, options: Options, place: _Place
    ) -> tuple[list[Entry], _Place | None]:
        """As many entries as a page takes, and where the next one begins; null: there are no more.

        A page that finds little after reading much is short, and is followed by another.
        """
        size = options.top or _PAGE
        found: list[Entry] = []
        after, skip = place.after, place.skip
        for _ in range(_LOOKS):
            page = await self._apps.log.page(request.actor, request.tenant_id, wanted, after=after, limit=_MOST)
            for at, one in enumerate(map(_with_older_names, page.entries)):
                if at < skip or (options.filter is not None and not matches(options.filter, one, is_exact)):
                    continue
                if len(found) == size:
                    return found, _Place(after, at)
                found.append(one)
            after, skip = page.next, 0
            if after is None:
                return found, None
            if len(found) == size:
                break
        return found, _Place(after, 0)


# How many pages of the log are read for one answer.
_LOOKS = 10


def _with_older_names(entry: Entry) -> Document:
    return {**entry, "action": entry["provisioningAction"], "statusInfo": entry["provisioningStatusInfo"]}


def _check_order(options: Options) -> None:
    """Newest first is the one order that there is."""
    for order in options.orderby:
        if order.path != ("activityDateTime",) or not order.descending:
            raise Unsupported("The log can be ordered by 'activityDateTime desc' only.")
