"""Pages: what a form's answer has to say on the page that the browser is sent to next.

It travels in a short-lived cookie, marked with a key that only this session knows: nobody else can put words there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse

from provisor.signin.model import Session
from provisor.web.html.cookies import set_cookie

COOKIE = "provisor_flash"
_MOST = 1000

Kind = Literal["success", "warning", "danger"]


class Next(msgspec.Struct, frozen=True):
    """What is offered as the next step: a button ``verb`` that sends an empty form to ``action``, a path of ours."""

    action: str
    verb: str


class Flash(msgspec.Struct, frozen=True):
    """``kind`` is Tabler's name of a colour; ``text`` is plain."""

    kind: Kind
    text: str
    then: Next | None = None


def redirect(
    request: Request, address: str, done: str = "", *, kind: Kind = "success", then: Next | None = None
) -> RedirectResponse:
    """After a POST: ``address`` (a path of ours) is next, says ``done`` there, and offers ``then``.

    303, so a reload sends nothing.
    """
    response = RedirectResponse(address, 303, headers={"cache-control": "no-store"})
    session: Session | None = getattr(request.state, "session", None)
    if done and session is not None:
        body = base64.urlsafe_b64encode(msgspec.json.encode(Flash(kind, done[:_MOST], then))).decode()
        set_cookie(request, response, COOKIE, f"{body}.{_mark(session, body)}", seconds=60)
    return response


def read_flash(request: Request, session: Session | None) -> Flash | None:
    """What the request before had to say, or null."""
    body, _, mark = request.cookies.get(COOKIE, "").rpartition(".")
    if session is None or not body or not hmac.compare_digest(mark, _mark(session, body)):
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(body), type=Flash)
    except (ValueError, msgspec.DecodeError):
        return None


def _mark(session: Session, body: str) -> str:
    return hmac.digest(session.csrf.encode(), f"flash:{body}".encode(), hashlib.sha256).hex()
