"""Pages without a server: a guard whose sessions are a table, and a client that speaks ASGI."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from provisor.security.actor import Actor, Realm, rights_of
from provisor.signin.model import Session
from provisor.web.html import static
from provisor.web.html.failures import http_failure, unexpected_failure
from provisor.web.html.flash import redirect
from provisor.web.html.guard import Guard, form_of
from provisor.web.html.shell import Item, Shell
from provisor.web.html.templating import render
from provisor.web.services import WebSettings

SHELL = Shell("company", "Company portal", "/company", (Item("Overview", "/company", "home"),))


def session_of(kind: str = "company", csrf: str = "token-of-ada") -> Session:
    actor = Actor(Realm("company", "acme"), "ada", rights_of(["Company Administrator"]))
    return Session("s1", kind, "acme", "Acme", "ada", "Ada <b>Lovelace</b>", actor, csrf)  # type: ignore[arg-type]


@dataclass
class Sessions:
    known: dict[str, Session] = field(default_factory=dict)

    async def find(self, value: str) -> Session | None:
        return self.known.get(value)


@pytest.fixture
def sessions() -> Sessions:
    return Sessions({"ada": session_of()})


@pytest.fixture
def settings() -> WebSettings:
    return WebSettings()


@pytest.fixture
def browser(sessions: Sessions, settings: WebSettings) -> Iterator[TestClient]:
    """On an application with one page of each kind; nobody has signed in yet."""
    guard = Guard(SHELL, sessions, settings)

    async def keys(request: Request, session: Session) -> Response:
        if request.method == "POST":
            return redirect(request, "/company/keys", f"Added {form_of(request).text('name')}.")
        return render(request, "error.html", title="Keys", message="None yet.", hint=None)

    async def broken(request: Request, session: Session) -> Response:
        raise RuntimeError("the insides")

    async def enter(request: Request) -> Response:
        return PlainTextResponse(request.state.csrf)

    app = Starlette(
        routes=[
            Route("/company/keys", guard.signed_in(keys), methods=["GET", "POST"]),
            Route("/company/broken", guard.signed_in(broken)),
            Route("/company/sign-in", guard.open(enter), methods=["GET", "POST"]),
            *static.routes(),
        ],
        exception_handlers={HTTPException: http_failure, Exception: unexpected_failure},
    )
    with TestClient(app, "https://provisor.example", raise_server_exceptions=False, follow_redirects=False) as client:
        yield client
