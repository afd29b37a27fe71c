"""The admin centre, scoping filters of an app: an editor that works without scripts, and who would pass."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App, Job
from provisor.applications.schema_editing import (
    ClauseEdit,
    FilterEdit,
    scope_filters,
    set_scope,
    source_attributes,
)
from provisor.applications.scoping import MEMBER_OF, operators
from provisor.errors import ProvisorError
from provisor.signin.model import Session
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.portal.apps import app_path, preview
from provisor.web.portal.centre import Centre, done, show
from provisor.web.portal.mappings import OBJECT, Kind, found_mapping, save_edit

_MOST_FILTERS, _MOST_CLAUSES = 20, 30
_FIELD = re.compile(r"f(\d{1,2})\.(?:name|c(\d{1,2})\.(?:attribute|operator|value))")
# How many objects one request looks at: it answers in well under a second.
_AT_ONCE = 2_000
# Computed by the job itself, or references: no clause can name them.
_NOT_OFFERED = ("IsSoftDeleted", "appRoleAssignments", "manager", "members")


class ScopePages:
    """The scoping filter editor."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page(f"{OBJECT}/scope", self.page),
            action(f"{OBJECT}/scope", self.change),
        ]

    async def page(self, request: Request, session: Session) -> Response:
        app, job, kind, _ = await found_mapping(self._centre, request, session)
        filters = scope_filters(job.schema.document, kind)
        return self._page(request, app, job, kind, filters, Form.filled(version=str(job.schema_version)))

    async def change(self, request: Request, session: Session) -> Response:
        """One address for what the editor's buttons do: add and remove rows, count who passes, save."""
        app, job, kind, _ = await found_mapping(self._centre, request, session)
        form = form_of(request)
        filters = read_filters(form)
        do, _, at = form.raw("do").partition(":")
        if do in ("add-filter", "add-clause", "remove-filter", "remove-clause"):
            return self._page(request, app, job, kind, rearranged(filters, do, at), form)
        if do == "count":
            return await self._count(request, session, app, job, kind, filters, form)
        wanted = [one for one in filters if one.clauses]
        saved = await save_edit(self._centre, session, job, form, partial(set_scope, kind=kind, filters=wanted))
        if saved is None:
            return self._page(request, app, job, kind, filters, form, status=422)
        next_ = f"{app_path(app)}/provisioning/mappings/{kind}"
        if saved.schema.document == job.schema.document:
            return done(request, next_, "Nothing was different.")
        said = f"The scoping filter was saved as version {saved.schema_version}. It holds from the next cycle on."
        return done(request, next_, said, preview(app))

    async def _count(
        self, request: Request, session: Session, app: App, job: Job, kind: Kind, filters: list[FilterEdit], form: Form
    ) -> Response:
        before = [form.number(name, 0, 10**9) or 0 for name in ("looked_at", "passed", "in_scope")]
        wanted = [one for one in filters if one.clauses]
        try:
            found = await self._centre.app.tryout.scope(
                session.actor, job, kind, wanted, form.text("after") or None, _AT_ONCE
            )
        except ProvisorError as error:
            form.fail("", str(error))
            return self._page(request, app, job, kind, filters, form, status=422)
        counted = {
            "looked_at": before[0] + found.looked_at,
            "passed": before[1] + found.passed,
            "in_scope": before[2] + found.in_scope,
            "after": found.after,
            "passing": found.passing,
            "failing": [(one, [reason.explanation for reason in one.verdict.reasons]) for one in found.failing],
        }
        return self._page(request, app, job, kind, filters, form, counted=counted)

    def _page(
        self,
        request: Request,
        app: App,
        job: Job,
        kind: Kind,
        filters: list[FilterEdit],
        form: Form,
        *,
        status: int = 200,
        counted: dict[str, Any] | None = None,
    ) -> Response:
        sources = source_attributes(job.schema.document, kind)
        names = [one["name"] for one in sources if one["name"] not in _NOT_OFFERED]
        unary = [operator.name for operator in operators() if operator.arity == "Unary"]
        return show(
            request,
            "scope.html",
            status=status,
            app=app,
            job=job,
            kind=kind,
            noun="users" if kind == "User" else "groups",
            filters=filters,
            form=form,
            attributes=[*names, MEMBER_OF],
            operators=[operator.name for operator in operators()],
            unary=unary,
            counted=counted,
            most_filters=_MOST_FILTERS,
        )


def read_filters(form: Form) -> list[FilterEdit]:
    """The filters that the editor's fields say, in their order."""
    places: dict[int, set[int]] = {}
    for name in form.values:
        if found := _FIELD.fullmatch(name):
            known = places.setdefault(int(found[1]), set())
            if found[2] is not None:
                known.add(int(found[2]))
    filters = []
    for number in sorted(places)[:_MOST_FILTERS]:
        clauses = []
        for at in sorted(places[number])[:_MOST_CLAUSES]:
            field = f"f{number}.c{at}"
            attribute = form.raw(f"{field}.attribute")[:300]
            clauses.append(
                ClauseEdit(attribute, form.raw(f"{field}.operator")[:100], form.raw(f"{field}.value")[:2000])
            )
        filters.append(FilterEdit(form.raw(f"f{number}.name").strip()[:200], tuple(clauses)))
    return filters


def rearranged(filters: list[FilterEdit], do: str, at: str) -> list[FilterEdit]:
    """The filters with a row more or less. ``at``: ``filter`` or ``filter.clause``, by position; what is not there
    changes nothing."""
    number, _, clause = at.partition(".")
    here = int(number) if number.isdigit() else -1
    changed = list(filters)
    if do == "add-filter":
        changed.append(FilterEdit(f"Filter {len(filters) + 1}", (ClauseEdit("", "EQUALS"),)))
    elif not 0 <= here < len(filters):
        return changed
    elif do == "remove-filter":
        del changed[here]
    else:
        clauses = list(filters[here].clauses)
        if do == "add-clause":
            clauses.append(ClauseEdit("", "EQUALS"))
        elif clause.isdigit() and int(clause) < len(clauses):
            del clauses[int(clause)]
        changed[here] = FilterEdit(filters[here].name, tuple(clauses))
    return changed[:_MOST_FILTERS]
