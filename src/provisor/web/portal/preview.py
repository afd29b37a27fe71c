"""The admin centre, preview: what the next cycle would do, to be looked at, approved and applied exactly so."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.lists import filters_of, followed
from provisor.web.portal.apps import APP, app_path, found_app
from provisor.web.portal.attribute_form import as_text
from provisor.web.portal.centre import PAGE_SIZE, Centre, confirm, done, show

_PREVIEW = f"{APP}/provisioning/preview"
_PLAN = f"{_PREVIEW}/{{plan}}"
ACTIONS = (
    ("create", "Created", "green"),
    ("link", "Linked to an account that is there", "green"),
    ("update", "Updated", "blue"),
    ("disable", "Disabled", "yellow"),
    ("delete", "Deleted", "red"),
    ("ambiguous", "To be decided", "yellow"),
    ("fail", "Would fail", "red"),
    ("skip", "Left out", "secondary"),
)
_STATES = {
    "Planning": ("Being made", "blue"),
    "Ready": ("Ready to be looked at", "blue"),
    "Approved": ("Approved", "green"),
    "Applying": ("Being applied", "blue"),
    "Applied": ("Applied", "green"),
    "Refused": ("Does not hold any more", "yellow"),
    "Failed": ("Could not be made", "red"),
}


class PreviewPages:
    """``…/provisioning/preview``: plans of an app's job."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page(_PREVIEW, self.index),
            action(_PREVIEW, self.make),
            page(_PLAN, self.one),
            page(f"{_PLAN}/members/{{group}}", self.members),
            action(f"{_PLAN}/approve", self.approve),
            page(f"{_PLAN}/apply", self.ask_apply),
            action(f"{_PLAN}/apply", self.apply),
        ]

    async def index(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        plans = await self._centre.app.plans.plans(session.actor, app.job_id)
        return show(request, "previews.html", app=app, plans=plans, states=_STATES)

    async def make(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        plan = await self._centre.app.plans.make(session.actor, app.job_id)
        return done(request, f"{app_path(app)}/provisioning/preview/{plan.id}", "")

    async def one(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        plans = self._centre.app.plans
        plan = await plans.plan(session.actor, app.job_id, request.path_params["plan"])
        filters = filters_of(request, {"action": "", "left_out": ""})
        wanted = filters["action"] if filters["action"] in {action for action, _, _ in ACTIONS} else None
        rows = await plans.entries(
            session.actor,
            app.job_id,
            plan.id,
            after=request.query_params.get("after", "")[:100],
            limit=PAGE_SIZE + 1,
            action=wanted,
            left_out_only=bool(filters["left_out"]),
        )
        shown = rows[:PAGE_SIZE]
        page = followed(request, shown, shown[-1].source_id if len(rows) > PAGE_SIZE else None)
        changes = {
            one.source_id: [(change.path, as_text(change.old), as_text(change.new)) for change in one.changes]
            for one in shown
        }
        return show(
            request,
            "preview.html",
            app=app,
            plan=plan,
            state=_STATES[plan.state],
            page=page,
            changes=changes,
            filters=filters,
            actions=ACTIONS,
            words={action: (word, colour) for action, word, colour in ACTIONS},
        )

    async def members(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        plan_id, group_id = request.path_params["plan"], request.path_params["group"]
        after = request.query_params.get("after", "")[:100]
        rows = await self._centre.app.plans.members(session.actor, app.job_id, plan_id, group_id, after, PAGE_SIZE + 1)
        shown = rows[:PAGE_SIZE]
        page = followed(request, shown, shown[-1].member_id if len(rows) > PAGE_SIZE else None)
        return show(request, "preview_members.html", app=app, plan_id=plan_id, page=page)

    async def approve(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        plan = await self._centre.app.plans.approve(session.actor, app.job_id, request.path_params["plan"])
        return done(request, f"{app_path(app)}/provisioning/preview/{plan.id}", "Approved. Nothing was done yet.")

    async def ask_apply(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        plan = await self._centre.app.plans.plan(session.actor, app.job_id, request.path_params["plan"])
        link = f"{app_path(app)}/provisioning/preview/{plan.id}"
        return confirm(
            request,
            title="Apply this plan?",
            text=[
                "Exactly what it says is done in the app, and nothing else.",
                "What has changed in the directory or in the app since it was made is left out, and named.",
            ],
            action=f"{link}/apply",
            verb="Apply",
            back=link,
            danger=False,
        )

    async def apply(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        plan = await self._centre.app.plans.apply(session.actor, app.job_id, request.path_params["plan"])
        return done(request, f"{app_path(app)}/provisioning/preview/{plan.id}", "The plan was applied.")

    async def _found(self, request: Request, session: Session) -> App:
        session.actor.require(Right.SYNCHRONIZATION_READ, session.realm_id)
        return await found_app(self._centre, request, session)
