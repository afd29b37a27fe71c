"""The admin centre, what waits: accounts that could be several people's, to decide, and objects that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App
from provisor.directory.model import Group, User
from provisor.provisioning.decisions.model import Decision
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.guard import form_of
from provisor.web.portal.apps import APP, app_path, found_app
from provisor.web.portal.centre import Centre, done, show

_PENDING = f"{APP}/provisioning/pending"
_MOST = 200
_DONE = {
    "link": "Decided: it is linked to that account.",
    "create": "Decided: a new account is created.",
    "ignore": "Decided: it is left out until somebody decides otherwise.",
}
_CARRIED_OUT = " It is carried out at once while provisioning is on, and else when it is on again."
_LONGEST = 300

# What a person compares, in its order -> its name in the directory, and in what was kept of a candidate.
_COMPARED = (
    ("User name", "userPrincipalName", "userName"),
    ("Name", "displayName", "displayName"),
    ("Enabled", "accountEnabled", "active"),
    ("E-mail", "mail", "emails"),
    ("Title", "jobTitle", "title"),
    ("Department", "department", "department"),
    ("External id", "", "externalId"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """One account that somebody could have. ``facts``: label, text, and whether the candidates differ in it."""

    id: str
    name: str
    facts: list[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be decided, or was, about one object. ``source``: what the directory says; empty of who is gone."""

    decision: Decision
    source: list[tuple[str, str]]
    accounts: list[Account]

    @property
    def chosen(self) -> str:
        """The name of the account that was chosen, or nothing."""
        return next((one.name for one in self.accounts if one.id == self.decision.target_id), "")


class PendingPages:
    """``…/provisioning/pending``."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        return [self._centre.page(_PENDING, self.page), self._centre.action(_PENDING, self.decide)]

    async def page(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        services, actor, tenant = self._centre.app, session.actor, session.realm_id
        decisions = await services.decisions.pending(actor, app.job_id, decided=True, limit=_MOST)
        escrows = await services.provisioning.escrows(actor, app.job_id, _MOST)
        ids = [*(one.source_id for one in escrows), *(one.source_id for one in decisions)]
        users = await services.directory.users_by_id(actor, tenant, ids)
        groups = await services.directory.groups_by_id(actor, tenant, ids)
        names = {id_: user.user_principal_name for id_, user in users.items()}
        names |= {id_: group.display_name for id_, group in groups.items()}
        questions = [_question(one, users.get(one.source_id) or groups.get(one.source_id)) for one in decisions]
        return show(
            request,
            "pending.html",
            app=app,
            open=[one for one in questions if one.decision.choice is None],
            decided=[one for one in questions if one.decision.choice is not None],
            escrows=escrows,
            names=names,
            most=_MOST,
        )

    async def decide(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        form = form_of(request)
        choice, _, target = form.text("choice", "Choose what to do.").partition(":")
        source = form.text("source")
        await self._centre.app.decisions.decide(session.actor, app.job_id, source, choice, target or None)
        said = _DONE.get(choice, "Decided.") + _CARRIED_OUT
        return done(request, f"{app_path(app)}/provisioning/pending", said)

    async def _found(self, request: Request, session: Session) -> App:
        session.actor.require(Right.SYNCHRONIZATION_READ, session.realm_id)
        return await found_app(self._centre, request, session)


def _question(decision: Decision, source: User | Group | None) -> Question:
    told = [(label, [_text(one.get(name)) for one in decision.candidates]) for label, _, name in _COMPARED]
    told.append(("Created", [_moment(one.get("created")) for one in decision.candidates]))
    accounts = [
        Account(
            str(candidate["id"]),
            _text(candidate.get("userName") or candidate.get("displayName") or candidate["id"]),
            [(label, texts[at], len(set(texts)) > 1) for label, texts in told if texts[at]],
        )
        for at, candidate in enumerate(decision.candidates)
    ]
    return Question(decision, _of_directory(source), accounts)


def _of_directory(source: User | Group | None) -> list[tuple[str, str]]:
    if source is None:
        return []
    shown: Mapping[str, Any] = source.attributes
    facts = [(label, _text(shown.get(name))) for label, name, _ in _COMPARED if name]
    facts.append(("Other addresses", _text(shown.get("otherMails"))))
    facts.append(("Created", f"{datetime.fromtimestamp(source.created_at / 1000, UTC):%Y-%m-%d}"))
    return [(label, text) for label, text in facts if text]


def _moment(value: Any) -> str:
    """A target's moment, shorter: to the second, without ISO 8601's letters."""
    return _text(value)[:19].replace("T", " ")


def _text(value: Any) -> str:
    """A target's value, whatever it is, as a short text; empty without one."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)[:_LONGEST]
    return "" if value is None else str(value)[:_LONGEST]
