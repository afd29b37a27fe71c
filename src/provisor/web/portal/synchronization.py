"""The admin centre, synchronization of an app: where it stands, the running cycle live, and the cycles before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App
from provisor.provisioning.model import Cycle, JobState
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.guard import form_of
from provisor.web.html.live import events
from provisor.web.html.templating import environment
from provisor.web.portal.apps import APP, app_path, found_app
from provisor.web.portal.centre import Centre, confirm, done, nothing, show
from provisor.web.portal.states import WORDS

PROVISIONING = f"{APP}/provisioning"
# Outcome -> what a person reads; the order of the balance.
COUNTS = (
    ("created", "Created", "green"),
    ("updated", "Updated", "blue"),
    ("disabled", "Disabled", "yellow"),
    ("deleted", "Deleted", "red"),
    ("unchanged", "Unchanged", "secondary"),
    ("skipped", "Skipped", "secondary"),
    ("waiting", "Waiting", "yellow"),
    ("failed", "Failed", "red"),
)
PHASES = {
    "import": "Reading the directory",
    "users": "Users",
    "groups": "Groups",
    "references": "Managers",
    "members": "Members",
}
_CYCLES = 20
# How often the running cycle is looked at.
_EVERY = 1.0
_RESTARTS = (
    ("", "Look at everybody anew", "The portal's Restart: escrows and quarantine are lifted; links stay."),
    ("Escrows", "Try again what failed", "Only what failed is tried at once, instead of at its time."),
    ("QuarantineState", "Lift the quarantine", "The next cycle runs at once, and goes on from where it stood."),
    ("Full", "Forget all links", "Everybody is matched anew in the app, as if the job were new."),
)


@dataclass(frozen=True, slots=True)
class Running:
    """The running cycle so far. ``rate`` in objects a second, ``eta`` in seconds; null before they are known.

    ``pacing``: what the target takes, as ``Provisioning.progress`` tells it.
    """

    cycle: Cycle
    phase: str
    considered: int
    waiting: int
    rate: float | None
    eta: int | None
    counts: Mapping[str, Any]
    pacing: Mapping[str, Any]

    @property
    def percent(self) -> int:
        """How much of what is known so far is done."""
        total = self.considered + self.waiting
        return 100 * self.considered // total if total else 0


class SynchronizationPages:
    """An app's provisioning at work."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page(PROVISIONING, self.page),
            page(f"{PROVISIONING}/live", self.live),
            page(f"{PROVISIONING}/cycles/{{cycle}}", self.cycle),
            action(f"{PROVISIONING}/status", self.set_status),
            page(f"{PROVISIONING}/restart", self.ask_restart),
            action(f"{PROVISIONING}/restart", self.restart),
        ]

    async def page(self, request: Request, session: Session) -> Response:
        app, state = await self._found(request, session)
        provisioning = self._centre.app.provisioning
        cycles = await provisioning.cycles(session.actor, app.job_id, _CYCLES)
        status = await provisioning.status(session.actor, app.job_id)
        guards = await self._centre.app.guards.overview(session.actor, app.job_id)
        running = await self._running(session, app, state)
        return show(
            request,
            "synchronization.html",
            app=app,
            job=app.job,
            state=state,
            words=WORDS[state.code],
            linked=status["status"]["synchronizedEntryCountByType"],
            cycles=cycles,
            running=running,
            due=self._is_due(state),
            phases=PHASES,
            counts=COUNTS,
            guards=guards,
            held=sum(guards.held.values()),
            undecided=status["status"]["undecided"],
        )

    async def live(self, request: Request, session: Session) -> Response:
        """The running cycle, again and again, until it has ended."""
        app, _ = await self._found(request, session)
        return events(self._pieces(session, app), self._centre.closing)

    async def _pieces(self, session: Session, app: App) -> AsyncIterator[str]:
        template = environment().get_template("portal/running.html")
        seen = False
        while True:
            state = await self._centre.app.provisioning.state(session.actor, app.job_id)
            running = await self._running(session, app, state)
            if running is None and (seen or not self._is_due(state)):
                return
            seen = running is not None
            yield template.render(
                app=app, base=app_path(app), running=running, phases=PHASES, counts=COUNTS, csrf="", session=session
            )
            await asyncio.sleep(_EVERY)

    def _is_due(self, state: JobState) -> bool:
        """Whether a cycle is to begin as soon as a worker is free."""
        due = state.next_run_at is not None and state.next_run_at <= self._centre.app.clock.now_ms()
        return due and state.code in ("NotRun", "Active")

    async def cycle(self, request: Request, session: Session) -> Response:
        app, state = await self._found(request, session)
        found = await self._centre.app.provisioning.cycle(session.actor, app.job_id, request.path_params["cycle"])
        if found is None:
            raise nothing("cycle", "Cycles are kept for a while only.")
        return show(request, "cycle.html", app=app, cycle=found, state=state, counts=COUNTS, phases=PHASES)

    async def set_status(self, request: Request, session: Session) -> Response:
        app, _ = await self._found(request, session)
        provisioning = self._centre.app.provisioning
        status = form_of(request).choice("status", ("off", "on", "stop"))
        if status == "stop":
            await provisioning.stop(session.actor, app.job_id)
            said = "Stopped: no request leaves from now on. The cycle goes on from here when provisioning is on again."
            return done(request, f"{app_path(app)}/provisioning", said)
        if status == "on":
            await provisioning.start(session.actor, app.job_id)
            return done(request, f"{app_path(app)}/provisioning", "Provisioning is on.")
        await provisioning.pause(session.actor, app.job_id)
        said = "Provisioning is off. A cycle that runs goes on to its end; everything is kept for when it is on again."
        return done(request, f"{app_path(app)}/provisioning", said)

    async def ask_restart(self, request: Request, session: Session) -> Response:
        app, _ = await self._found(request, session)
        return show(request, "restart.html", app=app, choices=_RESTARTS)

    async def restart(self, request: Request, session: Session) -> Response:
        app, _ = await self._found(request, session)
        scope = form_of(request).choice("scope", [scope for scope, _, _ in _RESTARTS])
        if scope == "Full" and not form_of(request).ticked("sure"):
            return confirm(
                request,
                title="Forget all links?",
                text=[
                    "Everybody is looked for anew by the matching attributes, and linked to whom they find.",
                    "Accounts whose people are gone from the directory are not looked after any more.",
                ],
                action=f"{app_path(app)}/provisioning/restart",
                verb="Forget them",
                back=f"{app_path(app)}/provisioning",
                fields={"scope": "Full", "sure": "yes"},
            )
        await self._centre.app.provisioning.restart(session.actor, app.job_id, scope)
        return done(request, f"{app_path(app)}/provisioning", "Restarted.")

    async def _found(self, request: Request, session: Session) -> tuple[App, JobState]:
        session.actor.require(Right.SYNCHRONIZATION_READ, session.realm_id)
        app = await found_app(self._centre, request, session)
        return app, await self._centre.app.provisioning.state(session.actor, app.job.id)

    async def _running(self, session: Session, app: App, state: JobState) -> Running | None:
        if state.running_cycle_id is None:
            return None
        provisioning = self._centre.app.provisioning
        cycle = await provisioning.cycle(session.actor, app.job_id, state.running_cycle_id)
        progress = await provisioning.progress(session.actor, app.job_id)
        if cycle is None or not progress or cycle.state != "Running":
            return None
        return Running(
            cycle,
            phase=str(progress["phase"]),
            considered=int(progress["considered"]),
            waiting=int(progress["waiting"]),
            rate=progress["objectsPerSecond"] or None,
            eta=progress["etaSeconds"],
            counts=cycle.counts or {},
            pacing=progress["pacing"],
        )
